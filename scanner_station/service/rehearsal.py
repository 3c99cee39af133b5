"""Rehearsals: a marked batch whose list of generated cards is loaded by itself."""

import csv
import tempfile
from pathlib import Path
from sqlite3 import Connection
from typing import Final

from scanner_station.domain.declared import Declared
from scanner_station.domain.errors import BatchError, InputError
from scanner_station.domain.rehearsal import (
    MOST_CARDS,
    USUAL_CARDS,
    PracticeCard,
    PrintedCard,
    cards_of,
    printed_cards,
)
from scanner_station.service import batches
from scanner_station.service.counter import require_batch
from scanner_station.service.station import Station
from scanner_station.storage import manifests
from scanner_station.storage.batches import Batch

_FILE: Final = "kartu-latihan.csv"
_HEADER: Final = ("NIK", "Nama", "Kategori", "Kecamatan")


def create(
    station: Station,
    slug: str,
    *,
    title: str,
    by: str,
    place: str = "",
    held_on: str = "",
    declared: Declared | None = None,
    cards: int = USUAL_CARDS,
) -> Batch:
    """Create a rehearsal, which takes its cards at once; return it with its list loaded.

    `cards`: how many its list has.

    Raises:
        InputError: a value is not usable, or the slug is taken.
    """
    if not 1 <= cards <= MOST_CARDS:
        raise InputError("a rehearsal has 1 to %(most)s cards", most=MOST_CARDS)
    created = batches.create(
        station,
        slug,
        title=title,
        by=by,
        place=place,
        held_on=held_on,
        declared=declared,
        is_rehearsal=True,
    )
    _load(station, slug, cards_of(slug, cards), by)
    return created


def _load(station: Station, slug: str, listed: list[PracticeCard], by: str) -> None:
    # Through the same door as an office's own list.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / _FILE
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(_HEADER)
            writer.writerows([c.payload, c.name, c.category, c.district] for c in listed)
        checked = batches.check_manifest(station, slug, path, path.name)
        batches.import_manifest(station, slug, checked, by=by)


def cards_to_print(connection: Connection, slug: str) -> list[PrintedCard]:
    """Return the cards of a rehearsal's sheet.

    Raises:
        BatchError: there is no such batch, it is a real one, or another list was loaded into it.
    """
    batch = require_batch(connection, slug)
    if not batch.is_rehearsal:
        raise BatchError(
            "batch %(slug)s is no rehearsal; test cards are printed for a rehearsal only, "
            "so create one",
            slug=slug,
        )
    listed = manifests.identifiers(connection, batch.manifest_id, most=MOST_CARDS)
    if not listed or listed != sorted(card.payload for card in cards_of(slug, len(listed))):
        raise BatchError(
            "batch %(slug)s no longer has the list of its test cards; create another rehearsal",
            slug=slug,
        )
    return printed_cards(slug, len(listed))
