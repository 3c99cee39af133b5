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
_FACTORS: Final = np.array(
    [pow(0x9E3779B97F4A7C15, place, 1 << 64) for place in range(_LONGEST // _WORD + 1)], np.uint64
)
"""Numbers by which texts are told apart."""
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
        may_stand = lines.at(places, width) - self._low <= self._span
        return is_long & _each(may_stand.view(np.uint64) == _ALL_TRUE)


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


def distinct(data: Bytes, starts: Numbers, ends: Numbers) -> tuple[Numbers, Numbers]:
    """Return a row of each different text, and for each row which of those has the same text.

    A text that is too long, or none at all, is -1.
    """
    widths = np.clip(ends - starts, 0, _LONGEST + 1).astype(np.uint16)
    words = int(widths.max(initial=0)) // _WORD + 1
    columns = np.arange(words * _WORD, dtype=np.uint16)
    beyond = int(starts.max(initial=0)) + len(columns) - data.size
    if beyond > 0:
        data = np.append(data, np.zeros(beyond, np.uint8))
    texts = Lines(data, starts, ends).at(starts, len(columns))
    texts *= columns < widths[:, np.newaxis]
    found = texts.view(np.uint64)
    # Two texts may come to the same number, but then the second is not the same as the first.
    numbers = found @ _FACTORS[:words]
    _, rows, which = np.unique(numbers, return_index=True, return_inverse=True)
    first = rows[which]
    is_same = _each(found == found[first]) & (widths == widths[first])
    return rows, np.where(is_same & (widths > 0) & (widths <= _LONGEST), which, -1)


def _each(flags: Flags) -> Flags:
    # Which rows are true throughout, column by column: there are few, and many rows.
    whole = flags[:, 0].copy()
    for column in range(1, flags.shape[1]):
        whole &= flags[:, column]
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
        digits = (numbers // int(_POWERS[place]) % 10 + ord("0")).astype(np.uint8)
        are &= (lines.data[ends - 1 - place] == digits) | (widths <= place)
    return are, ends - widths
