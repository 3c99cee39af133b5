"""What people see and hear: the three pages in a real browser."""

import csv
import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from scanner_station.domain.events import ReaderState
from scanner_station.domain.reading import ReaderId
from scanner_station.readers.serial_port import SerialReader
from scanner_station.service.delivery import Delivery
from scanner_station.service.reader_loop import ReaderLoop
from tests.fakes import Notices, PtyScanner
from tests.journeys.axe import faults
from tests.webapp.running import SLUG, RunningStation, manifest_of, nik

WITHIN_MS = 15_000


@pytest.fixture
def running(data_folder: Path) -> Iterator[RunningStation]:
    with RunningStation(data_folder) as station:
        station.create()
        station.load(manifest_of(range(40), ("rusak", "pindah datang"), ("Oebobo", "Alak")))
        yield station


def open_officer(page: Page, running: RunningStation) -> None:
    page.goto(running.address + "/")
    expect(page.locator("#expected")).to_have_text("40", timeout=WITHIN_MS)
    expect(page.locator("html")).to_have_attribute("data-stream", "open", timeout=WITHIN_MS)


def scan_like_a_keyboard(page: Page, text: str) -> None:
    """Press keys 10 ms apart, ended by Enter, as the browser gets them from a wedge scanner.

    The times are said with the keys, so that a slow test machine cannot pull them apart.
    """
    session = page.context.new_cdp_session(page)
    now_s = time.time()
    for number, key in enumerate([*text, "Enter"]):
        typed = "\r" if key == "Enter" else key
        event = {"key": key, "timestamp": now_s + number / 100}
        session.send("Input.dispatchKeyEvent", {**event, "type": "keyDown", "text": typed})
        session.send("Input.dispatchKeyEvent", {**event, "type": "keyUp"})
    session.detach()


def wedge(page: Page, text: str) -> None:
    """Dispatch the keys inside the page, so that a slow test machine cannot pull them apart."""
    page.evaluate(
        """text => {
            for (const key of [...text, "Enter"]) {
                const target = document.activeElement ?? document.body;
                const event = new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true});
                const goesOn = target.dispatchEvent(event);
                if (goesOn && key.length === 1 && target instanceof HTMLInputElement) {
                    target.value += key;
                    target.dispatchEvent(new Event("input", {bubbles: true}));
                } else if (goesOn && key === "Enter") {
                    if (target instanceof HTMLButtonElement) target.click();
                    else target.form?.requestSubmit();
                }
            }
        }""",
        text,
    )


def verdict(page: Page, name: str) -> None:
    expect(page.locator("#verdict")).to_have_attribute("data-verdict", name, timeout=WITHIN_MS)


def sounds(page: Page) -> str:
    return str(page.evaluate("document.documentElement.dataset.played ?? '{}'"))


def will_have_sounded(page: Page, sounds: str | re.Pattern[str]) -> None:
    """The number changes an instant before the sound is played."""
    expect(page.locator("html")).to_have_attribute("data-played", sounds, timeout=WITHIN_MS)


WATCH = """([id, text]) => {
    window.seenAt = null;
    const look = () => {
        const found = document.getElementById(id);
        if (window.seenAt === null && found.textContent === text) window.seenAt = Date.now();
    };
    new MutationObserver(look).observe(document.body, {
        subtree: true, childList: true, characterData: true, attributes: true});
}"""


def test_a_scan_on_the_serial_line_turns_the_officer_green_and_moves_the_witness(
    running: RunningStation, browser: Browser, tmp_path: Path, record_property: object
) -> None:
    officer, witness = browser.new_page(), browser.new_page()
    open_officer(officer, running)
    witness.goto(running.address + "/witness")
    expect(witness.locator("#pulse")).to_have_attribute("data-alive", "yes", timeout=WITHIN_MS)
    notices = Notices()
    running.station.bus.subscribe(lambda event: notices(event) if hasattr(event, "state") else None)
    with PtyScanner(tmp_path) as scanner:

        def reader() -> SerialReader:
            return SerialReader(
                ReaderId("serial-1"),
                scanner.path,
                clock=running.station.clock,
                notify=running.station.bus.publish,
            )

        def deliver(reading: object) -> None:
            running.station.handle(SLUG, reading, by="petugas")  # type: ignore[arg-type]

        loop = ReaderLoop(ReaderId("serial-1"), reader, deliver, running.station.bus.publish)
        loop.start()
        try:
            notices.next_state(ReaderState.READY)
            expect(officer.locator("#readers li")).to_have_attribute(
                "data-state", "ready", timeout=WITHIN_MS
            )
            officer.evaluate(WATCH, ["counted", "1"])
            witness.evaluate(WATCH, ["counted", "1"])
            sent_at = time.time()
            scanner.send(nik(7).encode() + b"\r\n")
            verdict(officer, "counted")
            expect(officer.locator("#card")).to_have_text(nik(7), timeout=WITHIN_MS)
            expect(witness.locator("#counted")).to_have_text("1", timeout=WITHIN_MS)
            for name, page in (("officer", officer), ("witness", witness)):
                took_ms = page.evaluate("window.seenAt") - sent_at * 1000
                print(f"from the serial line to the {name}'s screen: {took_ms:.0f} ms")
        finally:
            loop.stop(5)
    assert nik(7) not in witness.content()
    officer.close()
    witness.close()


