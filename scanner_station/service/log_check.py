"""Whether the logs of closed batches are still those that were written and signed.

An open log is computed anew before its batch counts on. Closed ones pile up over the years: at a
start the newest are, as many as take no time to speak of, the others beside the running station,
and each once more when something is made of it for others.
"""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from sqlite3 import Connection
from typing import Final

from scanner_station.domain.entry import Kind
from scanner_station.domain.errors import StorageError
from scanner_station.domain.log_audit import stated_totals
from scanner_station.domain.tally import ADDED
from scanner_station.service.counter import load_tally, require_batch
from scanner_station.service.views import Views
from scanner_station.storage import batches, beside_log, custody, heads, scan_log, tree
from scanner_station.storage.batches import STILL_OPEN, Batch

ENTRIES_AT_START: Final = 100_000
"""Of closed logs; about a third of a second (bench/README.md)."""
_REST_S: Final = 0.01
"""After so many entries as take about as long: cards come first."""


def check_log(connection: Connection, batch: Batch) -> None:
    """Compute a log's tree anew and compare it with what was kept and signed.

    In an open batch each number is compared with its card, too: the next card is judged by them.

    Raises:
        StorageError: they do not agree; it names the batch and the first entry.
    """
    tree.check(connection, batch.id, heads.roots(connection, batch.id))
    _check_beside(connection, batch)
    if batch.state in STILL_OPEN:
        beside_log.check_numbers(connection, batch)


def require_own_name(connection: Connection, batch: Batch, name: str) -> None:
    """Refuse to go on with a log under another name of the station than it began with.

    Its head bears that name, and each of its entries must.

    Raises:
        StorageError: the station is called otherwise now; what to do.
    """
    first = scan_log.entry(connection, batch.id, 0)
    began_as = first.body["station"] if first else name
    if began_as != name:
        raise StorageError(
            "the log of batch %(batch)s began at station %(began_as)s, and this station is called "
            "%(name)s: write %(began_as)s as its name into the settings again until that batch is "
            "closed",
            batch=batch.slug,
            began_as=began_as,
            name=name,
        )


def _check_beside(connection: Connection, batch: Batch) -> None:
    beside_log.check_state(connection, batch)
    beside_log.check_stated(connection, batch)
    beside_log.check_witnesses(connection, batch)


def check_closed_log(connection: Connection, batch: Batch, *, names_people: bool = False) -> None:
    """Do so before something is made of a closed log; an open one was checked at the start.

    `names_people`: what is made does, so number and manifest must be those of the log.

    Raises:
        StorageError: as `check_log`.
    """
    if batch.state in STILL_OPEN:
        return
    check_log(connection, batch)
    if names_people:
        beside_log.check_numbers(connection, batch)
        beside_log.check_manifest(connection, batch)


def check_at_start(connection: Connection, entries: int) -> list[str]:
    """Check the newest closed logs that have no more `entries` together; return the others' slugs.

    `connection`: the writer's. The sums that are kept of each are those stated at its sealing, or
    are counted again: the log wins, as it does for open batches.

    Raises:
        StorageError: as `check_log`.
    """
    left: list[str] = []
    pieces = beside_log.pieces_kept(connection)
    for batch in batches.every(connection):
        if batch.state in STILL_OPEN:
            continue
        if not _sums_are_as_stated(connection, batch, pieces.get(batch.id, 0)):
            scan_log.rebuild(connection, batch.id)
        size = scan_log.next_sequence(connection, batch.id)
        if left or size > entries:
            left.append(batch.slug)
        else:
            entries -= size
            check_log(connection, batch)
    return left


def _sums_are_as_stated(connection: Connection, batch: Batch, pieces: int) -> bool:
    # Cheap at any length. A cancelled log states nothing, and its counts do not stand.
    stated = next(custody.bodies(connection, batch.id, [Kind.SEAL]), None)
    if stated is None:
        return True
    kept = load_tally(connection, batch)
    is_forgotten = not batches.secret_of(connection, batch.id)  # and so are its pieces
    return stated_totals(kept).items() <= stated.items() and (
        is_forgotten or pieces == kept.counted + kept.total(ADDED)
    )


class LogChecker:
    """Checks logs one after another on a thread of its own, without holding up any card."""

    def __init__(
        self, views: Views, slugs: Sequence[str], halt: Callable[[StorageError], None]
    ) -> None:
        """Prepare to check the logs of `slugs`; `halt` is told of the first that was changed."""
        self._views = views
        self._slugs = slugs
        self._halt = halt
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log-check", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, wherever it is."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def join(self) -> None:
        """Wait until all are checked."""
        self._thread.join()

    def _run(self) -> None:
        try:
            for slug in self._slugs:
                with self._views.connection() as connection:
                    batch = require_batch(connection, slug)
                    roots = heads.roots(connection, batch.id)
                    for _ in tree.checked(connection, batch.id, roots):
                        if self._stopped.wait(_REST_S):
                            return
                    _check_beside(connection, batch)
        except StorageError as error:
            self._halt(error)
        except sqlite3.Error as error:
            self._halt(
                StorageError(
                    "the log of batch %(batch)s cannot be read (%(why)s); keep the file, restore "
                    "the last copy of it",
                    batch=slug,
                    why=str(error),
                )
            )
