"""The officer's page as an officer uses it: at the table, with gloves, in the sun."""

import itertools
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import Browser, Page, expect

from scanner_station.domain.events import ReaderNotice, ReaderState, StationFault
from scanner_station.domain.people import Role
from scanner_station.domain.reading import ReaderId
from tests.fakes import FakeClock
from tests.journeys.axe import faults
from tests.journeys.command_line import COMMAND, run
from tests.journeys.test_browser_pages import (
    WITHIN_MS,
    open_officer,
    running,
    scan_like_a_keyboard,
    verdict,
)
from tests.journeys.test_browser_people import sign_in
from tests.webapp.running import SLUG, RunningStation, free_port, manifest_of, nik

__all__ = ["running"]  # the fixture


def is_tallied(running: RunningStation, **expected: int) -> None:
    tally = running.station.counter(SLUG).tally
    assert {name: getattr(tally, name) for name in expected} == expected


# --- typing a number -----------------------------------------------------------------------


def test_a_number_on_the_manifest_shows_its_name_before_enter_counts_it(
    running: RunningStation, page: Page
) -> None:
    open_officer(page, running)
    field, said = page.locator("#number"), page.locator("#said-of-number")
    field.fill("1")
    field.press("Enter")  # slipped from a finger: nothing is written down
    expect(said).to_contain_text("Bukan nomor 16 angka", timeout=WITHIN_MS)
    field.fill(f"{nik(4)[:6]} {nik(4)[6:12]}.{nik(4)[12:]}")  # as people group the digits
    expect(said).to_contain_text("Nama 4", timeout=WITHIN_MS)
    field.fill("")
    field.press_sequentially(nik(4), delay=60)
    expect(said).to_contain_text("Nama 4", timeout=WITHIN_MS)
    assert running.station.counter(SLUG).next_sequence == 0
    page.keyboard.press("Enter")
    verdict(page, "counted")
    expect(page.locator("#detail")).to_contain_text("Nama 4")
    expect(said).to_be_empty()
    is_tallied(running, counted=1, manual=1)


def test_a_typed_number_one_digit_off_is_offered_and_counts_only_when_the_officer_takes_it(
    running: RunningStation, page: Page
) -> None:
    open_officer(page, running)
    wrong = nik(4)[:-3] + "7" + nik(4)[-2:]
    page.locator("#number").fill(wrong)
    page.keyboard.press("Enter")  # a stranger is not written down at the first Enter
    expect(page.locator("#said-of-number")).to_contain_text("Tidak ada di manifes")
    near = page.locator(".near")
    expect(near).to_contain_text("Nama 4")
    near.click()
    expect(page.locator("#number")).to_have_value(nik(4))
    expect(page.locator("#said-of-number strong")).to_contain_text("Nama 4")
    is_tallied(running, counted=0)
    page.keyboard.press("Enter")
    verdict(page, "counted")
    is_tallied(running, counted=1, manual=1)


def test_a_typed_stranger_is_written_down_at_the_second_enter(
    running: RunningStation, page: Page
) -> None:
    open_officer(page, running)
    page.locator("#number").fill(nik(900))
    page.keyboard.press("Enter")
    expect(page.locator("#said-of-number")).to_contain_text("Enter sekali lagi")
    page.keyboard.press("Enter")
    verdict(page, "not_on_manifest")


# --- finding a card in the pile ------------------------------------------------------------


def test_a_stranger_is_found_in_the_pile_between_two_good_scans(
    running: RunningStation, page: Page
) -> None:
    running.scan(nik(1))
    open_officer(page, running)
    stranger = running.scan(nik(90))
    pile = page.locator("#pile")
    expect(pile).to_contain_text(f"sesudah {nik(1)} Nama 1", timeout=WITHIN_MS)
    expect(pile).to_contain_text("paling atas")
    running.scan("12345")
    running.scan(nik(2))
    expect(pile).to_contain_text(f"sebelum {nik(2)} Nama 2", timeout=WITHIN_MS)
    page.get_by_role("button", name="Sudah dikeluarkan").click()
    expect(pile).to_be_hidden()
    page.reload()
    page.locator(f"#last [data-sequence='{stranger.sequence}'] button").click(timeout=WITHIN_MS)
    expect(pile).to_contain_text(f"sesudah {nik(1)} Nama 1 · sebelum {nik(2)} Nama 2")


