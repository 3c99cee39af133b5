"""The supervisor's page of people: who may sign in, their PINs, and the office."""

from flask import Blueprint, abort
from werkzeug.wrappers import Response

from scanner_station.domain.errors import InputError
from scanner_station.domain.people import Person, Role
from scanner_station.service import people as known_people
from scanner_station.service.views import Json
from scanner_station.webapp.auth import by
from scanner_station.webapp.calls import body, text_of
from scanner_station.webapp.context import WebContext, pages
from scanner_station.webapp.drawing import page
from scanner_station.webapp.first_start import office_of

blueprint = Blueprint("people", __name__)


@blueprint.get("/people")
def show() -> Response:
    """Show the page of people."""
    return page("people.html")


@blueprint.get("/api/people")
def everybody() -> Json:
    """Return all people, the office, and what was done to them; never a secret."""
    with pages().context.views.connection() as connection:
        office = known_people.office(connection)
        record = known_people.record(connection)
    return {
        "people": [_as_json(person) for person in pages().context.people.everybody()],
        "office": office.name if office else "",
        "letterhead": "\n".join(office.letterhead) if office else "",
        "record": [
            {"at": event.at, "by": event.by, "what": event.what, "about": event.about}
            for event in record
        ],
    }


@blueprint.post("/api/people")
def add() -> tuple[Json, int]:
    """Add somebody with a PIN or passphrase."""
    data = body()
    named = text_of(data, "role")
    if named not in list(Role):
        raise InputError(
            "%(name)r is not a role; choose from %(known)s",
            name=named[:40],
            known=", ".join(Role),
        )
    person = pages().context.people.add(
        text_of(data, "name"),
        Role(named),
        text_of(data, "secret"),
        nip=text_of(data, "nip", ""),
        position=text_of(data, "position", ""),
        by=by(),
    )
    pages().network.start()
    return _as_json(person), 201


@blueprint.post("/api/people/<int:person>/secret")
def secret(person: int) -> Json:
    """Give somebody a new PIN or passphrase; they are signed out everywhere."""
    context = _context_for(person)
    context.people.set_secret(person, text_of(body(), "secret"), by=by())
    context.logins.end_all_of(person)
    return {"id": person}


@blueprint.post("/api/people/<int:person>/active")
def active(person: int) -> Json:
    """Let somebody sign in, or no longer."""
    is_active = body().get("is_active")
    if not isinstance(is_active, bool):
        raise InputError("the field %(field)s must be true or false", field="is_active")
    context = _context_for(person)
    context.people.set_active(person, is_active, by=by())
    if not is_active:
        context.logins.end_all_of(person)
    return {"id": person, "is_active": is_active}


@blueprint.post("/api/office")
def office() -> Json:
    """Change the office's name and letterhead."""
    changed = pages().context.people.set_office(office_of(body()), by=by())
    return {"office": changed.name, "letterhead": "\n".join(changed.letterhead)}


def _context_for(person_id: int) -> WebContext:
    context = pages().context
    if all(person.id != person_id for person in context.people.everybody()):
        abort(404)
    return context


def _as_json(person: Person) -> Json:
    return {
        "id": person.id,
        "name": person.name,
        "role": person.role,
        "nip": person.nip,
        "position": person.position,
        "is_active": person.is_active,
    }
