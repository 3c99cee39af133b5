"""What the supervisor does: batches, their manifests, and the log as a file."""

import tempfile
import zoneinfo
from itertools import chain
from pathlib import Path
from typing import Final

from flask import Blueprint, Response, request, send_file
from werkzeug.utils import secure_filename
from werkzeug.wrappers import Response as AnyResponse

from scanner_station.domain.declared import Declared
from scanner_station.domain.errors import InputError
from scanner_station.domain.identifier import Scheme
from scanner_station.domain.rehearsal import USUAL_CARDS
from scanner_station.exports.bundle import export_bundle
from scanner_station.exports.log import FORMATS, export
from scanner_station.exports.openings import export_openings
from scanner_station.exports.problem_list import problem_list
from scanner_station.exports.rehearsal_sheet import print_sheet
from scanner_station.service import batches, rehearsal, views
from scanner_station.service.counter import require_batch
from scanner_station.service.views import Json
from scanner_station.webapp.auth import by
from scanner_station.webapp.calls import (
    body,
    figures_of,
    received_file,
    text_of,
    truth_of,
    whole_number_of,
)
from scanner_station.webapp.context import pages
from scanner_station.webapp.drawing import as_file, page
from scanner_station.webapp.login import two_people

_ENDINGS: Final = {"bundle": ".zip", "openings": "-openings.jsonl"}

blueprint = Blueprint("supervisor", __name__)


@blueprint.get("/supervisor")
def supervisor() -> AnyResponse:
    """Show the supervisor's page."""
    return page("supervisor.html", max_upload_mb=pages().context.settings.web.max_upload_mb)


@blueprint.post("/api/batches")
def create() -> tuple[Json, int]:
    """Create a batch, which takes cards at once; `rehearsal`: with the list of its test cards."""
    data = body()
    context = pages().context
    slug = text_of(data, "slug")
    if truth_of(data, "rehearsal"):
        _create_rehearsal(data, slug)
        with context.views.connection() as connection:
            return views.summary(connection, slug), 201
    batches.create(
        context.station,
        slug,
        title=text_of(data, "title"),
        by=by(),
        place=text_of(data, "place", ""),
        held_on=text_of(data, "held_on", ""),
        schemes=_schemes(data),
        serial_pattern=context.settings.identifiers.serial_pattern,
        declared=_declared(data),
        supplements=text_of(data, "supplements", ""),
    )
    with context.views.connection() as connection:
        return views.summary(connection, slug), 201


def _create_rehearsal(data: dict[str, object], slug: str) -> None:
    if "schemes" in data and _schemes(data) != (Scheme.NIK,):
        raise InputError("a rehearsal has made-up NIK cards; leave the schemes out")
    rehearsal.create(
        pages().context.station,
        slug,
        title=text_of(data, "title"),
        by=by(),
        place=text_of(data, "place", ""),
        held_on=text_of(data, "held_on", ""),
        declared=_declared(data),
        cards=whole_number_of(data, "cards") if "cards" in data else USUAL_CARDS,
    )


@blueprint.get("/batches/<slug>/rehearsal-cards.pdf")
def rehearsal_cards(slug: str) -> AnyResponse:
    """Give the test cards of a rehearsal as PDF, to be printed and cut out."""
    with pages().context.views.connection() as connection:
        made = print_sheet(slug, rehearsal.cards_to_print(connection, slug))
    return as_file(made, f"latihan-{secure_filename(slug)}.pdf")


def _schemes(data: dict[str, object]) -> tuple[Scheme, ...]:
    names = data.get("schemes", [Scheme.NIK])
    if not isinstance(names, list) or not names or any(name not in list(Scheme) for name in names):
        raise InputError("the schemes must be some of %(known)s", known=", ".join(Scheme))
    return tuple(Scheme(name) for name in names)


