"""What was typed outlasts a reload, a stop of the station and the end of a session."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scanner_station.domain.people import Role
from tests.journeys.test_browser_people import sign_in
from tests.webapp.running import NAMES, SECRETS, SLUG, RunningStation, manifest_of, nik

WITHIN_MS = 15_000
KEPT = "JSON.stringify({...sessionStorage, ...localStorage})"


@pytest.fixture
def running(data_folder: Path) -> Iterator[RunningStation]:
    with RunningStation(data_folder) as running:
        running.create()
        running.load(manifest_of(range(9), ("rusak",), ("Oebobo", "Alak")))
        running.add_people()
        running.scan(nik(1))
        running.scan(nik(2))
        yield running


def end_session(running: RunningStation, role: Role) -> None:
    person = running.people.find(NAMES[role])
    assert person is not None
    running.logins.end_all_of(person.id)


def test_what_a_supervisor_began_stands_in_its_dialog_after_a_reload_but_no_secret(
    running: RunningStation, page: Page
) -> None:
    sign_in(page, running, Role.SUPERVISOR, "/supervisor")
    page.click("#new")
    page.fill("#new-title", "Pemusnahan Rabu")
    page.fill("#new-slug", "rabu-pagi")
    page.click("#new-more summary")
    page.fill("#new-declared", "rusak = 2.129\npindah datang = 500")
    page.reload()
    expect(page.locator("#creating")).to_be_visible(timeout=WITHIN_MS)
    expect(page.locator("#new-declared")).to_have_value("rusak = 2.129\npindah datang = 500")
    page.fill("#new-title", "Pemusnahan Rabu pagi")  # a name of one's own is not made anew
    expect(page.locator("#new-slug")).to_have_value("rabu-pagi")
    page.press("#new-title", "Escape")
    page.reload()
    page.wait_for_selector(".batch")
    expect(page.locator("#creating")).to_be_hidden()
    page.click("#new")
    expect(page.locator("#new-title")).to_have_value("Pemusnahan Rabu pagi")
    page.click("#creating button[type=submit]")
    expect(page.locator(".batch[data-slug=rabu-pagi]")).to_be_visible(timeout=WITHIN_MS)
    page.click("#new")
    expect(page.locator("#new-title")).to_have_value("")

    page.click("#creating .leave")
    page.locator(".batch[data-slug=rabu-pagi] button.main").click()
    clean = manifest_of(range(3), ("rusak",), ("Alak",)).encode()
    listed = {"name": "daftar.csv", "mimeType": "text/csv", "buffer": clean}
    page.set_input_files("#manifest-file", listed)  # type: ignore[arg-type]  # one FilePayload
    expect(page.locator("#manifest")).to_have_attribute("data-state", "checked", timeout=WITHIN_MS)
    page.reload()
    expect(page.locator("#manifest")).to_have_attribute("data-state", "checked", timeout=WITHIN_MS)
    page.click("#manifest-import")
    expect(page.locator("#manifest")).to_have_attribute("data-state", "written", timeout=WITHIN_MS)
    page.click("#manifest-stop")
    page.reload()
    expect(page.locator(".batch[data-slug=rabu-pagi]")).to_contain_text("dari 3 terhitung")
    expect(page.locator("#manifest")).to_be_hidden()

    page.goto(f"{running.address}/batches/{SLUG}/closing")
    page.locator("#differences button").first.click(timeout=WITHIN_MS)
    about = page.locator("#explaining-what").text_content() or ""
    page.fill("#explain-reason", "tertinggal di kecamatan")
    page.select_option("#explain-with", NAMES[Role.OFFICER])
    page.fill("#explain-secret", SECRETS[Role.OFFICER])
    page.reload()
    expect(page.locator("#explaining-what")).to_have_text(about, timeout=WITHIN_MS)
    expect(page.locator("#explain-reason")).to_have_value("tertinggal di kecamatan")
    expect(page.locator("#explain-with")).to_have_value(NAMES[Role.OFFICER])
    expect(page.locator("#explain-secret")).to_have_value("")
    page.fill("#explain-reason", f"kartu {nik(7)} hilang")
    kept = page.evaluate(KEPT)
    assert SECRETS[Role.OFFICER] not in kept
    assert nik(7) not in kept
    page.click("#explaining .leave")
    page.reload()
    page.wait_for_selector("#differences li")
    expect(page.locator("#explaining")).to_be_hidden()


def test_a_reason_and_a_seal_outlast_the_session_and_the_station(
    running: RunningStation, page: Page
) -> None:
    sign_in(page, running, Role.OFFICER)
    page.click("#undo", timeout=WITHIN_MS)
    what = page.locator("#undo-what").text_content() or ""
    page.fill("#reason", "kartu milik kecamatan lain")
    running.stop()
    running.start()
    end_session(running, Role.OFFICER)
    page.reload()
    page.check(f"input[value='{NAMES[Role.OFFICER]}']")
    page.fill("#signin-secret", SECRETS[Role.OFFICER])
    page.press("#signin-secret", "Enter")
    expect(page.locator("#undoing")).to_be_visible(timeout=WITHIN_MS)
    assert what.split(" · ")[0] in (page.locator("#undo-what").text_content() or "")
    expect(page.locator("#reason")).to_have_value("kartu milik kecamatan lain")
    page.press("#reason", "Enter")
    expect(page.locator("#counted")).to_have_text("1", timeout=WITHIN_MS)
    page.reload()
    expect(page.locator("#counted")).to_have_text("1", timeout=WITHIN_MS)
    expect(page.locator("#undoing")).to_be_hidden()

    post = running.client_of(Role.OFFICER).post
    post(f"/api/batches/{SLUG}/containers", json={"form": "box", "label": "Oebobo"})
    page.goto(f"{running.address}/batches/{SLUG}/table")
    page.fill("#lot", "Kecamatan Alak")
    page.click("#seal", timeout=WITHIN_MS)
    page.fill("#seal-number", "KPG-000117")
    page.reload()
    expect(page.locator("#seal-number")).to_have_value("KPG-000117", timeout=WITHIN_MS)
    expect(page.locator("#sealing .card")).to_contain_text("Kotak 1 (Oebobo)")
    page.press("#seal-number", "Enter")
    expect(page.locator("#containers tr[data-state=sealed]")).to_be_visible(timeout=WITHIN_MS)
    # What had the focus is gone: it goes to what comes next.
    expect(page.get_by_role("link", name="Kembali menghitung")).to_be_focused()
    expect(page.locator("#lot")).to_have_value("Kecamatan Alak")
