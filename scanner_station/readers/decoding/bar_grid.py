"""Finds where the characters of a Code 128 lie in its lines: ends, number, and perspective.

Each character begins with a bar and ends with a space, so every 11 modules an edge goes from
light to dark. A grid is tried for pairs of outer edges, every number of characters and every
slant of the card; the best are refined to fractions of a pixel.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from scanner_station.readers.decoding.code128 import MODULES, STOP_MODULES
from scanner_station.readers.decoding.upright import Floats

FEWEST_CHARACTERS: Final = 7
"""Start and check included; what glare leaves of a longer code looks like a code of two letters."""
MOST_CHARACTERS: Final = 28
NARROWEST_PX: Final = 1.6
WIDEST_PX: Final = 14.0
OUTER_EDGES: Final = 12
"""Edges at either end that may be the first and the last of the code."""
SLANTS: Final[Floats] = np.arange(-0.40, 0.401, 0.012).astype(np.float32)
BY_CHARACTER: Final = 0.012
"""A longer grid that fits as well is the likelier one."""
QUIET_WEIGHT: Final = 0.8
REFINED: Final = 32
KEPT: Final = 10
EDGE: Final = 0.8
"""A gradient of this many times the usual one nearby is an edge."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the modules lie: ends in pixels, and how perspective moves those between.

    `slant` is 0 when all modules are equally wide. When `is_reversed`, pixels count from the
    right, for the code stands on its head.
    """

    is_reversed: bool
    left: float
    right: float
    characters: int
    slant: float
    width_px: int

    @property
    def modules(self) -> int:
        """Modules from the first bar to the end of the stop character."""
        return MODULES * self.characters + STOP_MODULES

    def x_of(self, modules: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """Return the pixel at each number of modules from the first bar."""
        share = modules / self.modules
        return np.asarray(self.left + (self.right - self.left) * _bent(share, self.slant))

    def ends(self) -> tuple[float, float]:
        """Return the pixels of both ends, counted from the left."""
        if self.is_reversed:
            return self.width_px - 1 - self.right, self.width_px - 1 - self.left
        return self.left, self.right


def _bent(
    share: npt.NDArray[np.floating], slant: float | npt.NDArray[np.floating]
) -> npt.NDArray[np.floating]:
    """Return the place between 0 and 1 where perspective shows what lies at `share`."""
    return np.asarray(share * (1 + slant) / (1 + slant * share))


@dataclass(frozen=True, slots=True)
class _Edges:
    """Edges of one direction of reading: `fall` from light to dark is positive."""

    fall: Floats
    activity: Floats
    """Running sum of gradients, in multiples of the usual one in the code."""
    first: int
    last: int

    def quiet(self, left: Floats, right: Floats, module: Floats) -> Floats:
        """Return how restless the two quiet zones are: 0 not at all, 2 as the code itself."""
        return self._restless(left - 6 * module, left - 1.5 * module) + self._restless(
            right + 1.5 * module, right + 6 * module
        )

    def _restless(self, first: Floats, last: Floats) -> Floats:
        end = len(self.activity) - 1
        a = np.clip(first, 0, end - 1).astype(np.int32)
        b = np.maximum(np.clip(last, 0, end).astype(np.int32), a + 1)
        return np.asarray(np.minimum(1, (self.activity[b] - self.activity[a]) / (b - a)))


def grids(lines: Floats) -> list[Grid]:
    """Return the grids that fit the edges of the lines best, the best first."""
    forward = _edges(lines)
    if forward is None:
        return []
    width = lines.shape[1]
    scored: list[tuple[float, Grid]] = []
    for is_reversed in (False, True):
        edges = _turned(forward) if is_reversed else forward
        found = sorted(_coarse(edges), key=lambda one: -one[0])[:REFINED]
        scored += [_refined(edges, one, is_reversed, width) for one in found]
    kept: dict[tuple[bool, int, int, int], Grid] = {}
    for _, grid in sorted(scored, key=lambda one: -one[0]):
        key = (grid.is_reversed, round(grid.left / 4), round(grid.right / 4), grid.characters)
        kept.setdefault(key, grid)
    return list(kept.values())[:KEPT]


def _edges(lines: Floats) -> _Edges | None:
    smooth = cv2.GaussianBlur(lines, (0, 0), sigmaX=1.2, sigmaY=0.01)
    steps = np.diff(smooth, axis=1)
    middle = np.median(steps, axis=0)
    strong = float(np.percentile(np.abs(middle), 95)) + 1
    # An edge that half of the lines show counts, also where the other half shows a finger.
    step = np.clip(steps, -strong, strong).mean(axis=0).astype(np.float32)
    size = np.abs(step)[None]
    fall = (-step / (cv2.blur(size, (161, 1))[0] + 0.02 * strong)).astype(np.float32)
    nearby = cv2.blur(size, (81, 1))[0]
    centre = len(step) // 2
    on = (nearby > 0.25 * nearby[centre - 150 : centre + 150].max()).astype(np.uint8)
    on = cv2.morphologyEx(on[None], cv2.MORPH_CLOSE, np.ones((1, 61), np.uint8))[0]
    off_left, off_right = np.flatnonzero(on[:centre] == 0), np.flatnonzero(on[centre:] == 0)
    first = int(off_left[-1]) if off_left.size else 0
    last = centre + int(off_right[0]) if off_right.size else len(step) - 1
    if last - first < MODULES * FEWEST_CHARACTERS * NARROWEST_PX:
        return None
    running = np.concatenate([[0], np.cumsum(size[0])]).astype(np.float32)
    usual = (running[last] - running[first]) / (last - first)
    return _Edges(fall, running / max(float(usual), 1e-6), first, last)


def _turned(edges: _Edges) -> _Edges:
    end = len(edges.fall) - 1
    return _Edges(
        -edges.fall[::-1], edges.activity[-1] - edges.activity[::-1],
        end - edges.last, end - edges.first,
    )  # fmt: skip


def _peaks(values: Floats, first: int, last: int) -> npt.NDArray[np.int64]:
    first, last = max(1, first), min(len(values) - 2, last)
    part = values[first:last]
    is_peak = (part > EDGE) & (part >= values[first - 1 : last - 1]) & (
        part > values[first + 1 : last + 1])  # fmt: skip
    return np.flatnonzero(is_peak) + first


_Coarse = tuple[float, float, float, int, float]
"""Score, left, right, characters, slant."""


def _coarse(edges: _Edges) -> Iterator[_Coarse]:
    """Yield the best grids for each number of characters."""
    third = (edges.last - edges.first) // 3
    lefts = _peaks(edges.fall, edges.first - 30, edges.first + third)[:OUTER_EDGES]
    rights = _peaks(-edges.fall, edges.last - third, edges.last + 30)[-OUTER_EDGES:]
    if not lefts.size or not rights.size:
        return
    left, right = (v.ravel().astype(np.float32) for v in np.meshgrid(lefts, rights))
    limited = np.clip(edges.fall, -1.5, 2.0)
    reach = cv2.dilate(limited[None], np.ones((1, 3), np.uint8))[0]
    for characters in range(FEWEST_CHARACTERS, MOST_CHARACTERS):
        module = (right - left) / (MODULES * characters + STOP_MODULES)
        some = (module >= NARROWEST_PX) & (module <= WIDEST_PX)
        if not some.any():
            continue
        a, b, m = left[some], right[some], module[some].astype(np.float32)
        share = np.arange(characters + 1, dtype=np.float32) * MODULES
        bent = _bent(share[None] / (MODULES * characters + STOP_MODULES), SLANTS[:, None])
        x = a[:, None, None] + (b - a)[:, None, None] * bent[None].astype(np.float32)
        score = reach[(x + 0.5).astype(np.int32)].mean(axis=-1)
        score = score - (QUIET_WEIGHT * edges.quiet(a, b, m))[:, None]
        flat = score.ravel()
        for best in np.argsort(flat)[-4:]:
            pair, slant = divmod(int(best), len(SLANTS))
            yield (
                float(flat[best]) + BY_CHARACTER * characters,
                float(a[pair]), float(b[pair]), characters, float(SLANTS[slant]),
            )  # fmt: skip


def _refined(edges: _Edges, coarse: _Coarse, is_reversed: bool, width: int) -> tuple[float, Grid]:
    """Move ends and slant in ever smaller steps to where the edges are sharpest."""
    _, left, right, characters, slant = coarse
    modules = MODULES * characters + STOP_MODULES
    share = np.arange(characters + 1) * MODULES / modules
    x_all = np.arange(len(edges.fall))
    falls, rises = np.clip(edges.fall, -1.5, 2.0), np.clip(-edges.fall, -1.5, 2.0)
    step, bend, score = 1.0, 0.006, 0.0
    for _ in range(4):
        a, b, s = (
            v.ravel()[:, None]
            for v in np.meshgrid(
                left + np.array([-step, 0, step]),
                right + np.array([-step, 0, step]),
                slant + np.array([-bend, 0, bend]),
                indexing="ij",
            )
        )
        at = a + (b - a) * _bent(share[None], s)
        fit = np.interp(at, x_all, falls).mean(axis=1)
        fit = fit + np.interp(b[:, 0], x_all, rises) / (characters + 1)
        best = int(fit.argmax())
        left, right, slant = float(a[best, 0]), float(b[best, 0]), float(s[best, 0])
        score, step, bend = float(fit[best]), 0.6 * step, 0.6 * bend
    one = np.array([left, right, (right - left) / modules], np.float32)
    restless = float(edges.quiet(one[:1], one[1:2], one[2:])[0])
    score += BY_CHARACTER * characters - QUIET_WEIGHT * restless
    return score, Grid(is_reversed, left + 0.5, right + 0.5, characters, slant, width)
