"""Coming in: the first start, signing in, a change of shift, a witness's tablet over HTTPS."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from scanner_station.domain.people import Role
from scanner_station.webapp.context import pages_of
from tests.journeys.axe import hindrances
from tests.journeys.conftest import ARGUMENTS, CHROMIUM
from tests.journeys.test_browser_pages import scan_like_a_keyboard
from tests.webapp.running import NAMES, SECRETS, SLUG, RunningStation, manifest_of, nik

WITHIN_MS = 15_000
SIZES = ((320, 640), (820, 1180), (1440, 900))
BUDI, BUDIS_PIN = "Budi Petugas", "482617"


@pytest.fixture
def empty(data_folder: Path) -> Iterator[RunningStation]:
    with RunningStation(data_folder) as station:
        yield station


@pytest.fixture
def staffed(empty: RunningStation) -> RunningStation:
    empty.create()
    empty.load(manifest_of(range(40), ("rusak", "pindah datang"), ("Oebobo", "Alak")))
    empty.add_people()
    empty.people.add(BUDI, Role.OFFICER, BUDIS_PIN, by="x")
    return empty


def press(page: Page, pin: str, within: str = "body") -> None:
    """Type a PIN on the pad, as gloves do."""
    for digit in pin:
        page.click(f"{within} .pad button[value='{digit}']")
    page.click(f"{within} .pad button.main")


def sign_in(page: Page, station: RunningStation, role: Role, path: str = "/") -> None:
    page.goto(station.address + "/login?next=" + path)
    page.check(f"input[value='{NAMES[role]}']")
    page.fill("#signin-secret", SECRETS[role])
    page.press("#signin-secret", "Enter")
    page.wait_for_url(lambda url: "/login" not in url)


def is_following(page: Page) -> None:
    expect(page.locator("html")).to_have_attribute("data-stream", "open", timeout=WITHIN_MS)


def check(page: Page) -> None:
    """Nothing is cut off, and nobody is kept from reading it."""
    size = page.viewport_size
    assert size is not None
    assert hindrances(page, [(size["width"], size["height"])]) == []


def check_in_every_size(page: Page) -> None:
    assert hindrances(page, SIZES) == []


# --- the first start -----------------------------------------------------------------------


def test_an_empty_station_asks_for_its_supervisor_and_then_for_its_officers(
    page: Page, empty: RunningStation
) -> None:
    page.goto(empty.address + "/")
    page.wait_for_url("**/first-start")
    page.fill("#name", "Sari Penyelia")
    page.fill("#nip", "19800101 200501 2 001")
    page.fill("#position", "Kepala Seksi")
    page.fill("#passphrase", "kartu rusak dibakar")
    page.fill("#office", "Dinas Contoh")
    page.reload()  # keeps all that was typed, but no passphrase
    expect(page.locator("#position")).to_have_value("Kepala Seksi")
    expect(page.locator("#passphrase")).to_have_value("")
    page.fill("#passphrase", "kartu rusak dibakar")
    page.fill("#again", "kartu rusak dibaker")
    page.fill("#letterhead", "KOTA CONTOH\nJalan Contoh 1")
    page.press("#again", "Enter")
    expect(page.locator("#first .refused")).to_have_text("Kedua kata sandi tidak sama.")
    page.fill("#again", "kartu rusak dibakar")
    page.press("#again", "Enter")
    page.wait_for_url("**/people")
    expect(page.locator("#office")).to_have_value("Dinas Contoh")
    page.click("#new")
    page.fill("#add-name", "Ani Petugas")
    page.fill("#add-secret", "123456")
    page.press("#add-secret", "Enter")
    expect(page.locator("#adding .refused")).to_contain_text("terlalu mudah")
    page.fill("#add-secret", "713905")
    page.press("#add-secret", "Enter")
    expect(page.locator(".person[data-name='Ani Petugas']")).to_be_visible()
    expect(page.locator("#record li").first).to_contain_text("petugas ditambahkan Ani Petugas")
    page.click("#sign-out")
    page.wait_for_url("**/login")
    page.goto(empty.address + "/")
    page.wait_for_url("**/login?next=/")


def test_the_practice_goes_on_with_nothing_typed_and_shows_the_way_out_of_it(
    page: Page, empty: RunningStation
) -> None:
    empty.create("demo-1")
    page.goto(empty.address + "/")
    is_following(page)
    page.click("text=Latihan: siapkan stasiun")
    page.wait_for_url("**/first-start")


# --- signing in ----------------------------------------------------------------------------


def test_an_officer_signs_in_by_touch(page: Page, staffed: RunningStation) -> None:
    page.goto(staffed.address + "/")
    page.check(f"input[value='{NAMES[Role.OFFICER]}']")
    press(page, SECRETS[Role.OFFICER])
    is_following(page)
    expect(page.locator("#who")).to_have_text(NAMES[Role.OFFICER])
    assert page.locator(".tabs a").all_inner_texts()[:3] == ["Petugas", "Saksi", "Tablet"]


def test_an_officer_signs_in_by_keyboard_alone(page: Page, staffed: RunningStation) -> None:
    page.goto(staffed.address + "/login")
    expect(page.locator(".tile").first).to_be_visible()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == "radio":
            break
    page.keyboard.press("Space")
    page.keyboard.type(SECRETS[Role.OFFICER], delay=80)  # a hand, not a scanner
    page.keyboard.press("Enter")
    is_following(page)


def test_five_wrong_pins_say_how_long_to_wait_and_the_right_one_waits_too(
    page: Page, staffed: RunningStation
) -> None:
    page.goto(staffed.address + "/login")
    page.check(f"input[value='{NAMES[Role.OFFICER]}']")
    refused = page.locator(".signin .refused")
    for _ in range(5):
        press(page, "000111")
        expect(refused).to_have_text("Nama atau yang diketik salah; coba lagi")
    press(page, SECRETS[Role.OFFICER])
    expect(refused).to_contain_text("Terlalu banyak percobaan salah; tunggu 1")
    page.check(f"input[value='{BUDI}']")
    press(page, BUDIS_PIN)
    is_following(page)


def test_a_card_under_the_scanner_is_no_wrong_pin(page: Page, staffed: RunningStation) -> None:
    page.goto(staffed.address + "/login")
    page.check(f"input[value='{NAMES[Role.OFFICER]}']")
    for number in range(6):
        scan_like_a_keyboard(page, nik(number))
    expect(page.locator(".signin .refused")).to_contain_text("Itu kartu")
    expect(page.locator("#signin-secret")).to_have_value("")
    press(page, SECRETS[Role.OFFICER])
    is_following(page)


# --- a change of shift ---------------------------------------------------------------------


def test_another_officer_takes_over_with_a_pin_and_the_page_goes_on(
    page: Page, staffed: RunningStation
) -> None:
    sign_in(page, staffed, Role.OFFICER)
    is_following(page)
    page.evaluate("window.isTheSamePage = true")
    page.fill("#number", nik(1))
    page.press("#number", "Enter")
    expect(page.locator("#verdict")).to_have_attribute("data-verdict", "counted")
    page.click("#hand-over")
    page.check(f"#shift input[value='{BUDI}']")
    press(page, BUDIS_PIN, "#shift")
    expect(page.locator("#shift")).not_to_be_visible()
    expect(page.locator("#who")).to_have_text(BUDI)
    page.fill("#number", nik(2))
    page.press("#number", "Enter")
    expect(page.locator("#counted")).to_have_text("2")
    assert page.evaluate("window.isTheSamePage")
    with staffed.views.connection() as connection:
        rows = connection.execute("select body ->> 'by' from entry order by sequence").fetchall()
    assert [name for (name,) in rows] == [NAMES[Role.OFFICER], NAMES[Role.OFFICER], BUDI]


def test_after_a_while_of_nothing_the_page_asks_who_is_there_and_keeps_its_place(
    page: Page, staffed: RunningStation
) -> None:
    sign_in(page, staffed, Role.OFFICER)
    is_following(page)
    page.evaluate("window.isTheSamePage = true")
    staffed.logins._idle = timedelta(0)  # the time is up
    expect(page.locator("#shift")).to_be_visible(timeout=WITHIN_MS)
    expect(page.locator("#shift-why")).to_contain_text("Tidak ada lagi yang masuk")
    page.keyboard.press("Escape")
    expect(page.locator("#shift")).to_be_visible()
    staffed.logins._idle = timedelta(minutes=15)
    page.check(f"#shift input[value='{BUDI}']")
    press(page, BUDIS_PIN, "#shift")
    expect(page.locator("#shift")).not_to_be_visible()
    staffed.scan(nik(3))
    expect(page.locator("#verdict")).to_have_attribute("data-verdict", "counted", timeout=WITHIN_MS)
    assert page.evaluate("window.isTheSamePage")


# --- a witness's tablet over HTTPS ---------------------------------------------------------


@pytest.fixture
def tablet(browser: Browser, staffed: RunningStation, tmp_path: Path) -> Iterator[Page]:
    """A page of a browser that trusts the station's authority, as the page says how to."""
    if shutil.which("certutil") is None:
        pytest.skip("certutil (libnss3-tools) is not installed")
    pages_of(staffed.app).network.start()
    store = tmp_path / ".pki" / "nssdb"
    store.mkdir(parents=True)
    authority = staffed.folder / "https" / "authority.crt"
    for arguments in (
        ["-N", "--empty-password"],
        ["-A", "-t", "C,,", "-n", "station", "-i", authority],
    ):
        subprocess.run(["certutil", "-d", f"sql:{store}", *arguments], check=True)
    trusting = browser.browser_type.launch(
        executable_path=CHROMIUM, args=ARGUMENTS, env=os.environ | {"HOME": str(tmp_path)}
    )
    yield trusting.new_page(viewport={"width": 820, "height": 1180})
    trusting.close()


