"""19 December 2018 again: 2,129 damaged and 500 moved, through every reader at once.

Source: the figures are those of Antara NTT; the cards are made up.
"""

import csv
import io
import os
import random
import threading
from collections import Counter
from pathlib import Path

import cv2
import pytest
from playwright.sync_api import Browser, expect
from python_calamine import CalamineWorkbook

from scanner_station.domain.counter import Verdict
from scanner_station.domain.reading import ReaderId, Symbology
from scanner_station.domain.rehearsal import PracticeCard
from scanner_station.exports.log import export
from scanner_station.readers.camera import CameraReader
from scanner_station.readers.protocol import Reader
from scanner_station.readers.serial_port import SerialReader
from scanner_station.readers.simulation import card_frame
from scanner_station.readers.stdin import StdinReader
from scanner_station.service import batches
from scanner_station.service.delivery import Delivery
from scanner_station.service.reader_loop import ReaderLoop
from scanner_station.service.station import Station
from scanner_station.service.views import Views, entries, summary
from tests.fakes import Notices, PtyScanner
from tests.service.stations import load_manifest, nik
from tests.webapp.running import RunningStation

DAMAGED, MOVED = 2129, 500
DISTRICTS = ("Alak", "Kelapa Lima", "Kota Lama", "Kota Raja", "Maulafa", "Oebobo")
TIMEOUT_S = 240


def pile(chance: random.Random) -> list[str]:
    """Every card once, shuffled, with 3 % repeats, 1 % strangers and 1 % garbage among them."""
    cards = [nik(number) for number in range(DAMAGED + MOVED)]
    repeats = chance.sample(cards, round(0.03 * len(cards)))
    strangers = [nik(50_000 + number) for number in range(26)]
    garbage = [f"KARTU {number}" for number in range(26)]
    shuffled = cards + repeats + strangers + garbage
    chance.shuffle(shuffled)
    return shuffled


def pictures(folder: Path, payloads: list[str]) -> str:
    """Lay the cards before a camera, one picture each, the table empty before a repeat."""
    folder.mkdir()
    for number, payload in enumerate(payloads):
        symbology = Symbology.QR if number % 2 else Symbology.CODE128
        frame = card_frame(PracticeCard(payload=payload, symbology=symbology), number % 13 - 6)
        cv2.imwrite(str(folder / f"{number:05}.jpg"), frame)  # as a camera sends them
    return str(folder)


@pytest.mark.slow
def test_the_kupang_batch_adds_up_to_the_card(tmp_path: Path, browser: Browser) -> None:
    payloads = pile(random.Random(2018))
    with RunningStation(tmp_path / "data") as running:
        station = running.station
        batches.create(station, "kupang", title="Pemusnahan KTP-el Kota Kupang", by="penyelia")
        rows = [
            (nik(n), "rusak" if n < DAMAGED else "pindah", DISTRICTS[n % 6], 1)
            for n in range(DAMAGED + MOVED)
        ]
        load_manifest(station, "kupang", rows, tmp_path)
        witness = browser.new_page()
        witness.goto(running.address + "/witness")
        # A third of the pile each; no card may lie before the camera twice in a row.
        shares = payloads[0::3], payloads[1::3], payloads[2::3]
        scan_all(station, tmp_path, *shares)
        officer = browser.new_page()
        officer.goto(running.address + "/")
        for page in (officer, witness):
            expect(page.locator("#counted")).to_have_text("2.629", timeout=15_000)
            expect(page.locator("#expected")).to_have_text("2.629")
            page.close()
        check_figures(station, tmp_path, payloads)


