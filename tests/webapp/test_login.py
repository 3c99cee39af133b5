from pathlib import Path

import pytest
from flask.testing import FlaskClient

from scanner_station.domain.people import Role
from scanner_station.service.delivery import Delivery
from scanner_station.webapp.context import pages_of
from tests.fakes import FakeClock, Notices
from tests.service.stations import reading
from tests.webapp.running import NAMES, SECRETS, SLUG, RunningStation, nik

TABLET = "192.168.1.20"
READINGS = f"/api/batches/{SLUG}/readings"
FIRST = {
    "name": "Sari Penyelia",
    "nip": "19800101 200501 2 001",
    "position": "Kepala Seksi",
    "passphrase": "kartu rusak dibakar",
    "office": "Dinas Contoh",
    "letterhead": "KOTA CONTOH\nJalan Contoh 1",
}


@pytest.fixture
def staffed(running: RunningStation) -> RunningStation:
    running.add_people()
    return running


def card(number: int) -> dict[str, str]:
    return {"payload": nik(number), "nonce": f"n{number}"}


def cookie_of(client: FlaskClient) -> str:
    found = client.get_cookie("__Host-station")
    assert found is not None
    return found.value


# --- before anybody was added --------------------------------------------------------------


def test_until_somebody_is_added_whoever_is_at_the_machine_works_as_before(
    client: FlaskClient,
) -> None:
    assert client.get("/").status_code == 200
    counted = client.post(READINGS, json=card(1)).json
    assert (counted["verdict"], counted["by"]) == ("counted", "petugas")
    assert "/first-start" in client.get("/").text


def test_until_somebody_is_added_the_network_gets_nothing(running: RunningStation) -> None:
    client = running.client_of(None, TABLET)
    assert client.get("/api/batches").status_code == 401
    assert client.post(READINGS, json=card(1)).status_code == 401
    assert client.post("/api/first-start", json=FIRST).status_code == 401
    assert client.get("/first-start").status_code == 401
    assert running.people.is_empty


def test_a_station_with_nothing_in_it_asks_first_who_uses_it(tmp_path: Path) -> None:
    with RunningStation(tmp_path / "data") as empty:
        client = empty.app.test_client()
        assert client.get("/").headers["Location"] == "/first-start"
        page = client.get("/first-start").text
        for field in ("name", "nip", "position", "passphrase", "office", "letterhead"):
            assert f'name="{field}"' in page


def test_the_first_start_makes_the_supervisor_who_is_signed_in_at_once(
    running: RunningStation, client: FlaskClient
) -> None:
    for missing in ("name", "position", "passphrase", "office"):
        assert client.post("/api/first-start", json=FIRST | {missing: ""}).status_code == 400
    assert running.people.is_empty
    made = client.post("/api/first-start", json=FIRST)
    assert (made.status_code, made.json["role"]) == (200, "supervisor")
    client.environ_base["HTTP_X_WRITE_TOKEN"] = made.json["write_token"]
    known = client.get("/api/people").json
    assert (known["office"], known["letterhead"]) == ("Dinas Contoh", FIRST["letterhead"])
    assert known["people"][0]["nip"] == "198001012005012001"
    assert client.post("/api/first-start", json=FIRST).status_code == 403
    assert client.get("/first-start").headers["Location"] == "/login"
    assert running.client_of(None).get("/").headers["Location"] == "/login?next=/"


# --- signing in ----------------------------------------------------------------------------


def test_the_cookie_is_one_that_no_other_page_and_no_script_can_touch(
    staffed: RunningStation,
) -> None:
    said = staffed.client_of(None).post(
        "/api/login", json={"name": "ani petugas", "secret": SECRETS[Role.OFFICER]}
    )
    cookie = said.headers["Set-Cookie"]
    assert cookie.startswith("__Host-station=")
    parts = {part.strip() for part in cookie.split(";")[1:]}
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} <= parts
    assert "Domain" not in cookie
    assert (said.json["name"], said.json["home"]) == ("Ani Petugas", "/")


@pytest.mark.parametrize(
    "said",
    [{}, [], {"name": "Ani Petugas"}, {"name": 1, "secret": 2}, {"name": None, "secret": ""}],
)
def test_half_a_login_is_refused(staffed: RunningStation, said: object) -> None:
    assert staffed.client_of(None).post("/api/login", json=said).status_code == 400


def test_five_wrong_pins_lock_this_address_and_say_for_how_long(staffed: RunningStation) -> None:
    guesser, officer = staffed.client_of(None, "192.168.1.66"), staffed.client_of(None)
    wrong = {"name": NAMES[Role.OFFICER], "secret": "000111"}
    statuses = [guesser.post("/api/login", json=wrong).status_code for _ in range(7)]
    assert statuses == [401] * 5 + [429] * 2
    said = guesser.post("/api/login", json=wrong, headers={"Accept-Language": "en"})
    assert said.json["error"] == "Too many wrong tries; wait 15 s" or "16 s" in said.json["error"]
    right = wrong | {"secret": SECRETS[Role.OFFICER]}
    assert guesser.post("/api/login", json=right).status_code == 429
    assert officer.post("/api/login", json=right).status_code == 200


