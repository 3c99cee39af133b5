"""A QR code as it is printed: where its fixed patterns, format and data lie, and its blocks.

Source: ISO/IEC 18004.
"""

from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
from segno import consts

Bits = npt.NDArray[np.int8]
"""Modules, shape (size, size): 1 dark, 0 light, UNKNOWN."""

UNKNOWN: Final = -1
SMALL_VERSIONS: Final = (1, 2)
"""An identifier of 16 digits fits into the first with any correction level."""
LARGEST_VERSION: Final = 12
"""Larger ones are not looked for."""
LEVELS: Final = (1, 0, 3, 2)
"""Correction levels as the format names them: L, M, Q, H."""
_VERSION_SHOWN_FROM: Final = 7
_VERSION_GENERATOR: Final = 0x1F25
# The two tables of the standard, as segno keeps them; it has no types for them.
_ALIGNMENTS: Final = cast("tuple[tuple[int, ...], ...]", consts.ALIGNMENT_POS)
_BLOCKS: Final = cast("Any", consts.ECC)
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
    around = np.maximum(*np.abs(np.indices((5, 5)) - 2)) != 1
    for row, column in _alignments(version):
        bits[row - 2 : row + 3, column - 2 : column + 3] = around
    bits[n - 8, 8] = 1
    for index, bit in enumerate(_version_code(version)):
        row, column = index // 3, n - 11 + index % 3
        bits[row, column] = bits[column, row] = bit
    return bits


def _alignments(version: int) -> list[tuple[int, int]]:
    """Return the middles of the alignment patterns; none lies on a finder."""
    if version == 1:
        return []
    at = _ALIGNMENTS[version - 2]
    corners = {(at[0], at[0]), (at[0], at[-1]), (at[-1], at[0])}
    return [place for place in product(at, at) if place not in corners]


def _version_code(version: int) -> list[int]:
    """Return the 18 bits that name a version from 7 on, the lowest first; none below."""
    if version < _VERSION_SHOWN_FROM:
        return []
    rest = version
    for _ in range(12):
        rest = rest << 1 ^ (rest >> 11) * _VERSION_GENERATOR
    return [(version << 12 | rest) >> i & 1 for i in range(18)]


@cache
def blocks(version: int, level: int) -> tuple[tuple[int, int], ...]:
    """Return codewords and data codewords of each block of Reed-Solomon, in their order."""
    return tuple(
        (part.num_total, part.num_data)
        for part in _BLOCKS[version][level]
        for _ in range(part.num_blocks)
    )


@cache
def block_places(version: int, level: int) -> tuple[tuple[int, ...], ...]:
    """Return which of the codewords, as printed, belong to each block, in the block's order."""
    sizes = blocks(version, level)
    places: list[list[int]] = [[] for _ in sizes]
    rounds = [[data for _, data in sizes], [total - data for total, data in sizes]]
    number = 0
    for lengths in rounds:
        for turn in range(max(lengths)):
            for block, length in enumerate(lengths):
                if turn < length:
                    places[block].append(number)
                    number += 1
    return tuple(tuple(one) for one in places)


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
    return tuple(places[: 8 * (len(places) // 8)])


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
    bits[bits == UNKNOWN] = 0  # remainder bits, which nobody reads
    return bits
