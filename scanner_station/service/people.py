"""Who may use the station: adding people, proving who one is, and being locked out.

People and their wrong tries are kept in memory and written through, so that asking costs no disk.
"""

import hmac
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from sqlite3 import Connection
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error

from scanner_station.domain.errors import AccessError, InputError, LockedOutError, StorageError
from scanner_station.domain.people import (
    FREE_TRIES,
    Failures,
    Office,
    Person,
    Role,
    StationEvent,
    checked_name,
    checked_nip,
    checked_secret,
    lockout_s,
    name_key,
    normal_secret,
)
from scanner_station.domain.text import checked_text
from scanner_station.service.notes import note_in_open_logs
from scanner_station.service.station import Station
from scanner_station.storage import people as rows

KIOSK: Final = "kiosk"
"""The address of whoever stands at the station itself."""

SIGNED_IN: Final = "signed in"
"""How the record says that somebody came in, after their role."""

_NETWORK: Final = "network"
_NETWORK_TRIES: Final = 20
_NOBODY: Final = "\x01"  # no name begins like this
_MOST_NOBODIES: Final = 300
_BUSY_S: Final = 0.5
_MAX_LETTERHEAD_LINES: Final = 6
_RECORD_LINES: Final = 200
_ROUTINE: Final = (*(f"{role} {SIGNED_IN}" for role in Role), "reader lost", "reader back")

# 32 MiB and three passes take about 50 ms on a small computer. Source: RFC 9106, section 4.
_HASHER: Final = PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)


