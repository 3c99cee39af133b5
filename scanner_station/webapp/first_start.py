"""The first start: who is the supervisor, and of which office. No password exists before it."""

from flask import Blueprint, redirect
from werkzeug.wrappers import Response

from scanner_station.domain.errors import AccessError
from scanner_station.domain.people import Office
from scanner_station.webapp.auth import caller
from scanner_station.webapp.calls import body, text_of
from scanner_station.webapp.context import pages
from scanner_station.webapp.drawing import page
from scanner_station.webapp.login import signed_in

blueprint = Blueprint("first_start", __name__)


@blueprint.get("/first-start")
def show() -> Response:
    """Ask for the supervisor and the office, once, on the machine itself."""
    if not pages().context.people.is_empty:
        return redirect("/login")
    _require_machine()
    return page("first_start.html")


@blueprint.post("/api/first-start")
def begin() -> Response:
    """Make the first supervisor, name the office, and let the local network in."""
    _require_machine()
    data = body()
    person = pages().context.people.first_start(
        name=text_of(data, "name"),
        nip=text_of(data, "nip", ""),
        position=text_of(data, "position"),
        passphrase=text_of(data, "passphrase"),
        office=office_of(data),
    )
    pages().network.start()
    return signed_in(person, "")


def office_of(data: dict[str, object]) -> Office:
    """Return the office in a call's fields; `letterhead` is a text of several lines."""
    lines = text_of(data, "letterhead", "").splitlines()
    return Office(name=text_of(data, "office"), letterhead=tuple(lines))


def _require_machine() -> None:
    if not caller().is_kiosk:
        raise AccessError("this is done on the station itself, not over the network")
