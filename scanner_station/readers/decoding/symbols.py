"""What the decoding engines find in a picture."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from scanner_station.domain.presentation import Place
from scanner_station.domain.reading import Symbology

Grey: TypeAlias = npt.NDArray[np.uint8]
"""A grey picture: uint8, shape (height, width), 0 black to 255 white."""

Outline: TypeAlias = tuple[tuple[float, float], ...]
"""Corners of a code in pixels (x, y); zbar gives a whole polygon, sometimes a line."""

DEFAULT_SYMBOLOGIES = frozenset({Symbology.QR, Symbology.CODE128, Symbology.CODE39})


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """One code as an engine read it; `text` is the payload as the engine understands it."""

    payload: bytes
    text: str
    symbology: Symbology
    outline: Outline

    @property
    def place(self) -> Place:
        """The upright box around the code."""
        xs = [x for x, _ in self.outline] or [0.0]
        ys = [y for _, y in self.outline] or [0.0]
        return Place(left=min(xs), top=min(ys), right=max(xs), bottom=max(ys))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A symbol and the stage that read it."""

    symbol: Symbol
    stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One stage that was tried: how long it took and how many symbols it read."""

    stage: str
    ms: float
    found: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What some stages made of one picture."""

    found: tuple[Found, ...] = ()
    steps: tuple[Step, ...] = ()
