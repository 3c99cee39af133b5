"""The power fails at any moment of a batch: nothing confirmed is lost, nothing is invented.

The real station works once under strace. Its calls are replayed on a disk that forgets
(`tests/power/disk.py`), and a station is started on what that disk may hold after a power cut.
"""

import hashlib
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from scanner_station.domain.errors import StationError
from scanner_station.service.station import Station
from scanner_station.storage import batches, heads, scan_log, station_key, tree
from scanner_station.storage.database import FILE_NAME
from tests.power import writer
from tests.power.disk import Disk, Image, Survival
from tests.power.trace import Call, record

IMAGES: Final = 1400
FEW: Final = 150
IN_MEMORY: Final = Path("/dev/shm")
SYNCHRONISES: Final = ("fsync", "fdatasync")
WEIGHT: Final = 9
"""How much more often the power fails just before a synchronisation, when most is waiting."""
CHANCES: Final = (0.0, 1.0, 0.1, 0.5, 0.5, 0.9)
"""How likely a change that waits is there: nothing, all, and what lies between."""


@dataclass(slots=True)
class Confirmed:
    """What a station has confirmed so far; `entries` -1 until the batch is there."""

    entries: int = -1
    most: int = -1
    heads: set[int] = field(default_factory=set)
    cosigned: set[tuple[int, str]] = field(default_factory=set)
    witnesses: set[str] = field(default_factory=set)
    last: dict[str, Any] = field(default_factory=dict)

    def take(self, said: dict[str, Any]) -> None:
        self.last |= said
        self.entries = said.get("entries", self.entries)
        if "head" in said:
            self.heads.add(said["head"])
        if "cosigned" in said:
            self.cosigned.add((said["cosigned"][0], said["cosigned"][1]))
        if "witness" in said:
            self.witnesses.add(said["witness"])


class Recording:
    """One run of the real station: its calls, and what its files hold in the end."""

    def __init__(self, folder: Path, synchronous: str) -> None:
        self.root = folder / synchronous
        self.root.mkdir()
        command = [sys.executable, "-m", "tests.power.writer", self.root, synchronous]
        self.calls = record(command, folder, {"PYTHONDONTWRITEBYTECODE": "1"})
        connection = sqlite3.connect(self.root / writer.DATA / FILE_NAME)
        self.entries = entries_in(connection)
        self.notes = dict(connection.execute("select size, note from checkpoint"))
        connection.close()
        said = [json.loads(call.arguments[1]) for call in self.calls if is_confirmation(call)]
        self.exports = [one["file"] for one in said if "file" in one]
        [self.unpacked] = [one["unpacked"] for one in said if "unpacked" in one]
        self.moments = sum(1 for _ in self.replay())

    def replay(self) -> Iterator[tuple[Disk, Confirmed, bool]]:
        """Yield the disk before each change, what was confirmed, and whether it synchronises."""
        disk, confirmed = Disk(self.root), Confirmed()
        said = [json.loads(call.arguments[1]) for call in self.calls if is_confirmation(call)]
        whole = len(self.entries)
        following = iter([*(one.get("entries", whole) for one in said), whole])
        confirmed.most = next(following)
        changes = Disk(self.root)
        for call in self.calls:
            if is_confirmation(call):
                confirmed.take(said.pop(0))
                confirmed.most = next(following)
            before = changes.changes
            changes.take(call)
            if changes.changes > before:
                yield disk, confirmed, call.name in SYNCHRONISES
            disk.take(call)
        yield disk, confirmed, True


def is_confirmation(call: Call) -> bool:
    return call.name == "write" and call.arguments[0] == "1"


def can_trace() -> bool:
    path = shutil.which("strace")
    return bool(path) and subprocess.run([str(path), "-o", os.devnull, "true"]).returncode == 0


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not can_trace():
        pytest.skip("needs strace, and a machine that lets one program trace another")
    return tmp_path_factory.mktemp("power")


