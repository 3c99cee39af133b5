"""A manifest is checked as a whole before anything is written, and written whole or not at all."""

import io
import json
import re
import sqlite3
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import xlsxwriter

from scanner_station.domain.errors import ManifestError
from scanner_station.domain.identifier import Schemes
from scanner_station.domain.manifest import ManifestReport
from scanner_station.service import batches
from scanner_station.service.station import Station
from scanner_station.storage import checked_manifest, manifests
from tests.service.stations import nik


def check(path: Path, content: bytes | str, encoding: str = "utf-8") -> ManifestReport:
    path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    checked = checked_manifest.check(path, path.name, Schemes())
    checked.close()
    return checked.report


def codes(report: ManifestReport) -> list[str]:
    return [str(problem.code) for problem in report.problems]


def workbook(path: Path, rows: list[list[object]]) -> bytes:
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            sheet.write(number, column, value)
    book.close()
    return path.read_bytes()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize(
    "header",
    [
        ["NIK", "Nama", "Kategori", "Kecamatan", "Keping", "Warna"],
        [" nomor ", "name", "CATEGORY", "district", "pieces", "warna"],
        ["Identifier", "Nama Lengkap", "kategori", "KECAMATAN", "keping", "Warna"],
    ],
)
def test_a_clean_list_is_read_in_every_delimiter_encoding_and_header(
    tmp_path: Path, delimiter: str, encoding: str, header: list[str]
) -> None:
    rows = [header, [nik(1), "Éva", "rusak", "Alak", "2", "biru"]]
    rows += [[nik(2), "Warga", "pindah", "Oebobo", "1", ""]]
    text = "".join(delimiter.join(row) + "\r\n" for row in rows)
    report = check(tmp_path / "m.csv", text, encoding)
    assert report.problem_count == 0, codes(report)
    assert (report.lines, report.pieces) == (2, 3)
    assert report.totals == {("rusak", "Alak"): 2, ("pindah", "Oebobo"): 1}
    assert [word.casefold() for word in report.extra_columns] == ["warna"]


def test_an_excel_list_is_read_like_a_csv_one(tmp_path: Path) -> None:
    path = tmp_path / "m.xlsx"
    workbook(path, [["Kategori", "NIK"], ["rusak", nik(1)], ["rusak", nik(2)]])
    checked = checked_manifest.check(path, path.name, Schemes())
    checked.close()
    assert (checked.report.problem_count, checked.report.lines) == (0, 2)


@pytest.mark.parametrize(
    ("lines", "code", "line"),
    [
        ([f"{nik(1)},rusak", "123,rusak"], "malformed_identifier", 3),
        (["9971043207900001,rusak"], "impossible_nik", 2),
        ([f"{nik(1)},rusak", ",rusak"], "empty_identifier", 3),
        ([f"{nik(1)},rusak", f"{nik(2)},rusak", f"{nik(1)},pindah"], "duplicate_identifier", 4),
        (["9.97104E+15,rusak"], "excel_damage", 2),
        ([f"{nik(1)},rusak", f"{nik(2)},rusak", "JUMLAH,2"], "total_row", 4),
        ([f"{nik(1)},rusak", f"{nik(2)},rusak", ",2"], "total_row", 4),
    ],
)
def test_each_problem_names_its_line_column_reason_and_remedy_and_masks_the_value(
    tmp_path: Path, lines: list[str], code: str, line: int
) -> None:
    report = check(tmp_path / "m.csv", "nik,kategori\n" + "\n".join(lines) + "\n")
    found = {str(problem.code): problem for problem in report.problems}
    assert code in found, codes(report)
    problem = found[code]
    assert problem.line == line
    said = str(problem.as_json())
    assert nik(1) not in said
    assert nik(1) not in str(problem)
    assert problem.reason
    assert problem.remedy


def test_a_duplicate_names_both_lines_and_how_to_write_them_as_one(tmp_path: Path) -> None:
    report = check(tmp_path / "m.csv", f"nik,nama\n{nik(1)},A\n{nik(2)},B\n{nik(1)},A\n")
    (problem,) = report.problems
    assert "2" in str(problem)
    assert "4" in str(problem)
    assert "keping" in str(problem) or "pieces" in str(problem)


def test_at_most_a_hundred_problems_are_shown_and_all_are_counted(tmp_path: Path) -> None:
    report = check(tmp_path / "m.csv", "nik,nama\n" + "".join(f"{n},x\n" for n in range(1, 251)))
    assert (len(report.problems), report.problem_count) == (100, 250)


