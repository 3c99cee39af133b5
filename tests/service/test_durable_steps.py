"""Every step that a station makes durable fails twice: its write is lost, or is there unconfirmed.

Each commit of a step that writes is failed in turn. Afterwards the station refuses everything until
it has read its file anew; then it knows exactly what is on the disk, and goes on.
"""

import contextlib
import errno
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from scanner_station.domain.checkpoint import cosignature, witness_key
from scanner_station.domain.declared import Declared
from scanner_station.domain.errors import StationError, StorageError
from scanner_station.domain.events import EntryRecorded, Event
from scanner_station.domain.findings import What
from scanner_station.domain.particulars import Particulars
from scanner_station.domain.people import Role
from scanner_station.exports.bundle import export_bundle
from scanner_station.exports.verification import Asked, verify
from scanner_station.service import batches, closing, custody, forgetting, heads, minutes, notes
from scanner_station.service.people import People
from scanner_station.service.station import Station
from scanner_station.service.views import Views
from scanner_station.storage import heads as stored_heads
from scanner_station.storage import scan_log, station_key, tree
from scanner_station.storage.database import FILE_NAME, Database
from tests.exports.sealed_logs import SLUG, WITNESSES, export, made_station
from tests.fakes import FakeClock
from tests.service.stations import load_manifest, nik, show

CARDS = 12
TWO = {"by": "penyelia", "seconded_by": "kepala seksi"}
STRANGER = nik(900_000)
PICTURE = b"\xff\xd8\xff\xe0 a photograph \xff\xd9"
NEW_KEY = witness_key("saksi-c", WITNESSES["saksi-a"]).text


