"""The stages of the cascade: what each does to the picture, and which engine it asks.

Each has a name, can be switched off, and is counted. `docs/decoding.md` holds the table of
what was tried, with its yield and its milliseconds.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp

from scanner_station.domain.errors import InputError
from scanner_station.domain.reading import Symbology
from scanner_station.readers.decoding import engines, likely_bars, likely_curved, likely_squares
from scanner_station.readers.decoding.bars import along_bars, lines_read
from scanner_station.readers.decoding.engines import Engine
from scanner_station.readers.decoding.symbols import Found, Grey, Look, Outline, Step, Symbol

Matrix = npt.NDArray[np.float64]
"""A 2 x 3 affine map."""
Change = Callable[[Grey], tuple[Grey, Matrix]]
"""Returns the changed picture and the matrix that maps its pixels back."""

_SAME: Final[Matrix] = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
GROUPS: Final = 4
LARGEST_CHANGED_PX: Final = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One way of reading a picture.

    The first word of `name` is who reads. `is_plain`: the picture is given to the engine as
    it is. `speaks_alone`: what it reads needs no second stage to agree. `group`: 0 is run on
    every frame, 1 in turn on frames that 0 did not read, 2 on cards that lie still unread, 3 on
    pictures that come once.
    """

    name: str
    engine: Engine
    change: Change | None = None
    group: int = 0
    is_plain: bool = False
    speaks_alone: bool = False

    @property
    def who(self) -> str:
        """Who reads: zxing, zbar, or likely for our own readers."""
        return self.name.split("_")[0]

    def read(self, image: Grey, symbologies: frozenset[Symbology]) -> list[Symbol]:
        """Return the codes this stage reads, their outlines in the pixels of `image`."""
        if self.is_plain:
            return self.engine(image, symbologies)
        smaller, to_image = _fitted(image)
        changed, back = (smaller, _SAME) if self.change is None else self.change(smaller)
        found = self.engine(changed, symbologies)
        return [_moved(_moved(symbol, back), to_image) for symbol in found]


def _fitted(image: Grey) -> tuple[Grey, Matrix]:
    """Return a picture of more than four million pixels made smaller, for the slow stages."""
    if image.size <= LARGEST_CHANGED_PX:
        return image, _SAME
    return scaled((LARGEST_CHANGED_PX / image.size) ** 0.5)(image)


def _moved(symbol: Symbol, back: Matrix) -> Symbol:
    outline: Outline = tuple(
        (float(x), float(y))
        for x, y in (back @ np.array([px, py, 1.0]) for px, py in symbol.outline)
    )
    return Symbol(
        payload=symbol.payload, text=symbol.text, symbology=symbol.symbology, outline=outline
    )


def blurred(sigma_px: float) -> Change:
    """Return a Gaussian blur: takes noise and fine scratches off."""
    return lambda image: (_grey(cv2.GaussianBlur(image, (0, 0), sigma_px)), _SAME)


def scaled(factor: float) -> Change:
    """Return a change of size; enlarging stops at four million pixels."""

    def change(image: Grey) -> tuple[Grey, Matrix]:
        largest = (LARGEST_CHANGED_PX / image.size) ** 0.5
        used = min(factor, max(1.0, largest)) if factor > 1 else factor
        how = cv2.INTER_CUBIC if used > 1 else cv2.INTER_AREA
        back = _SAME / used
        return _grey(cv2.resize(image, None, fx=used, fy=used, interpolation=how)), back

    return change


def twice_blurred(image: Grey) -> tuple[Grey, Matrix]:
    """Return the picture at twice its size with the noise smoothed: what small codes need."""
    larger, back = scaled(2.0)(image)
    return _grey(cv2.GaussianBlur(larger, (0, 0), 1.2)), back


def sharpened(image: Grey) -> tuple[Grey, Matrix]:
    """Return the picture at twice its size with a strong unsharp mask over a light blur."""
    smooth = _grey(cv2.GaussianBlur(image, (0, 0), 0.8))
    larger, back = scaled(2.0)(smooth)
    wide = cv2.GaussianBlur(larger, (0, 0), 4.0)
    return _grey(cv2.addWeighted(larger, 4.0, wide, -3.0, 0)), back


