"""A manifest file checked as a whole: its report, its rows on their way in, all its problems."""

import contextlib
import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import IO, Final

from scanner_station.domain.errors import ManifestError
from scanner_station.domain.identifier import Schemes
from scanner_station.domain.manifest import (
    PROBLEMS_SHOWN,
    Cancelled,
    ManifestCancelledError,
    ManifestReport,
    Progress,
    remarks_on,
)
from scanner_station.domain.manifest_findings import Findings
from scanner_station.domain.manifest_problems import Problem
from scanner_station.storage.csv_file import open_csv
from scanner_station.storage.manifest_check import Checker
from scanner_station.storage.manifest_file import (
    WORKBOOK,
    Block,
    FileRefusedError,
    Survey,
    Table,
    refuse_false_name,
    survey,
)
from scanner_station.storage.manifest_spool import Spool
from scanner_station.storage.xlsx_file import column_name, open_xlsx

CHUNK_LINES: Final = 8192
"""About 40 ms of the writer's time on the class of machine this was measured on."""


@dataclass(slots=True, kw_only=True)
class CheckedManifest:
    """A file that was checked; what `write` needs is there only when it is clean.

    Close it (or use `with`) to give its temporary file back early.
    """

    report: ManifestReport
    _checker: Checker | None = None
    _spool: Spool | None = None

    def rows(self) -> Iterator[tuple[list[int], list[bytes]]]:
        """Yield packed rows with their lines in the order of their identifiers, many at a time."""
        if self._checker is not None and self._spool is not None:
            order, done = self._checker.order, 0
            for rows in self._spool.chunks(order, CHUNK_LINES):
                some = order[done : done + len(rows)]
                yield self._checker.line_numbers[some].tolist(), rows
                done += len(rows)

    @property
    def stored(self) -> tuple[str, ...]:
        """The table's columns that a packed row has, in its order."""
        return self._checker.layout.stored if self._checker else ()

    def close(self) -> None:
        """Give the temporary file and the memory back, and keep the report; safe twice."""
        if self._spool is not None:
            self._spool.close()
        self._spool = self._checker = None

    def __enter__(self) -> "CheckedManifest":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def check(
    path: Path,
    file_name: str,
    schemes: Schemes,
    *,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    folder: Path | None = None,
) -> CheckedManifest:
    """Check a whole manifest file; nothing is written to the database.

    `file_name` is what the file was called where it came from. `folder` is where the checked
    rows wait for `write`, in a file without a name; the system's folder for such files if None.

    Raises:
        ManifestError: the file cannot be opened, or there is no room for the temporary file.
        ManifestCancelledError: `cancelled` said so.
    """
    with _reading(file_name), path.open("rb") as file:
        surveyed = survey(file)
        try:
            with _Walk(file, file_name, surveyed, schemes, folder) as walk:
                for _ in walk.blocks():
                    tell(progress, cancelled, *walk.table.position())
                walk.checker.finish()
        except FileRefusedError as refused:
            return CheckedManifest(report=_refusal(file_name, surveyed, refused))
        report = _report(walk.table, file_name, surveyed, walk.checker, walk.findings)
        if not report.is_clean:
            walk.spool.close()
            return CheckedManifest(report=report)
        return CheckedManifest(report=report, _checker=walk.checker, _spool=walk.spool)


def every_problem(
    path: Path, file_name: str, schemes: Schemes, *, folder: Path | None = None
) -> Iterator[Problem]:
    """Yield all problems of a file, those of the whole file first, then by line.

    A report keeps only the first ones. The file is read twice instead of keeping the others,
    because only its end tells which numbers stand twice: memory and disk stay as for a check.

    Raises:
        ManifestError: the file cannot be opened.
    """
    with _reading(file_name), path.open("rb") as file, path.open("rb") as again:
        surveyed = survey(file)
        try:
            walk = _Walk(file, file_name, surveyed, schemes, folder)
            with contextlib.closing(walk.spool):
                for _ in walk.blocks():
                    pass  # only the end tells
                walk.checker.finish()
        except FileRefusedError as refused:
            yield refused.problem
            return
        yield from (problem for problem in walk.findings.shown if not problem.line)
        found = walk.checker.duplicates
        twice = found.problems(walk.findings) if found else ()
        others = _by_line(_Walk(again, file_name, surveyed, schemes, folder, most=None))
        yield from heapq.merge(others, twice, key=attrgetter("line"))


