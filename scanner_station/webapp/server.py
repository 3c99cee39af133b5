"""The web server inside the station: enough threads for every stream and for scans besides."""

import logging
import socket
import threading
from typing import Final

from cheroot import wsgi
from flask import Flask

from scanner_station.domain.errors import StationError
from scanner_station.webapp.app import close_app

SCAN_THREADS: Final = 16
"""Threads beside those that streams can hold, so that a scan never waits for a stream."""

_IDLE_S: Final = 10
_GONE_MS: Final = 10_000  # a tablet that acknowledges nothing for so long has left
_BACKLOG: Final = 128
_STOP_S: Final = 3

_log = logging.getLogger(__name__)


class _WebServer(wsgi.Server):
    """Says what went wrong in the station's own log."""

    def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:
        """Log a line; a page that went away in the middle of an answer is everyday life."""
        _log.log(level, "%s", msg, exc_info=traceback)


class Server:
    """Serves an application until stopped."""

    def __init__(self, app: Flask, host: str, port: int, stream_slots: int) -> None:
        self._app = app
        self._host = host
        self._wanted_port = port
        self._server = _WebServer(
            (host, port),
            app,
            numthreads=stream_slots + SCAN_THREADS,
            request_queue_size=_BACKLOG,
            timeout=_IDLE_S,
            shutdown_timeout=_STOP_S,
            server_name="scanner-station",
        )
        self._server.keep_alive_conn_limit = 4 * (stream_slots + SCAN_THREADS)
        self._server.expiration_interval = 0.1
        self._server.max_request_header_size = 16 * 1024
        self._thread = threading.Thread(target=self._serve, name="web", daemon=True)

    def start(self) -> None:
        """Listen and serve, on threads of its own.

        Raises:
            StationError: the address or port cannot be used.
        """
        try:
            self._server.prepare()
        except OSError as error:
            raise StationError(
                "the pages cannot be served at %(host)s port %(port)s (%(why)s); stop what uses "
                "it or set web.port",
                host=self._host,
                port=self._wanted_port,
                why=str(error),
            ) from error
        # Accepted connections inherit it.
        self._server.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _GONE_MS)
        self._thread.start()

    def _serve(self) -> None:
        self._server.serve()

    @property
    def port(self) -> int:
        """The port that is served, also when any free one was asked for."""
        return int(self._server.bind_addr[1])

    @property
    def address(self) -> str:
        """Where the pages are, without a slash at the end."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self.port}"

    def is_alive(self) -> bool:
        """Whether pages are served."""
        return self._thread.is_alive() and bool(self._server.ready)

    def stop(self) -> None:
        """End the streams, finish the requests and stop; safe twice."""
        close_app(self._app)
        self._server.stop()
        if self._thread.is_alive():
            self._thread.join()


def serve(app: Flask, host: str, port: int, stream_slots: int) -> Server:
    """Return a server for the pages; `port` 0 takes any free one."""
    return Server(app, host, port, stream_slots)
