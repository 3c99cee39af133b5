"""Whatever happens to a batch, in whatever order, its sums are the same everywhere."""

import csv
import io
import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from sqlite3 import Connection
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from scanner_station.domain.declared import Declared
from scanner_station.domain.errors import InputError
from scanner_station.domain.reconciliation import Figures, Reconciliation, added_up
from scanner_station.exports.bundle import export_bundle
from scanner_station.exports.log import export
from scanner_station.exports.minutes import print_minutes
from scanner_station.exports.terbilang import figures_and_words
from scanner_station.exports.verification import Asked, verify
from scanner_station.service import batches, closing, custody
from scanner_station.service.reconciliation import reconcile
from scanner_station.service.reconciliation_json import as_json
from scanner_station.service.station import Station
from scanner_station.service.views import Json, summary
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
        self.inside: dict[int, int] = {}  # entry: container
        self.broken: set[int] = set()
        self.figures: list[int] = []  # of each pause
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
            self.put_in(recorded.sequence)
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
        self.put_in(int(body["sequence"]))

    @precondition(lambda self: not self.paused)
    @rule(category=st.sampled_from(CATEGORIES))
    def take_unidentified(self, category: str) -> None:
        custody.record_unidentified(self.station, SLUG, by="petugas", category=category)
        with self.station.transaction() as connection:
            sequence = scan_log.next_sequence(connection, 1) - 1
        self.unidentified.add(sequence)
        self.put_in(sequence)

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
        self.inside.pop(sequence, None)
        self.counted.pop(sequence, None)
        self.typed.discard(sequence)
        self.unidentified.discard(sequence)
        if (number := self.added.pop(sequence, None)) is not None:
            with self.station.transaction() as connection:
                found = reconcile(connection, SLUG)
            (stranger,) = [one for one in found.strangers if one.identifier == nik(900 + number)]
            self.strangers[number] = stranger.first

    def put_in(self, sequence: int) -> None:
        if self.container:
            self.inside[sequence] = self.container

    @precondition(lambda self: not self.paused)
    @rule(lot=st.sampled_from(DISTRICTS))
    def begin_lot(self, lot: str) -> None:
        custody.begin_lot(self.station, SLUG, lot, by="petugas")

    @precondition(lambda self: not self.paused)
    @rule(short=st.integers(0, 2), name=st.sampled_from(CATEGORIES[:2]))
    def declare(self, short: int, name: str) -> None:
        figure = sum(self.pieces) - short
        stated = Declared(total=figure, by_category={name: figure})
        closing.declare(self.station, SLUG, stated, by="penyelia")

    @precondition(lambda self: self.container > 1)
    @rule(data=st.data())
    def break_a_seal(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(1, self.container - 1))
        if number in self.broken:
            return
        custody.break_seal(self.station, SLUG, number, reason="salah", by="Ana", seconded_by="Beni")
        self.broken.add(number)

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
            figure = custody.pause(self.station, SLUG, by="petugas", agreed_by="Beni")
            self.figures.append(figure)
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
        kept = found.findings.custody
        assert {number: one.count for number, one in kept.containers.items()} == {
            number: list(self.inside.values()).count(number) for number in kept.containers
        }
        assert [day.closing_figure for day in kept.days if day.paused] == self.figures
        assert [day.opening_figure for day in kept.days[1:]] == self.figures[: len(kept.days) - 1]

    def teardown(self) -> None:
        with self.station.transaction() as connection:
            assert scan_log.rebuild(connection, 1)
            found = reconcile(connection, SLUG)
            for masked in (False, True):
                # Refused if its list has another number of cards than its sums.
                made = print_minutes(
                    connection, SLUG, self.station.key, time_zone=ZONE, masked=masked
                )
                agree_on_paper(found, text_of(made))
            agree_on_screen(found, as_json(found), summary(connection, SLUG))
            agree_in_files(connection, found, self.folder)
            if scan_log.next_sequence(connection, 1):
                export_bundle(connection, SLUG, self.station.key, self.folder / "bundle")
                agree_in_the_bundle(found, self.folder / "bundle")
        self.station.close()
        shutil.rmtree(self.folder)


