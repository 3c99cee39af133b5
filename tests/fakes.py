"""Stand-ins with real behaviour, for all tests."""

import os
import queue
import socket
import threading
import tty
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from scanner_station.clock import Clock
from scanner_station.domain.events import ReaderNotice, ReaderState
from scanner_station.domain.reading import ReaderId, Reading, symbology_named

PATIENCE_S = 20.0
"""How long a test waits for what must come; far more than it takes, so that load fails nothing."""


class FakeClock:
    """A clock that moves only when told to."""

    def __init__(self, at: datetime = datetime(2018, 12, 19, 1, 0, tzinfo=UTC)) -> None:
        self._start = at
        self._steady_s = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._steady_s)

    def steady_s(self) -> float:
        return self._steady_s

    def advance(self, seconds: float) -> None:
        self._steady_s += seconds


class ReplayReader:
    """Delivers given payloads (or raises a given error among them), then ends, or stays open."""

    def __init__(
        self,
        reader_id: str,
        script: Iterable[bytes | Exception],
        clock: Clock,
        *,
        stays_open: bool = False,
    ) -> None:
        self.reader_id = ReaderId(reader_id)
        self._script = script
        self._clock = clock
        self._stays_open = stays_open
        self.closed = threading.Event()

    def readings(self) -> Iterator[Reading]:
        for payload in self._script:
            if self.closed.is_set():
                return
            if isinstance(payload, Exception):
                raise payload
            yield Reading(
                payload=payload,
                symbology=symbology_named(payload),
                reader_id=self.reader_id,
                at=self._clock.now(),
            )
        if self._stays_open:
            self.closed.wait()

    def close(self) -> None:
        self.closed.set()


class PtyScanner:
    """A serial scanner on a real pseudo-terminal, behind a stable name as udev gives one.

    `path` is a link in `folder`; a replugged scanner is another pseudo-terminal (never the same
    number at once) behind the same link, or behind another one if `replug` names it.

    Send only after the reader said READY: what comes before may be half a line and is discarded.
    """

    def __init__(self, folder: Path, name: str = "ttyACM0") -> None:
        self._folder = folder
        self._name = name
        self._primary: int | None = None
        self._last_device = ""
        self.replug()

    @property
    def path(self) -> str:
        return str(self._folder / self._name)

    @property
    def device(self) -> str:
        """The pseudo-terminal itself, such as /dev/pts/3."""
        return self._last_device

    def send(self, payload: bytes) -> None:
        """Send bytes as they are, with their suffix; waits while the line is full."""
        assert self._primary is not None
        while payload:
            payload = payload[os.write(self._primary, payload) :]

    def unplug(self) -> None:
        """Vanish: the link and the device behind it. Safe twice."""
        (self._folder / self._name).unlink(missing_ok=True)
        if self._primary is not None:
            os.close(self._primary)
            self._primary = None

    def replug(self, name: str | None = None) -> None:
        """Come back, under another name if one is given."""
        self.unplug()
        self._name = name or self._name
        rejected = []
        while True:
            primary, secondary = os.openpty()
            device = os.ttyname(secondary)
            tty.setraw(secondary)  # the setting stays with the pair: nothing is echoed
            os.close(secondary)
            if device != self._last_device:
                break
            rejected.append(primary)
        for descriptor in rejected:
            os.close(descriptor)
        self._primary, self._last_device = primary, device
        (self._folder / self._name).symlink_to(device)

    def __enter__(self) -> "PtyScanner":
        return self

    def __exit__(self, *_: object) -> None:
        self.unplug()


class TcpScanner:
    """A scanner behind a serial server on the network; one connection at a time."""

    def __init__(self) -> None:
        self._port = 0
        self._server: socket.socket | None = None
        self._connection: socket.socket | None = None
        self.replug()

    @property
    def url(self) -> str:
        return f"socket://127.0.0.1:{self._port}"

    def accept(self) -> None:
        """Wait for the reader to connect."""
        assert self._server is not None
        self._connection, _ = self._server.accept()

    def send(self, payload: bytes) -> None:
        assert self._connection is not None
        self._connection.sendall(payload)

    def unplug(self) -> None:
        for one in (self._connection, self._server):
            if one is not None:
                one.close()
        self._connection = self._server = None

    def replug(self) -> None:
        """Listen again at the same port."""
        self.unplug()
        self._server = socket.create_server(("127.0.0.1", self._port))
        self._server.settimeout(PATIENCE_S)
        self._port = self._server.getsockname()[1]

    def __enter__(self) -> "TcpScanner":
        return self

    def __exit__(self, *_: object) -> None:
        self.unplug()


class Notices:
    """Keeps what readers say; call it as a `Notify`, wait for what should come."""

    def __init__(self) -> None:
        self.all: list[ReaderNotice] = []
        self._unseen: queue.Queue[ReaderNotice] = queue.Queue()

    def __call__(self, notice: ReaderNotice) -> None:
        self.all.append(notice)
        self._unseen.put(notice)

    def next(self, wanted: Callable[[ReaderNotice], bool] = lambda _: True) -> ReaderNotice:
        """Return the next notice that fits, passing over others; each is returned once."""
        while True:
            notice = self._unseen.get(timeout=PATIENCE_S)
            if wanted(notice):
                return notice

    def next_state(self, state: ReaderState) -> ReaderNotice:
        return self.next(lambda notice: notice.state is state)


def text_of(notice: ReaderNotice) -> str:
    """A notice as an English reader sees it."""
    return notice.message % notice.values
