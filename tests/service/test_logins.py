from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from scanner_station.domain.errors import AccessError
from scanner_station.domain.people import Person, Role
from scanner_station.service.logins import Logins, write_token
from scanner_station.service.pairing import LASTS_S, Pairing
from scanner_station.service.people import People
from scanner_station.service.station import Station
from tests.fakes import FakeClock

IDLE = timedelta(minutes=15)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def station(tmp_path: Path, clock: FakeClock) -> Iterator[Station]:
    opened = Station(tmp_path / "data", clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def logins(station: Station) -> Logins:
    return Logins(station, idle=IDLE)


def person(station: Station, name: str = "Ani", role: Role = Role.OFFICER) -> Person:
    secret = "kartu rusak dibakar" if role is Role.SUPERVISOR else "713905"
    return People(station).add(name, role, secret, by="x")


def minutes(clock: FakeClock, count: float) -> None:
    clock.advance(60 * count)


def test_a_login_ends_after_a_while_of_nothing(
    station: Station, logins: Logins, clock: FakeClock
) -> None:
    token = logins.start(person(station), is_kiosk=True)
    for _ in range(4):
        minutes(clock, 14)
        login = logins.find(token, is_kiosk=True)
        assert login is not None
        logins.touch(login)
    minutes(clock, 15)
    assert logins.find(token, is_kiosk=True) is None


def test_nobody_stays_longer_than_half_a_day_however_busy(
    station: Station, logins: Logins, clock: FakeClock
) -> None:
    token = logins.start(person(station), is_kiosk=True)
    for _ in range(72):
        minutes(clock, 10)
        if login := logins.find(token, is_kiosk=True):
            logins.touch(login)
    assert logins.find(token, is_kiosk=True) is None


def test_a_witness_may_look_for_hours_without_touching(logins: Logins, clock: FakeClock) -> None:
    token = logins.start_witness("Wati, Inspektorat", is_kiosk=False)
    minutes(clock, 239)
    assert logins.find(token, is_kiosk=False) is not None
    minutes(clock, 1)
    assert logins.find(token, is_kiosk=False) is None


def test_a_login_of_the_kiosk_is_worth_nothing_in_the_network(
    station: Station, logins: Logins
) -> None:
    token = logins.start(person(station), is_kiosk=True)
    assert logins.find(token, is_kiosk=False) is None


def test_logins_go_on_after_a_restart_and_the_file_holds_no_token(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = Station(tmp_path / "data", clock=clock)
    token = Logins(first, idle=IDLE).start(person(first), is_kiosk=True)
    first.close()
    kept = (tmp_path / "data" / "station.sqlite3").read_bytes()
    assert token.encode() not in kept
    again = Station(tmp_path / "data", clock=clock)
    logins = Logins(again, idle=IDLE)
    assert logins.find(token, is_kiosk=True) is not None
    logins.end(token)
    again.close()
    last = Station(tmp_path / "data", clock=clock)
    try:
        assert Logins(last, idle=IDLE).find(token, is_kiosk=True) is None
    finally:
        last.close()


def test_what_was_seen_is_on_disk_within_a_minute(tmp_path: Path, clock: FakeClock) -> None:
    first = Station(tmp_path / "data", clock=clock)
    logins = Logins(first, idle=IDLE)
    token = logins.start(person(first), is_kiosk=True)
    for _ in range(100):
        clock.advance(20)
        if login := logins.find(token, is_kiosk=True):
            logins.touch(login)
    first.close()
    again = Station(tmp_path / "data", clock=clock)
    minutes(clock, 13)
    try:
        assert Logins(again, idle=IDLE).find(token, is_kiosk=True) is not None
    finally:
        again.close()


def test_the_cards_of_cameras_belong_to_the_officer_at_the_station(
    station: Station, logins: Logins, clock: FakeClock
) -> None:
    with pytest.raises(AccessError, match="nobody is signed in"):
        logins.at_the_table()
    logins.start(person(station, "Sari", Role.SUPERVISOR), is_kiosk=True)
    logins.start_witness("Wati", is_kiosk=False)
    assert logins.at_the_table() == "Sari"
    logins.start(person(station, "Tono"), is_kiosk=False)
    assert logins.at_the_table() == "Tono"
    ani = logins.start(person(station, "Ani"), is_kiosk=True)
    clock.advance(1)
    logins.start(person(station, "Tini"), is_kiosk=False)
    assert logins.at_the_table() == "Ani"
    logins.end(ani)
    assert logins.at_the_table() == "Tini"


def test_cards_are_a_sign_that_somebody_is_there(
    station: Station, logins: Logins, clock: FakeClock
) -> None:
    logins.start(person(station), is_kiosk=True)
    for _ in range(5):
        minutes(clock, 14)
        assert logins.at_the_table() == "Ani"
    minutes(clock, 15)
    with pytest.raises(AccessError):
        logins.at_the_table()


def test_whoever_is_shut_out_is_signed_out_everywhere(station: Station, logins: Logins) -> None:
    ani = person(station)
    tokens = [logins.start(ani, is_kiosk=is_kiosk) for is_kiosk in (True, False)]
    logins.end_all_of(ani.id)
    assert logins.find(tokens[0], is_kiosk=True) is None
    assert logins.find(tokens[1], is_kiosk=False) is None


def test_the_write_token_says_nothing_about_the_cookie() -> None:
    assert write_token("a") != write_token("b")
    assert "secret-of-the-cookie" not in write_token("secret-of-the-cookie")


def test_a_mark_lets_one_tablet_in_within_ten_minutes() -> None:
    clock = FakeClock()
    pairing = Pairing(clock)
    first, second = pairing.issue(), pairing.issue()
    assert pairing.take(first)
    assert not pairing.take(first)
    assert not pairing.take("")
    assert not pairing.take("ä\ud800")
    clock.advance(LASTS_S)
    assert not pairing.is_open(second)
    assert not pairing.take(second)


def test_asking_for_codes_without_end_fills_nothing() -> None:
    pairing = Pairing(FakeClock())
    marks = [pairing.issue() for _ in range(200)]
    assert sum(pairing.is_open(mark) for mark in marks) == 50