def test_a_wedge_scan_works_with_no_field_focused(running: RunningStation, page: Page) -> None:
    open_officer(page, running)
    scan_like_a_keyboard(page, nik(3))
    verdict(page, "counted")
    expect(page.locator("#card")).to_have_text(nik(3))
    assert running.station.counter(SLUG).tally.manual == 0


@pytest.mark.parametrize("focus", ["#undo", "#sound", "#number", "#batch"])
def test_a_wedge_scan_neither_clicks_nor_garbles_what_has_the_focus(
    running: RunningStation, page: Page, focus: str
) -> None:
    running.create("lain", "Batch lain 9971")
    running.scan(nik(1))
    open_officer(page, running)
    expect(page.locator("#undo")).to_be_enabled(timeout=WITHIN_MS)
    page.locator("#number").fill("53")
    page.evaluate("id => document.querySelector(id).focus()", focus)
    wedge(page, nik(3))
    verdict(page, "counted")
    expect(page.locator("#card")).to_have_text(nik(3), timeout=WITHIN_MS)
    expect(page.locator("#number")).to_have_value("53")
    expect(page.locator("#undoing")).not_to_be_visible()
    assert running.station.active_slug() == SLUG
    assert running.station.counter(SLUG).tally.counted == 2


def test_a_typed_number_counts_and_is_marked_as_typed(running: RunningStation, page: Page) -> None:
    open_officer(page, running)
    page.locator("#number").press_sequentially(nik(5), delay=80)
    page.locator("#number").press("Enter")
    verdict(page, "counted")
    assert running.station.counter(SLUG).tally.manual == 1


def test_each_verdict_has_its_own_word_shape_and_sound(running: RunningStation, page: Page) -> None:
    open_officer(page, running)
    said = {}
    cards = [("counted", nik(1)), ("already_counted", nik(1))]
    cards += [("not_on_manifest", nik(90)), ("unreadable", "12345")]
    for name, payload in cards:
        running.scan(payload)
        verdict(page, name)
        said[page.locator("#word").inner_text()] = page.locator("#shape").get_attribute("href")
    assert len(said) == len(set(said.values())) == 4
    will_have_sounded(page, '{"counted":1,"already_counted":1,"not_on_manifest":1,"unreadable":1}')


def test_a_card_read_unsurely_is_counted_only_on_the_officers_word(
    data_folder: Path, page: Page
) -> None:
    offers: list[Delivery] = []
    with RunningStation(data_folder, latest_offer=lambda: offers[0].offer) as running:
        running.create()
        running.load(manifest_of(range(40), ("rusak",), ("Oebobo",)))
        offers.append(Delivery(running.station, by=lambda: "petugas"))
        open_officer(page, running)
        misread = nik(4)[:-3] + "7" + nik(4)[-2:]
        assert offers[0].is_near_expected(misread.encode())
        offers[0].offer_candidate(ReaderId("kamera"), misread.encode())
        expect(page.locator("#offer-card")).to_have_text(nik(4), timeout=WITHIN_MS)
        assert running.station.counter(SLUG).tally.counted == 0
        page.locator("#offer-yes").click()
        verdict(page, "counted")
        tally = running.station.counter(SLUG).tally
        assert (tally.counted, tally.manual) == (1, 1)


