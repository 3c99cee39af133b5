"""Looks at many lines at once, byte column by byte column, where most lines are alike.

A line that was looked at as a text gives a `Shape`: which bytes may stand in each of its columns.
Every other line of that length is alike if each of its bytes may stand where it does.
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
_MOST_SHAPES: Final = 256
"""More of one length are not looked for: forged lines, each another, would take for ever."""


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

    def columns(self, rows: Numbers, columns: slice) -> Bytes:
        """Return what stands in some columns of some rows, shape (rows, columns)."""
        width = columns.stop - columns.start
        # One so wide at every place of the data; only those that are asked for are copied.
        windows = np.ndarray((self.data.size - width + 1,), f"V{width}", self.data, strides=(1,))
        found: Bytes = windows[self.starts[rows] + columns.start].view(np.uint8)
        return found.reshape(-1, width)


class Shape:
    """Which bytes may stand in each column: that of one line, or more where it was widened."""

    def __init__(self, line: bytes) -> None:
        """Begin with lines that are the same as this one."""
        self._low = np.frombuffer(line, np.uint8).copy()
        self._span = np.zeros_like(self._low)

    def widen(self, start: int, low: bytes, high: bytes) -> None:
        """Let every byte from `low` to `high` stand in its column, from column `start` on."""
        columns = slice(start, start + len(low))
        self._low[columns] = np.frombuffer(low, np.uint8)
        self._span[columns] = np.frombuffer(high, np.uint8) - self._low[columns]

    def fits(self, lines: Bytes) -> Flags:
        """Return which are alike; `lines`: shape (count, bytes of a line)."""
        may_stand = lines - self._low <= self._span
        # That all are is seen much faster than which.
        return np.ones(len(lines), np.bool_) if may_stand.all() else np.all(may_stand, axis=1)


def alike(
    lines: Lines, learn: Callable[[bytes], tuple[Shape, Found] | None]
) -> Iterator[tuple[Found, Numbers]]:
    """Yield rows of lines that are alike, with what `learn` found in one of them.

    `learn` is asked about a line as long as there is one that is like none before it. Lines in
    which it finds nothing are left out.
    """
    lengths = lines.ends - lines.starts
    order = np.argsort(lengths)
    for rows in np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1):
        if len(rows) and (length := int(lengths[rows[0]])):
            yield from _alike(rows, lines.columns(rows, slice(0, length)), learn)


def _alike(
    rows: Numbers, lines: Bytes, learn: Callable[[bytes], tuple[Shape, Found] | None]
) -> Iterator[tuple[Found, Numbers]]:
    shapes = 0
    while len(rows) and shapes < _MOST_SHAPES:
        learnt = learn(lines[0].tobytes())
        if learnt is None:
            rows, lines = rows[1:], lines[1:]
            continue
        shape, found = learnt
        fits = shape.fits(lines)
        if fits.all():
            yield found, rows
            return
        yield found, rows[fits]
        rows, lines = rows[~fits], lines[~fits]
        shapes += 1


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


def numbers_of(digits: Bytes) -> Numbers:
    """Return the numbers that rows of at most 18 decimal digits are."""
    powers = 10 ** np.arange(digits.shape[1], dtype=np.int64)[::-1]
    return (digits - np.uint8(ord("0"))).astype(np.int64) @ powers
