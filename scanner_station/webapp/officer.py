"""What the officer at the table does: count a card, take one back, choose, go on after a fault."""

from sqlite3 import Connection
from typing import Final

from flask import Blueprint, Response, abort, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from scanner_station.domain.entry import timestamp
from scanner_station.domain.errors import BatchError, EntryError, InputError
from scanner_station.domain.events import EntryRecorded
from scanner_station.domain.manifest import ManifestLine
from scanner_station.domain.note import VerifierKey
from scanner_station.domain.reading import ReaderId, Reading, Symbology, symbology_named
from scanner_station.service import batches, views
from scanner_station.service.delivery import KeyOffer
from scanner_station.service.views import Json
from scanner_station.service.witness_keys import key_in
from scanner_station.storage.scan_log import StoredEntry
from scanner_station.webapp.auth import by, caller, has_no_batch
from scanner_station.webapp.calls import body, nonce_of, received_file, text_of, whole_number_of
from scanner_station.webapp.context import newest_photograph, pages
from scanner_station.webapp.drawing import page

PAGE_READER: Final = ReaderId("page")
PICTURE_READER: Final = ReaderId("picture")

blueprint = Blueprint("officer", __name__)


@blueprint.get("/")
def officer() -> AnyResponse:
    """Show the officer's page; a station with nothing in it asks first who uses it."""
    if caller().is_open and has_no_batch():
        return redirect("/first-start")
    return page("officer.html", cameras=list(pages().context.cameras))


@blueprint.post("/api/batches/<slug>/readings")
def count(slug: str) -> Json:
    """Take one payload to its verdict; the same nonce again gives the same entry again."""
    data = body()
    return _counted(slug, _reading(data), typed=data.get("typed") is True, nonce=nonce_of(data))


def _counted(slug: str, reading: Reading, *, typed: bool, nonce: str) -> Json:
    context = pages().context
    with pages().metrics.scan_seconds.time():
        recorded = _handled(slug, reading, typed=typed, nonce=nonce)
    with context.views.connection() as connection:
        name = recorded.name or views.name_on_manifest(connection, slug, recorded.identifier)
    entry = views.entry_as_json(recorded.body, recorded.identifier, whole=True, name=name)
    return entry | views.outcome_as_json(recorded)


def _reading(data: dict[str, object]) -> Reading:
    # surrogatepass: half a character is no identifier, but a reading like any other.
    payload = text_of(data, "payload").encode("utf-8", "surrogatepass")
    named = text_of(data, "symbology", "")
    if named and named not in list(Symbology):
        raise InputError(
            "%(name)r is not a symbology; choose from %(known)s",
            name=named[:40],
            known=", ".join(Symbology),
        )
    return Reading(
        payload=payload,
        symbology=Symbology(named) if named else symbology_named(payload),
        reader_id=PAGE_READER,
        at=pages().context.station.clock.now(),
    )


def _handled(slug: str, reading: Reading, *, typed: bool, nonce: str) -> EntryRecorded:
    # A typed card keeps the camera's picture of it, so that a second person can look at both.
    kept = newest_photograph() if typed else b""
    try:
        return pages().context.station.handle(
            slug, reading, by=by(), typed=typed, nonce=nonce, photograph=kept
        )
    except BatchError:
        raise
    except InputError as error:
        # The only one there is: the nonce has made another entry.
        raise EntryError(error.message, **error.values) from error


