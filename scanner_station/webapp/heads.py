"""The head of a log on screens: shown as text, paper code and QR, and cosigned by witnesses."""

from dataclasses import asdict
from sqlite3 import Connection
from zoneinfo import ZoneInfo

import segno
from flask import Blueprint, request
from werkzeug.utils import secure_filename
from werkzeug.wrappers import Response

from scanner_station.domain.checkpoint import SignedHead
from scanner_station.domain.errors import InputError
from scanner_station.domain.paper_head import PaperHead
from scanner_station.domain.people import Role
from scanner_station.domain.strict import encode_base64
from scanner_station.exports.slip import print_slip
from scanner_station.service import batches, contradictions, heads, witness_keys
from scanner_station.service.views import Json
from scanner_station.webapp.auth import by, caller
from scanner_station.webapp.calls import body, number_in_query, text_of, whole_number_of
from scanner_station.webapp.context import batch_is_there, pages
from scanner_station.webapp.drawing import as_file, page

blueprint = Blueprint("heads", __name__)
blueprint.before_request(batch_is_there)


@blueprint.get("/head")
def show() -> Response:
    """Show a head to be printed or photographed: what a witness takes along who leaves early."""
    return page("head.html")


@blueprint.get("/batches/<slug>/head.pdf")
def slip(slug: str) -> Response:
    """Give a slip with a signed head as PDF; `size`: which head, the newest if it is left out."""
    size = number_in_query("size", request.args.get("size"))
    context = pages().context
    with context.views.connection() as connection:
        taken = heads.to_take_along(connection, slug, context.station.key, size)
    made = print_slip(taken, time_zone=ZoneInfo(context.settings.station.time_zone))
    return as_file(made, f"log-{secure_filename(slug)}-{taken.head.checkpoint.size}.pdf")


@blueprint.get("/api/batches/<slug>/head")
def newest(slug: str) -> Json:
    """Return the newest signed head of a batch's log; `size` 0 while there is none."""
    with pages().context.views.connection() as connection:
        return _as_json(connection, slug, heads.newest(connection, slug))


@blueprint.post("/api/batches/<slug>/head")
def sign(slug: str) -> Json:
    """Sign the head as it is now, because a witness asks for it."""
    head = heads.sign(pages().context.station, slug)
    with pages().context.views.connection() as connection:
        return _as_json(connection, slug, head)


@blueprint.get("/api/batches/<slug>/consistency")
def consistency(slug: str) -> Json:
    """Return the proof that the log at one size (`to`) begins with the log at another (`from`)."""
    old = number_in_query("from", request.args.get("from"))
    new = number_in_query("to", request.args.get("to"))
    if old is None or new is None:
        raise InputError("the field %(field)s is missing", field="from" if old is None else "to")
    with pages().context.views.connection() as connection:
        proof = heads.consistency(connection, slug, old, new)
    return {"proof": [encode_base64(one) for one in proof]}


@blueprint.get("/batches/<slug>/policy")
def policy(slug: str) -> Response:
    """Give the keys of a log as a file for `verify --policy`, to be kept from the day itself."""
    context = pages().context
    with context.views.connection() as connection:
        made = heads.policy(connection, slug, context.station.key)
    return as_file(made, f"policy-{secure_filename(slug)}.txt", "text/plain")


@blueprint.get("/api/batches/<slug>/witness-keys")
def witness_key(slug: str) -> Json:
    """Show a witness's key (`key`) as QR code, and where the log names it (`named`), if it does."""
    key = witness_keys.key_in(request.args.get("key", "").encode())
    if key is None:
        raise InputError("this is not a witness's key; scan the code on the tablet again")
    with pages().context.views.connection() as connection:
        found = witness_keys.named(connection, slug, key)
    return {
        "name": key.name,
        "key": key.text,
        "code": _qr_code(key.text),
        "named": None if found is None else asdict(found),
    }


@blueprint.post("/api/batches/<slug>/witness-keys")
def enrol(slug: str) -> Json:
    """Name a witness's key in the log: a tablet its own, the officer the one they were shown.

    `witness`: whose it is; a witness speaks for nobody else.
    """
    station = pages().context.station
    with pages().context.views.connection() as connection:
        # A witness must not be the one who begins the log: that fixes the manifest.
        heads.require_begun(connection, slug)
    data = body()
    witness = by() if caller().role is Role.WITNESS else text_of(data, "witness", by())
    key = heads.enrol(station, slug, text_of(data, "key"), witness=witness, by=by())
    return {"name": key.name, "key": key.text}


@blueprint.post("/api/batches/<slug>/nonce")
def add_nonce(slug: str) -> Json:
    """Keep what a witness typed before the first card: the log will open with it."""
    batches.set_witness_nonce(pages().context.station, slug, text_of(body(), "nonce"))
    with pages().context.views.connection() as connection:
        return _as_json(connection, slug, heads.newest(connection, slug))


@blueprint.post("/api/batches/<slug>/cosignatures")
def cosign(slug: str) -> Json:
    """Keep a witness's signature on a head."""
    data = body()
    size = whole_number_of(data, "size")
    return {"time": heads.cosign(pages().context.station, slug, size, text_of(data, "line"))}


@blueprint.post("/api/batches/<slug>/contradictions")
def contradict(slug: str) -> Json:
    """Hear of a signed head that a tablet keeps; if the log is not its continuation, stop."""
    station = pages().context.station
    note = text_of(body(), "note")
    return {"contradicts": contradictions.report(station, slug, note, by=by())}


def _as_json(connection: Connection, slug: str, head: SignedHead | None) -> Json:
    nonce = batches.witness_nonce(connection, slug)
    if head is None:
        return {"size": 0, "note": "", "paper": "", "code": "", "key": "", "key_code": "",
                "witnesses": [], "signed": [], "nonce": nonce}  # fmt: skip
    key = heads.verifier_key(connection, slug, pages().context.station.key).text
    note = bytes(head).decode()
    return {
        "size": head.checkpoint.size,
        "note": note,
        "paper": PaperHead.of(head.checkpoint.size, head.checkpoint.root).text,
        "code": _qr_code(head.for_code()),
        "key": key,
        "key_code": _qr_code(key),
        "witnesses": [one.text for one in heads.witnesses(connection, slug)],
        "signed": [line.name for line in head.note.signatures[1:]],
        "nonce": nonce,
    }


def _qr_code(text: str) -> str:
    return str(segno.make_qr(text, error="l").svg_data_uri(border=4, light="#fff"))
