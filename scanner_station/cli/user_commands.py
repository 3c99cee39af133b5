"""`user add | list | reset | disable | enable` and `certificate show | renew`, on the machine."""

import json
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict

import click

from scanner_station.cli import compose
from scanner_station.cli.main import cli, with_data
from scanner_station.clock import Clock, SystemClock
from scanner_station.domain.errors import InputError
from scanner_station.domain.people import Person, Role

# Argon2 and certificates are imported where they are needed: `scan` starts without them.
if TYPE_CHECKING:
    from scanner_station.service.certificates import StationCertificates
    from scanner_station.service.people import People


class _Options(TypedDict):
    station: str
    more: tuple[str, ...]
    clock: Clock


_PIN_DIGITS: Final = 6
_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"  # none that look like another
_GROUPS: Final = 4
_GROUP: Final = 4


@cli.group()
def user() -> None:
    """Add people, and help one who has forgotten the PIN or passphrase."""


@user.command()
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--nip", default="", help="18 digits of a civil servant.")
@click.option("--position", default="", help="As it stands under the minutes.")
@with_data
def add(name: str, role: str, nip: str, position: str, data: Path) -> None:
    """Add NAME, who then signs in on the pages.

    The PIN (officer, witness) or passphrase (supervisor) is asked for, or read from standard
    input; when that is empty one is made up and printed.
    """
    kind = Role(role)
    secret, is_made_up = _secret_for(kind)
    with _people(data) as people:
        person = people.add(
            name, kind, secret, nip=nip, position=position, by=compose.local_account()
        )
    _tell(person, secret if is_made_up else "", "was added")


@user.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@with_data
def list_(as_json: bool, data: Path) -> None:
    """List who can sign in, beside a running station too."""
    from scanner_station.service import people as known_people

    with compose.reading(data) as connection:
        known = known_people.everybody(connection)
    if as_json:
        people = [{"name": one.name, "role": one.role, "is_active": one.is_active} for one in known]
        click.echo(json.dumps({"people": people}, ensure_ascii=False))
        return
    for one in known:
        click.echo(f"{one.name}  {one.role}{'' if one.is_active else '  (shut out)'}")


@user.command()
@click.argument("name")
@with_data
def reset(name: str, data: Path) -> None:
    """Give NAME a new PIN or passphrase; every log that is open gets an entry that says so."""
    with _people(data) as people:
        person = people.find(name)
        if person is None:
            raise InputError(
                "there is nobody named %(name)s; `user list` shows who there is", name=name[:80]
            )
        secret, is_made_up = _secret_for(person.role)
        people.reset_on_the_machine(name, secret, by=compose.local_account())
    _tell(person, secret if is_made_up else "", "can sign in again")


@user.command()
@click.argument("name")
@with_data
def disable(name: str, data: Path) -> None:
    """Shut NAME out; what they did stays in the logs."""
    _set_active(data, name, is_active=False)


@user.command()
@click.argument("name")
@with_data
def enable(name: str, data: Path) -> None:
    """Let NAME in again."""
    _set_active(data, name, is_active=True)


@cli.group()
def certificate() -> None:
    """Look at the certificate for tablets, or make a new one."""


@certificate.command()
@with_data
def show(data: Path) -> None:
    """Print the certificate's fingerprint, and which of this machine's names it does not have."""
    from scanner_station.service.certificates import StationCertificates
    from scanner_station.storage import certificates

    if certificates.load(data) is None:
        raise InputError("there is no certificate yet; the first start on the pages makes it")
    _print_certificate(StationCertificates(data, **_options(data)))


@certificate.command()
@with_data
def renew(data: Path) -> None:
    """Make a new authority and certificate; every tablet has to be told to trust it."""
    from scanner_station.service.certificates import StationCertificates
    from scanner_station.service.people import People

    with compose.writing(data) as station:
        found = StationCertificates(station.folder, **_options(data), is_new=True)
        People(station).note(by=compose.local_account(), what="certificate renewed", about="")
    _print_certificate(found)


def _options(data: Path) -> _Options:
    settings = compose.load_settings(data)
    return {
        "station": settings.station.name,
        "more": settings.web.names,
        "clock": SystemClock(),
    }


def _print_certificate(found: "StationCertificates") -> None:
    click.echo(f"SHA-256 {found.fingerprint}")
    click.echo(f"good until {found.ends} for {', '.join(found.names)}")
    if found.missing:
        click.echo(f"not in it: {', '.join(found.missing)}; `certificate renew` makes a new one")


@contextmanager
def _people(data: Path) -> Iterator["People"]:
    from scanner_station.service.people import People

    with compose.writing(data) as station:
        yield People(station)


def _set_active(data: Path, name: str, *, is_active: bool) -> None:
    with _people(data) as people:
        person = people.find(name)
        if person is None:
            raise InputError(
                "there is nobody named %(name)s; `user list` shows who there is", name=name[:80]
            )
        people.set_active(person.id, is_active, by=compose.local_account())
    _tell(person, "", "can sign in" if is_active else "is shut out")


def _secret_for(role: Role) -> tuple[str, bool]:
    """Return a new PIN or passphrase, and whether it was made up."""
    what = "passphrase" if role is Role.SUPERVISOR else "PIN"
    if sys.stdin.isatty():
        return str(click.prompt(f"New {what}", hide_input=True, confirmation_prompt=True)), False
    typed = sys.stdin.readline().rstrip("\r\n")
    return (typed, False) if typed else (_made_up(role), True)


def _made_up(role: Role) -> str:
    if role is Role.SUPERVISOR:
        groups = ("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
        return "-".join(groups)
    while True:
        pin = "".join(secrets.choice("0123456789") for _ in range(_PIN_DIGITS))
        if len(set(pin)) > _PIN_DIGITS // 2:
            return pin


def _tell(person: Person, made_up: str, what: str) -> None:
    click.echo(f"{person.role} {person.name} {what}")
    if made_up:
        word = "passphrase" if person.role is Role.SUPERVISOR else "PIN"
        click.echo(f"{word}: {made_up}   (nobody can look it up later)")
