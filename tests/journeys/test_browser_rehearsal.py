"""A rehearsal in a browser: one tick makes it, and every page says what it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from scanner_station.domain.rehearsal import MARK
from tests.webapp.running import RunningStation, nik


@pytest.fixture
def running(data_folder: Path) -> Iterator[RunningStation]:
    with RunningStation(data_folder) as station:
        station.create()
        station.scan(nik(1))
        yield station


def test_a_rehearsal_is_one_tick_and_marked_on_every_page(
    page: Page, running: RunningStation, tmp_path: Path
) -> None:
    page.goto(running.address + "/supervisor")
    page.click("#new")
    page.fill("#new-title", "Latihan regu A")
    page.check("#new-rehearsal")
    expect(page.locator("#new-schemes")).to_be_hidden()
    page.click("#creating button[type=submit]")
    made = page.locator(".batch[data-slug=latihan-regu-a]")
    expect(made).to_contain_text("LATIHAN")
    with page.expect_download() as download:
        made.get_by_text("Kartu uji (PDF)").click()
    download.value.save_as(tmp_path / "cards.pdf")
    assert len(PdfReader(tmp_path / "cards.pdf").pages) == 3

    mark = page.locator("#rehearsal")
    for path in ("/", "/witness"):  # the batch that counts now is a real one
        page.goto(running.address + path)
        expect(page.locator("#counted")).to_have_text("1")
        expect(mark).to_be_hidden()
    page.goto(running.address + "/")
    page.select_option("#batch", "latihan-regu-a")
    expect(mark).to_contain_text(MARK)
    page.goto(running.address + "/witness")
    expect(mark).to_contain_text(MARK)
    for path in ("closing", "minutes"):
        page.goto(f"{running.address}/batches/latihan-regu-a/{path}")
        expect(mark).to_contain_text(MARK)
    running.scan(nik(1), slug="latihan-regu-a")
    page.goto(running.address + "/day")
    told = page.locator("#report section[data-slug=latihan-regu-a] h2")
    expect(told).to_have_text("LATIHAN: Latihan regu A")
    page.goto(running.address + "/head?batch=latihan-regu-a")
    expect(mark).to_contain_text(MARK)
    page.goto(running.address + "/head?batch=kupang-1")
    expect(page.locator("#title")).not_to_have_text("")
    expect(mark).to_be_hidden()
