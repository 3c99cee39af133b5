"""What pages, commands and exports may know, read beside the writer from committed data."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection
from typing import Final

from scanner_station.domain.entry import Body
from scanner_station.domain.events import EntryRecorded
from scanner_station.domain.identifier import masked
from scanner_station.domain.tally import Tally
from scanner_station.service.counter import load_tally, require_batch
from scanner_station.storage import batches, custody, manifests, scan_log
from scanner_station.storage.batches import Batch
from scanner_station.storage.database import open_to_read
from scanner_station.storage.scan_log import StoredEntry

Json = dict[str, object]

_SPARE_CONNECTIONS: Final = 8


class Views:
    """Reading connections, lent out one at a time to whichever thread asks."""

    def __init__(self, folder: Path) -> None:
        """Prepare to read a data folder; it is opened at the first use."""
        self._folder = folder
        # Guards `_spare`.
        self._lock = threading.Lock()
        self._spare: list[Connection] = []

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Lend a connection that sees one moment of the data while the block runs.

        Raises:
            StorageError: there is no station in the folder.
        """
        with self._lock:
            connection = self._spare.pop() if self._spare else None
        connection = connection or open_to_read(self._folder)
        try:
            connection.execute("begin")
            yield connection
            connection.execute("commit")
        except BaseException:
            connection.close()
            raise
        with self._lock:
            if len(self._spare) < _SPARE_CONNECTIONS:
                self._spare.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close the spare connections."""
        with self._lock:
            while self._spare:
                self._spare.pop().close()


def summary(connection: Connection, slug: str) -> Json:
    """Return one batch and its counts, as `batch show --json` and the API give them.

    Raises:
        BatchError: there is no such batch.
    """
    batch = require_batch(connection, slug)
    declared = custody.declared(connection, batch.id)
    return summary_of(batch, load_tally(connection, batch)) | {
        "declared": declared.by_category,
        "declared_by_district": declared.by_district,
        "declared_total": declared.total,
        "entries": scan_log.next_sequence(connection, batch.id),
    }


def summary_of(batch: Batch, tally: Tally) -> Json:
    """Return a batch and its counts with stable keys."""
    return {
        "slug": batch.slug,
        "title": batch.title,
        "place": batch.place,
        "held_on": batch.held_on,
        "state": batch.state,
        "schemes": list(batch.schemes.schemes),
        "has_manifest": batch.manifest_id is not None,
        "category": batch.category,
        "created_at": batch.created_at,
        "supplements": batch.supplements,
        "rehearsal": batch.is_rehearsal,
    } | tally.as_json()


def active_slug(connection: Connection) -> str:
    """Return the batch that cameras and scanners count into, '' for none."""
    return batches.active_slug(connection)


def listing(connection: Connection) -> list[Json]:
    """Return all batches with their counts, the newest first."""
    return [summary_of(batch, load_tally(connection, batch)) for batch in batches.every(connection)]


def entries(
    connection: Connection, slug: str, *, since: int = 0, limit: int = -1
) -> Iterator[StoredEntry]:
    """Yield the log of a batch in order, reading as it goes.

    Raises:
        BatchError: there is no such batch.
    """
    batch = require_batch(connection, slug)
    return scan_log.entries(connection, batch.id, since=since, limit=limit)


def newest(connection: Connection, slug: str, count: int) -> list[StoredEntry]:
    """Return the last entries of a batch, the newest first."""
    batch = require_batch(connection, slug)
    since = max(0, scan_log.next_sequence(connection, batch.id) - count)
    return list(scan_log.entries(connection, batch.id, since=since))[::-1]


def last_counted(connection: Connection, slug: str) -> StoredEntry | None:
    """Return the newest entry that is counted now: the one that taking back begins with."""
    batch = require_batch(connection, slug)
    sequence = scan_log.last_counted(connection, batch.id)
    return None if sequence is None else scan_log.entry(connection, batch.id, sequence)


def good_neighbours(
    connection: Connection, slug: str, sequence: int
) -> tuple[StoredEntry | None, StoredEntry | None]:
    """Return the good scans before and after an entry: between them its card lies in the pile."""
    batch = require_batch(connection, slug)
    before, after = scan_log.counted_around(connection, batch.id, sequence)
    return (
        None if before is None else scan_log.entry(connection, batch.id, before),
        None if after is None else scan_log.entry(connection, batch.id, after),
    )


def name_on_manifest(connection: Connection, slug: str, identifier: str) -> str:
    """Return the name that the batch's manifest gives an identifier, '' for none."""
    batch = require_batch(connection, slug)
    if batch.manifest_id is None or not identifier:
        return ""
    line = manifests.lookup(connection, batch.manifest_id, identifier)
    return line.name if line else ""


def entry_as_json(body: Body, identifier: str, *, whole: bool = False, name: str = "") -> Json:
    """Return one entry for a screen: its body, and the card masked or, for the officer, whole."""
    shown: Json = dict(body)
    shown["masked"] = masked(identifier) if identifier else ""
    if whole:
        shown |= {"identifier": identifier, "name": name}
    return shown


def outcome_as_json(recorded: EntryRecorded) -> Json:
    """Return the verdict on one presentation; for `already_counted` also its `first` entry."""
    body = recorded.body
    outcome: Json = {
        "sequence": recorded.sequence,
        "verdict": body["verdict"],
        "counted": recorded.counted,
        "expected": recorded.expected,
    }
    for key in (
        "reason",
        "category",
        "district",
        "earlier_batch",
        "earlier_sequence",
        "sealed_container",
    ):
        if body.get(key):
            outcome[key] = body[key]
    if "first_sequence" in body:
        first = recorded.repeats or {}
        outcome["first"] = {
            "sequence": body["first_sequence"],
            "at": first.get("at", ""),
            "station": first.get("station", ""),
            "batch": body["first_batch"],
            "by": first.get("by", ""),
        }
    return outcome