def test_a_tablet_scans_the_code_and_follows_the_count_encrypted(
    page: Page, tablet: Page, staffed: RunningStation
) -> None:
    sign_in(page, staffed, Role.OFFICER, "/pairing")
    expect(page.locator("#code")).to_be_visible(timeout=WITHIN_MS)
    first_code = page.get_attribute("#code", "src")
    # What the code says, as the tablet's camera would read it.
    with page.expect_response("**/api/pairing") as made:
        page.reload()
    link = made.value.json()["address"]
    assert page.get_attribute("#code", "src") != first_code
    tablet.goto(link)
    tablet.fill("#name", "Wati")
    tablet.fill("#institution", "Inspektorat")
    tablet.press("#institution", "Enter")
    tablet.wait_for_url("**/witness")
    is_following(tablet)
    assert tablet.url.startswith("https://127.0.0.1:")
    assert tablet.evaluate("[isSecureContext, 'wakeLock' in navigator, !!crypto.subtle]") == [
        True,
        True,
        True,
    ]
    expect(page.locator("#said")).to_contain_text("Terhubung: 1", timeout=WITHIN_MS)
    staffed.scan(nik(5))
    expect(tablet.locator("#counted")).to_have_text("1", timeout=WITHIN_MS)
    assert nik(5) not in tablet.content()
    assert tablet.locator(".tabs a").all_inner_texts()[:1] == ["Saksi"]
    status = tablet.evaluate(
        "async slug => (await fetch(`/api/batches/${slug}/readings`, {method: 'POST'})).status",
        SLUG,
    )
    assert status == 403


