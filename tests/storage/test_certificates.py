import contextlib
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from scanner_station.domain.errors import StorageError
from scanner_station.storage import certificates
from scanner_station.storage.certificates import Certificates

NOW = datetime.now(UTC)
NAMES = frozenset({"localhost", "stasiun.local", "127.0.0.1", "192.168.1.20"})


@pytest.fixture
def made(tmp_path: Path) -> Certificates:
    return certificates.make(tmp_path, station="station-1", names=NAMES, now=NOW)


def shaken_hands(server: ssl.SSLContext, authority: Path, name: str) -> str:
    """Connect as a tablet that trusts this authority and no other; '' or what it says."""
    client = ssl.create_default_context(cafile=str(authority))
    here, there = socket.socketpair()

    def serve() -> None:
        with contextlib.suppress(OSError), server.wrap_socket(there, server_side=True) as wrapped:
            wrapped.recv(1)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(here, server_hostname=name) as wrapped:
            wrapped.send(b"x")
    except ssl.SSLError as error:
        return str(error)
    else:
        return ""
    finally:
        here.close()
        thread.join()
        there.close()


def server_context(made: Certificates, at: datetime = NOW) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_into(context, at)
    return context


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_tablet_that_trusts_the_authority_trusts_every_name_of_the_station(
    made: Certificates, name: str
) -> None:
    authority = made.folder / certificates.AUTHORITY_FILE
    assert shaken_hands(server_context(made), authority, name) == ""


@pytest.mark.parametrize("name", ["bank.example", "192.168.1.21"])
def test_it_trusts_no_other_name(made: Certificates, name: str) -> None:
    authority = made.folder / certificates.AUTHORITY_FILE
    assert "mismatch" in shaken_hands(server_context(made), authority, name)


def test_even_with_its_key_the_authority_could_not_speak_for_another_site(tmp_path: Path) -> None:
    # What is thrown away, kept here to try it.
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = certificates._authority(authority_key, "station-1", ["stasiun.local"], [], NOW)
    for name in ("bank.example", "8.8.8.8", "stasiun.local"):
        hosts, addresses = certificates._split(frozenset({name}))
        forged = certificates._station(key, authority_key, authority, hosts, addresses, NOW)
        path = tmp_path / "forged.pem"
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.write_bytes(forged.public_bytes(serialization.Encoding.PEM) + secret)
        trusted = tmp_path / "authority.pem"
        trusted.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        said = shaken_hands(context, trusted, name)
        assert ("permitted subtree violation" in said) == (name != "stasiun.local"), name


def test_the_authoritys_key_is_nowhere(made: Certificates, tmp_path: Path) -> None:
    keys = []
    for path in tmp_path.rglob("*"):
        if path.is_file() and b"PRIVATE KEY" in path.read_bytes():
            keys.append(path)
            assert path.stat().st_mode & 0o077 == 0
            key = serialization.load_pem_private_key(path.read_bytes(), None)
            assert key.public_key() != made.authority.public_key()
    assert [path.name for path in keys] == ["station.key"]


def test_only_the_owner_enters_the_folder(made: Certificates) -> None:
    assert made.folder.stat().st_mode & 0o077 == 0


def test_a_certificate_is_good_for_what_apple_accepts(made: Certificates) -> None:
    for _, certificate in made.stations:
        lasts = certificate.not_valid_after_utc - certificate.not_valid_before_utc
        assert lasts <= timedelta(days=825)
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        assert [purpose.dotted_string for purpose in usage.value] == ["1.3.6.1.5.5.7.3.1"]
        assert certificate.signature_hash_algorithm is not None
        assert certificate.signature_hash_algorithm.name == hashes.SHA256.name
        certificate.verify_directly_issued_by(made.authority)


def test_one_certificate_follows_the_other_for_ten_years_without_a_gap(
    made: Certificates,
) -> None:
    day = NOW
    used = []
    while day < NOW + timedelta(days=3700):
        path = made.path_at(day)
        certificate = dict(made.stations)[path]
        left = certificate.not_valid_after_utc - day
        assert certificate.not_valid_before_utc <= day
        assert left > timedelta(days=50)
        if path not in used:
            used.append(path)
        day += timedelta(days=10)
    assert len(used) == 5
    assert made.ends > day
    assert made.authority.not_valid_after_utc >= made.ends


def test_a_machine_whose_clock_is_behind_uses_the_first(made: Certificates) -> None:
    assert made.path_at(datetime(1970, 1, 1, tzinfo=UTC)).name == "station-1.crt"


def test_they_are_found_again_and_new_ones_replace_them(made: Certificates, tmp_path: Path) -> None:
    again = certificates.load(tmp_path)
    assert again is not None
    assert (again.fingerprint, again.names) == (made.fingerprint, NAMES)
    new = certificates.make(tmp_path, station="station-1", names=NAMES | {"10.0.0.5"}, now=NOW)
    assert new.fingerprint != made.fingerprint
    assert shaken_hands(server_context(new), new.folder / "authority.crt", "10.0.0.5") == ""


def test_half_written_certificates_are_not_used(made: Certificates, tmp_path: Path) -> None:
    (made.folder / certificates.AUTHORITY_FILE).unlink()
    assert certificates.load(tmp_path) is None


@pytest.mark.parametrize("damage", ["authority.crt", "station-3.crt"])
def test_damaged_files_are_named(made: Certificates, tmp_path: Path, damage: str) -> None:
    (made.folder / damage).write_bytes(b"nothing of use")
    with pytest.raises(StorageError, match="certificate renew"):
        certificates.load(tmp_path)
