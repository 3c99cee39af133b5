"""A scanner on a serial line: RS-232, USB virtual port, or a serial server on the network.

Nothing is ever written to the device here; a beep after the commit would be another method of
`SerialReader`, on the port that it holds.
"""

import contextlib
import errno
import os
import socket
import termios
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import serial

from scanner_station.clock import Clock
from scanner_station.domain.errors import ReaderError
from scanner_station.domain.events import Notify, ReaderNotice, ReaderState
from scanner_station.domain.reading import ReaderId, Reading, symbology_named
from scanner_station.readers.framing import SILENCE_MS, Framer
from scanner_station.readers.port_finder import PortFinder

_PORT_FAILURES: Final = (OSError, termios.error, ValueError)
"""`in_waiting` raises a plain OSError, setting up a vanished device termios.error, and an
impossible baud or address ValueError; SerialException is an OSError."""

_LONGEST_WAIT_MS: Final = 250
_IN_USE: Final = (errno.EAGAIN, errno.EBUSY)
_NO_RIGHT: Final = (errno.EACCES, errno.EPERM)


class SerialReader:
    """Yields what one serial scanner sends, a payload a reading; the symbology is the AIM one.

    `port` as in `PortFinder`; pass the same finder to each new reader of a device, so that a
    scanner is found again under another name. `baud` in bit/s, always 8 data bits, no parity,
    one stop bit. `silence_ms` as in `Framer`. `notify` is told READY, and every discarded
    half line by its size alone.

    What comes before the line has been quiet for a moment (or ended a line) is discarded: it
    may be the second half of a number. READY is said after that.
    """

    def __init__(
        self,
        reader_id: ReaderId,
        port: str | PortFinder,
        *,
        baud: int = 9600,
        silence_ms: int = SILENCE_MS,
        clock: Clock,
        notify: Notify,
    ) -> None:
        self.reader_id = reader_id
        self._finder = PortFinder(port) if isinstance(port, str) else port
        self._baud = baud
        self._silence_ms = silence_ms
        self._wait_ms = min(silence_ms or SILENCE_MS, _LONGEST_WAIT_MS)
        self._clock = clock
        self._notify = notify
        self._closed = threading.Event()
        # Guards `_port` between the thread that reads and the one that closes.
        self._lock = threading.Lock()
        self._port: Any = None

    def readings(self) -> Iterator[Reading]:
        """Yield readings until closed, blocking in between.

        Raises:
            ReaderError: no device is there, it is in use, or it stopped answering.
        """
        if self._closed.is_set():
            return
        path, port = self._open()
        framer = Framer(silence_ms=self._silence_ms, in_step=False)
        with self._lock:
            self._port = port
        try:
            for payload in self._payloads(path, port, framer):
                yield self._reading(payload)
        except _PORT_FAILURES as error:
            raise ReaderError(
                "Scanner %(reader)s: %(port)s stopped answering (%(why)s). Check its cable and"
                " power; it will be used again by itself.",
                reader=self.reader_id,
                port=path,
                why=_system_word(error) or "disconnected",
            ) from error
        finally:
            with self._lock:
                self._port = None
            _close(port)
            framer.lose_step()
            self._tell_lost_bytes(framer)

    def close(self) -> None:
        """Make `readings` end at once; safe twice, and from another thread.

        The port itself is closed by the thread that reads it.
        """
        self._closed.set()
        with self._lock:
            cancel = getattr(self._port, "cancel_read", None)  # a socket has none: it looks
            if cancel is not None:  # every `_wait_ms`
                cancel()

    def _payloads(self, path: str, port: Any, framer: Framer) -> Iterator[bytes]:
        is_ready = False
        silent_ms = 0
        while not self._closed.is_set():
            chunk = port.read(max(1, port.in_waiting))
            if chunk:
                silent_ms = 0
                payloads = framer.feed(chunk)
            else:
                # Only time spent waiting counts as silence, not time the consumer took.
                silent_ms += self._wait_ms
                payloads = framer.quiet(silent_ms)
                self._tell_lost_bytes(framer)
                _check_same_device(path, port)
            if framer.is_in_step and not is_ready:
                is_ready = True
                self._tell("Scanner %(reader)s is ready.", state=ReaderState.READY)
            yield from self._one_by_one(payloads, port, framer)

    def _one_by_one(self, payloads: list[bytes], port: Any, framer: Framer) -> Iterator[bytes]:
        """Yield payloads unless closed, and notice when the consumer took too long.

        Without a suffix only silence parts two cards. Whatever came while nobody listened may
        be two cards run together, or half of one.
        """
        began_s = self._clock.steady_s()
        for payload in payloads:
            if self._closed.is_set():
                return
            yield payload
        away_ms = (self._clock.steady_s() - began_s) * 1000
        if payloads and framer.ends_by_silence and away_ms > self._wait_ms and port.in_waiting:
            framer.lose_step()

    def _reading(self, payload: bytes) -> Reading:
        return Reading(
            payload=payload,
            symbology=symbology_named(payload),
            reader_id=self.reader_id,
            at=self._clock.now(),
        )

    def _open(self) -> tuple[str, Any]:
        """Return the first candidate that opens, and its port.

        Raises:
            ReaderError: none does; it says what is wrong with the best one.
        """
        failure: ReaderError | None = None
        for path in self._finder.candidates():
            try:
                port = serial.serial_for_url(
                    path, baudrate=self._baud, timeout=self._wait_ms / 1000, exclusive=True
                )
            except _PORT_FAILURES as error:
                failure = failure or self._cannot_open(path, error)
                failure.__cause__ = failure.__cause__ or error
            else:
                _watch_connection(port)
                self._finder.remember(path)
                return path, port
        raise failure or ReaderError(
            "Scanner %(reader)s: nothing is plugged in at %(port)s. Plug it in; it will be used"
            " by itself.",
            reader=self.reader_id,
            port=self._finder.port,
        )

    def _cannot_open(self, path: str, error: Exception) -> ReaderError:
        number = error.errno if isinstance(error, OSError) else None
        message = (
            "Scanner %(reader)s: %(port)s cannot be opened (%(why)s). Check the cable, the power"
            " and the settings; it is tried again by itself."
        )
        if number in _IN_USE:
            message = (
                "Scanner %(reader)s: %(port)s is in use by another reader or program. Give each"
                " scanner one reader, and close the other program."
            )
        elif number in _NO_RIGHT:
            message = (
                "Scanner %(reader)s: this account may not open %(port)s. Add it to the group"
                " 'dialout' and start the station again."
            )
        return ReaderError(
            message, reader=self.reader_id, port=path, why=_system_word(error) or str(error)
        )

    def _tell_lost_bytes(self, framer: Framer) -> None:
        if lost_bytes := framer.take_lost_bytes():
            self._tell(
                "Scanner %(reader)s: an unfinished line of %(size)d bytes was discarded. Present"
                " the card again; if this comes with every card, set the scanner to end its"
                " lines with CR and unplug it for a moment.",
                size=lost_bytes,
            )

    def _tell(self, message: str, state: ReaderState | None = None, **values: int) -> None:
        self._notify(
            ReaderNotice(
                reader_id=self.reader_id,
                message=message,
                values={"reader": self.reader_id, **values},
                state=state,
            )
        )


def _check_same_device(path: str, port: Any) -> None:
    """Raise OSError when a device path has gone or now names another device.

    A driver does not always hang up when its device file goes.
    """
    if "://" in path:
        return
    if Path(path).stat().st_rdev != os.fstat(port.fileno()).st_rdev:
        raise OSError(errno.ENODEV, "another device has taken its name")


def _watch_connection(port: Any) -> None:
    """Have the kernel notice within 2 s that a serial server has gone without a word."""
    connection = getattr(port, "_socket", None)  # pyserial has no other way to it
    if isinstance(connection, socket.socket):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT):
            connection.setsockopt(socket.IPPROTO_TCP, option, 1)  # seconds, seconds, probes


def _close(port: Any) -> None:
    connection = getattr(port, "_socket", None)
    with contextlib.suppress(OSError):  # it is gone, which is what we want
        port.close()
    if isinstance(connection, socket.socket):
        connection.close()  # pyserial forgets it when the peer has reset the connection


def _system_word(error: Exception) -> str | None:
    """Return the system's word for a failure, which pyserial often leaves out."""
    return error.strerror if isinstance(error, OSError) else None
