"""A supervisor of the level above drops bundles on the page and takes the totals away."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from scanner_station.webapp.recap_trays import Kind
from tests.journeys.test_recap import ALOR, BELU, KUPANG, Offices
from tests.webapp.running import RunningStation


@pytest.fixture
def running(data_folder: Path) -> Iterator[RunningStation]:
    with RunningStation(data_folder) as station:  # no batch of its own
        yield station


@pytest.fixture
def bundles(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "offices"
    folder.mkdir()
    made = Offices(folder)
    made.open("meja-1", KUPANG)
    made.open("meja-2", ALOR)
    evil = ("<img src=x onerror=alert(1)>", "rusak")
    made.burn("meja-1", "kupang", range(20), categories=evil, held_on="2018-12-19")
    made.burn("meja-2", "alor", range(20, 30), seal=False)
    found = [made.bundle("meja-1", "kupang"), made.bundle("meja-2", "alor")]
    made.close()
    return found


def test_bundles_dropped_on_the_page_come_back_as_totals_under_their_parts(
    page: Page, running: RunningStation, bundles: list[Path], tmp_path: Path
) -> None:
    listed = tmp_path / "kantor.csv"
    listed.write_text(f"Kantor,Kode\n{KUPANG},5371\n{ALOR},5305\n{BELU},5304\n")
    forged = tmp_path / "forged.zip"
    forged.write_bytes(bundles[1].read_bytes().replace(b'"kind":"scan"', b'"kind":"skan"', 1))
    page.goto(running.address + "/supervisor")
    page.get_by_role("link", name="Rekapitulasi").click()
    expect(page.locator("#total")).to_be_disabled()
    page.set_input_files("#bundles", [*map(str, bundles), str(forged)])
    page.set_input_files("#offices", str(listed))
    expect(page.locator("#chosen")).to_contain_text("3 bundel")
    page.click("#total")
    result = page.locator("#result")
    expect(result).to_be_visible(timeout=60_000)
    expect(result.locator(".big")).to_have_text("30")
    expect(result.locator("tfoot th")).to_have_count(4)
    for foot in result.locator("tfoot th").all():
        expect(foot).to_contain_text("2 dari 3 kantor")
    for said in (BELU, "MASIH TERBUKA", "forged.zip", "<img src=x onerror=alert(1)>"):
        expect(result).to_contain_text(said)
    why = "tile/entries/000.p/11 telah diubah"  # in the reader's words, not in the verifier's
    expect(result).to_contain_text(why, ignore_case=True)
    for ending, starts in (("csv", b"section"), ("xlsx", b"PK"), ("pdf", b"%PDF")):
        with page.expect_download() as download:
            result.locator(f"a[href$='.{ending}']").click()
        data = Path(download.value.path()).read_bytes()
        assert data.startswith(starts)
        if ending == "csv":
            rows = list(csv.DictReader(io.StringIO(data.decode(), newline="")))
            totals = {row["burned"] for row in rows if row["is_total"] == "1"}
            assert totals == {"30"}
            assert "was changed" in data.decode()  # for programs
        if ending == "pdf":
            paper = "".join(one.extract_text() for one in PdfReader(io.BytesIO(data)).pages)
            assert why in " ".join(paper.split())
    assert not list((running.folder / "incoming").iterdir())  # nothing of it is kept


def test_what_is_wrong_is_said_and_nothing_stays_behind(
    page: Page, running: RunningStation, bundles: list[Path], tmp_path: Path
) -> None:
    twice = tmp_path / "kantor.txt"
    twice.write_text(f"{KUPANG}\n{KUPANG}\n")
    page.goto(running.address + "/recap")
    page.set_input_files("#bundles", str(bundles[0]))
    page.set_input_files("#offices", str(twice))
    page.click("#total")
    expect(page.locator(".refused[role=alert]")).to_contain_text("dua kali")
    assert not list((running.folder / "incoming").iterdir())


def test_a_tray_takes_only_what_it_knows_and_goes_when_it_is_done(
    running: RunningStation, bundles: list[Path]
) -> None:
    client = running.app.test_client()
    headers = {"Host": "127.0.0.1", "Accept-Language": "en"}
    tray = client.post("/api/recap", headers=headers).get_json()["tray"]

    def put(name: str, kind: str = Kind.BUNDLE) -> int:
        form = {"file": (io.BytesIO(bundles[0].read_bytes()), "b.zip"), "kind": kind}
        return client.post(f"/api/recap/{name}/files", data=form, headers=headers).status_code

    assert client.post(f"/api/recap/{tray}/total", headers=headers).status_code == 400
    assert put(tray, "other") == 400
    assert put("absent") == 409
    assert put(tray) == 201
    assert client.get(f"/recap/{tray}/rekapitulasi.csv", headers=headers).status_code == 409
    others = [client.post("/api/recap", headers=headers).get_json()["tray"] for _ in range(3)]
    assert client.get(f"/api/recap/{tray}", headers=headers).status_code == 409  # the oldest went
    assert client.get(f"/api/recap/{others[-1]}", headers=headers).status_code == 200
    assert not list((running.folder / "incoming").iterdir())
