"""Gathers what a log says about its cards, so that each card's story can be read in one place.

Cards are dealt out by the first character of their code into parts, and parts that grow wait in
temporary files. So only one part at a time is in memory, however long the log is.
"""

import marshal
import tempfile
from collections.abc import Iterator
from typing import IO, Final, NamedTuple

import numpy as np

from scanner_station.domain.card_audit import CardEvent, What
from scanner_station.domain.plain_counts import PLAIN, PlainCounts

_CHARACTERS: Final = b"+/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CARDS_A_PART: Final = 25_000
_KEPT_IN_MEMORY: Final = 100_000


class Part(NamedTuple):
    """Cards that begin with one of some characters (`first`), in the order of the log."""

    first: bytes
    plain: PlainCounts
    events: list[CardEvent]


class CardStore:
    """Takes events in the order of the log and gives them back part by part."""

    def __init__(self, size: int) -> None:
        """Prepare for a log of `size` entries."""
        count = min(len(_CHARACTERS), 1 + size // _CARDS_A_PART)
        self._firsts = [bytearray() for _ in range(count)]
        self._part_of = np.zeros(256, np.uint8)
        for rank, character in enumerate(_CHARACTERS):
            part = rank * count // len(_CHARACTERS)
            self._firsts[part].append(character)
            self._part_of[character] = part
        self._plain: list[list[PlainCounts]] = [[] for _ in self._firsts]
        self._events: list[list[CardEvent]] = [[] for _ in self._firsts]
        self._files: list[IO[bytes]] = []
        self._waiting = 0

    def add(self, plain: PlainCounts, events: list[CardEvent]) -> None:
        """Add what some entries say."""
        parts = self._part_of[plain.view(np.uint8).reshape(-1, PLAIN.itemsize)[:, 0]]
        ends = np.cumsum(np.bincount(parts, minlength=len(self._firsts)))
        dealt = np.split(plain.take(np.argsort(parts, kind="stable")), ends[:-1])
        for waiting, some in zip(self._plain, dealt, strict=True):
            waiting.append(some)
        for event in events:
            self._events[self._part_of[ord(event.card[0])]].append(event)
        self._waiting += len(plain) + len(events)
        if len(self._firsts) > 1 and self._waiting >= _KEPT_IN_MEMORY:
            self._put_away()

    def parts(self) -> Iterator[Part]:
        """Yield each part, in the order of the cards; those before it are given up."""
        if self._files:
            self._put_away()
        for number, first in enumerate(self._firsts):
            if self._files:
                self._take_back(number)
            none = np.zeros(0, PLAIN)
            yield Part(
                bytes(first), np.concatenate([none, *self._plain[number]]), self._events[number]
            )
            self._empty(number)

    def close(self) -> None:
        """Give the temporary files back; safe twice."""
        for file in self._files:
            file.close()

    def _put_away(self) -> None:
        if not self._files:
            self._files = [tempfile.TemporaryFile() for _ in self._firsts]  # noqa: SIM115 - closed by `close`
        for number, file in enumerate(self._files):
            plain = b"".join([some.tobytes() for some in self._plain[number]])
            events = [(*event[:2], int(event.what), *event[3:]) for event in self._events[number]]
            marshal.dump((plain, events), file)
            self._empty(number)
        self._waiting = 0

    def _take_back(self, number: int) -> None:
        file = self._files[number]
        end = file.tell()
        file.seek(0)
        while file.tell() < end:
            plain, events = marshal.load(file)  # noqa: S302 - our own file without a name
            self._plain[number].append(np.frombuffer(plain, PLAIN))
            self._events[number].extend(_event(*one) for one in events)

    def _empty(self, number: int) -> None:
        self._plain[number], self._events[number] = [], []


def _event(
    card: str,
    sequence: int,
    what: int,
    piece: int,
    category: str,
    district: str,
    points_to: int,
) -> CardEvent:
    return CardEvent(card, sequence, What(what), piece, category, district, points_to)
