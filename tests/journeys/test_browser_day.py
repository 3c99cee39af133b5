"""What happened on a day, as the supervisor reads it and takes it along."""

from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Page, expect

from scanner_station.domain.people import Role
from tests.fakes import FakeClock
from tests.journeys.test_browser_witness import WITHIN_MS
from tests.webapp.running import NAMES, SECRETS, SLUG, RunningStation, nik


def test_a_day_is_read_looked_back_at_and_kept_as_a_file(data_folder: Path, page: Page) -> None:
    clock = FakeClock(datetime(2018, 12, 19, 1, 0, tzinfo=UTC))
    with RunningStation(data_folder, clock=clock) as running:
        running.create(title='=cmd|"A1"')
        running.scan(nik(1))
        running.scan(nik(2))
        running.station.void(SLUG, 1, reason="-2+3 salah kotak", by="Ani")
        running.add_people()
        page.goto(running.address + "/login?next=/supervisor")
        page.locator(f"input[value='{NAMES[Role.SUPERVISOR]}']").check(timeout=WITHIN_MS)
        page.locator("#signin-secret").fill(SECRETS[Role.SUPERVISOR])
        page.locator("#signin-secret").press("Enter")
        page.get_by_role("link", name="Yang terjadi hari ini").click(timeout=WITHIN_MS)
        expect(page.locator("#day")).to_have_text("Rabu, 19 Desember 2018", timeout=WITHIN_MS)
        batch = page.locator(f"[data-slug={SLUG}]")
        expect(batch.locator("[data-kind=counted] dd")).to_have_text("2")
        expect(batch).to_contain_text("-2+3 salah kotak")
        expect(page.locator("#record")).to_contain_text("masuk sebagai penyelia di stasiun itu")
        with page.expect_download() as saved:
            page.locator("#save").click()
        text = Path(saved.value.path()).read_text("utf-8-sig")
        assert saved.value.suggested_filename == "2018-12-19.csv"
        assert '"\'=cmd|""A1"""' in text
        assert '"\'-2+3 salah kotak"' in text
        assert nik(1) not in text + page.content()
        page.locator("#date").fill("2018-12-18")
        expect(page.locator("#day")).to_have_text("Selasa, 18 Desember 2018", timeout=WITHIN_MS)
        expect(page.locator("#report")).to_contain_text("Tidak ada batch yang dikerjakan")
