import contextlib
import http.client
import logging
import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from scanner_station.domain.people import Role
from scanner_station.webapp import connections
from scanner_station.webapp.context import pages_of
from scanner_station.webapp.network import Network
from tests.fakes import PATIENCE_S, FakeClock
from tests.webapp.running import NAMES, SECRETS, SLUG, RunningStation, nik
from tests.webapp.streams import until

DAY_S = 86_400
ENOUGH = connections.MOST_FROM_ONE_ADDRESS


@pytest.fixture
def station(tmp_path: Path) -> Iterator[RunningStation]:
    with RunningStation(tmp_path / "data", slots=2) as running:
        running.create()
        running.add_people()
        network_of(running).start()
        yield running


def network_of(running: RunningStation) -> Network:
    return pages_of(running.app).network


def port_of(address: str) -> int:
    return int(address.rsplit(":", 1)[1])


def trusting(running: RunningStation) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(running.folder / "https" / "authority.crt"))


def https(running: RunningStation) -> http.client.HTTPSConnection:
    return http.client.HTTPSConnection(
        "127.0.0.1",
        port_of(network_of(running).https_address),
        context=trusting(running),
        timeout=PATIENCE_S,
    )


def status(running: RunningStation, path: str = "/healthz") -> int:
    with contextlib.closing(https(running)) as connection:
        connection.request("GET", path)
        return connection.getresponse().status


def raw(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)


def is_closed(connection: socket.socket) -> bool:
    """Wait until the other side has hung up; what it said before does not matter."""
    try:
        while connection.recv(4096):
            pass
    except ConnectionError:
        pass
    return True


def kiosk_counts(running: RunningStation, number: int) -> bool:
    with contextlib.closing(
        http.client.HTTPConnection("127.0.0.1", running.server.port, timeout=PATIENCE_S)
    ) as connection:
        headers = {
            "Content-Type": "application/json",
            "Authorization": "Bearer of this machine's programs",
        }
        body = f'{{"payload": "{nik(number)}", "nonce": "{number}"}}'
        connection.request("POST", f"/api/batches/{SLUG}/readings", body, headers)
        return b'"verdict":"counted"' in connection.getresponse().read()


def test_a_tablet_that_trusts_the_station_comes_in_encrypted(station: RunningStation) -> None:
    with contextlib.closing(https(station)) as connection:
        body = f'{{"name": "{NAMES[Role.WITNESS]}", "secret": "{SECRETS[Role.WITNESS]}"}}'
        connection.request("POST", "/api/login", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        cookie = str(answer.headers["Set-Cookie"]).split(";")[0]
        assert (answer.status, b'"role":"witness"' in answer.read()) == (200, True)
        connection.request("GET", f"/api/batches/{SLUG}", headers={"Cookie": cookie})
        assert connection.getresponse().status == 200


def test_old_protocols_are_refused(station: RunningStation) -> None:
    context = trusting(station)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with raw(port_of(network_of(station).https_address)) as plain, pytest.raises(ssl.SSLError):
        context.wrap_socket(plain, server_hostname="127.0.0.1")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/api/batches"), ("POST", "/api/login"), ("GET", "/nothing")],
)
def test_unencrypted_the_network_gets_the_page_about_the_certificate_and_nothing_else(
    station: RunningStation, method: str, path: str
) -> None:
    port = port_of(network_of(station).certificate_address)
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        connection.request(method, path)
        answer = connection.getresponse()
        answer.read()
        assert (answer.status, answer.headers["Location"]) == (302, "/certificate")
        connection.request("GET", "/certificate")
        page = connection.getresponse().read().decode()
        certificates = network_of(station).certificates
        assert certificates is not None
        assert certificates.fingerprint.replace(":", " ") in page
        connection.request("GET", "/station.crt")
        answer = connection.getresponse()
        assert answer.headers["Content-Type"] == "application/x-x509-ca-cert"
        assert answer.read() == (station.folder / "https" / "authority.crt").read_bytes()


def test_whoever_says_nothing_keeps_nobody_out(station: RunningStation) -> None:
    port = port_of(network_of(station).https_address)
    with contextlib.ExitStack() as stack:
        for _ in range(ENOUGH - 2):
            stack.enter_context(raw(port))
        assert status(station) == 200
        assert kiosk_counts(station, 1)


