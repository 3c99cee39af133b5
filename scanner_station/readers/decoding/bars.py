"""Reads along the bars: finds the bar code's direction, turns it upright, and squeezes it.

A bar code says the same thing on each of its lines, so the median over many lines takes off
what only some of them have: scratches, noise, the edge of a scorch. The direction is found
where gradients agree best (the structure tensor's coherence), at any angle.
"""

from dataclasses import replace
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from scanner_station.domain.reading import Symbology
from scanner_station.readers.decoding import engines
from scanner_station.readers.decoding.engines import Engine
from scanner_station.readers.decoding.symbols import Grey, Symbol
from scanner_station.readers.decoding.upright import spots, upright

Floats = npt.NDArray[np.float32]

ENLARGED: Final = 2.0
SMALLEST_SIDE_PX: Final = 64
STRIP_WIDTH_PX: Final = 2200
STRIP_HEIGHT_PX: Final = 256
LINES: Final = (16, 64)
"""Heights of the bands that become one line each, in enlarged pixels."""
LINE_LEVEL: Final = 35
"""The percentile of a band that counts: below the middle, for most scratches are white."""
SHARPENINGS: Final = (0.0, 2.5)
REPEATED: Final = 8
SPOTS: Final = 4


def along_bars(image: Grey) -> tuple[Grey, npt.NDArray[np.float64]]:
    """Return bands of the most bar-like place, one line each, and the map back.

    Raises:
        ValueError: the picture is too small to hold a bar code.
    """
    if min(image.shape) < SMALLEST_SIDE_PX:
        raise ValueError("too small")
    degrees, x, y = direction(image)
    turn = cv2.getRotationMatrix2D((x, y), degrees, ENLARGED)
    turn[0, 2] += STRIP_WIDTH_PX / 2 - x
    turn[1, 2] += STRIP_HEIGHT_PX / 2 - y
    strip = cv2.warpAffine(
        image,
        turn,
        (STRIP_WIDTH_PX, STRIP_HEIGHT_PX),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    bands = np.concatenate([_lines(np.asarray(strip), height) for height in LINES])
    lines = _sharpened(bands)
    inverse = np.asarray(cv2.invertAffineTransform(turn), dtype=np.float64)
    # Every line lies, as far as it matters, in the middle of the strip.
    middle = inverse @ np.array([0.0, STRIP_HEIGHT_PX / 2, 1.0])
    back = np.array([[inverse[0, 0], 0.0, middle[0]], [inverse[1, 0], 0.0, middle[1]]])
    return np.repeat(lines, REPEATED, axis=0), back


def _sharpened(bands: Floats) -> Grey:
    """Return the lines as they are, and again with their edges raised."""
    blurred = cv2.GaussianBlur(bands, (0, 0), sigmaX=4, sigmaY=0.01)
    sharpened = [bands + amount * (bands - blurred) for amount in SHARPENINGS]
    return np.asarray(np.clip(np.concatenate(sharpened), 0, 255), dtype=np.uint8)


def _lines(strip: Grey, height: int) -> Floats:
    """Return one line for each band, shape (bands, width)."""
    bands = strip.reshape(STRIP_HEIGHT_PX // height, height, STRIP_WIDTH_PX)
    ordered = np.partition(bands, height * LINE_LEVEL // 100, axis=1)
    return ordered[:, height * LINE_LEVEL // 100].astype(np.float32)


def direction(image: Grey) -> tuple[float, float, float]:
    """Return the angle across the bars in degrees and the middle (x, y) of the likeliest code.

    Source: Bigün and Granlund, ICCV 1987 (orientation by the structure tensor).
    """
    half = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    smooth = cv2.GaussianBlur(half, (0, 0), 0.8)
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    xx, yy, xy = (_around(p) for p in (across * across, down * down, across * down))
    agreement = np.sqrt((xx - yy) ** 2 + 4 * xy * xy)
    likely = cv2.boxFilter(agreement * (agreement / (xx + yy + 1)) ** 4, -1, (41, 41))
    row, column = np.unravel_index(int(np.argmax(likely)), likely.shape)
    angle = 0.5 * np.degrees(np.arctan2(2 * xy[row, column], xx[row, column] - yy[row, column]))
    return float(angle), 2.0 * float(column), 2.0 * float(row)


def _around(product: object) -> Floats:
    return np.asarray(cv2.boxFilter(np.asarray(product), -1, (21, 21)), dtype=np.float32)


def lines_read(image: Grey, symbologies: frozenset[Symbology], engine: Engine) -> list[Symbol]:
    """Return the bar codes an engine reads in the lines of the places most like bars.

    The lines were stood upright on each other, perspective included; the engine gets their mean,
    their darker side, and the mean of each quarter of them, with and without sharpening.
    """
    found: list[Symbol] = []
    for spot in spots(image, SPOTS):
        lines = upright(image, spot)
        if lines is None:
            continue
        quarter = max(2, len(lines.grey) // 4)
        parts = [lines.grey[top : top + quarter] for top in range(0, len(lines.grey), quarter)]
        bands = np.stack([
            lines.grey.mean(axis=0),
            np.median(lines.grey, axis=0),
            np.percentile(lines.grey, LINE_LEVEL, axis=0),
            *(part.mean(axis=0) for part in parts),
        ]).astype(np.float32)  # fmt: skip
        picture = np.repeat(_sharpened(bands), REPEATED, axis=0)
        for symbol in engine(picture, symbologies & engines.BAR_CODES):
            ends = [lines.back @ np.array([x, 0.0, 1.0]) for x, _ in symbol.outline]
            outline = tuple((float(x), float(y)) for x, y in ends)
            found.append(replace(symbol, outline=outline))
    return found