@pytest.fixture(scope="module")
def recording(scratch: Path) -> Recording:
    return Recording(scratch, "full")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder for what is left after a power cut; in memory: there are thousands."""
    parent = IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="station-power-", dir=parent) as folder:
        yield Path(folder)


class Inspector:
    """Starts a station on what a power cut has left, and says what is wrong there."""

    def __init__(self, recording: Recording, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._recording = recording
        self._place = place
        self._agreed: list[bool] = []
        self.seen = 0

        real = scan_log.rebuild

        def rebuild(connection: sqlite3.Connection, batch_id: int) -> bool:
            self._agreed.append(real(connection, batch_id))
            return self._agreed[-1]

        monkeypatch.setattr(scan_log, "rebuild", rebuild)

    def problem_of(self, image: Image, confirmed: Confirmed) -> str:
        """Return what is wrong with what is left, '' for nothing."""
        self.seen += 1
        root = self._place / str(self.seen)
        for path, content in image.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
            (root / path).chmod(0o600)
        self._agreed.clear()
        try:
            return self._file_problem(image, confirmed) or self._start_problem(root, confirmed)
        except StationError as error:
            return f"the station does not start: {error}"
        except sqlite3.Error as error:
            return f"the database is damaged: {error}"
        finally:
            shutil.rmtree(root, ignore_errors=True)

    def _file_problem(self, image: Image, confirmed: Confirmed) -> str:
        # An export is there as it was confirmed or as one that came later, never in part.
        within = f"{writer.UNPACKED}/"
        unpacked = {
            path: hashlib.sha256(content).hexdigest()
            for path, content in image.items()
            if path.startswith(within)
        }
        if unpacked != self._recording.unpacked and (unpacked or "unpacked" in confirmed.last):
            return "a bundle's folder is lost or there in part"
        known = self._recording.exports
        content = image.get(writer.BUNDLE)
        if content is None:
            return "an export is lost" if "file" in confirmed.last else ""
        found = hashlib.sha256(content).hexdigest()
        if found not in known:
            return "an export is there in part"
        is_older = "file" in confirmed.last and known.index(found) < known.index(
            confirmed.last["file"]
        )
        return "an earlier export is back" if is_older else ""

    def _start_problem(self, root: Path, confirmed: Confirmed) -> str:
        key = root / writer.DATA / station_key.FILE_NAME
        expected = confirmed.last.get("key")
        if expected and not (key.exists() and writer.digest(key) == expected):
            return "the station's key is lost"
        station = Station(root / writer.DATA, name="meja-1")
        try:
            with station.transaction() as connection:
                [integrity] = connection.execute("pragma integrity_check").fetchone()
                if integrity != "ok":
                    return f"the database is damaged: {integrity}"
                return self._log_problem(connection, confirmed)
        finally:
            station.close()

    def _log_problem(self, connection: sqlite3.Connection, confirmed: Confirmed) -> str:
        batch = batches.find(connection, writer.SLUG)
        if batch is None:
            return "the batch is lost" if confirmed.entries >= 0 else ""
        rows = entries_in(connection)
        for found, written in zip(rows, self._recording.entries, strict=False):
            if found != written:
                return "an entry is there that was never written"
        if not confirmed.entries <= len(rows) <= max(confirmed.most, 0):
            return f"{len(rows)} entries, not {confirmed.entries} to {confirmed.most}"
        tree.check(connection, batch.id, heads.roots(connection, batch.id))
        if not all(self._agreed):
            return "tally and pieces do not agree with the log"
        return self._rows_problem(connection, batch, confirmed)

    def _rows_problem(
        self, connection: sqlite3.Connection, batch: batches.Batch, confirmed: Confirmed
    ) -> str:
        notes = dict(connection.execute("select size, note from checkpoint"))
        cosigned = set(connection.execute("select size, name from cosignature"))
        named = {name for (name,) in connection.execute("select name from witness_key")}
        listed = connection.execute(
            "select count(*) from manifest_line where manifest_id = ?", (batch.manifest_id,)
        ).fetchone()[0]
        claims = {
            "a signed head is lost": confirmed.heads <= notes.keys(),
            "a head was never signed": notes.items() <= self._recording.notes.items(),
            "a cosignature is lost": confirmed.cosigned <= cosigned,
            "a witness's key is lost": confirmed.witnesses <= named,
            "the manifest is lost": listed >= confirmed.last.get("listed", 0),
            "the seal is lost": batch.state == "sealed" or not confirmed.last.get("sealed"),
        }
        return next((problem for problem, holds in claims.items() if not holds), "")


def entries_in(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    return connection.execute(
        "select body, nodes, identifier, payload, nonce from entry order by sequence"
    ).fetchall()


def problems(
    recording: Recording, inspector: Inspector, dice: random.Random, images: int
) -> dict[str, int]:
    """Cut the power so many times; return what went wrong how often."""
    found: Counter[str] = Counter()
    owed = 0.0
    for disk, confirmed, is_synchronised in recording.replay():
        owed += images / recording.moments * (WEIGHT if is_synchronised else 1)
        for _ in range(int(owed)):
            image = disk.image(Survival(dice.choice(CHANCES), dice))
            found[inspector.problem_of(image, confirmed)] += 1
        owed %= 1
    return dict(found)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_what_was_confirmed_is_there_after_a_power_cut_at_any_moment_and_nothing_else(
    recording: Recording, place: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    inspector = Inspector(recording, place, monkeypatch)
    assert problems(recording, inspector, random.Random(seed), IMAGES // 2) == {"": inspector.seen}
    assert inspector.seen >= IMAGES // 2


def test_the_calls_that_were_recorded_make_the_files_that_are_there(recording: Recording) -> None:
    *_, (disk, _, _) = recording.replay()
    there = {
        str(path.relative_to(recording.root)): path.read_bytes()
        for path in recording.root.rglob("*")
        if path.is_file()
    }
    assert disk.image(Survival(1.0, random.Random(0))) == there


@pytest.mark.slow
@pytest.mark.parametrize(
    ("synchronous", "expected"),
    [
        ("normal", r"\d+ entries, not"),
        ("off", "the database is damaged|the station does not start"),
    ],
)
def test_a_less_durable_database_fails_the_same_test(
    scratch: Path, place: Path, monkeypatch: pytest.MonkeyPatch, synchronous: str, expected: str
) -> None:
    recording = Recording(scratch, synchronous)
    found = problems(recording, Inspector(recording, place, monkeypatch), random.Random(1), FEW)
    assert any(re.match(expected, problem) for problem in found), found
