"""What programs ask: batches and their counts, the station's health and figures."""

from flask import Blueprint, Response, send_file
from werkzeug.wrappers import Response as AnyResponse

from scanner_station import __version__, assets
from scanner_station.domain.entry import timestamp
from scanner_station.service import views
from scanner_station.service.views import Json
from scanner_station.webapp.context import pages
from scanner_station.webapp.metrics import CONTENT_TYPE

blueprint = Blueprint("api", __name__)


@blueprint.get("/api/batches")
def all_batches() -> Json:
    """Return all batches with their counts, the newest first, and which one is active."""
    with pages().context.views.connection() as connection:
        return {"active": views.active_slug(connection), "batches": views.listing(connection)}


@blueprint.get("/api/batches/<slug>")
def batch(slug: str) -> Json:
    """Return one batch and its counts, as `batch show --json` prints them."""
    with pages().context.views.connection() as connection:
        return views.summary(connection, slug)


@blueprint.get("/api/station")
def station() -> Json:
    """Return the station's name, time, readers, fault and active batch."""
    station = pages().context.station
    at = timestamp(station.clock.now())
    return {"name": station.name, "version": __version__, "at": at, **pages().live.status()}


@blueprint.get("/api/openapi.json")
def openapi() -> AnyResponse:
    """Return the description of this interface."""
    return send_file(assets.folder("web") / "openapi.json", mimetype="application/json")


@blueprint.get("/healthz")
def health() -> tuple[Json, int]:
    """Tell whether the station can count: 200, or 503 while it has stopped."""
    fault = pages().context.station.fault
    if fault is None:
        return {"status": "ok"}, 200
    return {"status": "fault", "error": str(fault)}, 503


@blueprint.get("/metrics")
def metrics() -> Response:
    """Return figures for Prometheus."""
    return Response(pages().metrics.text(), content_type=CONTENT_TYPE)
