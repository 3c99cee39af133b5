"""Whatever happens to a batch, in whatever order, its sums are the same everywhere."""

import io
import shutil
import tempfile
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pypdf import PdfReader

from scanner_station.domain.errors import InputError
from scanner_station.domain.reconciliation import Figures, added_up
from scanner_station.exports.bundle import export_bundle
from scanner_station.exports.minutes import print_minutes
from scanner_station.exports.terbilang import figures_and_words
from scanner_station.exports.verification import Asked, verify
from scanner_station.service import batches, custody
from scanner_station.service.reconciliation import reconcile
from scanner_station.service.station import Station
from scanner_station.service.views import summary
from scanner_station.storage import scan_log
from tests.fakes import FakeClock
from tests.service.stations import load_manifest, nik, show

SLUG = "kupang"
ZONE = ZoneInfo("Asia/Makassar")
LINES = 12
CATEGORIES = ("rusak", "pindah", "")
DISTRICTS = ("Alak", "Oebobo")


class Sums(RuleBasedStateMachine):
    """Does anything that an office may do, and counts along in plain sets."""

    @initialize(pieces=st.lists(st.integers(1, 2), min_size=LINES, max_size=LINES))
    def begin(self, pieces: list[int]) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.pieces = pieces
        self.counted: dict[int, int] = {}  # entry: line
        self.typed: set[int] = set()
        self.added: dict[int, int] = {}
        self.strangers: dict[int, int] = {}  # card: first entry
        self.unidentified: set[int] = set()
        self.repeats = self.garbage = self.voids = 0
        self.container = 0
        self.paused = False
        self.station = self.start()
        batches.create(self.station, SLUG, title="Pemusnahan", by="penyelia")
        rows = [(nik(n), CATEGORIES[n % 3], DISTRICTS[n % 2], pieces[n]) for n in range(LINES)]
        load_manifest(self.station, SLUG, rows, self.folder)

    def start(self) -> Station:
        return Station(self.folder / "data", name="meja-1", clock=FakeClock())

    @precondition(lambda self: not self.paused)
    @rule(line=st.integers(0, LINES - 1), typed=st.booleans())
    def present(self, line: int, typed: bool) -> None:
        recorded = show(self.station, SLUG, nik(line), typed=typed)
        if list(self.counted.values()).count(line) < self.pieces[line]:
            assert recorded.body["verdict"] == "counted"
            self.counted[recorded.sequence] = line
            self.typed |= {recorded.sequence} if typed else set()
        else:
            assert recorded.body["verdict"] == "already_counted"
            self.repeats += 1

    @precondition(lambda self: not self.paused)
    @rule(number=st.integers(0, 3))
    def present_stranger(self, number: int) -> None:
        recorded = show(self.station, SLUG, nik(900 + number))
        if number in self.added.values():
            assert recorded.body["verdict"] == "already_counted"
            self.repeats += 1
        else:
            assert recorded.body["verdict"] == "not_on_manifest"
            self.strangers.setdefault(number, recorded.sequence)

    @precondition(lambda self: not self.paused)
    @rule()
    def present_garbage(self) -> None:
        show(self.station, SLUG, b"\xff")
        self.garbage += 1

    @precondition(lambda self: not self.paused and self.strangers)
    @rule(data=st.data(), category=st.sampled_from(CATEGORIES[:2]))
    def add(self, data: st.DataObject, category: str) -> None:
        number = data.draw(st.sampled_from(sorted(self.strangers)))
        body = custody.add_stranger(
            self.station,
            SLUG,
            self.strangers.pop(number),
            category=category,
            reason="tertinggal",
            by="Ana",
            seconded_by="Beni",
        )
        self.added[int(body["sequence"])] = number

    @precondition(lambda self: not self.paused)
    @rule(category=st.sampled_from(CATEGORIES))
    def take_unidentified(self, category: str) -> None:
        custody.record_unidentified(self.station, SLUG, by="petugas", category=category)
        with self.station.transaction() as connection:
            self.unidentified.add(scan_log.next_sequence(connection, 1) - 1)

    @precondition(lambda self: self.counted or self.added or self.unidentified)
    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        known = sorted([*self.counted, *self.added, *self.unidentified])
        sequence = data.draw(st.sampled_from(known))
        try:
            self.station.void(SLUG, sequence, reason="salah", by="petugas")
        except InputError:  # paused, or under seal
            return
        self.voids += 1
        self.counted.pop(sequence, None)
        self.typed.discard(sequence)
        self.unidentified.discard(sequence)
        if (number := self.added.pop(sequence, None)) is not None:
            with self.station.transaction() as connection:
                found = reconcile(connection, SLUG)
            (stranger,) = [one for one in found.strangers if one.identifier == nik(900 + number)]
            self.strangers[number] = stranger.first

    @precondition(lambda self: not self.paused)
    @rule()
    def change_container(self) -> None:
        if self.container:
            custody.seal_container(
                self.station,
                SLUG,
                self.container,
                seal_number=f"S-{self.container}",
                by="petugas",
                agreed_by="Beni",
            )
        self.container = custody.open_container(self.station, SLUG, by="petugas").number

    @rule()
    def end_or_begin_a_day(self) -> None:
        if self.paused:
            figure = len(self.counted) + len(self.added) + len(self.unidentified)
            custody.resume(self.station, SLUG, figure=figure, by="petugas")
        else:
            custody.pause(self.station, SLUG, by="petugas", agreed_by="Beni")
        self.paused = not self.paused

    @rule()
    def restart(self) -> None:
        self.station.close()
        self.station = self.start()

    @invariant()
    def everything_adds_up(self) -> None:
        with self.station.transaction() as connection:
            found = reconcile(connection, SLUG)
            shown = summary(connection, SLUG)
        total = found.total
        assert total == Figures(
            manifest=sum(self.pieces),
            counted=len(self.counted),
            manual=len(self.typed),
            missing=sum(self.pieces) - len(self.counted),
            added=len(self.added),
            unidentified=len(self.unidentified),
        )
        for axis in ("category", "district"):
            groups = found.by(axis)
            assert added_up(groups.values()) == total
            assert all(row.manifest == row.counted + row.missing for row in groups.values())
        assert sum(one.lacking for one in found.missing) == total.missing
        assert {one.identifier for one in found.strangers} == {
            nik(900 + number) for number in self.strangers
        }
        assert len(found.findings.unreadable) == self.garbage == shown["unreadable"]
        assert found.findings.repeats == self.repeats == shown["already_counted"]
        assert len(found.findings.voids) == self.voids == shown["voided"]
        for name in ("counted", "manual", "added", "unidentified", "burned"):
            assert shown[name] == getattr(total, name)
        in_memory = self.station.counter(SLUG).tally
        assert (in_memory.counted, in_memory.burned) == (total.counted, total.burned)
        in_containers = sum(one.count for one in found.findings.custody.containers.values())
        assert in_containers <= total.burned

    def teardown(self) -> None:
        with self.station.transaction() as connection:
            assert scan_log.rebuild(connection, 1)
            begun = scan_log.next_sequence(connection, 1)
            for masked in (False, True):
                # Refused if its list has another number of cards than its sums.
                paper = text_of(
                    print_minutes(connection, SLUG, self.station.key, time_zone=ZONE, masked=masked)
                )
                total = reconcile(connection, SLUG).total
                assert f"adalah {figures_and_words(total.burned)} keping" in paper
                assert f"terhitung: {figures_and_words(total.counted)} keping" in paper
                assert f"tidak ditemukan {figures_and_words(total.missing)} keping" in paper
            if begun:
                export_bundle(connection, SLUG, self.station.key, self.folder / "bundle")
        if begun:
            totals = verify(self.folder / "bundle", Asked()).totals
            assert sum(totals.counted.values()) == len(self.counted)
            assert sum(totals.added.values()) == len(self.added)
        self.station.close()
        shutil.rmtree(self.folder)


def text_of(pdf: bytes) -> str:
    pages = PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


TestSums = pytest.mark.slow(Sums.TestCase)
TestSums.settings = settings(
    max_examples=15,
    stateful_step_count=30,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
