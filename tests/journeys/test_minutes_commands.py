"""`minutes` and `particulars`, as a supervisor or a script calls them."""

import json
import stat
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from pypdf import PdfReader

from tests.exports.sealed_logs import SLUG, fill, made_station, seal
from tests.journeys.command_line import run, run_json
from tests.service.stations import nik

ENTERED = {
    "number": "470/1/CONTOH",
    "place": "halaman kantor",
    "held_on": "2018-12-19",
    "legal_basis": ["Surat Edaran Contoh"],
    "officers": [{"name": "Contoh Kepala", "nip": "", "position": "Kepala Dinas"}],
    "witnesses": [{"name": "Saksi Contoh", "institution": "Inspektorat"}],
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    station = made_station(tmp_path / "data", tmp_path, 30)
    fill(station, 28)
    seal(station)
    station.close()
    return tmp_path / "data"


def text_of(path: Path) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(path).pages).split())


def code_on(path: Path) -> bytes:
    document = pypdfium2.PdfDocument(path)
    try:
        pictures = [page.render(scale=3).to_numpy() for page in document]
    finally:
        document.close()
    (code,) = [code for picture in pictures for code in zxingcpp.read_barcodes(picture)]
    return code.text.encode()


def test_paper_and_bundle_can_be_matched_by_the_code_on_the_paper(
    data: Path, tmp_path: Path
) -> None:
    paper = tmp_path / "minutes.pdf"
    run(data, "particulars", SLUG, "--load", "-", stdin=json.dumps(ENTERED).encode())
    assert run_json(data, "particulars", SLUG) == ENTERED
    said = run(data, "minutes", SLUG, "--output", str(paper)).stdout.decode()
    assert "restricted" in said
    assert stat.S_IMODE(paper.stat().st_mode) == 0o600
    assert "Contoh Kepala" in text_of(paper)
    run(data, "export", SLUG, "--format", "bundle", "--output", str(tmp_path / "bundle"))
    (tmp_path / "head").write_bytes(code_on(paper))
    verified = run(
        data, "verify", str(tmp_path / "bundle"), "--against", str(tmp_path / "head")
    ).stdout.decode()
    assert "entries of the head that you kept" in verified
    burned = run_json(data, "batch", "show", SLUG, "--json")["burned"]
    assert f"adalah {burned} (" in text_of(paper)


def test_after_forgetting_only_the_masked_copy_can_be_made(data: Path, tmp_path: Path) -> None:
    run(data, "forget", SLUG)
    refused = run(data, "minutes", SLUG, "--output", str(tmp_path / "m.pdf"), check=2)
    assert "the masked copy can still be made" in refused.stderr.decode()
    assert not (tmp_path / "m.pdf").exists()
    masked = tmp_path / "masked.pdf"
    run(data, "minutes", SLUG, "--masked", "--output", str(masked))
    assert nik(1)[:8] not in text_of(masked)


def test_particulars_that_are_no_particulars_are_refused_in_a_sentence(data: Path) -> None:
    for sent in (b"not json", b"[]", b'{"nomor": "1"}', b'{"held_on": "besok"}'):
        refused = run(data, "particulars", SLUG, "--load", "-", stdin=sent, check=2)
        assert refused.stderr.decode().startswith("scanner-station: ")
        assert "Traceback" not in refused.stderr.decode()