def test_the_last_card_is_taken_back_with_a_reason(running: RunningStation, page: Page) -> None:
    running.scan(nik(1))
    open_officer(page, running)
    page.locator("#undo").click(timeout=WITHIN_MS)
    page.locator("#reason").fill("salah pindai")
    page.locator("#undo-do").click()
    verdict(page, "void")
    expect(page.locator("#counted")).to_have_text("0", timeout=WITHIN_MS)
    expect(page.locator("#undo")).to_be_disabled()


def test_the_first_slow_tap_presses_the_button_it_was_meant_for(
    running: RunningStation, page: Page
) -> None:
    running.scan(nik(1))
    open_officer(page, running)
    expect(page.locator("#banner-sound")).to_be_visible()  # it goes with the first tap
    page.locator("#undo").click(delay=300, timeout=WITHIN_MS)
    expect(page.locator("#undoing")).to_be_visible(timeout=WITHIN_MS)
    expect(page.locator("#banner-sound")).to_have_count(0)


def test_a_card_is_not_confirmed_until_the_station_has_answered(
    running: RunningStation, page: Page
) -> None:
    open_officer(page, running)
    lost = []

    def swallow(route: object) -> None:
        # The card arrives and is counted, but its answer never comes back.
        route.fetch()  # type: ignore[attr-defined]
        lost.append(route)
        route.abort()  # type: ignore[attr-defined]

    page.route("**/readings", swallow, times=2)
    page.locator("#number").fill(nik(2))
    page.locator("#number").press("Enter")
    expect(page.locator("#banner-waiting")).to_be_visible(timeout=WITHIN_MS)
    expect(page.locator("#banner-waiting")).to_have_count(0, timeout=WITHIN_MS)
    verdict(page, "counted")
    assert running.station.counter(SLUG).tally.counted == 1
    assert len(lost) == 2
    will_have_sounded(page, re.compile('"counted":1[,}]'))


def test_a_lost_reader_is_a_red_banner_that_says_what_to_do(
    running: RunningStation, page: Page
) -> None:
    from tests.screenshots import tell

    open_officer(page, running)
    tell(running, "serial-1", ReaderState.LOST)
    banner = page.locator("#banner-reader-serial-1")
    expect(banner).to_contain_text("Pasang; akan dipakai dengan sendirinya", timeout=WITHIN_MS)
    tell(running, "serial-1", ReaderState.READY)
    expect(banner).to_have_count(0, timeout=WITHIN_MS)


