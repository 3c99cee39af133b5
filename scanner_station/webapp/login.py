"""Signing in and out, and one officer taking over from another."""

from flask import Blueprint, jsonify, redirect
from werkzeug.wrappers import Response

from scanner_station.domain.people import Person, Role
from scanner_station.service.logins import write_token
from scanner_station.service.views import Json
from scanner_station.webapp.auth import caller, home_of, keep_in_cookie
from scanner_station.webapp.calls import body, text_of
from scanner_station.webapp.context import pages
from scanner_station.webapp.drawing import page

_ORDER = (Role.OFFICER, Role.SUPERVISOR, Role.WITNESS)

blueprint = Blueprint("login", __name__)


@blueprint.get("/login")
def show() -> Response:
    """Show the page to sign in; a station without people has nobody to ask for."""
    if caller().is_open:
        return redirect("/")
    return page("login.html", is_kiosk=caller().is_kiosk, people=names())


@blueprint.get("/api/login")
def who() -> Json:
    """Tell who is signed in, and at the station itself who can sign in."""
    asking = caller()
    return {
        "name": asking.name,
        "role": asking.role,
        "write_token": asking.write_token,
        "people": names(),
    }


@blueprint.post("/api/login")
def sign_in() -> Response:
    """Sign somebody in, in place of whoever was signed in on this page."""
    data = body()
    asking, context = caller(), pages().context
    person = context.people.prove(
        text_of(data, "name"), text_of(data, "secret"), address=asking.address
    )
    return signed_in(person, asking.token)


@blueprint.post("/api/logout")
def sign_out() -> Response:
    """Sign out; the cookie is worth nothing from now on."""
    pages().context.logins.end(caller().token)
    answer = jsonify(name="", role=None)
    keep_in_cookie(answer, "")
    return answer


def signed_in(person: Person, old_token: str) -> Response:
    """Return the answer that signs a person in on this page, and whoever was there out."""
    asking, logins = caller(), pages().context.logins
    token = logins.start(person, is_kiosk=asking.is_kiosk)
    if old_token:
        logins.end(old_token)
    return answer_of(token, person.name, person.role)


def answer_of(token: str, name: str, role: Role) -> Response:
    """Return what a page is told when somebody has come in."""
    answer = jsonify(name=name, role=role, home=home_of(role), write_token=write_token(token))
    keep_in_cookie(answer, token)
    return answer


def two_people(data: dict[str, object]) -> tuple[str, str]:
    """Return the names of the two people whom a step takes that one alone may not do.

    The first is whoever is signed in, the second is `seconded_by`, with their PIN or passphrase as
    `seconded_secret`. While nobody can sign in, and for programs, both are what they say (`by`).

    Raises:
        AccessError: the second is not who they say.
    """
    asking, second = caller(), text_of(data, "seconded_by")
    if asking.login is None:
        return text_of(data, "by"), second
    secret = text_of(data, "seconded_secret")
    person = pages().context.people.prove(second, secret, address=asking.address)
    return asking.name, person.name


def names() -> list[Json]:
    """Return who can sign in, as far as whoever asks may know."""
    # At the station one touches one's name; a stranger in the network is told none.
    asking = caller()
    if not asking.is_kiosk and asking.role not in (Role.OFFICER, Role.SUPERVISOR):
        return []
    known = [person for person in pages().context.people.everybody() if person.is_active]
    known.sort(key=lambda person: _ORDER.index(person.role))
    return [{"name": person.name, "role": person.role} for person in known]
