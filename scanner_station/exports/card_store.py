"""Gathers what a log says about its cards, so that each card's story can be read in one place.

Cards are dealt out by the first character of their code into parts, and parts that grow wait in
temporary files. So only one part at a time is in memory, however long the log is.
"""

import marshal
import tempfile
from collections.abc import Iterator
from typing import IO, Final, NamedTuple

from scanner_station.domain.card_audit import CardEvent, What
from scanner_station.domain.plain_counts import PlainCounts

_RANKS: Final = {
    character: rank
    for rank, character in enumerate(
        b"+/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    )
}
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
        count = min(len(_RANKS), 1 + size // _CARDS_A_PART)
        firsts = [bytearray() for _ in range(count)]
        for character, rank in _RANKS.items():
            firsts[rank * count // len(_RANKS)].append(character)
        self._parts = [Part(bytes(first), PlainCounts.none(), []) for first in firsts]
        self._part_of = {character: part for part in self._parts for character in part.first}
        # Bound once: a log has a million cards.
        self._add_to = {
            character: (part.plain.keys.append, part.plain.marks.append)
            for character, part in self._part_of.items()
        }
        self._files: list[IO[bytes]] = []
        self._waiting = 0

    def add(self, plain: PlainCounts, events: list[CardEvent]) -> None:
        """Add what some entries say."""
        if len(self._parts) == 1:
            self._parts[0].plain.keys.extend(plain.keys)
            self._parts[0].plain.marks.extend(plain.marks)
        else:
            add_to = self._add_to
            for key, mark in zip(plain.keys, plain.marks, strict=True):
                add_key, add_mark = add_to[key[0]]
                add_key(key)
                add_mark(mark)
        for event in events:
            self._part_of[ord(event.card[0])].events.append(event)
        self._waiting += len(plain.keys) + len(events)
        if len(self._parts) > 1 and self._waiting >= _KEPT_IN_MEMORY:
            self._put_away()

    def parts(self) -> Iterator[Part]:
        """Yield each part, in the order of the cards; those before it are given up."""
        if self._files:
            self._put_away()
        for number, part in enumerate(self._parts):
            if self._files:
                self._take_back(self._files[number], part)
            yield part
            _empty(part)

    def close(self) -> None:
        """Give the temporary files back; safe twice."""
        for file in self._files:
            file.close()

    def _put_away(self) -> None:
        if not self._files:
            self._files = [tempfile.TemporaryFile() for _ in self._parts]  # noqa: SIM115 - closed by `close`
        for part, file in zip(self._parts, self._files, strict=True):
            events = [(*event[:2], int(event.what), *event[3:]) for event in part.events]
            marshal.dump((b"\n".join(part.plain.keys), part.plain.marks.tobytes(), events), file)
            _empty(part)
        self._waiting = 0

    @staticmethod
    def _take_back(file: IO[bytes], part: Part) -> None:
        end = file.tell()
        file.seek(0)
        while file.tell() < end:
            keys, marks, events = marshal.load(file)  # noqa: S302 - our own file without a name
            part.plain.keys.extend(keys.split(b"\n") if keys else [])
            part.plain.marks.frombytes(marks)
            part.events.extend(_event(*one) for one in events)


def _empty(part: Part) -> None:
    part.plain.keys.clear()
    del part.plain.marks[:]
    part.events.clear()


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
