"""What a witness may see: the masked count of a batch, alive."""

from typing import Final

from flask import Blueprint, Response, jsonify, request
from werkzeug.wrappers import Response as AnyResponse

from scanner_station.domain.errors import StationError
from scanner_station.service.views import Json
from scanner_station.webapp.auth import caller
from scanner_station.webapp.calls import number_in_query
from scanner_station.webapp.context import pages
from scanner_station.webapp.drawing import page

_STREAM_HEADERS: Final = {"Connection": "close", "X-Accel-Buffering": "no"}

blueprint = Blueprint("witness", __name__)


@blueprint.get("/witness")
def witness() -> AnyResponse:
    """Show the witness's page."""
    return page("witness.html")


@blueprint.get("/api/batches/<slug>/events")
def events(slug: str) -> tuple[AnyResponse, int] | AnyResponse:
    """Follow a batch live (server-sent events); beyond the slots 503, and the page polls."""
    since = _since(request.headers.get("Last-Event-ID"))
    live = pages().live
    login, logins = caller().login, pages().context.logins
    stream = live.open_stream(slug, since, is_wanted=lambda: login is None or logins.is_live(login))
    if stream is None:
        sentence = (
            pages()
            .languages.of_call(request)
            .error(StationError("all places for live pages are taken; ask once a second instead"))
        )
        refused = jsonify(error=sentence)
        refused.headers["Retry-After"] = "1"
        return refused, 503
    return Response(stream, mimetype="text/event-stream", headers=_STREAM_HEADERS)


@blueprint.get("/api/batches/<slug>/live")
def picture(slug: str) -> Json:
    """Return at once what a stream tells: for pages that load, or that have no stream."""
    return pages().live.picture(slug, _since(None))


def _since(header: str | None) -> int | None:
    """Return the last entry the page has: the browser's header knows better than the address."""
    named = header if header and header.lstrip("-").isdigit() else request.args.get("since")
    return number_in_query("since", named)
