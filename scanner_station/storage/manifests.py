"""Manifests in the database: written in small steps, looked up card by card.

Writing is many short transactions, so that another batch can be counted meanwhile. Until the last
one the manifest is not complete; what a crash leaves incomplete is swept at the next start.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Final, cast

from scanner_station.domain.errors import ManifestError
from scanner_station.domain.manifest import (
    Cancelled,
    Listed,
    ManifestInfo,
    ManifestLine,
    ManifestReport,
    Progress,
    Totals,
)
from scanner_station.storage.checked_manifest import CHUNK_LINES, CheckedManifest, stopped, tell
from scanner_station.storage.csv_pack import FIELD

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
        raise stopped()
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
                (manifest_id, CHUNK_LINES),
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


def listed(connection: sqlite3.Connection, manifest_id: int, identifier: str) -> Listed | None:
    """Return what is said of one identifier, or None when nobody listed it."""
    found = connection.execute(
        "select category, district, pieces, name, address,"
        " exists (select 1 from piece where piece.identifier = manifest_line.identifier)"
        " from manifest_line where manifest_id = ? and identifier = ?",
        (manifest_id, identifier),
    ).fetchone()
    return Listed(*found) if found else None


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
