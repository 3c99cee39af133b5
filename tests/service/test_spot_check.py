"""A witness asks where a card stands: what is answered, what is written down, and how often."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner_station.domain.errors import LockedOutError
from scanner_station.domain.people import Role
from scanner_station.exports.bundle import export_bundle
from scanner_station.exports.verification import Asked, verify
from scanner_station.service import batches, people, views
from scanner_station.service.spot_check import AT_ONCE, ONE_MORE_EVERY_S, SpotChecks
from tests.fakes import FakeClock
from tests.webapp.running import SLUG, RunningStation, manifest_of, nik


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def running(tmp_path: Path, clock: FakeClock) -> Iterator[RunningStation]:
    with RunningStation(tmp_path / "data", clock=clock) as station:
        station.create()
        station.load(manifest_of(range(40), ("rusak",), ("Alak",)))
        yield station


def ask(running: RunningStation, payload: str, *, by: str = "Wati", address: str = "t1") -> object:
    checks = SpotChecks(running.station)
    return checks.ask(SLUG, payload.encode(), by=by, address=address)


def log_of(running: RunningStation) -> list[dict[str, object]]:
    with running.views.connection() as connection:
        return [dict(entry.body) for entry in views.entries(connection, SLUG)]


def test_a_counted_card_is_found_with_its_entry_time_and_container(
    running: RunningStation,
) -> None:
    running.scan(nik(3))
    counted = running.scan(nik(4))
    assert ask(running, f"]C0{nik(4)}\r") == {
        "answer": "counted",
        "masked": nik(4)[:6] + "••••••" + nik(4)[-4:],
        "entries": [
            {
                "sequence": counted.sequence,
                "at": counted.body["at"],
                "by": "petugas",
                "container": None,
            }
        ],
    }


@pytest.mark.parametrize(
    ("payload", "answer"),
    [(nik(5), "not_counted"), (nik(900), "not_on_manifest"), ("12345", "unreadable")],
)
def test_what_is_not_counted_is_told_apart(
    running: RunningStation, payload: str, answer: str
) -> None:
    running.scan(nik(3))
    assert ask(running, payload)["answer"] == answer  # type: ignore[index]


def test_a_card_that_was_taken_back_is_not_counted(running: RunningStation) -> None:
    counted = running.scan(nik(3))
    running.station.void(SLUG, counted.sequence, reason="salah", by="petugas")
    assert ask(running, nik(3))["answer"] == "not_counted"  # type: ignore[index]


def test_a_spot_check_counts_nothing_and_leaves_no_number_in_the_log(
    running: RunningStation, tmp_path: Path
) -> None:
    counted = running.scan(nik(3))
    with running.views.connection() as connection:
        before = views.summary(connection, SLUG)
    for payload in (nik(3), nik(5), nik(900)):
        ask(running, payload)
    with running.views.connection() as connection:
        after = views.summary(connection, SLUG)
        (openings,) = connection.execute(
            "select count(*) from entry where coalesce(identifier, payload) is not null"
        ).fetchone()
        export_bundle(connection, SLUG, running.station.key, tmp_path / "kupang.zip")
    assert after == before | {"entries": before["entries"] + 3}  # type: ignore[operator]
    assert openings == 1
    notes = log_of(running)[-3:]
    assert [(note["kind"], note["by"], note["reason"]) for note in notes] == [
        ("note", "Wati", f"spot check: counted, entry {counted.sequence}"),
        ("note", "Wati", "spot check: not counted"),
        ("note", "Wati", "spot check: not on manifest"),
    ]
    assert all("card" not in note for note in notes)
    assert running.scan(nik(6)).counted == 2
    verify(tmp_path / "kupang.zip", Asked())
    running.stop()
    running.start()
    assert running.station.counter(SLUG).tally.counted == 2


def test_before_the_first_card_the_record_keeps_it_and_the_manifest_can_still_be_replaced(
    running: RunningStation,
) -> None:
    ask(running, nik(5))
    assert log_of(running) == []
    with running.views.connection() as connection:
        told = people.record(connection)[0]
    assert (told.by, told.what, told.about) == ("Wati", "spot check: not counted", SLUG)
    running.load(manifest_of(range(10), ("rusak",), ("Alak",)))


def test_a_closed_log_takes_no_note_but_the_record_does(running: RunningStation) -> None:
    running.scan(nik(3))
    batches.cancel(running.station, SLUG, reason="salah", by="Ani", seconded_by="Sari")
    size = len(log_of(running))
    assert ask(running, nik(3))["answer"] == "counted"  # type: ignore[index]
    assert len(log_of(running)) == size
    with running.views.connection() as connection:
        assert people.record(connection)[0].what == "spot check: counted, entry 1"


def test_nobody_can_go_through_the_list_number_by_number(
    running: RunningStation, clock: FakeClock
) -> None:
    running.scan(nik(1))
    checks = SpotChecks(running.station)

    def asked(by: str, address: str) -> None:
        checks.ask(SLUG, nik(2).encode(), by=by, address=address)

    for _ in range(AT_ONCE):
        asked("Wati", "tablet 1")
    size = len(log_of(running))
    for by, address in (("Wati", "tablet 2"), ("Budi", "tablet 1")):
        with pytest.raises(LockedOutError, match="wait 20 s"):
            asked(by, address)
    assert len(log_of(running)) == size
    asked("Budi", "tablet 2")
    clock.advance(ONE_MORE_EVERY_S)
    asked("Wati", "tablet 1")
    with pytest.raises(LockedOutError):
        asked("Wati", "tablet 1")


def test_over_the_network_one_clear_sentence_says_to_wait(running: RunningStation) -> None:
    running.add_people()
    client = running.client_of(Role.WITNESS, "192.168.1.20")
    path = f"/api/batches/{SLUG}/spot-checks"
    for _ in range(AT_ONCE):
        assert client.post(path, json={"payload": nik(2)}).json["answer"] == "not_counted"
    refused = client.post(path, json={"payload": nik(2)}, headers={"Accept-Language": "id"})
    assert refused.status_code == 429
    assert refused.json == {"error": "Terlalu banyak kartu diperiksa; tunggu 20 detik"}
    assert client.post(path, json={"payload": 7}).status_code == 400