class People:
    """The people of one station. Safe to call from any thread."""

    def __init__(self, station: Station) -> None:
        """Read who there is."""
        self._station = station
        # Guards `_failures` and every change; never held while a secret is checked. `_people` and
        # `_secrets` are replaced as a whole, so looking at them needs no lock.
        self._lock = threading.RLock()
        self._people: dict[str, Person] = {}
        self._secrets: dict[int, str] = {}
        self._failures: dict[tuple[str, str], Failures] = {}
        self._read()
        # A guesser in the network takes turns only from others in the network.
        self._turns = {True: threading.Semaphore(2), False: threading.Semaphore(2)}
        self._nobodys_secret = _HASHER.hash("nobody's")
        self._nobodys_key = secrets.token_bytes(32)

    def _read(self) -> None:
        with self._station.transaction() as connection:
            found = rows.everybody(connection)
            self._failures = rows.failures(connection)
        self._people = {name_key(person.name): person for person, _ in found}
        self._secrets = {person.id: secret for person, secret in found}

    # --- who there is ----------------------------------------------------------------------

    def everybody(self) -> list[Person]:
        """Return all people, in order of name."""
        return list(self._people.values())

    @property
    def is_empty(self) -> bool:
        """Whether nobody can sign in: then the station is open to this machine, and only to it."""
        return not any(person.is_active for person in self.everybody())

    def find(self, name: str) -> Person | None:
        """Return a person by name, however its capital letters are written."""
        return self._people.get(name_key(name.strip()))

    # --- changing them ---------------------------------------------------------------------

    def first_start(
        self, *, name: str, nip: str, position: str, passphrase: str, office: Office
    ) -> Person:
        """Make the first supervisor and name the office, together or not at all.

        Raises:
            AccessError: there is a supervisor already.
            InputError: something cannot be used.
        """
        if not self.is_empty:
            raise AccessError("this station has people already; sign in")
        office = checked_office(office)
        return self._add(name, Role.SUPERVISOR, passphrase, nip, position, by="", office=office)

    def add(
        self, name: str, role: Role, secret: str, *, by: str, nip: str = "", position: str = ""
    ) -> Person:
        """Add somebody with a PIN (officer, witness) or passphrase (supervisor).

        Raises:
            InputError: something cannot be used, or somebody has that name.
        """
        return self._add(name, role, secret, nip, position, by=by, office=None)

    def _add(
        self,
        name: str,
        role: Role,
        secret: str,
        nip: str,
        position: str,
        *,
        by: str,
        office: Office | None,
    ) -> Person:
        name, nip = checked_name(name), checked_nip(nip)
        position = checked_text(position, "position") if position.strip() else ""
        if office is not None and not position:
            raise InputError("the %(what)s is empty; write one", what="position")
        person = Person(id=0, name=name, role=role, nip=nip, position=position, is_active=True)
        hashed = _HASHER.hash(checked_secret(role, secret))
        with self._lock:
            if self.find(name) is not None:
                raise InputError("there is already somebody named %(name)s", name=name)
            now = self._station.clock.now()
            with self._station.transaction() as connection:
                rows.insert(connection, person, hashed, at=now, by=by or name)
                rows.note(connection, at=now, by=by or name, what=f"{role} added", about=name)
                if office is not None:
                    rows.set_office(connection, office)
            self._read()
            return self._people[name_key(name)]

    def set_secret(self, person_id: int, secret: str, *, by: str) -> None:
        """Give somebody a new PIN or passphrase; their lock-outs end, and their logins too.

        Raises:
            InputError: it cannot be used, or there is no such person.
        """
        person = self._by_id(person_id)
        hashed = _HASHER.hash(checked_secret(person.role, secret))
        with self._changing(person, f"{person.role} secret set", by) as connection:
            rows.set_secret(connection, person.id, hashed)
            rows.end_logins_of(connection, person.id)
            rows.forget_failures_of(connection, name_key(person.name))

    def reset_on_the_machine(self, name: str, secret: str, *, by: str) -> Person:
        """Replace a forgotten PIN or passphrase; every log that is open says so.

        Raises:
            InputError: there is nobody of that name, or the secret cannot be used.
        """
        person = self.find(name)
        if person is None:
            raise InputError(
                "there is nobody named %(name)s; `user list` shows who there is", name=name[:80]
            )
        hashed = _HASHER.hash(checked_secret(person.role, secret))
        with self._changing(person, f"{person.role} secret reset", by) as connection:
            rows.set_secret(connection, person.id, hashed)
            rows.set_active(connection, person.id, True)
            rows.end_logins_of(connection, person.id)
            rows.forget_failures_of(connection, name_key(person.name))
            note = f"secret of {person.role} {person.name} reset on the machine itself"
            note_in_open_logs(self._station, connection, by=by, note=note)
        return person

    def set_active(self, person_id: int, is_active: bool, *, by: str) -> None:
        """Let somebody sign in, or no longer; nobody is ever deleted.

        Raises:
            InputError: there is no such person, or it is the last supervisor.
        """
        person = self._by_id(person_id)
        others = [one for one in self.everybody() if one.id != person.id and one.is_active]
        if not is_active and not any(one.role is Role.SUPERVISOR for one in others):
            raise InputError(
                "%(name)s is the last supervisor; add another one first", name=person.name
            )
        what = f"{person.role} {'let in' if is_active else 'shut out'}"
        with self._changing(person, what, by) as connection:
            rows.set_active(connection, person.id, is_active)
            if not is_active:
                rows.end_logins_of(connection, person.id)

    def set_office(self, office: Office, *, by: str) -> Office:
        """Change the office's name and letterhead; return them as they are kept.

        Raises:
            InputError: they cannot be used.
        """
        office = checked_office(office)
        with self._station.transaction() as connection:
            rows.set_office(connection, office)
            now = self._station.clock.now()
            rows.note(connection, at=now, by=by, what="office changed", about=office.name)
        return office

    def note(self, *, by: str, what: str, about: str) -> None:
        """Add a line to the record of the station."""
        with self._station.transaction() as connection:
            rows.note(connection, at=self._station.clock.now(), by=by, what=what, about=about)

    @contextmanager
    def _changing(self, person: Person, what: str, by: str) -> Iterator[Connection]:
        now = self._station.clock.now()
        with self._lock:
            with self._station.transaction() as connection:
                yield connection
                rows.note(connection, at=now, by=by, what=what, about=person.name)
            self._read()

    def _by_id(self, person_id: int) -> Person:
        found = next((one for one in self.everybody() if one.id == person_id), None)
        if found is None:
            raise InputError("there is no such person; load the page again")
        return found

    # --- proving who one is ----------------------------------------------------------------

    def prove(self, name: str, secret: str, *, address: str) -> Person:
        """Return who this is, if the secret is theirs.

        `address`: KIOSK for the station itself, else where in the network. Wrong tries are
        counted for account and address, so nobody in the network can lock the kiosk.

        Raises:
            LockedOutError: too many wrong tries; what was typed was not looked at.
            AccessError: the name or the secret is wrong.
        """
        person = self.find(name)
        if person is not None and not person.is_active:
            person = None
        keys = self._keys(name_key(person.name) if person else self._nobody(name), address)
        with self._turn(is_kiosk=address == KIOSK):
            with self._lock:
                self._refuse_locked(keys)
                # Counted before it is looked at: tries at the same instant are as many.
                before = {key: self._failures.get(key) for key in keys}
                for key in keys:
                    self._count_failure(key)
                forgotten = self._forget_nobodies()
                hashed = self._secrets.get(person.id) if person else None
            is_right = _is_right(hashed or self._nobodys_secret, secret) and hashed is not None
        if person is None or not is_right:
            self._persist(keys + forgotten, person)
            raise AccessError("the name or what was typed is wrong; try again")
        with self._lock:
            for key in keys:
                self._failures.pop(key, None)
        if any(before.values()):
            self._persist(keys)
        return person

    def _keys(self, account: str, address: str) -> list[tuple[str, str]]:
        here = (account, address)
        return [here] if address == KIOSK else [here, (account, _NETWORK)]

    def _nobody(self, name: str) -> str:
        """Return an account for a name that nobody has: it is locked like one that somebody has.

        Else a stranger could tell the two apart. Not the name itself, for it may be a PIN or a card
        number that was typed in the wrong place.
        """
        said = name_key(name.strip()).encode("utf-8", "surrogatepass")
        return _NOBODY + hmac.digest(self._nobodys_key, said, "sha256").hex()

    def _forget_nobodies(self) -> list[tuple[str, str]]:
        """Forget the oldest tries for names that nobody has when there are too many of them."""
        nobodies = [key for key in self._failures if key[0].startswith(_NOBODY)]
        forgotten = nobodies[: max(0, len(nobodies) - _MOST_NOBODIES)]
        for key in forgotten:
            del self._failures[key]
        return forgotten

    @contextmanager
    def _turn(self, *, is_kiosk: bool) -> Iterator[None]:
        turns = self._turns[is_kiosk]
        if not turns.acquire(timeout=None if is_kiosk else _BUSY_S):
            raise LockedOutError("many are signing in; try again in %(wait_s)d s", wait_s=1)
        try:
            yield
        finally:
            turns.release()

    def _refuse_locked(self, keys: list[tuple[str, str]]) -> None:
        now = self._station.clock.now()
        for key in keys:
            found = self._failures.get(key)
            if found is None:
                continue
            lasts_s = lockout_s(found.count - (_NETWORK_TRIES - FREE_TRIES) * (key[1] == _NETWORK))
            # A clock that was set back prolongs nothing.
            left_s = min(lasts_s - (now - found.at).total_seconds(), lasts_s)
            if left_s > 0:
                raise LockedOutError(
                    "too many wrong tries; wait %(wait_s)d s", wait_s=int(left_s) + 1
                )

    def _count_failure(self, key: tuple[str, str]) -> None:
        known = self._failures.pop(key, None)  # taken out, so that the newest stand last
        count = known.count + 1 if known else 1
        self._failures[key] = Failures(count=count, at=self._station.clock.now())

    def _persist(self, keys: list[tuple[str, str]], person: Person | None = None) -> None:
        """Write the wrong tries; of whom they lock out the record says so, and from where."""
        now = self._station.clock.now()
        tries = self._failures.get(keys[0])
        locked = person.name if person and tries and lockout_s(tries.count) else ""

        def write(connection: Connection) -> None:
            for account, address in keys:
                known = self._failures.get((account, address))
                rows.keep_failures(connection, account, address, known)
            if locked:
                rows.note(connection, at=now, by=keys[0][1], what="locked out", about=locked)

        with self._lock:
            write_if_possible(self._station, write)