def test_all_problems_can_be_had_by_line_those_of_the_whole_file_first(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    rounded = [f"997104{n % 28 + 1:02d}0190{n:03d}0" for n in range(1, 400)]
    lines = [rounded[0], *("x" for _ in range(20_000)), *rounded, "y", "JUMLAH", "399"]
    report = check(path, "nik,nama\n" + "".join(f"{one},A\n" for one in lines))
    every = list(checked_manifest.every_problem(path, path.name, Schemes()))
    assert len(every) == report.problem_count > 20_000
    assert Counter(one.code for one in every) == report.problem_counts
    assert tuple(every[:100]) == report.problems
    assert [one.line for one in every] == sorted(one.line for one in every)
    assert str(every[0].code) == "excel_rounding"
    assert {"duplicate_identifier", "total_row"} <= {str(one.code) for one in every[-4:]}


def test_all_problems_of_a_file_that_is_no_list_are_the_one(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    report = check(path, b"%PDF-1.4\n%\xe2\xe3\n")
    every = checked_manifest.every_problem(path, path.name, Schemes())
    assert tuple(every) == report.problems
    with pytest.raises(ManifestError):
        list(checked_manifest.every_problem(tmp_path / "gone.csv", "gone.csv", Schemes()))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.xlsx", b"nik\n9971044107900001\n"),
        ("m.csv", b"%PDF-1.4\n%\xe2\xe3\n"),
        ("m.xls", b"<html><table><tr><td>nik</td></tr></table></html>"),
        ("m.csv", b""),
        ("m.csv", b"\n\n\n"),
        ("m.csv", b"kategori,kecamatan\nrusak,Alak\n"),
        ("m.csv", b"nik|kategori\n9971044107900001|rusak\n"),
    ],
)
def test_a_file_that_is_not_a_list_is_refused_with_a_reason(
    tmp_path: Path, name: str, content: bytes
) -> None:
    report = check(tmp_path / name, content)
    assert report.problem_count >= 1
    assert report.problems[0].reason
    assert report.problems[0].remedy


def test_an_excel_file_that_calls_itself_csv_is_refused(tmp_path: Path) -> None:
    content = workbook(tmp_path / "real.xlsx", [["nik"], [nik(1)]])
    assert codes(check(tmp_path / "m.csv", content)) == ["not_what_its_name_says"]


def test_a_number_in_an_excel_cell_has_lost_digits_and_is_refused_with_its_cell(
    tmp_path: Path,
) -> None:
    path = tmp_path / "m.xlsx"
    workbook(path, [["nama", "nik"], ["A", 9971044107900001.0]])
    (problem,) = checked_manifest.check(path, path.name, Schemes()).report.problems
    assert problem.cell == "B2"


