"""The page of recapitulations: bundles are dropped, totals come back, as table and as files."""

import io
from typing import Final

from flask import Blueprint, request
from werkzeug.wrappers import Response

from scanner_station.domain.errors import BatchError
from scanner_station.exports.recap_files import writer_for
from scanner_station.service.views import Json
from scanner_station.webapp.calls import received_file
from scanner_station.webapp.context import pages
from scanner_station.webapp.drawing import as_file, page

_TYPES: Final = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}

blueprint = Blueprint("recap", __name__)


@blueprint.get("/recap")
def show() -> Response:
    """Show the page on which bundles are dropped."""
    return page("recap.html", max_upload_mb=pages().context.settings.web.max_upload_mb)


@blueprint.post("/api/recap")
def begin() -> tuple[Json, int]:
    """Begin a recapitulation: an empty tray."""
    return pages().recaps.new().as_json(pages().languages.of_call(request)), 201


@blueprint.post("/api/recap/<tray>/files")
def send(tray: str) -> tuple[Json, int]:
    """Take in one file (multipart, fields `file` and `kind`)."""
    name, path = received_file("file")
    kind = request.form.get("kind", "bundle")
    found = pages().recaps.put(tray, kind, name, path)
    return found.as_json(pages().languages.of_call(request)), 201


@blueprint.post("/api/recap/<tray>/total")
def total(tray: str) -> tuple[Json, int]:
    """Start to verify the bundles and add them up."""
    return pages().recaps.start(tray).as_json(pages().languages.of_call(request)), 202


@blueprint.get("/api/recap/<tray>")
def state(tray: str) -> Json:
    """Tell how far a recapitulation has come; all of it once it is there."""
    return pages().recaps.tray(tray).as_json(pages().languages.of_call(request))


@blueprint.get("/recap/<tray>/rekapitulasi.<ending>")
def download(tray: str, ending: str) -> Response:
    """Give a recapitulation as a file: csv, xlsx or pdf."""
    found = pages().recaps.tray(tray).found
    language = pages().languages.of("id")  # that of the paper
    write = writer_for(f".{ending}", language.filled)
    if found is None:
        raise BatchError("these totals are not made yet; wait for them")
    file = io.BytesIO()
    write(found, file)
    ending = ending.lower()
    return as_file(file.getvalue(), f"rekapitulasi.{ending}", _TYPES[ending])
