"""The supervisor downloads a bundle for anybody, and the openings for the office alone."""

from pathlib import Path

from flask.testing import FlaskClient

from scanner_station.exports.verification import Asked, verify
from tests.webapp.running import SLUG, RunningStation, nik

EXPORT = f"/api/batches/{SLUG}/export"


def test_a_bundle_from_the_page_is_one_that_anybody_can_check(
    running: RunningStation, client: FlaskClient, tmp_path: Path
) -> None:
    for number in (1, 2, 2):
        running.scan(nik(number))
    answer = client.get(f"{EXPORT}?format=bundle")
    assert f"{SLUG}.zip" in answer.headers["Content-Disposition"]
    assert nik(1).encode() not in answer.data
    (tmp_path / "bundle.zip").write_bytes(answer.data)
    answer.close()
    answer = client.get(f"{EXPORT}?format=openings")
    assert f"{SLUG}-openings.jsonl" in answer.headers["Content-Disposition"]
    (tmp_path / "openings").write_bytes(answer.data)
    answer.close()
    found = verify(tmp_path / "bundle.zip", Asked(openings=tmp_path / "openings"))
    assert found.head.checkpoint.size == 4
    assert found.opened
    assert list((running.folder / "incoming").iterdir()) == []


def test_a_log_that_has_not_begun_has_no_bundle(client: FlaskClient) -> None:
    answer = client.get(f"{EXPORT}?format=bundle")
    assert answer.status_code == 409


def test_what_a_killed_station_left_of_a_download_is_swept_at_the_next_start(
    tmp_path: Path,
) -> None:
    left = tmp_path / "data" / "incoming" / "tmp" / "openings"
    left.parent.mkdir(parents=True)
    left.write_text(nik(1), "utf-8")
    with RunningStation(tmp_path / "data"):
        assert list((tmp_path / "data" / "incoming").iterdir()) == []
