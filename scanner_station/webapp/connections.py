"""How connections are taken: encrypted off the main loop, not for ever, and not too many."""

import contextlib
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from cheroot import makefile, server
from cheroot.errors import FatalSSLAlert
from cheroot.ssl import Adapter

PATIENCE_S: Final = 10.0
"""A request may take so long to arrive, and longer only as it brings data."""

SLOWEST_BYTES_PER_S: Final = 20_000
MOST_FROM_ONE_ADDRESS: Final = 24

_IDLE_S: Final = 10.0
_MOST_UNREAD: Final = 64 * 1024
_SAID_ONCE: Final = frozenset({b"Content-Length", b"Transfer-Encoding", b"Host"})


class _Headers(dict[bytes, bytes]):
    """The headers of one request; what says where a request ends, or to whom, is said once."""

    def __setitem__(self, name: bytes, value: bytes) -> None:
        if name in _SAID_ONCE and name in self:
            raise ValueError("a header that may stand once stands twice")
        super().__setitem__(name, value)


class _Request(server.HTTPRequest):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.inheaders = _Headers()

    def read_request_headers(self) -> bool:
        """Refuse a body that does not say its length in digits: it would be read without end.

        cheroot takes in a chunk of a gigabyte as one, and all that comes for a length of -1.

        Source: RFC 9110, section 15.5.12; RFC 9112, section 6.3.
        """
        if not super().read_request_headers():  # type: ignore[no-untyped-call]  # cheroot
            return False
        length = self.inheaders.get(b"Content-Length", b"0")
        if b"Transfer-Encoding" not in self.inheaders and length.isdigit():
            return True
        self.close_connection = True
        self.simple_response("411 Length Required", "Say the length of the body in digits.")
        return False

    def send_headers(self) -> None:
        """Begin to answer; what was refused unread is not read afterwards either.

        cheroot would read the rest into memory first, all ten gigabytes of it.
        """
        if getattr(self.rfile, "remaining", 0) > _MOST_UNREAD:
            self.close_connection = True
        super().send_headers()


class PatientConnection(server.HTTPConnection):
    """A connection whose requests must arrive in time, however slowly a client drips them.

    The server's own limit begins anew with every byte, so a request of one byte in nine seconds
    would hold a thread for a day.
    """

    RequestHandlerClass = _Request

    def __init__(self, server_: Any, sock: Any, makefile_: Any = makefile.MakeFile) -> None:
        super().__init__(server_, sock, makefile_)
        self.rfile = _PatientReader(sock, self.rbufsize)

    def communicate(self) -> bool:
        """Serve one request; its time begins now."""
        self.rfile.begin()
        return bool(super().communicate())  # type: ignore[no-untyped-call]  # cheroot

    def close(self) -> None:
        """Close the connection; safe twice."""
        self.server.connections_from.leave(self)
        with contextlib.suppress(OSError):  # it would end the whole server
            super().close()
        self.socket.close()


class _PatientReader(makefile.StreamReader):
    def __init__(self, sock: Any, size: int) -> None:
        self._patient = _PatientSocket(sock, "rb")
        super(makefile.StreamReader, self).__init__(self._patient, size)
        self.bytes_read = 0
        self._pending = getattr(sock, "pending", lambda: 0)

    def begin(self) -> None:
        self._patient.begin()

    def has_data(self) -> bool:
        """Return whether bytes were taken from the network and not looked at yet."""
        return bool(super().has_data() or self._pending())  # type: ignore[no-untyped-call]


class _PatientSocket(socket.SocketIO):
    """Raw bytes of one connection, within the time that its request may take."""

    def __init__(self, sock: Any, mode: Any) -> None:
        super().__init__(sock, mode)
        self._connection = sock
        self.begin()

    def begin(self) -> None:
        self._began_s = time.monotonic()
        self._bytes = 0

    def readinto(self, buffer: Any) -> int | None:
        allowed_s = PATIENCE_S + self._bytes / SLOWEST_BYTES_PER_S
        left_s = self._began_s + allowed_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("timed out")
        self._connection.settimeout(min(_IDLE_S, left_s))
        try:
            count = super().readinto(buffer)
        except ssl.SSLError as error:
            # A tablet that does not trust the certificate yet says so with an alert: everyday.
            raise FatalSSLAlert(*error.args) from error
        finally:
            self._connection.settimeout(_IDLE_S)
        self._bytes += count or 0
        return count


class Encrypted(Adapter):
    """TLS whose handshake happens on the connection's own thread.

    cheroot's own adapter shakes hands on the thread that accepts connections, so one client that
    connects and says nothing keeps all others out.
    """

    def __init__(self, context: Callable[[], ssl.SSLContext]) -> None:
        """`context` is asked for each connection, so that a renewed certificate is used at once."""
        self._context = context

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, str]]:
        """Return the socket encrypted from its first byte on."""
        try:
            wrapped = self._context().wrap_socket(
                sock, server_side=True, do_handshake_on_connect=False
            )
        except OSError as error:
            raise FatalSSLAlert(*error.args) from error
        return wrapped, {"wsgi.url_scheme": "https", "HTTPS": "on"}

    def bind(self, sock: socket.socket) -> socket.socket:
        """Return the listening socket as it is."""
        return sock

    def get_environ(self) -> dict[str, str]:
        """Return nothing more for the application."""
        return {}

    def makefile(self, sock: Any, mode: str = "r", bufsize: int = -1) -> Any:
        """Return a file on an encrypted socket."""
        return makefile.MakeFile(sock, mode, bufsize)


class ConnectionsFrom:
    """How many connections each address has; one address cannot take them all."""

    def __init__(self, most: int | None) -> None:
        """`most`: for each address; None for no limit."""
        self._most = most
        # Guards `_open` and `_count`.
        self._lock = threading.Lock()
        self._open: set[int] = set()
        self._count: Counter[str] = Counter()

    @property
    def has_limit(self) -> bool:
        """Whether connections are counted at all."""
        return self._most is not None

    def enter(self, connection: Any) -> bool:
        """Note a new connection; False when its address has enough."""
        if self._most is None:
            return True
        with self._lock:
            if self._count[connection.remote_addr] >= self._most:
                return False
            self._open.add(id(connection))
            self._count[connection.remote_addr] += 1
            return True

    def leave(self, connection: Any) -> None:
        """Note that a connection is closed; safe twice."""
        with self._lock:
            if id(connection) not in self._open:
                return
            self._open.discard(id(connection))
            self._count[connection.remote_addr] -= 1
            if not self._count[connection.remote_addr]:
                del self._count[connection.remote_addr]
