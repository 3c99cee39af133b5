"""How a tablet comes to trust this station's certificate; also shown without encryption."""

from flask import Blueprint, Response, abort, request
from werkzeug.utils import secure_filename
from werkzeug.wrappers import Response as AnyResponse

from scanner_station.service.views import Json
from scanner_station.webapp.auth import by
from scanner_station.webapp.context import pages
from scanner_station.webapp.drawing import page
from scanner_station.webapp.pairing import qr_code

blueprint = Blueprint("certificate", __name__)


@blueprint.get("/certificate")
def show() -> AnyResponse:
    """Tell how to install the certificate on Android, iPad and Windows."""
    network = pages().network
    certificates = network.certificates
    trouble = network.trouble
    return page(
        "certificate.html",
        certificates=certificates,
        certificate_address=network.certificate_address,
        certificate_code=qr_code(network.certificate_address),
        https_address=network.https_address,
        trouble=trouble and pages().languages.of_page(request).error(trouble),
    )


@blueprint.get("/station.crt")
def download() -> AnyResponse:
    """Give the authority's certificate, which is public."""
    certificates = pages().network.certificates
    if certificates is None:
        abort(404)
    name = secure_filename(f"stasiun-{pages().context.station.name}.crt")
    headers = {"Content-Disposition": f"attachment; filename={name}"}
    return Response(
        certificates.authority_pem, mimetype="application/x-x509-ca-cert", headers=headers
    )


@blueprint.post("/api/certificate/renew")
def renew() -> Json:
    """Make a new authority and certificate; every tablet must be told to trust it."""
    certificates = pages().network.certificates
    if certificates is None:
        abort(404)
    certificates.renew()
    pages().context.people.note(by=by(), what="certificate renewed", about="")
    return {"fingerprint": certificates.fingerprint, "ends": certificates.ends}
