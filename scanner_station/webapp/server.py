"""The web server inside the station: enough threads for every stream and for scans besides."""

import logging
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any, Final

from cheroot import wsgi
from flask import Flask

from scanner_station.domain.errors import StationError
from scanner_station.webapp.connections import ConnectionsFrom, Encrypted, PatientConnection
from scanner_station.webapp.context import pages_of

SCAN_THREADS: Final = 16
"""Threads beside those that streams can hold, so that a scan never waits for a stream."""

_IDLE_S: Final = 10
_GONE_MS: Final = 10_000  # a tablet that acknowledges nothing for so long has left
_BACKLOG: Final = 128
_STOP_S: Final = 3

_log = logging.getLogger(__name__)


Application = Callable[..., Iterable[bytes]]


class _WebServer(wsgi.Server):
    """Says what went wrong in the station's own log."""

    ConnectionClass = PatientConnection
    connections_from = ConnectionsFrom(None)

    def process_conn(self, conn: Any) -> None:
        """Give a connection to a thread; one from the network only once it has said something."""
        if conn.last_used is None and self.connections_from.has_limit:
            if self.connections_from.enter(conn):
                self._connections.put(conn)  # type: ignore[attr-defined]  # not in its stubs
            else:
                conn.close()
            return
        super().process_conn(conn)

    def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:
        """Log a line; a page that went away in the middle of an answer is everyday life."""
        is_gone = isinstance(sys.exc_info()[1], ssl.SSLError | ConnectionError | TimeoutError)
        level = logging.DEBUG if is_gone else level
        _log.log(level, "%s", msg, exc_info=traceback and not is_gone)


class Server:
    """Serves an application at one address until stopped."""

    def __init__(
        self,
        app: Application,
        host: str,
        port: int,
        *,
        threads: int,
        encrypted: Encrypted | None = None,
        most_from_one_address: int | None = None,
        before_stop: Callable[[], None] = lambda: None,
    ) -> None:
        """`port` 0 takes any free one; `most_from_one_address`: connections, None for no limit."""
        self._before_stop = before_stop
        self._host = host
        self._wanted_port = port
        self._scheme = "http" if encrypted is None else "https"
        self._server = _WebServer(
            (host, port),
            app,
            numthreads=threads,
            request_queue_size=_BACKLOG,
            timeout=_IDLE_S,
            shutdown_timeout=_STOP_S,
            server_name="scanner-station",
        )
        self._server.ssl_adapter = encrypted
        self._server.connections_from = ConnectionsFrom(most_from_one_address)
        self._server.keep_alive_conn_limit = 4 * threads
        self._server.expiration_interval = 0.1
        self._server.max_request_header_size = 16 * 1024
        self._thread = threading.Thread(target=self._serve, name="web", daemon=True)

    def start(self) -> None:
        """Listen and serve, on threads of its own.

        Raises:
            StationError: the address or port cannot be used.
        """
        try:
            # Tried first: cheroot leaves a socket behind when it cannot have the port.
            family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
            socket.create_server((self._host, self._wanted_port), family=family).close()
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
        return self.address_at(self._host)

    def address_at(self, host: str) -> str:
        """Return where the pages are for whoever knows this machine as `host`."""
        return f"{self._scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"

    def is_alive(self) -> bool:
        """Whether pages are served."""
        return self._thread.is_alive() and bool(self._server.ready)

    def stop(self) -> None:
        """Finish the requests and stop; safe twice."""
        self._before_stop()
        self._server.stop()
        if self._thread.is_alive():
            self._thread.join()


def serve(app: Flask, host: str, port: int, stream_slots: int) -> Server:
    """Return the server of this machine's own pages; when it stops, their streams end first."""
    threads = stream_slots + SCAN_THREADS
    return Server(app, host, port, threads=threads, before_stop=lambda: pages_of(app).close())
