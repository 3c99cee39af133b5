"""Who is signed in: on the server only, by a random token that the browser keeps in a cookie.

What is kept is the token's digest; a copy of the database lets nobody in.
"""

import hashlib
import hmac
import secrets
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from sqlite3 import Connection
from typing import Final

from scanner_station.domain.errors import AccessError
from scanner_station.domain.people import Login, Person, Role
from scanner_station.service.people import SIGNED_IN, write_if_possible
from scanner_station.service.station import Station
from scanner_station.storage import people as rows

LONGEST: Final = timedelta(hours=12)
"""Nobody stays signed in for longer, however busy."""

_WITNESS_IDLE: Final = timedelta(hours=4)
_WRITTEN_EVERY: Final = timedelta(minutes=1)
_TOKEN_BYTES: Final = 32


class Logins:
    """Everybody who is signed in at one station. Safe to call from any thread."""

    def __init__(self, station: Station, *, idle: timedelta) -> None:
        """Read who was signed in before a restart.

        `idle`: after so long without a card or a touch an officer or supervisor must sign in
        again. A witness only looks and may look for four hours.
        """
        self._station = station
        self._idle = idle
        # Guards everything below.
        self._lock = threading.Lock()
        with station.transaction() as connection:
            self._logins = {login.token_sha256: login for login in rows.logins(connection)}
        self._written_at: dict[bytes, datetime] = {}

    def start(self, person: Person, *, is_kiosk: bool) -> str:
        """Sign somebody in; return the token for their cookie."""
        return self._start(person.id, person.name, person.role, is_kiosk=is_kiosk)

    def start_witness(self, name: str, *, is_kiosk: bool) -> str:
        """Sign in a witness whose tablet was paired; return the token for the cookie."""
        return self._start(None, name, Role.WITNESS, is_kiosk=is_kiosk)

    def _start(self, person_id: int | None, name: str, role: Role, *, is_kiosk: bool) -> str:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        now = self._station.clock.now()
        login = Login(
            token_sha256=_digest(token),
            person_id=person_id,
            name=name,
            role=role,
            is_kiosk=is_kiosk,
            started_at=now,
            seen_at=now,
        )
        with self._lock:
            over = [one.token_sha256 for one in self._logins.values() if self._is_over(one)]
            for digest in over:
                del self._logins[digest]
            self._logins[login.token_sha256] = login
            self._written_at[login.token_sha256] = now

        def write(connection: Connection) -> None:
            for digest in over:
                rows.end_login(connection, digest)
            rows.keep_login(connection, login)
            where = "kiosk" if is_kiosk else "network"
            rows.note(connection, at=now, by=name, what=f"{role} {SIGNED_IN}", about=where)

        write_if_possible(self._station, write)
        return token

    def find(self, token: str, *, is_kiosk: bool) -> Login | None:
        """Return whose token this is; None once it is over, or when it comes from elsewhere."""
        with self._lock:
            login = self._logins.get(_digest(token))
        if login is None or login.is_kiosk != is_kiosk or self._is_over(login):
            return None
        return login

    def is_live(self, login: Login) -> bool:
        """Return whether somebody is still signed in."""
        with self._lock:
            known = self._logins.get(login.token_sha256)
        return known is not None and not self._is_over(known)

    def touch(self, login: Login) -> None:
        """Note that somebody did something; on disk once a minute."""
        now = self._station.clock.now()
        with self._lock:
            if login.token_sha256 not in self._logins:
                return
            seen = replace(self._logins[login.token_sha256], seen_at=now)
            self._logins[login.token_sha256] = seen
            written_at = self._written_at.get(login.token_sha256, login.seen_at)
            if now - written_at < _WRITTEN_EVERY:
                return
            self._written_at[login.token_sha256] = now
        write_if_possible(self._station, lambda connection: rows.keep_login(connection, seen))

    def end(self, token: str) -> None:
        """Sign somebody out; safe twice."""
        digest = _digest(token)
        with self._lock:
            known = self._logins.pop(digest, None)
            self._written_at.pop(digest, None)
        if known is not None:
            write_if_possible(self._station, lambda connection: rows.end_login(connection, digest))

    def end_all_of(self, person_id: int) -> None:
        """Sign somebody out everywhere: their secret was changed, or they were shut out."""
        with self._lock:
            for digest, login in list(self._logins.items()):
                if login.person_id == person_id:
                    del self._logins[digest]
        write_if_possible(
            self._station, lambda connection: rows.end_logins_of(connection, person_id)
        )

    def on_duty(self) -> Login | None:
        """Return whose cards the station's own cameras and scanners count.

        Whoever signed in last as an officer at the station itself, else on a tablet, else a
        supervisor; None when nobody is signed in.
        """
        with self._lock:
            here = [one for one in self._logins.values() if one.role is not Role.WITNESS]
        here = [one for one in here if not self._is_over(one)]
        return max(
            here,
            key=lambda one: (one.role is Role.OFFICER, one.is_kiosk, one.started_at),
            default=None,
        )

    def at_the_table(self) -> str:
        """Return the name of whoever is on duty, who has done something now.

        Raises:
            AccessError: nobody is signed in.
        """
        login = self.on_duty()
        if login is None:
            raise AccessError(
                "a card was shown but nobody is signed in, so it was not counted; sign in and "
                "show the card again"
            )
        self.touch(login)
        return login.name

    def _is_over(self, login: Login) -> bool:
        now = self._station.clock.now()
        idle = _WITNESS_IDLE if login.role is Role.WITNESS else self._idle
        return now - login.seen_at >= idle or now - login.started_at >= LONGEST


def write_token(token: str) -> str:
    """Return what a page must say beside the cookie to change anything (a CSRF token).

    Derived from the cookie's token, so that it holds over a restart; another site can read
    neither. Source: OWASP CSRF Prevention Cheat Sheet, "signed double-submit".
    """
    return hmac.digest(token.encode(), b"write", "sha256").hex()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