def test_names_are_told_at_the_station_and_not_to_strangers(staffed: RunningStation) -> None:
    names = {person["name"] for person in staffed.client_of(None).get("/api/login").json["people"]}
    assert names == set(NAMES.values())
    stranger = staffed.client_of(None, TABLET)
    assert stranger.get("/api/login").json["people"] == []
    assert NAMES[Role.OFFICER] not in stranger.get("/login").text


def test_a_cookie_is_worth_nothing_after_signing_out(staffed: RunningStation) -> None:
    client = staffed.client_of(Role.OFFICER)
    stolen = cookie_of(client)
    assert client.post("/api/logout", json={}).status_code == 200
    thief = staffed.client_of(None)
    thief.set_cookie("__Host-station", stolen)
    assert thief.get("/api/batches").status_code == 401
    assert thief.get("/").headers["Location"] == "/login?next=/"


def test_a_cookie_of_the_kiosk_is_worth_nothing_in_the_network(staffed: RunningStation) -> None:
    thief = staffed.client_of(None, TABLET)
    thief.set_cookie("__Host-station", cookie_of(staffed.client_of(Role.OFFICER)))
    assert thief.get("/api/batches").status_code == 401


def test_a_new_login_is_a_new_cookie_and_ends_the_old_one(staffed: RunningStation) -> None:
    client = staffed.client_of(Role.OFFICER)
    old = cookie_of(client)
    client.post(
        "/api/login",
        json={"name": NAMES[Role.SUPERVISOR], "secret": SECRETS[Role.SUPERVISOR]},
    )
    assert cookie_of(client) != old
    thief = staffed.client_of(None)
    thief.set_cookie("__Host-station", old)
    assert thief.get("/api/batches").status_code == 401


def test_an_idle_page_has_to_sign_in_again_and_following_live_is_idle(tmp_path: Path) -> None:
    clock = FakeClock()
    with RunningStation(tmp_path / "data", clock=clock) as station:
        station.create()
        station.add_people()
        client = station.client_of(Role.OFFICER)
        for _ in range(3):
            clock.advance(14 * 60)
            assert client.post(READINGS, json=card(int(clock.steady_s()))).status_code == 200
        for _ in range(14):
            clock.advance(60)
            assert client.get(f"/api/batches/{SLUG}/live").status_code == 200
        clock.advance(60)
        assert client.get(f"/api/batches/{SLUG}/live").status_code == 401
        assert client.post(READINGS, json=card(1)).status_code == 401


def test_pages_go_on_after_a_restart_of_the_station(staffed: RunningStation) -> None:
    client = staffed.client_of(Role.OFFICER)
    token, cookie = client.environ_base["HTTP_X_WRITE_TOKEN"], cookie_of(client)
    staffed.stop()
    staffed.start()
    again = staffed.client_of(None)
    again.set_cookie("__Host-station", cookie)
    again.environ_base["HTTP_X_WRITE_TOKEN"] = token
    assert again.post(READINGS, json=card(1)).json["by"] == NAMES[Role.OFFICER]


# --- every entry says who ------------------------------------------------------------------


def test_every_entry_carries_who_made_it(staffed: RunningStation) -> None:
    officer, supervisor = staffed.client_of(Role.OFFICER), staffed.client_of(Role.SUPERVISOR)
    assert officer.post(READINGS, json=card(1)).json["by"] == NAMES[Role.OFFICER]
    assert supervisor.post(READINGS, json=card(2)).json["by"] == NAMES[Role.SUPERVISOR]
    void = {"sequence": 1, "reason": "salah kartu"}
    taken = officer.post(f"/api/batches/{SLUG}/void", json=void)
    assert taken.json["by"] == NAMES[Role.OFFICER]


def test_after_a_change_of_shift_the_cards_of_the_scanner_belong_to_the_new_officer(
    staffed: RunningStation,
) -> None:
    staffed.people.add("Budi Petugas", Role.OFFICER, "482617", by="x")
    deliver = Delivery(staffed.station, by=staffed.logins.at_the_table, slug=SLUG)
    notices = Notices()
    staffed.station.bus.subscribe(lambda event: notices(event))  # type: ignore[arg-type]
    deliver(reading(nik(1)))
    assert "nobody is signed in" in str(getattr(notices.all[0], "message", ""))
    client = staffed.client_of(Role.OFFICER)
    deliver(reading(nik(2)))
    client.post("/api/login", json={"name": "Budi Petugas", "secret": "482617"})
    deliver(reading(nik(3)))
    entries = [client.get(f"/api/batches/{SLUG}/entries/{n}").json for n in (1, 2)]
    assert [(one["by"], one["identifier"]) for one in entries] == [
        (NAMES[Role.OFFICER], nik(2)),
        ("Budi Petugas", nik(3)),
    ]


