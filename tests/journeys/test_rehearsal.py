"""A rehearsal from its printed cards to its minutes: everything is practised, nothing is mixed."""

import json
import re
import shutil
import sqlite3
import zipfile
from io import BytesIO
from pathlib import Path

import pypdfium2
import pytest
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from scanner_station.domain.rehearsal import MARK
from tests.journeys.command_line import run, run_json, scan
from tests.service.stations import nik

SLUG = "latihan-1"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("station") / "data"
    run(folder, "batch", "create", SLUG, "--title", "Latihan regu A", "--rehearsal")
    return folder


@pytest.fixture
def data(prepared: Path, tmp_path: Path) -> Path:
    """Its own copy for each test."""
    return Path(shutil.copytree(prepared, tmp_path / "data"))


def sheet(data: Path, folder: Path) -> list[Path]:
    """Print the test cards, and scan the sheets as a copier would: a picture for each page."""
    pdf = folder / "cards.pdf"
    run(data, "rehearsal-cards", SLUG, "--output", str(pdf))
    pictures = []
    for number, page in enumerate(pypdfium2.PdfDocument(pdf)):
        pictures.append(folder / f"page-{number}.png")
        page.render(scale=200 / 72).to_pil().save(pictures[-1])
    return pictures


def codes_on(data: Path, picture: Path) -> list[tuple[str, str]]:
    """Read one sheet: (number, symbology), row by row."""
    found = run_json(data, "decode", str(picture), "--json")
    return [(one["text"], one["symbology"]) for one in found["readings"]]


def key_of(pdf: Path) -> list[tuple[str, str]]:
    """Return (number, verdict) of the cards in the order in which the key names them."""
    page = pypdfium2.PdfDocument(pdf)[2].get_textpage().get_text_range()
    lines = re.findall(r"^[0-9]+ ([0-9]{16}) .* / (.+?)\r?$", page, re.MULTILINE)
    return [(number, said.replace("the ", "").replace(" ", "_")) for number, said in lines]


def test_the_printed_cards_are_read_and_get_the_verdicts_of_the_key(
    data: Path, tmp_path: Path
) -> None:
    pdf = tmp_path / "cards.pdf"
    *sheets, key = sheet(data, tmp_path)
    assert not codes_on(data, key)  # whoever holds the key up to the camera counts nothing
    in_order = key_of(pdf)
    assert [verdict for _, verdict in in_order].count("counted") == 17
    assert [verdict for _, verdict in in_order].count("not_on_manifest") == 2
    assert [verdict for _, verdict in in_order].count("already_counted") == 1

    read = [codes_on(data, picture) for picture in sheets]
    for symbology in ("qr", "code128"):
        numbers = [number for page in read for number, kind in page if kind == symbology]
        assert sorted(numbers) == sorted(number for number, _ in in_order)

    verdicts = scan(data, SLUG, *(number for number, _ in in_order))
    assert [one["verdict"] for one in verdicts] == [verdict for _, verdict in in_order]
    shown = run_json(data, "batch", "show", SLUG, "--json")
    assert (shown["expected"], shown["counted"], shown["rehearsal"]) == (17, 17, True)
    assert all(number.startswith("99") for number, _ in in_order)  # no province has this code


def test_every_file_of_a_rehearsal_says_so(data: Path, tmp_path: Path) -> None:
    scan(data, SLUG, nik(1))
    for ending in ("csv", "jsonl", "xlsx", "bundle"):
        path = tmp_path / f"log.{'zip' if ending == 'bundle' else ending}"
        run(data, "export", SLUG, "--format", ending, "--output", str(path))
    assert all(
        line.endswith((",mark", MARK)) for line in (tmp_path / "log.csv").read_text().splitlines()
    )
    for line in (tmp_path / "log.jsonl").read_text().splitlines():
        assert json.loads(line)["mark"] == MARK
    workbook = CalamineWorkbook.from_path(tmp_path / "log.xlsx")
    assert workbook.get_sheet_by_name("summary").to_python()[0][0] == MARK
    with zipfile.ZipFile(tmp_path / "log.xlsx") as parts:
        pages = [name for name in parts.namelist() if name.startswith("xl/worksheets/sheet")]
        assert pages
        assert all(MARK in parts.read(name).decode() for name in pages)
    with zipfile.ZipFile(tmp_path / "log.zip") as bundle:
        assert bundle.read("README.txt").decode().startswith(MARK)
        assert b'"rehearsal":1' in bundle.read("tile/entries/000.p/2")
    verified = run(data, "verify", str(tmp_path / "log.zip")).stdout.decode()
    assert verified.startswith(MARK)

    run(data, "minutes", SLUG, "--output", str(tmp_path / "minutes.pdf"))
    minutes = PdfReader(tmp_path / "minutes.pdf")
    assert all(MARK in page.extract_text() for page in minutes.pages)
    assert run(data, "reconcile", SLUG, check=1).stdout.decode().startswith(MARK)
    assert run_json(data, "reconcile", SLUG, "--json", check=1)["rehearsal"] is True
    assert MARK in run(data, "batch", "show", SLUG).stdout.decode()
    assert MARK in run(data, "batch", "list").stdout.decode()