def test_one_address_cannot_take_all_connections(station: RunningStation) -> None:
    port = port_of(network_of(station).https_address)
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(raw(port)) for _ in range(ENOUGH)]
        one_more = stack.enter_context(raw(port))
        assert is_closed(one_more)
        assert kiosk_counts(station, 1)
        silent.pop().close()
        deadline = time.monotonic() + PATIENCE_S
        while True:  # until the server has seen that one has left
            try:
                assert status(station) == 200
                break
            except (ConnectionError, ssl.SSLError):
                assert time.monotonic() < deadline


def test_a_dripping_request_is_hung_up_on_and_the_station_goes_on_scanning(
    station: RunningStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "PATIENCE_S", 0.4)
    monkeypatch.setattr(connections, "SLOWEST_BYTES_PER_S", 10**9)
    head = "POST /api/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    encrypted = port_of(network_of(station).https_address)
    for start in ("GET /heal", head + "X-Slow: ", head + "Content-Length: 4000\r\n\r\n{"):
        with trusting(station).wrap_socket(raw(encrypted), server_hostname="127.0.0.1") as slow:
            with contextlib.suppress(OSError):
                for byte in start.encode() + b" " * 40:
                    slow.send(bytes([byte]))
                    time.sleep(0.03)  # the drip is what is tested
            assert is_closed(slow)
    assert kiosk_counts(station, 1)
    assert status(station) == 200


@pytest.mark.parametrize("size", [70_000, 10**10])
def test_a_body_without_end_is_refused_and_not_read(station: RunningStation, size: int) -> None:
    encrypted = port_of(network_of(station).https_address)
    head = (
        "POST /api/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {size}\r\n\r\n"
    )
    with trusting(station).wrap_socket(raw(encrypted), server_hostname="127.0.0.1") as sender:
        sender.sendall(head.encode())
        assert sender.recv(12) == b"HTTP/1.1 413"
        assert is_closed(sender)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("Content-Length: -1", b"411"),
        ("Content-Length: +2", b"411"),
        ("Content-Length: 1_0", b"411"),
        ("Content-Length: 2, 2", b"400"),
        ("Content-Length: 2\r\nContent-Length: 2000000", b"400"),
        ("Content-Length: 2\r\nTransfer-Encoding: chunked", b"411"),
        ("Transfer-Encoding: chunked", b"411"),
        ("Transfer-Encoding: xchunked", b"501"),
        ("Host: 127.0.0.1", b"400"),
    ],
)
def test_a_request_that_does_not_say_clearly_where_it_ends_is_refused_and_not_read(
    station: RunningStation, said: str, answer: bytes
) -> None:
    encrypted = port_of(network_of(station).https_address)
    head = (
        "POST /api/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"{said}\r\n\r\n"
    )
    with trusting(station).wrap_socket(raw(encrypted), server_hostname="127.0.0.1") as sender:
        sender.sendall(head.encode() + b"ffffffff\r\n")
        assert sender.recv(12)[9:] == answer
        assert is_closed(sender)
    assert kiosk_counts(station, 1)


def test_chunks_without_end_are_not_taken_in(station: RunningStation) -> None:
    encrypted = port_of(network_of(station).https_address)
    head = (
        "POST /api/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    )
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    with trusting(station).wrap_socket(raw(encrypted), server_hostname="127.0.0.1") as sender:
        sender.sendall(head.encode())
        sent = 0
        with contextlib.suppress(OSError):
            for _ in range(400):  # 26 MB
                sender.sendall(chunk)
                sent += 1
        assert sent < 400 or sender.recv(12).startswith(b"HTTP/1.1 4")
    assert kiosk_counts(station, 1)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "127.0.0.1, x"])
def test_another_name_is_refused_over_the_wire_too(station: RunningStation, host: str) -> None:
    with contextlib.closing(https(station)) as connection:
        connection.putrequest("GET", "/healthz", skip_host=True)
        connection.putheader("Host", host)
        connection.endheaders()
        assert connection.getresponse().status in (400, 421)
    assert kiosk_counts(station, 1)