def test_cancelling_takes_whoever_is_signed_in_and_a_second_person_who_proves_it(
    staffed: RunningStation,
) -> None:
    desk = staffed.client_of(Role.SUPERVISOR)
    path = f"/api/batches/{SLUG}/cancel"
    said = {"reason": "keliru", "by": "Somebody", "seconded_by": NAMES[Role.OFFICER]}
    assert desk.post(path, json=said).status_code == 400
    assert desk.post(path, json=said | {"seconded_secret": "000111"}).status_code == 403
    myself = {
        "seconded_by": NAMES[Role.SUPERVISOR],
        "seconded_secret": SECRETS[Role.SUPERVISOR],
    }
    assert desk.post(path, json=said | myself).status_code == 400
    right = said | {"seconded_secret": SECRETS[Role.OFFICER]}
    assert desk.post(path, json=right).json["state"] == "cancelled"
    with staffed.views.connection() as connection:
        (log,) = connection.execute(
            "select body ->> 'by' || ', ' || (body ->> 'seconded_by') from entry"
        ).fetchone()
    assert log == f"{NAMES[Role.SUPERVISOR]}, {NAMES[Role.OFFICER]}"


# --- a witness's tablet --------------------------------------------------------------------


def test_a_tablet_comes_in_once_with_the_code_that_the_station_shows(
    staffed: RunningStation,
) -> None:
    pages_of(staffed.app).network.start()
    shown = staffed.client_of(Role.OFFICER).post("/api/pairing", json={}).json
    assert shown["address"].startswith("https://127.0.0.1:")
    assert shown["address"].endswith(f"/pair#{shown['mark']}")
    tablet, second = staffed.client_of(None, TABLET), staffed.client_of(None, TABLET)
    arriving = {"mark": shown["mark"], "name": "Wati", "institution": "Inspektorat"}
    assert tablet.post("/api/pair", json=arriving | {"name": ""}).status_code == 400
    assert tablet.post("/api/pair", json=arriving | {"mark": "x"}).status_code == 401
    came_in = tablet.post("/api/pair", json=arriving)
    assert (came_in.json["role"], came_in.json["name"]) == ("witness", "Wati, Inspektorat")
    assert second.post("/api/pair", json=arriving).status_code == 401
    assert tablet.get("/witness").status_code == 200
    assert tablet.get("/", headers={"Accept": "text/html"}).status_code == 403
    tablet.environ_base["HTTP_X_WRITE_TOKEN"] = came_in.json["write_token"]
    assert tablet.post(READINGS, json=card(1)).status_code == 403


def test_a_witness_cannot_come_in_under_the_name_of_somebody_else(
    staffed: RunningStation,
) -> None:
    mark = pages_of(staffed.app).pairing.issue()
    arriving = {"mark": mark, "name": NAMES[Role.OFFICER].upper()}
    assert staffed.client_of(None, TABLET).post("/api/pair", json=arriving).status_code == 400


# --- the supervisor's page of people -------------------------------------------------------


def test_the_supervisor_adds_people_changes_their_pins_and_shuts_them_out(
    staffed: RunningStation,
) -> None:
    desk = staffed.client_of(Role.SUPERVISOR)
    new = {"name": "Budi", "role": "officer", "secret": "482617"}
    budi = desk.post("/api/people", json=new)
    assert (budi.status_code, budi.json["is_active"]) == (201, True)
    assert "secret" not in budi.text
    assert desk.post("/api/people", json=new).status_code == 400
    assert desk.post("/api/people", json=new | {"role": "boss"}).status_code == 400

    def sign_in(pin: str) -> tuple[FlaskClient, int]:
        client = staffed.client_of(None, TABLET)
        said = client.post("/api/login", json={"name": "Budi", "secret": pin})
        return client, said.status_code

    client, status = sign_in("482617")
    assert (status, client.get("/api/batches").status_code) == (200, 200)
    path = f"/api/people/{budi.json['id']}"
    assert desk.post(f"{path}/secret", json={"secret": "615243"}).status_code == 200
    assert client.get("/api/batches").status_code == 401  # signed out everywhere
    assert sign_in("482617")[1] == 401
    client, _ = sign_in("615243")
    assert desk.post(f"{path}/active", json={"is_active": "no"}).status_code == 400
    assert desk.post(f"{path}/active", json={"is_active": False}).status_code == 200
    assert client.get("/api/batches").status_code == 401
    assert sign_in("615243")[1] == 401
    assert desk.post("/api/people/9999/secret", json={"secret": "615243"}).status_code == 404
    record = desk.get("/api/people").json["record"]
    assert [event["what"] for event in record[:3]] == [
        "officer shut out",
        "officer secret set",
        "officer added",
    ]
    assert {event["by"] for event in record[:3]} == {NAMES[Role.SUPERVISOR]}


def test_a_stream_ends_soon_after_its_reader_was_signed_out(staffed: RunningStation) -> None:
    login = staffed.logins.find(cookie_of(staffed.client_of(Role.WITNESS)), is_kiosk=True)
    assert login is not None
    live = pages_of(staffed.app).live
    stream = live.open_stream(SLUG, None, is_wanted=lambda: staffed.logins.is_live(login))
    assert stream is not None
    next(stream)
    person = staffed.people.find(NAMES[Role.WITNESS])
    assert person is not None
    staffed.logins.end_all_of(person.id)
    assert sum(1 for _ in stream) <= 3  # what was on its way, and no beat after that
    stream.close()
