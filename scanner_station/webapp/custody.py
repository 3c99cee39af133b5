"""What is done at the table beside counting: containers, days, cards that no machine reads."""

import base64
import binascii
from typing import Final
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort
from werkzeug.wrappers import Response as AnyResponse

from scanner_station.domain.custody_records import Form
from scanner_station.domain.errors import InputError
from scanner_station.exports.label import label_pdf
from scanner_station.service import custody, views
from scanner_station.service.table import look_up as looked_up
from scanner_station.service.table import table as at_the_table
from scanner_station.service.views import Json
from scanner_station.webapp.auth import by, caller
from scanner_station.webapp.calls import body, nonce_of, text_of, whole_number_of
from scanner_station.webapp.context import batch_is_there, newest_photograph, pages
from scanner_station.webapp.drawing import page
from scanner_station.webapp.login import names, two_people

_MOST_NUMBER: Final = 2**53

blueprint = Blueprint("custody", __name__)
blueprint.before_request(batch_is_there)


@blueprint.get("/batches/<slug>/table")
def show(slug: str) -> AnyResponse:
    """Show the page of the table: containers, cards that no machine reads, days and lots."""
    cameras = list(pages().context.cameras)
    with pages().context.views.connection() as connection:
        batch = views.summary(connection, slug)
    return page("table.html", batch=batch, cameras=cameras, people=names())


@blueprint.get("/api/batches/<slug>/table")
def table(slug: str) -> Json:
    """Tell what the table's page shows; every card is masked."""
    with pages().context.views.connection() as connection:
        return at_the_table(connection, slug)


@blueprint.post("/api/batches/<slug>/zero-report")
def zero_report(slug: str) -> Json:
    """Begin a batch's log and report that nothing is counted."""
    return custody.zero_report(pages().context.station, slug, by=by())


# --- containers --------------------------------------------------------------------------------


@blueprint.post("/api/batches/<slug>/containers")
def open_container(slug: str) -> tuple[Json, int]:
    """Open the next container; from now on cards are counted into it."""
    data = body()
    form = text_of(data, "form", Form.BOX)
    if form not in list(Form):
        raise InputError(
            "%(name)r is no container; choose from %(known)s", name=form[:40], known=", ".join(Form)
        )
    container = custody.open_container(
        pages().context.station, slug, by=by(), form=Form(form), label=text_of(data, "label", "")
    )
    return {"number": container.number, "form": container.form, "label": container.label}, 201


@blueprint.post("/api/batches/<slug>/containers/<int:number>/seal")
def seal_container(slug: str, number: int) -> Json:
    """Seal a container, which fixes its count."""
    data = body()
    container = custody.seal_container(
        pages().context.station,
        slug,
        number,
        seal_number=text_of(data, "seal_number"),
        by=by(),
        agreed_by=_agreeing(data),
    )
    return {"number": number, "count": container.count, "seal_number": container.seals[-1]}


@blueprint.post("/api/batches/<slug>/containers/<int:number>/break")
def break_seal(slug: str, number: int) -> Json:
    """Break a container's seal, by two people, so that a card can be taken back."""
    data = body()
    reason = text_of(data, "reason")
    first, second = two_people(data)
    container = custody.break_seal(
        pages().context.station, slug, number, reason=reason, by=first, seconded_by=second
    )
    return {"number": number, "count": container.count}


@blueprint.get("/api/batches/<slug>/containers/<int:number>/label")
def label(slug: str, number: int) -> Response:
    """Draw the label of a sealed container, with its QR code."""
    context = pages().context
    zone = ZoneInfo(context.settings.station.time_zone)
    with context.views.connection() as connection:
        return Response(label_pdf(connection, slug, number, zone), mimetype="application/pdf")


# --- days and lots -----------------------------------------------------------------------------


@blueprint.post("/api/batches/<slug>/pause")
def pause(slug: str) -> Json:
    """End a day's counting; the closing figure is to be written down."""
    agreed_by = _agreeing(body())
    return {"figure": custody.pause(pages().context.station, slug, by=by(), agreed_by=agreed_by)}


