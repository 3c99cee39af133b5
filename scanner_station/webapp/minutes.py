"""The supervisor's page of the minutes: what people enter for them once, and the paper itself."""

import zoneinfo

from flask import Blueprint, request
from werkzeug.utils import secure_filename
from werkzeug.wrappers import Response

from scanner_station.domain.particulars import Particulars
from scanner_station.exports.minutes import print_minutes, read_logo
from scanner_station.service import minutes, views
from scanner_station.service.views import Json
from scanner_station.webapp.auth import by
from scanner_station.webapp.calls import body
from scanner_station.webapp.context import batch_is_there, pages
from scanner_station.webapp.drawing import as_file, page

blueprint = Blueprint("minutes", __name__)
blueprint.before_request(batch_is_there)


@blueprint.get("/batches/<slug>/minutes")
def show(slug: str) -> Response:
    """Show the page on which the minutes are prepared."""
    with pages().context.views.connection() as connection:
        batch = views.summary(connection, slug)
        is_forgotten = minutes.is_forgotten(connection, slug)
    return page("minutes.html", batch=batch, is_forgotten=is_forgotten)


@blueprint.get("/batches/<slug>/minutes.pdf")
def download(slug: str) -> Response:
    """Give the minutes as PDF; `masked=1`: the copy for publication."""
    masked = request.args.get("masked", "") not in ("", "0")
    context = pages().context
    settings = context.settings
    logo = read_logo(settings.minutes.logo)
    with context.views.connection() as connection:
        made = print_minutes(
            connection,
            slug,
            context.station.key,
            time_zone=zoneinfo.ZoneInfo(settings.station.time_zone),
            masked=masked,
            logo=logo,
        )
    name = f"berita-acara-{secure_filename(slug)}{'-tersamar' if masked else ''}.pdf"
    return as_file(made, name)


@blueprint.get("/api/batches/<slug>/particulars")
def particulars(slug: str) -> Json:
    """Return what was entered for the minutes; before that what the batch itself says."""
    with pages().context.views.connection() as connection:
        return minutes.particulars(connection, slug).as_json()


@blueprint.post("/api/batches/<slug>/particulars")
def enter(slug: str) -> Json:
    """Keep what is entered for the minutes, in place of what was entered before."""
    entered = Particulars.of_json(body())
    return minutes.set_particulars(pages().context.station, slug, entered, by=by()).as_json()
