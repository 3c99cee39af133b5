"""What happened on a day, for the supervisor: to read, to print, to keep as a file."""

import zoneinfo
from datetime import date

from flask import Blueprint, request
from werkzeug.wrappers import Response

from scanner_station.domain.errors import InputError
from scanner_station.service.day_report import day_report
from scanner_station.service.views import Json
from scanner_station.webapp.context import pages
from scanner_station.webapp.drawing import page

blueprint = Blueprint("day", __name__)


@blueprint.get("/day")
def show() -> Response:
    """Show the page of one day."""
    return page("day.html")


@blueprint.get("/api/day")
def report() -> Json:
    """Return what happened on the day `date` (YYYY-MM-DD, today without it)."""
    context = pages().context
    zone = zoneinfo.ZoneInfo(context.settings.station.time_zone)
    day = _day(request.args.get("date", "")) or context.station.clock.now().astimezone(zone).date()
    with context.views.connection() as connection:
        return day_report(connection, day, zone)


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    # A day that has both its midnights in every time zone.
    if found is None or len(text) != 10 or not 1970 <= found.year < 9999:
        raise InputError("%(text)r is not a day such as 2018-12-19", text=text[:40])
    return found
