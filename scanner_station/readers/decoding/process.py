"""Decoding in a child process: a code that crashes or hangs a library costs one picture.

zbar has aborted whole processes on crafted codes. The child has a memory limit and no say:
it answers in JSON or is killed, and the next picture starts a new one.
"""

import contextlib
import json
import logging
import mmap
import os
import select
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from scanner_station.domain.errors import InputError
from scanner_station.domain.reading import Symbology
from scanner_station.readers.decoding import stages
from scanner_station.readers.decoding.messages import unpack_look
from scanner_station.readers.decoding.pictures import LIMITS
from scanner_station.readers.decoding.still import PictureResult, judge
from scanner_station.readers.decoding.symbols import DEFAULT_SYMBOLOGIES, Grey, Look

MEMORY_BYTES: Final = 1_500_000_000
"""Address space of the child; a picture that needs more is refused, not the machine stopped."""
FRAME_TIMEOUT_S: Final = 5.0
FILE_TIMEOUT_S: Final = 60.0
START_TIMEOUT_S: Final = 30.0
SMALLEST_SHARED_BYTES: Final = 1 << 22
_LONGEST_ANSWER_BYTES: Final = 1 << 20

log = logging.getLogger(__name__)


class Decoder(Protocol):
    """Runs stages on a picture; `crashes` counts the pictures that cost a process."""

    crashes: int

    def look(self, image: Grey, symbologies: frozenset[Symbology], names: Sequence[str]) -> Look:
        """Return what the named stages read; nothing when the decoder crashed."""
        ...

    def close(self) -> None:
        """Give everything back; safe twice."""
        ...


class InProcessDecoder:
    """The same without a child, for measuring and for tests of everything else."""

    crashes = 0

    def look(self, image: Grey, symbologies: frozenset[Symbology], names: Iterable[str]) -> Look:
        """Return what the named stages read."""
        return stages.look(image, symbologies, names)

    def close(self) -> None:
        """Nothing to give back."""


class _GoneError(Exception):
    """The child has ended, hangs, or answered nonsense."""


