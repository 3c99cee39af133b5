"""Recognises the entry that is most of every log: a first piece of a card, counted by a scanner.

Two such entries differ in time, card and number, and in the few texts between those. What stands
between them is looked at once, in a whole line that fits the pattern; in every later line it has
only to be the same bytes. Times and cards are looked at by column, many lines at a time.
"""

import re
from array import array
from collections.abc import Sequence
from typing import Final, NamedTuple

from scanner_station.domain.card_audit import CARD_CHARACTERS

AT: Final = r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z"
CARD: Final = r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]="
TEXT: Final = r'[^"\\\x00-\x1f]'

_PLAIN: Final = (
    rf'\{{"at":"{AT}","batch":"%s","by":"{TEXT}+","card":"(?P<key>{CARD}","category":'
    rf'"(?P<category>{TEXT}*)"),"district":"(?P<district>{TEXT}*)","kind":"scan","piece":1,'
    rf'"reader":"{TEXT}+","sequence":(?P<sequence>[0-9]+),"station":"%s","symbology":"{TEXT}*",'
    rf'"verdict":"counted"\}}'
)
_DIGITS: Final = b"0123456789"
_CLASSES: Final = {"0": _DIGITS, "1": b"01", "2": b"012", "3": b"0123", "5": b"012345"}
_START: Final = [
    _CLASSES.get(one, one.encode()) for one in '{"at":"0000-10-30T20:50:50.000Z'
]  # fmt: skip
"""Which bytes may stand in each column of a line's start: `AT`, spelled out."""
_START_BYTES: Final = len(_START)
_CARD_MARK: Final = b',"card":"'
_CARD_DIGITS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_LAST_DIGITS: Final = b"AEIMQUYcgkosw048"
"""What the last character may be: its two unused bits are zero."""
_MOST_SHAPES: Final = 1 << 16
_MOST_PLACES: Final = 1 << 24


class PlainCounts(NamedTuple):
    """Cards that were counted, in the order of the log, as columns.

    `keys`: the bytes `<card>","category":"<category>"`, which a manifest's line holds, too.
    `marks`: of each, its entry's sequence and the number of its place, as `mark` packs them.
    """

    keys: list[bytes]
    marks: "array[int]"

    @classmethod
    def none(cls) -> "PlainCounts":
        """Return columns without rows."""
        return cls([], array("Q"))


def mark(sequence: int, place: int) -> int:
    """Return an entry's sequence and the number of its place as one number."""
    return sequence * _MOST_PLACES + place


def unpacked(packed: int) -> tuple[int, int]:
    """Return the sequence and the place that `mark` packed."""
    return divmod(packed, _MOST_PLACES)


class _Shape(NamedTuple):
    # How long the key is, and the number of category and district; of no plain entry: 0 and -1.
    key_bytes: int
    place: int


_NONE: Final = _Shape(0, -1)


class PlainEntries:
    """Recognises them in one log. `places`: (category, district), as numbered by `recognise`."""

    def __init__(self, batch: str, station: str) -> None:
        """Expect entries of a batch and a station."""
        self.places: list[tuple[str, str]] = []
        self._numbers: dict[tuple[str, str], int] = {}
        self._pattern = re.compile(_PLAIN % (re.escape(batch), re.escape(station)))
        self._shapes: dict[bytes, _Shape] = {}

    def recognise(self, entries: Sequence[bytes], first: int) -> tuple[list[bytes], list[int]]:
        """Return key and place of each entry, b'' and -1 of one that is something else.

        `first`: the sequence that the first of them must have.
        """
        keys, places, shapes = [], [], self._shapes
        for number, entry in enumerate(entries, first):
            # In a plain entry no text holds a quotation mark, so the first mark is the card's, and
            # none holds a line end, which stands for the sequence here.
            card = entry.find(_CARD_MARK, _START_BYTES) + len(_CARD_MARK)
            around = entry[_START_BYTES:card] + entry[card + CARD_CHARACTERS :]
            around = around.replace(b',"sequence":%d,' % number, b"\n", 1)
            shape = shapes.get(around) or self._learn(around, entry, number)
            keys.append(entry[card : card + shape.key_bytes])
            places.append(shape.place)
        plain = [entry for entry, key in zip(entries, keys, strict=True) if key]
        cards = [key for key in keys if key]
        if not (_are_starts(plain) and are_cards(cards) and b"\n" not in b"".join(plain)):
            for row, entry in enumerate(entries):
                if not self._look_at(entry, first + row).key_bytes:
                    keys[row], places[row] = b"", -1
        return keys, places

    def _learn(self, around: bytes, entry: bytes, number: int) -> _Shape:
        shape = self._look_at(entry, number)
        if shape.key_bytes:
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()
            self._shapes[around] = shape
        return shape

    def _look_at(self, entry: bytes, number: int) -> _Shape:
        try:
            found = self._pattern.fullmatch(entry.decode())
        except UnicodeDecodeError:
            return _NONE
        if found is None or found["sequence"] != str(number):
            return _NONE
        place = (found["category"], found["district"])
        known = self._numbers.setdefault(place, len(self.places))
        if known == len(self.places):
            self.places.append(place)
        return _Shape(len(found["key"].encode()), known) if known < _MOST_PLACES else _NONE


def at_of_plain(entry: bytes) -> str:
    """Return the time of an entry that was recognised, as it is written there."""
    return entry[len('{"at":"') : _START_BYTES].decode("ascii")


def are_cards(keys: Sequence[bytes]) -> bool:
    """Whether each begins with the code of a card, by columns: `CARD`, spelled out."""
    joined = b"".join([key[:CARD_CHARACTERS] for key in keys])
    return (
        len(joined) == len(keys) * CARD_CHARACTERS
        and joined[CARD_CHARACTERS - 1 :: CARD_CHARACTERS] == b"=" * len(keys)
        and not joined[CARD_CHARACTERS - 2 :: CARD_CHARACTERS].translate(None, _LAST_DIGITS)
        and joined.translate(None, _CARD_DIGITS) == b"=" * len(keys)
    )


def _are_starts(entries: Sequence[bytes]) -> bool:
    joined = b"".join([entry[:_START_BYTES] for entry in entries])
    return not any(
        joined[column::_START_BYTES].translate(None, allowed)
        for column, allowed in enumerate(_START)
    )
