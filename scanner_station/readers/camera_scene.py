"""What a frame as a whole says, for a third of a millisecond: still, empty, dark, blurred.

Works on a thumbnail of one pixel in eight each way. The empty table is learned: it is what
the camera saw before the first card, or what comes back between different cards, and it is
followed as the light changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from scanner_station.domain.presentation import Place
from scanner_station.readers.camera_source import Image

Thumbnail = npt.NDArray[np.float32]

STEP_PX: Final = 8
CHANGED_SHARE: Final = 0.01
"""Two pictures are the same scene when fewer pixels differ; a small card covers 5 %."""
STILL_SHARE: Final = 0.01
DIFFERENT_LEVELS: Final = 10.0
EDGE_LEVELS: Final = 14.0
EDGE_SHARE: Final = 0.002
"""A picture with fewer edges than this is a bare surface."""
LEARN_AFTER_S: Final = 1.0
REMEMBERED_SCENES: Final = 6
FOLLOW: Final = 0.05
SAME_PATCH: Final = 0.8
OTHER_PATCH: Final = 0.4
DARK_LEVEL: Final = 40.0
LIT_LEVEL: Final = 80.0
"""From here on a picture is bright enough for the usual edges."""
GLARE_LEVEL: Final = 252
GLARE_SHARE: Final = 0.01
SHARP_LEVELS: Final = 60.0
SMALL_CARD_SHARE: Final = 0.05
CUT_SHARE: Final = 0.08
"""Of the picture's rim; the hand that holds a card covers less of it."""


class Hint(StrEnum):
    """What keeps a card from being read; the values are sentences for the officer."""

    CLOSER = "Hold the card closer to the camera"
    DARK = "It is too dark to read the card"
    GLARE = "Glare: tilt the card a little"
    BLURRED = "Blurred: hold the card still"
    CUT = "The card is cut off at the edge of the picture"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """`is_still`: like the frame before. `is_empty`: the table without a card."""

    is_still: bool
    is_empty: bool
    still_for_s: float


class SceneWatch:
    """Follows the scene of one camera; owned by the camera's thread."""

    def __init__(self) -> None:
        self._before: Thumbnail | None = None
        self._still_since_s = 0.0
        self._empty: Thumbnail | None = None
        self._codes_seen = 0
        self._remembered: list[tuple[int, Thumbnail]] = []
        """Calm scenes without a code, and how often one had been read by then."""
        self._is_learned_here = False
        self._thumbnail: Thumbnail | None = None
        self._patches: dict[bytes, tuple[Place, Thumbnail]] = {}
        self._seemed_empty = False
        self._unclear: set[bytes] = set()
        """Cards that were read where the table seemed empty: in the dark, or very small."""

    def look(self, image: Image, at_s: float) -> View:
        """Take the next frame in."""
        now = thumbnail(image)
        is_still = self._before is not None and is_same(now, self._before, STILL_SHARE)
        if not is_still:
            self._still_since_s, self._is_learned_here = at_s, False
        self._before = self._thumbnail = now
        still_for_s = at_s - self._still_since_s
        matches = self._empty is not None and is_same(now, self._empty, CHANGED_SHARE)
        if matches and self._empty is not None and is_still:
            self._empty += FOLLOW * (now - self._empty)
        is_empty = matches or (is_still and is_bare(now))
        if is_still and not matches and still_for_s >= LEARN_AFTER_S:
            self._learn(now)
        self._seemed_empty = is_empty
        return View(is_still=is_still, is_empty=is_empty, still_for_s=still_for_s)

    def code_seen(self, card: bytes, place: Place) -> None:
        """Say that a card was read in the frame last looked at: the table is not empty."""
        now = self._thumbnail
        if now is None:
            return
        self._codes_seen += 1
        self._is_learned_here = True
        if self._empty is not None and is_same(now, self._empty, CHANGED_SHARE):
            self._empty = None  # what was learned as the empty table holds a card
        self._patches[card] = (place, _cut(now, place))
        if self._seemed_empty:
            self._unclear.add(card)

    def forget(self, cards: set[bytes]) -> None:
        """Drop what is remembered of cards other than these."""
        self._patches = {card: kept for card, kept in self._patches.items() if card in cards}
        self._unclear &= cards

    def may_hide(self, looks: Mapping[bytes, bool]) -> bool:
        """Whether a table that seems empty may hold a card that was read on such a table.

        `looks`: whether the place of a card looks as when it was read, where that is known.
        """
        return any(looks.get(card) is not False for card in self._unclear)

    def looks_the_same(self, card: bytes, *, is_still: bool) -> bool | None:
        """Whether the place of a card looks as when it was read; None when unknown."""
        kept = self._patches.get(card)
        if kept is None or self._thumbnail is None:
            return None
        place, before = kept
        likeness = _likeness(before, _cut(self._thumbnail, place))
        if likeness >= SAME_PATCH:
            return True
        return False if likeness < OTHER_PATCH and is_still else None

    def hint(self, image: Image) -> Hint | None:
        """Return what is most likely wrong with the picture of a card that is not read."""
        now = self._thumbnail
        if now is None:
            return None
        if float(now.mean()) < DARK_LEVEL:
            return Hint.DARK
        if float((image[::STEP_PX, ::STEP_PX] >= GLARE_LEVEL).mean()) > GLARE_SHARE:
            return Hint.GLARE
        if self._empty is not None and self._empty.shape == now.shape:
            different = _difference(now, self._empty)
            where = self._box_of(different)
            if where is not None:
                return where
        return Hint.BLURRED if _sharpness(image) < SHARP_LEVELS else None

    def _box_of(self, different: npt.NDArray[np.bool_]) -> Hint | None:
        solid = cv2.morphologyEx(different.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3)))
        share = float(np.asarray(solid).mean())
        if 0 < share < SMALL_CARD_SHARE:
            return Hint.CLOSER
        rim = np.concatenate([solid[0], solid[-1], solid[:, 0], solid[:, -1]])
        return Hint.CUT if share and float(rim.mean()) > CUT_SHARE else None

    def _learn(self, now: Thumbnail) -> None:
        """Consider a calm scene without a readable code as the empty table.

        It is, when nothing was read before it, or when it is there again after a card that
        was read: cards differ, the table comes back.
        """
        if self._is_learned_here:
            return
        self._is_learned_here = True
        is_back = any(
            codes < self._codes_seen and is_same(now, scene, CHANGED_SHARE)
            for codes, scene in self._remembered
        )
        is_first = self._empty is None and not self._codes_seen
        if is_bare(now) or is_back or is_first:
            self._empty = now.copy()
        kept = self._remembered[-REMEMBERED_SCENES + 1 :]
        self._remembered = [*kept, (self._codes_seen, now)]


