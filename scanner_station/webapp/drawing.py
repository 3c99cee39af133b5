"""How a page is drawn: its language, its time zone, and what its scripts need to know."""

import io
from datetime import date
from typing import Final

from flask import Flask, g, make_response, redirect, render_template, request, send_file
from werkzeug.wrappers import Response

from scanner_station import __version__
from scanner_station.config import LANGUAGES
from scanner_station.domain.rehearsal import MARK
from scanner_station.webapp.auth import caller
from scanner_station.webapp.context import pages
from scanner_station.webapp.translate import COOKIE, Language, zone_name

_YEAR_S: Final = 365 * 24 * 3600


def prepare_templates(app: Flask) -> None:
    """Let templates say `_("...")` in the language of the page."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # of the extension
        lambda message: _language().text(message),
        lambda one, many, count: _language().plural(one, many, count),
        newstyle=True,
    )

    @app.template_filter()
    def calendar_day(text: str) -> str:
        return _language().day(date.fromisoformat(text))

    @app.context_processor
    def of_every_page() -> dict[str, object]:
        return {
            "language": _language().code,
            "version": __version__,
            "rehearsal_mark": MARK,
        }


def _language() -> Language:
    if "language" not in g:
        g.language = pages().languages.of_page(request)
    found: Language = g.language
    return found


def as_file(made: bytes, name: str, mimetype: str = "application/pdf") -> Response:
    """Return what was made as a file to be saved by this name."""
    return send_file(
        io.BytesIO(made), mimetype=mimetype, as_attachment=True, download_name=name, max_age=0
    )


def page(template: str, **values: object) -> Response:
    """Return a page in the user's language; `?language=en` chooses one for the next year."""
    chosen = request.args.get("language")
    if chosen in LANGUAGES:
        moved = redirect(request.path)
        moved.set_cookie(COOKIE, chosen, max_age=_YEAR_S, samesite="Strict", httponly=True)
        return moved
    context = pages().context
    zone = context.settings.station.time_zone
    settings = {
        "language": _language().code,
        "messages": _language().messages(),
        "time_zone": zone,
        "zone_name": zone_name(zone, context.station.clock.now()),
        "write_token": caller().write_token,
    }
    return make_response(
        render_template(template, station=context.station.name, settings=settings, **values)
    )
