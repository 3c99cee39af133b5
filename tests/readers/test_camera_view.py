"""What the picture as a whole says: hints for the officer, and streams that come to a stop."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
import pytest

from scanner_station.clock import SystemClock
from scanner_station.domain.errors import ReaderError
from scanner_station.readers.camera_scene import Hint, SceneWatch
from scanner_station.readers.camera_source import open_source
from tests.readers.test_camera import A, Image, table, with_card


def learned() -> SceneWatch:
    """Return a watch that has seen the empty table for two seconds."""
    watch = SceneWatch()
    for number in range(60):
        watch.look(table(), number / 30)
    return watch


def dimmed(picture: Image, factor: float) -> Image:
    return np.asarray(picture * factor, dtype=np.uint8)


def with_glare() -> Image:
    picture = with_card(A)
    cv2.circle(picture, (335, 150), 60, (255, 255, 255), -1)
    return picture


def far_away() -> Image:
    picture = table()
    small = cv2.resize(with_card(A)[60:250, 120:420], (60, 38), interpolation=cv2.INTER_AREA)
    picture[160:198, 290:350] = small
    return picture


@pytest.mark.parametrize(
    ("picture", "hint"),
    [
        (far_away(), Hint.CLOSER),
        (dimmed(with_card(A), 0.2), Hint.DARK),
        (with_glare(), Hint.GLARE),
        (cv2.GaussianBlur(with_card(A), (0, 0), 9), Hint.BLURRED),
        (dimmed(np.roll(with_card(A), -170, axis=1), 0.9), Hint.CUT),
        (dimmed(with_card(A), 0.9), None),
    ],
    ids=["too_far", "too_dark", "glare", "blurred", "cut", "nothing_wrong"],
)
def test_the_officer_is_told_what_keeps_a_card_from_being_read(
    picture: Image, hint: Hint | None
) -> None:
    watch = learned()
    watch.look(picture, 2.1)
    assert not watch.look(picture, 2.2).is_empty  # or nobody would ask for the hint
    assert watch.hint(picture) is hint


def test_an_empty_table_is_empty_also_when_the_light_goes_out() -> None:
    watch = learned()
    for number in range(60):
        dark = watch.look(dimmed(table(), 0.2), 2.1 + number / 30)
    assert dark.is_empty


class _StallingStream(BaseHTTPRequestHandler):
    """Sends three frames of an MJPEG stream, then nothing more while the line stays open."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        jpeg = cv2.imencode(".jpg", with_card(A))[1].tobytes()
        for _ in range(3):
            self.wfile.write(
                b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: "
                + str(len(jpeg)).encode()
                + b"\r\n\r\n"
                + jpeg
                + b"\r\n"
            )
        self.wfile.flush()
        STALLED.wait(30)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


STALLED = threading.Event()


@pytest.fixture
def stream() -> Iterator[str]:
    STALLED.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _StallingStream)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/stream.mjpg"
    STALLED.set()
    server.shutdown()
    server.server_close()
    thread.join(5)


def test_a_stream_that_stalls_is_a_reader_error_and_not_a_camera_that_hangs(stream: str) -> None:
    frames = open_source(stream, steady_s=SystemClock().steady_s, loop=False)
    seen = iter(frames)
    assert next(seen).image.shape == (360, 640, 3)
    with pytest.raises(ReaderError, match="gives no pictures any more"):
        for _ in seen:
            pass
