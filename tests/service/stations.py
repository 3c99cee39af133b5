"""Stations with a batch in them, for tests."""

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from scanner_station.domain.events import EntryRecorded
from scanner_station.domain.reading import ReaderId, Reading, Symbology
from scanner_station.service import batches
from scanner_station.service.station import Station

AT = datetime(2018, 12, 19, 2, 0, tzinfo=UTC)


def nik(number: int) -> str:
    """Return a well-formed NIK of a province that does not exist."""
    return f"9971044107{number // 9999:02}{number % 9999 + 1:04}"


def reading(payload: str | bytes) -> Reading:
    """Return one presentation."""
    raw = payload.encode() if isinstance(payload, str) else payload
    return Reading(payload=raw, symbology=Symbology.UNKNOWN, reader_id=ReaderId("test"), at=AT)


def load_manifest(
    station: Station, slug: str, rows: Sequence[Sequence[object]], folder: Path
) -> None:
    """Import rows of (identifier, category, district, pieces) through the real importer."""
    path = folder / f"{slug}.csv"
    lines = ["nik,kategori,kecamatan,keping,nama"]
    lines += [f"{','.join(str(value) for value in row)},Nama {row[0]}" for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with contextlib.closing(batches.check_manifest(station, slug, path, path.name)) as checked:
        batches.import_manifest(station, slug, checked, by="penyelia")


def show(station: Station, slug: str, payload: str | bytes, **options: object) -> EntryRecorded:
    """Present one card."""
    return station.handle(slug, reading(payload), by="petugas", **options)  # type: ignore[arg-type]
