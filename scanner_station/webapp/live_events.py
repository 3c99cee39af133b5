"""What live pages are told: entries as screens show them, and events as they are sent."""

import json
from collections.abc import Iterator
from sqlite3 import Connection

from scanner_station.domain.errors import BatchError
from scanner_station.service import views
from scanner_station.service.views import Json


def entries_for_screens(
    connection: Connection, slug: str, *, since: int, limit: int = -1
) -> Iterator[Json]:
    """Yield masked entries in order; those that point back carry their `first` entry."""
    for entry in views.entries(connection, slug, since=since, limit=limit):
        shown = views.entry_as_json(entry.body, entry.identifier)
        if "first_sequence" in entry.body:
            shown["first"] = _first(connection, entry.body)
        yield shown


def _first(connection: Connection, body: dict[str, int | str]) -> Json:
    slug, sequence = str(body["first_batch"]), int(body["first_sequence"])
    try:
        found = next(iter(views.entries(connection, slug, since=sequence, limit=1)), None)
    except BatchError:
        found = None
    said = found.body if found is not None else {}
    return {"sequence": sequence, "batch": slug} | {
        key: said.get(key, "") for key in ("at", "station", "by")
    }


def event(name: str, data: Json, number: object = None) -> bytes:
    """Return one server-sent event; `number` becomes what the page sends as Last-Event-ID.

    Source: HTML Living Standard, section 9.2.
    """
    identity = "" if number is None else f"id: {number}\n"
    return f"event: {name}\n{identity}data: {json.dumps(data)}\n\n".encode("ascii")
