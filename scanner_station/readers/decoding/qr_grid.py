"""Finds a small QR code by its fixed patterns as a whole, and lays a grid of modules over it.

Engines look for three finder patterns and give up when one of them is hidden. Here the picture
of everything that is the same in each code (finders, timing, their light borders) is compared
with every place at every turn and size, so that what is visible of it is enough.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np

from scanner_station.readers.decoding import qr_symbol
from scanner_station.readers.decoding.symbols import Grey
from scanner_station.readers.decoding.upright import Floats, Matrix

LOCATE_SIDE_PX: Final = 640
AROUND_PX: Final = 41
SEARCH_MODULE_PX: Final = 2
SEARCH_MODULES: Final = 70
"""Width of the square that is searched around a spot, in modules."""
NARROWEST_PX: Final = 1.7
WIDEST_PX: Final = 9.0
SIZE_STEP: Final = 1.08
QUIET: Final = 1
LEAST_LIKENESS: Final = 0.3
LEAST_FIT: Final = 0.78
KEPT: Final = 3
SAMPLES: Final = np.array([-0.22, 0.22])
DATA_WEIGHT: Final = 0.35
STEPS: Final = (0.8, 0.4, 0.2, 0.1, 0.05)
"""In modules."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Four corners of a code in pixels (upper left, upper right, lower right, lower left)."""

    version: int
    corners: Floats

    def to_picture(self) -> Matrix:
        """Return the homography from modules to pixels."""
        n = qr_symbol.size(self.version)
        square = np.array([[0, 0], [n, 0], [n, n], [0, n]], np.float32)
        return np.asarray(cv2.getPerspectiveTransform(square, self.corners), dtype=np.float64)


def grids(image: Grey, count: int) -> Iterator[Grid]:
    """Yield the likeliest grids of the likeliest places."""
    for x, y, degrees in _spots(image, count):
        found = [_fitted(image, grid) for grid in _coarse(image, x, y, degrees)]
        for fit, grid in sorted(found, key=lambda one: -one[0])[:2]:
            if fit >= LEAST_FIT:
                yield grid


def _spots(image: Grey, count: int) -> Iterator[tuple[float, float, float]]:
    """Yield middle and angle (0 to 90 degrees) of places with edges both ways."""
    factor = min(1.0, LOCATE_SIDE_PX / max(image.shape))
    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    smooth = cv2.GaussianBlur(small, (0, 0), 0.6)
    dx, dy = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    length = cv2.magnitude(dx, dy)
    limit = max(4 * float(np.median(length)), 60.0)
    weight = np.minimum(1, limit / np.maximum(length, 1e-6))
    dx, dy = dx * weight, dy * weight
    xx, yy, xy = (cv2.boxFilter(v, -1, (AROUND_PX, AROUND_PX)) for v in (dx * dx, dy * dy, dx * dy))
    likely = (xx + yy) - cv2.magnitude(xx - yy, 2 * xy)
    angle = np.arctan2(dy, dx)
    for _ in range(count):
        row, column = np.unravel_index(int(np.argmax(likely)), likely.shape)
        half = AROUND_PX // 2
        rows = slice(max(0, row - half), row + half + 1)
        part = (rows, slice(max(0, column - half), column + half + 1))
        energy = np.minimum(length[part], limit) ** 2
        turn = np.arctan2(
            (energy * np.sin(4 * angle[part])).sum(), (energy * np.cos(4 * angle[part])).sum()
        )
        yield float(column) / factor, float(row) / factor, float(np.degrees(turn / 4))
        likely[max(0, row - 40) : row + 41, max(0, column - 40) : column + 41] = 0


@cache
def _template(version: int, module_px: int) -> Floats:
    """Return +1 where a code is light, -1 where dark, 0 where it may be either."""
    bits = np.pad(qr_symbol.fixed(version), QUIET, constant_values=0)
    values = np.select([bits == 1, bits == 0], [-1.0, 1.0], 0.0).astype(np.float32)
    return np.kron(values, np.ones((module_px, module_px), np.float32))


def levelled(grey: Floats, around_px: int) -> Floats:
    """Return -1 for dark to +1 for light, by what lies around; 0 where there is no contrast."""
    smooth = cv2.GaussianBlur(grey, (0, 0), max(0.5, around_px / 12))
    around = np.ones((around_px, around_px), np.uint8)
    white = cv2.blur(cv2.dilate(smooth, around), (around_px, around_px))
    black = cv2.blur(cv2.erode(smooth, around), (around_px, around_px))
    contrast = white - black
    usual = float(np.percentile(contrast, 80)) + 1
    level = (2 * grey - white - black) / np.maximum(contrast, 0.25 * usual)
    weight = np.clip((contrast - 0.2 * usual) / (0.3 * usual), 0, 1)
    return np.asarray(np.clip(level, -1, 1) * weight, dtype=np.float32)


