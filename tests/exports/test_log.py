"""The log as a file: everything in it, exactly, and harmless to whoever opens it."""

import csv
import json
import stat
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from scanner_station.domain.entry import Body, canonical
from scanner_station.domain.errors import BatchError, InputError
from scanner_station.exports.columns import COLUMNS
from scanner_station.exports.log import FORMATS, export
from scanner_station.service import views
from scanner_station.storage import batches, scan_log
from scanner_station.storage.entry_key import key_of
from tests.exports.logs import Logs, counted, void

WITA = ZoneInfo("Asia/Makassar")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - East Asian formulas

# NUL ends a text for many programs and is refused where texts come in.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
nasty = st.sampled_from(
    ["=1+1", "+62", "-1", "@SUM(A1)", "\t=1", "'", "'=1", 'a"b', '"', "a,b", "a\r\nb", "＝1", "é"]  # noqa: RUF001
)
any_text = st.one_of(texts, nasty, st.builds(str.__add__, nasty, texts))
bodies = st.one_of(
    st.builds(counted, category=any_text, district=any_text, by=any_text, station=any_text),
    st.builds(lambda by, reason: void(0, by=by, reason=reason), any_text, any_text),
    st.builds(lambda reason: {"kind": "scan", "verdict": "unreadable", "reason": reason}, any_text),
)
# The same card is not counted twice.
logs_of_any_text = st.lists(
    st.tuples(bodies, any_text), max_size=8, unique_by=lambda entry: entry[1]
)
once_a_database = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60
)


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Logs]:
    logs = Logs(tmp_path)
    yield logs
    logs.database.close()


def exported(logs: Logs, slug: str, export_format: str, tmp_path: Path) -> Path:
    path = tmp_path / f"log.{export_format}"
    export(logs.connection, slug, export_format, path, time_zone=WITA)
    return path


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, strict=True))


def xlsx_rows(path: Path, sheet: str = "log") -> list[dict[str, object]]:
    header, *rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_name(sheet).to_python()
    return [dict(zip(map(str, header), row, strict=True)) for row in rows]


def stored(logs: Logs, slug: str) -> list[scan_log.StoredEntry]:
    return list(views.entries(logs.connection, slug))


@once_a_database
@given(entries=logs_of_any_text)
def test_every_text_comes_back_from_csv_as_it_was_logged(
    logs: Logs, tmp_path: Path, entries: list[tuple[Body, str]]
) -> None:
    slug = logs.add(entries)
    rows = csv_rows(exported(logs, slug, "csv", tmp_path))
    assert [int(row["sequence"]) for row in rows] == list(range(len(entries)))
    for row, (body, identifier) in zip(rows, entries, strict=True):
        for column in ("category", "district", "by", "station", "reason"):
            assert without_apostrophe(row[column]) == body.get(column, "")
        assert without_apostrophe(row["identifier"]) == identifier


def without_apostrophe(cell: str) -> str:
    return cell[1:] if cell.startswith("'") else cell


@once_a_database
@given(entries=logs_of_any_text)
def test_no_csv_cell_can_be_taken_for_a_formula(
    logs: Logs, tmp_path: Path, entries: list[tuple[Body, str]]
) -> None:
    for row in csv_rows(exported(logs, logs.add(entries), "csv", tmp_path)):
        assert not [cell for cell in row.values() if cell.startswith(FORMULA_STARTS)]


@once_a_database
@given(entries=logs_of_any_text)
def test_json_lines_hold_each_entry_exactly_as_it_was_logged(
    logs: Logs, tmp_path: Path, entries: list[tuple[Body, str]]
) -> None:
    slug = logs.add(entries)
    lines = exported(logs, slug, "jsonl", tmp_path).read_bytes().decode().split("\n")
    assert lines.pop() == ""
    for line, entry in zip(lines, stored(logs, slug), strict=True):
        shown = json.loads(line)
        assert shown.pop("identifier") == entry.identifier
        assert line.startswith(canonical(entry.body)[:-1])
        assert shown == entry.body


printable = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=30)


