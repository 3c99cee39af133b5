"""Makes the Flask application from what it is given."""

from zoneinfo import ZoneInfo

from flask import Flask

from scanner_station import assets
from scanner_station.service.certificates import own_names
from scanner_station.service.incidents import Incidents
from scanner_station.service.pairing import Pairing
from scanner_station.service.picture_reader import PictureReader
from scanner_station.service.progress import Progress
from scanner_station.service.spot_check import SpotChecks
from scanner_station.webapp import (
    api,
    certificate,
    closing,
    custody,
    day,
    first_start,
    heads,
    help,
    login,
    minutes,
    officer,
    pairing,
    people,
    recap,
    supervisor,
    witness,
)
from scanner_station.webapp.auth import guard
from scanner_station.webapp.calls import StationRequest, refuse_in_sentences
from scanner_station.webapp.compress import compress
from scanner_station.webapp.context import Pages, WebContext, pages_of
from scanner_station.webapp.drawing import prepare_templates
from scanner_station.webapp.live import Live
from scanner_station.webapp.manifest_jobs import ManifestJobs
from scanner_station.webapp.metrics import Metrics
from scanner_station.webapp.network import Network
from scanner_station.webapp.recap_trays import RecapTrays
from scanner_station.webapp.security import MAX_BODY_BYTES, protect
from scanner_station.webapp.translate import Languages


def create_app(context: WebContext) -> Flask:
    """Return the pages and the HTTP interface of one station.

    It listens to the station's bus from here on: make it before the readers start. `close_app`
    ends what it has begun.
    """
    settings = context.settings
    web = assets.folder("web")
    app = Flask(
        "scanner_station",
        static_folder=str(web / "static"),
        static_url_path="/static",
        template_folder=str(web / "templates"),
    )
    app.request_class = StationRequest
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    live = Live(context.station, context.views, slots=settings.web.stream_slots)
    Pages(
        context=context,
        live=live,
        jobs=ManifestJobs(context.station),
        metrics=Metrics(
            context.station.bus,
            streams_used=lambda: live.used,
            stream_slots=live.slots,
            decoder_counts=context.decoder_counts,
        ),
        languages=Languages(web / "translations", settings.station.language),
        pairing=Pairing(context.station.clock),
        pictures=PictureReader(context.station, counts=context.decoder_counts),
        progress=Progress(),
        spot_checks=SpotChecks(context.station),
        incidents=Incidents(context.station),
        recaps=RecapTrays(ZoneInfo(settings.station.time_zone)),
        network=Network(app, context.station.folder, settings, context.station.clock),
    ).keep_in(app.extensions)
    prepare_templates(app)
    protect(app, names=own_names(settings.web.names))
    guard(app)
    compress(app)
    refuse_in_sentences(app)
    for module in (
        login,
        first_start,
        pairing,
        certificate,
        people,
        officer,
        witness,
        heads,
        supervisor,
        day,
        help,
        closing,
        minutes,
        recap,
        custody,
        api,
    ):
        app.register_blueprint(module.blueprint)
    return app


def close_app(app: Flask) -> None:
    """End the live streams, the work on manifests and the local network; safe twice."""
    pages_of(app).close()