# --- taking back ---------------------------------------------------------------------------


def test_the_last_card_can_be_taken_back_after_a_reload_though_much_came_since(
    running: RunningStation, page: Page
) -> None:
    running.scan(nik(1))
    for _ in range(12):
        running.scan("12345")
    open_officer(page, running)
    expect(page.locator("#undo")).to_be_enabled(timeout=WITHIN_MS)
    page.keyboard.press("Control+z")
    expect(page.locator("#undo-what")).to_contain_text(nik(1)[-4:])
    page.keyboard.type("salah pindai", delay=60)
    page.keyboard.press("Enter")
    verdict(page, "void")
    is_tallied(running, counted=0)


# --- pace ----------------------------------------------------------------------------------


def test_the_pace_the_time_left_and_what_a_district_lacks_are_told(
    data_folder: Path, page: Page
) -> None:
    clock = FakeClock()
    with RunningStation(data_folder, clock=clock) as running:
        running.create()
        running.load(manifest_of(range(40), ("rusak",), ("Kec. Oebobo", "Alak")))
        for number in range(20):
            running.scan(nik(number))
            clock.advance(3)
        page.goto(running.address + "/")
        pace = page.locator("#pace")
        expect(pace).to_have_text(
            re.compile(r"^\d+/menit, \d menit lagi, .*10 kurang dari Kec\. Oebobo"),
            timeout=WITHIN_MS,
        )
        expect(pace).to_contain_text("10 kurang dari Kec. Alak")
        said = re.match(r"(\d+)/menit", pace.inner_text())
        assert said is not None
        assert 15 <= int(said[1]) <= 20


# --- seen from three metres, in the sun, in grey -------------------------------------------


def in_grey(page: Page, what: str) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    """How a part of the page looks without colours and without sharp eyes."""
    raw = np.frombuffer(page.locator(what).screenshot(), np.uint8)
    grey = cv2.imdecode(raw, cv2.IMREAD_GRAYSCALE)
    return np.asarray(cv2.resize(grey, (48, 32), interpolation=cv2.INTER_AREA), dtype=np.float64)


