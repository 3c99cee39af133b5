"""Gathers what a log says about its cards, so that each card's story can be read in one place.

Cards are dealt out by the first character of their code into parts, and parts that grow wait in
temporary files. So only one part at a time is in memory, however long the log is.
"""

import marshal
import tempfile
from collections.abc import Iterator
from typing import IO, Final

from scanner_station.domain.card_audit import CardEvent, PlainCount, What

_RANKS: Final = {
    character: rank
    for rank, character in enumerate(
        "+/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    )
}
_CARDS_A_PART: Final = 25_000
_KEPT_IN_MEMORY: Final = 100_000


class CardStore:
    """Takes events in the order of the log and gives them back part by part."""

    def __init__(self, size: int) -> None:
        """Prepare for a log of `size` entries."""
        self._count = min(len(_RANKS), 1 + size // _CARDS_A_PART)
        self._part_of = {one: rank * self._count // len(_RANKS) for one, rank in _RANKS.items()}
        self._plain: list[list[PlainCount]] = [[] for _ in range(self._count)]
        self._events: list[list[tuple[object, ...]]] = [[] for _ in range(self._count)]
        self._files: list[IO[bytes]] = []
        self._waiting = 0

    def add(self, plain: list[PlainCount], events: list[CardEvent]) -> None:
        """Add what some entries say."""
        parts, part_of = self._plain, self._part_of
        if self._count == 1:
            parts[0] += plain
        else:
            for one in plain:
                parts[part_of[one[0][0]]].append(one)
        for event in events:
            self._events[part_of[event.card[0]]].append((*event[:2], int(event.what), *event[3:]))
        self._waiting += len(plain) + len(events)
        if self._count > 1 and self._waiting >= _KEPT_IN_MEMORY:
            self._put_away()

    def parts(self) -> Iterator[tuple[str, list[PlainCount], list[CardEvent]]]:
        """Yield each part: the first characters of its cards, their counts, their other events.

        Within a part both are in the order of the log.
        """
        for number in range(self._count):
            plain, events = self._plain[number], self._events[number]
            if self._files:
                earlier = list(self._from_file(self._files[number]))
                plain = [one for some, _ in earlier for one in some] + plain
                events = [one for _, some in earlier for one in some] + events
            first = "".join(one for one, part in self._part_of.items() if part == number)
            yield first, plain, [_event(*one) for one in events]  # type: ignore[arg-type]  # as put in

    def close(self) -> None:
        """Give the temporary files back; safe twice."""
        for file in self._files:
            file.close()

    def _put_away(self) -> None:
        if not self._files:
            self._files = [tempfile.TemporaryFile() for _ in range(self._count)]  # noqa: SIM115 - closed by `close`
        for number, file in enumerate(self._files):
            marshal.dump((self._plain[number], self._events[number]), file)
            self._plain[number], self._events[number] = [], []
        self._waiting = 0

    @staticmethod
    def _from_file(
        file: IO[bytes],
    ) -> Iterator[tuple[list[PlainCount], list[tuple[object, ...]]]]:
        end = file.tell()
        file.seek(0)
        while file.tell() < end:
            yield marshal.load(file)  # noqa: S302 - our own file without a name


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
