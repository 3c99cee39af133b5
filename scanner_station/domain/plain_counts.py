"""Recognises the entry that is most of every log: a first piece of a card, counted by a scanner.

Two such entries differ in time, card and number, and in the few texts between those. So what
stands around them is looked at once, as a text, and must be the same in others.
"""

import re
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scanner_station.domain.card_audit import CARD_CHARACTERS, CardEvent
from scanner_station.domain.columns import (
    CARD,
    TEXT_PATTERN,
    Lines,
    Numbers,
    Shape,
    Texts,
    alike,
    are_cards,
    are_numbers,
    cards_of,
)
from scanner_station.domain.counter import Verdict
from scanner_station.domain.entry import Kind
from scanner_station.domain.entry_forms import AT
from scanner_station.domain.entry_shapes import SHAPES
from scanner_station.domain.errors import VerificationError
from scanner_station.domain.log_audit import LogAudit

PlainCounts = NDArray[np.void]
"""Cards that were counted, in the order of the log: rows of `PLAIN`."""
PLAIN: Final = np.dtype([("card", CARD), ("sequence", np.int64), ("place", np.int32)])

_HEAD: Final = rf'\{{"at":"(?P<at>{AT})","batch":"%s","by":"(?P<by>{TEXT_PATTERN}+)","card":"'
_MIDDLE: Final = re.compile(
    rf'","category":"(?P<category>{TEXT_PATTERN}*)","district":"(?P<district>{TEXT_PATTERN}*)"'
    rf',"kind":"scan","piece":1,"reader":"(?P<reader>{TEXT_PATTERN}+)","sequence":'.encode()
)
_TAIL: Final = (
    rf',"station":"%s","symbology":"(?P<symbology>{TEXT_PATTERN}*)","verdict":"counted"\}}\Z'
)
"""What stands before card and sequence, between and behind them."""
_FORMS: Final = SHAPES[f"{Kind.SCAN} {Verdict.COUNTED}"].forms
_COUNTED: Final = Shape(b'"verdict":"counted"}', at_end=True)
_FROM: Final = b"00:00.000"
_TO: Final = b"59:59.999"
"""What may stand in each column of a time, within one hour of one day that there is."""
_AT_CHARACTERS: Final = len("2018-12-19T02:00:00.000Z")


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
        self._head = self._tail = re.compile(b"")
        self._middles = Texts(self._learn_place)
        self._not_added_up: list[Numbers] = []

    def take(self, entries: Lines) -> tuple[PlainCounts, list[CardEvent]]:
        """Look at the next entries; return what they say about cards.

        Raises:
            VerificationError: one cannot stand there; why, and which.
        """
        events = list[CardEvent]()
        if not self._audit.size:  # who knows no batch and station recognises nothing
            events += self._take_each(entries, range(1))
            opening = self._audit.opening
            self._head = re.compile((_HEAD % re.escape(str(opening["batch"]))).encode())
            self._tail = re.compile((_TAIL % re.escape(str(opening["station"]))).encode())
            entries = entries.some(slice(1, None))
        counts, start = self._recognised(entries), 0
        places = counts["place"]
        is_plain = places >= 0
        for row in np.flatnonzero(~is_plain).tolist():
            self._take_plain(entries, places, range(start, row))
            events += self._take_each(entries, range(row, row + 1))
            start = row + 1
        self._take_plain(entries, places, range(start, len(counts)))
        self._add_up()
        if start < len(counts):
            at = int(entries.starts[-1]) + len('{"at":"')
            self._audit.last_at = entries.data[at : at + _AT_CHARACTERS].tobytes().decode("ascii")
        return counts[is_plain], events

    def _recognised(self, entries: Lines) -> PlainCounts:
        # A place of -1 says that an entry is something else.
        counts = np.zeros(len(entries.starts), PLAIN)
        counts["sequence"] = np.arange(self._audit.size, self._audit.size + len(counts))
        counts["place"] = -1
        begins, ends = np.zeros_like(entries.starts), np.zeros_like(entries.ends)
        for length, some in alike(entries, np.arange(len(counts)), self._learn_head):
            begins[some] = entries.starts[some] + length
        rows = np.flatnonzero(begins)
        rows = rows[_COUNTED.fits(entries, rows)]
        for length, some in alike(entries, rows, self._learn_tail):
            ends[some] = entries.ends[some] - length
        rows = np.flatnonzero(ends)
        is_next, ends = are_numbers(entries, ends[rows], counts["sequence"][rows])
        rows, ends = rows[is_next], ends[is_next]
        begins = begins[rows]
        places = self._middles.numbers(entries.data, begins + CARD_CHARACTERS, ends)
        rows, begins, places = rows[places >= 0], begins[places >= 0], places[places >= 0]
        cards = cards_of(entries.at(begins, CARD_CHARACTERS))
        counts["card"][rows] = cards
        counts["place"][rows] = np.where(are_cards(cards), places, -1)
        return counts

    def _learn_head(self, line: bytes) -> tuple[Shape, int] | None:
        found = self._head.match(line)
        if found is None or not _is_as_written(found):
            return None
        shape = Shape(found[0], at_end=False)
        shape.widen(found.end("at") - len(_FROM) - len("Z"), _FROM, _TO)
        return shape, len(found[0])

    def _learn_tail(self, line: bytes) -> tuple[Shape, int] | None:
        found = self._tail.search(line)
        if found is None or not _is_as_written(found):
            return None
        return Shape(found[0], at_end=True), len(found[0])

    def _learn_place(self, text: bytes) -> int:
        found = _MIDDLE.fullmatch(text)
        if found is None or not _is_as_written(found):
            return -1
        place = (found["category"].decode(), found["district"].decode())
        number = self._numbers.setdefault(place, len(self.places))
        if number == len(self.places):
            self.places.append(place)
        return number

    def _take_plain(self, entries: Lines, places: Numbers, rows: range) -> None:
        if not rows:
            return
        if self._audit.closed_by or self._audit.custody.is_paused:  # which `take` says in words
            self._take_each(entries, rows)
        self._not_added_up.append(places[rows.start : rows.stop])
        self._audit.take_plain(len(rows))

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


def _is_as_written(found: re.Match[bytes]) -> bool:
    # Whether each value in it is one that a station writes.
    try:
        return all(_FORMS[name].fits(value.decode()) for name, value in found.groupdict().items())
    except UnicodeDecodeError:
        return False
