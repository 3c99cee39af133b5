"""What happened on a day, told from the logs and the record alone."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from scanner_station.domain.errors import AccessError, StorageError
from scanner_station.domain.events import ReaderNotice, ReaderState
from scanner_station.domain.people import Role
from scanner_station.domain.reading import ReaderId
from scanner_station.service import closing, heads
from scanner_station.service.day_report import day_report
from scanner_station.service.people import KIOSK
from scanner_station.service.spot_check import SpotChecks
from tests.fakes import FakeClock
from tests.webapp.running import NAMES, SECRETS, SLUG, RunningStation, manifest_of, nik

WITA = ZoneInfo("Asia/Makassar")
DAY = date(2018, 12, 19)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime(2018, 12, 19, 1, 0, tzinfo=UTC))  # 09.00 WITA


@pytest.fixture
def running(tmp_path: Path, clock: FakeClock) -> Iterator[RunningStation]:
    with RunningStation(tmp_path / "data", clock=clock) as station:
        station.create()
        station.load(manifest_of(range(40), ("rusak",), ("Alak",)))
        yield station


def told(running: RunningStation, day: date = DAY) -> dict[str, object]:
    with running.views.connection() as connection:
        return day_report(connection, day, WITA)


def of_batch(running: RunningStation) -> dict[str, object]:
    (batch,) = told(running)["batches"]  # type: ignore[misc]
    return batch  # type: ignore[no-any-return]


def test_counts_of_the_day_add_up_to_its_entries(running: RunningStation) -> None:
    for payload in (nik(1), nik(2), nik(1), nik(900), "12345"):
        running.scan(payload)
    running.station.void(SLUG, 1, reason="salah kotak", by="Ani")
    batch = of_batch(running)
    assert batch["counts"] == {
        "counted": 2,
        "already_counted": 1,
        "not_on_manifest": 1,
        "unreadable": 1,
        "manual": 0,
        "added": 0,
        "unidentified": 0,
        "voided": 1,
    }
    assert batch["entries"] == 7  # with the opening one
    assert [(one["target"], one["reason"], one["by"]) for one in batch["voids"]] == [
        (1, "salah kotak", "Ani")
    ]
    (stranger,) = batch["strangers"]
    assert stranger["masked"] == nik(900)[:6] + "••••••" + nik(900)[-4:]


def test_a_session_ends_with_a_long_pause_and_two_people_have_one_each(
    running: RunningStation, clock: FakeClock
) -> None:
    def scan(number: int, by: str, after_s: float) -> None:
        clock.advance(after_s)
        card = running.scan  # the same way as a device, under another name
        handle = running.station.handle
        running.station.handle = lambda slug, reading, **_: handle(slug, reading, by=by)  # type: ignore[assignment,method-assign]
        card(nik(number))
        running.station.handle = handle  # type: ignore[method-assign]

    for number, by, after_s in [
        (1, "Ani", 0),
        (2, "Budi", 5),
        (3, "Ani", 5),
        (3, "Ani", 5),
        (4, "Ani", 20 * 60),
    ]:
        scan(number, by, after_s)
    sessions = of_batch(running)["sessions"]
    assert [
        (one["by"], one["since"][11:19], one["until"][11:19], one["shown"], one["counted"])
        for one in sessions
    ] == [
        ("Ani", "01:00:00", "01:00:15", 3, 2),
        ("Budi", "01:00:05", "01:00:05", 1, 1),
        ("Ani", "01:20:15", "01:20:15", 1, 1),
    ]


def test_a_day_ends_at_midnight_of_the_stations_own_clock(
    running: RunningStation, clock: FakeClock
) -> None:
    running.scan(nik(1))
    clock.advance(14.9 * 3600)  # 23.54 WITA
    running.scan(nik(2))
    clock.advance(3600)  # the next day in Kupang, the same in London
    running.scan(nik(3))
    assert of_batch(running)["counts"]["counted"] == 2
    (next_day,) = told(running, date(2018, 12, 20))["batches"]  # type: ignore[misc]
    assert next_day["counts"]["counted"] == 1
    assert told(running, date(2018, 12, 18))["batches"] == []


def test_objections_heads_and_spot_checks_are_told(running: RunningStation) -> None:
    running.scan(nik(1))
    sequence = closing.object_to(
        running.station, SLUG, witness="Wati", objection="Kotak 3 terbuka.", by="Wati"
    )
    closing.answer(running.station, SLUG, sequence, text="Disegel lagi.", by="Sari")
    SpotChecks(running.station).ask(SLUG, nik(1).encode(), by="Wati", address="t")
    heads.sign(running.station, SLUG)
    batch = of_batch(running)
    assert [(one["kind"], one["text"], one["target"]) for one in batch["said"]] == [
        ("object", "Kotak 3 terbuka.", None),
        ("answer", "Disegel lagi.", sequence),
    ]
    assert (batch["spot_checks"], batch["heads"]) == (1, 1)
    assert [one["kind"] for one in batch["done"]] == ["open"]


def test_sign_ins_lock_outs_and_lost_readers_stand_in_the_record(
    running: RunningStation, clock: FakeClock
) -> None:
    running.add_people()
    running.client_of(Role.OFFICER)
    for _ in range(5):
        with pytest.raises(AccessError):
            running.people.prove(NAMES[Role.WITNESS], "000000", address=KIOSK)

    def say(state: ReaderState) -> None:
        running.station.bus.publish(
            ReaderNotice(reader_id=ReaderId("kamera"), state=state, message="x")
        )

    for state in (ReaderState.LOST, ReaderState.LOST, ReaderState.READY, ReaderState.LOST):
        say(state)
        clock.advance(3)
    say(ReaderState.READY)
    record = told(running)["record"]
    assert isinstance(record, list)
    assert [(one["what"], one["about"]) for one in record if "added" not in one["what"]] == [
        ("officer signed in", "kiosk"),
        ("locked out", NAMES[Role.WITNESS]),
        ("reader lost", "kamera"),
        ("reader back", "kamera"),
    ]


def test_a_stop_of_the_count_is_in_the_record_once_it_goes_on(
    running: RunningStation, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(running.station._database, "_commit", fail)
    with pytest.raises(StorageError):
        running.scan(nik(1))
    clock.advance(90)
    running.station.recover()
    record = told(running)["record"]
    assert isinstance(record, list)
    stopped, goes_on = record[-2:]
    assert (stopped["what"], stopped["at"][11:19]) == ("counting stopped", "01:00:00")
    assert "disk I/O error" in stopped["about"]
    assert (goes_on["what"], goes_on["at"][11:19]) == ("counting goes on", "01:01:30")


@pytest.mark.parametrize("day", ["x", "2018-13-01", "20181219", "0001-01-01", "9999-12-31"])
def test_a_day_that_is_none_is_refused_in_a_sentence(running: RunningStation, day: str) -> None:
    running.add_people()
    client = running.client_of(Role.SUPERVISOR)
    refused = client.get(f"/api/day?date={day}", headers={"Accept-Language": "id"})
    assert (refused.status_code, refused.json["error"].split(" ")[1:]) == (
        400,
        ["bukan", "tanggal", "seperti", "2018-12-19"],
    )
    assert client.get("/api/day").json["day"] == "2018-12-19"
    assert secret_free(client.get("/api/day").get_data(as_text=True))


def secret_free(text: str) -> bool:
    return not any(secret in text for secret in SECRETS.values())
