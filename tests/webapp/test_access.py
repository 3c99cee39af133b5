"""Every route and every role, walked; the table in `access.py` is the law and this is the judge."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from scanner_station.domain.people import Role
from scanner_station.webapp.access import ACCESS, ANYBODY, WITNESS_WRITES
from tests.webapp.running import SLUG, RunningStation, nik

TABLET = "192.168.1.20"
DOCUMENT = Path(__file__).parents[2] / "docs" / "security.md"
NOBODY = "nobody"
LETTING_IN = {"login.sign_in", "login.sign_out", "first_start.begin", "pairing.take"}
SIGNS_OUT = {"login.show", *LETTING_IN}
WALKED = [None, *Role]


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStation]:
    with RunningStation(tmp_path_factory.mktemp("access") / "data") as station:
        station.create()
        station.scan(nik(1))
        station.add_people()
        yield station


def routes(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Endpoint, method and an address of every route."""
    for rule in app.url_map.iter_rules():
        path = rule.rule.replace("<slug>", SLUG).replace("<role>", "witness")
        path = re.sub(r"<int:\w+>", "99", path).replace("<path:filename>", "station.css")
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule.endpoint, method, path


def ask(client: FlaskClient, method: str, path: str) -> int:
    """Ask, write with a body that nothing can be made of, and hang up."""
    body = {} if method == "GET" else {"json": []}
    answer = client.open(path, method=method, **body)
    answer.close()
    return answer.status_code


def test_no_route_is_missing_from_the_table_and_none_is_there_for_nothing(
    walked: RunningStation,
) -> None:
    assert {endpoint for endpoint, _, _ in routes(walked.app)} == set(ACCESS)


@pytest.mark.parametrize("address", ["127.0.0.1", TABLET], ids=["kiosk", "network"])
@pytest.mark.parametrize("role", WALKED, ids=lambda role: role or NOBODY)
def test_every_role_gets_what_the_table_gives_it_and_no_more(
    walked: RunningStation, role: Role | None, address: str
) -> None:
    client = walked.client_of(role, address)
    for endpoint, method, path in routes(walked.app):
        if endpoint in SIGNS_OUT:
            client = walked.client_of(role, address)
        status = ask(client, method, path)
        roles = ACCESS[endpoint]
        if roles is ANYBODY or (role is not None and role in roles):
            is_done = endpoint.startswith("first_start.")  # there are people already
            assert status not in (401, 403) or is_done, (endpoint, status)
        elif role is None:
            is_page = method == "GET" and not path.startswith("/api/") and "." not in path
            is_page = is_page and path != "/metrics"
            assert status == (302 if is_page else 401), (endpoint, method, status)
        else:
            assert status == 403, (endpoint, method, status)


def test_a_witness_gets_403_on_every_write_but_their_own_words(walked: RunningStation) -> None:
    clients = [walked.client_of(Role.WITNESS, where) for where in ("127.0.0.1", TABLET)]
    text = " ".join(DOCUMENT.read_text("utf-8").split())
    told = text.partition("a witness's own words, which change")[2].partition("Signing in")[0]
    assert set(re.findall(r"`(\w+\.\w+)`", told)) == WITNESS_WRITES
    written = 0
    for endpoint, method, path in routes(walked.app):
        if method == "GET" or endpoint in LETTING_IN | WITNESS_WRITES:
            continue
        for client in clients:
            assert ask(client, method, path) == 403, endpoint
        written += 1
    assert written > 10


@pytest.mark.parametrize("role", list(Role))
def test_nobody_changes_anything_from_a_page_of_another_site(
    walked: RunningStation, role: Role
) -> None:
    client = walked.client_of(role)
    for endpoint, method, path in routes(walked.app):
        if method == "GET":
            continue
        headers = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
        answer = client.open(path, method=method, json=[], headers=headers)
        assert answer.status_code == 403, endpoint


@pytest.mark.parametrize("token", [None, "", "0" * 64, "ä", "of another login"])
def test_no_write_is_done_without_the_pages_own_token(
    walked: RunningStation, token: str | None
) -> None:
    client = walked.client_of(Role.SUPERVISOR)
    del client.environ_base["HTTP_X_WRITE_TOKEN"]
    if token == "of another login":
        token = walked.client_of(Role.SUPERVISOR).environ_base["HTTP_X_WRITE_TOKEN"]
    headers = {} if token is None else {"X-Write-Token": token}
    for endpoint, method, path in routes(walked.app):
        if method == "GET" or endpoint in LETTING_IN:
            continue
        answer = client.open(path, method=method, json=[], headers=headers)
        assert answer.status_code == 403, endpoint


def test_the_table_for_people_to_read_is_the_same() -> None:
    written = {}
    for line in DOCUMENT.read_text("utf-8").splitlines():
        if match := re.match(r"\| `([a-z_]+\.[a-z_]+|static)` \|([^|]*)\|", line):
            written[match[1]] = frozenset(match[2].replace(",", " ").split())
    known = {
        endpoint: frozenset({"anybody"}) if roles is ANYBODY else frozenset(map(str, roles))
        for endpoint, roles in ACCESS.items()
    }
    assert written == known


def test_programs_of_this_machine_work_with_its_token_and_only_here(
    walked: RunningStation,
) -> None:
    headers = {"Authorization": "Bearer of this machine's programs"}
    here, there = walked.client_of(None), walked.client_of(None, TABLET)
    card = {"payload": nik(7), "nonce": "from a program"}
    counted = here.post(f"/api/batches/{SLUG}/readings", json=card, headers=headers)
    assert (counted.status_code, counted.json["verdict"], counted.json["by"]) == (
        200,
        "counted",
        "petugas",
    )
    assert (
        there.post(f"/api/batches/{SLUG}/readings", json=card, headers=headers).status_code == 401
    )
    for wrong in ("Bearer ", "Bearer x", "Basic of this machine's programs", "Bearer ä"):
        asked = here.get("/api/batches", headers={"Authorization": wrong})
        assert asked.status_code == 401, wrong
