"""The daemon: readers, log and pages joined; apart from `compose` because it imports OpenCV."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from scanner_station.cli.compose import local_account, new_api_token
from scanner_station.cli.simulation import (
    Simulation,
    known_slugs,
    may_simulate,
    simulation,
)
from scanner_station.config import CameraSettings, SerialSettings, Settings
from scanner_station.domain.reading import ReaderId, Symbology
from scanner_station.readers.camera import FIXED_LENGTH, CameraReader
from scanner_station.readers.camera_source import Capture
from scanner_station.readers.decoding.stages import StageCounts
from scanner_station.readers.port_finder import PortFinder
from scanner_station.readers.protocol import Reader
from scanner_station.readers.serial_port import SerialReader
from scanner_station.service.delivery import Delivery, KeyOffer, Offer
from scanner_station.service.heads import HeadKeeper
from scanner_station.service.log_check import LogChecker
from scanner_station.service.logins import Logins
from scanner_station.service.people import People
from scanner_station.service.reader_loop import ReaderLoop, without_repeats
from scanner_station.service.station import Station
from scanner_station.service.views import Views
from scanner_station.webapp.app import close_app, create_app
from scanner_station.webapp.context import WebContext, pages_of
from scanner_station.webapp.network import Network
from scanner_station.webapp.server import Server, serve

STOP_TIMEOUT_S: Final = 5.0
WRITER_TIMEOUT_S: Final = 10.0


class Devices:
    """The reader loops of one station, and the newest picture of its cameras."""

    def __init__(self, station: Station, by: Callable[[], str]) -> None:
        """Make no reader yet; `by` tells who is at the table."""
        self._station = station
        self._by = by
        self._cameras: dict[ReaderId, CameraReader] = {}
        self._deliveries: list[Delivery] = []
        self.loops: list[ReaderLoop] = []
        self.counts = StageCounts()
        self.pictures: dict[str, Callable[[], bytes | None]] = {}
        """The newest picture of each camera as JPEG, None when there is none yet."""

    def add_camera(self, camera: CameraSettings) -> None:
        """Add a camera of the settings; it counts into whichever batch is active."""
        symbologies = frozenset(Symbology(name) for name in camera.symbologies)
        delivery = Delivery(self._station, by=self._by)
        self._add_camera(
            ReaderId(camera.id),
            camera.source,
            symbologies,
            delivery,
            fixed_length=camera.fixed_length,
            stages_off=frozenset(camera.stages_off),
        )

    def add_serial(self, serial: SerialSettings) -> None:
        """Add a serial scanner of the settings; it counts into whichever batch is active."""
        delivery = Delivery(self._station, by=self._by)
        self._add_serial(ReaderId(serial.id), serial.port, serial.baud, serial.silence_ms, delivery)

    def add_simulated(self, made_up: Simulation) -> None:
        """Add the simulated devices, which count into their own batch and no other."""
        delivery = Delivery(self._station, by=self._by, slug=made_up.slug)
        symbologies = frozenset({Symbology.QR, Symbology.CODE128})
        self._add_camera(ReaderId("kamera-simulasi"), made_up.camera, symbologies, delivery)
        reader_id = ReaderId("pemindai-simulasi")
        self._add_serial(reader_id, made_up.scanner.port, 9600, 100, delivery)
        made_up.scanner.start()

    def _add_camera(
        self,
        reader_id: ReaderId,
        source: str | Capture,
        symbologies: frozenset[Symbology],
        delivery: Delivery,
        *,
        fixed_length: int = FIXED_LENGTH,
        stages_off: frozenset[str] = frozenset(),
    ) -> None:
        def make() -> Reader:
            camera = CameraReader(
                reader_id,
                source,
                symbologies=symbologies,
                is_expected=delivery.is_expected,
                fits=delivery.fits,
                clock=self._station.clock,
                notify=notify,
                near_expected=delivery.is_near_expected,
                on_candidate=lambda payload: delivery.offer_candidate(reader_id, payload),
                counts=self.counts,
                fixed_length=fixed_length,
                stages_off=stages_off,
            )
            self._cameras[reader_id] = camera
            return camera

        notify = without_repeats(self._station.bus.publish)
        self.pictures[reader_id] = lambda: self._picture_of(reader_id)
        self._deliveries.append(delivery)
        self.loops.append(ReaderLoop(reader_id, make, delivery, notify))

    def _add_serial(
        self, reader_id: ReaderId, port: str, baud: int, silence_ms: int, delivery: Delivery
    ) -> None:
        def make() -> Reader:
            return SerialReader(
                reader_id,
                finder,
                baud=baud,
                silence_ms=silence_ms,
                clock=self._station.clock,
                notify=notify,
            )

        finder = PortFinder(port)
        notify = without_repeats(self._station.bus.publish)
        self.loops.append(ReaderLoop(reader_id, make, delivery, notify))

    def latest_offer(self) -> Offer | KeyOffer | None:
        """Return what a reader offers to the officer: a card read unsurely, or a witness's key."""
        offers = [delivery.offer for delivery in self._deliveries if delivery.offer]
        return max(offers, key=lambda offer: offer.at, default=None)

    def _picture_of(self, reader_id: ReaderId) -> bytes | None:
        camera = self._cameras.get(reader_id)
        return camera.latest_jpeg() if camera is not None else None

    def latest_still(self, name: str = "") -> bytes | None:
        """Return the newest picture of a camera as a photograph; None when there is none yet.

        Without a name: of the first camera before which something lies that it cannot read,
        else of the first one that has a picture.
        """
        cameras = [one for known, one in self._cameras.items() if name in ("", known)]
        cameras.sort(key=lambda one: not one.sees_unread)
        pictures = (one.latest_still() for one in cameras)
        return next((picture for picture in pictures if picture is not None), None)

    def presenting(self) -> list[ReaderId]:
        """Return the cameras before which a card is held just now."""
        return [name for name, camera in self._cameras.items() if camera.is_presenting]

    def stop(self) -> None:
        """Close all devices and wait for their threads."""
        for loop in self.loops:
            loop.stop(STOP_TIMEOUT_S)