def everybody(connection: Connection) -> list[Person]:
    """Return all people, in order of name; for who reads beside the writer."""
    return [person for person, _ in rows.everybody(connection)]


def office(connection: Connection) -> Office | None:
    """Return the office; None before the first start."""
    return rows.office(connection)


def record(connection: Connection) -> list[StationEvent]:
    """Return what was done to people and the office, the newest first; not who came and went."""
    return rows.record(connection, limit=_RECORD_LINES, without=_ROUTINE)


def write_if_possible(station: Station, write: Callable[[Connection], None]) -> None:
    """Write what also holds in memory: a station that has stopped must still let people in."""
    with suppress(StorageError), station.transaction() as connection:
        write(connection)


def checked_office(office: Office) -> Office:
    """Return an office fit for its papers.

    Raises:
        InputError: it has no name, or its letterhead is too long.
    """
    lines = tuple(checked_text(line, "letterhead") for line in office.letterhead if line.strip())
    if len(lines) > _MAX_LETTERHEAD_LINES:
        raise InputError(
            "the letterhead has more than %(most)s lines; shorten it", most=_MAX_LETTERHEAD_LINES
        )
    return Office(name=checked_text(office.name, "office"), letterhead=lines)


def _is_right(hashed: str, secret: str) -> bool:
    try:
        return _HASHER.verify(hashed, normal_secret(secret))
    except (Argon2Error, UnicodeEncodeError):  # a lone surrogate is nobody's secret
        return False
