"""Reads Code 128 by likelihood, from all lines of the bars at once.

Engines look for one line that can be read from end to end. Here every character is judged on
its own: which of the 106 patterns, as blurred as the picture is, explains best what all lines
show at its place. A line that differs much there (a scratch) counts no more than one that
differs clearly, and where nothing can be seen (glare, soot, a finger) nothing counts. So each
character may be read on other lines than its neighbour.

It is believed only when the check character fits *and* every character is clearly likelier
than any other: among wrong sequences one in 103 has a valid check character.
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from scanner_station.domain.reading import Symbology
from scanner_station.readers.decoding import code128
from scanner_station.readers.decoding.bar_grid import Grid, grids
from scanner_station.readers.decoding.code128 import FIRST_START, MODULES, PATTERNS, STOP, VALUES
from scanner_station.readers.decoding.engines import zxing
from scanner_station.readers.decoding.symbols import Grey, Outline, Symbol
from scanner_station.readers.decoding.upright import Floats, Lines, spots, upright

SAMPLES: Final = 4
"""Samples of one module."""
CHARACTER: Final = MODULES * SAMPLES
QUIET: Final = 5
"""Modules of quiet zone that are looked at."""
BESIDE: Final = 8
"""Modules sampled beside the code."""
BLURS: Final = (0.35, 0.6, 0.85, 1.1)
"""Standard deviations of the blur, in modules."""
FAR: Final = 0.3
"""A squared difference, of 1 between bar and space, counts no more than this."""
CLEAR: Final = 0.2
"""How much likelier than any other a character must be: 1 in a perfect picture, 0 by chance."""
FAINT: Final = 0.1
"""Enough for a candidate that something else must confirm."""
ENDS_FIT: Final = 0.045
"""Start, stop and quiet zones may differ this much from what they should be."""
ENDS_BESIDE: Final = 0.015
TRIED_GRIDS: Final = 3
SPOTS: Final = 2
ROUNDS: Final = 2


@dataclass(frozen=True, slots=True)
class Likely:
    """The likeliest characters; `clearness` is that of the least clear one."""

    values: tuple[int, ...]
    clearness: float
    left: float
    right: float

    def is_clearer_than(self, clear: float) -> bool:
        """Whether the check character fits and every character is clear enough."""
        return self.clearness >= clear and code128.is_checked(self.values)


@dataclass(frozen=True, slots=True)
class _Seen:
    """Lines as sampled along a grid: 0 is a bar, 1 a space; `weight` 0 where nothing is seen."""

    grid: Grid
    level: Floats
    weight: Floats
    blur: float = BLURS[0]
    misfit: float = 1.0


def likeliest(lines: Lines) -> Likely | None:
    """Return the characters of the code that the lines show; None when there is none."""
    tried = sorted((_with_ends(_sampled(lines.grey, grid)) for grid in grids(lines.grey)),
                   key=lambda seen: seen.misfit - 0.0015 * seen.grid.characters)  # fmt: skip
    best: Likely | None = None
    for seen in tried[:TRIED_GRIDS]:
        if seen.misfit > min(ENDS_FIT, tried[0].misfit + ENDS_BESIDE):
            continue
        likely = _solved(seen)
        if likely.is_clearer_than(CLEAR):
            return likely
        best = best or likely
    return best


def _sampled(lines: Floats, grid: Grid) -> _Seen:
    modules = grid.modules + 2 * BESIDE
    at = (np.arange(modules * SAMPLES) + 0.5) / SAMPLES - BESIDE
    x = np.broadcast_to(grid.x_of(at).astype(np.float32), (len(lines), at.size))
    y = np.repeat(np.arange(len(lines), dtype=np.float32)[:, None], at.size, axis=1)
    turned = lines[:, ::-1] if grid.is_reversed else lines
    grey = cv2.remap(
        np.ascontiguousarray(turned), np.ascontiguousarray(x), y, cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    # Black and white are what lies around: within a character and a half there are both.
    around = np.ones((1, 16 * SAMPLES), np.uint8)
    smooth = cv2.GaussianBlur(grey, (0, 0), sigmaX=1.0, sigmaY=0.01)
    white, black = (
        cv2.GaussianBlur(change(smooth, around), (0, 0), sigmaX=4 * SAMPLES, sigmaY=0.7)
        for change in (cv2.dilate, cv2.erode)
    )
    contrast = white - black
    usual = float(np.percentile(contrast, 75))
    weight = np.clip((contrast - 0.15 * usual) / (0.35 * usual + 1e-6), 0, 1)
    return _Seen(grid, (grey - black) / np.maximum(contrast, 1), weight.astype(np.float32))


def _with_ends(seen: _Seen) -> _Seen:
    """Return it with the blur that explains start, stop and quiet zones best."""
    first = (BESIDE - QUIET) * SAMPLES
    last = (BESIDE + MODULES * seen.grid.characters) * SAMPLES
    start = slice(first, (BESIDE + MODULES) * SAMPLES)
    stop = slice(last, last + (code128.STOP_MODULES + QUIET) * SAMPLES)
    weight = float(seen.weight[:, start].sum() + seen.weight[:, stop].sum()) + 1e-6
    fits = []
    for blur in BLURS:
        starts, stops = _ends(blur)
        cost = _costs(seen, start, starts).min() + _costs(seen, stop, stops)[0]
        fits.append((float(cost) / weight, blur))
    misfit, blur = min(fits)
    return _Seen(seen.grid, seen.level, seen.weight, blur, misfit)


def _costs(seen: _Seen, where: slice, templates: Floats) -> Floats:
    """Return how badly each template explains what is seen there; shape (templates,)."""
    apart = (seen.level[None, :, where] - templates[:, None]) ** 2
    return np.asarray(np.einsum("tln,ln->t", np.minimum(apart, FAR), seen.weight[:, where]))


def _solved(seen: _Seen) -> Likely:
    """Judge each character, then again with its neighbours known, for blur runs over edges."""
    count = seen.grid.characters
    places = [
        slice((BESIDE + MODULES * i) * SAMPLES, (BESIDE + MODULES * (i + 1)) * SAMPLES)
        for i in range(count)
    ]
    alone = _blurred(PATTERNS, np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]), seen.blur)
    costs = np.stack([_costs(seen, place, alone) for place in places])
    values = _cheapest(costs)
    for _ in range(ROUNDS):
        costs = np.stack([
            _costs(seen, place, _beside(values, i, seen.blur)) for i, place in enumerate(places)
        ])  # fmt: skip
        before, values = values, _cheapest(costs)
        if values == before:
            break
    clear = [_clearness(costs[i], value, alone, len(seen.level)) for i, value in enumerate(values)]
    left, right = seen.grid.ends()
    return Likely(tuple(values), min(*clear, _stop_clearness(seen, values)), left, right)


def _cheapest(costs: Floats) -> list[int]:
    start = FIRST_START + int(costs[0, FIRST_START:].argmin())
    return [start, *(int(one[:FIRST_START].argmin()) for one in costs[1:])]


def _clearness(costs: Floats, value: int, templates: Floats, lines: int) -> float:
    """Return how much worse the next best pattern is, as a share of how much it could be.

    A start must differ from data, too: where a code only seems to begin, data stands.
    """
    some = slice(0, VALUES) if value >= FIRST_START else slice(0, FIRST_START)
    apart = np.minimum((templates[some] - templates[value]) ** 2, FAR).sum(axis=1) * lines
    worse = costs[some] - costs[value]
    others = np.arange(some.start, some.stop) != value
    return float((worse[others] / np.maximum(apart[others], 1e-6)).min())


def _stop_clearness(seen: _Seen, values: list[int]) -> float:
    """Return how much likelier than any character the stop is: where a code only seems to end."""
    place = (BESIDE + MODULES * len(values)) * SAMPLES
    some = np.concatenate([PATTERNS, STOP[None, :MODULES]])
    after = np.concatenate([STOP[MODULES:], np.ones(4)])
    templates = _blurred(some, PATTERNS[values[-1]][-6:], after, seen.blur)
    costs = _costs(seen, slice(place, place + CHARACTER), templates)
    apart = np.minimum((templates[:-1] - templates[-1]) ** 2, FAR).sum(axis=1) * len(seen.level)
    return float(((costs[:-1] - costs[-1]) / np.maximum(apart, 1e-6)).min())


def _beside(values: list[int], index: int, blur: float) -> Floats:
    """Return all patterns as they look between the neighbours that were found."""
    before = PATTERNS[values[index - 1]][-6:] if index else np.ones(6)
    after = PATTERNS[values[index + 1]][:6] if index + 1 < len(values) else STOP[:6]
    return _blurred(PATTERNS, before, after, blur)


@cache
def _ends(blur: float) -> tuple[Floats, Floats]:
    """Return the three starts and the stop, each with its quiet zone."""
    quiet, bars = np.ones(QUIET), np.array([0, 0, 1, 1])
    starts = np.concatenate([np.ones((3, QUIET)), PATTERNS[FIRST_START:]], axis=1)
    stop = np.concatenate([STOP, quiet])[None]
    return (
        _blurred(starts, np.ones(4), bars, blur),
        _blurred(stop, bars, np.ones(4), blur),
    )


def _blurred(
    patterns: npt.NDArray[np.floating], before: npt.NDArray[np.floating],
    after: npt.NDArray[np.floating], blur: float,
) -> Floats:  # fmt: skip
    """Return patterns sampled and blurred as a camera sees them between two neighbours."""
    count = len(patterns)
    whole = np.concatenate(
        [np.tile(before, (count, 1)), patterns, np.tile(after, (count, 1))], axis=1
    )
    fine = np.repeat(whole, SAMPLES, axis=1).astype(np.float32) @ _kernel(
        whole.shape[1] * SAMPLES, blur
    )
    return np.asarray(fine[:, len(before) * SAMPLES : -len(after) * SAMPLES], dtype=np.float32)


@cache
def _kernel(size: int, blur: float) -> Floats:
    apart = np.arange(size)[:, None] - np.arange(size)[None]
    weights = np.exp(-0.5 * (apart / (blur * SAMPLES)) ** 2)
    return np.asarray(weights / weights.sum(axis=0, keepdims=True), dtype=np.float32)


def read(image: Grey, symbologies: frozenset[Symbology], *, clear: float = CLEAR) -> list[Symbol]:
    """Return the Code 128 that the likeliest place of a picture shows.

    What its characters mean is what zxing-cpp reads in the code drawn anew.
    """
    if Symbology.CODE128 not in symbologies:
        return []
    for spot in spots(image, SPOTS):
        lines = upright(image, spot)
        likely = None if lines is None else likeliest(lines)
        if lines is None or likely is None or not likely.is_clearer_than(clear):
            continue
        outline = _outline(lines, likely)
        return [
            replace(symbol, outline=outline)
            for symbol in zxing(
                code128.picture(likely.values), frozenset({Symbology.CODE128}), is_upright=True
            )
        ]
    return []


def _outline(lines: Lines, likely: Likely) -> Outline:
    ends = [lines.back @ np.array([x, 0.0, 1.0]) for x in (likely.left, likely.right)]
    return tuple((float(x), float(y)) for x, y in ends)