def test_the_verdicts_differ_in_grey_and_from_afar(running: RunningStation, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": 820, "height": 1180})
    open_officer(page, running)
    seen = {}
    for name, payload in {
        "counted": nik(1),
        "already_counted": nik(1),
        "not_on_manifest": nik(90),
        "unreadable": "12",
    }.items():
        running.scan(payload)
        verdict(page, name)
        word = page.locator("#word").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
        assert word >= 80, "capitals of 12 mm on a tablet of ten inches"
        seen[name] = in_grey(page, "#verdict")
    running.station.bus.publish(StationFault(message="the disk is full"))
    expect(page.locator("#fault")).to_be_visible(timeout=WITHIN_MS)
    seen["fault"] = in_grey(page, "#fault")
    for one, other in itertools.combinations(seen, 2):
        assert np.abs(seen[one] - seen[other]).mean() > 20, (one, other)


IS_SEEN_WHOLE = """() => ["shape", "word", "card", "detail"].every(id => {
        const box = document.getElementById(id).getBoundingClientRect();
        const panel = document.getElementById("verdict").getBoundingClientRect();
        return box.top >= Math.max(0, panel.top) && box.left >= panel.left
            && box.right <= panel.right
            && box.bottom <= Math.min(panel.bottom, innerHeight);
    })"""
CUT_OFF = """() => ["word", "card", "detail", "pile", "counted", "progress", "pace"]
    .map(id => [id, document.getElementById(id).getBoundingClientRect()])
    .filter(([, box]) => box.bottom > innerHeight || box.height === 0).map(([id]) => id)"""


def test_the_whole_verdict_is_on_the_screen(running: RunningStation, page: Page) -> None:
    open_officer(page, running)
    for name, payload in {"counted": nik(1), "not_on_manifest": nik(90)}.items():
        running.scan(payload)
        verdict(page, name)
        expect(page.locator("#card")).to_have_text(payload, timeout=WITHIN_MS)
        for width, height in ((320, 640), (390, 844), (820, 1180), (1180, 820), (1440, 900)):
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_function(IS_SEEN_WHOLE)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width


def test_the_count_and_the_pace_stay_in_view_beside_a_stranger(
    running: RunningStation, page: Page
) -> None:
    """Where the page does not scroll as a whole, nothing on the left may be cut off."""
    running.scan(nik(1))
    open_officer(page, running)
    running.scan(nik(90))
    expect(page.locator("#pile")).to_be_visible(timeout=WITHIN_MS)
    for width, height in ((1180, 820), (1366, 720), (1440, 900), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        page.locator("#word").scroll_into_view_if_needed()
        assert page.evaluate(CUT_OFF) == [], width
        page.locator("#last button").last.scroll_into_view_if_needed()
        expect(page.locator("#last button").last).to_be_in_viewport()


SEEN_WHOLE = """() => [...document.querySelectorAll("#last .entry")].filter(row => {
        const list = row.parentElement.getBoundingClientRect(), box = row.getBoundingClientRect();
        return box.top >= 0 && box.bottom <= Math.min(innerHeight, list.bottom + 1);
    }).length"""
ON_TOP_OF_EACH_OTHER = """() => {
    const parts = [...document.querySelectorAll(".top a, .top button, .top select, .top li, #who")];
    const boxes = parts.map(part => [part.textContent, part.getBoundingClientRect()]);
    const cut = parts.filter(part => part.scrollWidth > part.clientWidth && part.tagName === "LI");
    return [...cut.map(part => part.textContent), ...boxes.flatMap(([text, a], i) =>
        boxes.slice(i + 1).filter(([, b]) => a.left < b.right - 1 && b.left < a.right - 1
            && a.top < b.bottom - 1 && b.top < a.bottom - 1)
            .map(([other]) => `${text} / ${other}`))];
}"""


def test_the_last_ten_are_seen_without_scrolling_beside_the_camera_and_nothing_on_top_is_cut(
    data_folder: Path, page: Page
) -> None:
    picture = bytes(cv2.imencode(".jpg", np.zeros((120, 160, 3), np.uint8))[1])
    with RunningStation(data_folder, cameras={"kamera": lambda: picture}) as running:
        running.create(title="Pemusnahan KTP-el rusak dan invalid Kota Kupang")
        running.load(manifest_of(range(400), ("rusak", "salah cetak"), ("Oebobo", "Alak")))
        running.add_people()
        is_ready(running, "kamera", "serial-1")
        for number in range(12):
            running.scan(nik(number))
        sign_in(page, running, Role.OFFICER)
        expect(page.locator("#preview img")).to_be_visible(timeout=WITHIN_MS)
        page.locator("#last-title").click()
        for width, height in ((1440, 900), (820, 1180)):
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate(SEEN_WHOLE) == 10
        page.locator("#sign-out").click()
        page.wait_for_url("**/login*")
        is_ready(running, "pemindai-kiri")
        sign_in(page, running, Role.SUPERVISOR)
        expect(page.locator("#readers li")).to_have_count(3, timeout=WITHIN_MS)
        for width in (1440, 1366, 820, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(ON_TOP_OF_EACH_OTHER) == []


def is_ready(running: RunningStation, *readers: str) -> None:
    for reader in readers:
        running.station.bus.publish(
            ReaderNotice(reader_id=ReaderId(reader), state=ReaderState.READY, message="")
        )


TOO_SMALL = """() => [...document.querySelectorAll(
        "header :is(a, button, select), main :is(button, input, select, .button), "
        + "dialog[open] :is(button, input, .tile)")]
    .filter(e => e.type !== "radio")
    .map(e => [e, e.getBoundingClientRect()])
    .filter(([e, box]) => box.width > 0 && (box.height < 47.5 || box.width < 43.5))
    .map(([e, box]) => [box.width, box.height, e.outerHTML.slice(0, 120)])"""


def too_small(page: Page) -> list[list[object]]:
    found = []
    for width, height in ((390, 844), (820, 1180), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        found += page.evaluate(TOO_SMALL)
    return found


def test_targets_are_large_enough_for_gloves(running: RunningStation, page: Page) -> None:
    running.scan(nik(90))
    running.scan(nik(1))
    running.people.add("Budi Petugas", Role.OFFICER, "482617", by="x")
    page.goto(running.address + "/login")
    page.check("input[value='Budi Petugas']")
    assert too_small(page) == []
    page.fill("#signin-secret", "482617")
    page.press("#signin-secret", "Enter")
    page.wait_for_url(running.address + "/")
    expect(page.locator("#undo")).to_be_enabled(timeout=WITHIN_MS)
    assert too_small(page) == []
    page.click("#undo")
    assert too_small(page) == []
    page.click("#undo-leave")
    page.click("#hand-over")
    expect(page.locator("#shift .pad")).to_be_visible(timeout=WITHIN_MS)
    assert too_small(page) == []


def test_a_verdict_is_announced_once_and_nothing_else_shouts(
    running: RunningStation, page: Page
) -> None:
    open_officer(page, running)
    page.evaluate(
        """() => {
            window.announced = 0;
            const panel = document.getElementById("verdict");
            new MutationObserver(() => { window.announced += 1; })
                .observe(panel.querySelector("#word"), {childList: true, characterData: true});
        }"""
    )
    running.scan(nik(1))
    verdict(page, "counted")
    expect(page.locator("#card")).to_have_text(nik(1), timeout=WITHIN_MS)
    assert page.evaluate("window.announced") == 1
    assert page.locator("main [aria-live=assertive], main [role=alert]").count() == 1


def test_the_new_parts_are_accessible(running: RunningStation, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": 390, "height": 844})
    running.scan(nik(1))
    open_officer(page, running)
    running.scan(nik(90))
    expect(page.locator("#pile")).to_be_visible(timeout=WITHIN_MS)
    page.locator("#number").fill(nik(4)[:-3] + "7" + nik(4)[-2:])
    expect(page.locator(".near")).to_be_visible(timeout=WITHIN_MS)
    assert faults(page) == []


def test_each_verdict_is_told_by_ear(running: RunningStation, page: Page) -> None:
    """What the loudspeaker gets: how many tones, which, of which colour."""
    page.add_init_script(
        """window.tones = [];
        const Real = window.OscillatorNode;
        window.OscillatorNode = class extends Real {
            constructor(context, options) {
                super(context, options);
                window.tones.push(`${options.type} ${options.frequency}`);
            }
        };"""
    )
    open_officer(page, running)
    page.locator("#last-title").click()
    expect(page.locator("#sound")).to_be_hidden(timeout=WITHIN_MS)
    heard = {}
    for name, payload in {
        "counted": nik(1),
        "already_counted": nik(1),
        "not_on_manifest": nik(90),
        "unreadable": "12",
        "fault": "",
    }.items():
        page.evaluate("window.tones.length = 0")
        if payload:
            running.scan(payload)
            verdict(page, name)
        else:
            running.station.bus.publish(StationFault(message="the disk is full"))
        page.wait_for_function("() => window.tones.length > 0", timeout=WITHIN_MS)
        heard[name] = tuple(page.evaluate("window.tones"))
    assert len(set(heard.values())) == 5
    assert len({tones[0].split()[0] for tones in heard.values()}) >= 4, "the colours differ too"


def test_everything_at_the_table_is_done_by_keyboard(running: RunningStation, page: Page) -> None:
    running.people.add("Ani Petugas", Role.OFFICER, "713905", by="x")
    running.people.add("Budi Petugas", Role.OFFICER, "482617", by="x")
    page.goto(running.address + "/login")

    def reach(wanted: str) -> None:
        for _ in range(60):
            if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
                return
            page.keyboard.press("Tab", delay=60)
        raise AssertionError(wanted)

    def write(text: str) -> None:
        page.keyboard.type(text, delay=70)
        page.keyboard.press("Enter", delay=60)

    expect(page.locator(".tile").first).to_be_visible(timeout=WITHIN_MS)
    reach(".tile input")
    page.keyboard.press("Space")
    write("713905")
    expect(page.locator("html")).to_have_attribute("data-stream", "open", timeout=WITHIN_MS)
    reach("#number")
    write(nik(1))
    verdict(page, "counted")
    running.scan(nik(90))
    expect(page.locator("#pile")).to_be_visible(timeout=WITHIN_MS)
    reach("#pile button")
    page.keyboard.press("Enter")
    expect(page.locator("#pile")).to_be_hidden()
    verdict(page, "ready")  # the red light is done with
    expect(page.locator("#number")).to_be_focused()
    reach("#undo")
    page.keyboard.press("Enter")
    expect(page.locator("#reason")).to_be_focused()
    write("salah kartu")
    verdict(page, "void")
    reach("#hand-over")
    page.keyboard.press("Enter")
    expect(page.locator("#shift .tile").first).to_be_visible(timeout=WITHIN_MS)
    reach("#shift .tile input")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#shift input[value='Budi Petugas']")).to_be_checked()
    reach("#shift [name=secret]")
    write("482617")
    expect(page.locator("#who")).to_have_text("Budi Petugas", timeout=WITHIN_MS)


# --- the tablet itself ---------------------------------------------------------------------


def test_the_screen_stays_on_and_each_verdict_is_felt(running: RunningStation, page: Page) -> None:
    page.add_init_script(
        """window.shaken = [];
        navigator.vibrate = pattern => { window.shaken.push(pattern.length); return true; };
        navigator.wakeLock.request = async kind => {
            window.held = kind; return {released: false}; };"""
    )
    open_officer(page, running)
    assert page.evaluate("window.held") == "screen"
    page.locator("#last-title").click()
    scan_like_a_keyboard(page, nik(3))
    verdict(page, "counted")
    running.scan(nik(3))
    verdict(page, "already_counted")
    page.wait_for_function("window.shaken.length === 2")
    assert page.evaluate("window.shaken") == [1, 3]


def test_seven_pages_in_one_browser_all_follow_and_all_count(
    running: RunningStation, browser: Browser
) -> None:
    context = browser.new_context()
    pages: list[Page] = []
    for _ in range(7):
        one = context.new_page()
        one.goto(running.address + "/")
        pages.append(one)
    for one in pages:
        expect(one.locator("#expected")).to_have_text("40", timeout=WITHIN_MS)
    for number in (1, 2):
        running.scan(nik(number))
        for one in pages:
            expect(one.locator("#counted")).to_have_text(str(number), timeout=WITHIN_MS)
    pages[-1].locator("#number").fill(nik(3))
    pages[-1].keyboard.press("Enter")
    verdict(pages[-1], "counted")
    for one in pages:
        expect(one.locator("#counted")).to_have_text("3", timeout=WITHIN_MS)
        expect(one.locator("#banner-stale")).to_have_count(0)
    context.close()


def test_a_page_that_slept_catches_up_without_a_reload_and_without_old_sounds(
    running: RunningStation, page: Page
) -> None:
    open_officer(page, running)
    running.scan(nik(1))
    verdict(page, "counted")
    heard = page.evaluate("document.documentElement.dataset.played")
    page.evaluate("window.isTheSamePage = true")
    # Chromium freezes no page that is in view: the events that it would send are sent here.
    page.evaluate("document.dispatchEvent(new Event('freeze'))")
    for number in (2, 3, 4):
        running.scan(nik(number))
    running.stop()
    running.start()
    running.scan(nik(5))
    page.evaluate("document.dispatchEvent(new Event('resume'))")
    expect(page.locator("#counted")).to_have_text("5", timeout=WITHIN_MS)
    expect(page.locator("#banner-stale")).to_have_count(0, timeout=WITHIN_MS)
    assert page.evaluate("window.isTheSamePage")
    assert page.evaluate("document.documentElement.dataset.played") == heard


WATCH_WHAT_IS_SHOWN = """() => {
    window.shown = [];
    const look = () => {
        const isStale = Boolean(document.getElementById("banner-stale"));
        const now = `${document.getElementById("counted").textContent}${isStale ? " stale" : ""}`;
        if (window.shown.at(-1) !== now) window.shown.push(now);
    };
    new MutationObserver(look).observe(document.body, {subtree: true, childList: true});
}"""


@contextmanager
def stopped(browser: Browser) -> Iterator[None]:
    """Let no page of this browser run a step while the block runs, as on a tablet that sleeps."""
    found = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    pages = [int(one["id"]) for one in found if one["type"] == "renderer"]
    for process in pages:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in pages:
            os.kill(process, signal.SIGCONT)


def test_a_frozen_page_calls_its_count_old_before_it_shows_a_new_one_and_is_silent_about_the_past(
    running: RunningStation, browser: Browser, page: Page
) -> None:
    open_officer(page, running)
    running.scan(nik(1))
    verdict(page, "counted")
    heard = page.evaluate("document.documentElement.dataset.played")
    page.evaluate(WATCH_WHAT_IS_SHOWN)
    with stopped(browser):
        for number in (2, 3):
            running.scan(nik(number))
        time.sleep(3)  # longer than a page may be silent and still be called live
    expect(page.locator("#counted")).to_have_text("3", timeout=WITHIN_MS)
    expect(page.locator("#banner-stale")).to_have_count(0, timeout=WITHIN_MS)
    assert page.evaluate("window.shown") == ["1 stale", "3"]
    assert page.evaluate("document.documentElement.dataset.played") == heard
    running.scan(nik(4))
    expect(page.locator("#counted")).to_have_text("4", timeout=WITHIN_MS)
    page.wait_for_function(
        "heard => document.documentElement.dataset.played !== heard", arg=heard, timeout=WITHIN_MS
    )


@contextmanager
def daemon(data: Path, settings: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The real process, from when it serves its pages until it is killed."""
    process = subprocess.Popen(
        [*COMMAND, "run", "--config", str(settings)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"SCANNER_STATION_DATA": str(data)},
    )
    assert process.stdout is not None
    try:
        assert b"http" in process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


KEPT_ALIVE_MS = 3000 + 700  # the promise, and how late a busy test machine's timers are


def test_a_killed_station_is_called_stale_in_time_and_caught_up_with_without_a_second_sound(
    tmp_path: Path, page: Page
) -> None:
    data, port = tmp_path / "data", free_port()
    settings = tmp_path / "station.toml"
    settings.write_text(f"[web]\nport = {port}\nnetwork = ''\n", "utf-8")
    run(data, "batch", "create", SLUG, "--title", "Batch")
    with daemon(data, settings) as station:
        page.goto(f"http://127.0.0.1:{port}/")
        expect(page.locator("html")).to_have_attribute("data-stream", "open", timeout=WITHIN_MS)
        page.locator("#number").fill(nik(1))
        page.keyboard.press("Enter")
        verdict(page, "counted")
        heard = page.evaluate("document.documentElement.dataset.played")
        page.evaluate(
            """() => {
                window.isTheSamePage = true;
                new MutationObserver(() => {
                    if (document.getElementById("banner-stale")) window.staleAt ??= Date.now();
                }).observe(document.body, {subtree: true, childList: true});
            }"""
        )
        killed_at_ms = time.time() * 1000
        station.kill()
        expect(page.locator("#banner-stale")).to_be_visible(timeout=WITHIN_MS)
        assert page.evaluate("window.staleAt") - killed_at_ms < KEPT_ALIVE_MS
    with daemon(data, settings):
        expect(page.locator("#banner-stale")).to_have_count(0, timeout=WITHIN_MS)
        expect(page.locator("#counted")).to_have_text("1")
        assert page.evaluate("window.isTheSamePage")
        assert page.evaluate("document.documentElement.dataset.played") == heard
        page.locator("#number").fill(nik(2))
        page.keyboard.press("Enter")
        expect(page.locator("#counted")).to_have_text("2", timeout=WITHIN_MS)
