"""What a thief on the wire tries: each is refused in time, and the officer goes on scanning."""

import contextlib
import http.client
import json
import socket
from collections.abc import Iterator

import pytest

from scanner_station.domain.people import Role
from scanner_station.webapp.auth import COOKIE
from scanner_station.webapp.context import pages_of
from tests.fakes import PATIENCE_S
from tests.webapp.running import API_TOKEN, NAMES, SECRETS, SLUG, RunningStation, manifest_of, nik
from tests.webapp.streams import until

JSON = "Content-Type: application/json\r\n"
HOST = "Host: localhost\r\n"
BATCH = f"/api/batches/{SLUG}"


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStation]:
    with RunningStation(tmp_path_factory.mktemp("wire") / "data", slots=3) as running:
        running.create()
        running.load(manifest_of(range(400), ("rusak",), ("Alak",)))
        running.scan(nik(0))
        running.add_people()
        yield running


def said(station: RunningStation, request: str) -> bytes:
    """What the station answers to these bytes, up to the end of its headers."""
    with socket.create_connection(("127.0.0.1", station.server.port), PATIENCE_S) as thief:
        thief.sendall(request.encode("latin-1"))
        answer = b""
        with contextlib.suppress(ConnectionError):
            while b"\r\n\r\n" not in answer and (part := thief.recv(4096)):
                answer += part
        return answer


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def officer_counts(station: RunningStation) -> bool:
    """Count one more card at the kiosk, as the station's own program."""
    before = station.station.counter(SLUG).tally.counted
    connection = http.client.HTTPConnection("127.0.0.1", station.server.port, timeout=PATIENCE_S)
    with contextlib.closing(connection):
        body = json.dumps({"payload": nik(before), "nonce": f"wire {before}"})
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {API_TOKEN}"}
        connection.request("POST", f"{BATCH}/readings", body, headers)
        return bool(json.loads(connection.getresponse().read())["verdict"] == "counted")


def post(path: str, body: str, *more: str) -> str:
    head = f"POST {path} HTTP/1.1\r\n{HOST}{JSON}Content-Length: {len(body)}\r\n{''.join(more)}"
    return f"{head}\r\n{body}"


