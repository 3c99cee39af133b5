"""Writing what happens to a batch as an entry of its log, under the rules of custody."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from sqlite3 import Connection

from scanner_station.domain.custody import KINDS, Custody
from scanner_station.domain.entry import Body, Entry, Kind, timestamp
from scanner_station.domain.people import checked_name
from scanner_station.service.counter import require_batch
from scanner_station.service.station import Station
from scanner_station.storage import custody as rows
from scanner_station.storage import scan_log
from scanner_station.storage.batches import Batch, BatchState


@dataclass(slots=True, kw_only=True)
class LogBook:
    """One batch's log, open to be written in one transaction; `custody` is what it says so far."""

    station: Station
    connection: Connection
    batch: Batch
    custody: Custody

    def write(
        self,
        kind: Kind,
        by: str,
        fields: Body,
        *,
        identifier: str = "",
        photograph: bytes = b"",
        nonce: str | None = None,
    ) -> Body:
        """Append one entry and return its body; `fields` is what it says beside the usual.

        Raises:
            InputError: it cannot stand here; why.
        """
        sequence = scan_log.next_sequence(self.connection, self.batch.id)
        common: Body = {
            "at": timestamp(self.station.clock.now()),
            "batch": self.batch.slug,
            "by": checked_name(by),
            "kind": kind,
            "sequence": sequence,
            "station": self.station.name,
        }
        body = common | fields
        if photograph:
            body["photograph"] = hashlib.sha256(photograph).hexdigest()
        self.custody.take(body)
        entry = Entry(sequence=sequence, body=body, identifier=identifier, nonce=nonce)
        scan_log.append(self.connection, self.batch.id, entry)
        if photograph:
            rows.keep_photograph(self.connection, self.batch.id, sequence, photograph)
        return body


@contextmanager
def log_book(station: Station, slug: str, *, by: str) -> Iterator[LogBook]:
    """Open a batch's log to write into it; all of what the block writes is kept, or nothing.

    A log that has not begun begins now.

    Raises:
        BatchError: there is no such batch.
        StorageError: the station has stopped.
    """
    with station.transaction() as connection:
        batch = require_batch(connection, slug)
        has_begun = scan_log.next_sequence(connection, batch.id) > 0
    if not has_begun and batch.state is BatchState.OPEN:
        station.begin_log(slug, by=by)
    with station.transaction() as connection:
        batch = require_batch(connection, slug)
        yield LogBook(
            station=station,
            connection=connection,
            batch=batch,
            custody=custody_of(connection, batch.id),
        )
        station.forget_counter(slug)


def custody_of(connection: Connection, batch_id: int) -> Custody:
    """Return the chain of custody of a batch as its log tells it."""
    custody = Custody.of(rows.bodies(connection, batch_id, KINDS))
    if (container := custody.open_container) is not None:
        container.count = rows.cards_since(connection, batch_id, container.opened)
    return custody
