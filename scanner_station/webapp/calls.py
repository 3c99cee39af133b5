"""How calls are read and refused: fields of JSON bodies, and one sentence for every error."""

import re
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from flask import Flask, Request, jsonify, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from scanner_station.domain.errors import (
    AccessError,
    BatchError,
    EntryError,
    InputError,
    LockedOutError,
    ManifestError,
    StationError,
    StorageError,
)
from scanner_station.service import views
from scanner_station.webapp.auth import caller
from scanner_station.webapp.context import pages

_MOST: Final = 2**53
"""Whole numbers beyond are not exact in a browser, and no sequence number is that large."""

_MEGABYTE: Final = 1024 * 1024

_MOST_NUMBERS: Final = 1000
_NONCE: Final = re.compile(r"[ -~]{1,128}")

_REFUSALS: Final = {
    400: "the request cannot be understood; check what is sent",
    403: "the request comes from another site and was refused; use the station's own page",
    404: "there is nothing at this address; check it",
    405: "this address does not do that; see /api/openapi.json",
    408: "the request took too long to arrive; send it again",
    413: "what was sent is too large; %(most)s bytes are accepted",
    415: "the body must be JSON (Content-Type: application/json)",
    421: "this station has another name; open it by its address or as localhost",
    500: "the station could not answer; its log says why",
}
_STORAGE_TROUBLE: Final = StorageError(
    "the station's data cannot be read now; check the disk, then try again"
)


class StationRequest(Request):
    """A request whose uploads go straight into the data folder, never to memory."""

    def _get_file_stream(
        self,
        total_content_length: int | None,  # noqa: ARG002 - Werkzeug's signature
        content_type: str | None,  # noqa: ARG002
        filename: str | None = None,  # noqa: ARG002
        content_length: int | None = None,  # noqa: ARG002
    ) -> Any:
        path = pages().jobs.new_file()
        self.upload_paths = [*getattr(self, "upload_paths", []), path]
        return path.open("wb")


def body() -> dict[str, object]:
    """Return the request's JSON object.

    Raises:
        InputError: it is something else.
    """
    try:
        found = request.get_json()
    except RecursionError as error:
        raise InputError("the body is nested too deeply; send one JSON object") from error
    if not isinstance(found, dict):
        raise InputError("the body must be one JSON object")
    return found


def text_of(data: Mapping[str, object], field: str, default: str | None = None) -> str:
    """Return a text field; without a default it must be there.

    Raises:
        InputError: it is missing or not a text.
    """
    value = data.get(field, default)
    if value is None:
        raise InputError("the field %(field)s is missing", field=field)
    if not isinstance(value, str):
        raise InputError("the field %(field)s must be a text", field=field)
    return value


def truth_of(data: Mapping[str, object], field: str) -> bool:
    """Return a field that is true or false, false when it is not there.

    Raises:
        InputError: it is something else.
    """
    value = data.get(field, False)
    if not isinstance(value, bool):
        raise InputError("the field %(field)s must be true or false", field=field)
    return value


def whole_number_of(data: Mapping[str, object], field: str) -> int:
    """Return a field that is a whole number, 0 or more.

    Raises:
        InputError: it is missing or something else.
    """
    value = data.get(field)
    if type(value) is not int or not 0 <= value < _MOST:  # not isinstance: true is no number
        raise InputError("the field %(field)s must be a whole number", field=field)
    return value


def numbers_of(data: Mapping[str, object], field: str) -> tuple[int, ...]:
    """Return a field that is a list of whole numbers, empty when it is not there.

    Raises:
        InputError: it is something else.
    """
    values = data.get(field, [])
    if not isinstance(values, list) or len(values) > _MOST_NUMBERS:
        raise InputError("the field %(field)s must be a list of whole numbers", field=field)
    return tuple(whole_number_of({field: value}, field) for value in values)


def figures_of(data: Mapping[str, object], field: str) -> dict[str, int]:
    """Return a field that gives whole numbers by name, empty when it is not there.

    Raises:
        InputError: it is something else.
    """
    values = data.get(field, {})
    if not isinstance(values, dict):
        raise InputError("the declared figures must be numbers by category")
    return {name: whole_number_of(values, name) for name in values}


def nonce_of(data: Mapping[str, object]) -> str:
    """Return the field `nonce`: what makes a call that is sent again harmless.

    Raises:
        InputError: it is missing or not usable.
    """
    nonce = text_of(data, "nonce")
    if not _NONCE.fullmatch(nonce):
        raise InputError(
            "the nonce must be 1 to 128 printable ASCII characters, new for every card"
        )
    return nonce


def received_file(field: str) -> tuple[str, Path]:
    """Return the name and the place of the one file that was sent; the caller deletes it.

    Raises:
        InputError: none was sent in this field.
    """
    request.max_content_length = pages().context.settings.web.max_upload_mb * _MEGABYTE
    file = request.files.get(field)
    received: list[Path] = getattr(request, "upload_paths", [])
    for extra in received[1:]:
        extra.unlink(missing_ok=True)
    if file is None or not file.filename or not received:
        for path in received:
            path.unlink(missing_ok=True)
        raise InputError("the field %(field)s is missing", field=field)
    file.close()
    return Path(file.filename.replace("\\", "/")).name[-200:], received[0]


def number_in_query(name: str, text: str | None) -> int | None:
    """Return a whole number from the address, -1 or more; None when it is not there.

    Raises:
        InputError: it is something else.
    """
    if text is None:
        return None
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > len(str(_MOST)) - 1:
        raise InputError("the field %(field)s must be a whole number", field=name)
    return max(-1, int(text))


def refuse_in_sentences(app: Flask) -> None:
    """Answer every error with one sentence in the caller's language and the right status."""

    @app.errorhandler(StationError)
    def station_error(error: StationError) -> tuple[Response | str, int]:
        return _answer(_status_of(error), error)

    @app.errorhandler(sqlite3.Error)
    def storage_trouble(_: sqlite3.Error) -> tuple[Response | str, int]:
        return _answer(503, _STORAGE_TROUBLE)

    @app.errorhandler(HTTPException)
    def refusal(error: HTTPException) -> tuple[Response | str, int] | HTTPException:
        code = error.code or 500
        if code < 400:
            return error
        most = request.max_content_length or 0
        return _answer(code, StationError(_REFUSALS.get(code, _REFUSALS[400]), most=most))


def _answer(status: int, error: StationError) -> tuple[Response | str, int]:
    languages = pages().languages
    if request.path.startswith("/api/"):
        return jsonify(error=languages.of_call(request).error(error)), status
    language = languages.of_page(request)
    return render_template("error.html", sentence=language.error(error)), status


def _status_of(error: StationError) -> int:
    match error:
        case LockedOutError():
            return 429
        case AccessError():
            return 401 if caller().role is None else 403
        case BatchError():
            return 409 if _batch_exists() else 404
        case ManifestError() | EntryError():
            return 409
        case InputError():
            return 400
        case _:
            return 503


def _batch_exists() -> bool:
    slug = (request.view_args or {}).get("slug")
    if slug is None:
        return True
    with pages().context.views.connection() as connection:
        return any(one["slug"] == slug for one in views.listing(connection))
