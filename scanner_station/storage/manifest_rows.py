"""Many rows at once: finding the few that are not ordinary, with numpy over their bytes."""

import re
from collections.abc import Callable, Sequence
from json import dumps
from operator import itemgetter
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from scanner_station.domain.manifest_header import Columns, Field
from scanner_station.storage.manifest_spool import FIELD, ROW

Row = list[str]
Indexes = npt.NDArray[np.int64]
Bits = npt.NDArray[np.bool_]
Keys = npt.NDArray[Any]
"""Identifiers in the order of their text: uint64 where all are NIKs, else bytes."""

_INVISIBLE: Final = re.compile("[\x7f-\xa0\u1680\u2000-\u200d\u2028-\u202f\u205f\u3000\ufeff]")
_SPACE: Final = 0x20
_NIK_DIGITS: Final = 16
_POWERS: Final = 10 ** np.arange(_NIK_DIGITS - 1, -1, -1, dtype=np.uint64)


class Texture:
    """The bytes of rows of one width: do they hold anything but ordinary text?"""

    def __init__(self, texts: Sequence[str], width: int) -> None:
        """`texts`: rows, their fields joined by `FIELD`."""
        self._width = width
        joined = ROW.join(texts) + ROW
        self._bytes = np.frombuffer(joined.encode(), np.uint8)
        self._marks = np.flatnonzero(self._bytes < _SPACE)
        self.is_plain = (
            len(self._marks) == width * len(texts)
            and 0x7F not in self._bytes
            and (joined.isascii() or _INVISIBLE.search(joined) is None)
        )
        """Whether every control character is one of our own separators and none is invisible."""

    def padded(self) -> list[int]:
        """Return the rows with a space before or after a field; for plain rows only."""
        marks = self._marks
        after = np.append(marks[:-1] + 1, 0)  # the last mark's follower is the first field
        spaces = self._bytes[marks - 1] == _SPACE
        fields = np.flatnonzero(spaces)
        followers = (np.flatnonzero(self._bytes[after] == _SPACE) + 1) % len(marks)
        rows: list[int] = np.unique(np.concatenate([fields, followers]) // self._width).tolist()
        return rows

    def longer_than(self, size_bytes: int) -> list[int]:
        """Return the rows of more bytes than this; for plain rows only."""
        ends = self._marks[self._width - 1 :: self._width]
        rows: list[int] = np.flatnonzero(np.diff(ends, prepend=-1) > size_bytes).tolist()
        return rows


def judge_niks(texts: Sequence[str]) -> tuple[Bits, npt.NDArray[np.uint64]]:
    """Return which texts may be a NIK, and those as numbers.

    The same verdict as domain.identifier.judge_nik, for many at once.
    """
    fits = np.fromiter(map(len, texts), np.int64, len(texts)) == _NIK_DIGITS
    if fits.all():
        joined = "".join(texts)
    else:
        joined = "".join(text for text in texts if len(text) == _NIK_DIGITS)
    # One byte a character, whatever it is, so that the rows stay aligned.
    data = np.frombuffer(joined.encode("ascii", "replace"), np.uint8)
    digits = data.reshape(-1, _NIK_DIGITS) - np.uint8(ord("0"))
    day = digits[:, 6] * np.uint8(10) + digits[:, 7]
    month = digits[:, 8] * np.uint8(10) + digits[:, 9]
    right = (digits <= 9).all(axis=1)
    right &= ((day >= 1) & (day <= 31)) | ((day >= 41) & (day <= 71))
    right &= (month >= 1) & (month <= 12)
    right &= digits[:, 12:].any(axis=1)
    fits[fits] = right
    return fits, digits[right].astype(np.uint64) @ _POWERS


class Layout:
    """How a row is packed for the spool, and what the packed fields are.

    An ordinary file is packed as it is; only where columns are to be gathered into `extra`, or
    `pieces` taken out, is each row put together anew.
    """

    def __init__(self, columns: Columns) -> None:
        places = sorted(
            (index, field.value)
            for field, index in columns.position.items()
            if field is not Field.PIECES
        )
        self._extra = [(columns.words[index], index) for index in columns.extra]
        self.stored = tuple(name for _, name in places) + (("extra",) if self._extra else ())
        self.is_as_read = len(places) == columns.width
        self._pick = _picker([index for index, _ in places])

    def pack(self, row: Row) -> str:
        """Return one row as the spool takes it."""
        fields = self._pick(row)
        if self._extra:
            others = {word: row[index] for word, index in self._extra if row[index]}
            fields = (*fields, dumps(others, ensure_ascii=False) if others else "")
        return FIELD.join(fields)


def _picker(indexes: list[int]) -> Callable[[Row], tuple[str, ...]]:
    if len(indexes) == 1:
        return lambda row: (row[indexes[0]],)
    return itemgetter(*indexes)


def key_text(key: np.uint64 | bytes) -> str:
    """Return the identifier that a sort key stands for."""
    return key.decode() if isinstance(key, bytes) else f"{int(key):0{_NIK_DIGITS}d}"