@blueprint.post("/api/batches/<slug>/resume")
def resume(slug: str) -> Json:
    """Go on counting, if the opening figure is the last closing figure."""
    figure = whole_number_of(body(), "figure")
    return {
        "figure": custody.resume(
            pages().context.station, slug, figure=figure, by=by()
        ).opening_figure
    }


@blueprint.post("/api/batches/<slug>/lots")
def begin_lot(slug: str) -> tuple[Json, int]:
    """Begin a lot, usually one district's cards."""
    lot = text_of(body(), "lot")
    custody.begin_lot(pages().context.station, slug, lot, by=by())
    return {"lot": lot}, 201


# --- cards that no machine reads ---------------------------------------------------------------


@blueprint.post("/api/batches/<slug>/lookups")
def look_up(slug: str) -> Json:
    """Tell what the manifest says of a typed number; nothing is counted."""
    payload = text_of(body(), "payload").encode("utf-8", "surrogatepass")
    with pages().context.views.connection() as connection:
        return looked_up(connection, slug, payload)


@blueprint.post("/api/batches/<slug>/unidentified")
def record_unidentified(slug: str) -> tuple[Json, int]:
    """Take in a card on which nothing is legible, with a photograph if there is one."""
    data = body()
    number = custody.record_unidentified(
        pages().context.station,
        slug,
        by=by(),
        category=text_of(data, "category", ""),
        reason=text_of(data, "reason", ""),
        photograph=_photograph(data),
        nonce=nonce_of(data) if "nonce" in data else None,
    )
    return {"number": number}, 201


@blueprint.post("/api/batches/<slug>/additions")
def add_stranger(slug: str) -> tuple[Json, int]:
    """Put a card that nobody listed to the count, marked as added, by two people."""
    data = body()
    first, second = two_people(data)
    made = custody.add_stranger(
        pages().context.station,
        slug,
        whole_number_of(data, "sequence"),
        category=text_of(data, "category"),
        district=text_of(data, "district", ""),
        reason=text_of(data, "reason"),
        by=first,
        seconded_by=second,
    )
    return views.entry_as_json(made, ""), 201


@blueprint.post("/api/batches/<slug>/agreements")
def agree(slug: str) -> tuple[Json, int]:
    """Agree, as a second person, to the typed and unidentified cards that wait."""
    data = body()
    text_of(data, "agreed_by")
    number = custody.agree(pages().context.station, slug, by=_agreeing(data))
    return {"number": number}, 201


@blueprint.get("/api/batches/<slug>/photographs/<int:sequence>")
def photograph(slug: str, sequence: int) -> Response:
    """Show the photograph that is kept beside an entry."""
    picture = None
    if sequence < _MOST_NUMBER:
        with pages().context.views.connection() as connection:
            picture = custody.photograph(connection, slug, sequence)
    if picture is None:
        abort(404)
    return Response(picture, mimetype="image/jpeg")


def _agreeing(data: dict[str, object]) -> str:
    """Return who else looked at the cards ('' for nobody), once they have proved who they are."""
    name = text_of(data, "agreed_by", "")
    asking = caller()
    if not name.strip() or asking.login is None:
        return name
    secret = text_of(data, "agreed_secret")
    return pages().context.people.prove(name, secret, address=asking.address).name


def _photograph(data: dict[str, object]) -> bytes:
    """Return the picture sent (base64), else the newest of a camera, else b''.

    `camera` names it; true is the one before which a card seems to lie.
    """
    sent = text_of(data, "photograph", "")
    if sent:
        try:
            return base64.b64decode(sent, validate=True)
        except (binascii.Error, ValueError) as error:
            raise InputError("the field %(field)s must be base64", field="photograph") from error
    camera = data.get("camera")
    if camera is True:
        return newest_photograph()
    return newest_photograph(camera) if isinstance(camera, str) and camera else b""
