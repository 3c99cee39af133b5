"""Bundles as a forger makes them: any entries at all, in a tree and under a head that fit them."""

import json
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scanner_station.domain import merkle, tiles
from scanner_station.domain.checkpoint import Checkpoint, SignedHead, log_key, signed_head
from scanner_station.domain.errors import VerificationError
from scanner_station.domain.note import VerifierKey
from scanner_station.domain.policy import policy_of_bundle
from scanner_station.exports.bundle_files import opened, written

KEY = Ed25519PrivateKey.from_private_bytes(b"f" * 32)


def forge(
    path: Path,
    entries: Sequence[bytes],
    manifest: bytes | None,
    *,
    origin: str,
    key: Ed25519PrivateKey = KEY,
) -> Path:
    """Write a bundle in which all but the entries and the manifest is as it should be."""
    size = len(entries)
    hashes = [merkle.leaf_hash(entry) for entry in entries]
    frontier = merkle.Frontier()
    for leaf in hashes:
        frontier.append(leaf)
    checkpoint = Checkpoint(origin=origin, size=size, root=frontier.root())
    with written(path) as bundle:
        bundle.write("README.txt", [b"forged"])
        bundle.write("checkpoint", [bytes(signed_head(checkpoint, key))])
        if manifest is not None:
            bundle.write("manifest", [manifest])
        bundle.write("policy", [policy_of_bundle(log_key(origin, key), _witnesses(entries), [])])
        for level in tiles.levels(size):
            for index, width in tiles.widths(size, level):
                some = hashes[index * tiles.WIDTH :][:width]
                bundle.write(tiles.path(level, index, width), some)
            whole = range(0, len(hashes) - tiles.WIDTH + 1, tiles.WIDTH)
            hashes = [merkle.full_root(hashes[start : start + tiles.WIDTH]) for start in whole]
        for index, width in tiles.widths(size):
            some = entries[index * tiles.WIDTH :][:width]
            bundle.write(tiles.path(tiles.ENTRIES, index, width), [tiles.pack_entries(some)])
    return path


def taken_apart(bundle: Path) -> tuple[list[bytes], bytes, str]:
    """Return the entries of a bundle, its manifest, and the name of its log."""
    entries: list[bytes] = []
    with opened(bundle) as files:
        head = SignedHead.parse(files.read("checkpoint")).checkpoint
        for index, width in tiles.widths(head.size):
            entries += tiles.unpack_entries(files.read(tiles.path(tiles.ENTRIES, index, width)))
        return entries, files.read("manifest"), head.origin


def _witnesses(entries: Sequence[bytes]) -> list[VerifierKey]:
    found = []
    for entry in entries:
        try:
            body = json.loads(entry)
            if body["kind"] == "witness":
                found.append(VerifierKey.parse(body["key"]))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, VerificationError):
            pass
    return found
