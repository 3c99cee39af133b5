"""A thread for each reader."""

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scanner_station.domain.errors import BatchError, ReaderError, StationError, StorageError
from scanner_station.domain.events import ReaderNotice, ReaderState
from scanner_station.domain.reading import ReaderId, Reading
from scanner_station.readers.port_finder import PortFinder
from scanner_station.readers.protocol import Reader
from scanner_station.readers.serial_port import SerialReader
from scanner_station.service.reader_loop import ReaderLoop, without_repeats
from tests.fakes import PATIENCE_S, FakeClock, Notices, PtyScanner, ReplayReader, text_of

CARD = b"9971044512900001"
OTHER = b"9971040101800002"
GATE = ReaderId("gate")
GONE = ReaderError("Scanner %(reader)s is gone.", reader="gate")


class Delivered:
    """Takes readings as the station would; raises what it is told to."""

    def __init__(self) -> None:
        self.queue: queue.Queue[bytes] = queue.Queue()
        self.failures: dict[bytes, Exception] = {}

    def __call__(self, reading: Reading) -> None:
        if reading.payload in self.failures:
            raise self.failures[reading.payload]
        self.queue.put(reading.payload)

    def next(self) -> bytes:
        return self.queue.get(timeout=PATIENCE_S)


@pytest.fixture
def delivered() -> Delivered:
    return Delivered()


@pytest.fixture
def notices() -> Notices:
    return Notices()


Start = Callable[..., ReaderLoop]


@pytest.fixture
def start(delivered: Delivered, notices: Notices) -> Iterator[Start]:
    """Start loops over given attempts (the last one is repeated); all are stopped at the end."""
    loops: list[ReaderLoop] = []

    def start(*attempts: Callable[[], Reader], retry_s: float = 0.001) -> ReaderLoop:
        left = list(attempts)

        def make() -> Reader:
            return (left.pop(0) if len(left) > 1 else left[0])()

        notify = without_repeats(notices)
        loops.append(ReaderLoop(GATE, make, delivered, notify, retry_s=retry_s))
        loops[-1].start()
        return loops[-1]

    yield start
    for loop in loops:
        assert loop.stop(PATIENCE_S)


def replay(*script: bytes | Exception, stays_open: bool = False) -> Callable[[], Reader]:
    return lambda: ReplayReader(GATE, script, FakeClock(), stays_open=stays_open)


def states(notices: Notices) -> list[ReaderState | None]:
    return [notice.state for notice in notices.all]


def test_readings_are_handed_over_in_order_and_the_end_is_told(
    start: Start, delivered: Delivered, notices: Notices
) -> None:
    loop = start(replay(CARD, OTHER))
    assert loop.wait(PATIENCE_S)
    assert [delivered.next(), delivered.next()] == [CARD, OTHER]
    assert states(notices) == [ReaderState.CLOSED]


def test_a_lost_reader_is_reported_and_opened_again(
    start: Start, delivered: Delivered, notices: Notices
) -> None:
    start(replay(CARD, GONE), replay(OTHER, stays_open=True))
    assert [delivered.next(), delivered.next()] == [CARD, OTHER]
    lost = notices.next()
    assert lost.state is ReaderState.LOST
    assert text_of(lost) == "Scanner gate is gone."


def test_a_reader_that_stays_away_is_reported_once(
    start: Start, delivered: Delivered, notices: Notices
) -> None:
    start(*[replay(GONE)] * 5, replay(CARD, stays_open=True))
    assert delivered.next() == CARD
    assert states(notices) == [ReaderState.LOST]


def test_a_reader_lost_a_second_time_is_reported_a_second_time() -> None:
    notices = Notices()
    notify = without_repeats(notices)
    lost = ReaderNotice(reader_id=GATE, message="gone", state=ReaderState.LOST)
    ready = ReaderNotice(reader_id=GATE, message="ready", state=ReaderState.READY)
    hint = ReaderNotice(reader_id=GATE, message="half a line")
    for notice in (lost, lost, hint, lost, ready, hint, hint, ready, lost):
        notify(notice)
    assert notices.all == [lost, hint, ready, hint, hint, lost]


@pytest.mark.parametrize("raised_by", ["maker", "reader"])
def test_a_driver_that_raises_anything_is_reported_and_tried_again(
    start: Start, delivered: Delivered, notices: Notices, raised_by: str
) -> None:
    def broken() -> Reader:
        raise RuntimeError(CARD.decode())

    attempt = broken if raised_by == "maker" else replay(RuntimeError(CARD.decode()))
    start(attempt, replay(OTHER, stays_open=True))
    assert delivered.next() == OTHER
    lost = notices.next()
    assert lost.state is ReaderState.LOST
    assert "RuntimeError" in text_of(lost)
    assert CARD.decode() not in text_of(lost)


