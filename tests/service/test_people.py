from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner_station.domain.errors import AccessError, InputError, LockedOutError, StorageError
from scanner_station.domain.people import Office, Role, lockout_s
from scanner_station.service import batches
from scanner_station.service import people as known_people
from scanner_station.service.people import _HASHER as REAL_HASHER
from scanner_station.service.people import KIOSK, People
from scanner_station.service.station import Station
from scanner_station.service.views import Views
from tests.fakes import FakeClock
from tests.service.stations import nik, show

PIN = "713905"
PHRASE = "kartu rusak dibakar"
OFFICE = Office(name="Dinas Contoh", letterhead=("KOTA CONTOH", "", "Jalan Contoh 1"))
TABLET = "192.168.1.20"
GUESSER = "192.168.1.66"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def station(tmp_path: Path, clock: FakeClock) -> Iterator[Station]:
    opened = Station(tmp_path / "data", clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def people(station: Station) -> People:
    known = People(station)
    known.add("Ani", Role.OFFICER, PIN, by="first start")
    return known


def guess(people: People, times: int, address: str = KIOSK, name: str = "Ani") -> None:
    for _ in range(times):
        with pytest.raises(AccessError):
            people.prove(name, "000111", address=address)


def locked_s(people: People, address: str = KIOSK, name: str = "Ani") -> int:
    with pytest.raises(LockedOutError) as caught:
        people.prove(name, PIN, address=address)
    return int(str(caught.value.values["wait_s"]))


def test_who_gives_the_right_pin_comes_in_however_the_name_is_written(people: People) -> None:
    assert people.prove(" ANI ", PIN, address=KIOSK).name == "Ani"


@pytest.mark.parametrize(
    ("name", "secret"),
    [("Ani", "713906"), ("Ani", ""), ("Ana", PIN), ("", ""), ("Ani", "\ud800"), ("\x00", PIN)],
)
def test_everybody_else_stays_out_with_the_same_words(
    people: People, name: str, secret: str
) -> None:
    with pytest.raises(AccessError, match="the name or what was typed is wrong"):
        people.prove(name, secret, address=KIOSK)


def test_five_wrong_tries_lock_for_fifteen_seconds_and_each_further_one_for_twice_as_long(
    people: People, clock: FakeClock
) -> None:
    guess(people, 5)
    assert locked_s(people) == 15 + 1
    for seconds in (15, 30, 60, 120):
        clock.advance(seconds)
        guess(people, 1)
        assert locked_s(people) == 2 * seconds + 1


def test_a_try_while_locked_neither_counts_nor_lets_in(people: People, clock: FakeClock) -> None:
    guess(people, 5)
    for _ in range(20):
        locked_s(people)
    clock.advance(15)
    assert people.prove("Ani", PIN, address=KIOSK).name == "Ani"
    guess(people, 4)  # the count began anew
    assert people.prove("Ani", PIN, address=KIOSK).name == "Ani"


def test_a_lock_never_lasts_longer_than_an_hour() -> None:
    assert [lockout_s(n) for n in (0, 4, 5, 6, 7, 12, 13, 14, 10**9)] == [
        *(0, 0, 15, 30, 60, 1920),
        *(3600, 3600, 3600),
    ]


def test_a_guesser_in_the_network_locks_nobody_out_of_the_kiosk(people: People) -> None:
    guess(people, 5, GUESSER)
    locked_s(people, GUESSER)
    assert people.prove("Ani", PIN, address=TABLET).name == "Ani"
    assert people.prove("Ani", PIN, address=KIOSK).name == "Ani"


def test_a_guesser_with_many_addresses_is_locked_out_of_the_network_but_never_of_the_kiosk(
    people: People,
) -> None:
    for number in range(20):
        guess(people, 1, f"10.0.0.{number}")
    locked_s(people, "10.0.9.9")
    assert people.prove("Ani", PIN, address=KIOSK).name == "Ani"


def test_a_name_that_nobody_has_is_locked_like_one_that_somebody_has(
    people: People, station: Station
) -> None:
    for number in range(8):
        guess(people, 1, GUESSER, name=f"nobody {number}")
    for name in ("Ani", "nobody else", "9971044107000001", "\ud800", ""):
        guess(people, 5, GUESSER, name=name)
        assert locked_s(people, GUESSER, name=name.upper()) == 16
    with station.transaction() as connection:
        kept = connection.execute("select account from lockout").fetchall()
    assert not [account for (account,) in kept if "9971044107" in account or "nobody" in account]


def test_names_that_nobody_has_never_fill_the_station(
    people: People, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_people, "_MOST_NOBODIES", 10)
    guess(people, 5, GUESSER)
    for number in range(20):
        guess(people, 1, GUESSER, name=f"nobody {number}")
    with station.transaction() as connection:
        (kept,) = connection.execute("select count(*) from lockout").fetchone()
    assert kept == 10 + 2
    assert locked_s(people, GUESSER) == 16


def test_a_lock_is_kept_over_a_restart(tmp_path: Path, clock: FakeClock) -> None:
    with_lock = Station(tmp_path / "data", clock=clock)
    known = People(with_lock)
    known.add("Ani", Role.OFFICER, PIN, by="x")
    guess(known, 5)
    with_lock.close()
    again = Station(tmp_path / "data", clock=clock)
    try:
        assert locked_s(People(again)) == 16
    finally:
        again.close()


def test_a_clock_that_is_set_back_prolongs_no_lock(people: People, clock: FakeClock) -> None:
    guess(people, 5)
    clock.advance(-86_400)
    assert locked_s(people) == 16


def test_people_come_in_while_the_station_has_stopped(people: People, station: Station) -> None:
    with pytest.raises(StorageError), station.transaction():
        raise StorageError("the disk is gone")
    guess(people, 5)
    assert locked_s(people) == 16  # held in memory
    assert people.prove("Ani", PIN, address=TABLET).name == "Ani"


@pytest.mark.parametrize(
    "pin",
    ["", "12345", "1234567890123", "123456", "654321", "111111", "121212", "71390a", "٧١٣٩٠٥"],
)
def test_a_pin_is_six_to_twelve_digits_and_not_the_first_guess(people: People, pin: str) -> None:
    with pytest.raises(InputError):
        people.add("Budi", Role.WITNESS, pin, by="x")


@pytest.mark.parametrize("phrase", ["", "pendek7", "aaaaaaaa", "12345678", "x" * 257])
def test_a_passphrase_is_at_least_eight_characters(people: People, phrase: str) -> None:
    with pytest.raises(InputError):
        people.add("Sari", Role.SUPERVISOR, phrase, by="x")


def test_two_people_never_share_a_name(people: People) -> None:
    with pytest.raises(InputError, match="already somebody named"):
        people.add("ANI", Role.WITNESS, PIN, by="x")


def test_a_name_that_looks_like_an_identity_number_is_refused(people: People) -> None:
    with pytest.raises(InputError, match="identity number"):
        people.add("9971044107000001", Role.OFFICER, PIN, by="x")


def test_the_first_start_names_supervisor_and_office_once(station: Station, tmp_path: Path) -> None:
    known = People(station)
    assert known.is_empty
    with pytest.raises(InputError):
        known.first_start(name="Sari", nip="12", position="x", passphrase=PHRASE, office=OFFICE)
    with pytest.raises(InputError):
        known.first_start(name="Sari", nip="", position=" ", passphrase=PHRASE, office=OFFICE)
    assert known.is_empty
    sari = known.first_start(
        name="Sari",
        nip="198001012005012001",
        position="Kepala Seksi",
        passphrase=PHRASE,
        office=OFFICE,
    )
    assert (sari.role, sari.nip) == (Role.SUPERVISOR, "198001012005012001")
    with pytest.raises(AccessError):
        known.first_start(name="X", nip="", position="y", passphrase=PHRASE, office=OFFICE)
    views = Views(tmp_path / "data")
    with views.connection() as connection:
        assert known_people.office(connection) == Office(
            name="Dinas Contoh", letterhead=("KOTA CONTOH", "Jalan Contoh 1")
        )
    views.close()


def test_no_secret_is_kept_in_the_file(people: People, station: Station, tmp_path: Path) -> None:
    people.add("Sari", Role.SUPERVISOR, PHRASE, by="x")
    station.close()
    kept = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir() if path.is_file())
    assert PHRASE.encode() not in kept
    assert kept.count(b"$argon2id$") >= 2


