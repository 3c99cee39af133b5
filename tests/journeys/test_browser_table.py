"""The table in a browser: containers, unidentified cards, a second look, days, strangers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scanner_station.domain.people import Role
from tests.journeys.axe import hindrances
from tests.webapp.running import NAMES, SECRETS, SLUG, RunningStation, manifest_of, nik

SIZES = ((390, 844), (820, 1180), (1440, 900))
WITHIN_MS = 15_000
PICTURE = b"\xff\xd8\xff\xe0 what the camera saw"


@pytest.fixture
def station(data_folder: Path) -> Iterator[RunningStation]:
    with RunningStation(data_folder, cameras={"kamera": lambda: PICTURE}) as running:
        running.create()
        running.load(manifest_of(range(20), ("rusak", "pindah"), ("Alak", "Oebobo")))
        running.add_people()
        yield running


def sign_in(page: Page, station: RunningStation, role: Role, then: str) -> None:
    page.goto(station.address + "/login")
    page.check(f"input[value='{NAMES[role]}']")
    page.fill("#signin-secret", SECRETS[role])
    page.press("#signin-secret", "Enter")
    page.wait_for_url(lambda url: "/login" not in url)
    page.goto(station.address + then)


def open_table(page: Page, station: RunningStation, role: Role = Role.OFFICER) -> None:
    sign_in(page, station, role, f"/batches/{SLUG}/table")
    expect(page.locator("#state")).not_to_be_empty(timeout=WITHIN_MS)


def done(page: Page, text: str) -> None:
    expect(page.locator("#done")).to_contain_text(text, timeout=WITHIN_MS)


def agreed(page: Page, form: str, role: Role = Role.SUPERVISOR) -> None:
    page.select_option(f"#{form}-agreed" if form else "#agreed", NAMES[role])
    page.fill(f"#{form}-agreed-secret" if form else "#agreed-secret", SECRETS[role])


def test_a_day_at_the_table_from_the_zero_report_to_a_sealed_box(
    page: Page, station: RunningStation
) -> None:
    open_table(page, station)
    expect(page.locator("#now")).to_be_hidden()
    page.click("#report-zero")
    done(page, "Dibuka dengan 0 keping, diharapkan 20")
    # --- the first box
    page.fill("#label", "Kotak Alak")
    page.click("#opening button.main")
    done(page, "Kotak 1 (Kotak Alak) terbuka")
    for number in range(3):
        station.scan(nik(number))
    expect(page.locator("#open-count")).to_have_text("3", timeout=WITHIN_MS)
    # --- a card on which nothing is legible, in two clicks that are one wish
    page.click("#take-in")
    page.fill("#taking-category", "rusak")
    page.dblclick("#taking button.main")
    done(page, "Kartu tak dikenali nomor 1")
    waiting = page.locator("#waiting li")
    expect(waiting).to_have_count(1)
    with page.expect_popup() as popup:
        waiting.locator("a").click()
    assert popup.value.url.endswith("/photographs/5")
    popup.value.close()
    # --- sealing asks for the second person, who is another one
    page.click("#seal")
    page.fill("#seal-number", "KPG-0001")
    assert NAMES[Role.OFFICER] not in page.locator("#seal-agreed").inner_text()
    agreed(page, "seal")
    page.fill("#seal-agreed-secret", "salah")
    page.click("#sealing button.main")
    expect(page.locator("#sealing .refused")).not_to_be_empty()
    # --- the session ends in the middle of it: one signs in on top, and nothing typed is lost
    officer = station.people.find(NAMES[Role.OFFICER])
    assert officer is not None
    station.logins.end_all_of(officer.id)
    agreed(page, "seal")
    page.click("#sealing button.main")
    again = page.locator("#again")
    again.locator(f"input[value='{NAMES[Role.OFFICER]}']").check(timeout=WITHIN_MS)
    again.locator("[name=secret]").fill(SECRETS[Role.OFFICER])
    again.locator("[name=secret]").press("Enter")
    expect(again).to_be_hidden(timeout=WITHIN_MS)
    expect(page.locator("#seal-number")).to_have_value("KPG-0001")
    page.click("#sealing button.main")
    done(page, "Wadah 1 disegel dengan 4 keping")
    row = page.locator("#containers [data-number='1']")
    expect(row).to_contain_text("KPG-0001")
    label = page.request.get(station.address + (row.locator("a").get_attribute("href") or ""))
    assert label.headers["content-type"] == "application/pdf"
    assert label.body().startswith(b"%PDF")
    # --- breaking it takes two
    row.locator("button").click()
    page.fill("#break-reason", "salah kartu")
    page.select_option("#break-with", NAMES[Role.SUPERVISOR])
    page.fill("#break-secret", SECRETS[Role.SUPERVISOR])
    page.click("#breaking button.main")
    done(page, "Segel wadah 1 dibuka")
    row.locator("button").click()
    page.fill("#seal-number", "KPG-0001")
    page.click("#sealing button.main")
    expect(page.locator("#sealing .refused")).to_contain_text("KPG-0001")
    page.fill("#seal-number", "KPG-0002")
    page.click("#sealing button.main")
    done(page, "Wadah 1 disegel dengan 4 keping")


def test_a_day_ends_with_a_figure_and_the_next_begins_with_the_same(
    page: Page, station: RunningStation
) -> None:
    for number in range(3):
        station.scan(nik(number))
    open_table(page, station)
    page.click("#pause")
    page.click("#pausing button.main")
    done(page, "Angka penutup 3")
    expect(page.locator("#resting")).to_be_visible()
    expect(page.locator("#take-in")).to_be_hidden()
    page.goto(station.address + "/")
    expect(page.locator("#banner-paused")).to_contain_text("Penghitungan dijeda", timeout=WITHIN_MS)
    expect(page.locator("#batch option:checked")).to_have_text("Pemusnahan 19 Desember 2018")
    page.click("#banner-paused a")
    page.fill("#figure", "4")
    page.press("#figure", "Enter")
    expect(page.locator("#resuming .refused")).to_contain_text("4 bukan angka penutup terakhir 3")
    page.fill("#figure", "3")
    page.press("#figure", "Enter")
    done(page, "Dilanjutkan dengan 3 keping")
    page.fill("#lot", "Alak")
    page.press("#lot", "Enter")
    done(page, "Lot: Alak")
    expect(page.locator("#days li")).to_have_count(4)


def test_typed_cards_are_agreed_to_once_with_the_picture_that_the_camera_kept(
    page: Page, station: RunningStation
) -> None:
    sign_in(page, station, Role.OFFICER, "/")
    expect(page.locator("#last .nothing")).to_be_visible(timeout=WITHIN_MS)
    for number in (1, 2):
        page.fill("#number", nik(number))
        page.press("#number", "Enter")
        expect(page.locator("#counted")).to_have_text(str(number), timeout=WITHIN_MS)
    page.click("#table")
    expect(page.locator("#waiting li")).to_have_count(2, timeout=WITHIN_MS)
    expect(page.locator("#waiting")).to_contain_text("Nama 1")
    assert nik(1) not in page.content()
    photograph = page.locator("#waiting li a").first.get_attribute("href") or ""
    assert page.request.get(station.address + photograph).body() == PICTURE
    page.click("#agree")
    agreed(page, "")
    page.click("#agreeing button.main")
    done(page, "Disetujui: 2")
    expect(page.locator("#second-look")).to_be_hidden()


def test_two_people_add_a_stranger_with_a_reason(page: Page, station: RunningStation) -> None:
    station.scan(nik(1))
    station.scan(nik(900))
    open_table(page, station)
    stranger = page.locator("#strangers li")
    expect(stranger).to_have_count(1)
    assert nik(900) not in page.content()
    stranger.locator("button").click()
    page.fill("#add-category", "rusak")
    page.fill("#add-district", "Alak")
    page.fill("#add-reason", "tertinggal di daftar")
    page.select_option("#add-with", NAMES[Role.SUPERVISOR])
    page.fill("#add-secret", SECRETS[Role.SUPERVISOR])
    page.click("#adding button.main")
    done(page, "Ditambahkan ke hitungan sebagai entri 3")
    expect(page.locator("#strange")).to_be_hidden()
    shown = station.client_of(Role.SUPERVISOR).get(f"/api/batches/{SLUG}").json
    assert (shown["counted"], shown["added"], shown["burned"]) == (1, 1, 2)


def test_a_card_from_a_sealed_box_alarms_until_somebody_has_seen_it(
    page: Page, station: RunningStation
) -> None:
    client = station.client_of(Role.OFFICER)
    batch = f"/api/batches/{SLUG}"
    assert client.post(f"{batch}/containers", json={"form": "box"}).status_code == 201
    sign_in(page, station, Role.OFFICER, "/")
    expect(page.locator("#container")).to_have_text("Kotak 1: 0 keping", timeout=WITHIN_MS)
    station.scan(nik(1))
    expect(page.locator("#container")).to_have_text("Kotak 1: 1 keping", timeout=WITHIN_MS)
    client.post(f"{batch}/containers/1/seal", json={"seal_number": "KPG-1"})
    expect(page.locator("#container")).to_have_text("Tidak ada wadah terbuka", timeout=WITHIN_MS)
    again = station.scan(nik(1))
    expect(page.locator(f"#verdict[data-sequence='{again.sequence}']")).to_have_attribute(
        "data-verdict", "under_seal", timeout=WITHIN_MS
    )
    expect(page.locator("#detail")).to_contain_text("wadah 1 yang disegel")
    assert '"under_seal":1' in (page.locator("html").get_attribute("data-played") or "")
    station.scan(nik(2))
    expect(page.locator("#verdict")).to_have_attribute("data-verdict", "counted", timeout=WITHIN_MS)
    alarm = page.locator("#banner-alarm")
    expect(alarm).to_contain_text("wadah 1")
    alarm.locator("button").click()
    expect(alarm).to_be_hidden()


def test_words_meant_to_break_a_page_are_shown_as_words(
    page: Page, station: RunningStation
) -> None:
    hostile = "<img src=x onerror=\"document.title='broken'\"> & 'Alak'"
    boss = station.client_of(Role.SUPERVISOR)
    batch = f"/api/batches/{SLUG}"
    boss.post(f"{batch}/containers", json={"label": hostile})
    station.scan(nik(900))
    boss.post(f"{batch}/unidentified", json={"category": hostile, "reason": hostile})
    boss.post(f"{batch}/lots", json={"lot": hostile})
    boss.post(f"{batch}/declared", json={"by_district": {hostile: 3}, "reason": hostile})
    boss.post(f"{batch}/objections", json={"witness": "Cici", "objection": hostile})
    boss.post(f"{batch}/refusals", json={"witness": "Dodi", "objection": hostile})
    open_table(page, station, Role.SUPERVISOR)
    for place in ("#open-name", "#waiting", "#days"):
        expect(page.locator(place)).to_contain_text(hostile)
    page.goto(f"{station.address}/batches/{SLUG}/closing")
    for place in ("#by-category", "#by-district", "#differences", "#said"):
        expect(page.locator(place)).to_contain_text(hostile, timeout=WITHIN_MS)
    page.goto(station.address + "/")
    expect(page.locator("#container")).to_contain_text(hostile, timeout=WITHIN_MS)
    assert page.title() != "broken"
    assert page.locator("main img[src='x']").count() == 0


def test_the_back_button_after_sealing_shows_a_sealed_batch(
    page: Page, station: RunningStation
) -> None:
    station.create("kecil", "Batch kecil")
    station.scan(nik(1), "kecil")
    sign_in(page, station, Role.SUPERVISOR, "/batches/kecil/table")
    expect(page.locator("#opening")).to_be_visible(timeout=WITHIN_MS)
    page.goto(f"{station.address}/batches/kecil/closing")
    expect(page.locator("#seal")).to_be_visible(timeout=WITHIN_MS)
    two = {"seconded_by": NAMES[Role.OFFICER], "seconded_secret": SECRETS[Role.OFFICER]}
    sealed = station.client_of(Role.SUPERVISOR).post("/api/batches/kecil/seal", json=two)
    assert sealed.status_code == 200
    page.go_back()
    expect(page.locator("#state")).to_have_text("disegel", timeout=WITHIN_MS)
    expect(page.locator("#opening")).to_be_hidden()
    expect(page.locator("#take-in")).to_be_hidden()
    page.go_forward()
    expect(page.locator("#state")).to_have_text("disegel", timeout=WITHIN_MS)
    expect(page.locator("#seal")).to_be_hidden()


def test_everybody_can_read_the_tables_page(page: Page, station: RunningStation) -> None:
    for payload in [*map(nik, range(5)), nik(900)]:
        station.scan(payload)
    client = station.client_of(Role.OFFICER)
    batch = f"/api/batches/{SLUG}"
    client.post(f"{batch}/unidentified", json={"camera": True})
    client.post(f"{batch}/containers", json={"form": "sack", "label": "Karung Kecamatan Alak"})
    open_table(page, station)
    expect(page.locator("#waiting li")).to_have_count(1)
    assert hindrances(page, SIZES) == []
    for dialog in ("#seal", "#take-in", "#agree", "#pause"):
        page.click(dialog)
        assert hindrances(page, SIZES) == [], dialog
        page.click("dialog[open] .leave")
