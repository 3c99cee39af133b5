"""People, who is signed in, and wrong tries as rows; none of these functions commits."""

import json
import sqlite3
from datetime import datetime
from typing import Final

from scanner_station.domain.entry import parse_timestamp, timestamp
from scanner_station.domain.people import (
    Failures,
    Login,
    Office,
    Person,
    Role,
    StationEvent,
    name_key,
)
from scanner_station.storage import batches

_OFFICE: Final = "office"
_PERSON: Final = "select id, name, role, nip, position, is_active, secret from person"


def everybody(connection: sqlite3.Connection) -> list[tuple[Person, str]]:
    """Return all people with the hash of what they prove themselves with, in order of name."""
    rows = connection.execute(_PERSON + " order by name_key").fetchall()
    return [
        (
            Person(
                id=number,
                name=name,
                role=Role(role),
                nip=nip,
                position=position,
                is_active=bool(is_active),
            ),
            secret,
        )
        for number, name, role, nip, position, is_active, secret in rows
    ]


def insert(
    connection: sqlite3.Connection, person: Person, secret: str, *, at: datetime, by: str
) -> None:
    """Write a new person (the `id` is ignored)."""
    connection.execute(
        "insert into person (name, name_key, role, secret, nip, position, is_active, created_at,"
        " created_by) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            person.name,
            name_key(person.name),
            person.role,
            secret,
            person.nip,
            person.position,
            int(person.is_active),
            timestamp(at),
            by,
        ),
    )


def set_secret(connection: sqlite3.Connection, person_id: int, secret: str) -> None:
    """Replace what somebody proves themselves with."""
    connection.execute("update person set secret = ? where id = ?", (secret, person_id))


def set_active(connection: sqlite3.Connection, person_id: int, is_active: bool) -> None:
    """Let somebody sign in, or no longer."""
    connection.execute("update person set is_active = ? where id = ?", (int(is_active), person_id))


def office(connection: sqlite3.Connection) -> Office | None:
    """Return the office; None before the first start."""
    found = batches.setting(connection, _OFFICE)
    if not found:
        return None
    known = json.loads(found)
    return Office(name=known["name"], letterhead=tuple(known["letterhead"]))


def set_office(connection: sqlite3.Connection, known: Office) -> None:
    """Remember the office."""
    text = json.dumps({"name": known.name, "letterhead": known.letterhead}, ensure_ascii=False)
    batches.set_setting(connection, _OFFICE, text)


# --- who is signed in --------------------------------------------------------------------------


def logins(connection: sqlite3.Connection) -> list[Login]:
    """Return everybody who was signed in."""
    rows = connection.execute(
        "select token_sha256, person_id, name, role, is_kiosk, started_at, seen_at from login"
    )
    return [
        Login(
            token_sha256=bytes(token),
            person_id=person_id,
            name=name,
            role=Role(role),
            is_kiosk=bool(is_kiosk),
            started_at=parse_timestamp(started_at),
            seen_at=parse_timestamp(seen_at),
        )
        for token, person_id, name, role, is_kiosk, started_at, seen_at in rows
    ]


def keep_login(connection: sqlite3.Connection, login: Login) -> None:
    """Write a login, or when it was seen last."""
    connection.execute(
        "insert into login values (?, ?, ?, ?, ?, ?, ?)"
        " on conflict do update set seen_at = excluded.seen_at",
        (
            login.token_sha256,
            login.person_id,
            login.name,
            login.role,
            int(login.is_kiosk),
            timestamp(login.started_at),
            timestamp(login.seen_at),
        ),
    )


def end_login(connection: sqlite3.Connection, token_sha256: bytes) -> None:
    """Forget a login."""
    connection.execute("delete from login where token_sha256 = ?", (token_sha256,))


def end_logins_of(connection: sqlite3.Connection, person_id: int) -> None:
    """Forget every login of one person."""
    connection.execute("delete from login where person_id = ?", (person_id,))


# --- wrong tries -------------------------------------------------------------------------------


def failures(connection: sqlite3.Connection) -> dict[tuple[str, str], Failures]:
    """Return the wrong tries in a row by account and address."""
    rows = connection.execute("select account, address, failures, failed_at from lockout")
    return {
        (account, address): Failures(count=count, at=parse_timestamp(at))
        for account, address, count, at in rows
    }


def keep_failures(
    connection: sqlite3.Connection, account: str, address: str, found: Failures | None
) -> None:
    """Write the wrong tries of one account from one address; None forgets them."""
    if found is None:
        connection.execute(
            "delete from lockout where account = ? and address = ?", (account, address)
        )
        return
    connection.execute(
        "insert into lockout values (?, ?, ?, ?) on conflict do update set"
        " failures = excluded.failures, failed_at = excluded.failed_at",
        (account, address, found.count, timestamp(found.at)),
    )


def forget_failures_of(connection: sqlite3.Connection, account: str) -> None:
    """Forget every wrong try of one account."""
    connection.execute("delete from lockout where account = ?", (account,))


# --- what was done -----------------------------------------------------------------------------


def note(connection: sqlite3.Connection, *, at: datetime, by: str, what: str, about: str) -> None:
    """Add one line to the record of the station."""
    connection.execute(
        "insert into station_event (at, by, what, about) values (?, ?, ?, ?)",
        (timestamp(at), by, what, about),
    )


def record(
    connection: sqlite3.Connection, *, limit: int, without: tuple[str, ...] = ()
) -> list[StationEvent]:
    """Return the newest lines of the record, the newest first, but for some kinds."""
    rows = connection.execute(
        "select at, by, what, about from station_event"
        " where what not in (select value from json_each(?)) order by id desc limit ?",
        (json.dumps(without), limit),
    )
    return [StationEvent(at=at, by=by, what=what, about=about) for at, by, what, about in rows]