class FailingDatabase(Database):
    """Loses a commit that writes, or makes it and loses its confirmation."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.fails_at, self.how, self.writes = 0, "", 0
        self.after_commit: Callable[[], None] = lambda: None
        self._changes = self.connection.total_changes

    def _commit(self) -> None:
        is_write, self._changes = (
            self.connection.total_changes != self._changes,
            self.connection.total_changes,
        )
        self.writes += is_write
        fails = is_write and self.writes == self.fails_at
        if not fails or self.how == "persisted_anyway":
            super()._commit()
        if fails:
            raise sqlite3.OperationalError("disk I/O error")
        if is_write:
            self.after_commit()


def opened(folder: Path) -> tuple[Station, FailingDatabase]:
    station = Station(folder, name="meja-1", clock=FakeClock(), open_database=FailingDatabase)
    database = station._database
    assert isinstance(database, FailingDatabase)
    return station, database


# --- batches in three states, made once --------------------------------------------------------


def counting(station: Station) -> None:
    """Cards, a typed one, a stranger, an objection, an open container, a witness."""
    heads.enrol(
        station,
        SLUG,
        witness_key("saksi-a", WITNESSES["saksi-a"]).text,
        witness="Ani",
        by="penyelia",
    )
    custody.open_container(station, SLUG, by="petugas")
    for number in range(CARDS - 2):
        show(station, SLUG, nik(number), typed=number == 3)
        show(station, SLUG, nik(number))  # every seventh has a second piece
    show(station, SLUG, STRANGER)
    closing.object_to(station, SLUG, witness="Ani", objection="hujan", by="petugas")


def ready(station: Station) -> None:
    """All that stands in the way of sealing is out of it."""
    counting(station)
    custody.agree(station, SLUG, by="penyelia")
    custody.seal_container(station, SLUG, 1, seal_number="S-1", by="petugas")
    objection = next(iter(_custody(station).objections))
    closing.answer(station, SLUG, objection, text="ada tenda", by="penyelia")
    for what in (What.MISSING, What.STRANGERS):
        closing.explain(station, SLUG, what=what, reason="dicari", **TWO)


def signed(station: Station) -> None:
    """The head is signed."""
    counting(station)
    heads.sign(station, SLUG)


def sealed(station: Station) -> None:
    """Closed and cosigned."""
    ready(station)
    closing.seal(station, SLUG, **TWO)


def empty(_station: Station) -> None:
    """No card yet."""


def paused(station: Station) -> None:
    """A day has ended."""
    counting(station)
    custody.agree(station, SLUG, by="penyelia")
    custody.seal_container(station, SLUG, 1, seal_number="S-1", by="petugas")
    custody.pause(station, SLUG, by="petugas")


def _custody(station: Station) -> custody.Custody:
    with station.transaction() as connection:
        return custody.custody(connection, SLUG)


# --- the steps ---------------------------------------------------------------------------------


def _sequence(station: Station, kind: str, verdict: str | None = None) -> int:
    with station.transaction() as connection:
        return next(
            entry.sequence
            for entry in scan_log.entries(connection, 1)
            if entry.body["kind"] == kind and entry.body.get("verdict") == verdict
        )


def _cosign(station: Station) -> None:
    with station.transaction() as connection:
        head = stored_heads.newest(connection, 1)
    assert head is not None
    key = WITNESSES["saksi-a"]
    line = cosignature(head.head.checkpoint, "saksi-a", key, time_s=1_545_181_200).line
    heads.cosign(station, SLUG, head.head.checkpoint.size, line)


def _note_of_the_station(station: Station) -> None:
    with station.transaction() as connection:
        notes.note_in_open_logs(station, connection, by="station", note="tablet baru")


def _import(station: Station) -> None:
    load_manifest(
        station, SLUG, [(nik(n), "rusak", "Alak", 1) for n in range(5)], _scratch(station)
    )


def _scratch(station: Station) -> Path:
    return station.folder.parent


Step = Callable[[Station], object]
STEPS: dict[str, tuple[Step, Step]] = {
    "create": (empty, lambda s: batches.create(s, "baru", title="Baru", by="penyelia")),
    "manifest": (empty, _import),
    "words": (empty, lambda s: batches.set_witness_nonce(s, SLUG, "hujan lebat")),
    "opening": (empty, lambda s: s.begin_log(SLUG, by="petugas")),
    "first_card": (empty, lambda s: show(s, SLUG, nik(1))),
    "card": (counting, lambda s: show(s, SLUG, nik(11), nonce="n")),
    "repeat": (counting, lambda s: show(s, SLUG, nik(1))),
    "stranger": (counting, lambda s: show(s, SLUG, nik(900_001))),
    "unreadable": (counting, lambda s: show(s, SLUG, b"\xff")),
    "typed": (counting, lambda s: show(s, SLUG, nik(11), typed=True, photograph=PICTURE)),
    "void": (
        counting,
        lambda s: s.void(SLUG, _sequence(s, "scan", "counted"), reason="salah", by="petugas"),
    ),
    "unidentified": (
        counting,
        lambda s: custody.record_unidentified(
            s, SLUG, category="rusak", by="petugas", photograph=PICTURE
        ),
    ),
    "stranger_added": (
        counting,
        lambda s: custody.add_stranger(
            s,
            SLUG,
            _sequence(s, "scan", "not_on_manifest"),
            category="rusak",
            reason="terlewat",
            **TWO,
        ),
    ),
    "agreement": (counting, lambda s: custody.agree(s, SLUG, by="penyelia")),
    "lot": (counting, lambda s: custody.begin_lot(s, SLUG, "Alak", by="petugas")),
    "container_open": (ready, lambda s: custody.open_container(s, SLUG, by="petugas")),
    "container_seal": (
        counting,
        lambda s: custody.seal_container(
            s, SLUG, 1, seal_number="S-1", by="petugas", agreed_by="penyelia"
        ),
    ),
    "container_break": (
        ready,
        lambda s: custody.break_seal(s, SLUG, 1, reason="salah kotak", **TWO),
    ),
    "pause": (ready, lambda s: custody.pause(s, SLUG, by="petugas")),
    "resume": (paused, lambda s: custody.resume(s, SLUG, figure=_burned(s), by="petugas")),
    "declaration": (
        counting,
        lambda s: closing.declare(s, SLUG, Declared(total=14), by="penyelia", reason="pers"),
    ),
    "explanation": (
        counting,
        lambda s: closing.explain(s, SLUG, what=What.STRANGERS, reason="dicari", **TWO),
    ),
    "objection": (
        counting,
        lambda s: closing.object_to(s, SLUG, witness="Budi", objection="gelap", by="Budi"),
    ),
    "answer": (
        counting,
        lambda s: closing.answer(s, SLUG, _sequence(s, "object"), text="tenda", by="penyelia"),
    ),
    "note": (counting, lambda s: closing.note(s, SLUG, witness="Budi", text="basah", by="Budi")),
    "note_of_the_station": (counting, _note_of_the_station),
    "refusal": (
        counting,
        lambda s: closing.record_refusal(s, SLUG, witness="Budi", objection="x", by="Budi"),
    ),
    "enrolment": (counting, lambda s: heads.enrol(s, SLUG, OTHER, witness="Budi", by="Budi")),
    "checkpoint": (counting, lambda s: heads.sign(s, SLUG)),
    "cosignature": (signed, _cosign),
    "seal": (ready, lambda s: closing.seal(s, SLUG, **TWO)),
    "fire": (
        sealed,
        lambda s: custody.burn(s, SLUG, method="dibakar", present="Ani", by="penyelia"),
    ),
    "cancellation": (
        counting,
        lambda s: batches.cancel(s, SLUG, reason="salah manifes", **TWO),
    ),
    "particulars": (
        counting,
        lambda s: minutes.set_particulars(s, SLUG, Particulars(number="1/2018"), by="penyelia"),
    ),
    "person": (
        empty,
        lambda s: People(s).add("Budi", Role.OFFICER, "482617", by="penyelia"),
    ),
    "forgetting": (sealed, lambda s: forgetting.forget(s, SLUG, by="penyelia")),
}
OTHER = witness_key("saksi-b", WITNESSES["saksi-b"]).text


def _burned(station: Station) -> int:
    return station.counter(SLUG).tally.burned


# --- what is on the disk -----------------------------------------------------------------------


def content(folder: Path) -> list[str]:
    """Return all that the file holds, but for the tally kept to save time and random salts."""
    connection = sqlite3.connect(folder / FILE_NAME)
    lines = [
        line
        for line in connection.iterdump()
        if not line.startswith(('INSERT INTO "tall', 'INSERT INTO "batch_secret'))
        and "$argon2" not in line
    ]
    connection.close()
    return lines


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Step], Path]:
    made: dict[Step, Path] = {}

    def folder(state: Step) -> Path:
        if state not in made:
            scratch = tmp_path_factory.mktemp(state.__name__)
            station = made_station(scratch / "data", scratch, CARDS)
            state(station)
            station.close()
            made[state] = scratch / "data"
        return made[state]

    return folder


def copied(source: Path, target: Path) -> Path:
    shutil.copytree(source, target)
    return target


def course(folder: Path, step: Step) -> list[list[str]]:
    """Do a step without a failure; return what a station finds before it and after each commit."""
    station, database = opened(folder)
    database.writes = 0
    copies = [_as_it_is(folder)]
    database.after_commit = lambda: copies.append(_as_it_is(folder))
    step(station)
    station.close()
    assert database.writes == len(copies) - 1 > 0
    for one in copies:
        opened(one)[0].close()
    return [content(one) for one in copies]


def _as_it_is(folder: Path) -> Path:
    copy = folder.with_name(f"copy-{len(list(folder.parent.iterdir()))}")
    copy.mkdir()
    shutil.copy(folder / station_key.FILE_NAME, copy)
    reading, writing = sqlite3.connect(folder / FILE_NAME), sqlite3.connect(copy / FILE_NAME)
    reading.backup(writing)
    reading.close()
    writing.close()
    return copy


@pytest.mark.parametrize("how", ["lost", "persisted_anyway"])
@pytest.mark.parametrize("name", STEPS)
def test_an_unconfirmed_step_is_there_wholly_or_not_at_all_and_the_station_knows_which(
    folders: Callable[[Step], Path], tmp_path: Path, name: str, how: str
) -> None:
    state, step = STEPS[name]
    seen = course(copied(folders(state), tmp_path / "whole" / "data"), step)
    for number in range(1, len(seen)):
        folder = copied(folders(state), tmp_path / str(number) / "data")
        station, database = opened(folder)
        told: list[Event] = []
        station.bus.subscribe(told.append)
        database.writes, database.fails_at, database.how = 0, number, how
        with pytest.raises(StorageError, match="counting has stopped"):
            step(station)
        assert not any(isinstance(event, EntryRecorded) for event in told)
        with pytest.raises(StorageError):
            show(station, SLUG, nik(2))
        station.recover()
        assert content(folder) == seen[number - (how == "lost")]
        # The people do it once more: it is done, or they are told that it was.
        with contextlib.suppress(StationError):
            step(station)
        assert station.fault is None
        with station.transaction() as connection:
            assert scan_log.rebuild(connection, 1)
            tree.check(connection, 1, stored_heads.roots(connection, 1))
            has_begun = scan_log.next_sequence(connection, 1) > 0
        if has_begun:
            verify(export(station, tmp_path / f"bundle-{number}"), Asked())
        station.close()


# --- files -------------------------------------------------------------------------------------


@pytest.fixture
def unsure(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Path], None]:
    """Fail the next synchronisation of a file (its write is lost), or of the folder after it."""

    def prepare(how: str, last: Path) -> None:
        real = os.fsync

        def fsync(descriptor: int) -> None:
            # The last of all is the folder in which the name appears.
            is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
            is_last = is_folder and os.path.samestat(os.fstat(descriptor), last.stat())
            if is_last if how == "persisted_anyway" else not is_folder:
                monkeypatch.setattr(os, "fsync", real)
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            real(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)

    return prepare


@pytest.mark.parametrize("how", ["lost", "persisted_anyway"])
def test_a_key_that_was_not_confirmed_signs_nothing_and_the_next_start_has_one_key(
    tmp_path: Path, unsure: Callable[[str, Path], None], how: str
) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    unsure(how, folder)
    with pytest.raises(StorageError, match=r"could not be written|did not confirm"):
        Station(folder)
    landed = folder / station_key.FILE_NAME
    assert landed.exists() == (how == "persisted_anyway")
    before = landed.read_bytes() if landed.exists() else None
    for _ in range(2):
        Station(folder).close()
        assert landed.read_bytes() == (before or landed.read_bytes())
        before = landed.read_bytes()


@pytest.mark.parametrize("how", ["lost", "persisted_anyway"])
@pytest.mark.parametrize("name", ["bundle.zip", "bundle"])
def test_an_export_that_was_not_confirmed_is_said_to_have_failed_and_is_whole_or_not_there(
    folders: Callable[[Step], Path],
    tmp_path: Path,
    unsure: Callable[[str, Path], None],
    name: str,
    how: str,
) -> None:
    folder = copied(folders(ready), tmp_path / "data")
    key = station_key.load(folder)
    assert key is not None
    path, landed = tmp_path / "given" / name, how == "persisted_anyway"
    path.parent.mkdir()
    with Views(folder).connection() as connection:
        unsure(how, path.parent)
        said = "the disk did not confirm it" if landed else "nothing was left behind"
        with pytest.raises(StorageError, match=said):
            export_bundle(connection, SLUG, key, path)
        assert [one.name for one in path.parent.iterdir()] == [name] * landed
        if landed:
            verify(path, Asked())
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        export_bundle(connection, SLUG, key, path)
    verify(path, Asked())
