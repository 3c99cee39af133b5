"""A witness's tablet comes in by a QR code that the station shows: no address is typed."""

import segno
from flask import Blueprint, request
from werkzeug.wrappers import Response

from scanner_station.domain.errors import AccessError, InputError
from scanner_station.domain.people import Role, checked_name
from scanner_station.service.pairing import LASTS_S
from scanner_station.service.views import Json
from scanner_station.webapp.auth import caller
from scanner_station.webapp.calls import body, text_of
from scanner_station.webapp.context import pages
from scanner_station.webapp.drawing import page
from scanner_station.webapp.login import answer_of

blueprint = Blueprint("pairing", __name__)


@blueprint.get("/pairing")
def show() -> Response:
    """Show the codes that a witness's tablet scans."""
    network = pages().network
    certificates = network.certificates
    trouble = network.trouble
    return page(
        "pairing.html",
        certificate_address=network.certificate_address,
        certificate_code=qr_code(network.certificate_address),
        fingerprint=certificates.fingerprint if certificates else "",
        trouble=trouble and pages().languages.of_page(request).error(trouble),
    )


@blueprint.post("/api/pairing")
def issue() -> Json:
    """Make a code for one tablet, good for ten minutes."""
    address = pages().network.https_address
    if not address:
        raise InputError(
            "the local network is not served, so no tablet can come in; see the settings under web"
        )
    mark = pages().pairing.issue()
    # After the '#': a browser sends it to nobody, and it stands in no log.
    link = f"{address}/pair#{mark}"
    return {"mark": mark, "address": link, "code": qr_code(link), "lasts_s": LASTS_S}


@blueprint.get("/api/pairing")
def state() -> Json:
    """Tell whether a code can still be used."""
    return {"is_open": pages().pairing.is_open(request.args.get("mark", ""))}


@blueprint.get("/pair")
def arrive() -> Response:
    """Ask a witness for their name."""
    return page("pair.html")


@blueprint.post("/api/pair")
def take() -> Response:
    """Sign a witness in with the code that their tablet has scanned."""
    data = body()
    name = checked_name(text_of(data, "name"))
    institution = text_of(data, "institution", "").strip()
    if institution:
        name = checked_name(f"{name}, {institution}")
    context = pages().context
    if context.people.find(name) is not None:
        raise InputError("there is already somebody named %(name)s", name=name)
    if not pages().pairing.take(text_of(data, "mark")):
        raise AccessError("this code was used or is too old; have the station show a new one")
    if caller().token:
        context.logins.end(caller().token)
    token = context.logins.start_witness(name, is_kiosk=caller().is_kiosk)
    return answer_of(token, name, Role.WITNESS)


def qr_code(text: str) -> str:
    """Return a QR code as the address of a picture; '' for an empty text."""
    if not text:
        return ""
    return str(segno.make_qr(text, error="m").svg_data_uri(border=4, light="#fff"))
