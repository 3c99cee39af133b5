"""Loads a picture file of any size and orientation, or says in one sentence why not.

Runs in the decoder's child process: a crafted picture may crash the library that opens it.
"""

import stat
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from scanner_station.domain.errors import InputError
from scanner_station.readers.decoding.symbols import Grey

LARGEST_PX: Final = 250_000_000
LIMITS: Final = {
    "OPENCV_IO_MAX_IMAGE_PIXELS": str(LARGEST_PX),
    "OPENCV_IO_MAX_IMAGE_WIDTH": "65000",
    "OPENCV_IO_MAX_IMAGE_HEIGHT": "65000",
    "OPENCV_LOG_LEVEL": "ERROR",
}
"""Environment of the child: OpenCV then refuses larger pictures by their header."""
LARGEST_FILE_BYTES: Final = 200_000_000
HEADER_BYTES: Final = 32
NATIVE_PX: Final = 16_000_000
"""Larger pictures are made smaller than this before they are read."""


def load_picture(path: Path) -> Grey:
    """Return a picture file as grey, upright by its EXIF orientation.

    PNG, JPEG, WebP, GIF, BMP and TIFF; of several pictures in one file the first. What is
    transparent is white, as on paper.

    Raises:
        InputError: there is no such file, it is no picture, or it is too large.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError("%(path)s is not a file; give a picture", path=path)
        size_bytes = status.st_size
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
        if picture is None and content.size:
            picture = _stretched(cv2.imdecode(content, cv2.IMREAD_UNCHANGED))
        elif picture is not None and may_be_transparent(content[:HEADER_BYTES].tobytes()):
            picture = _on_white(cv2.imdecode(content, cv2.IMREAD_UNCHANGED), picture)
    except (cv2.error, MemoryError) as error:
        raise InputError(
            "%(path)s is not a picture this program can read, or has more than %(limit)s "
            "million pixels; give a smaller PNG or JPEG",
            path=path,
            limit=LARGEST_PX // 1_000_000,
        ) from error
    if picture is None or not picture.size:
        raise InputError(
            "%(path)s is not a picture this program can read, or is cut short; give a PNG, "
            "JPEG, WebP, GIF, BMP or TIFF",
            path=path,
        )
    return np.asarray(picture, dtype=np.uint8)


def may_be_transparent(header: bytes) -> bool:
    """Whether a file's first bytes announce an alpha channel or leave it open (GIF, TIFF)."""
    if header.startswith(b"\x89PNG"):
        return header[25:26] in {b"\x03", b"\x04", b"\x06"}
    if header.startswith((b"GIF8", b"II*\x00", b"MM\x00*")):
        return True
    return header[8:15] == b"WEBPVP8" and header[15:16] in {b"X", b"L"}


def _on_white(picture: np.ndarray | None, grey: np.ndarray) -> np.ndarray:
    """Return the grey picture laid on white paper, where the other has an alpha channel."""
    if picture is None or picture.ndim != 3 or picture.shape[2] != 4:
        return grey
    if not np.issubdtype(picture.dtype, np.integer):
        return grey
    alpha = picture[:, :, 3].astype(np.float32) / np.iinfo(picture.dtype).max
    # Turned by its EXIF orientation, or nothing would be left of it.
    if alpha.shape != grey.shape or not alpha.any():
        return grey
    return np.asarray(255 - alpha * (255 - grey.astype(np.float32)), dtype=np.uint8)


def _stretched(picture: np.ndarray | None) -> np.ndarray | None:
    """Return a measuring picture (real or long numbers) with its range as black to white."""
    if picture is None or picture.ndim != 2:
        return None
    values = np.nan_to_num(picture.astype(np.float64))
    low, high = float(values.min()), float(values.max())
    return np.asarray((values - low) * 255 / max(high - low, 1e-12), dtype=np.uint8)


def _fit(picture: Grey) -> Grey:
    if picture.size <= NATIVE_PX:
        return picture
    factor = (NATIVE_PX / picture.size) ** 0.5
    smaller = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return np.asarray(smaller, dtype=np.uint8)
