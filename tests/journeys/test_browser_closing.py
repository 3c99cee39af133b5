"""Closing a batch in a browser: Kupang's figures of 19 December 2018, refused and then sealed.

Source: 2,129 + 500 are the figures of Antara NTT, 2,169 + 500 those of another paper; the cards
are made up.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scanner_station.domain.people import Role
from tests.journeys.axe import hindrances
from tests.webapp.running import NAMES, SECRETS, SLUG, RunningStation, manifest_of, nik

SIZES = ((390, 844), (820, 1180), (1440, 900))
WITHIN_MS = 30_000
DAMAGED, MOVED = 2129, 500


@pytest.fixture
def station(data_folder: Path) -> Iterator[RunningStation]:
    with RunningStation(data_folder) as running:
        running.create()
        yield running


def kupang(station: RunningStation, damaged: int, moved: int) -> None:
    """List damaged and moved residents' cards, six districts in turn."""
    lines = [
        f"{nik(n)},Nama {n},{'rusak' if n < damaged else 'pindah'},Kecamatan {n % 6}"
        for n in range(damaged + moved)
    ]
    station.load("\n".join(["nik,nama,kategori,kecamatan", *lines, ""]))


def open_closing(page: Page, station: RunningStation) -> None:
    page.goto(station.address + "/login")
    page.check(f"input[value='{NAMES[Role.SUPERVISOR]}']")
    page.fill("#signin-secret", SECRETS[Role.SUPERVISOR])
    page.press("#signin-secret", "Enter")
    page.wait_for_url(lambda url: "/login" not in url)
    page.goto(f"{station.address}/batches/{SLUG}/closing")
    expect(page.locator("#by-category tfoot")).to_be_visible(timeout=WITHIN_MS)


def second(page: Page, form: str, role: Role = Role.OFFICER) -> None:
    page.select_option(f"#{form}-with", NAMES[role])
    page.fill(f"#{form}-secret", SECRETS[role])
    page.press(f"#{form}-secret", "Enter")


@pytest.mark.slow
def test_kupangs_two_figures_are_refused_until_the_wrong_one_is_corrected(
    page: Page, station: RunningStation
) -> None:
    kupang(station, DAMAGED, MOVED)
    for n in range(DAMAGED + MOVED):
        station.scan(nik(n))
    station.add_people()
    open_closing(page, station)
    page.fill("#declared-category", "rusak = 2.169\npindah = 500")
    page.fill("#declared-total", "2.629")
    page.click("#declaring button.main")
    expect(page.locator("#declaring .refused")).to_have_text("")
    expect(page.locator("#declaring .done")).not_to_have_text("", timeout=WITHIN_MS)
    first = page.locator("#hindrances li").first
    expect(first).to_contain_text("rusak", timeout=WITHIN_MS)
    expect(first).to_contain_text("+40")
    expect(first).to_contain_text("Betulkan angka yang dinyatakan")
    expect(page.locator("#seal")).to_be_hidden()
    page.fill("#declared-category", "rusak = 2.129\npindah = 500")
    page.click("#declaring button.main")
    expect(page.locator("#seal")).to_be_visible(timeout=WITHIN_MS)
    page.click("#seal")
    assert NAMES[Role.SUPERVISOR] not in page.locator("#seal-with").inner_text()  # one is not two
    second(page, "seal")
    expect(page.locator("#state")).to_have_text("disegel", timeout=WITHIN_MS)
    expect(page.locator("#by-category tfoot [data-key='burned']")).to_have_text("2.629")
    expect(page.locator("#after a.main:visible")).to_have_attribute("href", f"/head?batch={SLUG}")
    page.fill("#burn-method", "dibakar")
    page.fill("#burn-present", "Inspektorat, Satpol PP")
    page.click("#burning button.main")
    expect(page.locator("#burned")).to_contain_text("Satpol PP", timeout=WITHIN_MS)


def test_forty_missing_cards_are_listed_explained_by_two_and_then_it_closes(
    page: Page, station: RunningStation
) -> None:
    kupang(station, 90, 30)
    for n in range(40, 120):
        station.scan(nik(n))
    station.add_people()
    open_closing(page, station)
    expect(page.locator("#seal")).to_be_hidden()
    page.click("#lists [data-list='missing'] summary")
    rows = page.locator("#lists [data-list='missing'] tbody tr")
    expect(rows).to_have_count(40)
    expect(rows.filter(has_text="Nama 7")).to_contain_text("Kecamatan 1")
    assert nik(7) not in page.content()
    open_ones = page.locator("#differences li[data-what='missing'][data-state='open']")
    for left in range(6, 0, -1):
        expect(open_ones).to_have_count(left, timeout=WITHIN_MS)
        open_ones.first.locator("button").click()
        page.fill("#explain-reason", "tertinggal di kecamatan")
        second(page, "explain")
        expect(page.locator("#explaining")).to_be_hidden(timeout=WITHIN_MS)
    expect(page.locator("#differences")).to_contain_text(NAMES[Role.OFFICER])
    page.click("#seal")
    second(page, "seal")
    expect(page.locator("#state")).to_have_text("disegel", timeout=WITHIN_MS)
    expect(page.locator("#by-district tfoot [data-key='missing']")).to_have_text("40")