def _coarse(image: Grey, x: float, y: float, degrees: float) -> list[Grid]:
    side = SEARCH_MODULES * SEARCH_MODULE_PX
    best: list[tuple[float, Grid]] = []
    module_px = NARROWEST_PX * max(1.0, max(image.shape) / 1280)
    widest_px = WIDEST_PX * max(1.0, max(image.shape) / 1280)
    while module_px <= widest_px:
        factor = SEARCH_MODULE_PX / module_px
        turn = cv2.getRotationMatrix2D((x, y), degrees, factor)
        turn[0, 2] += side / 2 - x
        turn[1, 2] += side / 2 - y
        part = cv2.warpAffine(
            image, turn, (side, side),
            flags=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        level = levelled(part.astype(np.float32), 5 * SEARCH_MODULE_PX)
        back = cv2.invertAffineTransform(turn)
        best += _matches(level, np.asarray(back, np.float64))
        module_px *= SIZE_STEP
    best.sort(key=lambda one: -one[0])
    kept: list[Grid] = []
    for likeness, grid in best:
        if likeness < LEAST_LIKENESS or len(kept) == KEPT:
            break
        if not any(np.abs(grid.corners - other.corners).max() < 4 for other in kept):
            kept.append(grid)
    return kept


def _matches(level: Floats, back: Matrix) -> Iterator[tuple[float, Grid]]:
    """Yield the best place for each version and quarter turn."""
    for version in qr_symbol.SMALL_VERSIONS:
        template = _template(version, SEARCH_MODULE_PX)
        n = qr_symbol.size(version)
        for quarter in range(4):
            turned = np.ascontiguousarray(np.rot90(template, quarter))
            likeness = cv2.matchTemplate(level, turned, cv2.TM_CCORR) / np.abs(template).sum()
            _, highest, _, (left, top) = cv2.minMaxLoc(likeness)
            a = np.array([left, top]) + QUIET * SEARCH_MODULE_PX
            b = a + n * SEARCH_MODULE_PX
            square = [(a[0], a[1]), (b[0], a[1]), (b[0], b[1]), (a[0], b[1])]
            # np.rot90 turns against the clock: the upper left corner moves to the lower left.
            square = square[-quarter:] + square[:-quarter] if quarter else square
            points = np.array([back @ np.array([px, py, 1.0]) for px, py in square], np.float32)
            yield float(highest), Grid(version, points)


def _fitted(image: Grey, grid: Grid) -> tuple[float, Grid]:
    """Move the corners in ever smaller steps to where fixed patterns and data are clearest."""
    n = qr_symbol.size(grid.version)
    module_px = float(np.linalg.norm(grid.corners[1] - grid.corners[0])) / n
    low = np.floor(grid.corners.min(axis=0) - 4 * module_px).astype(int).clip(0)
    high = np.ceil(grid.corners.max(axis=0) + 4 * module_px).astype(int)
    part = image[low[1] : high[1], low[0] : high[0]]
    if min(part.shape) < n:
        return 0.0, grid
    level = levelled(part.astype(np.float32), max(3, round(5 * module_px)))
    sharpness = _Fit(level, grid.version, low.astype(np.float32))
    corners, score = grid.corners, sharpness.of(grid.corners)
    moves = _moves(grid.corners / module_px)
    for step in STEPS:
        for _ in range(3):
            before = score
            for move in moves:
                for sign in (1, -1):
                    tried = (corners + sign * step * module_px * move).astype(np.float32)
                    if (value := sharpness.of(tried)) > score:
                        corners, score = tried, value
            if score == before:
                break
    return score, Grid(grid.version, corners)


def _moves(corners: Floats) -> list[Floats]:
    """Return how corners may move together, by about one module, and each on its own."""
    apart = corners - corners.mean(axis=0)
    apart = apart / np.abs(apart).max()
    together = [np.tile([1.0, 0.0], (4, 1)), np.tile([0.0, 1.0], (4, 1)), apart,
                apart[:, ::-1] * [1, -1]]  # fmt: skip
    alone = []
    for corner in range(4):
        for axis in range(2):
            move = np.zeros((4, 2))
            move[corner, axis] = 1.0
            alone.append(move)
    return [np.asarray(move, np.float32) for move in [*together, *alone]]


class _Fit:
    """How well a grid explains a levelled picture: 1 in a perfect one."""

    def __init__(self, level: Floats, version: int, origin: Floats) -> None:
        self._level = level
        self._origin = origin
        n = qr_symbol.size(version)
        self._square = np.array([[0, 0], [n, 0], [n, n], [0, n]], np.float32)
        bits = np.pad(qr_symbol.fixed(version), QUIET, constant_values=0)
        self._wanted = np.select([bits == 1, bits == 0], [-1.0, 1.0], 0.0).ravel()
        self._is_known = self._wanted != 0
        middle = np.arange(-QUIET, n + QUIET) + 0.5
        rows, columns = np.meshgrid(middle, middle, indexing="ij")
        self._points = np.stack(
            [
                np.stack([columns.ravel() + dx, rows.ravel() + dy], axis=1)
                for dx in SAMPLES
                for dy in SAMPLES
            ]
        ).astype(np.float32)

    def of(self, corners: Floats) -> float:
        """Return the fit of a grid with these corners."""
        to_picture = cv2.getPerspectiveTransform(self._square, corners - self._origin)
        flat = self._points.reshape(-1, 1, 2)
        at = cv2.perspectiveTransform(flat, to_picture).reshape(len(self._points), -1, 2)
        seen = cv2.remap(
            self._level, at[..., 0] - 0.5, at[..., 1] - 0.5, cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
        )  # fmt: skip
        mean = seen.mean(axis=0)
        known = float((mean * self._wanted)[self._is_known].mean())
        data = float(np.abs(mean[~self._is_known]).mean())
        return known + DATA_WEIGHT * data