def turned(degrees: float) -> Change:
    """Return a turn about the middle, on a canvas that holds the corners."""

    def change(image: Grey) -> tuple[Grey, Matrix]:
        height, width = image.shape
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
        across, along = abs(turn[0, 0]), abs(turn[0, 1])
        new_width = int(height * along + width * across)
        new_height = int(height * across + width * along)
        turn[0, 2] += (new_width - width) / 2
        turn[1, 2] += (new_height - height) / 2
        around = int(np.median(image[:: max(1, height // 32), :: max(1, width // 32)]))
        picture = cv2.warpAffine(image, turn, (new_width, new_height), borderValue=around)
        return _grey(picture), np.asarray(cv2.invertAffineTransform(turn), dtype=np.float64)

    return change


def _grey(picture: object) -> Grey:
    return np.asarray(picture, dtype=np.uint8)


def opened(image: Grey) -> tuple[Grey, Matrix]:
    """Return the picture with thin bright lines taken off: scratches, the rim of a scorch."""
    smooth = cv2.GaussianBlur(image, (0, 0), 0.8)
    return _grey(cv2.morphologyEx(smooth, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))), _SAME


def edged(image: Grey) -> tuple[Grey, Matrix]:
    """Return the picture at twice its size with its edges raised: small codes out of focus."""
    larger, back = scaled(2.0)(image)
    wide = cv2.GaussianBlur(larger, (0, 0), 3.0)
    return _grey(cv2.addWeighted(larger, 2.5, wide, -1.5, 0)), back


def smaller(factor: float) -> Change:
    """Return the picture made smaller and smoothed: large modules with a pattern in them."""

    def change(image: Grey) -> tuple[Grey, Matrix]:
        small, back = scaled(factor)(image)
        return _grey(cv2.GaussianBlur(small, (0, 0), 1.0)), back

    return change


def _zbar_squares(image: Grey, symbologies: frozenset[Symbology]) -> list[Symbol]:
    return engines.zbar(image, symbologies & {Symbology.QR})


_zxing_lines: Engine = partial(lines_read, engine=engines.zxing_lines)
_zbar_lines: Engine = partial(lines_read, engine=engines.zbar)
_faint: Engine = partial(likely_bars.read, clear=likely_bars.FAINT)
_fixed_zxing: Engine = partial(engines.zxing, binarizer=zxingcpp.Binarizer.FixedThreshold)

ALL: Final[tuple[Stage, ...]] = (
    Stage(name="zxing", engine=engines.zxing, is_plain=True, speaks_alone=True),
    Stage(name="zxing_fixed", engine=_fixed_zxing, group=1),
    Stage(name="zxing_blur", engine=engines.zxing, change=blurred(1.0), group=1),
    Stage(name="zbar_blur", engine=engines.zbar, change=blurred(1.0), group=1),
    Stage(name="likely_bars", engine=likely_bars.read, speaks_alone=True, group=2),
    Stage(name="likely_squares", engine=likely_squares.read, speaks_alone=True, group=2),
    Stage(name="likely_curved", engine=likely_curved.read, speaks_alone=True, group=2),
    Stage(name="zxing_twice", engine=engines.zxing, change=scaled(2.0), group=2),
    Stage(name="zxing_twice_blur", engine=engines.zxing, change=twice_blurred, group=2),
    Stage(name="zxing_bars", engine=engines.zxing_lines, change=along_bars, group=2),
    Stage(name="zxing_lines", engine=_zxing_lines, group=2),
    Stage(name="zbar_lines", engine=_zbar_lines, group=2),
    Stage(name="zxing_sharp", engine=engines.zxing, change=edged, group=3),
    Stage(name="zxing_turn15", engine=engines.zxing, change=turned(15), group=3),
    Stage(name="zxing_turn75", engine=engines.zxing, change=turned(75), group=3),
    Stage(name="zxing_turn45", engine=engines.zxing, change=turned(45), group=2),
    Stage(name="zbar", engine=engines.zbar, is_plain=True, speaks_alone=True, group=2),
    Stage(name="zxing_turn30", engine=engines.zxing, change=turned(30), group=2),
    Stage(name="zbar_open", engine=engines.zbar, change=opened, group=2),
    Stage(name="zxing_turn60", engine=engines.zxing, change=turned(60), group=2),
    Stage(name="zbar_turn45", engine=engines.zbar, change=turned(45), group=2),
    Stage(name="zbar_sharp", engine=engines.zbar, change=sharpened, group=3),
    Stage(name="zbar_half", engine=_zbar_squares, change=smaller(0.5), group=3),
    Stage(name="zbar_quarter", engine=_zbar_squares, change=smaller(0.25), group=3),
    Stage(name="likely_faint", engine=_faint, group=2),
)
BY_NAME: Final = {stage.name: stage for stage in ALL}
PLAIN: Final = frozenset(stage.name for stage in ALL if stage.is_plain)
SPEAK_ALONE: Final = frozenset(stage.name for stage in ALL if stage.speaks_alone)


def groups(off: frozenset[str] = frozenset()) -> tuple[tuple[str, ...], ...]:
    """Return the names of the stages of each group, those that are `off` left out.

    Raises `InputError` for the name of no stage.
    """
    known = [stage.name for stage in ALL]
    for name in sorted(off - set(known)):
        raise InputError(
            "%(name)s is no stage of decoding; the stages are %(known)s",
            name=name,
            known=", ".join(known),
        )
    return tuple(
        tuple(stage.name for stage in ALL if stage.group == group and stage.name not in off)
        for group in range(GROUPS)
    )


@dataclass(slots=True)
class StageCount:
    """What one stage did since the start."""

    tried: int = 0
    read: int = 0
    accepted: int = 0
    ms: float = 0.0


class StageCounts:
    """Counters by stage, for the metrics; cameras and pages of one station share them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        """Guards all that follows while it is added to."""
        self.by_stage: dict[str, StageCount] = {name: StageCount() for name in BY_NAME}
        self.crashes = 0
        """How often a decoder's process had to be started again."""
        self.frames = 0
        """Frames looked at, decoded or not."""

    def add(self, steps: Iterable[Step]) -> None:
        """Count the stages that were tried."""
        with self._lock:
            for step in steps:
                count = self.by_stage.setdefault(step.stage, StageCount())
                count.tried += 1
                count.read += bool(step.found)
                count.ms += step.ms

    def accept(self, stage: str) -> None:
        """Count a code that this stage read first and that was accepted."""
        with self._lock:
            self.by_stage.setdefault(stage, StageCount()).accepted += 1

    def add_frame(self) -> None:
        """Count a frame that was looked at."""
        with self._lock:
            self.frames += 1

    def add_crashes(self, count: int) -> None:
        """Count processes that died or were ended."""
        with self._lock:
            self.crashes += count

    def as_dict(self) -> dict[str, dict[str, float]]:
        """Return tried, read, accepted and ms for each stage."""
        return {
            name: {"tried": c.tried, "read": c.read, "accepted": c.accepted, "ms": c.ms}
            for name, c in self.by_stage.items()
        }


def look(image: Grey, symbologies: frozenset[Symbology], names: Iterable[str]) -> Look:
    """Run the named stages on a picture, all of them, in this process.

    Raises:
        MemoryError: a stage needs more than there is.
    """
    found: list[Found] = []
    steps: list[Step] = []
    for name in names:
        started_s = time.thread_time()  # what a busy machine takes away is not the stage's
        try:
            symbols = BY_NAME[name].read(image, symbologies)
        except (cv2.error, ValueError, RuntimeError) as error:
            if getattr(error, "code", None) == cv2.Error.StsNoMem:
                raise MemoryError from error
            symbols = []  # a picture too small or too odd for this stage reads as nothing
        ms = (time.thread_time() - started_s) * 1e3
        found += [Found(symbol=symbol, stage=name) for symbol in symbols]
        steps.append(Step(stage=name, ms=ms, found=len(symbols)))
    return Look(found=tuple(found), steps=tuple(steps))
