"""The station: the one writer, through which every card goes from reading to verdict."""

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from sqlite3 import Connection
from typing import Final

from scanner_station.clock import Clock, SystemClock
from scanner_station.domain.custody import KINDS, Custody
from scanner_station.domain.entry import Body, Entry
from scanner_station.domain.errors import EntryError, InputError, StorageError
from scanner_station.domain.events import BatchChanged, EntryRecorded, StationFault
from scanner_station.domain.identifier import Unreadable
from scanner_station.domain.reading import Reading
from scanner_station.domain.tally import VOIDED, counted_as
from scanner_station.domain.text import checked_text
from scanner_station.service.bus import Bus
from scanner_station.service.counter import (
    Counter,
    body_of,
    line_of,
    load_counter,
    require_open,
)
from scanner_station.service.judging import entry_of, void_of
from scanner_station.service.log_begin import load_key, opening_body
from scanner_station.service.log_check import (
    ENTRIES_AT_START,
    check_at_start,
    check_log,
    require_own_name,
)
from scanner_station.storage import batches, custody, manifests, scan_log
from scanner_station.storage.batches import STILL_OPEN
from scanner_station.storage.database import Database, FolderLock, Transaction

_ENTRIES_PER_KEPT_TALLY: Final = 1000


class Station:
    """Judges, writes, counts and tells, in that order, one card at a time.

    Safe to call from any thread. After a failed write it refuses everything until `recover`,
    because an unconfirmed write may have landed.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "station-1",
        clock: Clock | None = None,
        bus: Bus | None = None,
        open_database: Callable[[Path], Database] = Database,
    ) -> None:
        """Lock the data folder, open its database and rebuild the counters from the log.

        Raises:
            FolderInUseError: another process writes this folder.
            StorageError: the disk or the database is not usable.
        """
        self.folder = folder
        self.name = name
        self.clock = clock or SystemClock()
        self.bus = bus or Bus()
        self._open_database = open_database
        # Guards the writing connection, `_counters`, `_changed` and `_fault`.
        self._lock = threading.RLock()
        self._fault: StorageError | None = None
        self._damage: StorageError | None = None
        self.unchecked: list[str] = []
        """The closed batches whose logs were too long to be checked at the start."""
        self._counters: dict[str, Counter] = {}
        self._changed: list[str] = []  # batches, to be told once the transaction is on disk
        self._folder_lock = FolderLock(folder)
        try:
            self._database = open_database(folder)
            self.key = load_key(folder, self._database.connection)
            self._rebuild()
        except BaseException:
            self._folder_lock.release()
            raise

    def close(self) -> None:
        """Stop writing and free the data folder; safe twice."""
        with self._lock:
            self._database.close()
            self._folder_lock.release()

    # --- writing ---------------------------------------------------------------------------

    def transaction(self) -> "Writing":
        """Return one durable transaction of the one writer; a failed write stops the station.

        Raises:
            StorageError: the write failed, now or earlier.
        """
        return Writing(self)

    def _stop(self, error: StorageError) -> None:
        self._fault = error
        self._counters.clear()
        self.bus.publish(StationFault(message=error.message, values=error.values))

    def halt(self, error: StorageError) -> None:
        """Stop counting until the program starts anew: the file is not what was written."""
        with self._lock:
            self._damage = error
            self._stop(error)

    def recover(self) -> None:
        """Open the database anew and rebuild the counters from the log, then count again.

        Raises:
            StorageError: it is still not usable.
        """
        with self._lock:
            if self._damage is not None:
                raise self._damage
            self._database.close()
            self._counters.clear()
            self._database = self._open_database(self.folder)
            self._rebuild()
            self._fault = None
        self.bus.publish(StationFault(message=""))

    def compact(self) -> None:
        """Rewrite the file without what was deleted.

        Raises:
            StorageError: the disk failed, or somebody who is reading holds the old pages; run it
                again then. Counting goes on.
        """
        with self._lock:
            self._database.compact()

    def is_alive(self, timeout_s: float) -> bool:
        """Return whether the writer is free within a time, or hangs in a card."""
        if not self._lock.acquire(timeout=timeout_s):
            return False
        self._lock.release()
        return True

    @property
    def fault(self) -> StorageError | None:
        """Why the station has stopped counting, or None."""
        return self._fault

    def _rebuild(self) -> None:
        manifests.sweep(self._database.connection, self._database.transaction)
        for batch in batches.every(self._database.connection):
            if batch.state in STILL_OPEN:
                with self._database.transaction() as connection:
                    require_own_name(connection, batch, self.name)
                    check_log(connection, batch)
                    scan_log.rebuild(connection, batch.id)
        with self._database.transaction() as connection:
            self.unchecked = check_at_start(connection, ENTRIES_AT_START)

    # --- one card --------------------------------------------------------------------------

    def handle(
        self,
        slug: str,
        reading: Reading,
        *,
        by: str,
        typed: bool = False,
        nonce: str | None = None,
        photograph: bytes = b"",
    ) -> EntryRecorded:
        """Take one presentation through to its verdict.

        Nothing is counted or told unless the entry is on disk. A `nonce` that has made an entry
        already gives that entry again and changes nothing. `photograph`: of a card that was
        typed, as JPEG, to be kept beside the entry.

        Raises:
            BatchError: there is no such batch, or it takes no cards now.
            InputError: the nonce was used for another payload.
            StorageError: the station has stopped.
        """
        with self._lock:
            counter = self._counter(slug)
            if nonce is not None and (again := self._already_made(counter, nonce, reading)):
                return again
            require_open(counter.batch)
            with self.transaction() as connection:
                self._write_opening_entry(connection, counter, by)
                if counter.next_sequence % _ENTRIES_PER_KEPT_TALLY == 0:
                    scan_log.keep_tally(
                        connection,
                        counter.batch.id,
                        counter.tally.as_rows(),
                        counter.next_sequence - 1,
                    )
                entry, name, repeats = entry_of(
                    connection, counter, reading, station=self.name, by=by, typed=typed, nonce=nonce
                )
                if photograph:
                    entry.body["photograph"] = hashlib.sha256(photograph).hexdigest()
                self._write_scan(connection, counter, entry)
                if photograph:
                    custody.keep_photograph(
                        connection, counter.batch.id, entry.sequence, photograph
                    )
            counter.tally.put(entry.body)
            recorded = self._outcome(
                counter, entry.body, entry.identifier, name=name, repeats=repeats
            )
        self.bus.publish(recorded)
        return recorded

    def _outcome(
        self,
        counter: Counter,
        body: Body,
        identifier: str = "",
        *,
        name: str = "",
        repeats: Body | None = None,
    ) -> EntryRecorded:
        return EntryRecorded(
            batch=counter.batch.slug,
            body=body,
            identifier=identifier,
            name=name,
            counted=counter.tally.counted,
            expected=counter.tally.expected_total,
            repeats=repeats,
        )

    def _write_scan(self, connection: Connection, counter: Counter, entry: Entry) -> None:
        # The edge in memory moves before the commit; a commit that fails drops the whole counter.
        body, batch_id = entry.body, counter.batch.id
        scan_log.append(connection, batch_id, entry, counter.edge)
        if "piece" in body:
            scan_log.count_piece(
                connection, batch_id, entry.identifier, int(body["piece"]), entry.sequence
            )

    def begin_log(self, slug: str, *, by: str) -> None:
        """Write the opening entry before the first card; nothing if there is one.

        Raises:
            BatchError: there is no such batch, or it takes no cards now.
        """
        with self._lock:
            counter = self._counter(slug)
            require_open(counter.batch)
            if counter.next_sequence == 0:
                with self.transaction() as connection:
                    self._write_opening_entry(connection, counter, by)
        self.bus.publish(BatchChanged(batch=slug))

    def _write_opening_entry(self, connection: Connection, counter: Counter, by: str) -> None:
        # Written with the first card: from then on the manifest is fixed.
        if counter.next_sequence:
            return
        body = opening_body(connection, counter, station=self.name, at=self.clock.now(), by=by)
        scan_log.append(connection, counter.batch.id, Entry(sequence=0, body=body), counter.edge)

    def _already_made(self, counter: Counter, nonce: str, reading: Reading) -> EntryRecorded | None:
        connection = self._database.connection
        sequence = scan_log.sequence_of_nonce(connection, counter.batch.id, nonce)
        if sequence is None:
            return None
        entry = scan_log.entry(connection, counter.batch.id, sequence)
        if entry is None or entry.payload != reading.payload:
            raise InputError(
                "the nonce was already used for another card (entry %(sequence)s); "
                "send a new nonce",
                sequence=sequence,
            )
        line = line_of(connection, counter.batch, entry.identifier)
        repeats = None
        if "first_batch" in entry.body:
            repeats = body_of(
                connection, str(entry.body["first_batch"]), int(entry.body["first_sequence"])
            )
        return self._outcome(
            counter, entry.body, entry.identifier, name=line.name if line else "", repeats=repeats
        )

    # --- taking back -----------------------------------------------------------------------

    def void(self, slug: str, sequence: int, *, reason: str, by: str) -> EntryRecorded:
        """Take a counted entry back with a new entry that says why.

        Raises:
            EntryError: there is no such entry, or it is not counted now.
            InputError: the reason is empty, too long, or holds an identity number.
        """
        reason = checked_text(reason, "reason")
        with self._lock:
            counter = self._counter(slug)
            require_open(counter.batch)
            with self.transaction() as connection:
                target = scan_log.entry(connection, counter.batch.id, sequence)
                if target is None or not counted_as(target.body):
                    raise EntryError(
                        "entry %(sequence)s did not count a card, so there is nothing to take "
                        "back; look its number up in the log",
                        sequence=sequence,
                    )
                if "card" in target.body and not scan_log.uncount_piece(
                    connection, counter.batch.id, target.identifier, sequence
                ):
                    raise EntryError(
                        "entry %(sequence)s was already taken back; nothing was changed",
                        sequence=sequence,
                    )
                body = void_of(
                    counter, target.body, reason, station=self.name, at=self.clock.now(), by=by
                )
                kinds = custody.OF_CONTAINERS if "card" in body else KINDS
                Custody.of(custody.bodies(connection, counter.batch.id, kinds)).take(body)
                entry = Entry(sequence=counter.next_sequence, body=body)
                scan_log.append(connection, counter.batch.id, entry, counter.edge)
            counter.tally.put(target.body, times=-1)
            counter.tally.add(VOIDED, total=1, manual=0)
            recorded = self._outcome(counter, body, target.identifier, repeats=target.body)
        self.bus.publish(recorded)
        return recorded

    # --- what it knows ---------------------------------------------------------------------

    def active_slug(self) -> str:
        """Return the batch that cameras and scanners count into, '' for none."""
        with self._lock:
            return batches.active_slug(self._database.connection)

    def fits(self, slug: str, payload: bytes) -> bool:
        """Return whether a payload is a well-formed identifier of the batch."""
        schemes = self.counter(slug).batch.schemes
        return not isinstance(schemes.identify(payload), Unreadable)

    def is_expected(self, slug: str, payload: bytes) -> bool:
        """Return whether a payload is an identifier on the batch's manifest."""
        with self._lock:
            batch = self._counter(slug).batch
            identified = batch.schemes.identify(payload)
            if isinstance(identified, Unreadable):
                return False
            return line_of(self._database.connection, batch, identified.identifier) is not None

    def counter(self, slug: str) -> Counter:
        """Return the counter of one batch; to be looked at under no lock, so only for display.

        Raises:
            BatchError: there is no such batch.
        """
        with self._lock:
            return self._counter(slug)

    def forget_counter(self, slug: str) -> None:
        """Read a batch anew at its next card, and say that it changed once that is on disk.

        To be called inside the transaction that changes it: a card that comes right behind that
        would be judged, and numbered, as if nothing had changed.
        """
        with self._lock:
            self._counters.pop(slug, None)
            if self._database.connection.in_transaction:
                self._changed.append(slug)
                return
        self.bus.publish(BatchChanged(batch=slug))

    def _counter(self, slug: str) -> Counter:
        if self._fault is not None:
            raise self._fault
        if slug not in self._counters:
            self._counters[slug] = load_counter(self._database.connection, slug)
        return self._counters[slug]


class Writing:
    """One durable transaction under the station's lock, as `Station.transaction` says."""

    __slots__ = ("_station", "_transaction")

    def __init__(self, station: Station) -> None:
        self._station = station

    def __enter__(self) -> Connection:
        station = self._station
        station._lock.acquire()
        if station._fault is not None:
            station._lock.release()
            raise station._fault
        self._transaction: Transaction = station._database.transaction()
        try:
            return self._transaction.__enter__()
        except BaseException as error:
            self._leave(error)
            raise

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            self._transaction.__exit__(kind, error, trace)
        except BaseException as failed:
            error = failed
            raise
        finally:
            self._leave(error)

    def _leave(self, error: BaseException | None) -> None:
        station = self._station
        changed, station._changed = station._changed, []
        try:
            if isinstance(error, StorageError):
                station._stop(error)
            elif error is not None:
                # Rolled back: whatever was noted in memory on the way is read anew.
                station._counters.clear()
        finally:
            station._lock.release()
        if error is None:
            for slug in changed:
                station.bus.publish(BatchChanged(batch=slug))
