"""The station's own certificates for HTTPS, made once and kept as files.

A certificate authority of this station is made, signs the certificates that the station will
use one after the other in the coming years, and its key is thrown away: it is never written, so
nobody can steal it, and what it may name is limited to this station's names and to addresses of
private networks. A new authority is needed only when the station gets a name or address that
its certificates do not have; tablets must then be told to trust it once more.

Source: RFC 5280 (name constraints, section 4.2.1.10); Apple's limit of 825 days for the
certificates of an authority that a user has added (support.apple.com/103769).
"""

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from scanner_station.domain.errors import StorageError
from scanner_station.storage.durable_file import synchronise_folder, written_durably

FOLDER: Final = "https"
AUTHORITY_FILE: Final = "authority.crt"

_KEY_FILE: Final = "station.key"
_CERTIFICATES: Final = 5
_LASTS: Final = timedelta(days=800)
_OVERLAP: Final = timedelta(days=60)
_EARLIER: Final = timedelta(days=1)  # a tablet's clock may be behind
_PRIVATE: Final = (
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """The authority that tablets trust, and the station's certificates that it has signed."""

    folder: Path
    authority: x509.Certificate
    stations: tuple[tuple[Path, x509.Certificate], ...]

    @property
    def fingerprint(self) -> str:
        """The authority's SHA-256, in pairs of hexadecimal digits: 'AB:CD:…'."""
        return self.authority.fingerprint(hashes.SHA256()).hex(":").upper()

    @property
    def names(self) -> frozenset[str]:
        """Every name and address that the certificates are good for."""
        found = self.stations[0][1].extensions.get_extension_for_class(x509.SubjectAlternativeName)
        addresses = found.value.get_values_for_type(x509.IPAddress)
        return frozenset(found.value.get_values_for_type(x509.DNSName)) | {
            str(address) for address in addresses
        }

    @property
    def ends(self) -> datetime:
        """When the last certificate ends; a new authority is needed then."""
        return self.stations[-1][1].not_valid_after_utc

    def path_at(self, now: datetime) -> Path:
        """Return the file of the certificate to be used at a time.

        The newest that has begun: each begins two months before the one before it ends. With a
        clock that is behind them all (a computer without a battery for it), the first.
        """
        begun = [path for path, one in self.stations if one.not_valid_before_utc <= now]
        return begun[-1] if begun else self.stations[0][0]

    def load_into(self, context: ssl.SSLContext, now: datetime) -> None:
        """Have new connections use the certificate of this time."""
        context.load_cert_chain(self.path_at(now), self.folder / _KEY_FILE)


def load(data: Path) -> Certificates | None:
    """Return the certificates in a data folder; None when none were made.

    Raises:
        StorageError: they are damaged.
    """
    folder = data / FOLDER
    if not (folder / AUTHORITY_FILE).is_file():
        return None
    try:
        authority = x509.load_pem_x509_certificate((folder / AUTHORITY_FILE).read_bytes())
        paths = sorted(folder.glob("station-*.crt"))
        stations = [(path, x509.load_pem_x509_certificate(path.read_bytes())) for path in paths]
    except (OSError, ValueError) as error:
        raise _damaged(folder) from error
    if not stations:
        raise _damaged(folder)
    return Certificates(folder=folder, authority=authority, stations=tuple(stations))


def make(data: Path, *, station: str, names: frozenset[str], now: datetime) -> Certificates:
    """Make a new authority and the station's certificates; what was there is replaced.

    `names`: host names and addresses at which the station is reached.

    Raises:
        StorageError: they cannot be written.
    """
    folder = data / FOLDER
    hosts, addresses = _split(names)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _authority(authority_key, station, hosts, addresses, now)
    key = ec.generate_private_key(ec.SECP256R1())
    every = _LASTS - _OVERLAP
    certificates = [
        _station(key, authority_key, authority, hosts, addresses, now + number * every)
        for number in range(_CERTIFICATES)
    ]
    del authority_key  # it has signed what it was made for
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        # The authority last: without it nothing of a half-written folder is used.
        (folder / AUTHORITY_FILE).unlink(missing_ok=True)
        for old in folder.glob("station-*.crt"):
            old.unlink()
        synchronise_folder(folder)
    except OSError as error:
        raise StorageError(
            "%(path)s could not be written (%(why)s); nothing was left behind: free some space "
            "or write it elsewhere",
            path=str(folder),
            why=error.strerror or str(error),
        ) from error
    _write(folder / _KEY_FILE, _key_pem(key))
    for number, certificate in enumerate(certificates, start=1):
        _write(folder / f"station-{number}.crt", _pem(certificate) + _pem(authority))
    _write(folder / AUTHORITY_FILE, _pem(authority))
    found = load(data)
    if found is None:
        raise _damaged(folder)
    return found


def _authority(
    key: ec.EllipticCurvePrivateKey,
    station: str,
    hosts: list[str],
    addresses: list[Address],
    now: datetime,
) -> x509.Certificate:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, f"Stasiun Hitung {station} {now:%Y-%m-%d}"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Scanner station (this station only)"),
        ]
    )
    private = [ipaddress.ip_network(network) for network in _PRIVATE]
    own = [ipaddress.ip_network(address) for address in addresses]
    others = [one for one in own if not any(_is_in(one, network) for network in private)]
    permitted: list[x509.GeneralName] = [x509.DNSName(host) for host in hosts]
    permitted += [x509.IPAddress(network) for network in private + others]
    usage = {"key_cert_sign": True, "crl_sign": True}
    return (
        _builder(name, name, key, now, now + _CERTIFICATES * _LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(**usage), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _station(
    key: ec.EllipticCurvePrivateKey,
    authority_key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    hosts: list[str],
    addresses: list[Address],
    begins: datetime,
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
    names: list[x509.GeneralName] = [x509.DNSName(host) for host in hosts]
    names += [x509.IPAddress(address) for address in addresses]
    public = authority_key.public_key()
    return (
        _builder(name, authority.subject, key, begins, begins + _LASTS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _builder(
    name: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    begins: datetime,
    ends: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins - _EARLIER)
        .not_valid_after(ends - _EARLIER)
    )


def _usage(**granted: bool) -> x509.KeyUsage:
    names = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement "
        "key_cert_sign crl_sign encipher_only decipher_only"
    )
    return x509.KeyUsage(**(dict.fromkeys(names.split(), False) | granted))


def _split(names: frozenset[str]) -> tuple[list[str], list[Address]]:
    hosts: list[str] = []
    addresses: list[Address] = []
    for name in sorted(names):
        try:
            addresses.append(ipaddress.ip_address(name))
        except ValueError:
            hosts.append(name)
    return hosts or ["localhost"], addresses


def _is_in(
    one: ipaddress.IPv4Network | ipaddress.IPv6Network,
    network: ipaddress.IPv4Network | ipaddress.IPv6Network,
) -> bool:
    return one.version == network.version and network.supernet_of(one)  # type: ignore[arg-type]


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, data: bytes) -> None:
    with written_durably(path) as file:
        file.write(data)


def _damaged(folder: Path) -> StorageError:
    return StorageError(
        "the certificates in %(folder)s are damaged; `scanner-station certificate renew` makes "
        "new ones, and tablets must be told to trust them once more",
        folder=str(folder),
    )
