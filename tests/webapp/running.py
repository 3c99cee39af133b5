"""A real station with its pages, and them on a free port of this machine, for tests."""

import itertools
import socket
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

from flask.testing import FlaskClient

from scanner_station.clock import Clock
from scanner_station.config import Settings, StationSettings, WebSettings
from scanner_station.domain.events import EntryRecorded
from scanner_station.domain.people import Role
from scanner_station.domain.reading import ReaderId, Reading, Symbology
from scanner_station.service import batches
from scanner_station.service.delivery import KeyOffer, Offer
from scanner_station.service.logins import Logins
from scanner_station.service.people import People
from scanner_station.service.station import Station
from scanner_station.service.views import Views
from scanner_station.webapp.app import close_app, create_app
from scanner_station.webapp.context import WebContext
from scanner_station.webapp.server import Server, serve

SLUG = "kupang-1"
API_TOKEN = "of this machine's programs"
NAMES = {
    Role.OFFICER: "Ani Petugas",
    Role.WITNESS: "Wati Saksi",
    Role.SUPERVISOR: "Sari Penyelia",
}
SECRETS = {
    Role.OFFICER: "713905",
    Role.WITNESS: "482617",
    Role.SUPERVISOR: "kartu rusak dibakar",
}


def nik(number: int) -> str:
    """A well-formed NIK with a province code that no province has."""
    return f"997104{number % 31 + 1:02d}{number % 12 + 1:02d}90{number + 1:04d}"


def free_port() -> int:
    """A port that a station can take, leave and take again, as its own one in the settings."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


class RunningStation:
    """The station, its server and what a test does to them.

    The server begins when a test first asks for it: most speak to the pages without one.
    """

    def __init__(
        self,
        folder: Path,
        *,
        language: str = "id",
        slots: int = 12,
        cameras: Mapping[str, Callable[[], bytes | None]] | None = None,
        latest_offer: Callable[[], Offer | KeyOffer | None] = lambda: None,
        clock: Clock | None = None,
        https_port: int = 0,
    ) -> None:
        self._clock = clock
        self.folder = folder
        self.settings = Settings(
            station=StationSettings(language=language, time_zone="Asia/Makassar"),
            web=WebSettings(
                port=free_port(),
                network="127.0.0.1",
                https_port=https_port,
                certificate_port=0,
                stream_slots=slots,
            ),
        )
        self._cameras = dict(cameras or {})
        self._latest_offer = latest_offer
        self.presenting: list[str] = []
        self._server: Server | None = None
        self.start()

    def start(self) -> None:
        """Start as a new process would; after a stop, at the same port."""
        self.station = Station(self.folder, name=self.settings.station.name, clock=self._clock)
        self.people = People(self.station)
        self.logins = Logins(
            self.station, idle=timedelta(minutes=self.settings.people.idle_minutes)
        )
        self.views = Views(self.folder)
        self.app = create_app(
            WebContext(
                station=self.station,
                views=self.views,
                settings=self.settings,
                people=self.people,
                logins=self.logins,
                by="petugas",
                api_token=API_TOKEN,
                cameras=self._cameras,
                latest_still=self._latest_still,
                latest_offer=self._latest_offer,
                presenting=lambda: self.presenting,
            )
        )
        if self._server is not None:
            self._serve()

    def _serve(self) -> Server:
        web = self.settings.web
        self._server = serve(self.app, web.host, web.port, web.stream_slots)
        self._server.start()
        return self._server

    @property
    def server(self) -> Server:
        return self._server or self._serve()

    def _latest_still(self, camera: str) -> bytes | None:
        return next((seen() for name, seen in self._cameras.items() if camera in ("", name)), None)

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()
        close_app(self.app)
        self.views.close()
        self.station.close()

    def __enter__(self) -> "RunningStation":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def add_people(self) -> None:
        """Add one person of each role; from now on nobody works without signing in."""
        for role, name in NAMES.items():
            self.people.add(name, role, SECRETS[role], by="first start", nip="", position="")

    def client_of(self, role: Role | None, address: str = "127.0.0.1") -> FlaskClient:
        """A browser at an address in which somebody of this role has signed in (None: nobody)."""
        client = self.app.test_client()
        client.environ_base["REMOTE_ADDR"] = address
        if role is not None:
            said = client.post("/api/login", json={"name": NAMES[role], "secret": SECRETS[role]})
            client.environ_base["HTTP_X_WRITE_TOKEN"] = said.json["write_token"]
        return client

    @property
    def address(self) -> str:
        return self.server.address

    def create(self, slug: str = SLUG, title: str = "Pemusnahan 19 Desember 2018") -> str:
        batches.create(
            self.station, slug, title=title, by="penyelia", place="Kupang", held_on="2018-12-19"
        )
        return slug

    def load(self, manifest: str, slug: str = SLUG) -> None:
        """Give the batch a manifest, as CSV text."""
        path = self.folder / "manifest.csv"
        path.write_text(manifest, "utf-8")
        checked = batches.check_manifest(self.station, slug, path, path.name)
        batches.import_manifest(self.station, slug, checked, by="penyelia")

    def scan(
        self, payload: str | bytes, slug: str = SLUG, reader: str = "pemindai"
    ) -> EntryRecorded:
        """Count a card as a device of the station does."""
        raw = payload.encode() if isinstance(payload, str) else payload
        reading = Reading(
            payload=raw,
            symbology=Symbology.CODE128,
            reader_id=ReaderId(reader),
            at=self.station.clock.now(),
        )
        return self.station.handle(slug, reading, by="petugas")


def manifest_of(numbers: range, categories: tuple[str, ...], districts: tuple[str, ...]) -> str:
    """A clean manifest as CSV text."""
    kinds, places = itertools.cycle(categories), itertools.cycle(districts)
    lines = [f"{nik(n)},Nama {n},{next(kinds)},{next(places)}" for n in numbers]
    return "\n".join(["nik,nama,kategori,kecamatan", *lines, ""])
