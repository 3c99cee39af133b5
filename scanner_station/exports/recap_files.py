"""A recapitulation as a file: CSV for programs, Excel for people, PDF for the record."""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import xlsxwriter

from scanner_station.domain.errors import InputError
from scanner_station.domain.recapitulation import Recapitulation
from scanner_station.exports.cells import defused
from scanner_station.exports.recap_paper import print_recap
from scanner_station.exports.recap_rows import FIGURES, Cell, Section, sections
from scanner_station.exports.said import Said, in_english
from scanner_station.storage.durable_file import written_durably

COLUMNS: Final = (
    "section",
    "is_total",
    "office",
    "log",
    "title",
    "day",
    "period",
    "category",
    "state",
    "keys",
    "witnesses",
    "supplements",
    "bundle",
    "batches",
    *FIGURES,
    "why",
    "identifier",
    "weight",
    "logs",
    "remark",
)
"""Of the CSV file, in this order; docs/recap.md explains each. New ones go to the end."""

_WIDTHS: Final = {"office": 42, "log": 28, "title": 36, "bundle": 28, "why": 60, "remark": 80}
_OPTIONS: Final = {
    "constant_memory": True,
    "strings_to_numbers": False,
    "strings_to_formulas": False,
    "strings_to_urls": False,
}


def write_recap(found: Recapitulation, path: Path, said: Said = in_english) -> None:
    """Write a recapitulation durably; the name's ending says as what, `said` tells it on paper.

    Raises:
        InputError: the ending is none of .csv, .xlsx and .pdf, or the path cannot take a file.
        StorageError: the disk failed or is full.
    """
    write = writer_for(path.suffix, said)
    with written_durably(path) as file:
        write(found, file)


def writer_for(ending: str, said: Said = in_english) -> Callable[[Recapitulation, BinaryIO], None]:
    """Return what writes a kind of file; `said` tells on paper why a bundle was refused.

    Raises:
        InputError: there is no such kind.
    """

    def write_pdf(found: Recapitulation, file: BinaryIO) -> None:
        file.write(print_recap(found, said))

    kinds = {".csv": write_csv, ".xlsx": write_workbook, ".pdf": write_pdf}
    if ending.lower() not in kinds:
        raise InputError(
            "%(ending)r is no kind of file for a recapitulation; choose a name that ends in "
            "%(known)s",
            ending=ending,
            known=", ".join(kinds),
        )
    return kinds[ending.lower()]


def write_csv(found: Recapitulation, file: BinaryIO) -> None:
    """Write one line for each row of each table (UTF-8, commas, CR LF); texts are defused."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    for section in sections(found):
        for row, is_total in _rows(section):
            cells: dict[str, Cell] = dict(zip(section.columns, row, strict=True))
            writer.writerow(
                {"section": section.name, "is_total": int(is_total)}
                | {name: defused(c) if isinstance(c, str) else c for name, c in cells.items()}
            )
    text.flush()
    text.detach()


def write_workbook(found: Recapitulation, file: BinaryIO) -> None:
    """Write an Excel workbook with a sheet for each table; a text is always a text."""
    workbook = xlsxwriter.Workbook(file, _OPTIONS)
    bold = workbook.add_format({"bold": True})
    # The totals first: that is what somebody opens it for. The finest parts come last.
    finest, *others = sections(found)
    for section in (*others, finest):
        sheet = workbook.add_worksheet(section.name.replace("_", " "))
        sheet.freeze_panes(1, 0)
        for column, name in enumerate(section.columns):
            sheet.set_column(column, column, _WIDTHS.get(name, 13))
            sheet.write_string(0, column, name, bold)
        for place, (row, is_total) in enumerate(_rows(section), start=1):
            _write_row(sheet, place, row, bold if is_total else None)
    workbook.close()


def _rows(section: Section) -> Iterator[tuple[Any, bool]]:
    for row in section.rows:
        yield row, False
    if section.total is not None:
        yield section.total, True


def _write_row(sheet: Any, place: int, cells: Any, form: Any) -> None:
    for column, value in enumerate(cells):
        if isinstance(value, str):
            sheet.write_string(place, column, value, form)
        else:
            sheet.write_number(place, column, value, form)
