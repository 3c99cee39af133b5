"""Spot checks: a witness holds a card up and asks where it stands in the count. Counts nothing.

The answer says whether a number is on the list, so it is given slowly and every one is written
down, without the number.
"""

import math
import threading
from sqlite3 import Connection
from typing import Final

from scanner_station.clock import Clock
from scanner_station.domain.custody import Custody
from scanner_station.domain.entry import Body, Kind
from scanner_station.domain.errors import BatchError, LockedOutError
from scanner_station.domain.identifier import Identified, Unreadable, masked
from scanner_station.service.counter import line_of, require_batch
from scanner_station.service.log_book import log_book
from scanner_station.service.station import Station
from scanner_station.service.views import Json
from scanner_station.storage import batches, custody, people, scan_log
from scanner_station.storage.batches import Batch, BatchState

NOTE: Final = "spot check"
"""How the note of a spot check begins; its answer follows after a colon."""

AT_ONCE: Final = 5
ONE_MORE_EVERY_S: Final = 20.0
_MOST_KEPT: Final = 1000


class SpotChecks:
    """Answers spot checks, so many for each account and each address. Safe from any thread."""

    def __init__(self, station: Station) -> None:
        """Begin with nobody having asked."""
        self._station = station
        self._allowance = Allowance(station.clock)

    def ask(self, slug: str, payload: bytes, *, by: str, address: str) -> Json:
        """Return where a card stands: `counted` (with its entries), `not_counted` or none of it.

        Nothing is told unless it is written down first: as a note in the log, in the record of
        the station while the log has not begun or is closed.

        Raises:
            BatchError: there is no such batch, or its people are forgotten.
            LockedOutError: too many were asked; `wait_s` says how long to wait.
            StorageError: the station has stopped.
        """
        with self._station.transaction() as connection:
            batch = require_batch(connection, slug)
            if not batches.secret_of(connection, batch.id):
                raise BatchError(
                    "the people of batch %(slug)s are forgotten, so no card can be looked up",
                    slug=slug,
                )
            takes_notes = batch.state in (BatchState.OPEN, BatchState.PAUSED) and bool(
                scan_log.next_sequence(connection, batch.id)
            )
        self._allowance.take(f"name {by}", f"address {address}")
        if takes_notes:
            with log_book(self._station, slug, by=by) as book:
                found = _look(book.connection, book.batch, payload)
                book.write(Kind.NOTE, by, _note(found))
            return found
        with self._station.transaction() as connection:
            found = _look(connection, batch, payload)
            people.note(
                connection,
                at=self._station.clock.now(),
                by=by,
                what=str(_note(found)["reason"]),
                about=slug,
            )
        return found


class Allowance:
    """So many at once for each key, then one more every twenty seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # Guards `_full_at_s`: for each key, when it will have its whole allowance again.
        self._lock = threading.Lock()
        self._full_at_s: dict[str, float] = {}

    def take(self, *keys: str) -> None:
        """Use one of each key's allowance.

        Raises:
            LockedOutError: one of them has none left; nothing was used then.
        """
        now_s = self._clock.steady_s()
        with self._lock:
            due_s = [max(now_s, self._full_at_s.get(key, now_s)) + ONE_MORE_EVERY_S for key in keys]
            wait_s = max(due_s) - now_s - AT_ONCE * ONE_MORE_EVERY_S
            if wait_s > 0:
                raise LockedOutError(
                    "too many cards were asked for; wait %(wait_s)d s", wait_s=math.ceil(wait_s)
                )
            self._full_at_s |= zip(keys, due_s, strict=True)
            if len(self._full_at_s) > _MOST_KEPT:
                later = {key: at_s for key, at_s in self._full_at_s.items() if at_s > now_s}
                self._full_at_s = later


def _look(connection: Connection, batch: Batch, payload: bytes) -> Json:
    identified = batch.schemes.identify(payload)
    if isinstance(identified, Unreadable):
        return {"answer": "unreadable", "reason": identified.reason, "masked": "", "entries": []}
    entries = _entries(connection, batch, identified)
    if entries:
        answer = "counted"
    elif batch.manifest_id is None or line_of(connection, batch, identified.identifier):
        answer = "not_counted"
    else:
        answer = "not_on_manifest"
    return {"answer": answer, "masked": masked(identified.identifier), "entries": entries}


def _entries(connection: Connection, batch: Batch, identified: Identified) -> list[Json]:
    told: list[Json] = []
    boxes = Custody.of(custody.bodies(connection, batch.id, custody.OF_CONTAINERS))
    for batch_id, _state, piece in scan_log.pieces_of(connection, identified.identifier, batch.id):
        found = scan_log.entry(connection, batch.id, piece.sequence)
        if batch_id != batch.id or found is None:
            continue
        container = boxes.container_of(piece.sequence)
        told.append(
            {
                "sequence": piece.sequence,
                "at": found.body["at"],
                "by": found.body["by"],
                "container": container.number if container else None,
            }
        )
    return told


def _note(found: Json) -> Body:
    # No number and no commitment: only what the answer was.
    entries = found["entries"]
    where = " ".join(str(one["sequence"]) for one in entries) if isinstance(entries, list) else ""
    said = str(found["answer"]).replace("_", " ")
    return {"reason": f"{NOTE}: {said}" + (f", entry {where}" if where else "")}
