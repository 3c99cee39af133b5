"""The supervisor prepares the minutes in a browser and takes the paper away."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

from scanner_station.domain.people import Role
from tests.journeys.test_browser_people import check, sign_in
from tests.webapp.running import NAMES, SLUG, RunningStation, manifest_of, nik

PATH = f"/batches/{SLUG}/minutes"


@pytest.fixture
def running(data_folder: Path) -> Iterator[RunningStation]:
    with RunningStation(data_folder) as station:
        station.create()
        station.load(manifest_of(range(10), ("rusak",), ("Alak",)))
        station.scan(nik(1))
        station.add_people()
        yield station


def test_what_is_entered_once_stands_on_the_paper(
    page: Page, running: RunningStation, tmp_path: Path
) -> None:
    sign_in(page, running, Role.SUPERVISOR, "/supervisor")
    page.click(f".batch a[href='{PATH}']")
    page.fill("#number", "470/7/CONTOH")
    page.click("#add-officer")
    page.fill("#officers .signer input >> nth=0", NAMES[Role.OFFICER])
    page.fill("#officers .signer [data-field=position]", "Kepala Seksi")
    for name in ("Saksi Satu", "Saksi Dua"):
        page.click("#add-witness")
        page.keyboard.type(name)
    page.click("#witnesses .signer >> nth=0 >> button")
    page.click("#particulars button[type=submit]")
    expect(page.locator("#particulars .done")).not_to_be_empty()
    page.reload()
    expect(page.locator("#number")).to_have_value("470/7/CONTOH")
    expect(page.locator("#witnesses .signer")).to_have_count(1)
    with page.expect_download() as download:
        page.click("a.button.main")
    download.value.save_as(tmp_path / "m.pdf")
    text = " ".join(one.extract_text() for one in PdfReader(tmp_path / "m.pdf").pages)
    for said in ("470/7/CONTOH", NAMES[Role.OFFICER], "Kepala Seksi", "Saksi Dua"):
        assert said in text
    assert "Saksi Satu" not in text


def test_what_is_refused_is_said_and_nothing_typed_is_lost(
    page: Page, running: RunningStation
) -> None:
    sign_in(page, running, Role.SUPERVISOR)
    page.goto(running.address + PATH)
    page.click("#add-officer")
    page.keyboard.type("Contoh")
    page.fill("#officers [data-field=nip]", "12")
    page.click("#particulars button[type=submit]")
    expect(page.locator("#particulars .refused")).to_contain_text("NIP")
    expect(page.locator("#officers [data-field=name]")).to_have_value("Contoh")


@pytest.mark.parametrize("width", [320, 820, 1440])
@pytest.mark.parametrize("language", ["id", "en"])
def test_everybody_can_read_and_reach_the_page(
    browser: Browser, running: RunningStation, width: int, language: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    try:
        sign_in(page, running, Role.SUPERVISOR)
        page.goto(f"{running.address}{PATH}?language={language}")
        page.click("#add-officer")
        page.click("#add-witness")
        check(page)
    finally:
        context.close()
