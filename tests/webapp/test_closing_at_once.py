"""People who do the same thing at the same moment, and words that were meant to break a page."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from scanner_station.domain.people import Role
from tests.webapp.running import NAMES, SECRETS, SLUG, RunningStation, manifest_of, nik

BATCH = f"/api/batches/{SLUG}"
SECOND = {"seconded_by": NAMES[Role.OFFICER], "seconded_secret": SECRETS[Role.OFFICER]}
HOSTILE = "rusak \"><img src=x onerror=alert(1)> '; drop table entry; -- %(count)s {{ 7*7 }}"
AT_ONCE = 6


@pytest.fixture
def station(tmp_path: Path) -> Iterator[RunningStation]:
    with RunningStation(tmp_path / "data") as running:
        running.create()
        running.load(manifest_of(range(6), ("rusak",), ("Alak", "ALAK")))
        running.add_people()
        yield running


def at_once(clients: list[FlaskClient], what: Callable[[FlaskClient], int]) -> list[int]:
    with ThreadPoolExecutor(len(clients)) as pool:
        return sorted(pool.map(what, clients))


def of(station: RunningStation, role: Role, count: int = AT_ONCE) -> list[FlaskClient]:
    return [station.client_of(role) for _ in range(count)]


def test_one_of_several_who_seal_at_once_seals_and_the_others_are_told(
    station: RunningStation,
) -> None:
    for number in range(6):
        station.scan(nik(number))
    seals = at_once(
        of(station, Role.SUPERVISOR),
        lambda client: client.post(f"{BATCH}/seal", json=SECOND).status_code,
    )
    assert seals == [200, *[409] * (AT_ONCE - 1)]
    burned = {"method": "dibakar", "present": "Inspektorat"}
    fires = at_once(
        of(station, Role.SUPERVISOR),
        lambda client: client.post(f"{BATCH}/burning", json=burned).status_code,
    )
    assert fires == [201, *[409] * (AT_ONCE - 1)]


def test_containers_opened_at_once_are_one_and_unidentified_cards_are_each_one(
    station: RunningStation,
) -> None:
    officers = of(station, Role.OFFICER)
    opened = at_once(
        officers, lambda client: client.post(f"{BATCH}/containers", json={}).status_code
    )
    assert opened == [201, *[409] * (AT_ONCE - 1)]
    numbers = at_once(
        officers,
        lambda client: int(client.post(f"{BATCH}/unidentified", json={}).json["number"]),
    )
    assert numbers == list(range(1, AT_ONCE + 1))
    again = at_once(
        officers,
        lambda client: int(
            client.post(f"{BATCH}/unidentified", json={"nonce": "one"}).json["number"]
        ),
    )
    assert again == [AT_ONCE + 1] * AT_ONCE
    paused = at_once(officers, lambda client: client.post(f"{BATCH}/pause", json={}).status_code)
    assert paused == [409] * AT_ONCE  # somebody else has to look at the cards
    assert officers[0].get(f"{BATCH}/table").json["containers"][0]["count"] == AT_ONCE + 1


def test_a_stranger_added_at_once_by_several_is_one_card(station: RunningStation) -> None:
    stranger = station.scan(nik(900)).sequence
    two = {"seconded_by": NAMES[Role.SUPERVISOR], "seconded_secret": SECRETS[Role.SUPERVISOR]}
    card = {"sequence": stranger, "category": "rusak", "reason": "tertinggal"} | two
    added = at_once(
        of(station, Role.OFFICER),
        lambda client: client.post(f"{BATCH}/additions", json=card).status_code,
    )
    assert added == [201, *[409] * (AT_ONCE - 1)]


def test_one_person_is_never_two_whoever_asks(station: RunningStation) -> None:
    station.scan(nik(1))
    stranger = station.scan(nik(900)).sequence
    boss = station.client_of(Role.SUPERVISOR)
    myself = {"seconded_by": NAMES[Role.SUPERVISOR], "seconded_secret": SECRETS[Role.SUPERVISOR]}
    wrong = SECOND | {"seconded_secret": "000000"}
    boss.post(f"{BATCH}/containers", json={})
    boss.post(f"{BATCH}/containers/1/seal", json={"seal_number": "1"})
    for path, data in (
        ("seal", {}),
        ("cancel", {"reason": "salah"}),
        ("explanations", {"what": "missing", "reason": "hilang"}),
        ("containers/1/break", {"reason": "salah"}),
        ("additions", {"sequence": stranger, "category": "rusak", "reason": "x"}),
    ):
        refused = boss.post(f"{BATCH}/{path}", json=data | myself)
        assert (refused.status_code, "dua orang" in refused.json["error"]) == (400, True), path
        assert boss.post(f"{BATCH}/{path}", json=data | wrong).status_code == 403, path
    boss.post(f"{BATCH}/unidentified", json={})
    mine = {"agreed_by": NAMES[Role.SUPERVISOR], "agreed_secret": SECRETS[Role.SUPERVISOR]}
    assert boss.post(f"{BATCH}/agreements", json=mine).status_code == 400
    assert boss.post(f"{BATCH}/pause", json=mine).status_code == 400
    assert boss.get(f"{BATCH}/reconciliation").json["state"] == "open"


def test_what_people_write_is_kept_as_written_and_districts_differ_by_case(
    station: RunningStation,
) -> None:
    boss = station.client_of(Role.SUPERVISOR)
    for number in range(5):
        station.scan(nik(number))
    boss.post(f"{BATCH}/unidentified", json={"category": HOSTILE})
    boss.post(f"{BATCH}/declared", json={"by_category": {HOSTILE: 2, "rusak": 6}})
    boss.post(f"{BATCH}/lots", json={"lot": HOSTILE})
    found = boss.get(f"{BATCH}/reconciliation").json
    assert found["by_category"][HOSTILE]["burned"] == 1
    assert {name: row["manifest"] for name, row in found["by_district"].items() if name} == {
        "Alak": 3,
        "ALAK": 3,
    }
    assert sum(row["missing"] for row in found["by_district"].values()) == 1
    named = [one for one in found["differences"] if one["category"] == HOSTILE]
    assert [one["difference"] for one in named] == [1]
    reason = {"what": "declared", "category": HOSTILE, "reason": HOSTILE} | SECOND
    assert boss.post(f"{BATCH}/explanations", json=reason).status_code == 201
    refused = boss.post(f"{BATCH}/lots", json={"lot": f"kartu {nik(1)}"})
    assert refused.status_code == 400
    assert nik(1) not in refused.text


def test_a_batch_without_a_list_and_without_figures_can_be_closed(station: RunningStation) -> None:
    boss = station.client_of(Role.SUPERVISOR)
    station.create("tanpa", "Tanpa daftar")
    station.scan(nik(1), "tanpa")
    found = boss.get("/api/batches/tanpa/reconciliation").json
    assert (found["has_manifest"], found["complete"], found["hindrances"]) == (False, True, [])
    assert found["totals"]["missing"] == 0
    assert boss.post("/api/batches/tanpa/zero-report", json={}).status_code == 409
    assert boss.post("/api/batches/tanpa/seal", json=SECOND).status_code == 200
    card = {"payload": nik(2), "nonce": "n"}
    refused = boss.post("/api/batches/tanpa/readings", json=card)
    assert (refused.status_code, "disegel" in refused.json["error"]) == (409, True)
    for path, data in (
        ("containers", {}),
        ("unidentified", {}),
        ("pause", {}),
        ("resume", {"figure": 1}),
        ("lots", {"lot": "Alak"}),
        ("declared", {"total": 1}),
        ("cancel", {"reason": "x"} | SECOND),
        ("objections", {"witness": "Cici", "objection": "x"}),
    ):
        refused = boss.post(f"/api/batches/tanpa/{path}", json=data)
        assert (refused.status_code, path) == (409, path), refused.json


def test_figures_no_batch_can_have_are_refused_in_words(station: RunningStation) -> None:
    boss = station.client_of(Role.SUPERVISOR)
    for wrong in (
        {"total": -1},
        {"total": 2**53},
        {"total": "2629"},
        {"total": True},
        {"by_category": {"": 1}},
        {"by_category": {nik(1): 1}},
        {"by_district": {"Alak": 1.5}},
        {"by_category": {str(number): 1 for number in range(101)}},
        {"by_category": {"rusak": 1, " rusak ": 2}},
    ):
        refused = boss.post(f"{BATCH}/declared", json=wrong)
        assert (refused.status_code, wrong) == (400, wrong)
        assert refused.json["error"]
        assert nik(1) not in refused.text
