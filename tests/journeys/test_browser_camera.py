"""The officer's live camera picture: the found code is outlined, a hint says what hinders."""

import threading
import time
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
import segno
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Page, expect

from scanner_station.domain.checkpoint import witness_key
from scanner_station.domain.reading import ReaderId, Symbology
from scanner_station.readers.camera import CameraReader
from scanner_station.readers.decoding.process import InProcessDecoder
from scanner_station.readers.decoding.stages import StageCounts
from scanner_station.service import views
from scanner_station.service.delivery import Delivery
from scanner_station.service.reader_loop import ReaderLoop
from tests.journeys.test_browser_pages import WITHIN_MS, open_officer, verdict
from tests.readers.test_camera import SLOW, Image, table, unreadable_card, with_card
from tests.webapp.running import SLUG, RunningStation, manifest_of, nik

OUTLINED = """window.outlined = () => {
    const img = document.querySelector("#preview img");
    if (!img.complete || !img.naturalWidth) return null;
    const canvas = Object.assign(document.createElement("canvas"),
        {width: img.naturalWidth, height: img.naturalHeight});
    const context = canvas.getContext("2d");
    context.drawImage(img, 0, 0);
    const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
    let green = 0;
    for (let at = 0; at < data.length; at += 4)
        if (data[at + 1] > 140 && data[at] < 120 && data[at + 2] < 120) green += 1;
    return green;
};"""


SECOND_PICTURE = cv2.imencode(".jpg", np.full((90, 160, 3), 90, np.uint8))[1].tobytes()


class HeldCamera:
    """A camera that sees whatever the test holds in front of it, 25 times a second."""

    def __init__(self) -> None:
        self.sees: Image = table()
        self.counts = StageCounts()
        self._closed = threading.Event()

    def show(self, picture: Image) -> None:
        """Hold something else before it, once it has seen the table between the two."""
        self.sees = table()
        self._looked_at(frames=3)
        self.sees = picture

    def know_the_table(self) -> None:
        """Wait until it has learned what the empty table looks like."""
        self._looked_at(frames=40)

    def _looked_at(self, frames: int) -> None:
        wanted, until_s = self.counts.frames + frames, time.monotonic() + WITHIN_MS / 1000
        while self.counts.frames < wanted:
            assert time.monotonic() < until_s, "the camera does not look"
            self._closed.wait(1 / 25)

    def read(self) -> tuple[bool, Image | None]:
        self._closed.wait(1 / 25)
        return (False, None) if self._closed.is_set() else (True, self.sees.copy())

    def release(self) -> None:
        self._closed.set()


@pytest.fixture
def camera() -> HeldCamera:
    return HeldCamera()


@pytest.fixture
def running(data_folder: object, camera: HeldCamera) -> Iterator[RunningStation]:
    readers: list[CameraReader] = []
    deliveries: list[Delivery] = []
    with RunningStation(
        data_folder,  # type: ignore[arg-type]
        cameras={
            "kamera": lambda: readers[0].latest_jpeg() if readers else None,
            "kamera-atas": lambda: SECOND_PICTURE,
        },
        latest_offer=lambda: deliveries[0].offer if deliveries else None,
    ) as running:
        running.create()
        running.load(manifest_of(range(40), ("rusak",), ("Oebobo",)))
        delivery = Delivery(running.station, by=lambda: "petugas", slug=SLUG)
        deliveries.append(delivery)

        def make() -> CameraReader:
            readers[:] = [
                CameraReader(
                    ReaderId("kamera"),
                    camera,
                    symbologies=frozenset({Symbology.QR}),
                    is_expected=delivery.is_expected,
                    fits=delivery.fits,
                    clock=running.station.clock,
                    notify=running.station.bus.publish,
                    decoder=InProcessDecoder(),
                    counts=camera.counts,
                    stages_off=SLOW,
                )
            ]
            return readers[0]

        loop = ReaderLoop(ReaderId("kamera"), make, delivery, running.station.bus.publish)
        loop.start()
        yield running
        loop.stop(5)


