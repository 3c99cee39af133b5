"""Manifests in the database: checked as a whole, written in small steps, looked up card by card.

Writing is many short transactions, so that another batch can be counted meanwhile. Until the last
one the manifest is not complete; what a crash leaves incomplete is swept at the next start.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

from scanner_station.domain.errors import ManifestError
from scanner_station.domain.identifier import Schemes
from scanner_station.domain.manifest import (
    Cancelled,
    ManifestCancelledError,
    ManifestInfo,
    ManifestLine,
    ManifestReport,
    Progress,
    Totals,
    remarks_on,
)
from scanner_station.domain.manifest_findings import Findings
from scanner_station.storage.csv_file import open_csv
from scanner_station.storage.csv_pack import FIELD
from scanner_station.storage.manifest_check import Checker
from scanner_station.storage.manifest_file import (
    WORKBOOK,
    FileRefusedError,
    Survey,
    Table,
    refuse_false_name,
    survey,
)
from scanner_station.storage.manifest_spool import Spool
from scanner_station.storage.xlsx_file import column_name, open_xlsx

Transaction = Callable[[], AbstractContextManager[sqlite3.Connection]]
"""Runs one durable transaction on the one writing connection, as the one writer."""

_Row = tuple[str, int, str, str, int, str, str, str]
_IF_ABSENT: Final = {
    "category": "''",
    "district": "''",
    "pieces": "1",
    "name": "''",
    "address": "''",
    "extra": "''",
}
_FIELD_TEXT: Final = FIELD.decode()
_ROWS_A_STATEMENT: Final = 256

_CHUNK_LINES: Final = 8192
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
            for rows in self._spool.chunks(order, _CHUNK_LINES):
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
    try:
        with path.open("rb") as file:
            surveyed = survey(file)
            try:
                refuse_false_name(file_name, surveyed.content)
                table = _open(file, surveyed, schemes)
                return _check_table(
                    table, file_name, surveyed, schemes, Spool(folder), progress, cancelled
                )
            except FileRefusedError as refused:
                return CheckedManifest(report=_refusal(file_name, surveyed, refused))
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


def _check_table(
    table: Table,
    file_name: str,
    surveyed: Survey,
    schemes: Schemes,
    spool: Spool,
    progress: Progress | None,
    cancelled: Cancelled | None,
) -> CheckedManifest:
    findings = Findings(table.columns, _letters(table))
    checker = Checker(table, schemes, findings, spool)
    try:
        checker.judge_header(table)
        for block in table.blocks:
            checker.take(block)
            tell(progress, cancelled, *table.position())
        checker.finish()
        report = _report(table, file_name, surveyed, checker, findings)
    except BaseException:
        spool.close()
        raise
    if not report.is_clean:
        spool.close()
        return CheckedManifest(report=report)
    return CheckedManifest(report=report, _checker=checker, _spool=spool)


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
        raise _stopped()
    if progress is not None:
        progress(done, total)


def _stopped() -> ManifestCancelledError:
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


def write(
    transaction: Transaction,
    checked: CheckedManifest,
    *,
    imported_at: str,
    imported_by: str,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> int:
    """Write a clean manifest in small transactions and return its id; all of it, or nothing.

    The checked manifest is closed, whatever happens.

    Raises:
        ManifestError: it has problems.
        ManifestCancelledError: `cancelled` said so; what was written is gone again.
        StorageError: a write failed; `sweep` removes the rest at the next start.
    """
    report = checked.report
    if not report.is_clean:
        raise ManifestError(
            "%(file)s was refused, problems found: %(count)s; mend them and load it again",
            file=report.file_name,
            count=report.problem_count,
        )
    with transaction() as connection:
        cursor = connection.execute(
            "insert into manifest (file_name, sha256, lines, pieces, imported_at, imported_by,"
            " is_complete) values (?, ?, ?, ?, ?, ?, 0)",
            (
                report.file_name,
                report.sha256,
                report.lines,
                report.pieces,
                imported_at,
                imported_by,
            ),
        )
        manifest_id = cursor.lastrowid or 0
    try:
        inserts = _Inserts(manifest_id, checked.stored)
        done = 0
        for line_numbers, rows in checked.rows():
            with transaction() as connection:
                inserts.run(connection, line_numbers, rows)
            done += len(rows)
            tell(progress, cancelled, done, report.lines)
        _complete(transaction, manifest_id, report, done)
    except BaseException:
        remove(transaction, manifest_id)
        raise
    finally:
        checked.close()
    return manifest_id


class _Inserts:
    """The statements that insert packed rows, hundreds of rows in each.

    One row at a time costs two thirds more: most of it is calling, not inserting.
    """

    def __init__(self, manifest_id: int, stored: tuple[str, ...]) -> None:
        absent = {name: value for name, value in _IF_ABSENT.items() if name not in stored}
        names = ("manifest_id", "line", *stored, *absent)
        marks = (str(int(manifest_id)), "?", *("?" for _ in stored), *absent.values())
        # Only names and a number of our own stand in the text.
        self._into = f"insert into manifest_line ({', '.join(names)}) values "  # noqa: S608
        self._row = f"({', '.join(marks)})"
        self._many = self._statement(_ROWS_A_STATEMENT)
        self._stored = len(stored)

    def _statement(self, rows: int) -> str:
        return self._into + ", ".join([self._row] * rows)

    def run(
        self, connection: sqlite3.Connection, line_numbers: list[int], rows: list[bytes]
    ) -> None:
        for start in range(0, len(rows), _ROWS_A_STATEMENT):
            end = start + _ROWS_A_STATEMENT
            some = rows[start:end]
            is_full = len(some) == _ROWS_A_STATEMENT
            statement = self._many if is_full else self._statement(len(some))
            connection.execute(statement, self._values(line_numbers[start:end], some))

    def _values(self, line_numbers: list[int], rows: list[bytes]) -> list[str | int]:
        """Return line, first column, second … of one row after the other."""
        columns = self._stored
        texts = FIELD.join(rows).decode().split(_FIELD_TEXT)
        values: list[str | int] = [0] * (len(rows) * (columns + 1))
        values[:: columns + 1] = line_numbers
        for column in range(columns):
            values[column + 1 :: columns + 1] = texts[column::columns]
        return values


def _complete(
    transaction: Transaction, manifest_id: int, report: ManifestReport, written: int
) -> None:
    if written != report.lines:  # the checked rows were given back meanwhile
        raise _stopped()
    with transaction() as connection:
        connection.executemany(
            "insert into manifest_total (manifest_id, category, district, pieces)"
            " values (?, ?, ?, ?)",
            [(manifest_id, *pair, pieces) for pair, pieces in report.totals.items()],
        )
        connection.execute("update manifest set is_complete = 1 where id = ?", (manifest_id,))


def remove(transaction: Transaction, manifest_id: int) -> None:
    """Delete a manifest that no batch points to, in small transactions too."""
    with transaction() as connection:
        # From here on it is nobody's, even if this is interrupted.
        connection.execute("update manifest set is_complete = 0 where id = ?", (manifest_id,))
    while True:
        with transaction() as connection:
            next_one = connection.execute(
                "select identifier from manifest_line where manifest_id = ?"
                " order by identifier limit 1 offset ?",
                (manifest_id, _CHUNK_LINES),
            ).fetchone()
            if next_one is None:
                break
            # With an `or` for the last stretch, the whole rest would be read each time.
            connection.execute(
                "delete from manifest_line where manifest_id = ? and identifier < ?",
                (manifest_id, *next_one),
            )
    with transaction() as connection:
        connection.execute("delete from manifest_line where manifest_id = ?", (manifest_id,))
        connection.execute("delete from manifest_total where manifest_id = ?", (manifest_id,))
        connection.execute("delete from manifest where id = ?", (manifest_id,))


def sweep(connection: sqlite3.Connection, transaction: Transaction) -> int:
    """Remove what killed imports left, and return how many there were.

    An import may also die between its last line and the batch that should point to it.
    """
    found = connection.execute(
        "select id from manifest where is_complete = 0"
        " or id not in (select manifest_id from batch where manifest_id is not null)"
    ).fetchall()
    for (manifest_id,) in found:
        remove(transaction, manifest_id)
    return len(found)


_LINE: Final = (
    "select identifier, line, category, district, pieces, name, address, extra"
    " from manifest_line where manifest_id = ?"
)


def identifiers(connection: sqlite3.Connection, manifest_id: int | None, *, most: int) -> list[str]:
    """Return the identifiers of a manifest, sorted; nothing when it has more than `most`."""
    rows = connection.execute(
        "select identifier from manifest_line where manifest_id = ? order by identifier limit ?",
        (manifest_id, most + 1),
    ).fetchall()
    return [row[0] for row in rows] if len(rows) <= most else []


def lookup(
    connection: sqlite3.Connection, manifest_id: int, identifier: str
) -> ManifestLine | None:
    """Return the line of one identifier, or None when nobody listed it."""
    found = connection.execute(_LINE + " and identifier = ?", (manifest_id, identifier)).fetchone()
    return _line(found) if found else None


def lines(connection: sqlite3.Connection, manifest_id: int) -> Iterator[ManifestLine]:
    """Yield every line, by identifier, without holding them all."""
    for row in connection.execute(_LINE + " order by identifier", (manifest_id,)):
        yield _line(row)


def missing(
    connection: sqlite3.Connection, manifest_id: int, batch_id: int
) -> Iterator[tuple[ManifestLine, int]]:
    """Yield, by identifier, the lines of which pieces are not counted in a batch, and how many."""
    counted = "(select count(*) from piece where batch_id = ? and piece.identifier = m.identifier)"
    found = connection.execute(
        "select identifier, line, category, district, pieces, name, address, extra, "  # noqa: S608
        f"pieces - {counted} as lacking from manifest_line as m"  # a constant of ours
        " where manifest_id = ? and lacking > 0 order by identifier",
        (batch_id, manifest_id),
    )
    for *row, lacking in found:
        yield _line(tuple(row)), lacking


def _line(row: tuple[object, ...]) -> ManifestLine:
    identifier, line, category, district, pieces, name, address, extra = cast(_Row, row)
    return ManifestLine(
        identifier=identifier,
        line=line,
        category=category,
        district=district,
        pieces=pieces,
        name=name,
        address=address,
        extra=json.loads(extra) if extra else {},
    )


def totals(connection: sqlite3.Connection, manifest_id: int) -> Totals:
    """Return the expected pieces by (category, district)."""
    return {
        (category, district): pieces
        for category, district, pieces in connection.execute(
            "select category, district, pieces from manifest_total where manifest_id = ?",
            (manifest_id,),
        )
    }


def info(connection: sqlite3.Connection, manifest_id: int) -> ManifestInfo | None:
    """Return what is known of a complete manifest as a whole, or None."""
    row = connection.execute(
        "select id, file_name, sha256, lines, pieces, imported_at, imported_by from manifest"
        " where id = ? and is_complete = 1",
        (manifest_id,),
    ).fetchone()
    if row is None:
        return None
    names = ("id", "file_name", "sha256", "lines", "pieces", "imported_at", "imported_by")
    return ManifestInfo(**dict(zip(names, row, strict=True)))
