import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scanner_station import assets
from scanner_station.service.views import summary
from tests.webapp.running import SLUG, RunningStation, manifest_of, nik

PAGES = (".officer", ".witness", ".supervisor", ".show", ".arrive", ".of_role", ".paper")
BATCH = f"/api/batches/{SLUG}"


def send(client: FlaskClient, payload: str, nonce: str, **more: object) -> Any:
    data = json.dumps({"payload": payload, "nonce": nonce, **more})
    return client.post(f"{BATCH}/readings", data=data, content_type="application/json")


def test_a_card_is_counted_and_a_repeat_points_at_its_first_entry(client: FlaskClient) -> None:
    first = send(client, nik(1), "a").json
    assert (first["verdict"], first["sequence"], first["counted"]) == ("counted", 1, 1)
    assert first["identifier"] == nik(1)
    again = send(client, nik(1), "b").json
    assert (again["verdict"], again["counted"]) == ("already_counted", 1)
    assert again["first"]["sequence"] == 1
    assert again["first"]["at"] == first["at"]
    assert (again["first"]["station"], again["first"]["batch"]) == ("station-1", SLUG)


def test_the_same_nonce_gives_the_same_entry_and_counts_once(client: FlaskClient) -> None:
    answers = [send(client, nik(1), "same").json for _ in range(3)]
    assert {answer["sequence"] for answer in answers} == {1}
    assert {answer["verdict"] for answer in answers} == {"counted"}
    assert client.get(BATCH).json["entries"] == 2


def test_a_nonce_of_another_card_is_refused(client: FlaskClient) -> None:
    send(client, nik(1), "same")
    assert send(client, nik(2), "same").status_code == 409


def test_a_typed_number_is_a_manual_entry(client: FlaskClient) -> None:
    assert send(client, nik(1), "a", typed=True).json["kind"] == "manual"
    assert client.get(BATCH).json["manual"] == 1


def test_the_api_says_what_the_command_line_says(
    running: RunningStation, client: FlaskClient
) -> None:
    running.load(manifest_of(range(20), ("rusak", "pindah"), ("Alak",)))
    for number in (1, 2, 2, 99):
        running.scan(nik(number))
    with running.views.connection() as connection:
        assert client.get(BATCH).json == json.loads(json.dumps(summary(connection, SLUG)))
    assert client.get("/api/batches").json["active"] == SLUG


def test_a_card_taken_back_is_not_counted_and_can_be_counted_again(client: FlaskClient) -> None:
    send(client, nik(1), "a")
    answer = client.post(f"{BATCH}/void", json={"sequence": 1, "reason": "salah kartu"}).json
    assert (answer["kind"], answer["target"], answer["counted"]) == ("void", 1, 0)
    twice = client.post(f"{BATCH}/void", json={"sequence": 1, "reason": "salah kartu"})
    assert twice.status_code == 409
    assert send(client, nik(1), "b").json["verdict"] == "counted"


def test_a_batch_can_be_created_chosen_and_cancelled(client: FlaskClient) -> None:
    new = {"slug": "besok", "title": "Besok", "schemes": ["nik", "serial"], "declared": {"x": 3}}
    made = client.post("/api/batches", json=new)
    assert (made.status_code, made.json["declared"]) == (201, {"x": 3})
    assert client.post("/api/batches", json=new).status_code == 409
    client.post("/api/batches/besok/activate", json={})
    assert client.get("/api/station").json["active"] == {"slug": "besok"}
    category = client.post("/api/batches/besok/category", json={"category": "rusak"})
    assert category.json["category"] == "rusak"
    people = {"reason": "keliru", "by": "Ani", "seconded_by": "Ani"}
    assert client.post("/api/batches/besok/cancel", json=people).status_code == 400
    people["seconded_by"] = "Budi"
    assert client.post("/api/batches/besok/cancel", json=people).json["state"] == "cancelled"
    late = {"payload": nik(1), "nonce": "z"}
    assert client.post("/api/batches/besok/readings", json=late).status_code == 409


REFUSED = [
    ("POST", "/readings", {"payload": nik(1)}, 400),
    ("POST", "/readings", {"payload": nik(1), "nonce": ""}, 400),
    ("POST", "/readings", {"payload": nik(1), "nonce": "n" * 129}, 400),
    ("POST", "/readings", {"payload": 9971, "nonce": "n"}, 400),
    ("POST", "/readings", {"payload": nik(1), "nonce": "n", "symbology": "rune"}, 400),
    ("POST", "/readings", [], 400),
    ("POST", "/void", {"sequence": 10**30, "reason": "x"}, 400),
    ("POST", "/void", {"sequence": True, "reason": "x"}, 400),
    ("POST", "/void", {"sequence": 1, "reason": nik(1)}, 400),
    ("POST", "/void", {"sequence": 77, "reason": "x"}, 409),
    ("POST", "/manifest/import", {}, 409),
    ("GET", "/entries/99999999999999999999", None, 404),
    ("GET", "/entries/7", None, 404),
    ("GET", "/live?since=x", None, 400),
    ("GET", "/export?format=exe", None, 400),
    ("GET", "/nothing", None, 404),
    ("DELETE", "", None, 405),
]


