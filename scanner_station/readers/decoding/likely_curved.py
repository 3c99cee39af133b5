"""Reads QR codes on bent cards and crumpled labels: the grid of modules bends with them.

Engines lay a flat grid between three finder patterns and one alignment pattern, and then every
module beside a fold is read at the wrong place. Here the place of a code that an engine found and
could not read is taken, and a net over it is moved, from coarse to fine, to where the fixed
patterns and the data are clearest. What the modules then say is corrected and judged as in
`likely_squares`.
"""

from functools import cache
from typing import Final

import cv2
import numpy as np

from scanner_station.domain.reading import Symbology
from scanner_station.readers.decoding import qr_symbol
from scanner_station.readers.decoding.engines import qr_corners
from scanner_station.readers.decoding.likely_squares import bits_of, said
from scanner_station.readers.decoding.qr_grid import DATA_WEIGHT, QUIET, SAMPLES, levelled
from scanner_station.readers.decoding.symbols import Grey, Symbol
from scanner_station.readers.decoding.upright import Floats

PLACES: Final = 3
MODULE_PX: Final = 8
"""Pixels of a module in the flat picture the net lies on."""
MARGIN: Final = 4
"""Modules of it around the code."""
AROUND_MODULES: Final = 7
NETS: Final = ((2, (1.6, 0.8, 0.4, 0.2)), (3, (0.8, 0.4, 0.2)), (5, (0.4, 0.2, 0.1)))
"""Knots a side, and the steps they are moved by, in modules."""
SWEEPS: Final = 2
LEAST_FIT: Final = 0.55
"""Of a flat grid: a code that an engine placed rightly fits by 0.65 and more, however crumpled."""


def read(image: Grey, symbologies: frozenset[Symbology]) -> list[Symbol]:
    """Return the QR codes that an engine can place but not read."""
    if Symbology.QR not in symbologies:
        return []
    for corners in qr_corners(image)[:PLACES]:
        version = _version(image, corners)
        if version is None:
            continue
        bits = bits_of(_seen(image, corners, version), version)
        if bits is not None and (found := said(bits, corners)):
            return found
    return []


def _version(image: Grey, corners: Floats) -> int | None:
    """Return the version whose fixed patterns lie best between these corners; None if none does."""
    flat = np.zeros((2, 2, 2), np.float32)
    fit, version = max(
        (_Net(_flat(image, corners, version), version).fit(flat), version)
        for version in range(1, qr_symbol.LARGEST_VERSION + 1)
    )
    return version if fit >= LEAST_FIT else None


def _flat(image: Grey, corners: Floats, version: int) -> Floats:
    """Return the code's square, levelled, with a margin around it."""
    n = qr_symbol.size(version)
    side = (n + 2 * MARGIN) * MODULE_PX
    low, high = MARGIN * MODULE_PX, (MARGIN + n) * MODULE_PX
    square = np.array([[low, low], [high, low], [high, high], [low, high]], np.float32)
    to_flat = cv2.getPerspectiveTransform(corners, square)
    flat = cv2.warpPerspective(
        image, to_flat, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return levelled(flat.astype(np.float32), AROUND_MODULES * MODULE_PX)


def _seen(image: Grey, corners: Floats, version: int) -> Floats:
    """Return each module, -1 dark to 1 light, after the net was bent."""
    net = _Net(_flat(image, corners, version), version)
    knots: Floats = np.zeros((2, 2, 2), np.float32)
    for count, steps in NETS:
        between = _weights(count, len(knots))
        finer = between @ knots.transpose(2, 0, 1) @ between.T
        knots = np.asarray(finer.transpose(1, 2, 0), np.float32)
        for step in steps:
            knots = net.moved(knots, step)
    return net.modules(knots)[QUIET:-QUIET, QUIET:-QUIET]


@cache
def _weights(count: int, knots: int) -> Floats:
    """Return what each of `knots` knots gives to `count` places between the first and the last."""
    at = np.linspace(0, knots - 1, count)
    return np.asarray(np.maximum(0, 1 - np.abs(at[:, None] - np.arange(knots))), np.float32)


class _Net:
    """A net over a flat picture; its knots say how far, in modules, the paper is moved there."""

    def __init__(self, level: Floats, version: int) -> None:
        self._level = level
        n = qr_symbol.size(version)
        bits = np.pad(qr_symbol.fixed(version), QUIET, constant_values=0)
        self._wanted = np.select([bits == 1, bits == 0], [-1.0, 1.0], 0.0).astype(np.float32)
        self._is_known = self._wanted != 0
        self._share = (np.arange(-QUIET, n + QUIET) + 0.5) / n
        """Where the middles of the modules lie between the code's ends."""
        self._middle = (np.arange(-QUIET, n + QUIET) + 0.5 + MARGIN) * MODULE_PX - 0.5

    def _along(self, knots: int) -> Floats:
        at = np.clip(self._share, 0, 1) * (knots - 1)
        return np.asarray(np.maximum(0, 1 - np.abs(at[:, None] - np.arange(knots))), np.float32)

    def modules(self, knots: Floats) -> Floats:
        """Return what is seen of each module, quiet zone included."""
        along = self._along(len(knots))
        moved_x, moved_y = (along @ knots[:, :, axis] @ along.T * MODULE_PX for axis in (0, 1))
        x = self._middle[None] + moved_x
        y = self._middle[:, None] + moved_y
        seen = [
            cv2.remap(
                self._level, (x + dx * MODULE_PX).astype(np.float32),
                (y + dy * MODULE_PX).astype(np.float32), cv2.INTER_LINEAR,
            )
            for dx in SAMPLES
            for dy in SAMPLES
        ]  # fmt: skip
        return np.asarray(np.mean(seen, axis=0), np.float32)

    def fit(self, knots: Floats) -> float:
        """Return how well a bent grid explains the picture: 1 in a perfect one."""
        mean = self.modules(knots)
        known = float((mean * self._wanted)[self._is_known].mean())
        return known + DATA_WEIGHT * float(np.abs(mean[~self._is_known]).mean())

    def moved(self, knots: Floats, step: float) -> Floats:
        """Return the knots moved by one step at a time for as long as that fits better."""
        best, score = knots, self.fit(knots)
        for _ in range(SWEEPS):
            before = score
            for place in np.ndindex(knots.shape):
                for sign in (step, -step):
                    tried = best.copy()
                    tried[place] += sign
                    if (value := self.fit(tried)) > score:
                        best, score = tried, value
            if score == before:
                break
        return best
