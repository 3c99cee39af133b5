"""Payloads on standard input, one a line, as other programs pipe them in."""

import io
import select
import threading
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

from scanner_station.clock import Clock
from scanner_station.domain.errors import ReaderError
from scanner_station.domain.identifier import MAX_PAYLOAD_BYTES
from scanner_station.domain.reading import ReaderId, Reading, symbology_named

_LOOK_FOR_CLOSE_S: Final = 0.1
_CHUNK_BYTES: Final = 65536
_KEPT_BYTES: Final = MAX_PAYLOAD_BYTES + len(b"\r\n")
"""Of one line; more than that cannot be a payload of 256 bytes and its CRLF."""


class StdinReader:
    """Yields every line of a byte stream, each a presentation of its own, as soon as it is there.

    Payloads are the raw bytes before LF or CRLF. A line without any is skipped; a line of more
    than 256 bytes is yielded once, cut at 257. The last line needs no LF.
    """

    def __init__(self, reader_id: ReaderId, stream: BinaryIO, clock: Clock) -> None:
        self.reader_id = reader_id
        self._stream = stream
        self._clock = clock
        self._closed = threading.Event()

    def readings(self) -> Iterator[Reading]:
        """Yield readings until the end of the stream, or until closed.

        Raises:
            ReaderError: the stream cannot be read.
        """
        for payload in lines(self._chunks()):
            if self._closed.is_set():
                return
            yield Reading(
                payload=payload,
                symbology=symbology_named(payload),
                reader_id=self.reader_id,
                at=self._clock.now(),
            )

    def close(self) -> None:
        """Make `readings` end within 0.1 s; the stream stays open, it is not ours."""
        self._closed.set()

    def _chunks(self) -> Iterator[bytes]:
        read = getattr(self._stream, "read1", self._stream.read)
        try:
            while self._wait():
                chunk = read(_CHUNK_BYTES)
                if chunk is None:  # a non-blocking stream with nothing in it
                    continue
                if not chunk:
                    return
                yield chunk
        except (OSError, ValueError) as error:
            raise ReaderError(
                "Reader %(reader)s: its input cannot be read (%(why)s). Start the command again.",
                reader=self.reader_id,
                why=getattr(error, "strerror", None) or str(error),
            ) from error

    def _wait(self) -> bool:
        """Wait until the stream has something to say; False when closed."""
        try:
            descriptor = self._stream.fileno()
        except io.UnsupportedOperation:  # bytes in memory never block
            return not self._closed.is_set()
        while not self._closed.is_set():
            # Sound beside a buffered stream: `read1` of more than its buffer leaves nothing in it.
            if select.select([descriptor], [], [], _LOOK_FOR_CLOSE_S)[0]:
                return True
        return False


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines in a stream of bytes as `StdinReader` says.

    Keeps at most 258 bytes of a line, however long it is and however it is cut into chunks.
    """
    line = bytearray()
    is_told = False
    for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for part in ended:
            line += part[: _KEPT_BYTES - len(line)]
            payload = bytes(line.removesuffix(b"\r"))
            if payload and not is_told:
                yield payload[: MAX_PAYLOAD_BYTES + 1]
            line.clear()
            is_told = False
        line += rest[: _KEPT_BYTES - len(line)]
        if len(line) == _KEPT_BYTES and not is_told:  # too long, whatever follows
            is_told = True
            yield bytes(line[: MAX_PAYLOAD_BYTES + 1])
    if line and not is_told:
        yield bytes(line[: MAX_PAYLOAD_BYTES + 1])
