"""The station in the local network: HTTPS for tablets, and one plain page about trusting it.

The pages on 127.0.0.1 have a server of their own, so whatever the network does, the officer at
the station goes on.
"""

import ipaddress
import logging
import socket
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from scanner_station.clock import Clock
from scanner_station.config import Settings
from scanner_station.domain.errors import StationError
from scanner_station.service.certificates import StationCertificates, own_addresses
from scanner_station.webapp.connections import MOST_FROM_ONE_ADDRESS, Encrypted
from scanner_station.webapp.server import SCAN_THREADS, Application, Server

PLAIN: Final = "scanner_station.plain"
"""In the environment of a request that came unencrypted through the network."""

_PLAIN_THREADS: Final = 8

_log = logging.getLogger(__name__)


class Network:
    """The two servers that the local network reaches; quiet until `start`."""

    def __init__(self, app: Application, folder: Path, settings: Settings, clock: Clock) -> None:
        """`folder`: the data folder, where the certificates are kept."""
        self._app = app
        self._folder = folder
        self._settings = settings
        self._clock = clock
        # Guards everything below.
        self._lock = threading.Lock()
        self._servers: list[Server] = []
        self._certificates: StationCertificates | None = None
        self._trouble: StationError | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether the settings let the local network in at all."""
        return bool(self._settings.web.network)

    @property
    def trouble(self) -> StationError | None:
        """Why tablets cannot reach the station although they should."""
        return self._trouble

    @property
    def certificates(self) -> StationCertificates | None:
        """The certificates in use; None before they were made."""
        return self._certificates

    def start(self) -> None:
        """Serve the network; safe twice. A station without it still counts, and says why."""
        with self._lock:
            if self._servers or not self.is_wanted:
                return
            try:
                self._start()
                self._trouble = None
            except StationError as error:
                _log.error("tablets cannot reach the station: %s", error)
                self._trouble = error
                self._stop()

    def _start(self) -> None:
        web = self._settings.web
        self._certificates = StationCertificates(
            self._folder,
            station=self._settings.station.name,
            more=web.names,
            clock=self._clock,
        )
        encrypted = Server(
            self._app,
            web.network,
            web.https_port,
            threads=web.stream_slots + SCAN_THREADS,
            encrypted=Encrypted(self._certificates.tls),
            most_from_one_address=MOST_FROM_ONE_ADDRESS,
        )
        plain = Server(
            _marked_plain(self._app),
            web.network,
            web.certificate_port,
            threads=_PLAIN_THREADS,
            most_from_one_address=MOST_FROM_ONE_ADDRESS,
        )
        for server in (encrypted, plain):
            server.start()
            self._servers.append(server)

    def stop(self) -> None:
        """Stop serving the network; safe twice."""
        with self._lock:
            self._stop()

    def _stop(self) -> None:
        while self._servers:
            self._servers.pop().stop()

    # --- addresses -------------------------------------------------------------------------

    @property
    def https_address(self) -> str:
        """Where tablets find the station, without a slash at the end; '' when they cannot."""
        return self._address(0)

    @property
    def certificate_address(self) -> str:
        """Where tablets find the page that says how to trust it; '' when they cannot."""
        return self._address(1)

    def _address(self, number: int) -> str:
        with self._lock:
            servers = list(self._servers)
        if len(servers) <= number:
            return ""
        return servers[number].address_at(self._reached_at())

    def _reached_at(self) -> str:
        host = self._settings.web.network
        if not ipaddress.ip_address(host).is_unspecified:
            return host
        own = own_addresses()
        return own[0] if own else socket.gethostname()


def _marked_plain(app: Application) -> Application:
    def plain(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ[PLAIN] = True
        return app(environ, start_response)

    return plain