@dataclass(slots=True, kw_only=True)
class Daemon:
    """A running station with its readers and pages."""

    server: Server
    station: Station
    network: Network

    @property
    def address(self) -> str:
        """Where the pages are, without a slash at the end."""
        return self.server.address

    def is_alive(self) -> bool:
        """Whether pages are served and the writer does not hang.

        A station that has stopped counting is alive: it has to say so.
        """
        return self.server.is_alive() and self.station.is_alive(WRITER_TIMEOUT_S)


@contextmanager
def daemon(
    data: Path, settings: Settings, *, simulate: bool, cards: int, port: int | None
) -> Iterator[Daemon]:
    """Run the station with its readers and pages while the block runs.

    Raises:
        StorageError: the data folder cannot be used.
    """
    account = local_account()
    with ExitStack() as stack:
        station = Station(data, name=settings.station.name)
        stack.callback(station.close)
        views = Views(data)
        stack.callback(views.close)
        people = People(station)
        logins = Logins(station, idle=timedelta(minutes=settings.people.idle_minutes))
        devices = Devices(station, lambda: account if people.is_empty else logins.at_the_table())
        slugs = known_slugs(station)
        keeper = HeadKeeper(
            station, entries=settings.log.head_entries, seconds=settings.log.head_seconds
        )
        keeper.start()
        stack.callback(keeper.stop)
        checker = LogChecker(views, station.unchecked, station.halt)
        checker.start()
        stack.callback(checker.stop)
        if simulate and people.is_empty and may_simulate(slugs):
            made_up = stack.enter_context(simulation(station, slugs, cards=cards, by=account))
            devices.add_simulated(made_up)
        for camera in settings.cameras:
            devices.add_camera(camera)
        for serial in settings.serials:
            devices.add_serial(serial)
        context = WebContext(
            station=station,
            views=views,
            people=people,
            logins=logins,
            by=account,
            api_token=new_api_token(data),
            settings=settings,
            cameras=devices.pictures,
            latest_still=devices.latest_still,
            latest_offer=devices.latest_offer,
            presenting=devices.presenting,
            decoder_counts=devices.counts,
        )
        app = create_app(context)
        stack.callback(close_app, app)
        network = pages_of(app).network
        if not people.is_empty:
            network.start()
        web = settings.web
        server = serve(app, web.host, web.port if port is None else port, web.stream_slots)
        server.start()
        stack.callback(server.stop)
        for loop in devices.loops:
            loop.start()
        stack.callback(devices.stop)
        yield Daemon(server=server, station=station, network=network)
