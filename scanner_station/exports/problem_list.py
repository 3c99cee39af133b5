"""All problems of a manifest as CSV, for whoever mends the file: one line each, in any language."""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from scanner_station.domain.manifest_problems import Problem
from scanner_station.exports.cells import defused
from scanner_station.exports.said import Said

HEADER: Final = ("Line", "Cell", "Column", "Value", "What is wrong", "What to do")
_BOM: Final = "\ufeff"  # or Excel takes UTF-8 for cp1252
_LINES_A_PIECE: Final = 500


def problem_list(problems: Iterable[Problem], said: Said) -> Iterator[bytes]:
    """Yield the file piece by piece: semicolons as Excel expects them here, nothing it would run.

    Identity numbers are masked. `Line` is empty where a problem is the whole file's.
    """
    yield f"{_BOM}{_as_csv([[said(word, {}) for word in HEADER]])}".encode()
    left = iter(problems)
    while some := list(islice(left, _LINES_A_PIECE)):
        yield _as_csv([_cells(one, said) for one in some]).encode()


def _cells(one: Problem, said: Said) -> list[str]:
    return [
        str(one.line or ""),
        one.cell,
        one.column,
        one.value_masked,
        _sentence(said(one.reason, one.values)),
        _sentence(said(one.remedy, one.values)),
    ]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _as_csv(lines: list[list[str]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
    writer.writerows([defused(cell) for cell in line] for line in lines)
    return file.getvalue()
