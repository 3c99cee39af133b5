import pytest
from flask.testing import FlaskClient

from tests.webapp.running import SLUG, nik

READINGS = f"/api/batches/{SLUG}/readings"
CARD = {"payload": nik(1), "nonce": "n"}


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "localhost.evil.example", ""]
)
def test_another_name_is_refused(client: FlaskClient, host: str) -> None:
    assert client.get("/api/batches", headers={"Host": host}).status_code in (400, 421)


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:8080", "192.168.1.20"])
def test_an_address_or_localhost_is_ours(client: FlaskClient, host: str) -> None:
    assert client.get("/api/batches", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}, 200),
        ({"Origin": "http://localhost"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:1"}, 403),
        ({"Origin": "http://["}, 403),
    ],
)
def test_only_our_own_pages_and_programs_write(
    client: FlaskClient, headers: dict[str, str], status: int
) -> None:
    assert client.post(READINGS, json=CARD, headers=headers).status_code == status


@pytest.mark.parametrize("path", ["/", "/witness", "/supervisor", "/api/batches", "/nix"])
def test_pages_run_nothing_inline_and_are_not_kept(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_a_batch_title_cannot_run_in_a_page(client: FlaskClient) -> None:
    title = "</script><script>alert(1)</script>"
    client.post("/api/batches", json={"slug": "x", "title": title})
    for path in ("/", "/witness", "/supervisor"):
        assert "alert(1)" not in client.get(path).text


def test_the_language_can_be_chosen_and_stays(client: FlaskClient) -> None:
    assert "Petugas" in client.get("/").text
    moved = client.get("/?language=en")
    assert moved.status_code == 302
    assert "Officer" in client.get("/").text
    assert client.get("/?language=xx").status_code == 200
