"""Where frames come from: a camera, a stream, a video file, a folder of pictures.

Live sources keep only the newest frame; files and folders lose none, and their clock is the
frame's place in them, so that the same file always gives the same presentations.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

import cv2
import numpy as np
import numpy.typing as npt

from scanner_station.domain.errors import InputError, ReaderError
from scanner_station.readers.decoding.pictures import load_picture

STALLED_S: Final = 1.5
CLOSE_S: Final = 2.0
"""A read under way gets this long to end; a program that ends in the midst of one is aborted."""
FIRST_FRAME_S: Final = 5.0
"""A camera may take this long to warm up before its first picture."""
OPEN_TIMEOUT_MS: Final = 3000
READ_TIMEOUT_MS: Final = 1500
SECONDS_A_PICTURE: Final = 0.5
DEFAULT_FPS: Final = 30.0
_PICTURES: Final = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"}
_WANTED: Final = {
    cv2.CAP_PROP_FOURCC: float(cv2.VideoWriter.fourcc(*"MJPG")),
    cv2.CAP_PROP_FRAME_WIDTH: 1280.0,
    cv2.CAP_PROP_FRAME_HEIGHT: 720.0,
    cv2.CAP_PROP_BUFFERSIZE: 1.0,
}

Image = npt.NDArray[np.uint8]
"""A frame: uint8, shape (height, width) grey or (height, width, 3) BGR."""


class Capture(Protocol):
    """What `cv2.VideoCapture` offers of itself here; a simulated camera has equal rank."""

    def read(self) -> tuple[bool, Any]:
        """Return whether there is a frame, and the frame; blocks until the next one."""
        ...

    def release(self) -> None:
        """Give the device back."""
        ...


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture and its time in seconds on the source's own clock."""

    image: Image
    at_s: float


@runtime_checkable
class Frames(Protocol):
    """A source that was opened."""

    is_live: bool
    is_folder: bool

    def __iter__(self) -> Iterator[Frame]:
        """Yield frames until the end or until closed; `ReaderError` when a device is gone."""
        ...

    def close(self) -> None:
        """End the iteration; safe twice, and from another thread."""
        ...


def open_source(
    source: str | Capture | Frames, *, steady_s: Callable[[], float], loop: bool
) -> Frames:
    """Open a camera number, device path, URL, video file, folder, or a capture object.

    Frames that somebody else made are taken as they are.

    Raises:
        ReaderError: it cannot be opened.
    """
    if not isinstance(source, str):
        if isinstance(source, Frames):
            return source
        return LiveFrames(source, type(source).__name__, steady_s)
    path = Path(source)
    if path.is_dir():
        return FolderFrames(path, loop=loop)
    if path.is_file():
        return FileFrames(path, loop=loop)
    return LiveFrames(_open_device(source), _without_password(source), steady_s)


def _open_device(source: str) -> Capture:
    if "://" in source:
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_TIMEOUT_MS,
                  cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_TIMEOUT_MS]  # fmt: skip
        capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG, limits)
    elif source.isdecimal():
        capture = cv2.VideoCapture(int(source), cv2.CAP_V4L2)
    else:
        # The by-id name is a link; V4L2 wants the device it points to.
        capture = cv2.VideoCapture(str(Path(source).resolve()), cv2.CAP_V4L2)
    if not capture.isOpened():
        raise ReaderError(
            "the camera %(source)s cannot be opened; check its cable and its name",
            source=_without_password(source),
        )
    if "://" not in source:
        for name, value in _WANTED.items():
            capture.set(name, value)
    return capture


def _without_password(source: str) -> str:
    return re.sub(r"//[^/@]*@", "//", source)


class LiveFrames:
    """The newest frame of a device, taken by a thread of its own."""

    is_live = True
    is_folder = False

    def __init__(self, capture: Capture, name: str, steady_s: Callable[[], float]) -> None:
        self._capture = capture
        self._name = name
        self._steady_s = steady_s
        self._changed = threading.Condition()
        """Guards `_newest`, `_is_lost` and `_is_closed`."""
        self._newest: Frame | None = None
        self._is_lost = False
        self._is_closed = False
        self._thread = threading.Thread(target=self._take, name="camera-capture", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Frame]:
        """Yield the newest frame each time; frames that came meanwhile are dropped."""
        patience_s = FIRST_FRAME_S
        while True:
            with self._changed:
                self._changed.wait_for(self._has_news, patience_s)
                if self._is_closed:
                    return
                frame, self._newest = self._newest, None
            if frame is None:
                self.close()
                raise ReaderError(
                    "the camera %(source)s gives no pictures any more; check its cable, "
                    "it is used again as soon as it is back",
                    source=self._name,
                )
            patience_s = STALLED_S
            yield frame

    def close(self) -> None:
        """End the iteration and give the device back."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join(CLOSE_S)

    def _has_news(self) -> bool:
        return self._newest is not None or self._is_lost or self._is_closed

    def _take(self) -> None:
        """Read frames as fast as the device gives them; runs in the capture thread."""
        is_there = True
        while is_there and not self._is_closed:
            try:
                is_there, image = self._capture.read()
            except (cv2.error, OSError):
                is_there, image = False, None
            with self._changed:
                if is_there and image is not None:
                    self._newest = Frame(image, self._steady_s())
                else:
                    is_there, self._is_lost = False, True
                self._changed.notify_all()
        # Released here: a device must not be closed while its read is under way.
        self._capture.release()


class FileFrames:
    """Every frame of a video file."""

    is_live = False
    is_folder = False

    def __init__(self, path: Path, *, loop: bool) -> None:
        self._path = path
        self._loop = loop
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        """Yield each frame in turn; time is its number over the frame rate."""
        index = 0
        while not self._closed.is_set():
            first = index
            capture = cv2.VideoCapture(str(self._path))
            fps = capture.get(cv2.CAP_PROP_FPS) or DEFAULT_FPS
            while not self._closed.is_set():
                is_there, image = capture.read()
                if not is_there:
                    break
                yield Frame(np.asarray(image, dtype=np.uint8), index / fps)
                index += 1
            capture.release()
            if index == first:
                raise ReaderError(
                    "%(source)s is no video or picture that can be played", source=self._path.name
                )
            if not self._loop:
                return

    def close(self) -> None:
        """End the iteration after the frame under way."""
        self._closed.set()


class FolderFrames:
    """Every picture of a folder in the order of their names, half a second each."""

    is_live = False
    is_folder = True

    def __init__(self, folder: Path, *, loop: bool) -> None:
        self._folder = folder
        self._loop = loop
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        """Yield each picture in turn; one that cannot be opened is a black one."""
        index = 0
        while not self._closed.is_set():
            paths = sorted(p for p in self._folder.iterdir() if p.suffix.lower() in _PICTURES)
            if not paths:
                raise ReaderError(
                    "the folder %(source)s holds no pictures", source=self._folder.name
                )
            for path in paths:
                if self._closed.is_set():
                    return
                yield Frame(_picture(path), index * SECONDS_A_PICTURE)
                index += 1
            if not self._loop:
                return

    def close(self) -> None:
        """End the iteration after the picture under way."""
        self._closed.set()


def _picture(path: Path) -> Image:
    try:
        return load_picture(path)
    except InputError:
        return np.zeros((720, 1280), np.uint8)


def paced(frames: Frames, sleep: Callable[[float], None] = time.sleep) -> Iterator[Frame]:
    """Yield frames of a file no faster than they were recorded (for a demonstration)."""
    started_s = time.monotonic()
    for frame in frames:
        sleep(max(0.0, frame.at_s - (time.monotonic() - started_s)))
        yield frame
