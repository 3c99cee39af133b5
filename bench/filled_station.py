"""Makes a data folder in which a station has already counted many cards, faster than counting them.

The first card goes through the station itself; the rows of all others are copies of what it wrote
for that one, each with its own identifier, commitment, category and sequence. At the end the
station's own fold over the log must agree with what was written.
"""

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from scanner_station.domain import merkle
from scanner_station.domain.entry import Body, canonical, card_commitment
from scanner_station.domain.reading import ReaderId, Reading, Symbology
from scanner_station.service import batches as service_batches
from scanner_station.service.station import Station
from scanner_station.storage import batches, scan_log, tree
from scanner_station.storage.batches import Batch
from scanner_station.storage.entry_key import key_of

SLUG = "bench"
_CATEGORIES = ("rusak", "invalid", "pindah datang")
_DISTRICTS = ("Alak", "Kelapa Lima", "Kota Lama", "Kota Raja", "Maulafa", "Oebobo")


def identifier(number: int) -> str:
    """Return the `number`-th well-formed NIK, of a province that does not exist."""
    rest, serial = divmod(number, 9999)
    rest, day = divmod(rest, 28)
    rest, month = divmod(rest, 12)
    return f"99{rest:04d}{day + 1:02d}{month + 1:02d}90{serial + 1:04d}"


def place_of(number: int) -> tuple[str, str]:
    """Return the category and district that the manifest gives a card."""
    return _CATEGORIES[number % len(_CATEGORIES)], _DISTRICTS[number % len(_DISTRICTS)]


def reading(number: int) -> Reading:
    """Return one card as a scanner delivers it."""
    return Reading(
        payload=b"]C0" + identifier(number).encode(),
        symbology=Symbology.CODE128,
        reader_id=ReaderId("scanner-1"),
        at=datetime.now(UTC),
    )


def fill(folder: Path, scans: int, *, further: int) -> list[int]:
    """Make a station with `scans` counted cards, and `further` others on its manifest.

    Returns the numbers of those others. Cards were counted in no order.
    """
    numbers = list(range(scans + further))
    random.Random(5371).shuffle(numbers)
    station = Station(folder)
    try:
        service_batches.create(station, SLUG, title="Benchmark", by="bench")
        with station.transaction() as connection:
            _write_manifest(connection, len(numbers))
        station.forget_counter(SLUG)
        if scans:
            station.handle(SLUG, reading(numbers[0]), by="bench")
            with station.transaction() as connection:
                _write_scans(connection, station.counter(SLUG).batch, numbers[1:scans])
        with station.transaction() as connection:
            if not scan_log.rebuild(connection, station.counter(SLUG).batch.id):
                raise AssertionError("the rows made here are not those a station would write")
    finally:
        station.close()
    return numbers[scans:]


def _write_manifest(connection: sqlite3.Connection, lines: int) -> None:
    manifest_id = connection.execute(
        "insert into manifest (file_name, sha256, lines, pieces, imported_at, imported_by,"
        " is_complete) values ('bench.csv', '', ?, ?, '', 'bench', 1)",
        (lines, lines),
    ).lastrowid
    totals: Counter[tuple[str, str]] = Counter(place_of(number) for number in range(lines))
    connection.executemany(
        "insert into manifest_total values (?, ?, ?, ?)",
        ((manifest_id, *place, pieces) for place, pieces in totals.items()),
    )
    connection.executemany(
        "insert into manifest_line values (?, ?, ?, ?, ?, 1, ?, 'Jalan Contoh 1', '')",
        (
            (manifest_id, card, number + 2, *place_of(number), f"Nama {number}")
            for card, number in sorted((identifier(number), number) for number in range(lines))
        ),
    )
    batch = batches.find(connection, SLUG)
    assert batch is not None
    assert manifest_id is not None
    batches.set_manifest(connection, batch.id, manifest_id)


def _write_scans(connection: sqlite3.Connection, batch: Batch, numbers: Sequence[int]) -> None:
    secret = batches.secret_of(connection, batch.id)
    first = scan_log.entry(connection, batch.id, 1)
    assert first is not None

    def body(sequence: int, number: int) -> str:
        category, district = place_of(number)
        own: Body = {
            "card": card_commitment(secret, identifier(number)),
            "category": category,
            "district": district,
            "sequence": sequence,
        }
        return canonical(first.body | own)

    def rows() -> Iterator[tuple[int, str, bytes, str, bytes]]:
        edge = tree.edge_of(connection, batch.id, 2)
        for sequence, number in placed:
            text = body(sequence, number)
            nodes = edge.append(merkle.leaf_hash(text.encode()))
            card = reading(number)
            yield key_of(batch.id, sequence), text, nodes, identifier(number), card.payload

    placed = list(enumerate(numbers, start=2))
    connection.executemany(
        "insert into entry (key, body, nodes, identifier, payload) values (?, ?, ?, ?, ?)",
        rows(),
    )
    connection.executemany(
        "insert into piece values (?, ?, 1, ?)",
        (
            (card, batch.id, sequence)
            for card, sequence in sorted(
                (identifier(number), sequence) for sequence, number in placed
            )
        ),
    )
