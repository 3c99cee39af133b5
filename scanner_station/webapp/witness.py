"""What a witness may see and ask: the masked count of a batch, alive, and where a card stands."""

from typing import Final

from flask import Blueprint, Response, jsonify, request
from werkzeug.wrappers import Response as AnyResponse

from scanner_station.domain.errors import StationError
from scanner_station.service.views import Json
from scanner_station.webapp.auth import by, caller
from scanner_station.webapp.calls import body, number_in_query, text_of
from scanner_station.webapp.context import batch_is_there, pages
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


@blueprint.get("/api/batches/<slug>/progress")
def progress(slug: str) -> Json:
    """Return how the count has grown over time, in at most 120 steps."""
    with pages().context.views.connection() as connection:
        return pages().progress.of(connection, slug)


@blueprint.post("/api/batches/<slug>/spot-checks")
def spot_check(slug: str) -> Json:
    """Tell where the card that a witness holds stands in the count, masked; counts nothing."""
    batch_is_there()
    payload = text_of(body(), "payload").encode("utf-8", "surrogatepass")
    return pages().spot_checks.ask(slug, payload, by=by(), address=caller().address)


def _since(header: str | None) -> int | None:
    """Return the last entry the page has: the browser's header knows better than the address."""
    named = header if header and header.lstrip("-").isdigit() else request.args.get("since")
    return number_in_query("since", named)