def test_a_card_that_could_not_be_recorded_ends_the_loop_and_says_so(
    start: Start, delivered: Delivered, notices: Notices
) -> None:
    delivered.failures[CARD] = StorageError("The disk is full.")
    loop = start(replay(CARD, OTHER, stays_open=True))
    assert loop.wait(PATIENCE_S)
    (notice,) = notices.all
    assert notice.state is ReaderState.CLOSED
    assert "The disk is full." in text_of(notice)
    assert delivered.queue.empty()


def test_a_loop_that_ended_can_be_started_again(
    start: Start, delivered: Delivered, notices: Notices
) -> None:
    delivered.failures[CARD] = StorageError("The disk is full.")
    loop = start(replay(CARD), replay(OTHER))
    assert loop.wait(PATIENCE_S)
    loop.start()
    assert delivered.next() == OTHER
    assert loop.wait(PATIENCE_S)
    assert states(notices)[-1] is ReaderState.CLOSED


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (BatchError("No batch %(slug)s is open.", slug="kupang"), "No batch kupang is open."),
        (StationError("50% of it"), "50% of it"),
        (KeyError(CARD.decode()), "KeyError"),
    ],
)
def test_a_card_in_trouble_is_reported_and_the_next_one_is_taken(
    start: Start, delivered: Delivered, notices: Notices, failure: Exception, said: str
) -> None:
    delivered.failures[CARD] = failure
    start(replay(CARD, OTHER, stays_open=True))
    assert delivered.next() == OTHER
    notice = notices.next()
    assert notice.state is None
    assert said in text_of(notice)


def test_no_payload_gets_into_the_log(
    start: Start, delivered: Delivered, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    delivered.failures[CARD] = KeyError(CARD.decode())
    loop = start(replay(CARD, RuntimeError(CARD.decode())), replay(CARD))
    assert loop.wait(PATIENCE_S)
    assert "KeyError" in caplog.text
    assert "RuntimeError" in caplog.text
    assert CARD.decode() not in caplog.text


def test_a_device_that_stays_away_does_not_fill_the_log(
    start: Start, delivered: Delivered, caplog: pytest.LogCaptureFixture
) -> None:
    start(*[replay(GONE)] * 5, replay(CARD, stays_open=True))
    assert delivered.next() == CARD
    assert caplog.text.count("is gone") == 1


def test_stopping_closes_the_reader_and_ends_the_loop(
    start: Start, delivered: Delivered, notices: Notices
) -> None:
    loop = start(replay(CARD, stays_open=True))
    assert delivered.next() == CARD
    assert loop.stop(PATIENCE_S)
    assert loop.stop(0)
    assert states(notices) == [ReaderState.CLOSED]


def test_stopping_does_not_wait_for_the_next_attempt(start: Start, notices: Notices) -> None:
    loop = start(replay(GONE), retry_s=3600)
    assert notices.next().state is ReaderState.LOST
    assert loop.stop(PATIENCE_S)


def test_a_loop_stopped_while_its_reader_was_being_made_reads_nothing(
    start: Start, delivered: Delivered
) -> None:
    being_made, may_go_on = threading.Event(), threading.Event()

    def slow() -> Reader:
        being_made.set()
        may_go_on.wait(PATIENCE_S)
        return replay(CARD, stays_open=True)()

    loop = start(slow)
    assert being_made.wait(PATIENCE_S)
    loop.stop(0)
    may_go_on.set()
    assert loop.wait(PATIENCE_S)
    assert delivered.queue.empty()


def test_a_loop_never_started_has_ended() -> None:
    loop = ReaderLoop(GATE, replay(CARD), Delivered(), Notices())
    assert loop.stop(0)


def serial_at(port: str, notices: Callable[[ReaderNotice], None]) -> Callable[[], Reader]:
    finder = PortFinder(port)
    return lambda: SerialReader(GATE, finder, clock=FakeClock(), notify=notices)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [("ttyACM0", ["ttyACM0", "ttyACM0"]), ("ttyACM*", ["ttyACM1", "ttyACM7"])],
    ids=["same_link", "other_name"],
)
def test_a_scanner_that_was_unplugged_counts_again_when_it_is_back(
    tmp_path: Path, delivered: Delivered, pattern: str, names: list[str]
) -> None:
    notices = Notices()
    notify = without_repeats(notices)
    with PtyScanner(tmp_path) as scanner:
        make = serial_at(f"{tmp_path}/{pattern}", notify)
        loop = ReaderLoop(GATE, make, delivered, notify, retry_s=0.01)
        loop.start()
        for name in names:
            notices.next_state(ReaderState.READY)
            scanner.send(CARD + b"\r")
            assert delivered.next() == CARD
            scanner.unplug()
            notices.next_state(ReaderState.LOST)
            scanner.replug(name)
        notices.next_state(ReaderState.READY)
        scanner.send(OTHER + b"\r")
        assert delivered.next() == OTHER
        assert loop.stop(PATIENCE_S)