def test_a_tablet_that_does_not_trust_the_station_is_told_how_to(
    page: Page, staffed: RunningStation
) -> None:
    network = pages_of(staffed.app).network
    network.start()
    with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
        page.goto(network.https_address + "/")
    page.wait_for_url("chrome-error:**")  # the browser's own page of warning has to come first
    page.goto(network.certificate_address + "/")
    page.wait_for_url("**/certificate")
    assert network.certificates is not None
    expect(page.locator("#fingerprint")).to_have_text(
        network.certificates.fingerprint.replace(":", " ")
    )
    with page.expect_download() as downloading:
        page.click("text=Ambil sertifikat >> nth=0")
    authority = (staffed.folder / "https" / "authority.crt").read_bytes()
    assert Path(downloading.value.path()).read_bytes() == authority


def test_a_code_that_was_used_lets_nobody_in(tablet: Page, staffed: RunningStation) -> None:
    parts = pages_of(staffed.app)
    mark = parts.pairing.issue()
    assert parts.pairing.take(mark)
    tablet.goto(f"{parts.network.https_address}/pair#{mark}")
    tablet.fill("#name", "Tamu")
    tablet.press("#name", "Enter")
    expect(tablet.locator(".refused")).to_contain_text("Kode ini sudah dipakai")
    tablet.goto(parts.network.https_address + "/witness")
    tablet.wait_for_url("**/login?next=/witness")


# --- for everybody -------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["id", "en"])
def test_everybody_can_read_and_reach_what_lets_them_in(
    page: Page, staffed: RunningStation, tmp_path: Path, language: str
) -> None:
    with RunningStation(tmp_path / "empty") as fresh:
        page.goto(fresh.address + f"/first-start?language={language}")
        check_in_every_size(page)
    pages_of(staffed.app).network.start()
    page.goto(staffed.address + f"/login?language={language}")
    expect(page.locator(".tile").first).to_be_visible()
    check_in_every_size(page)
    page.check(f"input[value='{NAMES[Role.OFFICER]}']")
    press(page, "000111")
    expect(page.locator(".refused")).not_to_be_empty()
    check_in_every_size(page)
    page.goto(staffed.address + "/pair#x")
    check_in_every_size(page)
    sign_in(page, staffed, Role.SUPERVISOR, "/people")
    expect(page.locator(".person").first).to_be_visible()
    check_in_every_size(page)
    page.click("#new")
    check_in_every_size(page)
    page.click("#adding .leave")
    page.click(".person >> nth=0 >> button >> nth=0")
    check_in_every_size(page)
    for path in ("/pairing", "/certificate"):
        page.goto(staffed.address + path)
        page.wait_for_load_state("networkidle")
        check_in_every_size(page)
    page.goto(staffed.address + "/")
    is_following(page)
    page.click("#hand-over")
    expect(page.locator("#shift .tile").first).to_be_visible()
    check_in_every_size(page)