@settings(once_a_database, max_examples=20)
@given(category=st.one_of(printable, nasty.filter(lambda text: "\r" not in text)))
def test_excel_holds_every_text_as_text(logs: Logs, tmp_path: Path, category: str) -> None:
    slug = logs.add([(counted(category, by="https://example.org"), "0012345678901234")])
    (row,) = xlsx_rows(exported(logs, slug, "xlsx", tmp_path))
    assert (row["category"], row["by"]) == (category, "https://example.org")
    assert row["identifier"] == "0012345678901234"


@pytest.mark.parametrize(
    "identifier", ["9971044107900001", "0012345678901234", "12E45678", "-00123"]
)
def test_an_identifier_is_the_same_to_the_digit_in_every_format(
    logs: Logs, tmp_path: Path, identifier: str
) -> None:
    slug = logs.add([(counted(), identifier)])
    (in_csv,) = csv_rows(exported(logs, slug, "csv", tmp_path))
    (in_excel,) = xlsx_rows(exported(logs, slug, "xlsx", tmp_path))
    in_json = json.loads(exported(logs, slug, "jsonl", tmp_path).read_text())
    assert without_apostrophe(in_csv["identifier"]) == identifier
    assert in_excel["identifier"] == in_json["identifier"] == identifier


@settings(once_a_database, max_examples=20)
@given(
    places=st.lists(st.tuples(any_text, any_text), max_size=6), voided=st.sets(st.integers(0, 5))
)
def test_what_each_file_counts_is_what_the_screen_says(
    logs: Logs, tmp_path: Path, places: list[tuple[str, str]], voided: set[int]
) -> None:
    entries = [(counted(*place), f"card {n}") for n, place in enumerate(places)]
    entries += [(void(n), "") for n in sorted(voided) if n < len(places)]
    slug = logs.add(entries)
    summary = views.summary(logs.connection, slug)
    in_csv = csv_rows(exported(logs, slug, "csv", tmp_path))
    workbook = exported(logs, slug, "xlsx", tmp_path)
    in_excel = xlsx_rows(workbook)
    assert sum(int(row["is_counted"]) for row in in_csv) == summary["counted"]
    assert sum(float(str(row["is_counted"])) for row in in_excel) == summary["counted"]
    by_category: dict[str, int] = {}
    for row in in_csv:
        if row["is_counted"] == "1":
            category = without_apostrophe(row["category"])
            by_category[category] = by_category.get(category, 0) + 1
    shown = {name: group["counted"] for name, group in summary["by_category"].items()}  # type: ignore[attr-defined]  # JSON
    assert by_category == {name: count for name, count in shown.items() if count}
    totals = CalamineWorkbook.from_path(str(workbook)).get_sheet_by_name("summary").to_python()
    assert [row[2] for row in totals if row[0] == "total"] == [summary["counted"]] * 2


def test_a_void_and_what_it_takes_back_point_to_each_other(logs: Logs, tmp_path: Path) -> None:
    slug = logs.add([(counted(), "A"), (counted(), "B"), (void(0, reason="salah ambil"), "")])
    first, second, taken_back = csv_rows(exported(logs, slug, "csv", tmp_path))
    assert (first["verdict"], first["is_counted"], first["voided_by"]) == ("counted", "0", "2")
    assert (second["is_counted"], second["voided_by"]) == ("1", "")
    assert (taken_back["kind"], taken_back["target"]) == ("void", "0")
    assert taken_back["reason"] == "salah ambil"


def test_a_text_that_looks_like_a_void_is_none(logs: Logs, tmp_path: Path) -> None:
    slug = logs.add([(counted(), "A"), (counted('"kind":"void"', "x", target=0), "B")])
    first, _ = csv_rows(exported(logs, slug, "csv", tmp_path))
    assert first["is_counted"] == "1"


def test_the_header_names_every_column_and_times_are_utc_and_local(
    logs: Logs, tmp_path: Path
) -> None:
    path = exported(logs, logs.add([(counted(), "A")]), "csv", tmp_path)
    assert path.read_bytes().split(b"\r\n")[0].decode() == ",".join(COLUMNS)
    (row,) = csv_rows(path)
    assert (row["at"], row["local_time"]) == ("2018-12-19T01:02:03.456Z", "2018-12-19 09:02:03")


