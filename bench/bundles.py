"""Makes bundles of counted batches at once, in the project's own formats and without a station.

Each is what a station would have exported: the verifier takes it, which `recap.py` shows.
"""

import hashlib
from collections import Counter
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from filled_station import identifier, place_of

from scanner_station.domain import merkle, tiles
from scanner_station.domain.checkpoint import Checkpoint, log_key, signed_head
from scanner_station.domain.entry import (
    Body,
    canonical,
    card_commitment,
    card_salt,
    manifest_line,
    totals_text,
)
from scanner_station.domain.log_audit import stated_totals
from scanner_station.domain.tally import Tally
from scanner_station.exports import bundle
from scanner_station.exports.bundle_files import written
from scanner_station.exports.openings import Opening

AT = "2018-12-19T02:03:04.567Z"


def make_bundle(path: Path, number: int, cards: range) -> None:
    """Write the sealed bundle of the `number`-th office, and its openings beside it."""
    station, slug = f"meja-{number}", "pemusnahan"
    secret = number.to_bytes(32, "big")
    key = Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "little"))
    codes = {card: card_commitment(secret, identifier(card)) for card in cards}
    expected = Counter(place_of(card)[0] for card in cards)
    manifest = sorted((codes[card], place_of(card)[0]) for card in cards)
    lines = b"".join(manifest_line(code, category, 1) for code, category in manifest)
    common: Body = {"at": AT, "batch": slug, "by": "petugas", "station": station}
    bodies: list[Body] = [_opening(number, lines, dict(expected))]
    tally = Tally()
    for card in cards:
        category, district = place_of(card)
        bodies.append(
            {
                "card": codes[card],
                "category": category,
                "district": district,
                "kind": "scan",
                "piece": 1,
                "reader": "pemindai-1",
                "symbology": "code128",
                "verdict": "counted",
            }
        )
        tally.add("counted", category, district, total=1, manual=0)
    bodies.append(
        {"kind": "seal", "seconded_by": "kepala seksi", "expected": len(cards), "missing": 0}
        | stated_totals(tally)
    )
    entries = [
        canonical(common | body | {"sequence": sequence}).encode()
        for sequence, body in enumerate(bodies)
    ]
    _write(path, f"{station}/{slug}", key, lines, entries)
    openings = sorted((codes[card], card) for card in cards)
    with path.with_suffix(".jsonl").open("wb") as file:
        for code, card in openings:
            salt = card_salt(secret, identifier(card))
            file.write(Opening(card=code, identifier=identifier(card), salt=salt).line)


def _opening(number: int, manifest: bytes, expected: dict[str, int]) -> Body:
    return {
        "counted": 0,
        "expected": sum(expected.values()),
        "expected_by_category": totals_text(dict(sorted(expected.items()))),
        "held_on": f"2018-{number % 12 + 1:02d}-19",
        "kind": "open",
        "manifest_sha256": hashlib.sha256(manifest).hexdigest(),
        "nonce": "",
        "office": f"Disdukcapil Contoh {number}",
        "schemes": "nik",
        "software": "0.1.0",
        "sqlite": "3.40.1",
        "title": f"Pemusnahan {number}",
    }


def _write(
    path: Path, origin: str, key: Ed25519PrivateKey, manifest: bytes, entries: list[bytes]
) -> None:
    levels = [[merkle.leaf_hash(entry) for entry in entries]]
    while len(levels[-1]) >= tiles.WIDTH:
        below = levels[-1]
        whole = len(below) // tiles.WIDTH * tiles.WIDTH
        levels.append(
            [merkle.full_root(below[i : i + tiles.WIDTH]) for i in range(0, whole, tiles.WIDTH)]
        )
    frontier = merkle.Frontier()
    for leaf in levels[0]:
        frontier.append(leaf)
    size = len(entries)
    head = signed_head(Checkpoint(origin=origin, size=size, root=frontier.root()), key)
    with written(path) as made:
        made.write(bundle.CHECKPOINT, [bytes(head)])
        made.write(bundle.MANIFEST, [manifest])
        made.write(bundle.POLICY, [bundle.policy_of(head, log_key(origin, key), [])])
        for level, hashes in enumerate(levels):
            for index, width in tiles.widths(size, level):
                start = index * tiles.WIDTH
                made.write(tiles.path(level, index, width), hashes[start : start + width])
        for index, width in tiles.widths(size):
            start = index * tiles.WIDTH
            packed = tiles.pack_entries(entries[start : start + width])
            made.write(tiles.path(tiles.ENTRIES, index, width), [packed])
