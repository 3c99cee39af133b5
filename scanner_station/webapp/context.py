"""What the pages are given, and what they add to it; both live in the Flask application."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask import Flask, current_app, request

from scanner_station.config import Settings
from scanner_station.readers.decoding.stages import StageCounts
from scanner_station.service.counter import require_batch
from scanner_station.service.delivery import KeyOffer, Offer
from scanner_station.service.incidents import Incidents
from scanner_station.service.logins import Logins
from scanner_station.service.pairing import Pairing
from scanner_station.service.people import People
from scanner_station.service.picture_reader import PictureReader
from scanner_station.service.progress import Progress
from scanner_station.service.spot_check import SpotChecks
from scanner_station.service.station import Station
from scanner_station.service.views import Views
from scanner_station.webapp.live import Live
from scanner_station.webapp.manifest_jobs import ManifestJobs
from scanner_station.webapp.metrics import Metrics
from scanner_station.webapp.recap_trays import RecapTrays
from scanner_station.webapp.translate import Languages

if TYPE_CHECKING:  # the servers, which are given these parts
    from scanner_station.webapp.network import Network

_EXTENSION = "scanner_station"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebContext:
    """What `create_app` is given.

    `by` stands in entries made from pages until people have been added, and by programs that
    know `api_token` ('' lets none in). `presenting` names the readers before which a card is held
    just now. `cameras` gives the newest picture of each by its name, as JPEG bytes, None when
    there is none yet. `latest_still` returns one of them larger, to be kept as a photograph; of ''
    it takes the camera before which a card seems to lie. `latest_offer` returns what a
    camera read unsurely last. `decoder_counts` is what cameras and sent pictures add to, stage by
    stage.
    """

    station: Station
    views: Views
    settings: Settings
    people: People
    logins: Logins
    by: str
    api_token: str = ""
    presenting: Callable[[], Iterable[str]] = tuple
    cameras: Mapping[str, Callable[[], bytes | None]] = field(default_factory=dict)
    latest_still: Callable[[str], bytes | None] = lambda _camera: None
    latest_offer: Callable[[], Offer | KeyOffer | None] = lambda: None
    decoder_counts: StageCounts = field(default_factory=StageCounts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """The context and the parts that live as long as the application."""

    context: WebContext
    live: Live
    jobs: ManifestJobs
    metrics: Metrics
    languages: Languages
    pairing: Pairing
    pictures: PictureReader
    progress: Progress
    spot_checks: SpotChecks
    incidents: Incidents
    network: "Network"
    recaps: RecapTrays

    def close(self) -> None:
        """End the live streams, the work on manifests and the local network; safe twice."""
        self.live.close()
        self.incidents.close()
        self.jobs.close()
        self.recaps.close()
        self.pictures.close()
        self.network.stop()

    def keep_in(self, extensions: dict[str, object]) -> None:
        """Put these parts where `pages` finds them."""
        extensions[_EXTENSION] = self


def pages_of(app: Flask) -> Pages:
    """Return the parts of an application."""
    found = app.extensions[_EXTENSION]
    if not isinstance(found, Pages):
        raise TypeError("the application was not made by create_app")
    return found


def pages() -> Pages:
    """Return the parts of the application that serves this request."""
    return pages_of(current_app)


def newest_photograph(camera: str = "") -> bytes:
    """Return a camera's newest picture as JPEG to be kept, b'' without one."""
    return pages().context.latest_still(camera) or b""


def batch_is_there() -> None:
    """Before every route of a blueprint: a batch that does not exist is said first.

    Raises:
        BatchError: the address names no batch that exists.
    """
    slug = (request.view_args or {}).get("slug")
    if slug is not None:
        with pages().context.views.connection() as connection:
            require_batch(connection, slug)
