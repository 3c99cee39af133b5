"""An Excel workbook of a log: a sheet of totals, then every entry.

Written row by row in bounded memory. A text is always written as text: nothing becomes a number,
a formula or a link, so sixteen digits stay sixteen digits.
"""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import xlsxwriter

from scanner_station.domain.rehearsal import MARK
from scanner_station.service.views import Json

ROWS_A_SHEET: Final = 1_048_576
"""Rows that a sheet can hold, its header among them. Source: Excel specifications and limits."""

_WIDTHS: Final = {"at": 25, "local_time": 20, "identifier": 20, "name": 28, "category": 24}
_USUAL_WIDTH: Final = 14
_FACTS: Final = ("slug", "title", "place", "held_on", "state")
_COUNTS: Final = ("expected", "counted", "remaining")
_OTHER_COUNTS: Final = (
    "already_counted",
    "not_on_manifest",
    "unreadable",
    "voided",
    "manual",
    "added",
    "unidentified",
    "burned",
    "entries",
)
_OPTIONS: Final = {
    "constant_memory": True,
    "strings_to_numbers": False,
    "strings_to_formulas": False,
    "strings_to_urls": False,
}


def write_workbook(
    file: BinaryIO,
    columns: Sequence[str],
    rows: Iterable[Mapping[str, Any]],
    summary: Json,
    *,
    scratch: Path,
    rows_a_sheet: int = ROWS_A_SHEET,
) -> None:
    """Write totals and rows to an open, seekable file; further sheets take what one cannot hold.

    `summary`: as `views.summary` gives it. `scratch`: a folder for sheets in the making.
    """
    with tempfile.TemporaryDirectory(prefix=".xlsx-", dir=scratch) as unfinished:
        workbook = xlsxwriter.Workbook(file, _OPTIONS | {"tmpdir": unfinished})
        try:
            _write_summary(workbook, summary)
            _write_log(workbook, columns, rows, rows_a_sheet - 1)
            if summary["rehearsal"]:
                for sheet in workbook.worksheets():
                    sheet.set_header(f"&C&B{MARK}")  # on every page, when it is printed
            workbook.close()
        finally:
            # An interrupted workbook is not closed, which would first write all of it out.
            for sheet in workbook.worksheets():
                sheet.row_data_fh.close()


def _write_log(
    workbook: Any,
    columns: Sequence[str],
    rows: Iterable[Mapping[str, Any]],
    rows_a_sheet: int,
) -> None:
    sheet = _add_log_sheet(workbook, "log", columns)
    for index, row in enumerate(rows):
        sheets_full, place = divmod(index, rows_a_sheet)
        if sheets_full and not place:
            sheet = _add_log_sheet(workbook, f"log {sheets_full + 1}", columns)
        for column, value in enumerate(row.values()):
            if isinstance(value, str):
                sheet.write_string(place + 1, column, value)
            elif value is not None:
                sheet.write_number(place + 1, column, value)


def _add_log_sheet(workbook: Any, name: str, columns: Sequence[str]) -> Any:
    sheet = workbook.add_worksheet(name)
    text = workbook.add_format({"num_format": "@"})
    for place, column in enumerate(columns):
        # A cell that is typed over stays text, too.
        sheet.set_column(place, place, _WIDTHS.get(column, _USUAL_WIDTH), text)
    sheet.freeze_panes(1, 0)
    _write_row(sheet, 0, columns, workbook.add_format({"bold": True}))
    return sheet


def _write_summary(workbook: Any, summary: Any) -> None:
    sheet = workbook.add_worksheet("summary")
    sheet.set_column(0, 0, 32)
    bold = workbook.add_format({"bold": True})
    marks = [((MARK,), bold)] if summary["rehearsal"] else []
    lines: list[tuple[Sequence[str | int], Any]] = [
        *marks,
        *(((key, summary[key]), None) for key in (*_FACTS, *_COUNTS, *_OTHER_COUNTS)),
    ]
    for axis in ("category", "district"):
        groups = summary[f"by_{axis}"]
        sums = [sum(group[count] for group in groups.values()) for count in _COUNTS]
        lines.append(((), None))
        lines.append(((axis, *_COUNTS), bold))
        lines += [
            ((name, *(group[count] for count in _COUNTS)), None) for name, group in groups.items()
        ]
        lines.append((("total", *sums), bold))
    for place, (cells, cell_format) in enumerate(lines):
        _write_row(sheet, place, cells, cell_format)


def _write_row(sheet: Any, place: int, cells: Sequence[str | int], cell_format: Any) -> None:
    for column, value in enumerate(cells):
        if isinstance(value, str):
            sheet.write_string(place, column, value, cell_format)
        else:
            sheet.write_number(place, column, value, cell_format)
