"""A small QR code as it is printed: where its fixed patterns, its format and its data lie.

Versions 1 and 2 only: an identifier of 16 digits fits into the first with any correction level.

Source: ISO/IEC 18004.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.int8]
"""Modules, shape (size, size): 1 dark, 0 light, UNKNOWN."""

UNKNOWN: Final = -1
VERSIONS: Final = (1, 2)
CODEWORDS: Final = {1: 26, 2: 44}
PARITY: Final = {1: {1: 7, 0: 10, 3: 13, 2: 17}, 2: {1: 10, 0: 16, 3: 22, 2: 28}}
"""By version and level (1 L, 0 M, 3 Q, 2 H); these versions have one block."""
FORMAT_BITS: Final = 15
_FORMAT_GENERATOR: Final = 0x537
_FORMAT_MASK: Final = 0x5412
_TIMING: Final = 6


def size(version: int) -> int:
    """Return how many modules a side has."""
    return 17 + 4 * version


@cache
def fixed(version: int) -> Bits:
    """Return the modules that are the same in each code of a version; UNKNOWN elsewhere."""
    n = size(version)
    bits = np.full((n, n), UNKNOWN, np.int8)
    bits[_TIMING, :] = bits[:, _TIMING] = (np.arange(n) + 1) % 2
    ring = np.maximum(*np.abs(np.indices((9, 9)) - 4))
    finder = ((ring != 2) & (ring != 4)).astype(np.int8)
    bits[:8, :8], bits[:8, -8:], bits[-8:, :8] = finder[1:, 1:], finder[1:, :-1], finder[:-1, 1:]
    if version > 1:
        around = np.maximum(*np.abs(np.indices((5, 5)) - 2))
        bits[n - 9 : n - 4, n - 9 : n - 4] = around != 1
    bits[n - 8, 8] = 1
    return bits


def format_places(version: int) -> list[list[tuple[int, int]]]:
    """Return where both copies of the format stand, the lowest bit first."""
    n = size(version)
    first = [(i, 8) for i in range(6)] + [(7, 8), (8, 8), (8, 7)]
    first += [(8, 14 - i) for i in range(9, FORMAT_BITS)]
    second = [(8, n - 1 - i) for i in range(8)] + [(n - 15 + i, 8) for i in range(8, FORMAT_BITS)]
    return [first, second]


@cache
def format_code(level: int, mask: int) -> tuple[int, ...]:
    """Return the 15 bits that name a correction level and a mask, the lowest first."""
    data = level << 3 | mask
    rest = data
    for _ in range(10):
        rest = rest << 1 ^ (rest >> 9) * _FORMAT_GENERATOR
    whole = (data << 10 | rest) ^ _FORMAT_MASK
    return tuple(whole >> i & 1 for i in range(FORMAT_BITS))


@cache
def data_places(version: int) -> tuple[tuple[int, int], ...]:
    """Return where the data bits stand, in their order."""
    n = size(version)
    taken = fixed(version) != UNKNOWN
    for copy in format_places(version):
        for row, column in copy:
            taken[row, column] = True
    places: list[tuple[int, int]] = []
    upwards = True
    for right in [c for c in range(n - 1, 0, -2) if c > _TIMING] + [5, 3, 1]:
        rows = range(n - 1, -1, -1) if upwards else range(n)
        places += [(r, c) for r in rows for c in (right, right - 1) if not taken[r, c]]
        upwards = not upwards
    return tuple(places[: 8 * CODEWORDS[version]])


@cache
def mask_bits(version: int, mask: int) -> npt.NDArray[np.int8]:
    """Return the mask's bit at each data place."""
    r, c = np.array(data_places(version)).T
    conditions = (
        (r + c) % 2, r % 2, c % 3, (r + c) % 3, (r // 2 + c // 3) % 2, r * c % 2 + r * c % 3,
        (r * c % 2 + r * c % 3) % 2, ((r + c) % 2 + r * c % 3) % 2,
    )  # fmt: skip
    return np.asarray(conditions[mask] == 0, dtype=np.int8)


def codewords_of(version: int, mask: int, bits: Sequence[int] | Bits) -> list[int]:
    """Return the codewords of the data bits as they are printed."""
    plain = np.asarray(bits, np.int8) ^ mask_bits(version, mask)
    return [int(one) for one in np.packbits(plain.astype(np.uint8))]


def drawn(version: int, level: int, mask: int, codewords: Sequence[int]) -> Bits:
    """Return the whole code with these codewords."""
    bits = fixed(version).copy()
    for copy in format_places(version):
        for (row, column), bit in zip(copy, format_code(level, mask), strict=True):
            bits[row, column] = bit
    bits[size(version) - 8, 8] = 1
    said = np.unpackbits(np.array(codewords, np.uint8)).astype(np.int8) ^ mask_bits(version, mask)
    rows, columns = np.array(data_places(version)).T
    bits[rows, columns] = said
    bits[bits == UNKNOWN] = 0  # the remainder bits of version 2, which nobody reads
    return bits
