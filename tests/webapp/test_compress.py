"""Pages come packed to whoever can unpack them, and are the same then."""

import gzip

import pytest
from flask.testing import FlaskClient

PACKED = {"Accept-Encoding": "gzip, deflate"}


@pytest.mark.parametrize("path", ["/witness", "/static/station.css", "/static/js/common.js"])
def test_a_page_is_the_same_packed_and_not_and_much_smaller(client: FlaskClient, path: str) -> None:
    plain = client.get(path)
    packed = client.get(path, headers=PACKED)
    assert (plain.headers.get("Content-Encoding"), plain.headers["Vary"]) == (
        None,
        "Accept-Encoding",
    )
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 2
    plain.close()
    packed.close()


def test_a_file_that_a_browser_has_is_not_sent_again(client: FlaskClient) -> None:
    first = client.get("/static/station.css", headers=PACKED)
    tag = first.headers["ETag"]
    first.close()
    again = client.get("/static/station.css", headers={**PACKED, "If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    again.close()


@pytest.mark.parametrize("path", ["/api/batches", "/static/icon.svg", "/witness-nowhere"])
def test_what_gains_nothing_is_left_as_it_is(client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers=PACKED)
    assert "Content-Encoding" not in answer.headers
    answer.close()