def test_a_guess_costs_a_thief_of_the_file_memory_and_time() -> None:
    assert (REAL_HASHER.memory_cost, REAL_HASHER.time_cost) == (32 * 1024, 3)


def test_who_is_shut_out_cannot_come_in_and_the_last_supervisor_never_is(people: People) -> None:
    sari = people.add("Sari", Role.SUPERVISOR, PHRASE, by="x")
    ani = people.find("Ani")
    assert ani is not None
    people.set_active(ani.id, False, by="Sari")
    with pytest.raises(AccessError):
        people.prove("Ani", PIN, address=KIOSK)
    people.set_active(ani.id, True, by="Sari")
    assert people.prove("Ani", PIN, address=KIOSK).name == "Ani"
    with pytest.raises(InputError, match="last supervisor"):
        people.set_active(sari.id, False, by="Sari")


def test_a_reset_on_the_machine_ends_the_lock_and_is_an_entry_in_every_open_log(
    people: People, station: Station, tmp_path: Path
) -> None:
    people.add("Sari", Role.SUPERVISOR, PHRASE, by="x")
    batches.create(station, "begun", title="A", by="x")
    batches.create(station, "not-begun", title="B", by="x")
    show(station, "begun", nik(1))
    guess(people, 5, name="Sari")
    people.reset_on_the_machine("sari", "kata sandi baru", by="root")
    assert people.prove("Sari", "kata sandi baru", address=KIOSK).name == "Sari"
    assert show(station, "begun", nik(2)).sequence == 3
    views = Views(tmp_path / "data")
    with views.connection() as connection:
        bodies = [
            connection.execute("select body from entry where sequence = 2").fetchone()[0],
            *connection.execute("select what, by from station_event order by id desc limit 1"),
        ]
    views.close()
    assert '"reason":"secret of supervisor Sari reset on the machine itself"' in bodies[0]
    assert bodies[1] == ("supervisor secret reset", "root")


def test_the_record_of_the_station_cannot_be_changed(people: People, station: Station) -> None:
    for statement in ("update station_event set by = 'x'", "delete from station_event"):
        with pytest.raises(StorageError), station.transaction() as connection:
            connection.execute(statement)
        station.recover()