def test_the_manifests_name_stands_beside_the_identifier(logs: Logs, tmp_path: Path) -> None:
    slug = logs.add([(counted(), "A"), (counted(), "B")])
    connection = logs.connection
    batch = batches.find(connection, slug)
    assert batch is not None
    connection.execute("insert into manifest values (7, 'm.csv', '', 1, 1, '', '', 1, '')")
    connection.execute("insert into manifest_line values (7, 'A', 2, '', '', 1, 'Siti', '', '')")
    batches.set_manifest(connection, batch.id, 7)
    rows = csv_rows(exported(logs, slug, "csv", tmp_path))
    assert [row["name"] for row in rows] == ["Siti", ""]


@pytest.mark.parametrize("export_format", FORMATS)
def test_a_raw_payload_is_in_no_file(logs: Logs, tmp_path: Path, export_format: str) -> None:
    slug = logs.add([({"kind": "scan", "verdict": "unreadable", "reason": "not_text"}, "")])
    logs.connection.execute("update entry set payload = cast('RAHASIA' as blob)")
    path = exported(logs, slug, export_format, tmp_path)
    if export_format == "xlsx":
        assert "RAHASIA" not in str(xlsx_rows(path))
    else:
        assert b"RAHASIA" not in path.read_bytes()


@pytest.mark.parametrize("export_format", FORMATS)
def test_an_interrupted_export_leaves_nothing_behind(
    logs: Logs, tmp_path: Path, export_format: str
) -> None:
    slug = logs.add([(counted(), str(number)) for number in range(10)])
    folder = tmp_path / "exports"
    folder.mkdir()
    path = folder / "log"
    path.write_bytes(b"earlier")

    def interrupt(done: int, total: int) -> None:
        if done == total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(logs.connection, slug, export_format, path, time_zone=WITA, progress=interrupt)
    assert path.read_bytes() == b"earlier"
    assert list(folder.iterdir()) == [path]


@pytest.mark.parametrize("export_format", FORMATS)
def test_an_empty_log_and_a_whole_one_tell_their_rows_and_progress(
    logs: Logs, tmp_path: Path, export_format: str
) -> None:
    path, told = tmp_path / "log", []
    for entries in (0, 3):
        slug = logs.add([(counted(), str(number)) for number in range(entries)])
        rows = export(
            logs.connection,
            slug,
            export_format,
            path,
            time_zone=None,
            progress=lambda done, total: told.append((done, total)),
        )
        assert rows == entries
        assert told[-1] == (entries, entries)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_export_shows_one_moment_while_cards_go_on_being_counted(
    logs: Logs, tmp_path: Path
) -> None:
    slug = logs.add([(counted(), str(number)) for number in range(3)])
    pages = views.Views(tmp_path)
    with pages.connection() as reading:
        before = views.summary(reading, slug)
        with logs.database.transaction() as writing:
            late = Body(counted()) | {"sequence": 3, "at": "2018-12-19T01:02:03.456Z"}
            writing.execute(
                "insert into entry (key, body) values (?, ?)", (key_of(1, 3), canonical(late))
            )
        rows = export(reading, slug, "csv", tmp_path / "log.csv", time_zone=WITA)
    pages.close()
    assert rows == before["entries"] == 3
    assert len(csv_rows(tmp_path / "log.csv")) == 3


def test_a_long_log_is_never_held_in_memory(logs: Logs, tmp_path: Path) -> None:
    slug = logs.add([(counted(), f"{number:016}") for number in range(10_000)])
    tracemalloc.start()
    try:
        size = exported(logs, slug, "csv", tmp_path).stat().st_size
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < size / 2


def test_an_unknown_batch_or_format_is_refused_and_nothing_is_written(
    logs: Logs, tmp_path: Path
) -> None:
    path = tmp_path / "log.csv"
    with pytest.raises(BatchError):
        export(logs.connection, "none", "csv", path, time_zone=WITA)
    with pytest.raises(InputError, match="is not a format"):
        export(logs.connection, logs.add([]), "pdf", path, time_zone=WITA)
    assert not path.exists()


def test_the_documentation_explains_every_column_and_format() -> None:
    text = (Path(__file__).parents[2] / "docs" / "exports.md").read_text(encoding="utf-8")
    assert [name for name in (*COLUMNS, *FORMATS) if f"`{name}`" not in text] == []