def scan_all(
    station: Station, folder: Path, shown: list[str], sent: list[str], piped: list[str]
) -> None:
    """Present every card through camera, serial line and standard input at the same time."""
    deliver = Delivery(station, by=lambda: "petugas")
    notices = Notices()
    pipe_out, pipe_in = os.pipe()
    with PtyScanner(folder) as scanner, os.fdopen(pipe_out, "rb") as piped_lines:

        def camera() -> Reader:
            return CameraReader(
                ReaderId("kamera"),
                pictures(folder / "frames", shown),
                symbologies=frozenset({Symbology.QR, Symbology.CODE128}),
                is_expected=deliver.is_expected,
                fits=deliver.fits,
                clock=station.clock,
                notify=notices,
            )

        def serial() -> Reader:
            return SerialReader(
                ReaderId("pemindai"), scanner.path, clock=station.clock, notify=notices
            )

        def stdin() -> Reader:
            return StdinReader(ReaderId("stdin"), piped_lines, station.clock)

        loops = [
            ReaderLoop(ReaderId(name), make, deliver, notices)
            for name, make in (("kamera", camera), ("pemindai", serial), ("stdin", stdin))
        ]
        done = Arrivals(station, len(shown) + len(sent) + len(piped))
        for loop in loops:
            loop.start()
        notices.next(lambda n: n.reader_id == "pemindai" and n.state == "ready")
        feeders = [
            threading.Thread(target=feed_serial, args=(scanner, sent)),
            threading.Thread(target=feed_pipe, args=(pipe_in, piped)),
        ]
        for feeder in feeders:
            feeder.start()
        arrived = done.wait(TIMEOUT_S)
        for feeder in feeders:
            feeder.join()
        for loop in loops:
            loop.stop(10)
        assert arrived, f"only {done.count} of {done.wanted} presentations arrived"


class Arrivals:
    """Waits until so many entries were told."""

    def __init__(self, station: Station, wanted: int) -> None:
        self.wanted = wanted
        self.count = 0
        self._all = threading.Event()
        station.bus.subscribe(self._hear)

    def _hear(self, event: object) -> None:
        if type(event).__name__ == "EntryRecorded":
            self.count += 1
            if self.count >= self.wanted:
                self._all.set()

    def wait(self, timeout_s: float) -> bool:
        return self._all.wait(timeout_s)


def feed_serial(scanner: PtyScanner, payloads: list[str]) -> None:
    for number, payload in enumerate(payloads):
        scanner.send((("]C0" if number % 2 else "") + payload + "\r\n").encode())


def feed_pipe(pipe_in: int, payloads: list[str]) -> None:
    with os.fdopen(pipe_in, "wb") as stream:
        stream.write("".join(f"{payload}\n" for payload in payloads).encode())


def check_figures(station: Station, folder: Path, payloads: list[str]) -> None:
    """Screen, API, CSV and Excel say the same, and it is what lay on the table."""
    times = Counter(payload for payload in payloads if payload.isdigit())
    listed = {nik(number) for number in range(DAMAGED + MOVED)}
    views = Views(station.folder)
    with views.connection() as connection:
        found = summary(connection, "kupang")
        log = list(entries(connection, "kupang"))
        for export_format in ("csv", "xlsx"):
            path = folder / f"log.{export_format}"
            export(connection, "kupang", export_format, path, time_zone=None)
    views.close()
    assert found["expected"] == found["counted"] == DAMAGED + MOVED
    assert found["remaining"] == 0
    by_category = found["by_category"]
    assert isinstance(by_category, dict)
    assert by_category["rusak"]["counted"] == DAMAGED
    assert by_category["pindah"]["counted"] == MOVED
    assert found["already_counted"] == sum(n - 1 for card, n in times.items() if card in listed)
    assert found["not_on_manifest"] == 26
    assert found["unreadable"] == 26
    first_entry = {
        entry.identifier: entry.sequence
        for entry in log
        if entry.body.get("verdict") == Verdict.COUNTED
    }
    repeats = [e for e in log if e.body.get("verdict") == Verdict.ALREADY_COUNTED]
    assert repeats
    assert all(e.body["first_sequence"] == first_entry[e.identifier] for e in repeats)
    wanted = Counter(str(entry.body.get("verdict", "")) for entry in log)
    assert csv_verdicts(folder / "log.csv") == wanted
    assert excel_verdicts(folder / "log.xlsx") == wanted


def csv_verdicts(path: Path) -> Counter[str]:
    rows = csv.DictReader(io.StringIO(path.read_text("utf-8")))
    return Counter(row["verdict"] for row in rows)


def excel_verdicts(path: Path) -> Counter[str]:
    book = CalamineWorkbook.from_path(str(path))
    sheets = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
    (log,) = [sheet for sheet in sheets if sheet and "verdict" in sheet[0]]
    column = log[0].index("verdict")
    return Counter(str(row[column]) for row in log[1:])
