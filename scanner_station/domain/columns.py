"""Looks at many lines at once, byte column by byte column, where most begin or end alike.

How a line begins or ends is looked at as a text; that gives a `Shape`: which bytes may stand in
each of its columns. Every other line is alike if each of its bytes there may stand where it does.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from scanner_station.domain.card_audit import CARD_CHARACTERS

Bytes = NDArray[np.uint8]
Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]
Words = NDArray[np.uint64]
Cards = NDArray[np.bytes_]
"""Codes of cards, of the type `CARD`."""
Found = TypeVar("Found")

CARD: Final = f"S{CARD_CHARACTERS}"
CARD_PATTERN: Final = r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]="
TEXT_PATTERN: Final = r'[^"\\\x00-\x1f]'
_CARD: Final = re.compile(CARD_PATTERN.encode())
_DIGITS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_LAST_DIGITS: Final = b"AEIMQUYcgkosw048"
"""Two unused bits are zero."""
_POWERS: Final = np.array([10**place for place in range(19)], np.int64)
_WORD: Final = 8
_ALL_TRUE: Final = 0x0101010101010101
_LONGEST: Final = 512
_MASKS: Final = ((np.arange(_LONGEST) < np.arange(_LONGEST)[:, np.newaxis]) * np.uint8(0xFF)).view(
    np.uint64
)
"""By the length of a text: what keeps its bytes and no other."""
_FACTORS: Final = np.array(
    [pow(0x9E3779B97F4A7C15, place, 1 << 64) for place in range(_LONGEST // _WORD)], np.uint64
)
"""Numbers by which texts are told apart."""
_SLOT_BITS: Final = 14
_SLOT_SHIFT: Final = np.uint64(64 - _SLOT_BITS)
_MOST_TEXTS: Final = 1 << 11
_MOST_SHAPES: Final = 256
"""More are not looked for: forged lines, each another, would take for ever."""


class Lines(NamedTuple):
    """Lines that stand in `data`, each from its start up to its end."""

    data: Bytes
    starts: Numbers
    ends: Numbers

    def line(self, row: int) -> bytes:
        """Return one of them."""
        return self.data[self.starts[row] : self.ends[row]].tobytes()

    def some(self, rows: slice) -> "Lines":
        """Return some of them."""
        return Lines(self.data, self.starts[rows], self.ends[rows])

    def at(self, places: Numbers, width: int) -> Bytes:
        """Return the bytes at some places of the data, shape (places, width)."""
        # So many at every place of the data; only those that are asked for are copied.
        windows = np.ndarray((self.data.size - width + 1,), f"V{width}", self.data, strides=(1,))
        found: Bytes = windows[places].view(np.uint8)
        return found.reshape(-1, width)


class Shape:
    """Which bytes may stand in each column: those of one text, or more where it was widened."""

    def __init__(self, text: bytes, *, at_end: bool) -> None:
        """Begin with lines that begin with this text, or end with it."""
        # Around it stands what makes whole words, in which anything may be.
        more = -len(text) % _WORD
        self._at_end = at_end
        self._text = slice(more, None) if at_end else slice(len(text))
        self._low = np.zeros(len(text) + more, np.uint8)
        self._span = np.full_like(self._low, 0xFF)
        self.widen(0, text, text)

    def widen(self, start: int, low: bytes, high: bytes) -> None:
        """Let every byte from `low` to `high` stand in its column, from column `start` on."""
        columns = slice(start, start + len(low))
        self._low[self._text][columns] = np.frombuffer(low, np.uint8)
        self._span[self._text][columns] = np.frombuffer(high, np.uint8) - np.frombuffer(
            low, np.uint8
        )

    def fits(self, lines: Lines, rows: Numbers) -> Flags:
        """Return which rows are alike. A line that is hardly longer than the text never is."""
        width = len(self._low)
        starts, ends = lines.starts[rows], lines.ends[rows]
        is_long = ends - starts >= width
        places = ends - width if self._at_end else starts
        if not is_long.all():
            places = np.where(is_long, places, 0)
        found = lines.at(places, width)
        found -= self._low
        return is_long & _each((found <= self._span).view(np.uint64) == _ALL_TRUE)


def alike(
    lines: Lines, rows: Numbers, learn: Callable[[bytes], tuple[Shape, Found] | None]
) -> Iterator[tuple[Found, Numbers]]:
    """Yield those of some rows that are alike, with what `learn` found in one of them.

    `learn` is asked about a line as long as there is one that is like none before it. Lines in
    which it finds nothing are left out.
    """
    shapes = 0
    while len(rows) and shapes < _MOST_SHAPES:
        learnt = learn(lines.line(int(rows[0])))
        if learnt is None:
            rows = rows[1:]
            continue
        shape, found = learnt
        fits = shape.fits(lines, rows)
        yield found, rows[fits]
        rows = rows[~fits]
        shapes += 1


class Texts:
    """Numbers texts that come again and again; each is learnt when it comes first."""

    def __init__(self, learn: Callable[[bytes], int]) -> None:
        """`learn` is asked for the number of a text, -1 for one that is not wanted."""
        self._learn = learn
        self._forget()

    def numbers(self, data: Bytes, starts: Numbers, ends: Numbers) -> Numbers:
        """Return the number of each text, -1 for one that is too long or none at all."""
        widths = np.clip(ends - starts, 0, _LONGEST - 1)
        words = int(widths.max(initial=0)) // _WORD + 1
        beyond = int(starts.max(initial=0)) + words * _WORD - data.size
        if beyond > 0:
            data = np.append(data, np.zeros(beyond, np.uint8))
        texts = Lines(data, starts, ends).at(starts, words * _WORD).view(np.uint64)
        texts &= _MASKS[:, :words].take(widths, axis=0)
        slots = texts @ _FACTORS[:words] >> _SLOT_SHIFT
        rows, is_known = self._find(texts, slots, ends - starts)
        if not is_known.all():
            new = np.flatnonzero(~is_known)
            for row in new[np.unique(slots[new], return_index=True)[1]].tolist():
                self._number(data[starts[row] : ends[row]].tobytes())
            rows, is_known = self._find(texts, slots, ends - starts)
        numbers: Numbers = self._numbers[rows]
        for row in np.flatnonzero(~is_known).tolist():
            numbers[row] = self._number(data[starts[row] : ends[row]].tobytes())
        return numbers

    def _find(
        self, texts: Words, slots: Words, widths: Numbers
    ) -> tuple[NDArray[np.uint16], Flags]:
        # Two texts may have the same slot, but then they are not the same.
        rows = self._rows[slots]
        known = self._texts[: len(self._number_of) + 1, : texts.shape[1]]
        is_known = _each(texts == known.take(rows, axis=0))
        is_known &= self._widths[rows] == widths
        return rows, is_known

    def _number(self, text: bytes) -> int:
        if not 0 < len(text) < _LONGEST:
            return -1
        if text not in self._number_of:
            row = len(self._number_of) + 1
            if row == len(self._texts):
                row = self._forget()
            self._number_of[text] = self._numbers[row] = self._learn(text)
            self._widths[row] = len(text)
            self._texts[row].view(np.uint8)[: len(text)] = np.frombuffer(text, np.uint8)
            self._rows[self._texts[row] @ _FACTORS >> _SLOT_SHIFT] = row
        return self._number_of[text]

    def _forget(self) -> int:
        # Row 0 is no text. Returns the first row for one.
        self._number_of: dict[bytes, int] = {}
        self._rows = np.zeros(1 << _SLOT_BITS, np.uint16)
        self._texts = np.zeros((_MOST_TEXTS, len(_FACTORS)), np.uint64)
        self._widths = np.full(_MOST_TEXTS, -1)
        self._numbers = np.full(_MOST_TEXTS, -1)
        return 1


def _each(flags: Flags) -> Flags:
    # Which rows are true throughout: there are few columns, and many rows.
    whole: Flags = np.logical_and.reduce(flags.T.copy(), axis=0)
    return whole


def cards_of(codes: Bytes) -> Cards:
    """Return the codes of cards, shape (count, CARD_CHARACTERS), as an array of cards."""
    cards: Cards = np.ascontiguousarray(codes).view(CARD).ravel()
    return cards


def codes_of(cards: Cards) -> Bytes:
    """Return the bytes of cards, shape (count, CARD_CHARACTERS)."""
    codes: Bytes = np.ascontiguousarray(cards).view(np.uint8)
    return codes.reshape(-1, CARD_CHARACTERS)


def keys_of(cards: Cards) -> NDArray[np.uint64]:
    """Return a number for each card, in the order of the cards; two may have the same."""
    begins = np.ascontiguousarray(codes_of(cards)[:, :8])
    return begins.view(">u8").ravel().astype(np.uint64)


def are_cards(cards: Cards) -> Flags:
    """Return which of them are spelled as `CARD_PATTERN` says."""
    codes = codes_of(cards)
    are_fine = (
        codes.tobytes().translate(None, _DIGITS) == b"=" * len(codes)
        and not codes[:, -2].tobytes().translate(None, _LAST_DIGITS)
        and (codes[:, -1] == ord("=")).all()
    )
    if are_fine:
        return np.ones(len(codes), np.bool_)
    return np.array([_CARD.fullmatch(code.tobytes()) is not None for code in codes], np.bool_)


def are_numbers(lines: Lines, ends: Numbers, numbers: Numbers) -> tuple[Flags, Numbers]:
    """Return where each number is written in decimal before its end, and where it begins then."""
    widths = np.searchsorted(_POWERS, numbers, side="right")
    are = np.ones(len(numbers), np.bool_)
    for place in range(int(widths.max(initial=0))):
        rest = numbers // 10
        are &= (lines.data[ends - 1 - place] == numbers - 10 * rest + ord("0")) | (widths <= place)
        numbers = rest
    return are, ends - widths
