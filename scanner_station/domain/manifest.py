"""The list of cards that should be destroyed: its lines, and what a check of its file found."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from scanner_station.domain.errors import ManifestError
from scanner_station.domain.manifest_header import Columns, Field
from scanner_station.domain.manifest_problems import Code, Problem

PROBLEMS_SHOWN: Final = 100
_TOTALS_SHOWN: Final = 60
_COLUMNS_SHOWN: Final = 12

Totals = dict[tuple[str, str], int]
"""Pieces by (category, district), either of them '' where the manifest names none."""

Progress = Callable[[int, int], None]
"""Told (done, total), in bytes or lines; `done` never goes back."""

Cancelled = Callable[[], bool]


class ManifestCancelledError(ManifestError):
    """Somebody stopped the check or the import; nothing of it stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestLine:
    """One identifier that should be destroyed, as many times as `pieces` says.

    `line` is its line in the file as it came in, from 1; `extra` its other columns by the
    header's own names.
    """

    identifier: str
    line: int
    category: str = ""
    district: str = ""
    pieces: int = 1
    name: str = ""
    address: str = ""
    extra: dict[str, str] = field(default_factory=dict)


class Listed(NamedTuple):
    """What a manifest says of one identifier: all that judging it and showing it needs.

    `has_pieces`: whether a piece of it is counted now, in whatever batch.
    """

    category: str
    district: str
    pieces: int
    name: str
    address: str
    has_pieces: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestInfo:
    """What is known of a whole manifest; `sha256` is of the file as it came in, hex."""

    id: int
    file_name: str
    sha256: str
    lines: int
    pieces: int
    imported_at: str
    imported_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something worth a look that does not stop an import: an English template and its values."""

    message: str
    values: dict[str, str | int] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message % self.values


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestReport:
    """What the check of one file found.

    `lines`, `pieces` and `totals` add up the lines without a problem. `problems` are the
    first by line, at most `PROBLEMS_SHOWN`; `problem_count` counts all, `problem_counts` by
    code. `columns` maps what we recognised to the header's own words. `delimiter` is '' and
    `sheet` a name for a workbook.
    """

    file_name: str
    sha256: str = ""
    size_bytes: int = 0
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    header_line: int = 0
    columns: dict[str, str] = field(default_factory=dict)
    extra_columns: tuple[str, ...] = ()
    lines: int = 0
    pieces: int = 0
    totals: Totals = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    problem_count: int = 0
    problem_counts: dict[Code, int] = field(default_factory=dict)
    warnings: tuple[Remark, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether the file can be imported."""
        return self.problem_count == 0

    def as_json(self) -> dict[str, object]:
        """Return the report with stable keys, as `manifest check --json` prints it."""
        return {
            "file_name": self.file_name,
            "ok": self.is_clean,
            "sha256": self.sha256,
            "size_bytes": self.size_bytes,
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "sheet": self.sheet,
            "header_line": self.header_line,
            "columns": dict(self.columns),
            "extra_columns": list(self.extra_columns),
            "lines": self.lines,
            "pieces": self.pieces,
            "totals": [
                {"category": category, "district": district, "pieces": pieces}
                for (category, district), pieces in sorted(self.totals.items())
            ],
            "problem_count": self.problem_count,
            "problem_counts": {code.value: n for code, n in sorted(self.problem_counts.items())},
            "problems": [problem.as_json() for problem in self.problems],
            "warnings": [str(warning) for warning in self.warnings],
        }

    def as_text(self) -> Iterator[str]:
        """Yield the report as lines for a terminal."""
        if self.header_line:
            yield from self._contents_as_text()
        for warning in self.warnings:
            yield f"warning: {warning}"
        for problem in self.problems:
            yield str(problem)
        if self.problem_count > len(self.problems):
            yield f"... and {self.problem_count - len(self.problems)} more; of all problems:"
            for code, count in sorted(self.problem_counts.items()):
                yield f"  {code}: {count}"
        if self.problem_count:
            yield f"{self.file_name} is refused; problems found: {self.problem_count}"
        else:
            yield f"{self.file_name} has no problems and can be imported"

    def _contents_as_text(self) -> Iterator[str]:
        good = " without a problem" if self.problem_count else ""
        where = f"sheet {self.sheet}" if self.sheet else f"{self.encoding}, {self.delimiter}"
        yield f"{self.file_name}: {self.lines} lines, {self.pieces} cards{good} ({where})"
        for name, word in self.columns.items():
            yield f"  {name}: column {word}"
        if self.extra_columns:
            yield f"  kept as they are: {_some(self.extra_columns)}"
        totals = sorted(self.totals.items())
        for (category, district), pieces in totals[:_TOTALS_SHOWN]:
            named = f"{category or 'no category'} / {district or 'no district'}"
            yield f"  {named}: {pieces}"
        if len(totals) > _TOTALS_SHOWN:
            yield f"  ... and {len(totals) - _TOTALS_SHOWN} more categories and districts"


def _some(names: tuple[str, ...]) -> str:
    more = len(names) - _COLUMNS_SHOWN
    return ", ".join(names[:_COLUMNS_SHOWN]) + (f" and {more} more" if more > 0 else "")


def remarks_on(columns: Columns, header_line: int, totals: Totals) -> tuple[Remark, ...]:
    """Return what is worth a look in a file's header and its categories.

    `header_line` is 0 when nothing stands above the header.
    """
    remarks = [
        Remark(
            message="column %(extra)s was kept as an extra column, because %(used)s is used",
            values={"extra": extra, "used": used},
        )
        for used, extra in columns.passed_over
    ]
    if Field.CATEGORY not in columns.position:
        remarks.append(Remark(message="there is no column kategori; all cards have no category"))
    if header_line > 1:
        remarks.append(
            Remark(
                message="the header was found in line %(line)s; the lines above it were not read",
                values={"line": header_line},
            )
        )
    for axis in (0, 1):
        spellings: dict[str, set[str]] = {}
        for pair in totals:
            spellings.setdefault(" ".join(pair[axis].casefold().split()), set()).add(pair[axis])
        remarks += [
            Remark(
                message="these are counted apart although only case or spaces differ: %(names)s",
                values={"names": " | ".join(sorted(names))},
            )
            for names in spellings.values()
            if len(names) > 1
        ]
    return tuple(remarks)
