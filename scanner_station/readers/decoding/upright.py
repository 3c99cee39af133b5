"""Finds bars in a picture, at any angle, and turns them upright and parallel.

What comes out are lines, each the mean of a few neighbouring rows of one bar code: a bar code
says the same on each of them, so what only some lines have (a scratch, a finger, a scorch) can
be told from what all have.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from scanner_station.readers.decoding.symbols import Grey

Floats = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float64]

LOCATE_SIDE_PX: Final = 1280
"""Larger pictures are made smaller than this to find the bars in them."""
SMALLEST_SIDE_PX: Final = 48
WIDTH_PX: Final = 2048
HEIGHT_PX: Final = 320
ENLARGED: Final = 2.0
AROUND_PX: Final = 25
NOISE_TIMES: Final = 4.0
WEAKEST_CAP: Final = 24.0
"""In grey levels of a Sobel gradient: stronger ones count no more than this or four times noise."""
MOST_LINES: Final = 20
FEWEST_LINES: Final = 6
FEWEST_ROWS: Final = 12


@dataclass(frozen=True, slots=True)
class Spot:
    """A place where gradients run one way: its middle in pixels and the angle across the bars."""

    x: float
    y: float
    degrees: float


@dataclass(frozen=True, slots=True)
class Lines:
    """A bar code stood upright: `grey` has shape (lines, WIDTH_PX); `back` maps x to the picture.

    `back` is a 2 x 3 matrix for points (x, y) of which y does not matter.
    """

    grey: Floats
    back: Matrix


def spots(image: Grey, count: int) -> Iterator[Spot]:
    """Yield the places that look most like bars, the likeliest first.

    Strong gradients count no more than middling ones, and both directions of them must be
    there, so that the edge of a card or of its portrait is not taken for a bar code.

    Source: Bigün and Granlund, ICCV 1987 (orientation by the structure tensor).
    """
    factor = min(1.0, LOCATE_SIDE_PX / max(image.shape))
    if min(image.shape) * factor < SMALLEST_SIDE_PX:
        return
    small = image if factor == 1 else cv2.resize(
        image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA
    )  # fmt: skip
    smooth = cv2.GaussianBlur(small, (0, 0), 0.6)
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, dx, 1 - dx) for dx in (1, 0))
    length = cv2.magnitude(across, down)
    noise = float(np.median(length[::4, ::4]))
    limited = np.minimum(1, max(NOISE_TIMES * noise, WEAKEST_CAP) / np.maximum(length, 1e-6))
    limited = np.where(length < 2 * noise, 0.3 * limited, limited).astype(np.float32)
    across, down = across * limited, down * limited
    xx, yy, xy, mean_x, mean_y = (
        cv2.boxFilter(v, -1, (AROUND_PX, AROUND_PX))
        for v in (across * across, down * down, across * down, across, down)
    )
    total = xx + yy + 1
    agreement = cv2.magnitude(xx - yy, 2 * xy)
    balance = 1 - np.minimum(1, (mean_x * mean_x + mean_y * mean_y) / total)
    likely = cv2.boxFilter(agreement * (agreement / total) ** 3 * balance**2, -1, (31, 31))
    for _ in range(count):
        row, column = np.unravel_index(int(np.argmax(likely)), likely.shape)
        if likely[row, column] <= 0:
            return
        angle = 0.5 * np.arctan2(2 * xy[row, column], xx[row, column] - yy[row, column])
        yield Spot(float(column) / factor, float(row) / factor, float(np.degrees(angle)))
        _take_out(likely, float(angle), int(row), int(column))


def _take_out(likely: Floats, angle: float, row: int, column: int) -> None:
    """Blank the bar code around a spot, so that the next one is another."""
    dx, dy = 110 * np.cos(angle), 110 * np.sin(angle)
    ends = (int(column - dx), int(row - dy)), (int(column + dx), int(row + dy))
    cv2.line(likely, *ends, 0.0, 80)


def upright(image: Grey, spot: Spot) -> Lines | None:
    """Return the lines of the bar code at a spot; None when it is too low to be one."""
    enlarged = ENLARGED * min(1.0, LOCATE_SIDE_PX / max(image.shape))
    turn = cv2.getRotationMatrix2D((spot.x, spot.y), spot.degrees, enlarged)
    turn[0, 2] += WIDTH_PX / 2 - spot.x
    turn[1, 2] += HEIGHT_PX / 2 - spot.y
    strip = cv2.warpAffine(
        image, turn, (WIDTH_PX, HEIGHT_PX),
        flags=cv2.INTER_CUBIC if enlarged > 1 else cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    ).astype(np.float32)  # fmt: skip
    top, bottom = _rows_of_bars(strip)
    if bottom - top < FEWEST_ROWS:
        return None
    rows = strip[top:bottom]
    count = min(MOST_LINES, max(FEWEST_LINES, len(rows) // 4))
    cuts = np.linspace(0, len(rows), count + 1).astype(int)
    lines = np.stack([rows[a:b].mean(axis=0) for a, b in pairwise(cuts)])
    heights = ((cuts[:-1] + cuts[1:] - len(rows)) / 2).astype(np.float32)
    straight = _sheared(lines, heights, *_lean(lines, heights))
    inverse = np.asarray(cv2.invertAffineTransform(turn), dtype=np.float64)
    middle = inverse @ np.array([0.0, (top + bottom) / 2, 1.0])
    back = np.array([[inverse[0, 0], 0.0, middle[0]], [inverse[1, 0], 0.0, middle[1]]])
    return Lines(straight, back)


def _rows_of_bars(strip: Floats) -> tuple[int, int]:
    """Return the first row and the row after the last that the bars in the middle cover."""
    across = np.abs(cv2.Sobel(strip, cv2.CV_32F, 1, 0))
    along = np.abs(cv2.Sobel(strip, cv2.CV_32F, 0, 1))
    middle = slice(WIDTH_PX // 2 - 200, WIDTH_PX // 2 + 200)
    bars = cv2.boxFilter(np.maximum(across - 1.2 * along, 0)[:, middle].mean(1), -1, (1, 15))
    energy = bars.ravel()
    enough = energy > 0.5 * energy[HEIGHT_PX // 2 - 10 : HEIGHT_PX // 2 + 10].max()
    below = np.flatnonzero(~enough[: HEIGHT_PX // 2])
    above = np.flatnonzero(~enough[HEIGHT_PX // 2 :])
    top = int(below[-1]) + 1 if below.size else 0
    bottom = HEIGHT_PX // 2 + int(above[0]) if above.size else HEIGHT_PX
    return top, bottom


def _lean(lines: Floats, heights: Floats) -> tuple[float, float]:
    """Return how far the bars lean, in pixels a row, and how much more from end to end.

    Bars that stand upright on each other make the deepest mean line.
    """
    few = lines[:: max(1, len(lines) // 10)]
    some = np.asarray(cv2.GaussianBlur(few, (0, 0), sigmaX=1.0, sigmaY=0.01), dtype=np.float32)
    at = heights[:: max(1, len(lines) // 10)]
    lean, fan = 0.0, 0.0
    for step_lean, step_fan in ((0.06, 0.12), (0.02, 0.04), (0.007, 0.015)):
        tries = [
            (lean + i * step_lean, fan + j * step_fan) for i in range(-2, 3) for j in range(-2, 3)
        ]
        depths = [
            float((np.diff(_sheared(some, at, *one)[:, ::2].mean(axis=0)) ** 2).sum())
            for one in tries
        ]
        lean, fan = tries[int(np.argmax(depths))]
    return lean, fan


def _sheared(lines: Floats, heights: Floats, lean: float, fan: float) -> Floats:
    x = np.arange(lines.shape[1], dtype=np.float32)
    slant = lean + fan * (x - lines.shape[1] / 2) / lines.shape[1]
    map_x = x[None] + heights[:, None] * slant[None]
    map_y = np.repeat(np.arange(len(lines), dtype=np.float32)[:, None], len(x), axis=1)
    moved = cv2.remap(
        lines, map_x.astype(np.float32), map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved, dtype=np.float32)