def test_a_zip_bomb_is_refused_from_its_directory(tmp_path: Path) -> None:
    sheet = io.BytesIO()
    with zipfile.ZipFile(sheet, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("[Content_Types].xml", "<Types/>")
        bomb.writestr("xl/workbook.xml", "<workbook/>")
        bomb.writestr("xl/worksheets/sheet1.xml", b"0" * 600_000_000)
    report = check(tmp_path / "m.xlsx", sheet.getvalue())
    assert codes(report) == ["zip_bomb"]


def test_no_report_shows_an_identity_number_wherever_it_was_written(tmp_path: Path) -> None:
    other = nik(7)
    for content in (
        f"nik,kategori\n{nik(1)},{nik(1)}\n{nik(2)},rusak {nik(2)} x\n",
        f"nik,kecamatan\n'{nik(1)},{nik(1)}\n{nik(1)[:15]},\n{nik(2)}\n",
        f"nik,{other}\n{nik(1)},a\n{nik(2)},\0\n",
        f"nama,kategori {other}\nA,rusak\n",
        f"nik,nama\n{nik(1)},A\n{nik(1)},B\nJUMLAH {nik(3)},\n",
    ):
        report = check(tmp_path / "m.csv", content)
        said = "\n".join(report.as_text()) + json.dumps(report.as_json())
        assert not re.search(r"\d{16}", said), said


def test_a_number_with_letters_among_its_digits_is_told_apart_from_a_short_one(
    tmp_path: Path,
) -> None:
    report = check(tmp_path / "m.csv", f"nik\n{nik(1).replace('0', 'O')}\n{nik(1)[1:]}\n")
    letters, short = map(str, report.problems)
    assert f"{16 - nik(1).count('0')} digits in 16 characters" in letters
    assert "15 digits in 15 characters" in short


def test_excels_own_line_that_names_the_separator_is_nothing_to_warn_of(tmp_path: Path) -> None:
    report = check(tmp_path / "m.csv", f"sep=;\r\nnik;kategori\r\n{nik(1)};rusak\r\n")
    assert (report.problem_count, report.warnings) == (0, ())


def test_a_title_above_the_header_is_passed_over_with_a_warning(tmp_path: Path) -> None:
    report = check(tmp_path / "m.csv", f"DAFTAR KARTU;\n;\nnik;kategori\n{nik(1)};rusak\n")
    assert (report.problem_count, report.lines, report.header_line) == (0, 1, 3)
    assert "line 3" in str(report.warnings[0])


def test_the_report_of_a_file_that_could_not_be_opened_up_says_only_why(tmp_path: Path) -> None:
    said = list(check(tmp_path / "m.csv", b"").as_text())
    assert said == [
        "there is nothing in it; write a header line and one line for each card below it",
        "m.csv is refused; problems found: 1",
    ]


def test_the_report_of_a_good_file_ends_with_a_plain_yes(tmp_path: Path) -> None:
    said = list(check(tmp_path / "m.csv", f"nik\n{nik(1)}\n").as_text())
    assert said[-1] == "m.csv has no problems and can be imported"


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    one = Station(tmp_path / "data")
    batches.create(one, "kupang", title="Pemusnahan", by="penyelia")
    yield one
    one.close()


def stored(station: Station) -> tuple[int, int]:
    connection = sqlite3.connect(station.folder / "station.sqlite3")
    row = connection.execute(
        "select (select count(*) from manifest), (select count(*) from manifest_line)"
    ).fetchone()
    connection.close()
    return int(row[0]), int(row[1])


def listed(tmp_path: Path, count: int) -> Path:
    path = tmp_path / "banyak.csv"
    path.write_text("nik\n" + "".join(f"{nik(n)}\n" for n in range(count)))
    return path


def test_an_import_that_is_interrupted_leaves_nothing_behind(
    station: Station, tmp_path: Path
) -> None:
    path = listed(tmp_path, 60_000)
    checked = batches.check_manifest(station, "kupang", path, path.name)

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        batches.import_manifest(station, "kupang", checked, by="penyelia", progress=interrupt)
    assert stored(station) == (0, 0)


def test_what_a_killed_import_left_is_swept_at_the_next_start(
    station: Station, tmp_path: Path
) -> None:
    path = listed(tmp_path, 500)
    for _ in range(2):
        checked = batches.check_manifest(station, "kupang", path, path.name)
        manifests.write(station.transaction, checked, imported_at="", imported_by="penyelia")
    with station.transaction() as connection:
        connection.execute("update manifest set is_complete = 0 where id = 1")
    folder = station.folder
    station.close()
    again = Station(folder)
    assert stored(again) == (0, 0)
    again.close()


def test_a_refused_file_writes_nothing(station: Station, tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text(f"nik\n{nik(1)}\n123\n")
    checked = batches.check_manifest(station, "kupang", path, path.name)
    with pytest.raises(ManifestError, match="problems found: 1"):
        batches.import_manifest(station, "kupang", checked, by="penyelia")
    assert stored(station) == (0, 0)


def test_a_checked_list_that_was_given_back_is_not_imported_as_an_empty_one(
    station: Station, tmp_path: Path
) -> None:
    path = listed(tmp_path, 20)
    checked = batches.check_manifest(station, "kupang", path, path.name)
    checked.close()
    with pytest.raises(ManifestError, match="stopped"):
        batches.import_manifest(station, "kupang", checked, by="penyelia")
    assert stored(station) == (0, 0)


def test_a_replaced_list_leaves_nothing_of_itself_behind(station: Station, tmp_path: Path) -> None:
    for count in (20_000, 30):
        path = listed(tmp_path, count)
        checked = batches.check_manifest(station, "kupang", path, path.name)
        batches.import_manifest(station, "kupang", checked, by="penyelia")
        assert stored(station) == (1, count)


def test_every_line_is_found_again_with_its_extra_columns(station: Station, tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text(
        "JENIS,NIK,NAMA,ALAMAT,KECAMATAN,KATEGORI,KEPING\n"
        f'KTP,{nik(1)},"Warga, Satu","Jl. A ""B""",Alak,rusak,2\n'
    )
    checked = batches.check_manifest(station, "kupang", path, path.name)
    batches.import_manifest(station, "kupang", checked, by="penyelia")
    with station.transaction() as connection:
        line = manifests.lookup(connection, 1, nik(1))
    assert line is not None
    assert (line.name, line.address, line.pieces) == ("Warga, Satu", 'Jl. A "B"', 2)
    assert (line.category, line.district, line.extra) == ("rusak", "Alak", {"JENIS": "KTP"})