def test_the_found_code_stays_outlined_in_the_live_picture_while_its_card_lies_there(
    running: RunningStation, camera: HeldCamera, page: Page
) -> None:
    page.add_init_script(OUTLINED)
    open_officer(page, running)
    page.wait_for_function("() => window.outlined() === 0")  # the empty table, live
    previews = page.locator("#preview figure")
    expect(previews).to_have_text(["kamera", "kamera-atas"])
    expect(previews.last.get_by_role("img")).to_have_js_property("naturalWidth", 160)
    camera.sees = with_card(nik(3).encode())
    verdict(page, "counted")
    page.wait_for_function("() => window.outlined() > 100", timeout=WITHIN_MS)
    page.evaluate(
        """() => {
            window.seen = [];
            document.querySelector("#preview img").addEventListener("load",
                () => window.seen.push(window.outlined()));
        }"""
    )
    page.wait_for_function("() => window.seen.length >= 10", timeout=WITHIN_MS)
    assert min(page.evaluate("window.seen")) > 100, "it does not flicker"
    camera.sees = table()
    page.wait_for_function("() => window.outlined() === 0", timeout=WITHIN_MS)
    assert running.station.counter(SLUG).tally.counted == 1


def tablet_with(key: str) -> Image:
    """A tablet held before the camera, which shows a witness's key as its page does."""
    picture = table()
    code = np.array([list(row) for row in segno.make_qr(key, error="l").matrix], np.uint8)
    code = np.kron(1 - np.pad(code, 4), np.ones((5, 5), np.uint8)) * 255
    picture[40 : 40 + code.shape[0], 200 : 200 + code.shape[1]] = code[..., None]
    return picture


def test_a_witnesss_key_held_before_the_camera_is_named_in_the_log_and_counts_as_no_card(
    running: RunningStation, camera: HeldCamera, page: Page
) -> None:
    key = witness_key("wati-inspektorat-a1b2", Ed25519PrivateKey.from_private_bytes(b"w" * 32))
    open_officer(page, running)
    camera.sees = with_card(nik(3).encode())
    verdict(page, "counted")
    camera.show(tablet_with(key.text))
    naming = page.locator("#naming")
    expect(naming).to_be_visible(timeout=WITHIN_MS)
    expect(page.locator("#naming-key")).to_have_text(key.text)
    page.fill("#naming-witness", "Wati, Inspektorat")
    page.press("#naming-witness", "Enter")
    expect(page.locator("#naming-known")).to_contain_text("kunci Wati, Inspektorat, disebut di log")
    expect(page.locator("#naming-do")).to_be_hidden()
    page.click("#naming-leave")
    expect(naming).to_be_hidden()
    # Typed, or from a scanner that types: the fallback, which finds it named.
    page.fill("#number", key.text)
    page.press("#number", "Enter")
    expect(page.locator("#naming-known")).to_contain_text("pada entri 2")
    with running.views.connection() as connection:
        bodies = [entry.body for entry in views.entries(connection, SLUG)]
    assert [body["kind"] for body in bodies] == ["open", "scan", "witness"]
    assert (bodies[2]["key"], bodies[2]["witness"]) == (key.text, "Wati, Inspektorat")


def small_card() -> Image:
    picture = table()
    card = cv2.resize(with_card(nik(3).encode())[60:250, 120:420], (88, 56))
    picture[150:206, 300:388] = cv2.GaussianBlur(card, (0, 0), 1.5)
    return picture


def blurred_card() -> Image:
    return np.asarray(cv2.GaussianBlur(with_card(nik(3).encode()), (0, 0), 9), dtype=np.uint8)


def glaring_card() -> Image:
    picture = unreadable_card()
    cv2.rectangle(picture, (200, 60), (420, 250), (255, 255, 255), -1)
    return picture


def dark_card() -> Image:
    return np.asarray(unreadable_card() * 0.2, dtype=np.uint8)


def card_at_the_edge() -> Image:
    picture = table()
    picture[:, :110] = with_card(nik(3).encode())[:, 310:420]  # the rest is out of the picture
    return np.asarray(picture * 0.9, dtype=np.uint8)


def test_a_hint_in_words_says_why_a_card_is_not_read(
    running: RunningStation, camera: HeldCamera, page: Page
) -> None:
    open_officer(page, running)
    camera.know_the_table()
    for picture, word in (
        (blurred_card(), "Buram"),
        (glaring_card(), "Silau"),
        (small_card(), "Lebih dekat"),
        (dark_card(), "Terlalu gelap"),
        (card_at_the_edge(), "terpotong"),
    ):
        camera.show(picture)
        expect(page.locator(".banner.hint", has_text=word)).to_be_visible(timeout=WITHIN_MS)
    assert running.station.counter(SLUG).tally.counted == 0