@blueprint.post("/api/batches/<slug>/pictures")
def read_picture(slug: str) -> Json:
    """Read the card on a picture (multipart, `picture` and `nonce`) and count it if it was read.

    A card that was read unsurely comes back as `offer`, for the officer to compare; so does the
    key of a witness, which is no card.
    """
    context = pages().context
    context.station.counter(slug)  # refuses a batch that is not there before anything is decoded
    name, path = received_file("picture")
    try:
        nonce = nonce_of(dict(request.form.items()))
        read = pages().pictures.read(slug, path)
    except InputError as error:
        shown = {key: name if key == "path" else value for key, value in error.values.items()}
        raise InputError(error.message, **shown) from error
    finally:
        path.unlink(missing_ok=True)  # an identity card: it is not kept
    if (key := key_in(read.payload)) is not None:
        return {"entry": None, "offer": _offered_key(key)}
    if not read.payload:
        return {"entry": None, "offer": _offered(read.near) if read.near else None}
    reading = Reading(
        payload=read.payload,
        symbology=read.symbology,
        reader_id=PICTURE_READER,
        at=context.station.clock.now(),
    )
    return {"entry": _counted(slug, reading, typed=False, nonce=nonce), "offer": None}


@blueprint.post("/api/batches/<slug>/void")
def void(slug: str) -> Json:
    """Take a counted entry back, as a new entry with a reason."""
    data = body()
    sequence, reason = whole_number_of(data, "sequence"), text_of(data, "reason")
    context = pages().context
    recorded = context.station.void(slug, sequence, reason=reason, by=by())
    entry = views.entry_as_json(recorded.body, recorded.identifier)
    return entry | {"counted": recorded.counted, "expected": recorded.expected}


@blueprint.post("/api/batches/<slug>/category")
def category(slug: str) -> Json:
    """Choose the category of the next cards of a batch without a manifest."""
    context = pages().context
    batches.choose_category(context.station, slug, text_of(body(), "category"))
    with context.views.connection() as connection:
        return views.summary(connection, slug)


@blueprint.post("/api/batches/<slug>/activate")
def activate(slug: str) -> Json:
    """Make this batch the one that cameras and scanners count into."""
    context = pages().context
    batches.activate(context.station, slug)
    with context.views.connection() as connection:
        return views.summary(connection, slug)


@blueprint.get("/api/batches/<slug>/entries/<int:sequence>")
def entry(slug: str, sequence: int) -> Json:
    """Show one entry with its whole identifier, and the good scans around it in the pile."""
    if sequence >= 2**53:
        abort(404)
    with pages().context.views.connection() as connection:
        found = next(iter(views.entries(connection, slug, since=sequence, limit=1)), None)
        if found is None or found.sequence != sequence:
            abort(404)
        before, after = views.good_neighbours(connection, slug, sequence)
        return _whole(connection, slug, found) | {
            "before": None if before is None else _whole(connection, slug, before),
            "after": None if after is None else _whole(connection, slug, after),
        }


def _whole(connection: Connection, slug: str, found: StoredEntry) -> Json:
    name = views.name_on_manifest(connection, slug, found.identifier)
    return views.entry_as_json(found.body, found.identifier, whole=True, name=name)


@blueprint.post("/api/station/recover")
def recover() -> Json:
    """Check the disk and the log, and count again."""
    context = pages().context
    context.station.recover()
    return pages().live.status()


@blueprint.get("/api/batches/<slug>/offer")
def offer(slug: str) -> Json:
    """Show what a reader offers: a card read unsurely, whole, to be compared; a witness's key."""
    context = pages().context
    context.station.counter(slug)  # refuses a batch that is not there
    found = context.latest_offer()
    if found is None or found.batch != slug:
        return {"offer": None}
    shown = _offered_key(found.key) if isinstance(found, KeyOffer) else _offered(found.line)
    return {"offer": shown | {"reader": found.reader_id, "at": timestamp(found.at)}}


def _offered_key(key: VerifierKey) -> Json:
    return {"witness_key": key.text}


def _offered(line: ManifestLine) -> Json:
    return {
        "identifier": line.identifier,
        "name": line.name,
        "category": line.category,
        "district": line.district,
    }


@blueprint.get("/preview.jpg")
def preview() -> Response:
    """Show the newest picture of a camera, of the first one unless `camera` names another."""
    cameras = pages().context.cameras
    latest = cameras.get(request.args.get("camera") or next(iter(cameras), ""))
    picture = latest() if latest is not None else None
    if picture is None:
        abort(404)
    return Response(picture, mimetype="image/jpeg")
