"""The station's certificates: made at the first start, used in turn, renewed when it moves."""

import fcntl
import ipaddress
import socket
import ssl
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from scanner_station.clock import Clock
from scanner_station.storage import certificates as files
from scanner_station.storage.certificates import Certificates

_INTERFACES: Final = Path("/sys/class/net")  # asking for their names needs rights of its own
_ADDRESS_OF_INTERFACE: Final = 0x8915  # SIOCGIFADDR, netdevice(7)


class StationCertificates:
    """What the station proves itself with in the local network."""

    def __init__(
        self,
        folder: Path,
        *,
        station: str,
        more: Iterable[str],
        clock: Clock,
        is_new: bool = False,
    ) -> None:
        """Load what is in the data folder, or make it (with `is_new` in any case).

        `more`: names and addresses of the settings beside those that this machine has now.

        Raises:
            StorageError: the files are damaged or cannot be written.
        """
        self._folder = folder
        self._station = station
        self._more = frozenset(more)
        self._clock = clock
        self._found = (None if is_new else files.load(folder)) or self._make()
        self._used: Path | None = None
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2

    def _make(self) -> Certificates:
        return files.make(
            self._folder,
            station=self._station,
            names=own_names(self._more),
            now=self._clock.now(),
        )

    def renew(self) -> None:
        """Make a new authority and certificates, used from the next connection on.

        Raises:
            StorageError: they cannot be written.
        """
        self._found = self._make()
        self._used = None

    def tls(self) -> ssl.SSLContext:
        """Return what encrypts a connection, with the certificate of this time."""
        found, now = self._found, self._clock.now()
        path = found.path_at(now)
        if path != self._used:
            found.load_into(self._tls, now)
            self._used = path
        return self._tls

    @property
    def authority_pem(self) -> bytes:
        """What tablets have to trust."""
        return (self._found.folder / files.AUTHORITY_FILE).read_bytes()

    @property
    def fingerprint(self) -> str:
        """The authority's SHA-256: 'AB:CD:…'."""
        return self._found.fingerprint

    @property
    def ends(self) -> str:
        """The day on which tablets must be told to trust a new authority, YYYY-MM-DD."""
        return self._found.ends.date().isoformat()

    @property
    def names(self) -> list[str]:
        """Every name and address that the certificates are good for."""
        return sorted(self._found.names)

    @property
    def missing(self) -> list[str]:
        """The names and addresses of this machine that the certificates do not have."""
        return sorted(own_names(self._more) - self._found.names)


def own_addresses() -> list[str]:
    """Return this machine's addresses in its networks (IPv4), the one towards others first."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for interface in _INTERFACES.iterdir():
            wanted = struct.pack("256s", interface.name.encode()[:15])
            try:
                answer = fcntl.ioctl(probe.fileno(), _ADDRESS_OF_INTERFACE, wanted)
            except OSError:  # an interface without an address
                continue
            found.append(socket.inet_ntoa(answer[20:24]))
        first = _towards_others(probe)
    others = [address for address in found if not ipaddress.ip_address(address).is_loopback]
    return sorted(others, key=lambda address: address != first)


def _towards_others(probe: socket.socket) -> str:
    try:
        probe.connect(("192.0.2.1", 9))  # sends nothing: it only asks which way it would go
        return str(probe.getsockname()[0])
    except OSError:
        return ""


def own_names(more: Iterable[str]) -> frozenset[str]:
    """Return every name and address that certificates have to have; `more`: of the settings."""
    own = socket.gethostname().lower().rstrip(".")
    short = own.split(".")[0]
    known = {"localhost", own, f"{short}.local", "127.0.0.1", *own_addresses()}
    return frozenset(known | {name.lower() for name in more})
