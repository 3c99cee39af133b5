"""The verifiable log of a batch as a bundle of files that other people's tools understand.

    README.txt            how to check it, for people
    checkpoint            the signed head, with cosignatures
    manifest              the commitments to the cards expected (not there without a manifest)
    policy                the keys that the log itself names
    tile/<L>/<N>          the tree's hashes
    tile/entries/<N>      the entries

Nothing in it lets an identity number be found. The same log with the same cosignatures gives the
same bytes.

Source: c2sp.org/tlog-tiles, c2sp.org/tlog-checkpoint, c2sp.org/tlog-policy.
"""

import hashlib
from collections.abc import Callable, Iterator
from importlib import resources
from itertools import islice
from pathlib import Path
from sqlite3 import Connection
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scanner_station.domain import merkle, tiles
from scanner_station.domain.checkpoint import SignedHead, log_key
from scanner_station.domain.errors import VerificationError
from scanner_station.domain.note import VerifierKey
from scanner_station.domain.policy import policy_of_bundle
from scanner_station.domain.rehearsal import MARK
from scanner_station.exports.bundle_files import Reading, written
from scanner_station.service.counter import require_batch
from scanner_station.service.heads import head_now
from scanner_station.service.log_check import check_closed_log
from scanner_station.storage import batches, heads, manifest_commitments, scan_log
from scanner_station.storage.batches import Batch
from scanner_station.storage.beside_log import manifest_changed
from scanner_station.storage.entry_key import IN_SPAN, span_of

Progress = Callable[[int, int], None]

README: Final = "README.txt"
CHECKPOINT: Final = "checkpoint"
MANIFEST: Final = "manifest"
POLICY: Final = "policy"


def names_of(size: int, *, has_manifest: bool) -> Iterator[str]:
    """Yield the names of a bundle's files in the order that an archive has them."""
    yield README
    yield CHECKPOINT
    if has_manifest:
        yield MANIFEST
    yield POLICY
    for level in tiles.levels(size):
        for index, width in tiles.widths(size, level):
            yield tiles.path(level, index, width)
    for index, width in tiles.widths(size):
        yield tiles.path(tiles.ENTRIES, index, width)


def policy_of(head: SignedHead, log: VerifierKey, witnesses: list[VerifierKey]) -> bytes:
    """Return the file `policy` for a head: every witness whose line it has must stay on it."""
    lines = head.note.signatures[1:]
    signed = [key for key in witnesses if any(line.is_by(key) for line in lines)]
    return policy_of_bundle(log, witnesses, signed)


def head_of(files: Reading) -> SignedHead:
    """Return the head that a bundle states; nothing of it is checked yet.

    Raises:
        VerificationError: it is none, to the byte.
    """
    try:
        return SignedHead.parse(files.read(CHECKPOINT))
    except VerificationError as error:
        raise VerificationError("%(place)s: %(why)s", place=CHECKPOINT, why=error) from error


def export_bundle(
    connection: Connection,
    slug: str,
    key: Ed25519PrivateKey,
    path: Path,
    *,
    progress: Progress | None = None,
) -> SignedHead:
    """Write a batch's log as it is now to a new folder, or to a zip file if named `….zip`.

    `connection`: in a read transaction, so that all files are of one moment. `key`: the station's.

    Raises:
        BatchError: there is no such batch, or its log has not begun.
        InputError: something else has that name.
        StorageError: the disk failed or is full, or the closed log or its manifest was changed.
    """
    batch = require_batch(connection, slug)
    check_closed_log(connection, batch)
    head = head_now(connection, slug, key)
    size, origin = head.checkpoint.size, head.checkpoint.origin
    witnesses = heads.witnesses(connection, batch.id, size)
    told = progress or (lambda _done, _total: None)
    with written(path) as bundle:
        bundle.write(README, [_readme(head, batch)])
        bundle.write(CHECKPOINT, [bytes(head)])
        # A log that was cancelled before its first card names no manifest, though one was loaded.
        if batch.manifest_id is not None and (stated := _manifest_stated(connection, batch)):
            secret = batches.secret_of(connection, batch.id)
            found = hashlib.sha256()
            lines = manifest_commitments.lines(connection, batch.manifest_id, secret)
            bundle.write(MANIFEST, _digested(lines, found))
            if found.hexdigest() != stated:
                raise manifest_changed(slug)
        bundle.write(POLICY, [policy_of(head, log_key(origin, key), witnesses)])
        for level in tiles.levels(size):
            hashes = _hashes(connection, batch, size, level)
            for index, width in tiles.widths(size, level):
                bundle.write(tiles.path(level, index, width), islice(hashes, width))
        entries = _entries(connection, batch, size)
        for index, width in tiles.widths(size):
            bundle.write(
                tiles.path(tiles.ENTRIES, index, width),
                [tiles.pack_entries(list(islice(entries, width)))],
            )
            told(index * tiles.WIDTH + width, size)
    return head


def _manifest_stated(connection: Connection, batch: Batch) -> str:
    first = scan_log.entry(connection, batch.id, 0)
    return str(first.body.get("manifest_sha256", "")) if first is not None else ""


def _digested(lines: Iterator[bytes], digest: "hashlib._Hash") -> Iterator[bytes]:
    for line in lines:
        digest.update(line)
        yield line


def _hashes(connection: Connection, batch: Batch, size: int, level: int) -> Iterator[bytes]:
    # The subtrees of 256**level leaves stand in the entries that complete them.
    leaves = 1 << tiles.HEIGHT * level
    start = tiles.HEIGHT * level * merkle.HASH_BYTES + 1
    rows = connection.execute(
        f"select substr(nodes, :start, 32) from entry where {IN_SPAN}"  # noqa: S608 - ours
        " and sequence % :leaves = :leaves - 1 order by key",
        span_of(batch.id, last=size - 1) | {"start": start, "leaves": leaves},
    )
    return (row[0] for row in rows)


def _entries(connection: Connection, batch: Batch, size: int) -> Iterator[bytes]:
    rows = connection.execute(
        f"select body from entry where {IN_SPAN} order by key",  # noqa: S608 - ours
        span_of(batch.id, last=size - 1),
    )
    return (row[0].encode() for row in rows)


def _readme(head: SignedHead, batch: Batch) -> bytes:
    text = resources.files("scanner_station.exports").joinpath("bundle_readme.txt")
    checkpoint = head.checkpoint
    filled = text.read_text("utf-8").replace("{origin}", checkpoint.origin)
    if batch.is_rehearsal:
        filled = (
            f"{MARK}: kartu contoh, bukan kartu penduduk / generated cards, nobody's\n\n{filled}"
        )
    return filled.replace("{size}", str(checkpoint.size)).encode()