@pytest.mark.parametrize(("method", "path", "data", "status"), REFUSED)
def test_what_cannot_be_done_is_refused_with_one_sentence(
    client: FlaskClient, method: str, path: str, data: object, status: int
) -> None:
    answer = client.open(BATCH + path, method=method, json=data)
    assert answer.status_code == status
    assert set(answer.json) == {"error"}


def test_a_batch_that_is_not_there_is_404_on_every_route(
    running: RunningStation, client: FlaskClient
) -> None:
    bodies = {
        "readings": {"payload": nik(1), "nonce": "n"},
        "void": {"sequence": 1, "reason": "x"},
        "category": {"category": "x"},
        "cancel": {"reason": "x", "by": "a", "seconded_by": "b"},
    }
    for rule in running.app.url_map.iter_rules():
        if "<slug>" not in rule.rule:
            continue
        path = rule.rule.replace("<slug>", "nowhere").replace("<int:sequence>", "1")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            data = bodies.get(path.rsplit("/", 1)[-1], {}) if method == "POST" else None
            assert client.open(path, method=method, json=data).status_code == 404, (method, path)


def test_bodies_that_are_no_json_or_too_large_are_refused(client: FlaskClient) -> None:
    def post(data: bytes | str, kind: str = "application/json") -> int:
        return client.post(f"{BATCH}/readings", data=data, content_type=kind).status_code

    assert post("{") == 400
    assert post("[" * 60_000) == 400
    assert post('{"payload": 1' + "0" * 5000 + "}") == 400
    assert post("payload=1", "application/x-www-form-urlencoded") == 415
    assert post(b"{" + b" " * 70_000) == 413


def test_errors_are_in_the_language_asked_for(client: FlaskClient) -> None:
    def said(language: str) -> str:
        return str(
            client.get("/api/batches/x", headers={"Accept-Language": language}).json["error"]
        )

    assert said("en") == "There is no batch x here; `batch list` shows those there are"
    assert said("id").startswith("Tidak ada batch x")
    assert said("fr").startswith("Tidak ada batch x")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.text(max_size=300),
        st.characters(categories=["Cs"]),
        st.sampled_from(["\x00", "<script>", "=1+1", "\u202e1", "A" * 4096, "' or 1=1 --"]),
    )
)
def test_no_payload_is_a_crash_or_a_count(client: FlaskClient, payload: str) -> None:
    nonce = str(client.get(BATCH).json["entries"])
    answer = send(client, payload, nonce)
    assert answer.status_code == 200
    assert answer.json["verdict"] == "unreadable"
    assert answer.json["counted"] == 0


def test_only_the_officers_own_result_holds_the_whole_number(
    running: RunningStation, client: FlaskClient
) -> None:
    running.load(manifest_of(range(20), ("rusak",), ("Alak",)))
    running.scan(nik(3))
    running.scan(nik(3))
    for path in ("", "/live", "/live?since=0"):
        assert nik(3) not in client.get(BATCH + path).text
    entry = client.get(f"{BATCH}/entries/1").json
    assert (entry["identifier"], entry["name"]) == (nik(3), "Nama 3")


def test_the_log_comes_as_a_file_and_leaves_nothing_behind(
    running: RunningStation, client: FlaskClient
) -> None:
    running.scan(nik(3))
    for kind in ("csv", "xlsx", "jsonl"):
        answer = client.get(f"{BATCH}/export?format={kind}")
        assert answer.status_code == 200
        assert f"{SLUG}.{kind}" in answer.headers["Content-Disposition"]
        assert answer.data
        answer.close()
    assert list((running.folder / "incoming").iterdir()) == []


def test_health_and_figures(running: RunningStation, client: FlaskClient) -> None:
    running.scan(nik(3))
    assert client.get("/healthz").json == {"status": "ok"}
    figures = client.get("/metrics").text
    assert 'scanner_station_entries_total{kind="scan",verdict="counted"} 1.0' in figures
    assert "scanner_station_stream_slots 12.0" in figures


def test_the_description_names_every_route_and_no_other(running: RunningStation) -> None:
    document = json.loads((assets.folder("web") / "openapi.json").read_text("utf-8"))
    described = {
        (path, method) for path, methods in document["paths"].items() for method in methods
    }
    parameter = re.compile(r"<(?:\w+:)?(\w+)>")
    served = {
        (
            parameter.sub(r"{\1}", rule.rule),
            method.lower(),
        )
        for rule in running.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint != "static" and not rule.endpoint.endswith(PAGES)
    }
    assert described == served
