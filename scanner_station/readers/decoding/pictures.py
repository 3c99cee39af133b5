"""Loads a picture file of any size and orientation, or says in one sentence why not.

Runs in the decoder's child process: a crafted picture may crash the library that opens it.
"""

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from scanner_station.domain.errors import InputError
from scanner_station.readers.decoding.symbols import Grey

LARGEST_PX: Final = 100_000_000
LIMITS: Final = {
    "OPENCV_IO_MAX_IMAGE_PIXELS": str(LARGEST_PX),
    "OPENCV_IO_MAX_IMAGE_WIDTH": "65000",
    "OPENCV_IO_MAX_IMAGE_HEIGHT": "65000",
    "OPENCV_LOG_LEVEL": "ERROR",
}
"""Environment of the child: OpenCV then refuses larger pictures by their header."""
LARGEST_FILE_BYTES: Final = 200_000_000
NATIVE_PX: Final = 16_000_000
"""Larger pictures are made smaller than this before they are read."""


def load_picture(path: Path) -> Grey:
    """Return a picture file as grey, upright by its EXIF orientation; a GIF's first frame.

    PNG, JPEG, WebP, GIF, BMP and TIFF.

    Raises:
        InputError: there is no such file, it is no picture, or it is too large.
    """
    try:
        size_bytes = path.stat().st_size
        if size_bytes > LARGEST_FILE_BYTES:
            raise InputError(
                "%(path)s is larger than %(megabytes)s MB; give a smaller picture",
                path=path,
                megabytes=LARGEST_FILE_BYTES // 1_000_000,
            )
        content = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise InputError(
            "%(path)s cannot be opened: %(reason)s; check the name",
            path=path,
            reason=error.strerror or "unknown reason",
        ) from error
    return _fit(_decoded(content, path))


def _decoded(content: np.ndarray, path: Path) -> Grey:
    try:
        picture = cv2.imdecode(content, cv2.IMREAD_GRAYSCALE) if content.size else None
    except (cv2.error, MemoryError) as error:
        raise InputError(
            "%(path)s is not a picture this program can read, or has more than %(limit)s "
            "million pixels; give a smaller PNG or JPEG",
            path=path,
            limit=LARGEST_PX // 1_000_000,
        ) from error
    if picture is None or not picture.size:
        raise InputError(
            "%(path)s is not a picture this program can read; give a PNG, JPEG, WebP, GIF, "
            "BMP or TIFF",
            path=path,
        )
    return np.asarray(picture, dtype=np.uint8)


def _fit(picture: Grey) -> Grey:
    if picture.size <= NATIVE_PX:
        return picture
    factor = (NATIVE_PX / picture.size) ** 0.5
    smaller = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return np.asarray(smaller, dtype=np.uint8)
