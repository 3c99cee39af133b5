"""Sorts what a log says about its cards by card, on disk, so that a log of any length fits."""

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

from scanner_station.domain.card_audit import CardEvent, What

_CACHE_KIB = 32 * 1024


class CardSorter:
    """Takes events in the order of the log and gives them back card by card."""

    def __init__(self) -> None:
        # A database without a name is a temporary file that nobody else sees.
        self._connection = sqlite3.connect("", isolation_level=None)
        self._connection.execute(f"pragma cache_size = -{_CACHE_KIB}")
        self._connection.execute("pragma journal_mode = off").fetchone()
        self._connection.execute("pragma synchronous = off")
        self._connection.execute(
            "create table event (card, sequence, what, piece, category, district, points_to)"
        )
        self._connection.execute("begin")

    def add(self, events: Iterable[CardEvent]) -> None:
        """Add events."""
        self._connection.executemany("insert into event values (?, ?, ?, ?, ?, ?, ?)", events)

    def cards(self) -> Iterator[tuple[str, list[CardEvent]]]:
        """Yield each card with its events, in the order of the log; cards sorted by code."""
        rows = self._connection.execute("select * from event order by card, sequence")
        for card, events in groupby(rows, key=itemgetter(0)):
            yield card, [_event(row) for row in events]

    def close(self) -> None:
        """Give the temporary file back; safe twice."""
        self._connection.close()


def _event(row: tuple[str, int, int, int, str, str, int]) -> CardEvent:
    card, sequence, what, piece, category, district, points_to = row
    return CardEvent(card, sequence, What(what), piece, category, district, points_to)