def _by_line(walk: "_Walk") -> Iterator[Problem]:
    """Yield what single lines show, by line; nothing that another line could still take back."""
    with contextlib.closing(walk.spool):
        for _ in walk.blocks():
            yield from walk.findings.take_settled()
        walk.checker.find_totals_by_arithmetic()
    walk.findings.settle()
    yield from walk.findings.shown


class _Walk:
    """One way through a file, row by row; used as a context, an error closes its spool.

    Raises:
        FileRefusedError: nothing in it can be checked.
    """

    def __init__(
        self,
        file: IO[bytes],
        file_name: str,
        surveyed: Survey,
        schemes: Schemes,
        folder: Path | None,
        *,
        most: int | None = PROBLEMS_SHOWN,
    ) -> None:
        refuse_false_name(file_name, surveyed.content)
        self.table = _open(file, surveyed, schemes)
        self.findings = Findings(self.table.columns, _letters(self.table), most=most)
        self.spool = Spool(folder)
        self.checker = Checker(self.table, schemes, self.findings, self.spool)

    def __enter__(self) -> "_Walk":
        return self

    def __exit__(self, error: object, *_: object) -> None:
        if error is not None:
            self.spool.close()

    def blocks(self) -> Iterator[Block]:
        """Judge the header, then each block of rows, and yield it."""
        self.checker.judge_header(self.table)
        for block in self.table.blocks:
            self.checker.take(block)
            yield block


@contextlib.contextmanager
def _reading(file_name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ManifestError(
            "%(file)s cannot be read or checked (%(why)s); see that it is there, that you may "
            "read it and that the disk is not full",
            file=file_name,
            why=error.strerror or str(error),
        ) from error


def _open(file: IO[bytes], surveyed: Survey, schemes: Schemes) -> Table:
    if surveyed.content == WORKBOOK:
        return open_xlsx(file, schemes)
    return open_csv(file, surveyed, schemes)


def _letters(table: Table) -> tuple[str, ...]:
    if table.first_column is None:
        return ()
    return tuple(column_name(table.first_column + i) for i in range(table.columns.width))


def tell(progress: Progress | None, cancelled: Cancelled | None, done: int, total: int) -> None:
    """Say how far the work is, or stop it.

    Raises:
        ManifestCancelledError: `cancelled` said so.
    """
    if cancelled is not None and cancelled():
        raise stopped()
    if progress is not None:
        progress(done, total)


def stopped() -> ManifestCancelledError:
    """Return what says that somebody stopped the work."""
    return ManifestCancelledError("the import was stopped; nothing of it was kept")


def _refusal(file_name: str, surveyed: Survey, refused: FileRefusedError) -> ManifestReport:
    return ManifestReport(
        file_name=file_name,
        sha256=surveyed.sha256,
        size_bytes=surveyed.size_bytes,
        problems=(refused.problem,),
        problem_count=1,
        problem_counts={refused.problem.code: 1},
    )


def _report(
    table: Table, file_name: str, surveyed: Survey, checker: Checker, findings: Findings
) -> ManifestReport:
    columns = table.columns
    above = any(cell.strip() for _, cells in table.above for cell in cells)
    return ManifestReport(
        file_name=file_name,
        sha256=surveyed.sha256,
        size_bytes=surveyed.size_bytes,
        encoding=table.encoding,
        delimiter=table.delimiter,
        sheet=table.sheet,
        header_line=table.header_line,
        columns={field.value: columns.words[at] for field, at in columns.position.items()},
        extra_columns=tuple(columns.words[at] for at in columns.extra),
        lines=checker.lines,
        pieces=checker.pieces,
        totals=checker.totals,
        problems=tuple(findings.shown),
        problem_count=findings.count,
        problem_counts=dict(findings.counts),
        warnings=(
            *table.remarks,
            *remarks_on(columns, table.header_line if above else 0, checker.totals),
        ),
    )