def thumbnail(image: Image) -> Thumbnail:
    """Return the picture at an eighth of its size, grey, slightly smoothed."""
    small = np.ascontiguousarray(image[STEP_PX // 2 :: STEP_PX, STEP_PX // 2 :: STEP_PX])
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY) if small.ndim == 3 else small
    return np.asarray(cv2.blur(grey, (3, 3)), dtype=np.float32)


def _difference(one: Thumbnail, other: Thumbnail) -> npt.NDArray[np.bool_]:
    level, before = float(np.median(one[::4, ::4])), float(np.median(other[::4, ::4]))
    if level < min(DARK_LEVEL, before):
        other = other * (level / before)  # in the dark all differences are smaller, too
    apart = one - other
    # The light as a whole may change; a sample of the pixels is enough to see it.
    apart -= np.median(apart[::4, ::4])
    noise = float(np.median(np.abs(apart[::4, ::4])))
    return np.asarray(np.abs(apart) > max(DIFFERENT_LEVELS, 5 * noise))


def is_same(one: Thumbnail, other: Thumbnail, share: float) -> bool:
    """Whether two thumbnails show the same scene, whatever the light."""
    return one.shape == other.shape and float(_difference(one, other).mean()) < share


def is_bare(scene: Thumbnail) -> bool:
    """Whether a scene is a surface without anything on it."""
    across = np.abs(np.diff(scene, axis=1))
    # In the dark a card's edges are weaker, and what remains must still stand out of the noise.
    weakest = max(EDGE_LEVELS * float(scene.mean()) / LIT_LEVEL, 5 * float(np.median(across)))
    return float((across > min(EDGE_LEVELS, weakest)).mean()) < EDGE_SHARE


def _cut(scene: Thumbnail, place: Place) -> Thumbnail:
    left, top = max(0, int(place.left / STEP_PX) - 2), max(0, int(place.top / STEP_PX) - 2)
    right, bottom = int(place.right / STEP_PX) + 3, int(place.bottom / STEP_PX) + 3
    return scene[top:bottom, left:right].copy()


def _likeness(one: Thumbnail, other: Thumbnail) -> float:
    """Return the correlation of two patches, -1 to 1; 0 when one is flat or sizes differ."""
    if one.shape != other.shape or not one.size:
        return 0.0
    a, b = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale > 0 else 0.0


def _sharpness(image: Image) -> float:
    """Return the variance of the Laplacian of the sharpest of nine parts, in squared levels."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if image.ndim == 3 else image
    edges = cv2.Laplacian(grey, cv2.CV_32F)
    parts = [part for row in np.array_split(edges, 3) for part in np.array_split(row, 3, axis=1)]
    return max(float(part.var()) for part in parts)