def test_everything_that_stands_in_the_way_is_said_and_goes_away_one_by_one(
    page: Page, station: RunningStation
) -> None:
    station.load(manifest_of(range(3), ("rusak",), ("Alak",)))
    for n in range(3):
        station.scan(nik(n))
    station.add_people()
    station.presenting = ["kamera"]
    officer = station.client_of(Role.OFFICER)
    batch = f"/api/batches/{SLUG}"
    officer.post(f"{batch}/containers", json={"form": "box"})
    officer.post(f"{batch}/unidentified", json={})
    witness = station.client_of(Role.WITNESS)
    said = {"objection": "satu kartu tidak terlihat"}
    assert witness.post(f"{batch}/objections", json=said).status_code == 201
    assert witness.post(f"{batch}/notes", json={"note": "hujan pukul 10"}).status_code == 201
    open_closing(page, station)
    way = page.locator("#hindrances li")
    expect(way).to_have_count(4)
    expect(page.locator("#seal")).to_be_hidden()
    for place, text in enumerate(
        ["wadah 1 belum disegel", "orang kedua", f"keberatan {NAMES[Role.WITNESS]}", "kamera"]
    ):
        expect(way.nth(place)).to_contain_text(text, ignore_case=True)
    expect(page.locator("#where-to")).to_be_visible()
    # --- the same over the interface, each by name
    boss = station.client_of(Role.SUPERVISOR)
    two = {"seconded_by": NAMES[Role.OFFICER], "seconded_secret": SECRETS[Role.OFFICER]}
    refused = boss.post(f"{batch}/seal", json=two)
    assert (refused.status_code, len(refused.json["hindrances"])) == (409, 4)
    # --- one by one
    seal = {"seal_number": "KPG-1", "agreed_by": NAMES[Role.SUPERVISOR]}
    seal["agreed_secret"] = SECRETS[Role.SUPERVISOR]
    assert officer.post(f"{batch}/containers/1/seal", json=seal).status_code == 200
    page.click("#said button")
    page.fill("#answer", "dihitung ulang di depan saksi")
    page.press("#answer", "Enter")
    expect(page.locator("#said")).to_contain_text("dihitung ulang", timeout=WITHIN_MS)
    page.click("#refuse")
    page.fill("#refusing-witness", "Dodi Lay")
    page.fill("#refusing-institution", "Satpol PP")
    page.fill("#refusing-text", "tidak diberi waktu")
    page.press("#refusing-text", "Enter")
    expect(page.locator("#said li")).to_have_count(3, timeout=WITHIN_MS)
    expect(page.locator("#said li[data-state=note]")).to_contain_text("hujan pukul 10")
    expect(way).to_have_count(1)
    station.presenting = []
    expect(page.locator("#seal")).to_be_visible(timeout=WITHIN_MS)
    me = {"seconded_by": NAMES[Role.SUPERVISOR], "seconded_secret": SECRETS[Role.SUPERVISOR]}
    same = boss.post(f"{batch}/seal", json=me)
    assert (same.status_code, "dua orang" in same.json["error"]) == (400, True)
    page.click("#seal")
    second(page, "seal")
    expect(page.locator("#state")).to_have_text("disegel", timeout=WITHIN_MS)
    expect(page.locator("#lists [data-list='unidentified'] summary")).to_contain_text("1")
    # --- what is found later is a supplement that refers to it
    page.click("#after a[href*='supplement']")
    expect(page.locator("#new-supplements")).to_have_value(SLUG, timeout=WITHIN_MS)
    page.fill("#new-title", "Susulan")
    page.press("#new-title", "Enter")
    expect(page.locator(".batch[data-slug='susulan']")).to_contain_text(
        f"Susulan batch {SLUG}", timeout=WITHIN_MS
    )


def test_everybody_can_read_the_closing_page(page: Page, station: RunningStation) -> None:
    station.load(manifest_of(range(40), ("rusak", "pindah datang"), ("Oebobo", "Alak")))
    for payload in [*map(nik, range(30)), nik(900), "12345"]:
        station.scan(payload)
    station.add_people()
    open_closing(page, station)
    assert hindrances(page, SIZES) == []
