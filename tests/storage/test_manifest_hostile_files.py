"""Whatever bytes come in as a manifest: an answer in our own words, and no rows left behind."""

import io
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scanner_station.domain.errors import ManifestError
from scanner_station.domain.identifier import Scheme, Schemes
from scanner_station.domain.manifest import PROBLEMS_SHOWN, ManifestReport
from scanner_station.storage import checked_manifest, csv_file, manifests
from scanner_station.storage.database import Database
from tests.service.stations import nik

OURS = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
NAMES = st.sampled_from(["m.csv", "m.xlsx", "m.txt", "m.tsv", "m.xlsm", "m.xls", "m"])
SCHEMES = st.sampled_from(
    [Schemes(), Schemes((Scheme.NIK, Scheme.UID)), Schemes((Scheme.SERIAL,), "[A-Z0-9-]{1,20}")]
)

CELLS = st.one_of(
    st.sampled_from([nik(number) for number in range(12)]),
    st.sampled_from(["", " ", "NIK", "kategori", "rusak", "JUMLAH", "Total: 2", "2", "(1)", "(2)"]),
    st.sampled_from(["1.378", "3,17E+15", nik(4)[:15], nik(5).replace("0", "O"), "9" * 40]),
    st.sampled_from(
        ["'" + nik(1), f" {nik(2)} ", f'="{nik(3)}"', "\u00a0" + nik(6), nik(7) + "\r"]
    ),
    st.sampled_from(["\u200b", "\ufeff", "\x00", "\x1e", "\x1f", "\x7f", '"', '""', "a\nb", "é"]),
    st.sampled_from(["\N{ARABIC-INDIC DIGIT THREE}", "x" * 5000]),
    st.text(max_size=6),
)
HEADERS = st.sampled_from(
    ["nik,kategori", "NIK,Nama,Keping", "nik", "No,Nomor KTP,Kecamatan,Warna"]
)


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    """A CSV file that is nearly one: quoted or not, of any encoding, with odd cells and ends."""
    separator = draw(st.sampled_from([",", ";", "\t"]))
    header = draw(HEADERS)
    width = header.count(",") + 1
    good = st.tuples(st.integers(0, 30).map(nik), *[st.sampled_from(["", "1", "a"])] * (width - 1))
    cells = st.lists(CELLS, min_size=width, max_size=width) | st.lists(CELLS, max_size=6)
    text = header.replace(",", separator)
    for row in draw(st.lists(good | cells, max_size=12)):
        quoted = draw(st.booleans())
        text += draw(st.sampled_from(["\n", "\r\n", "\n\n", "\r"]))
        text += separator.join(
            '"' + cell.replace('"', '""') + '"' if quoted else cell for cell in row
        )
    text += draw(st.sampled_from(["", "\n", "\r\n"]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"]))
    return text.encode(encoding, "replace" if encoding == "cp1252" else "surrogatepass")


def damaged(whole: bytes) -> st.SearchStrategy[bytes]:
    """The file with some bytes changed, cut off or put in."""
    place = st.integers(0, len(whole))
    return st.lists(st.tuples(place, st.integers(0, 4), st.binary(max_size=4)), max_size=5).map(
        lambda changes: _changed(whole, changes)
    )


def _changed(whole: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    for place, length, new in changes:
        whole = whole[:place] + new + whole[place + length :]
    return whole


def _workbook() -> bytes:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    sheet = book.add_worksheet("Daftar")
    for row, cells in enumerate([["NIK", "Kategori"], [nik(1), "rusak"], [nik(2), "hilang"]]):
        sheet.write_row(row, 0, cells)
    book.close()
    return file.getvalue()


WORKBOOK = _workbook()
SHEET = "xl/worksheets/sheet1.xml"


def with_sheet(content: bytes) -> bytes:
    """The workbook with another sheet in it, well packed."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(WORKBOOK)) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, content if name == SHEET else old.read(name))
    return file.getvalue()


def _sheet() -> bytes:
    with zipfile.ZipFile(io.BytesIO(WORKBOOK)) as archive:
        return archive.read(SHEET)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    (tmp_path / "data").mkdir()
    one = Database(tmp_path / "data")
    yield one
    one.close()


def rows_in(database: Database) -> tuple[int, int, int]:
    row: tuple[int, int, int] = database.connection.execute(
        "select (select count(*) from manifest), (select count(*) from manifest_line),"
        " (select count(*) from manifest_total)"
    ).fetchone()
    return row


def checked_and_written(
    database: Database, path: Path, content: bytes, name: str, schemes: Schemes
) -> ManifestReport | None:
    """Check and, when it is clean, write; the database must hold all of it or nothing."""
    path.write_bytes(content)
    try:
        checked = checked_manifest.check(path, name, schemes, folder=path.parent)
    except ManifestError:
        return None
    report = checked.report
    assert report.problem_count == sum(report.problem_counts.values())
    assert "\n".join(report.as_text())
    assert report.as_json()
    every = list(checked_manifest.every_problem(path, name, schemes, folder=path.parent))
    assert Counter(one.code for one in every) == report.problem_counts
    assert tuple(every[:PROBLEMS_SHOWN]) == report.problems
    if not report.is_clean:
        with pytest.raises(ManifestError):
            manifests.write(database.transaction, checked, imported_at="", imported_by="x")
        assert rows_in(database) == (0, 0, 0)
        return report
    number = manifests.write(database.transaction, checked, imported_at="", imported_by="x")
    assert rows_in(database) == (1, report.lines, len(report.totals))
    assert sum(report.totals.values()) == report.pieces
    assert all(
        isinstance(line.extra, dict) for line in manifests.lines(database.connection, number)
    )
    manifests.remove(database.transaction, number)
    assert rows_in(database) == (0, 0, 0)
    assert [left.name for left in path.parent.iterdir() if left.is_file()] == [path.name]
    return report


@OURS
@given(content=st.binary(max_size=400), name=NAMES, schemes=SCHEMES)
def test_any_bytes_get_an_answer(
    database: Database, tmp_path: Path, content: bytes, name: str, schemes: Schemes
) -> None:
    checked_and_written(database, tmp_path / "m", content, name, schemes)


@settings(OURS, max_examples=250)
@given(content=tables(), schemes=SCHEMES)
def test_any_table_of_odd_cells_gets_an_answer(
    database: Database, tmp_path: Path, content: bytes, schemes: Schemes
) -> None:
    checked_and_written(database, tmp_path / "m", content, "m.csv", schemes)


@settings(OURS, max_examples=150)
@given(content=damaged(WORKBOOK), name=st.sampled_from(["m.xlsx", "m.csv"]))
def test_any_damage_to_a_workbook_gets_an_answer(
    database: Database, tmp_path: Path, content: bytes, name: str
) -> None:
    checked_and_written(database, tmp_path / "m", content, name, Schemes())


@settings(OURS, max_examples=150)
@given(content=damaged(_sheet()) | st.binary(max_size=300))
def test_any_sheet_in_a_whole_workbook_gets_an_answer(
    database: Database, tmp_path: Path, content: bytes
) -> None:
    checked_and_written(database, tmp_path / "m", with_sheet(content), "m.xlsx", Schemes())


@settings(OURS, max_examples=250)
@given(content=tables())
def test_many_rows_at_once_are_judged_like_each_by_itself(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(content)
    at_once = answer(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_file, "pack", lambda _chunk, _delimiter: None)
        assert answer(path) == at_once


def answer(path: Path) -> dict[str, Any]:
    with checked_manifest.check(path, path.name, Schemes()) as checked:
        stored = [
            (line, row)
            for lines, rows in checked.rows()
            for line, row in zip(lines, rows, strict=True)
        ]
        return {"report": checked.report.as_json(), "stored": stored}


def test_a_text_that_a_database_cannot_hold_is_refused(database: Database, tmp_path: Path) -> None:
    content = b"nik,nama\n" + nik(1).encode() + b",\xed\xa0\x80\n"  # half of a surrogate pair
    report = checked_and_written(database, tmp_path / "m", content, "m.csv", Schemes())
    assert report is not None
