"""Recognises the entry that is most of every log: a first piece of a card, counted by a scanner.

Two such entries differ in time, card and number, and in the few texts between those. So one is
looked at as a text, and the others of its length must be the same but for these.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scanner_station.domain.card_audit import CARD_CHARACTERS, CardEvent
from scanner_station.domain.columns import (
    CARD,
    CARD_PATTERN,
    TEXT_PATTERN,
    Lines,
    Numbers,
    Shape,
    alike,
    are_cards,
    cards_of,
    numbers_of,
)
from scanner_station.domain.counter import Verdict
from scanner_station.domain.errors import VerificationError
from scanner_station.domain.log_audit import AT, LogAudit

PlainCounts = NDArray[np.void]
"""Cards that were counted, in the order of the log: rows of `PLAIN`."""
PLAIN: Final = np.dtype([("card", CARD), ("sequence", np.int64), ("place", np.int32)])

_PATTERN: Final = (
    rf'\{{"at":"(?P<at>{AT})","batch":"%s","by":"{TEXT_PATTERN}+","card":"(?P<card>{CARD_PATTERN})'
    rf'","category":"(?P<category>{TEXT_PATTERN}*)","district":"(?P<district>{TEXT_PATTERN}*)",'
    rf'"kind":"scan","piece":1,"reader":"{TEXT_PATTERN}+","sequence":(?P<sequence>[1-9][0-9]'
    rf'{{0,17}}),"station":"%s","symbology":"{TEXT_PATTERN}*","verdict":"counted"\}}'
)
_FIRST_AT: Final = b"0000-00-00T00:00:00.000Z"
_LAST_AT: Final = b"9999-19-39T29:59:59.999Z"
"""What may stand in each column of a time: `AT`."""


class _Place(NamedTuple):
    # Category and district by number, and where card and sequence stand in the line.
    number: int
    card: slice
    sequence: slice


class QuickAudit:
    """Gives `LogAudit` the entries of one log, plain counts many at a time, all others one by one.

    It would find the same in plain counts by itself, at many times the cost. `places`: category
    and district by the number in `PlainCounts`.
    """

    def __init__(self, audit: LogAudit) -> None:
        """Begin where no entry was taken."""
        self.places: list[tuple[str, str]] = []
        self._numbers: dict[tuple[str, str], int] = {}
        self._audit = audit
        self._pattern = re.compile(b"")
        self._not_added_up: list[Numbers] = []

    def take(self, entries: Lines) -> tuple[PlainCounts, list[CardEvent]]:
        """Look at the next entries; return what they say about cards.

        Raises:
            VerificationError: one cannot stand there; why, and which.
        """
        events = list[CardEvent]()
        if not self._audit.size:  # who knows no batch and station recognises nothing
            events += self._take_each(entries, range(1))
            names = (str(self._audit.opening[name]) for name in ("batch", "station"))
            self._pattern = re.compile((_PATTERN % tuple(map(re.escape, names))).encode())
            entries = entries.some(slice(1, None))
        counts, start = self._recognised(entries), 0
        is_plain = counts["place"] >= 0
        for row in np.flatnonzero(~is_plain).tolist():
            self._take_plain(entries, counts, range(start, row))
            events += self._take_each(entries, range(row, row + 1))
            start = row + 1
        self._take_plain(entries, counts, range(start, len(counts)))
        self._add_up()
        return counts[is_plain], events

    def _recognised(self, entries: Lines) -> PlainCounts:
        # A place of -1 says that an entry is something else.
        counts = np.zeros(len(entries.starts), PLAIN)
        counts["sequence"] = np.arange(self._audit.size, self._audit.size + len(counts))
        counts["place"] = -1
        for place, rows in alike(entries, self._learn):
            counts["card"][rows] = cards_of(entries.columns(rows, place.card))
            numbers = numbers_of(entries.columns(rows, place.sequence))
            counts["place"][rows] = np.where(numbers == counts["sequence"][rows], place.number, -1)
        alike_rows = np.flatnonzero(counts["place"] >= 0)
        counts["place"][alike_rows[~are_cards(counts["card"][alike_rows])]] = -1
        return counts

    def _learn(self, line: bytes) -> tuple[Shape, _Place] | None:
        found = self._pattern.fullmatch(line)
        try:
            line.decode()
        except UnicodeDecodeError:
            return None
        if found is None:
            return None
        card, sequence = slice(*found.span("card")), slice(*found.span("sequence"))
        shape = Shape(line)
        shape.widen(found.start("at"), _FIRST_AT, _LAST_AT)
        shape.widen(card.start, bytes(CARD_CHARACTERS), b"\xff" * CARD_CHARACTERS)
        digits = sequence.stop - sequence.start
        shape.widen(sequence.start, b"1".ljust(digits, b"0"), b"9" * digits)
        place = (found["category"].decode(), found["district"].decode())
        number = self._numbers.setdefault(place, len(self.places))
        if number == len(self.places):
            self.places.append(place)
        return shape, _Place(number, card, sequence)

    def _take_plain(self, entries: Lines, counts: PlainCounts, rows: range) -> None:
        if not rows:
            return
        if self._audit.closed_by or self._audit.custody.is_paused:  # which `take` says in words
            self._take_each(entries, rows)
        self._not_added_up.append(counts["place"][rows.start : rows.stop])
        last = entries.line(rows[-1])
        at = len('{"at":"')
        self._audit.take_plain(len(rows), last[at : at + len(_LAST_AT)].decode("ascii"))

    def _add_up(self) -> None:
        # Nobody asks for the tally between two entries that state figures.
        if not self._not_added_up:
            return
        found = np.unique(np.concatenate(self._not_added_up), return_counts=True)
        for number, total in zip(*(column.tolist() for column in found), strict=True):
            self._audit.tally.add(Verdict.COUNTED, *self.places[number], total=total, manual=0)
        self._not_added_up.clear()

    def _take_each(self, entries: Lines, rows: Iterable[int]) -> list[CardEvent]:
        events = []
        for row in rows:
            try:
                text = entries.line(row).decode()
                event = self._audit.take(text, settle=self._add_up)
            except UnicodeDecodeError as error:
                raise VerificationError(
                    "entry %(sequence)s: it is not text", sequence=self._audit.size
                ) from error
            except VerificationError as error:
                raise VerificationError(
                    "entry %(sequence)s: %(why)s", sequence=self._audit.size, why=error
                ) from error
            if event is not None:
                events.append(event)
        return events
