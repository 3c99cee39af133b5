"""The help that every page leads to, and the same on paper: one short guide for each role."""

import io

from flask import Blueprint, abort, request, send_file
from werkzeug.wrappers import Response

from scanner_station.config import LANGUAGES
from scanner_station.domain.people import Role
from scanner_station.exports.guide import print_guide
from scanner_station.exports.guide_text import GUIDES, SIGNS
from scanner_station.webapp.auth import caller
from scanner_station.webapp.context import pages
from scanner_station.webapp.drawing import page

blueprint = Blueprint("help", __name__)


@blueprint.get("/help")
def show() -> Response:
    """Show the guide of whoever asks; an officer's to somebody who has not signed in."""
    return _guide(caller().role or Role.OFFICER)


@blueprint.get("/help/<role>")
def of_role(role: str) -> Response:
    """Show the guide of a role."""
    return _guide(_role(role))


@blueprint.get("/help/<role>.pdf")
def paper(role: str) -> Response:
    """Give the guide of a role as one printed page; `language` id or en, else the page's."""
    known = _role(role)
    wanted = request.args.get("language", "")
    languages = pages().languages
    language = languages.of(wanted) if wanted in LANGUAGES else languages.of_page(request)
    return send_file(
        io.BytesIO(print_guide(known, language.text)),
        mimetype="application/pdf",
        download_name=f"{known}-{language.code}.pdf",
        max_age=0,
    )


def _guide(role: Role) -> Response:
    return page("help.html", role=role, guide=GUIDES[role], signs=SIGNS, roles=list(Role))


def _role(name: str) -> Role:
    if name not in list(Role):
        abort(404)
    return Role(name)
