"""Packed rows judged thousands at a time with numpy: which are ordinary, and their numbers."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from scanner_station.domain.manifest_header import Columns, Field
from scanner_station.storage.csv_pack import FIELD, ROW

Row = list[str]
Indexes = npt.NDArray[np.int64]
Bits = npt.NDArray[np.bool_]
Keys = npt.NDArray[Any]
"""Identifiers in the order of their text: uint64 where all are NIKs, else bytes."""

_INVISIBLE: Final = re.compile("[\x7f-\xa0\u1680\u2000-\u200d\u2028-\u202f\u205f\u3000\ufeff]")
_SPACE: Final = 0x20
_ROW_MARK: Final = ROW[0]
_NIK_DIGITS: Final = 16
_ZERO: Final = np.uint8(ord("0"))
_SHORT_CELL: Final = 32
_HASH_FACTORS: Final = np.array(
    [0x9E3779B97F4A7C15 * (2 * i + 1) % 2**64 for i in range(8)], np.uint64
)
"""One odd number for each eight bytes of two short cells."""
_POWERS: Final = 10 ** np.arange(_NIK_DIGITS - 1, -1, -1, dtype=np.uint64)


class PackedRows:
    """One block of packed rows, split into ordinary ones and the rest.

    A row is ordinary when it has every column and no more, no space or invisible character
    around a cell, no overlong text, one piece, and a number that may be a NIK.
    """

    def __init__(self, packed: bytes, columns: Columns, *, longest: int) -> None:
        self.packed = packed
        self._columns = columns
        self._data = np.frombuffer(packed, np.uint8)
        marks = np.flatnonzero(self._data < _SPACE)
        row_ends = np.flatnonzero(self._data[marks] == _ROW_MARK)
        self._ends = marks[row_ends]
        self._begins = np.concatenate([[0], self._ends[:-1] + 1])
        width = columns.width
        self.is_ordinary: Bits = np.diff(row_ends, prepend=-1) == width
        # The ends and begins of every cell of the rows that have the right number of them.
        first = row_ends[self.is_ordinary] - (width - 1)
        self._cell_ends = marks[first[:, None] + np.arange(width)]
        self._cell_begins = np.empty_like(self._cell_ends)
        self._cell_begins[:, 0] = self._begins[self.is_ordinary]
        self._cell_begins[:, 1:] = self._cell_ends[:, :-1] + 1
        self._keep(self._looks_plain(longest))
        self.keys: Keys = self._take_niks()

    def _keep(self, wanted: Bits) -> None:
        """Narrow the ordinary rows down to these of them."""
        if not wanted.all():
            self.is_ordinary[self.is_ordinary] = wanted
            self._cell_begins = self._cell_begins[wanted]
            self._cell_ends = self._cell_ends[wanted]

    def _looks_plain(self, longest: int) -> Bits:
        begins, ends = self._cell_begins, self._cell_ends
        plain: Bits = np.asarray((self._data[begins] != _SPACE).all(axis=1))
        plain &= (self._data[ends - 1] != _SPACE).all(axis=1)
        plain &= ends[:, -1] - begins[:, 0] <= longest
        pieces = self._columns.position.get(Field.PIECES)
        if pieces is not None:
            size = ends[:, pieces] - begins[:, pieces]
            plain &= (size == 0) | ((size == 1) & (self._data[begins[:, pieces]] == _ZERO + 1))
        if (self._data == 0x7F).any() or _holds_invisible(self.packed):
            plain[:] = False
        return plain

    def _take_niks(self) -> npt.NDArray[np.uint64]:
        at = self._columns.identifier
        self._keep(self._cell_ends[:, at] - self._cell_begins[:, at] == _NIK_DIGITS)
        text = self._data[self._cell_begins[:, at, None] + np.arange(_NIK_DIGITS)]
        right = are_niks(text)
        self._keep(right)
        numbers: npt.NDArray[np.uint64] = (text[right] - _ZERO).astype(np.uint64) @ _POWERS
        return numbers

    def counted(self, columns: Sequence[int | None]) -> dict[tuple[str, ...], int]:
        """Return how many ordinary rows hold each combination of cells in some columns.

        A column that is None holds empty cells.
        """
        named = [at for at in columns if at is not None]
        sizes = self._cell_ends[:, named] - self._cell_begins[:, named]
        words = self._words(named) if sizes.max(initial=0) <= _SHORT_CELL else None
        if words is not None:
            # A few numbers stand for the cells of a row: counting them needs no Python objects.
            hashes = words @ _HASH_FACTORS[: words.shape[1]]
            _, rows, group, counts = np.unique(
                hashes, return_index=True, return_inverse=True, return_counts=True
            )
            if (words == words[rows][group]).all():  # no two rows only look alike
                cells = [self._cells(at, rows) for at in columns]
                return dict(zip(zip(*cells, strict=True), counts.tolist(), strict=True))
        every = np.arange(len(self._cell_ends))
        return Counter(zip(*(self._cells(at, every) for at in columns), strict=True))

    def _words(self, columns: Sequence[int]) -> npt.NDArray[np.uint64]:
        """Return the cells of some columns as whole numbers, eight bytes in each; NULs fill up."""
        padded = np.concatenate([self._data, np.zeros(_SHORT_CELL, np.uint8)])
        stretches = np.lib.stride_tricks.sliding_window_view(padded, _SHORT_CELL)
        columns_of_words = [np.zeros((len(self._cell_ends), 0), np.uint64)]
        for at in columns:
            begins = self._cell_begins[:, at]
            text = stretches[begins]
            text[np.arange(_SHORT_CELL) >= (self._cell_ends[:, at] - begins)[:, None]] = 0
            columns_of_words.append(text.view(np.uint64))
        return np.concatenate(columns_of_words, axis=1)

    def _cells(self, at: int | None, rows: Indexes) -> list[str]:
        if at is None:
            return [""] * len(rows)
        begins, ends = self._cell_begins[rows, at].tolist(), self._cell_ends[rows, at].tolist()
        packed = self.packed
        return [packed[begin:end].decode() for begin, end in zip(begins, ends, strict=True)]


def _holds_invisible(packed: bytes) -> bool:
    return not packed.isascii() and _INVISIBLE.search(packed.decode()) is not None


def are_niks(text: npt.NDArray[np.uint8]) -> Bits:
    """Return which rows of sixteen bytes may be a NIK, as domain.identifier.judge_nik has it.

    `text`: uint8, shape (rows, 16), ASCII.
    """
    digits = text - _ZERO
    day = digits[:, 6] * np.uint8(10) + digits[:, 7]
    month = digits[:, 8] * np.uint8(10) + digits[:, 9]
    right: Bits = np.asarray((digits <= 9).all(axis=1))
    right &= ((day >= 1) & (day <= 31)) | ((day >= 41) & (day <= 71))
    right &= (month >= 1) & (month <= 12)
    right &= digits[:, 12:].any(axis=1)
    return right


class Layout:
    """How a row is stored: its columns in the order of the file.

    An ordinary file is taken as it stands; only where columns are to be gathered into `extra`,
    or `pieces` be a number, is each row put together anew.
    """

    def __init__(self, columns: Columns) -> None:
        places = sorted((index, field) for field, index in columns.position.items())
        self._places = [(index, field is Field.PIECES) for index, field in places]
        self._extra = [(columns.words[index], index) for index in columns.extra]
        self.stored = (*(field.value for _, field in places), *(("extra",) if self._extra else ()))
        self.is_as_read = not self._extra and Field.PIECES not in columns.position

    def pack(self, row: Sequence[str]) -> bytes:
        """Return one row, packed without its end."""
        fields = [row[at] or ("1" if is_pieces else "") for at, is_pieces in self._places]
        if self._extra:
            others = {word: row[at] for word, at in self._extra if row[at]}
            fields.append(json.dumps(others, ensure_ascii=False) if others else "")
        return FIELD.decode().join(fields).encode()

    def pack_all(self, rows: list[bytes]) -> list[bytes]:
        """Return packed rows as they are stored."""
        if self.is_as_read:
            return rows
        field = FIELD.decode()
        return [self.pack(row.decode().split(field)) for row in rows]


def key_text(key: np.uint64 | bytes) -> str:
    """Return the identifier that a sort key stands for."""
    return key.decode() if isinstance(key, bytes) else f"{int(key):0{_NIK_DIGITS}d}"
