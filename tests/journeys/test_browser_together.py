"""An officer and two tablets at once, on one station that is also switched off and on again."""

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from scanner_station.domain.people import Role
from scanner_station.webapp.context import pages_of
from tests.journeys.test_browser_people import BUDI, BUDIS_PIN, is_following, press, sign_in
from tests.webapp.running import NAMES, SECRETS, RunningStation, free_port, manifest_of, nik

WITHIN_MS = 15_000
STALE_MS = 3000 + 700  # the promise, and how late a busy test machine's timers are
NOTE_STALE = """() => {
    window.isTheSamePage = true;
    const look = () => {
        const isStale = document.getElementById("banner-stale")
            || document.body.classList.contains("stale");
        if (isStale) window.staleAt ??= Date.now();
    };
    new MutationObserver(look).observe(document.documentElement,
        {subtree: true, childList: true, attributes: true});
}"""


@pytest.fixture
def staffed(data_folder: Path) -> Iterator[RunningStation]:
    with RunningStation(data_folder, https_port=free_port()) as station:
        station.create()
        station.load(manifest_of(range(40), ("rusak", "pindah datang"), ("Oebobo", "Alak")))
        station.add_people()
        station.people.add(BUDI, Role.OFFICER, BUDIS_PIN, by="x")
        pages_of(station.app).network.start()
        yield station


def come_in(tablet: Page, station: RunningStation, name: str) -> None:
    """Open what a tablet finds in the code that the station shows."""
    parts = pages_of(station.app)
    tablet.goto(f"{parts.network.https_address}/pair#{parts.pairing.issue()}")
    tablet.fill("#name", name)
    tablet.press("#name", "Enter")
    tablet.wait_for_url("**/witness")
    is_following(tablet)


@pytest.fixture
def three(browser: Browser, staffed: RunningStation) -> Iterator[list[Page]]:
    """The officer at the desk, a witness's tablet and a witness's phone, encrypted."""
    with ExitStack() as stack:
        pages = []
        for width, height in ((1440, 900), (820, 1180), (390, 844)):
            # That a tablet has to trust the certificate is tried in `test_browser_people`.
            context = browser.new_context(
                viewport={"width": width, "height": height}, ignore_https_errors=True
            )
            stack.callback(context.close)
            pages.append(context.new_page())
        sign_in(pages[0], staffed, Role.OFFICER)
        is_following(pages[0])
        come_in(pages[1], staffed, "Wati")
        come_in(pages[2], staffed, "Tono")
        yield pages


def all_say(pages: list[Page], counted: int) -> None:
    for page in pages:
        expect(page.locator("#counted")).to_have_text(str(counted), timeout=WITHIN_MS)


def test_two_tablets_and_an_officer_see_the_same_count_through_a_restart(
    staffed: RunningStation, three: list[Page]
) -> None:
    officer, *tablets = three
    for number in range(1, 6):
        officer.fill("#number", nik(number))
        officer.press("#number", "Enter")
        all_say(three, number)
    staffed.scan(nik(1))
    staffed.scan(nik(90))
    expect(officer.locator("#verdict")).to_have_attribute("data-verdict", "not_on_manifest")
    for tablet in tablets:
        expect(tablet.locator("[data-kind=not_on_manifest]").first).to_contain_text("1")
        shown = tablet.content()
        assert not re.search("99710[0-9]{11}", shown), "a whole number on a witness's screen"
    heard = officer.evaluate("document.documentElement.dataset.played")
    for page in three:
        page.evaluate(NOTE_STALE)
    stopped_at_ms = time.time() * 1000
    staffed.stop()
    for page in three:
        page.wait_for_function("() => window.staleAt", timeout=WITHIN_MS)
        assert page.evaluate("window.staleAt") - stopped_at_ms < STALE_MS
    staffed.start()
    pages_of(staffed.app).network.start()
    for page in three:
        expect(page.locator("#banner-stale, body.stale")).to_have_count(0, timeout=WITHIN_MS)
    all_say(three, 5)
    assert officer.evaluate("document.documentElement.dataset.played") == heard
    officer.fill("#number", nik(9))
    officer.press("#number", "Enter")
    all_say(three, 6)
    assert all(page.evaluate("window.isTheSamePage") for page in three)


def test_a_shift_changes_in_five_seconds_by_touch(
    browser: Browser, staffed: RunningStation
) -> None:
    context = browser.new_context(viewport={"width": 820, "height": 1180}, has_touch=True)
    page = context.new_page()
    sign_in(page, staffed, Role.OFFICER)
    is_following(page)
    begun_s = time.monotonic()
    page.tap("#hand-over")
    page.tap(f"#shift .tile:has(input[value='{BUDI}'])")
    for digit in BUDIS_PIN:
        page.tap(f"#shift .pad button[value='{digit}']")
    page.tap("#shift .pad button.main")
    expect(page.locator("#who")).to_have_text(BUDI)
    took_s = time.monotonic() - begun_s
    print(f"a shift changed in {took_s:.2f} s, with nine touches and no thinking between them")
    assert took_s < 5
    assert NAMES[Role.OFFICER] != BUDI
    context.close()


def test_two_officers_count_on_two_devices_and_each_entry_says_who(
    browser: Browser, staffed: RunningStation
) -> None:
    desk, tablet = (browser.new_context(ignore_https_errors=True).new_page() for _ in range(2))
    sign_in(desk, staffed, Role.OFFICER)
    tablet.goto(pages_of(staffed.app).network.https_address + "/login")
    tablet.check(f"input[value='{BUDI}']")
    press(tablet, BUDIS_PIN)
    for page in (desk, tablet):
        is_following(page)
    for number in range(1, 7):
        page = (desk, tablet)[number % 2]
        page.fill("#number", nik(number))
        page.press("#number", "Enter")
        all_say([desk, tablet], number)
    with staffed.views.connection() as connection:
        rows = connection.execute("select body ->> 'by' from entry where sequence > 0").fetchall()
    assert [name for (name,) in rows] == [BUDI, NAMES[Role.OFFICER]] * 3
    assert SECRETS[Role.OFFICER] not in desk.content()
    for page in (desk, tablet):
        page.context.close()
