"""Closed logs are looked at again: at every start, and before anything is made of them."""

import shutil
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from scanner_station.cli.daemon import daemon
from scanner_station.config import Settings, StationSettings
from scanner_station.domain.errors import StorageError
from scanner_station.exports.bundle import export_bundle
from scanner_station.exports.log import export
from scanner_station.exports.minutes import print_minutes
from scanner_station.service import batches
from scanner_station.service import station as stations
from scanner_station.service.log_check import LogChecker
from scanner_station.service.station import Station
from scanner_station.service.views import Views
from scanner_station.storage.database import FILE_NAME
from tests.exports.sealed_logs import SLUG, fill, made_station, seal
from tests.service.stations import nik, show

UTC = ZoneInfo("UTC")
LATER = "besok"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a sealed batch and an open one."""
    scratch = tmp_path_factory.mktemp("made")
    station = made_station(scratch / "data", scratch, 8)
    fill(station, 6)
    seal(station)
    batches.create(station, LATER, title="Besok", by="penyelia")
    show(station, LATER, nik(100))
    station.close()
    return scratch / "data"


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    return shutil.copytree(template, tmp_path / "data")


def flip(folder: Path, bit: int) -> None:
    """Flip one bit of the fourth entry where it lies in the file."""
    path = folder / FILE_NAME
    data = bytearray(path.read_bytes())
    place = data.index(b'"sequence":4,') - len('"scanner",')
    data[place] ^= 1 << bit
    path.write_bytes(data)


@pytest.mark.parametrize("bit", [0, 7], ids=["another_letter", "no_letter"])
def test_a_bit_of_a_sealed_log_that_flipped_is_found_at_the_next_start(
    folder: Path, bit: int
) -> None:
    Station(folder, name="meja-1").close()
    flip(folder, bit)
    with pytest.raises(StorageError, match="entry 4 of the log of batch kupang does not agree"):
        Station(folder, name="meja-1")


def test_a_sealed_log_too_long_for_a_start_is_checked_beside_the_station_and_stops_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stations, "ENTRIES_AT_START", 10)
    checked_beside(folder).close()
    flip(folder, 0)
    station = checked_beside(folder)
    for work in (partial(show, station, LATER, nik(101)), station.recover):
        with pytest.raises(StorageError, match="entry 4 of the log of batch kupang"):
            work()
    station.close()


def test_a_running_station_looks_at_the_sealed_logs_that_were_too_long_for_its_start(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stations, "ENTRIES_AT_START", 10)
    flip(folder, 0)
    settings = Settings(station=StationSettings(name="meja-1"))
    with daemon(folder, settings, simulate=False, cards=0, port=0) as running:
        until_s = time.monotonic() + 10
        while running.station.fault is None and time.monotonic() < until_s:
            threading.Event().wait(0.01)
        assert "entry 4 of the log of batch kupang" in str(running.station.fault)


def checked_beside(folder: Path) -> Station:
    station, views = Station(folder, name="meja-1"), Views(folder)
    assert station.unchecked == [SLUG]
    show(station, LATER, nik(102))
    checker = LogChecker(views, station.unchecked, station.halt)
    checker.start()
    checker.join()
    views.close()
    return station


def _bundle(station: Station, path: Path) -> None:
    with station.transaction() as connection:
        export_bundle(connection, SLUG, station.key, path)


def _csv(station: Station, path: Path) -> None:
    with station.transaction() as connection:
        export(connection, SLUG, "csv", path, time_zone=UTC)


def _minutes(station: Station, path: Path) -> None:
    with station.transaction() as connection:
        path.write_bytes(print_minutes(connection, SLUG, station.key, time_zone=UTC))


@pytest.mark.parametrize("make", [_bundle, _csv, _minutes])
def test_nothing_is_made_of_a_sealed_log_that_was_changed(
    folder: Path,
    tmp_path: Path,
    make: Callable[[Station, Path], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stations, "ENTRIES_AT_START", 10)
    station = Station(folder, name="meja-1")
    make(station, tmp_path / "before")
    station.close()
    flip(folder, 0)
    station = Station(folder, name="meja-1")
    with pytest.raises(StorageError, match="entry 4 of the log of batch kupang"):
        make(station, tmp_path / "after")
    assert not (tmp_path / "after").exists()
    station.close()
