"""What the supervisor does at the desk: batches with all their particulars, files, languages."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scanner_station.domain.people import Role
from scanner_station.service import views
from tests.journeys.test_browser_witness import WITHIN_MS
from tests.webapp.running import NAMES, SECRETS, SLUG, RunningStation, manifest_of, nik


@pytest.fixture
def running(data_folder: Path) -> Iterator[RunningStation]:
    with RunningStation(data_folder) as station:
        yield station


def test_a_batch_is_created_once_with_all_that_was_declared(
    running: RunningStation, page: Page
) -> None:
    page.goto(running.address + "/supervisor")
    page.locator("#new").click()
    page.locator("#new-title").fill("Pemusnahan Rabu")
    page.locator("#new-place").fill("Halaman Dinas")
    page.locator("[name=schemes][value=uid]").check()
    page.locator("#new-more summary").click()
    page.locator("#new-total").fill("2.629")
    page.locator("#new-declared").fill("invalid = 2.129\npindah datang: 500")
    page.locator("#new-districts").fill("Oebobo = dua")
    create = page.locator("#creating button[type=submit]")
    create.click()
    expect(page.locator("#creating .refused")).to_contain_text("Oebobo = dua", timeout=WITHIN_MS)
    page.locator("#new-districts").fill("Oebobo = 2629")
    create.dblclick()
    expect(page.locator(".batch[data-slug=pemusnahan-rabu]")).to_be_visible(timeout=WITHIN_MS)
    expect(page.locator("#creating")).not_to_be_visible()
    with running.views.connection() as connection:
        made = views.summary(connection, "pemusnahan-rabu")
    assert made["schemes"] == ["nik", "uid"]
    assert made["declared"] == {"invalid": 2129, "pindah datang": 500}
    assert made["declared_by_district"] == {"Oebobo": 2629}
    assert made["declared_total"] == 2629


def test_openings_are_given_only_after_a_warning(running: RunningStation, page: Page) -> None:
    running.create()
    running.scan(nik(1))
    page.goto(running.address + "/supervisor")
    page.get_by_role("button", name="Pembuka…").click(timeout=WITHIN_MS)
    warning = page.locator("#opening")
    expect(warning).to_contain_text("memuat setiap nomor identitas")
    with page.expect_download() as saved:
        warning.get_by_text("Tetap unduh").click()
    assert saved.value.suggested_filename == f"{SLUG}-openings.jsonl"
    lines = Path(saved.value.path()).read_text("utf-8").splitlines()
    assert any(nik(1) in json.dumps(json.loads(line)) for line in lines)
    expect(warning).not_to_be_visible()


@pytest.mark.parametrize(
    ("language", "counted", "day", "time"),
    [
        ("id", "dari 2.629 terhitung", "Rabu, 19 Desember 2018", r"\d\d\.\d\d\.\d\d WITA"),
        ("en", "of 2,629 counted", "Wednesday, 19 December 2018", r"\d\d:\d\d:\d\d WITA"),
    ],
)
def test_numbers_days_and_times_are_written_in_the_language_of_the_page(
    running: RunningStation, page: Page, language: str, counted: str, day: str, time: str
) -> None:
    running.create()
    running.load(manifest_of(range(2629), ("rusak",), ("Alak",)))
    page.goto(f"{running.address}/supervisor?language={language}")
    batch = page.locator(f".batch[data-slug={SLUG}]")
    expect(batch).to_contain_text(counted, timeout=WITHIN_MS)
    expect(batch).to_contain_text(day)
    expect(page.locator("html")).to_have_attribute("lang", language)
    page.goto(running.address + "/witness")
    expect(page.locator("#expected")).to_have_text(counted.split(" ")[1], timeout=WITHIN_MS)
    expect(page.locator("#where")).to_contain_text(day)
    expect(page.locator("#clock")).to_have_text(re.compile(time))


def test_the_batches_stay_fresh_under_a_slow_finger_and_beside_the_focus(
    running: RunningStation, page: Page
) -> None:
    running.create()
    running.load(manifest_of(range(9), ("rusak",), ("Alak",)))
    page.goto(running.address + "/supervisor")
    batch = page.locator(f".batch[data-slug={SLUG}]")
    expect(batch).to_contain_text("dari 9 terhitung", timeout=WITHIN_MS)
    running.scan(nik(1))  # the next look will draw the batch anew, after the finger is off
    batch.get_by_role("button", name="Batalkan").click(delay=2500)
    expect(page.locator("#cancelling")).to_be_visible(timeout=WITHIN_MS)
    page.locator("#cancelling .leave").click()
    batch.get_by_role("button", name="Batalkan").focus()
    running.scan(nik(2))
    expect(batch.locator(".big")).to_have_text("2", timeout=WITHIN_MS)
    expect(batch.get_by_role("button", name="Batalkan")).to_be_focused()


def sign_in(page: Page, running: RunningStation, where: str) -> None:
    page.goto(f"{running.address}/login?next={where}")
    page.locator(f"input[value='{NAMES[Role.SUPERVISOR]}']").check(timeout=WITHIN_MS)
    page.locator("#signin-secret").fill(SECRETS[Role.SUPERVISOR])
    page.locator("#signin-secret").press("Enter")
    page.wait_for_url(f"**{where}", timeout=WITHIN_MS)


def test_a_session_that_ends_while_a_batch_is_typed_loses_nothing(
    running: RunningStation, page: Page
) -> None:
    running.add_people()
    sign_in(page, running, "/supervisor")
    page.locator("#new").click()
    page.locator("#creating button[type=submit]").click()
    title, slug = page.locator("#new-title"), page.locator("#new-slug")
    lacks = "field => field.validationMessage"
    assert title.evaluate(lacks) == "Isi dahulu bagian ini."  # whatever the browser's language
    title.fill("Pemusnahan Rabu")
    assert title.evaluate(lacks) == ""
    slug.fill("x y")
    page.locator("#creating button[type=submit]").click()
    assert slug.evaluate(lacks).startswith("Hanya a-z, 0-9")
    slug.fill("pemusnahan-rabu")
    person = running.people.find(NAMES[Role.SUPERVISOR])
    assert person is not None
    running.logins.end_all_of(person.id)
    page.locator("#creating button[type=submit]").click()
    again = page.locator("#again")
    expect(again).to_be_visible(timeout=WITHIN_MS)
    again.locator("[name=secret]").fill("salah sekali")
    again.locator("[name=secret]").press("Enter")
    expect(again.locator(".refused")).not_to_be_empty(timeout=WITHIN_MS)
    again.locator("[name=secret]").fill(SECRETS[Role.SUPERVISOR])
    again.locator("[name=secret]").press("Enter")
    expect(again).not_to_be_visible(timeout=WITHIN_MS)
    expect(page.locator("#new-title")).to_have_value("Pemusnahan Rabu")
    page.locator("#creating button[type=submit]").click()
    expect(page.locator(".batch[data-slug=pemusnahan-rabu]")).to_be_visible(timeout=WITHIN_MS)


@pytest.mark.parametrize("where", ["/day", f"/batches/{SLUG}/minutes"])
def test_after_signing_in_one_is_where_one_was(
    running: RunningStation, page: Page, where: str
) -> None:
    running.create()
    running.add_people()
    sign_in(page, running, where)


@pytest.mark.parametrize(
    "evil", ["//evil.example/", "https://evil.example/", "javascript:alert(1)"]
)
def test_signing_in_leads_to_no_other_site(running: RunningStation, page: Page, evil: str) -> None:
    running.add_people()
    page.goto(f"{running.address}/login?next={evil}")
    page.locator(f"input[value='{NAMES[Role.SUPERVISOR]}']").check(timeout=WITHIN_MS)
    page.locator("#signin-secret").fill(SECRETS[Role.SUPERVISOR])
    page.locator("#signin-secret").press("Enter")
    page.wait_for_url(f"{running.address}/supervisor", timeout=WITHIN_MS)
