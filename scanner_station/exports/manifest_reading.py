"""Reads a bundle's manifest, part by part beside the cards of its log."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from scanner_station.domain.card_audit import CARD_CHARACTERS
from scanner_station.domain.columns import (
    CARD,
    CARD_PATTERN,
    TEXT_PATTERN,
    Cards,
    Lines,
    Numbers,
    Shape,
    Texts,
    are_cards,
    cards_of,
)
from scanner_station.domain.entry import manifest_line
from scanner_station.domain.errors import VerificationError

_LINE: Final = re.compile(
    rf'\{{"card":"({CARD_PATTERN})","category":"({TEXT_PATTERN}*)","pieces":([1-9][0-9]{{0,8}})\}}'
)
_START: Final = Shape(b'{"card":"', at_end=False)
_BEFORE: Final = b'{"card":"' + b"A" * (CARD_CHARACTERS - 1) + b"="
_PIECES_BITS: Final = 30
_CARD: Final = slice(len('{"card":"'), len('{"card":"') + CARD_CHARACTERS)


class _Line(NamedTuple):
    card: str
    category: str
    pieces: int


class ListedCards(NamedTuple):
    """Cards of a manifest, sorted, as columns; `categories` by number."""

    cards: Cards
    categories: Numbers
    pieces: Numbers

    def some(self, rows: slice) -> "ListedCards":
        """Return some of them."""
        return ListedCards(self.cards[rows], self.categories[rows], self.pieces[rows])


class ManifestReader:
    """The lines of a manifest, checked, sorted as they must be.

    `expected`: pieces by category, of the lines that were read. `categories`: their names, by
    number.
    """

    def __init__(self, blocks: Iterator[bytes]) -> None:
        """Read from `blocks`, each some whole lines."""
        self.expected: Counter[str] = Counter()
        self.categories: list[str] = []
        self._numbers: dict[str, int] = {}
        self._endings = Texts(self._learn_ending)
        self._blocks = blocks
        self._waiting = self._columns([])
        self._line = 0
        self._last = b""

    def number_of(self, category: str) -> int:
        """Return the number of a category, a new one when it is asked for first."""
        number = self._numbers.setdefault(category, len(self.categories))
        if number == len(self.categories):
            self.categories.append(category)
        return number

    def part(self, first: bytes) -> ListedCards:
        """Return the cards that begin with one of these characters, which are sorted.

        To be asked for in the order of the cards.

        Raises:
            VerificationError: a line is no card's line, or not in its place.
        """
        found = [self._waiting]
        while not len(found[-1].cards) or found[-1].cards[-1][0] in first:
            block = next(self._blocks, b"")
            if not block:
                break
            found.append(self._read(block))
        whole = ListedCards(*map(np.concatenate, zip(*found, strict=True)))
        end = int(np.searchsorted(whole.cards, bytes([first[-1] + 1])))
        self._waiting = whole.some(slice(end, None))
        return whole.some(slice(end))

    def _read(self, block: bytes) -> ListedCards:
        found = self._read_alike(block)
        if found is None:
            found = self._read_each(block)
        self._line += len(found.cards)
        self._last = found.cards[-1]
        return found

    def _read_alike(self, block: bytes) -> ListedCards | None:
        # None: ask `_read_each`.
        data = np.frombuffer(block, np.uint8)
        ends = np.flatnonzero(data == ord("\n"))
        if not block.endswith(b"\n"):
            return None
        lines = Lines(data, np.concatenate([[0], ends[:-1] + 1]), ends)
        endings = self._endings.numbers(data, lines.starts + _CARD.stop, ends)
        if not (endings >= 0).all():
            return None
        cards = cards_of(lines.at(lines.starts + _CARD.start, CARD_CHARACTERS))
        is_sorted = self._last < cards[0] and (cards[:-1] < cards[1:]).all()
        begin_alike = _START.fits(lines, np.arange(len(ends))).all()
        if not (is_sorted and begin_alike and are_cards(cards).all()):
            return None
        categories, pieces = endings >> _PIECES_BITS, endings & (1 << _PIECES_BITS) - 1
        totals = np.bincount(categories, pieces)
        for number in np.flatnonzero(totals).tolist():
            self.expected[self.categories[number]] += int(totals[number])
        return ListedCards(cards, categories, pieces)

    def _learn_ending(self, text: bytes) -> int:
        line = _parsed(_BEFORE + text)
        return -1 if line is None else self.number_of(line.category) << _PIECES_BITS | line.pieces

    def _read_each(self, block: bytes) -> ListedCards:
        try:
            texts = block.decode().removesuffix("\n").split("\n")
        except UnicodeDecodeError as error:
            raise VerificationError(
                "manifest: line %(line)s is not text",
                line=self._line + block[: error.start].count(b"\n") + 1,
            ) from error
        if not block.endswith(b"\n"):
            raise self._wrong(len(texts) - 1)
        lines = []
        for place, text in enumerate(texts):
            if (line := _parsed(text.encode())) is None:
                raise self._wrong(place)
            lines.append(line)
        cards = [self._last.decode(), *(line.card for line in lines)]
        for place, (one, other) in enumerate(pairwise(cards)):
            if one >= other:
                raise self._wrong(place)
        for line in lines:
            self.expected[line.category] += line.pieces
        return self._columns(lines)

    def _columns(self, lines: Sequence[_Line]) -> ListedCards:
        numbers = [(self.number_of(line.category), line.pieces) for line in lines]
        categories, pieces = np.array(numbers, np.int64).reshape(-1, 2).T
        return ListedCards(np.array([line.card for line in lines], CARD), categories, pieces)

    def _wrong(self, place: int) -> VerificationError:
        return VerificationError(
            "manifest: line %(line)s is not a card's line, or not in its place",
            line=self._line + place + 1,
        )


def _parsed(line: bytes) -> _Line | None:
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return None
    if found := _LINE.fullmatch(text):
        return _Line(found[1], found[2], int(found[3]))
    # A category with a quotation mark or a backslash, which stand escaped in the line.
    try:
        body = json.loads(text)
        card, category, pieces = body["card"], body["category"], body["pieces"]
        if manifest_line(card, category, pieces) == f"{text}\n".encode():
            plain = manifest_line(card, "", pieces).decode().removesuffix("\n")
            if _LINE.fullmatch(plain):
                return _Line(card, category, pieces)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    return None