def test_a_failed_write_stops_everything_on_a_red_screen_and_counts_once_afterwards(
    running: RunningStation, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_officer(page, running)

    def fail() -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(running.station._database, "_commit", fail)
    page.locator("#number").fill(nik(2))
    page.locator("#number").press("Enter")
    expect(page.locator("#fault")).to_be_visible(timeout=WITHIN_MS)
    expect(page.locator("#fault-why")).to_contain_text("penghitungan berhenti")
    expect(page.locator("#fault-why")).to_contain_text("disk I/O error")
    page.locator("#recover").click()
    expect(page.locator("#fault")).not_to_be_visible(timeout=WITHIN_MS)
    expect(page.locator("#banner-waiting")).to_have_count(0, timeout=WITHIN_MS)
    expect(page.locator("#counted")).to_have_text("1", timeout=WITHIN_MS)
    assert running.station.counter(SLUG).tally.counted == 1


def test_every_state_of_the_officers_page_is_accessible(
    running: RunningStation, page: Page
) -> None:
    page.emulate_media(reduced_motion="reduce")
    open_officer(page, running)
    cards = {"counted": nik(1), "already_counted": nik(1), "not_on_manifest": nik(90)}
    for name, payload in {**cards, "unreadable": "12"}.items():
        running.scan(payload)
        verdict(page, name)
        assert faults(page, "#verdict") == []
    page.locator("#undo").click(timeout=WITHIN_MS)
    assert faults(page) == []


def test_pages_say_that_they_are_stale_and_catch_up_when_the_station_is_back(
    running: RunningStation, browser: Browser
) -> None:
    officer, witness = browser.new_page(), browser.new_page()
    open_officer(officer, running)
    running.scan(nik(1))
    verdict(officer, "counted")
    witness.goto(running.address + "/witness")
    expect(witness.locator("#counted")).to_have_text("1", timeout=WITHIN_MS)
    heard = sounds(officer)
    running.stop()
    expect(witness.locator("#banner-stale")).to_contain_text("Basi sejak", timeout=WITHIN_MS)
    expect(officer.locator("#banner-stale")).to_be_visible(timeout=WITHIN_MS)
    running.start()
    running.scan(nik(2))
    expect(witness.locator("#counted")).to_have_text("2", timeout=WITHIN_MS)
    expect(witness.locator("#banner-stale")).to_have_count(0, timeout=WITHIN_MS)
    expect(officer.locator("#counted")).to_have_text("2", timeout=WITHIN_MS)
    assert sounds(officer) == heard
    running.scan(nik(3))
    expect(officer.locator("#counted")).to_have_text("3", timeout=WITHIN_MS)
    will_have_sounded(officer, '{"counted":2}')
    officer.close()
    witness.close()


def test_beyond_the_stream_slots_a_page_asks_once_a_second(data_folder: Path, page: Page) -> None:
    with RunningStation(data_folder, slots=1) as running:
        running.create()
        live = running.app.extensions["scanner_station"].live
        stream = live.open_stream(SLUG, None)
        page.goto(running.address + "/witness")
        expect(page.locator("#pulse")).to_have_attribute("data-alive", "yes", timeout=WITHIN_MS)
        running.scan(nik(1))
        expect(page.locator("#counted")).to_have_text("1", timeout=WITHIN_MS)
        stream.close()


def send_manifest(page: Page, text: str) -> None:
    file = {"name": "manifes.csv", "mimeType": "text/csv", "buffer": text.encode()}
    page.set_input_files("#manifest-file", files=[file])  # type: ignore[list-item]


def test_a_manifest_is_refused_with_its_problems_and_loaded_once_it_is_clean(
    data_folder: Path, page: Page
) -> None:
    with RunningStation(data_folder) as running:
        page.goto(running.address + "/supervisor")
        page.locator("#new").click()
        page.locator("#new-title").fill("Pemusnahan Rabu")
        page.locator("#new-more summary").click()
        page.locator("#new-declared").fill("rusak = 2.129")
        page.locator("#creating button[type=submit]").click()
        batch = page.locator(".batch[data-slug=pemusnahan-rabu]")
        expect(batch).to_be_visible(timeout=WITHIN_MS)
        batch.get_by_role("button", name="Muat manifes").click()
        wrong = ["=1+1", *(f"'{n}" for n in range(150)), "12"]
        sent = [nik(1), nik(1), *wrong]
        send_manifest(page, "nik,=cmd\n" + "".join(f"{one},rusak\n" for one in sent))
        dialog = page.locator("#manifest")
        expect(dialog).to_have_attribute("data-state", "refused", timeout=WITHIN_MS)
        expect(dialog.locator(".problems tbody tr")).to_have_count(100)
        expect(dialog.locator(".problems")).to_contain_text("baris 2")
        assert nik(1) not in dialog.inner_text()
        with page.expect_download() as saved:
            page.get_by_role("link", name="Simpan semua masalah (153)").click()
        assert saved.value.suggested_filename == "manifes-masalah.csv"
        text = Path(saved.value.path()).read_text("utf-8-sig")
        assert nik(1) not in text
        header, *rows = csv.reader(text.splitlines(), delimiter=";")
        assert header == [
            "Baris",
            "Sel",
            "Kolom",
            "Isi",
            "Apa yang salah",
            "Apa yang harus dilakukan",
        ]
        assert [row[0] for row in rows] == [str(n) for n in range(3, 156)]
        assert not [cell for row in rows for cell in row if cell[:1] in "=+-@" and cell]
        page.locator("#manifest-again").click()
        send_manifest(page, manifest_of(range(30), ("rusak",), ("Alak",)))
        expect(dialog).to_have_attribute("data-state", "checked", timeout=WITHIN_MS)
        page.locator("#manifest-import").click()
        expect(dialog).to_have_attribute("data-state", "written", timeout=WITHIN_MS)
        page.locator("#manifest-stop").click()
        expect(batch).to_contain_text("dari 30 terhitung", timeout=WITHIN_MS)
        assert list((data_folder / "incoming").iterdir()) == []


@pytest.mark.parametrize("path", ["/", "/witness", "/supervisor"])
def test_pages_are_accessible_and_never_scroll_sideways(
    running: RunningStation, page: Page, path: str
) -> None:
    running.scan(nik(1))
    page.goto(running.address + path)
    expect(page.get_by_text("1", exact=True).first).to_be_visible(timeout=WITHIN_MS)
    for width in (320, 390, 820, 1440):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
    assert faults(page) == []