def test_the_label_of_a_container_says_that_it_is_a_rehearsal(data: Path, tmp_path: Path) -> None:
    run(data, "container", "open", SLUG, "--label", "Kotak 1")
    scan(data, SLUG, nik(1))
    run(data, "container", "seal", SLUG, "1", "--seal-number", "A-1")
    run(data, "container", "label", SLUG, "1", "--output", str(tmp_path / "label.pdf"))
    assert MARK in PdfReader(tmp_path / "label.pdf").pages[0].extract_text()


def test_minutes_of_a_rehearsal_are_marked_before_its_first_card(
    data: Path, tmp_path: Path
) -> None:
    run(data, "minutes", SLUG, "--output", str(tmp_path / "minutes.pdf"))
    assert all(MARK in p.extract_text() for p in PdfReader(tmp_path / "minutes.pdf").pages)


def test_a_real_batch_knows_of_no_rehearsal_and_no_rehearsal_of_a_real_batch(
    data: Path, tmp_path: Path
) -> None:
    first_sheet = sheet(data, tmp_path)[0]
    numbers = [number for number, kind in codes_on(data, first_sheet) if kind == "qr"]
    scan(data, SLUG, *numbers)
    run(data, "batch", "create", "sungguh", "--title", "Sungguhan", "--scheme", "serial")
    real = scan(data, "sungguh", *numbers)
    assert {one["verdict"] for one in real} == {"counted"}
    again = "latihan-2"
    run(data, "batch", "create", again, "--title", "Latihan lagi", "--rehearsal")
    assert not any("earlier_batch" in one or "first" in one for one in scan(data, again, *numbers))


def test_a_rehearsal_gives_no_receipts_and_cannot_be_made_real(data: Path, tmp_path: Path) -> None:
    listed = [n for n, kind in codes_on(data, sheet(data, tmp_path)[0]) if kind == "qr"]
    scan(data, SLUG, *listed)
    refused = run(data, "receipt", "--batch", SLUG, stdin=listed[0].encode(), check=2)
    assert b"is a rehearsal" in refused.stderr
    real = ("batch", "create", "tambahan", "--title", "Tambahan", "--supplements", SLUG)
    assert b"never mix" in run(data, *real, check=2).stderr
    both = ("batch", "create", "x", "--title", "X", "--rehearsal")
    assert b"made-up" in run(data, *both, "--scheme", "uid", check=2).stderr
    assert b"made-up" in run(data, *both, "--supplements", SLUG, check=2).stderr


def test_nobody_turns_a_rehearsal_into_a_real_batch_or_back(data: Path) -> None:
    run(data, "batch", "create", "sungguh", "--title", "Sungguhan")
    connection = sqlite3.connect(data / "station.sqlite3")
    for slug, wanted in ((SLUG, 0), ("sungguh", 1)):
        with pytest.raises(sqlite3.IntegrityError, match="stays"):
            connection.execute("update batch set is_rehearsal = ? where slug = ?", (wanted, slug))
    connection.close()


def test_a_rehearsal_that_is_cancelled_before_its_first_card_stays_marked(
    data: Path, tmp_path: Path
) -> None:
    two = ("--by", "Ani", "--with", "Budi", "--reason", "salah nama")
    run(data, "batch", "cancel", SLUG, *two)
    run(data, "export", SLUG, "--format", "bundle", "--output", str(tmp_path / "b.zip"))
    assert run(data, "verify", str(tmp_path / "b.zip")).stdout.decode().startswith(MARK)


def test_only_a_rehearsal_with_its_own_list_has_cards_to_print(data: Path, tmp_path: Path) -> None:
    run(data, "batch", "create", "sungguh", "--title", "Sungguhan")
    pdf = str(tmp_path / "cards.pdf")
    refused = run(data, "rehearsal-cards", "sungguh", "--output", pdf, check=2)
    assert b"is no rehearsal" in refused.stderr
    own = tmp_path / "own.csv"
    own.write_text(f"nik,kategori\n{nik(1)},rusak\n")
    run(data, "manifest", "import", str(own), "--batch", SLUG)
    refused = run(data, "rehearsal-cards", SLUG, "--output", pdf, check=2)
    assert b"no longer has the list of its test cards" in refused.stderr
    assert not (tmp_path / "cards.pdf").exists()


def test_the_sheet_is_the_same_bytes_when_it_is_printed_again(data: Path, tmp_path: Path) -> None:
    made = []
    for name in ("one.pdf", "two.pdf"):
        run(data, "rehearsal-cards", SLUG, "--output", str(tmp_path / name))
        made.append((tmp_path / name).read_bytes())
    assert made[0] == made[1]
    assert all(MARK in page.extract_text() for page in PdfReader(BytesIO(made[0])).pages)