def _declared(data: dict[str, object]) -> Declared:
    declared = data.get("declared", {})
    if not isinstance(declared, dict):
        raise InputError("the declared figures must be numbers by category")
    total = data.get("declared_total")
    return Declared(
        total=None if total is None else whole_number_of(data, "declared_total"),
        by_category={category: whole_number_of(declared, category) for category in declared},
        by_district=figures_of(data, "declared_by_district"),
    )


@blueprint.post("/api/batches/<slug>/cancel")
def cancel(slug: str) -> Json:
    """Cancel a batch: two people and a reason; nothing of its log is lost.

    Whoever is signed in is the first; the second gives name and PIN or passphrase.
    """
    data = body()
    context = pages().context
    first, second = two_people(data)
    batches.cancel(
        context.station,
        slug,
        reason=text_of(data, "reason"),
        by=first,
        seconded_by=second,
    )
    with context.views.connection() as connection:
        return views.summary(connection, slug)


# --- manifests ---------------------------------------------------------------------------------


@blueprint.post("/api/batches/<slug>/manifest")
def send_manifest(slug: str) -> tuple[Json, int]:
    """Take in a manifest (multipart, field `file`) and start to check it."""
    with pages().context.views.connection() as connection:
        require_batch(connection, slug)
    name, path = received_file("file")
    job = pages().jobs.check(slug, path, name)
    return job.as_json(pages().languages.of_call(request)), 202


@blueprint.get("/api/batches/<slug>/manifest")
def manifest(slug: str) -> Json:
    """Tell how far the newest manifest has come, with the report of its check."""
    return pages().jobs.job(slug).as_json(pages().languages.of_call(request))


@blueprint.post("/api/batches/<slug>/manifest/import")
def import_manifest(slug: str) -> tuple[Json, int]:
    """Start to write the manifest that was checked: all of it, or nothing."""
    job = pages().jobs.write(slug, by())
    return job.as_json(pages().languages.of_call(request)), 202


@blueprint.post("/api/batches/<slug>/manifest/cancel")
def cancel_manifest(slug: str) -> Json:
    """Stop checking or writing, or forget a refused file; nothing of it stays."""
    return pages().jobs.cancel(slug).as_json(pages().languages.of_call(request))


@blueprint.get("/batches/<slug>/manifest-problems.csv")
def manifest_problems(slug: str) -> AnyResponse:
    """Give every problem of the manifest that was refused, as CSV, streamed as it is found."""
    language = pages().languages.of_page(request)
    file_name, problems = pages().jobs.problems(slug)
    lines = problem_list(problems, language.filled)
    begun = chain([next(lines), next(lines, b"")], lines)  # what cannot be read is said as such
    name = f"{secure_filename(Path(file_name).stem) or slug}-{language.text('problems')}.csv"
    answer = Response(begun, mimetype="text/csv")
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


# --- files -------------------------------------------------------------------------------------


@blueprint.get("/api/batches/<slug>/export")
def export_log(slug: str) -> AnyResponse:
    """Give the whole log of a batch as a file: `format` csv, xlsx, jsonl, bundle or openings."""
    wanted = request.args.get("format", "csv")
    if wanted not in (*FORMATS, *_ENDINGS):
        raise InputError(
            "%(name)r is not a format; choose from %(known)s",
            name=wanted[:40],
            known=", ".join((*FORMATS, *_ENDINGS)),
        )
    context = pages().context
    zone = zoneinfo.ZoneInfo(context.settings.station.time_zone)
    with tempfile.TemporaryDirectory(dir=pages().jobs.folder) as folder:
        ending = _ENDINGS.get(wanted, f".{wanted}")
        path = Path(folder) / f"log{ending}"
        with context.views.connection() as connection:
            match wanted:
                case "bundle":
                    export_bundle(connection, slug, context.station.key, path)
                case "openings":
                    export_openings(connection, slug, path)
                case _:
                    export(connection, slug, wanted, path, time_zone=zone)
        file = path.open("rb")  # goes on being readable once the folder is gone
    name = f"{secure_filename(slug)}{ending}"
    return send_file(file, as_attachment=True, download_name=name, max_age=0)
