"""The whole log of a batch as one file: CSV, JSON Lines or Excel.

Every entry is in it, voids, repeats and unreadable cards too, with whole identifiers: a file for
the supervisor. Raw payloads are not, as they are never shown as text.
"""

import itertools
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from sqlite3 import Connection
from typing import Any, BinaryIO, Final
from zoneinfo import ZoneInfo

from sqlite_utils import Database

from scanner_station.domain.errors import InputError
from scanner_station.domain.rehearsal import MARK
from scanner_station.exports.columns import COLUMNS, CSV_LINES, JSON_LINES, ROWS
from scanner_station.exports.excel import write_workbook
from scanner_station.service.counter import require_batch
from scanner_station.service.log_check import check_closed_log
from scanner_station.service.views import summary
from scanner_station.storage import scan_log
from scanner_station.storage.batches import Batch
from scanner_station.storage.durable_file import written_durably
from scanner_station.storage.entry_key import span_of

Progress = Callable[[int, int], None]
Row = dict[str, Any]

FORMATS: Final = ("csv", "xlsx", "jsonl")
_LINES_A_WRITE: Final = 500


def export(
    connection: Connection,
    slug: str,
    export_format: str,
    path: Path,
    *,
    time_zone: ZoneInfo | None,
    progress: Progress | None = None,
) -> int:
    """Write a batch's log to `path`, durably, replacing a file of that name; return its entries.

    `connection`: in a read transaction, so that rows and totals are of one moment. `time_zone`
    is that of the column `local_time`; None is the machine's own. `progress` is told entries
    written and in total; what it raises ends the export with nothing left behind.

    Raises:
        BatchError: there is no such batch.
        InputError: the path cannot take a file, or the format is none of `FORMATS`.
        StorageError: the disk failed or is full, or the closed log was changed.
    """
    batch = require_batch(connection, slug)
    check_closed_log(connection, batch, names_people=True)
    total = scan_log.next_sequence(connection, batch.id)
    connection.create_function("local_time", 1, _local_time_in(time_zone), deterministic=True)
    # Plugins and pragmas of the library have no business on a connection that only reads.
    database = Database(connection, recursive_triggers=False, execute_plugins=False)

    def rows(sql: str) -> Iterator[Row]:
        mark = MARK if batch.is_rehearsal else None
        values = span_of(batch.id) | {"manifest": batch.manifest_id, "mark": mark}
        found = database.query(sql, values)
        return _told(found, total, progress)

    with written_durably(path) as file:
        _write(connection, batch, export_format, file, path.parent, rows)
    return total


def _write(
    connection: Connection,
    batch: Batch,
    export_format: str,
    file: BinaryIO,
    scratch: Path,
    rows: Callable[[str], Iterator[Row]],
) -> None:
    match export_format:
        case "csv":
            header = ",".join(COLUMNS)
            _write_lines(file, itertools.chain([header], _lines(rows(CSV_LINES))), "\r\n")
        case "jsonl":
            _write_lines(file, _lines(rows(JSON_LINES)), "\n")
        case "xlsx":
            totals = summary(connection, batch.slug)
            write_workbook(file, COLUMNS, rows(ROWS), totals, scratch=scratch)
        case _:
            raise InputError(
                "%(format)s is not a format of an export; choose csv, xlsx or jsonl",
                format=export_format,
            )


def _local_time_in(time_zone: ZoneInfo | None) -> Callable[[str], str]:
    @lru_cache(maxsize=64)
    def minute(text: str) -> str:
        local = datetime.fromisoformat(text + ":00+00:00").astimezone(time_zone)
        return local.strftime("%Y-%m-%d %H:%M")

    # A zone moves its clocks by whole minutes, and many entries share one.
    return lambda at: minute(at[:16]) + at[16:19]


def _told(rows: Iterator[Row], total: int, progress: Progress | None) -> Iterator[Row]:
    for done, row in enumerate(rows):
        if progress is not None and done % _LINES_A_WRITE == 0:
            progress(done, total)
        yield row
    if progress is not None:
        progress(total, total)


def _lines(rows: Iterator[Row]) -> Iterator[str]:
    return (row["line"] for row in rows)


def _write_lines(file: BinaryIO, lines: Iterator[str], end: str) -> None:
    while some := list(itertools.islice(lines, _LINES_A_WRITE)):
        file.write((end.join(some) + end).encode())