def test_whoever_speaks_plainly_to_the_encrypted_port_is_hung_up_on_without_a_trace(
    station: RunningStation, caplog: pytest.LogCaptureFixture
) -> None:
    port = port_of(network_of(station).https_address)
    with caplog.at_level(logging.INFO), raw(port) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert is_closed(plain)
    assert "Traceback" not in caplog.text
    assert status(station) == 200


def test_a_tablet_that_leaves_without_a_goodbye_fills_no_log(
    station: RunningStation, caplog: pytest.LogCaptureFixture
) -> None:
    live = pages_of(station.app).live
    request = (
        f"GET /api/batches/{SLUG}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Authorization: Bearer of this machine's programs\r\n\r\n"
    )
    port = port_of(network_of(station).https_address)
    with caplog.at_level(logging.INFO):
        with trusting(station).wrap_socket(raw(port), server_hostname="127.0.0.1") as tablet:
            tablet.sendall(request.encode())
            assert tablet.recv(15) == b"HTTP/1.1 200 OK"
            assert live.used == 1
        station.scan(nik(1))
        until(lambda: live.used == 0)
        station.server.stop()  # its threads have said all they had to say
        network_of(station).stop()
    assert "Traceback" not in caplog.text


def test_a_new_certificate_is_used_from_the_next_connection_on(station: RunningStation) -> None:
    assert status(station) == 200
    old = trusting(station)
    desk = station.client_of(Role.SUPERVISOR)
    made = desk.post("/api/certificate/renew", json={})
    certificates = network_of(station).certificates
    assert certificates is not None
    assert made.json["fingerprint"] == certificates.fingerprint
    assert status(station) == 200
    with (
        raw(port_of(network_of(station).https_address)) as plain,
        pytest.raises(ssl.SSLError, match="certificate verify failed"),
    ):
        old.wrap_socket(plain, server_hostname="127.0.0.1")
    assert desk.get("/api/people").json["record"][0]["what"] == "certificate renewed"


def test_a_running_station_changes_to_its_next_certificate_by_itself(tmp_path: Path) -> None:
    clock = FakeClock(datetime.now(UTC))
    with RunningStation(tmp_path / "data", clock=clock) as running:
        running.create()
        running.add_people()
        network_of(running).start()
        port = port_of(network_of(running).https_address)
        authority = trusting(running)

        def shown() -> tuple[datetime, bytes]:
            unchecked = ssl.create_default_context()
            unchecked.check_hostname = False
            unchecked.verify_mode = ssl.CERT_NONE
            with unchecked.wrap_socket(raw(port)) as tablet:
                found = tablet.getpeercert(binary_form=True)
            assert found is not None
            return x509.load_der_x509_certificate(found).not_valid_after_utc, found

        with authority.wrap_socket(raw(port), server_hostname="127.0.0.1") as open_before:
            seen = [shown()]
            for _ in range(4):
                clock.advance((seen[-1][0] - clock.now()).total_seconds() - 61 * DAY_S)
                assert shown() == seen[-1]
                clock.advance(2 * DAY_S)
                seen.append(shown())
                assert seen[-1][0] - clock.now() > timedelta(days=700)
            assert len({der for _, der in seen}) == 5
            # A tablet that has followed all the while is not cut off, and its authority signed all.
            open_before.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert open_before.recv(15) == b"HTTP/1.1 200 OK"
        pem = (running.folder / "https" / "authority.crt").read_bytes()
        signer = x509.load_pem_x509_certificate(pem)
        for _, der in seen:
            x509.load_der_x509_certificate(der).verify_directly_issued_by(signer)


def test_a_port_that_is_taken_stops_no_counting_and_is_said(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        RunningStation(tmp_path / "data", https_port=taken.getsockname()[1]) as running,
    ):
        running.create()
        running.add_people()
        network_of(running).start()
        assert network_of(running).trouble is not None
        assert kiosk_counts(running, 1)
        said = running.client_of(Role.SUPERVISOR).get("/pairing").text
        assert str(taken.getsockname()[1]) in said