ODD = {
    "half_an_address_as_host": "GET /healthz HTTP/1.1\r\nHost: [::1\r\n\r\n",
    "host_with_a_user": "GET /healthz HTTP/1.1\r\nHost: localhost@evil.example\r\n\r\n",
    "user_and_own_name": "GET /healthz HTTP/1.1\r\nHost: evil.example@localhost\r\n\r\n",
    "host_as_a_number": "GET /healthz HTTP/1.1\r\nHost: 2130706433\r\n\r\n",
    "host_of_odd_bytes": "GET /healthz HTTP/1.1\r\nHost: \xe2\x84\x80.x\r\n\r\n",
    "no_host": "GET /healthz HTTP/1.1\r\n\r\n",
    "another_site_as_proxy": f"GET http://evil.example/healthz HTTP/1.1\r\n{HOST}\r\n",
    "trace": f"TRACE / HTTP/1.1\r\n{HOST}\r\n",
    "connect": f"CONNECT evil.example:443 HTTP/1.1\r\n{HOST}\r\n",
    "unknown_method": f"FOO /healthz HTTP/1.1\r\n{HOST}\r\n",
    "another_method_in_a_header": f"GET /api/logout HTTP/1.1\r\n{HOST}X-HTTP-Method-Override: POST"
    "\r\n\r\n",
    "nul": f"GET /static/station.css%00 HTTP/1.1\r\n{HOST}\r\n",
    "up": f"GET /static/../../etc/passwd HTTP/1.1\r\n{HOST}\r\n",
    "up_in_disguise": f"GET /static/%2e%2e/..%2f..%5cpyproject.toml HTTP/1.1\r\n{HOST}\r\n",
    "up_in_a_slug": f"GET /api/batches/..%2f..%2fetc/export HTTP/1.1\r\n{HOST}\r\n",
    "no_utf8": f"GET /api/batches/%ff%fe%ed%a0%80 HTTP/1.1\r\n{HOST}\r\n",
    "line_ends": f"GET /login%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\n{HOST}\r\n",
    "endless_address": f"GET /{'a' * 20_000} HTTP/1.1\r\n{HOST}\r\n",
    "endless_header": f"GET /healthz HTTP/1.1\r\n{HOST}X: {'a' * 20_000}\r\n\r\n",
    "range_beyond": f"GET /static/station.css HTTP/1.1\r\n{HOST}Range: bytes={'9' * 30}-\r\n\r\n",
    "a_thousand_ranges": f"GET /api/openapi.json HTTP/1.1\r\n{HOST}Range: bytes="
    + ",".join(f"{n}-" for n in range(1000))
    + "\r\n\r\n",
    "bearer_of_odd_bytes": f"GET /api/batches HTTP/1.1\r\n{HOST}Authorization: Bearer \xff\r\n\r\n",
    "basic": f"GET /api/batches HTTP/1.1\r\n{HOST}Authorization: Basic !!!\r\n\r\n",
    "cookie_of_odd_bytes": f"GET /api/batches HTTP/1.1\r\n{HOST}Cookie: {COOKIE}=\xff\xfe\r\n\r\n",
    "half_an_address_as_origin": post("/api/login", "{}", "Origin: http://[\r\n"),
    "foreign_origin": post("/api/login", "{}", "Origin: http://evil.example\r\n"),
    "deep": post("/api/login", "[" * 30_000 + "]" * 30_000),
    "no_number": post("/api/login", "NaN"),
    "a_number_of_6000_digits": post("/api/login", "1" * 6000),
    "packed": post("/api/login", "{}", "Content-Encoding: gzip\r\n"),
    "too_large": post("/api/login", " " * 70_000),
    "old": "GET /\r\n",
    "new": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_request_is_refused_and_the_station_goes_on_scanning(
    station: RunningStation, name: str
) -> None:
    status = status_of(said(station, ODD[name]))
    assert 400 <= status < 500 or status == 505, status
    assert officer_counts(station)


@pytest.mark.parametrize(
    "last", ["\xb2", "--1", "9" * 20, "-1", "12345678", "abc", "0x10", "1e3", "\x00", " 5"]
)
def test_a_stream_whose_reader_talks_nonsense_costs_no_place(
    station: RunningStation, last: str
) -> None:
    live = pages_of(station.app).live
    for method in ("GET", "HEAD"):
        for _ in range(4):  # more than there are places
            request = (
                f"{method} {BATCH}/events HTTP/1.1\r\n{HOST}Authorization: Bearer {API_TOKEN}\r\n"
                f"Last-Event-ID: {last}\r\n\r\n"
            )
            assert status_of(said(station, request)) in (200, 400, 503)
    until(lambda: live.used == 0)
    assert officer_counts(station)


def test_a_thief_cannot_choose_the_cookie_that_somebody_then_signs_in_with(
    station: RunningStation,
) -> None:
    victim = station.client_of(None)
    victim.set_cookie(COOKIE, "chosen-by-a-thief")
    who = {"name": NAMES[Role.OFFICER], "secret": SECRETS[Role.OFFICER]}
    assert victim.post("/api/login", json=who).status_code == 200
    thief = station.client_of(None)
    thief.set_cookie(COOKIE, "chosen-by-a-thief")
    assert thief.get("/api/batches").status_code == 401


def test_somebody_signed_in_who_guesses_the_pin_of_a_second_person_is_locked_out(
    station: RunningStation,
) -> None:
    """The steps that take two people ask for a secret, too; wrong ones count as at the door."""
    desk = station.client_of(Role.SUPERVISOR, "192.168.1.77")
    said = {"reason": "x", "seconded_by": NAMES[Role.OFFICER], "seconded_secret": "000111"}
    statuses = [desk.post(f"{BATCH}/cancel", json=said).status_code for _ in range(7)]
    assert statuses == [403] * 5 + [429] * 2
    at_the_door = {"name": NAMES[Role.OFFICER], "secret": SECRETS[Role.OFFICER]}
    neighbour = station.client_of(None, "192.168.1.77")
    assert neighbour.post("/api/login", json=at_the_door).status_code == 429
    assert station.client_of(Role.OFFICER).get("/api/batches").status_code == 200


def test_an_export_holds_no_formula_that_an_officer_wrote(station: RunningStation) -> None:
    officer = station.client_of(Role.OFFICER)
    for start in ("=", "+", "-", "@", "\t=", "\uff1d"):
        station.scan(nik(ord(start[0]) % 50 + 300))
        reason = f'{start}HYPERLINK("http://evil.example")'
        answer = officer.get(f"{BATCH}/live").json
        sequence = answer["last_counted"]["sequence"]
        void = {"sequence": sequence, "reason": reason}
        assert officer.post(f"{BATCH}/void", json=void).status_code == 200
    with station.client_of(Role.SUPERVISOR).get(f"{BATCH}/export?format=csv") as exported:
        text = exported.text
    cells = [cell.strip('"') for cell in text.replace("\r\n", ",").split(",")]
    assert text.count("HYPERLINK") == 6
    assert not [cell for cell in cells if "HYPERLINK" in cell and not cell.startswith("'")]
