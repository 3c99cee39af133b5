"""What two people and the witnesses do to close a batch: figures, explanations, seal, fire."""

from datetime import datetime
from typing import Final

from flask import Blueprint, Response, jsonify, request
from werkzeug.wrappers import Response as AnyResponse

from scanner_station.domain.declared import Declared
from scanner_station.domain.errors import ClosingError, InputError
from scanner_station.domain.findings import What
from scanner_station.domain.people import Role
from scanner_station.service import closing, custody, heads, views
from scanner_station.service.reconciliation import reconcile
from scanner_station.service.reconciliation_json import as_json, custody_as_json
from scanner_station.service.views import Json
from scanner_station.webapp.auth import by, caller
from scanner_station.webapp.calls import body, figures_of, numbers_of, text_of, whole_number_of
from scanner_station.webapp.context import batch_is_there, pages
from scanner_station.webapp.drawing import page
from scanner_station.webapp.login import names, two_people

_OPEN: Final = ("open", "paused")

blueprint = Blueprint("closing", __name__)
blueprint.before_request(batch_is_there)


@blueprint.errorhandler(ClosingError)
def not_yet(error: ClosingError) -> tuple[Response, int]:
    """Say all that stands in the way, each in the caller's language."""
    language = pages().languages.of_call(request)
    sentences = [language.error(one) for one in error.hindrances]
    return jsonify(error="; ".join(sentences), hindrances=sentences), 409


@blueprint.get("/batches/<slug>/closing")
def show(slug: str) -> AnyResponse:
    """Show the page on which a batch is closed."""
    with pages().context.views.connection() as connection:
        batch = views.summary(connection, slug)
    return page("closing.html", batch=batch, people=names())


@blueprint.get("/api/batches/<slug>/reconciliation")
def reconciliation(slug: str) -> Json:
    """Set manifest, count and declared figures against each other; every list is complete."""
    with pages().context.views.connection() as connection:
        found = reconcile(connection, slug)
    language = pages().languages.of_call(request)
    standing = closing.hindrances_of(found, busy=_busy) if found.state in _OPEN else []
    return as_json(found, [language.error(one) for one in standing])


@blueprint.get("/api/batches/<slug>/custody")
def chain_of_custody(slug: str) -> Json:
    """Tell containers, days, lots, what witnesses said, and the fire; no card is named."""
    with pages().context.views.connection() as connection:
        return custody_as_json(custody.custody(connection, slug))


@blueprint.post("/api/batches/<slug>/declared")
def declare(slug: str) -> Json:
    """Replace the figures that are stated elsewhere; the log keeps the earlier ones."""
    data = body()
    figures = Declared(
        total=None if data.get("total") is None else whole_number_of(data, "total"),
        by_category=figures_of(data, "by_category"),
        by_district=figures_of(data, "by_district"),
    )
    station = pages().context.station
    closing.declare(station, slug, figures, by=by(), reason=text_of(data, "reason", ""))
    return _summary(slug)


@blueprint.post("/api/batches/<slug>/explanations")
def explain(slug: str) -> tuple[Json, int]:
    """Explain a difference, or all open ones of a group, by two people."""
    data = body()
    what = text_of(data, "what")
    if what not in list(What):
        raise InputError(
            "%(name)r cannot be explained; choose from %(known)s",
            name=what[:40],
            known=", ".join(What),
        )
    first, second = two_people(data)
    made = closing.explain(
        pages().context.station,
        slug,
        what=What(what),
        category=None if data.get("category") is None else text_of(data, "category"),
        district=None if data.get("district") is None else text_of(data, "district"),
        lines=numbers_of(data, "lines"),
        sequences=numbers_of(data, "sequences"),
        reason=text_of(data, "reason"),
        by=first,
        seconded_by=second,
    )
    return {"sequence": made["sequence"], "number": made["number"]}, 201


@blueprint.post("/api/batches/<slug>/seal")
def seal(slug: str) -> Json:
    """Seal a batch by two people: no more cards; the final head is there to be cosigned."""
    first, second = two_people(body())
    head = closing.seal(pages().context.station, slug, by=first, seconded_by=second, busy=_busy)
    return _summary(slug) | {"size": head.checkpoint.size, "head": bytes(head).decode()}


@blueprint.post("/api/batches/<slug>/burning")
def burn(slug: str) -> tuple[Json, int]:
    """Write down that the cards of a sealed batch were destroyed."""
    data = body()
    made = custody.burn(
        pages().context.station,
        slug,
        method=text_of(data, "method"),
        present=text_of(data, "present"),
        burned_at=_time(text_of(data, "burned_at", "")),
        by=by(),
    )
    return {"sequence": made["sequence"], "burned_at": made["burned_at"]}, 201


# --- witnesses ---------------------------------------------------------------------------------


@blueprint.post("/api/batches/<slug>/objections")
def object_to(slug: str) -> tuple[Json, int]:
    """Write down what a witness says against it; it must be answered before sealing."""
    data = body()
    sequence = closing.object_to(
        pages().context.station,
        slug,
        witness=_witness(slug, data),
        institution=text_of(data, "institution", ""),
        objection=text_of(data, "objection"),
        by=by(),
    )
    return {"sequence": sequence}, 201


@blueprint.post("/api/batches/<slug>/notes")
def note(slug: str) -> tuple[Json, int]:
    """Write down what a witness remarks; it stands in the log and asks for no answer."""
    data = body()
    sequence = closing.note(
        pages().context.station,
        slug,
        witness=_witness(slug, data),
        institution=text_of(data, "institution", ""),
        text=text_of(data, "note"),
        by=by(),
    )
    return {"sequence": sequence}, 201


@blueprint.post("/api/batches/<slug>/objections/<int:sequence>/answer")
def answer(slug: str, sequence: int) -> Json:
    """Answer an objection."""
    said = text_of(body(), "answer")
    closing.answer(pages().context.station, slug, sequence, text=said, by=by())
    return chain_of_custody(slug)


@blueprint.post("/api/batches/<slug>/refusals")
def refuse(slug: str) -> tuple[Json, int]:
    """Write down that a witness will not sign, before or after sealing; it hinders nothing."""
    data = body()
    sequence = closing.record_refusal(
        pages().context.station,
        slug,
        witness=_witness(slug, data),
        institution=text_of(data, "institution", ""),
        objection=text_of(data, "objection"),
        by=by(),
    )
    return {"sequence": sequence}, 201


def _witness(slug: str, data: dict[str, object]) -> str:
    # A witness speaks for nobody else, and does not begin the log: that fixes the manifest.
    asking = caller()
    if asking.role is not Role.WITNESS:
        return text_of(data, "witness")
    with pages().context.views.connection() as connection:
        heads.require_begun(connection, slug)
    return asking.name


def _summary(slug: str) -> Json:
    with pages().context.views.connection() as connection:
        return views.summary(connection, slug)


def _busy() -> list[str]:
    return list(pages().context.presenting())


def _time(text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise InputError(
            "%(text)r is no time with a time zone, such as 2018-12-19T10:00:00+08:00",
            text=text[:40],
        )
    return found
