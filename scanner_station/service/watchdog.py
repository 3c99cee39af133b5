"""Tells systemd that the station is ready, at work, or stopping; elsewhere it does nothing.

Source: sd_notify(3), sd_watchdog_enabled(3).
"""

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Mapping

_MICROSECONDS = 1_000_000


class Watchdog:
    """Speaks to the service manager that started this process.

    A ping is sent, at half the time that systemd waits for one, only while `is_alive()` is true:
    a station that hangs is restarted, and its count is rebuilt from the log. A manager that
    cannot be reached is no reason to stop counting: such errors are ignored.
    """

    def __init__(
        self, *, is_alive: Callable[[], bool], environ: Mapping[str, str] = os.environ
    ) -> None:
        self._is_alive = is_alive
        self._address = environ.get("NOTIFY_SOCKET", "")
        self._ping_every_s = _ping_every_s(environ) if self._address else 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self, status: str = "") -> None:
        """Say that the station is ready, and ping from now on if systemd waits for pings."""
        self._notify("READY=1", status)
        if self._ping_every_s:
            self._thread.start()

    def status(self, text: str) -> None:
        """Show one line of text in `systemctl status`."""
        self._notify("", text)

    def stop(self) -> None:
        """Say that the station is stopping, and ping no more; safe twice."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        self._notify("STOPPING=1")

    def _run(self) -> None:
        while not self._stopped.wait(self._ping_every_s):
            if self._is_alive():
                self._notify("WATCHDOG=1")

    def _notify(self, state: str, status: str = "") -> None:
        if not self._address:
            return
        lines = [state, f"STATUS={' '.join(status.split())}" if status else ""]
        message = "\n".join(line for line in lines if line)
        # "@" stands for the NUL byte that begins an abstract socket's name.
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out,
        ):
            out.sendto(message.encode(), address)


def _ping_every_s(environ: Mapping[str, str]) -> float:
    """Return the seconds between pings; 0.0 if nobody waits for this process's pings."""
    waits_us = environ.get("WATCHDOG_USEC", "")
    is_for_us = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return int(waits_us) / _MICROSECONDS / 2 if waits_us.isdecimal() and is_for_us else 0.0
