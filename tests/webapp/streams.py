"""Event streams as tablets open and leave them, on raw sockets."""

import contextlib
import http.client
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.fakes import PATIENCE_S
from tests.webapp.running import SLUG


def until(what: Callable[[], bool]) -> None:
    """Wait for something that nobody tells of."""
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)


def open_stream(port: int, slug: str = SLUG, *, since: int | None = None) -> socket.socket:
    """Open a stream; nothing of it is read beyond what the kernel takes in."""
    opened = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
    last = "" if since is None else f"Last-Event-ID: {since}\r\n"
    request = f"GET /api/batches/{slug}/events HTTP/1.1\r\nHost: localhost\r\n{last}\r\n"
    opened.sendall(request.encode())
    return opened


def reset(opened: socket.socket) -> None:
    """Leave as a tablet does whose browser was killed: no goodbye, a reset."""
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    opened.close()


def events(opened: socket.socket) -> Iterator[tuple[str, Any]]:
    """Yield (event, data) as they arrive; ends when the station closes the stream."""
    with contextlib.closing(http.client.HTTPResponse(opened)) as response:
        response.begin()
        if response.status != 200:
            raise ConnectionRefusedError(response.status)
        name = ""
        while line := response.readline().decode():
            if line.startswith("event: "):
                name = line.removeprefix("event: ").strip()
            elif line.startswith("data: "):
                yield name, json.loads(line.removeprefix("data: "))


class Caller:
    """A page's calls over one connection that is kept."""

    def __init__(self, port: int, *, authorization: str = "") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        self._headers = {"Content-Type": "application/json"}
        if authorization:
            self._headers["Authorization"] = authorization
        self._nonce = 0

    def scan(self, payload: str, slug: str = SLUG) -> Any:
        """Send one card; return its verdict."""
        self._nonce += 1
        body = json.dumps({"payload": payload, "nonce": f"n{self._nonce}"})
        self._connection.request("POST", f"/api/batches/{slug}/readings", body, self._headers)
        response = self._connection.getresponse()
        answer = json.loads(response.read())
        if response.status != 200:
            raise ConnectionRefusedError(response.status, answer)
        return answer

    def close(self) -> None:
        self._connection.close()
