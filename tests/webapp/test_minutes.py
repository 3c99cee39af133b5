"""The supervisor's page of the minutes, and the paper over HTTP."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from pypdf import PdfReader

from scanner_station.domain.people import Role
from scanner_station.service import batches, forgetting
from tests.webapp.running import SLUG, RunningStation, manifest_of, nik

ENTERED = {
    "number": "470/1/CONTOH",
    "place": "halaman kantor",
    "held_on": "2018-12-19",
    "legal_basis": ["Surat Edaran Contoh"],
    "officers": [{"name": "Contoh Kepala", "nip": "", "position": "Kepala Dinas"}],
    "witnesses": [{"name": "Saksi Contoh", "institution": "Inspektorat"}],
}
PDF = f"/batches/{SLUG}/minutes.pdf"
PARTICULARS = f"/api/batches/{SLUG}/particulars"


@pytest.fixture
def station(tmp_path: Path) -> Iterator[RunningStation]:
    with RunningStation(tmp_path / "data") as running:
        running.create()
        running.load(manifest_of(range(5), ("rusak",), ("Alak",)))
        running.scan(nik(1))
        running.add_people()
        yield running


def text_of(pdf: bytes) -> str:
    pages = PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def test_what_the_supervisor_enters_stands_in_the_minutes(station: RunningStation) -> None:
    desk = station.client_of(Role.SUPERVISOR)
    assert desk.get(PARTICULARS).json["officers"] == []
    assert desk.post(PARTICULARS, json=ENTERED).json == ENTERED
    assert desk.get(PARTICULARS).json == ENTERED
    answer = desk.get(PDF)
    assert answer.mimetype == "application/pdf"
    assert "berita-acara-" in answer.headers["Content-Disposition"]
    text = text_of(answer.data)
    for said in ("Nomor: 470/1/CONTOH", "halaman kantor", "Contoh Kepala", "Saksi Contoh", nik(1)):
        assert said in text
    masked = text_of(desk.get(f"{PDF}?masked=1").data)
    assert "Saksi Contoh" in masked
    assert nik(1) not in masked


def test_what_cannot_be_used_is_refused_and_the_old_stays(station: RunningStation) -> None:
    desk = station.client_of(Role.SUPERVISOR)
    desk.post(PARTICULARS, json=ENTERED)
    for wrong in (
        {"place": nik(2)},
        {"officers": [{"name": ""}]},
        {"officers": [{"name": "A", "nip": "12"}]},
        {"witnesses": [{"name": "A"}] * 51},
        {"held_on": "kemarin"},
        {"nomor": "1"},
    ):
        answer = desk.post(PARTICULARS, json=wrong)
        assert answer.status_code == 400, wrong
        assert answer.json["error"]
    assert desk.get(PARTICULARS).json == ENTERED


def test_once_people_are_forgotten_only_the_masked_copy_is_given(station: RunningStation) -> None:
    desk = station.client_of(Role.SUPERVISOR)
    writer = station.station
    batches.cancel(writer, SLUG, reason="latihan", by="penyelia", seconded_by="kepala")
    forgetting.forget(writer, SLUG, by="penyelia")
    answer = desk.get(PDF)
    assert answer.status_code == 409
    assert SLUG in answer.text
    assert desk.get(f"{PDF}?masked=1").status_code == 200
    page = desk.get(f"/batches/{SLUG}/minutes").text
    assert f'{PDF}"' not in page
    assert f"{PDF}?masked=1" in page


def test_minutes_of_a_batch_that_does_not_exist_are_not_found(station: RunningStation) -> None:
    desk = station.client_of(Role.SUPERVISOR)
    for address in ("/batches/nowhere/minutes", "/batches/nowhere/minutes.pdf"):
        assert desk.get(address).status_code == 404