class DecoderProcess:
    """A child process that decodes; started when first needed and after each crash.

    `crashes` counts how often it had to be killed or had died. Safe to use from several
    threads; they wait for each other.
    """

    def __init__(
        self, *, frame_timeout_s: float = FRAME_TIMEOUT_S, memory_bytes: int = MEMORY_BYTES
    ) -> None:
        self.crashes = 0
        self._memory_bytes = memory_bytes
        self._frame_timeout_s = frame_timeout_s
        self._lock = threading.Lock()
        """Guards the child, its pipes and the shared memory."""
        self._child: subprocess.Popen[bytes] | None = None
        self._memory_fd = -1
        self._shared: mmap.mmap | None = None
        self._is_warm = False

    @property
    def pid(self) -> int | None:
        """The child's process number while it runs."""
        return None if self._child is None else self._child.pid

    def look(self, image: Grey, symbologies: frozenset[Symbology], names: Iterable[str]) -> Look:
        """Return what the named stages read; nothing when the child crashed or was too slow."""
        height, width = image.shape
        request = {"op": "look", "height": height, "width": width, "stages": list(names),
                   "symbologies": [s.value for s in symbologies]}  # fmt: skip
        with self._lock:
            try:
                request["shared"] = self._share(image)
                answer = self._ask(request, self._frame_timeout_s)
                return unpack_look(answer)
            except (_GoneError, KeyError, TypeError, ValueError) as error:
                self._crashed(error)
                return Look()

    def decode_file(
        self, path: Path, symbologies: frozenset[Symbology], names: Sequence[str] | None = None
    ) -> PictureResult:
        """Return what is in a picture file.

        Raises:
            InputError: it cannot be opened, is no picture, is too large, or crashes decoders.
        """
        request = {"op": "file", "path": str(path.absolute()),
                   "stages": None if names is None else list(names),
                   "symbologies": [s.value for s in symbologies]}  # fmt: skip
        with self._lock:
            try:
                answer = self._ask(request, FILE_TIMEOUT_S)
                if "error" not in answer:
                    look = unpack_look(answer)
                    return judge(look.found, look.steps)
            except (_GoneError, KeyError, TypeError, ValueError) as error:
                self._crashed(error)
                raise InputError(
                    "%(path)s made the decoder stop; it holds nothing that can be read", path=path
                ) from error
        raise InputError(str(answer["error"]), **{**answer["values"], "path": path})

    def close(self) -> None:
        """End the child; safe twice."""
        with self._lock:
            self._end_child()
            if self._shared is not None:
                self._shared.close()
                self._shared = None
            if self._memory_fd >= 0:
                os.close(self._memory_fd)
                self._memory_fd = -1

    def _share(self, image: Grey) -> int:
        """Put a frame into the shared memory and return the memory's size in bytes."""
        needed = max(SMALLEST_SHARED_BYTES, image.size)
        if self._memory_fd < 0:
            self._memory_fd = os.memfd_create("frame", os.MFD_CLOEXEC)
        if self._shared is None or len(self._shared) < needed:
            if self._shared is not None:
                self._shared.close()
            os.ftruncate(self._memory_fd, needed)
            self._shared = mmap.mmap(self._memory_fd, needed)
        np.frombuffer(self._shared, np.uint8, image.size)[:] = image.reshape(-1)
        return len(self._shared)

    def _ask(self, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        child = self._running_child()
        stdin, stdout = child.stdin, child.stdout
        if stdin is None or stdout is None:
            raise _GoneError("no pipes")
        try:
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.flush()
        except OSError as error:
            raise _GoneError("the pipe is closed") from error
        wait_s = timeout_s if self._is_warm else timeout_s + START_TIMEOUT_S
        line = _read_line(stdout.fileno(), wait_s)
        self._is_warm = True
        answer = json.loads(line)
        if not isinstance(answer, dict):
            raise _GoneError("the answer is not an object")
        if "gone" in answer:
            raise _GoneError(str(answer["gone"]))
        return answer

    def _running_child(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is None:
            return self._child
        if self._child is not None:
            raise _GoneError("it had ended")
        if self._memory_fd < 0:
            self._memory_fd = os.memfd_create("frame", os.MFD_CLOEXEC)
        environment = {**os.environ, **LIMITS, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._is_warm = False
        self._child = subprocess.Popen(  # noqa: S603  # our own module, no input
            # -P: nothing is imported from the folder of somebody's pictures.
            [sys.executable, "-P", "-m", "scanner_station.readers.decoding.worker",
             str(self._memory_fd), str(self._memory_bytes)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            pass_fds=(self._memory_fd,), env=environment, bufsize=0,
        )  # fmt: skip
        return self._child

    def _crashed(self, error: Exception) -> None:
        self.crashes += 1
        code = self._end_child()
        log.warning("the decoder was started again after one picture (%s, exit %s)", error, code)

    def _end_child(self) -> int | None:
        child, self._child = self._child, None
        if child is None:
            return None
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        code = child.poll()
        if code is None:
            child.kill()
            child.wait()
        return code


def _read_line(fd: int, timeout_s: float) -> bytes:
    """Return one line from a pipe that nobody else reads; one answer, one line."""
    buffer = b""
    ready = select.poll()
    ready.register(fd, select.POLLIN)
    while not buffer.endswith(b"\n"):
        if not ready.poll(timeout_s * 1000):
            raise _GoneError(f"no answer for {timeout_s:.0f} s")
        piece = os.read(fd, 1 << 16)
        if not piece:
            raise _GoneError("it has ended")
        buffer += piece
        if len(buffer) > _LONGEST_ANSWER_BYTES:
            raise _GoneError("the answer is too long")
    return buffer


def decode_file(
    path: Path,
    symbologies: frozenset[Symbology] = DEFAULT_SYMBOLOGIES,
    *,
    decoder: DecoderProcess | None = None,
    stages: Sequence[str] | None = None,
) -> PictureResult:
    """Return what is in a picture file, decoded in a child process.

    Give a `decoder` to read many files with one child.

    Raises:
        InputError: the file cannot be opened, is no picture, or is too large.
    """
    used = decoder or DecoderProcess()
    try:
        return used.decode_file(path, symbologies, stages)
    finally:
        if decoder is None:
            used.close()
