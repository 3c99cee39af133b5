"""Code 128 as it is printed: the bars of each symbol character, the check, and back to a picture.

Source: ISO/IEC 15417.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_TABLE: Final = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 "
    "112232 122132 122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 "
    "311222 321122 321221 312212 322112 322211 212123 212321 232121 111323 131123 131321 "
    "112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 "
    "313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 "
    "314111 221411 431111 111224 111422 121124 121421 141122 141221 112214 112412 122114 "
    "122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212 "
    "124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 "
    "114311 411113 411311 113141 114131 311141 411131 211412 211214 211232"
)
_STOP_WIDTHS: Final = "2331112"
MODULES: Final = 11
"""Modules of one symbol character."""
STOP_MODULES: Final = 13
FIRST_START: Final = 103
"""Values below are data; 103, 104 and 105 are start A, B and C."""
VALUES: Final = 106
CHECK: Final = 103


def _modules(widths: str) -> list[float]:
    """Return the modules of a character: 0 is a bar, 1 a space."""
    return [float(index % 2) for index, width in enumerate(widths) for _ in range(int(width))]


PATTERNS: Final[Floats] = np.array([_modules(widths) for widths in _TABLE.split()], np.float32)
"""Shape (VALUES, MODULES)."""
STOP: Final[Floats] = np.array(_modules(_STOP_WIDTHS), np.float32)


def is_checked(values: Sequence[int]) -> bool:
    """Whether the last value is the check character of those before it, the start included."""
    *said, check = values
    return (said[0] + sum(place * value for place, value in enumerate(said))) % CHECK == check


def picture(
    values: Sequence[int], module_px: int = 3, height_px: int = 40
) -> npt.NDArray[np.uint8]:
    """Return the bar code of these values as it should have been, with quiet zones."""
    quiet = np.ones(MODULES, np.float32)
    row = np.concatenate([quiet, *(PATTERNS[value] for value in values), STOP, quiet])
    line = np.repeat((row * 255).astype(np.uint8), module_px)
    return np.repeat(line[None], height_px, axis=0)
