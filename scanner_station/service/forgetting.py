"""Forgetting a closed batch's people: numbers, names, codes as read, and the secret behind them.

The log stays and can still be checked: what it needs of the manifest is kept as commitments, which
nobody can open any more. What cannot be made again afterwards is in `CANNOT_BE_MADE_AGAIN`.
"""

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count, islice
from sqlite3 import Connection
from typing import Final

from scanner_station.domain.entry import parse_timestamp
from scanner_station.domain.errors import BatchError, StorageError
from scanner_station.service.counter import require_batch
from scanner_station.service.station import Station
from scanner_station.storage import batches, forgetting, manifest_commitments, people, scan_log
from scanner_station.storage.batches import Batch, BatchState
from scanner_station.storage.database import open_to_read

Progress = Callable[[int, int], None]

CANNOT_BE_MADE_AGAIN: Final = (
    "minutes with names, openings, receipts, and the remark that a card was counted in this batch"
)
_LINES_A_STEP: Final = 4096


def forget(
    station: Station,
    slug: str,
    *,
    by: str,
    retention_days: int = 0,
    progress: Progress | None = None,
) -> None:
    """Erase a closed batch's people from the data folder; interrupted, it goes on when run again.

    Raises:
        BatchError: there is no such batch, it is not closed, or its time is not over.
        StorageError: the disk failed, or a page that is still reading kept something back.
    """
    told = progress or (lambda _done, _total: None)
    with station.transaction() as connection:
        batch = require_batch(connection, slug)
        _require_closed(connection, batch, station, retention_days)
        secret = batches.secret_of(connection, batch.id)
    if secret:
        _keep_commitments(station, batch, secret, told)
        with station.transaction() as connection:
            # From here on a bundle is made of what was kept.
            forgetting.erase_secret(connection, batch.id)
            people.note(
                connection, at=station.clock.now(), by=by, what="people forgotten", about=slug
            )
    for start in count(0, forgetting.ROWS_A_STEP):
        with station.transaction() as connection:
            erased = forgetting.erase_some(connection, batch.id, batch.manifest_id, start)
        if not erased:
            break
    station.forget_counter(slug)
    station.compact()


def _require_closed(
    connection: Connection, batch: Batch, station: Station, retention_days: int
) -> None:
    if batch.state not in (BatchState.SEALED, BatchState.CANCELLED):
        raise BatchError(
            "batch %(slug)s is %(state)s; only a sealed or cancelled batch can be forgotten",
            slug=batch.slug,
            state=batch.state,
        )
    last = scan_log.entry(connection, batch.id, scan_log.next_sequence(connection, batch.id) - 1)
    if last is None:
        return
    until = parse_timestamp(str(last.body["at"])) + timedelta(days=retention_days)
    if station.clock.now() < until:
        raise BatchError(
            "batch %(slug)s must be kept until %(until)s (log.retention_days)",
            slug=batch.slug,
            until=until.date().isoformat(),
        )


def _keep_commitments(station: Station, batch: Batch, secret: bytes, told: Progress) -> None:
    if batch.manifest_id is None:
        return
    # Read beside the writer: other batches are counted meanwhile.
    connection = open_to_read(station.folder)
    try:
        total = manifest_commitments.count(connection, batch.manifest_id)
        found = hashlib.sha256()
        rows = manifest_commitments.rows(connection, batch.manifest_id, secret)
        done = 0
        for some in _groups(rows):
            for row in some:
                found.update(manifest_commitments.line_of(row))
            with station.transaction() as writing:
                manifest_commitments.keep(writing, batch.manifest_id, some)
            done += len(some)
            told(done, total)
        first = scan_log.entry(connection, batch.id, 0)
    finally:
        connection.close()
    stated = first.body.get("manifest_sha256", "") if first else ""
    if stated not in ("", found.hexdigest()):
        raise StorageError(
            "the manifest of batch %(slug)s is not the one that its log opens with; nothing was "
            "erased",
            slug=batch.slug,
        )


def _groups(
    rows: Iterator[manifest_commitments.Row],
) -> Iterator[list[manifest_commitments.Row]]:
    while some := list(islice(rows, _LINES_A_STEP)):
        yield some
