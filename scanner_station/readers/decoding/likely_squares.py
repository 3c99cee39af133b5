"""Reads small QR codes of which much is hidden: a finder under soot, half of it under glare.

The grid is known (`qr_grid`), so each module is looked at where it must be. A codeword whose
modules cannot be seen clearly is given to the Reed-Solomon code as an erasure, which costs it
half of what an error costs. What is corrected must leave so much parity over that a picture of
anything else passes once in 250 million times, and what is seen must look like the result.
"""

from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from scanner_station.domain.reading import Symbology
from scanner_station.readers.decoding import qr_symbol, reed_solomon
from scanner_station.readers.decoding.engines import zxing
from scanner_station.readers.decoding.qr_grid import Grid, grids, levelled
from scanner_station.readers.decoding.symbols import Grey, Symbol
from scanner_station.readers.decoding.upright import Floats

SPOTS: Final = 2
MODULE_PX: Final = 8
AROUND: Final = 5
BY_CHANCE: Final = 2.0**-28
FORMATS_TRIED: Final = 2
ALIKE: Final = 0.45
"""How much of what is seen must agree with the code as it should have been: 1 is all."""
QUIET: Final = 4


def read(image: Grey, symbologies: frozenset[Symbology]) -> list[Symbol]:
    """Return the small QR code that the likeliest places of a picture show."""
    if Symbology.QR not in symbologies:
        return []
    for grid in grids(image, SPOTS):
        bits = bits_of(_seen(image, grid), grid.version)
        if bits is None:
            continue
        if found := said(bits, grid.corners):
            return found
    return []


def said(bits: qr_symbol.Bits, corners: Floats) -> list[Symbol]:
    """Return what a code drawn anew says, with its corners in the picture."""
    dark = np.kron(np.pad(bits, QUIET), np.ones((4, 4), np.int8))
    outline = tuple((float(x), float(y)) for x, y in corners)
    clean = np.where(dark == 1, 0, 255).astype(np.uint8)
    found = zxing(clean, frozenset({Symbology.QR}), is_upright=True)
    return [replace(symbol, outline=outline) for symbol in found]


def _seen(image: Grey, grid: Grid) -> Floats:
    """Return each module: -1 dark to 1 light, 0 where nothing can be seen."""
    n = qr_symbol.size(grid.version) + 2 * QUIET
    to_grid = np.diag([1 / MODULE_PX, 1 / MODULE_PX, 1.0])
    to_grid[:2, 2] = -QUIET
    flat = cv2.warpPerspective(
        image, grid.to_picture() @ to_grid, (n * MODULE_PX, n * MODULE_PX),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    level = levelled(flat.astype(np.float32), AROUND * MODULE_PX)
    quarter = MODULE_PX // 4
    modules = level.reshape(n, MODULE_PX, n, MODULE_PX)[:, quarter:-quarter, :, quarter:-quarter]
    inner = modules.mean(axis=(1, 3))
    return np.asarray(inner[QUIET:-QUIET, QUIET:-QUIET], dtype=np.float32)


def bits_of(seen: Floats, version: int) -> qr_symbol.Bits | None:
    """Return the whole code as it should have been; None when it cannot be told.

    `seen`: each module, -1 dark to 1 light, 0 where nothing can be seen.
    """
    rows, columns = np.array(qr_symbol.data_places(version)).T
    data = seen[rows, columns]
    clear = np.abs(data).reshape(-1, 8).min(axis=1)
    for level, mask in _formats(seen, version)[:FORMATS_TRIED]:
        printed = qr_symbol.codewords_of(version, mask, (data < 0).astype(np.int8))
        codewords = _corrected(printed, clear, version, level)
        if codewords is None:
            continue
        bits = qr_symbol.drawn(version, level, mask, codewords)
        alike = float((seen * (1 - 2 * bits)).sum() / (np.abs(seen).sum() + 1e-6))
        if alike >= ALIKE:
            return bits
    return None


def _corrected(
    printed: list[int], clear: Floats, version: int, level: int
) -> list[int] | None:  # fmt: skip
    """Return the codewords with every block corrected, the unclear ones erased first."""
    codewords = list(printed)
    sizes, places = qr_symbol.blocks(version, level), qr_symbol.block_places(version, level)
    for (total, data), block in zip(sizes, places, strict=True):
        said = [printed[place] for place in block]
        weakest = [int(one) for one in np.argsort(clear[list(block)])]
        tries = (
            reed_solomon.corrected(said, total - data, weakest[:erased], by_chance=BY_CHANCE)
            for erased in range(total - data - 2)
        )
        right = next((one for one in tries if one is not None), None)
        if right is None:
            return None
        for place, codeword in zip(block, right, strict=True):
            codewords[place] = codeword
    return codewords


def _formats(seen: Floats, version: int) -> list[tuple[int, int]]:
    """Return correction levels and masks, the likeliest by what is seen of the format first."""
    copies = [
        np.array([seen[place] for place in copy]) for copy in qr_symbol.format_places(version)
    ]
    both = copies[0] + copies[1]
    fits = [
        (float((both * (1 - 2 * np.array(qr_symbol.format_code(level, mask)))).sum()), level, mask)
        for level in range(4)
        for mask in range(8)
    ]
    return [(level, mask) for _, level, mask in sorted(fits, reverse=True)]
