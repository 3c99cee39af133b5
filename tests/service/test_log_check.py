"""Closed logs are looked at again: at every start, and before anything is made of them."""

import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from scanner_station.cli.daemon import daemon
from scanner_station.config import Settings, StationSettings
from scanner_station.domain.declared import Declared
from scanner_station.domain.errors import StorageError
from scanner_station.exports.bundle import export_bundle
from scanner_station.exports.log import export
from scanner_station.exports.minutes import print_minutes
from scanner_station.exports.openings import export_openings
from scanner_station.service import batches, closing, heads
from scanner_station.service import station as stations
from scanner_station.service.counter import require_batch
from scanner_station.service.log_check import LogChecker
from scanner_station.service.reconciliation import reconcile
from scanner_station.service.station import Station
from scanner_station.service.views import Views
from scanner_station.storage import scan_log, station_key
from scanner_station.storage.database import FILE_NAME
from tests.exports.sealed_logs import SLUG, cosign, fill, made_station, seal
from tests.service.stations import nik, show

UTC = ZoneInfo("UTC")
LATER = "besok"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a sealed batch and an open one."""
    scratch = tmp_path_factory.mktemp("made")
    station = made_station(scratch / "data", scratch, 8)
    fill(station, 6)
    tally = station.counter(SLUG).tally
    categories, districts = (
        {name: row["counted"] for name, row in tally.by(axis).items()} for axis in (0, 1)
    )
    closing.declare(station, SLUG, Declared(total=tally.burned), by="penyelia")
    figures = Declared(by_category=categories, by_district=districts)
    closing.declare(station, SLUG, figures, by="penyelia")
    seal(station)
    batches.create(
        station,
        LATER,
        title="Besok",
        by="penyelia",
        place="halaman",
        held_on="2018-12-20",
        declared=Declared(by_category={"rusak": 1}),
    )
    batches.set_witness_nonce(station, LATER, "hujan")
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


BATCH = "(select id from batch where slug = '{slug}')"
CHANGES = {
    "number": (LATER, "update entry set identifier = '9971040112900099' where sequence = 1"),
    "no number": (LATER, "update entry set identifier = null where sequence = 1"),
    "secret": (LATER, "update batch_secret set secret = zeroblob(32) where true"),
    "closed": (LATER, "update batch set state = 'sealed' where true"),
    "reopened": (SLUG, "update batch set state = 'open' where true"),
    "head": (SLUG, "update checkpoint set note = replace(note, 'pang\n', 'pang\n1') where true"),
    "cosignature": (SLUG, "update cosignature set line = replace(line, 'ak', 'ka') where true"),
    "no witness": (SLUG, "delete from witness_key where name = 'saksi-a'"),
    "title": (SLUG, "update batch set title = 'Lain' where true"),
    "short name": (SLUG, "update batch set slug = 'kupang-2' where true"),
    "place": (LATER, "update batch set place = 'gudang' where true"),
    "day": (LATER, "update batch set held_on = '2018-12-21' where true"),
    "witness's words": (LATER, "update batch set witness_nonce = 'cerah' where true"),
    "scheme": (LATER, "update batch set schemes = 'nik,uid' where true"),
    "supplement": (LATER, "update batch set supplements = 'kupang' where true"),
    "rehearsal": (SLUG, "update batch set is_rehearsal = 1 where true"),
    "figure": (SLUG, "update declared_figure set total = 5 where axis = 'category'"),
    "no figure": (SLUG, "delete from declared_figure where axis = 'district'"),
    "figure of an open batch": (LATER, "update declared_figure set name = 'lain' where true"),
}
SAID = {
    "number": "the number kept with entry 1 of batch besok is not that of its card",
    "no number": "the number kept with entry 1 of batch besok",
    "secret": "the number kept with entry 1 of batch besok",
    "closed": "batch besok is kept as sealed, and its log says otherwise",
    "reopened": "batch kupang is kept as open, and its log says otherwise",
    "head": "the head of .* entries of batch kupang is not as it was signed",
    "cosignature": "the head of .* entries of batch kupang is not as it was signed",
    "no witness": "the keys of the witnesses of batch kupang are not those that its log names",
    "title": r'what is kept of batch kupang \("title"\) is not what its log says',
    "short name": r'what is kept of batch kupang-2 \("batch"\)',
    "place": r'what is kept of batch besok \("place"\)',
    "day": r'what is kept of batch besok \("held_on"\)',
    "witness's words": r'what is kept of batch besok \("nonce"\)',
    "scheme": r'what is kept of batch besok \("schemes"\)',
    "supplement": r'what is kept of batch besok \("supplements"\)',
    "rehearsal": r'what is kept of batch kupang \("rehearsal"\)',
    "figure": r'what is kept of batch kupang \("declared"\)',
    "no figure": r'what is kept of batch kupang \("declared"\)',
    "figure of an open batch": r'what is kept of batch besok \("declared"\)',
}


def change(folder: Path, slug: str, words: str) -> None:
    """Change the file as somebody does who has the machine."""
    connection = sqlite3.connect(folder / FILE_NAME)
    triggers = "select name from sqlite_master where type = 'trigger'"
    for (name,) in connection.execute(triggers).fetchall():
        connection.execute(f"drop trigger {name}")
    which = {"batch": "id", "manifest_line": "manifest_id"}.get(words.split()[1], "batch_id")
    done = connection.execute(f"{words} and {which} = {BATCH.format(slug=slug)}")
    assert done.rowcount
    connection.commit()
    connection.close()


@pytest.mark.parametrize("what", CHANGES)
def test_what_is_kept_beside_a_log_is_what_the_log_says_or_the_station_does_not_start(
    folder: Path, what: str
) -> None:
    station = Station(folder, name="meja-1")
    cosign(station)
    station.close()
    change(folder, *CHANGES[what])
    with pytest.raises(StorageError, match=SAID[what]):
        Station(folder, name="meja-1")


def test_a_log_is_not_continued_under_another_name_of_the_station(folder: Path) -> None:
    with pytest.raises(StorageError, match="besok began at station meja-1, and this"):
        Station(folder, name="meja-9")
    station = Station(folder, name="meja-1")
    batches.cancel(station, LATER, reason="salah", by="penyelia", seconded_by="kepala")
    station.close()
    Station(folder, name="meja-9").close()  # which closed logs do not mind


def test_a_head_that_the_key_did_not_sign_is_not_handed_out(folder: Path) -> None:
    station = Station(folder, name="meja-1")
    head = heads.sign(station, SLUG)
    station.close()
    [signature] = head.note.signatures
    wrong = replace(signature, data=bytes([signature.data[0] ^ 1]) + signature.data[1:])
    note = bytes(replace(head.note, signatures=(wrong,))).decode()
    size = head.checkpoint.size
    change(folder, SLUG, f"update checkpoint set note = '{note}' where size = {size}")
    station = Station(folder, name="meja-1")
    with pytest.raises(StorageError, match=f"the head of {size} entries of batch kupang"):
        heads.sign(station, SLUG)
    station.close()


def test_a_log_is_not_continued_under_another_key(folder: Path) -> None:
    station = Station(folder, name="meja-1")
    heads.sign(station, LATER)
    station.close()
    path = folder / station_key.FILE_NAME
    own = path.read_bytes()
    path.unlink()
    station_key.make(folder)
    with pytest.raises(
        StorageError, match="not the one with which the newest head here was signed"
    ):
        Station(folder, name="meja-1")
    path.write_bytes(own)
    Station(folder, name="meja-1").close()


@pytest.mark.parametrize(
    "words",
    [
        "update tally set total = total + 1 where verdict = 'counted'",
        "delete from tally where true",
        "update tallied set sequence = sequence - 3 where true",
        "delete from piece where sequence < 9",
    ],
)
def test_the_sums_of_a_sealed_log_are_counted_again_where_they_are_not_those_at_its_sealing(
    folder: Path, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stations, "ENTRIES_AT_START", 10)  # however long the log is
    station = Station(folder, name="meja-1")
    before = station.counter(SLUG).tally.as_json()
    with station.transaction() as connection:
        scan_log.rebuild(connection, require_batch(connection, SLUG).id)
    station.close()
    change(folder, SLUG, words)
    station = Station(folder, name="meja-1")
    assert station.counter(SLUG).tally.as_json() == before
    with station.transaction() as connection:
        reconcile(connection, SLUG)
    station.close()


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


def _openings(station: Station, path: Path) -> None:
    with station.transaction() as connection:
        export_openings(connection, SLUG, path)


@pytest.mark.parametrize("make", [_bundle, _csv, _minutes, _openings])
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


NUMBER = "update entry set identifier = '9971040112900099' where sequence = 4"
MANIFEST = "update manifest_line set category = 'lain' where line = 2"


@pytest.mark.parametrize(
    ("make", "words", "said"),
    [
        (_csv, NUMBER, "the number kept with entry 4 of batch kupang"),
        (_minutes, NUMBER, "the number kept with entry 4 of batch kupang"),
        (_openings, NUMBER, "the number kept with entry 4 of batch kupang"),
        (_bundle, MANIFEST, "the manifest of batch kupang is not the one that its log opens with"),
        (_minutes, MANIFEST, "the manifest of batch kupang is not the one"),
    ],
)
def test_nothing_is_made_with_a_number_or_a_manifest_that_is_not_the_logs(
    folder: Path, tmp_path: Path, make: Callable[[Station, Path], None], words: str, said: str
) -> None:
    change(folder, SLUG, words)
    station = Station(folder, name="meja-1")
    with pytest.raises(StorageError, match=said):
        make(station, tmp_path / "after")
    assert not (tmp_path / "after").exists()
    station.close()