def agree_on_paper(found: Reconciliation, paper: str) -> None:
    total = found.total
    assert f"adalah {figures_and_words(total.burned)} keping" in paper
    assert f"terhitung: {figures_and_words(total.counted)} keping" in paper
    assert f"tidak ditemukan {figures_and_words(total.missing)} keping" in paper
    for axis in ("category", "district"):
        for name, row in found.by(axis).items():
            cells = (row.manifest, row.counted, row.missing, row.added, row.unidentified)
            line = " ".join(map(str, (*cells, row.burned)))
            assert f"{name or '–'} {line}" in paper, (axis, name)  # noqa: RUF001 - on the paper
    for one in found.findings.custody.containers.values():
        assert f"{one.count} " in paper


def agree_on_screen(found: Reconciliation, told: Json, shown: Json) -> None:
    """What the pages' scripts and the interface are given, added up as a script would."""
    told = json.loads(json.dumps(told))
    for axis in ("by_category", "by_district"):
        for figure, total in told["totals"].items():  # type: ignore[attr-defined]
            if figure in found.total.as_json():
                rows = told[axis].values()  # type: ignore[attr-defined]
                assert sum(row[figure] for row in rows) == total, (axis, figure)
        groups = shown[axis]
        assert isinstance(groups, dict)
        assert {name: one["counted"] for name, one in groups.items() if one["counted"]} == {
            name: row.counted for name, row in found.by(axis[3:]).items() if row.counted
        }
    for name in ("counted", "manual", "added", "unidentified", "burned"):
        assert told["totals"][name] == shown[name]  # type: ignore[index]


def agree_in_files(connection: Connection, found: Reconciliation, folder: Path) -> None:
    """The log as CSV and as Excel, added up by whoever opens it."""
    expected = {
        place: (row.counted, row.manual, row.added, row.unidentified)
        for place, row in found.table.items()
        if row.burned
    }
    export(connection, SLUG, "csv", folder / "log.csv", time_zone=ZONE)
    with (folder / "log.csv").open(encoding="utf-8", newline="") as file:
        assert added_up_by_place(csv.DictReader(file)) == expected
    export(connection, SLUG, "xlsx", folder / "log.xlsx", time_zone=ZONE)
    book = CalamineWorkbook.from_path(str(folder / "log.xlsx"))
    head, *rows = book.get_sheet_by_name("log").to_python()
    assert added_up_by_place(dict(zip(head, row, strict=True)) for row in rows) == expected
    lines = {line[0]: line[1] for line in book.get_sheet_by_name("summary").to_python() if line[1:]}
    for name in ("counted", "manual", "added", "unidentified", "burned"):
        assert lines[name] == getattr(found.total, name), name


def added_up_by_place(
    rows: Iterable[Mapping[Any, Any]],
) -> dict[tuple[str, str], tuple[int, int, int, int]]:
    sums: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        is_counted = int(float(row["is_counted"]))
        other = (
            row["voided_by"] == "" and ("add", "unidentified").index(row["kind"]) + 2
            if (row["kind"] in ("add", "unidentified"))
            else 0
        )
        if is_counted or other:
            place = sums.setdefault((row["category"], row["district"]), [0, 0, 0, 0])
            place[0] += is_counted
            place[1] += is_counted * (row["kind"] == "manual")
            place[2] += other == 2
            place[3] += other == 3
    return {place: (a, b, c, d) for place, (a, b, c, d) in sums.items()}


def agree_in_the_bundle(found: Reconciliation, folder: Path) -> None:
    totals = verify(folder, Asked()).totals
    for axis, name in ((found.by("category"), "counted"), (found.by("category"), "added")):
        assert {key: value for key, value in getattr(totals, name).items() if value} == {
            key: getattr(row, name) for key, row in axis.items() if getattr(row, name)
        }


def text_of(pdf: bytes) -> str:
    pages = PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


TestSums = pytest.mark.slow(Sums.TestCase)
TestSums.settings = settings(
    max_examples=15,
    stateful_step_count=30,
    database=None,
    derandomize=True,
    phases=[Phase.generate],  # a failure is told at once; shrinking takes minutes
    suppress_health_check=list(HealthCheck),
)
