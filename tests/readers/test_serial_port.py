"""Scanners on real pseudo-terminals and real sockets."""

import os
import queue
import random
import select
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scanner_station.clock import Clock
from scanner_station.domain.errors import ReaderError
from scanner_station.domain.events import ReaderState
from scanner_station.domain.reading import ReaderId, Reading, Symbology
from scanner_station.readers.port_finder import PortFinder
from scanner_station.readers.serial_port import SerialReader
from tests.fakes import PATIENCE_S, FakeClock, Notices, PtyScanner, TcpScanner, text_of
from tests.readers.test_port_finder import Plugged

CARD = b"9971044512900001"
OTHER = b"9971040101800002"
GATE = ReaderId("gate")


class Running:
    """A reader at work on a thread, as a reader loop would have it, without the reopening."""

    def __init__(
        self, port: str | PortFinder, *, silence_ms: int = 100, clock: Clock | None = None
    ) -> None:
        self.notices = Notices()
        self.readings: queue.Queue[Reading] = queue.Queue()
        self.error: ReaderError | None = None
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.reader = SerialReader(
            GATE, port, silence_ms=silence_ms, clock=clock or FakeClock(), notify=self.notices
        )
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            for reading in self.reader.readings():
                self.readings.put(reading)
                self.may_go_on.wait(PATIENCE_S)
        except ReaderError as error:
            self.error = error

    def wait_ready(self) -> None:
        self.notices.next_state(ReaderState.READY)

    def next(self) -> Reading:
        return self.readings.get(timeout=PATIENCE_S)

    def next_payload(self) -> bytes:
        return self.next().payload

    def ended(self) -> ReaderError | None:
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        return self.error

    def close(self) -> None:
        self.may_go_on.set()
        self.reader.close()
        self.ended()


Run = Callable[..., Running]


@pytest.fixture
def run() -> Iterator[Run]:
    """Start readers; all are closed at the end."""
    started: list[Running] = []

    def start(*args: object, is_ready: bool = True, **options: object) -> Running:
        running = Running(*args, **options)  # type: ignore[arg-type] # passed through
        started.append(running)
        if is_ready:
            running.wait_ready()
        return running

    yield start
    for running in started:
        running.close()


@pytest.fixture
def scanner(tmp_path: Path) -> Iterator[PtyScanner]:
    with PtyScanner(tmp_path) as one:
        yield one


def test_a_line_becomes_a_reading_with_symbology_reader_and_time(
    run: Run, scanner: PtyScanner
) -> None:
    clock = FakeClock()
    running = run(scanner.path, clock=clock)
    scanner.send(b"]C0" + CARD + b"\r\n")
    reading = running.next()
    assert reading == Reading(
        payload=b"]C0" + CARD, symbology=Symbology.CODE128, reader_id=GATE, at=clock.now()
    )


def test_a_line_that_comes_byte_by_byte_is_one_reading(run: Run, scanner: PtyScanner) -> None:
    running = run(scanner.path)
    for byte in CARD + b"\r":
        scanner.send(bytes([byte]))
    assert running.next_payload() == CARD


def test_a_scanner_without_a_suffix_is_read_too(run: Run, scanner: PtyScanner) -> None:
    running = run(scanner.path)
    for card in (CARD, OTHER, CARD):
        scanner.send(card)
        assert running.next_payload() == card


def test_two_scanners_sending_at_the_same_moment_give_two_right_codes(
    run: Run, tmp_path: Path
) -> None:
    with PtyScanner(tmp_path, "left") as left, PtyScanner(tmp_path, "right") as right:
        both = [(left, run(left.path), CARD), (right, run(right.path), OTHER)]
        for _ in range(50):
            for at in range(0, 17, 3):
                for scanner, _reader, card in both:
                    scanner.send((card + b"\r")[at : at + 3])
            for _scanner, reader, card in both:
                assert reader.next_payload() == card


def test_a_half_line_of_a_scanner_that_ends_its_lines_is_discarded_and_said_so(
    run: Run, scanner: PtyScanner
) -> None:
    running = run(scanner.path)
    scanner.send(CARD + b"\r" + OTHER[:11])
    assert running.next_payload() == CARD
    said = running.notices.next()
    assert said.values == {"reader": "gate", "size": 11}
    assert said.state is None
    assert OTHER[:11].decode() not in text_of(said)
    scanner.send(OTHER[11:] + b"\r" + CARD + b"\r")
    assert running.next_payload() == CARD  # the late second half is nothing either


@pytest.mark.parametrize("had_a_suffix", [True, False])
def test_a_half_line_is_discarded_and_said_so_when_the_scanner_vanishes(
    run: Run, scanner: PtyScanner, had_a_suffix: bool
) -> None:
    running = run(scanner.path, silence_ms=100 if had_a_suffix else 500)
    if had_a_suffix:
        scanner.send(CARD + b"\r")
        assert running.next_payload() == CARD
    scanner.send(OTHER[:11])
    Path(scanner.path).unlink()  # noticed when the line pauses, so the bytes were read before
    assert running.ended() is not None
    assert running.notices.next().values["size"] == 11
    assert running.readings.empty()


@dataclass
class SendingFinder(PortFinder):
    """Has the scanner send at the moment when its port has just been opened."""

    scanner: PtyScanner
    payload: bytes

    def __post_init__(self) -> None:
        super().__init__(self.scanner.path)

    def remember(self, path: str) -> None:
        self.scanner.send(self.payload)


@pytest.mark.parametrize("end", [b"\r", b""])
def test_what_was_under_way_when_the_port_was_opened_is_discarded(
    run: Run, scanner: PtyScanner, end: bytes
) -> None:
    running = run(SendingFinder(scanner, CARD[9:] + end))
    scanner.send(OTHER + end)
    assert running.next_payload() == OTHER
    running.close()
    assert [one.values["size"] for one in running.notices.all if "size" in one.values] == [7]


def wait_until_arrived(scanner: PtyScanner) -> None:
    """Wait until the kernel has brought what was sent to the reader's end of the line."""
    descriptor = os.open(scanner.device, os.O_RDONLY | os.O_NOCTTY)
    try:
        assert select.select([descriptor], [], [], PATIENCE_S)[0]
    finally:
        os.close(descriptor)


def test_without_a_suffix_cards_run_together_while_nobody_listened_are_discarded(
    run: Run, scanner: PtyScanner
) -> None:
    clock = FakeClock()
    running = run(scanner.path, clock=clock)
    running.may_go_on.clear()
    scanner.send(CARD)
    assert running.next_payload() == CARD
    scanner.send(OTHER[:8] + CARD[8:])  # in truth two cards, while the disk was slow
    wait_until_arrived(scanner)
    clock.advance(2.0)
    running.may_go_on.set()
    assert running.notices.next().values["size"] == 16
    scanner.send(OTHER)
    assert running.next_payload() == OTHER


def test_with_a_suffix_cards_wait_while_nobody_listens(run: Run, scanner: PtyScanner) -> None:
    clock = FakeClock()
    running = run(scanner.path, clock=clock)
    running.may_go_on.clear()
    scanner.send(CARD + b"\r")
    assert running.next_payload() == CARD
    scanner.send((OTHER + b"\r" + CARD + b"\r") * 20)
    clock.advance(2.0)
    running.may_go_on.set()
    assert [running.next_payload() for _ in range(40)] == [OTHER, CARD] * 20


def test_a_vanished_scanner_is_named_with_what_to_do(run: Run, scanner: PtyScanner) -> None:
    running = run(scanner.path)
    scanner.unplug()
    error = running.ended()
    assert error is not None
    assert "gate" in str(error)
    assert scanner.path in str(error)
    assert "cable" in str(error)


def test_a_device_file_that_goes_away_counts_as_vanished(run: Run, scanner: PtyScanner) -> None:
    running = run(scanner.path)
    Path(scanner.path).unlink()  # the line itself does not hang up
    assert running.ended() is not None


def test_a_device_file_that_now_means_another_device_counts_as_vanished(
    run: Run, scanner: PtyScanner, tmp_path: Path
) -> None:
    running = run(scanner.path)
    with PtyScanner(tmp_path, "other") as other:
        Path(scanner.path).unlink()
        Path(scanner.path).symlink_to(other.device)
        assert "another device" in str(running.ended())


def test_a_port_where_nothing_is_plugged_in_says_so(tmp_path: Path, run: Run) -> None:
    for port in (f"{tmp_path}/ttyACM0", f"{tmp_path}/tty*", "usb:ffff:ffff"):
        assert "nothing is plugged in" in str(run(port, is_ready=False).ended())


@pytest.mark.parametrize("port", ["nonsense://1", "socket://127.0.0.1:99999", "/dev/null"])
def test_a_port_that_cannot_be_a_scanner_says_so(run: Run, port: str) -> None:
    assert "cannot be opened" in str(run(port, is_ready=False).ended())


def test_two_readers_never_share_a_port_whatever_it_is_called(
    run: Run, scanner: PtyScanner
) -> None:
    first = run(scanner.path)
    second = run(scanner.device, is_ready=False)
    assert "in use" in str(second.ended())
    scanner.send(CARD + b"\r")
    assert first.next_payload() == CARD


def test_two_readers_with_one_pattern_take_a_scanner_each(run: Run, tmp_path: Path) -> None:
    with PtyScanner(tmp_path, "ttyACM0"), PtyScanner(tmp_path, "ttyACM1"):
        run(f"{tmp_path}/ttyACM*")
        run(f"{tmp_path}/ttyACM*")
        assert "in use" in str(run(f"{tmp_path}/ttyACM*", is_ready=False).ended())


def test_a_scanner_is_found_by_its_usb_numbers(run: Run, scanner: PtyScanner) -> None:
    finder = PortFinder(
        "usb:0c2e:0901", lambda: [Plugged(os.path.realpath(scanner.path), 0x0C2E, 0x0901, "A1")]
    )
    running = run(finder)
    scanner.send(CARD + b"\r")
    assert running.next_payload() == CARD


def test_a_scanner_that_came_back_under_another_name_is_opened_there(
    run: Run, scanner: PtyScanner
) -> None:
    finder = PortFinder(scanner.device, lambda: [Plugged(scanner.device, 0x0C2E, 0x0901, "A1")])
    first = run(finder)
    scanner.replug()
    assert first.ended() is not None
    second = run(finder)
    scanner.send(CARD + b"\r")
    assert second.next_payload() == CARD


def test_a_serial_server_on_the_network_is_a_scanner_too(run: Run) -> None:
    with TcpScanner() as scanner:
        running = run(scanner.url, is_ready=False)
        scanner.accept()
        running.wait_ready()
        scanner.send(CARD + b"\r\n" + OTHER[:5])
        assert running.next_payload() == CARD
        scanner.unplug()
        assert "stopped answering" in str(running.ended())
        assert running.notices.next().values["size"] == 5
        assert "cannot be opened" in str(run(scanner.url, is_ready=False).ended())


def test_the_loop_address_opens(run: Run) -> None:
    run("loop://").close()


@pytest.mark.parametrize("is_sending", [True, False])
def test_closing_from_another_thread_ends_the_readings(
    run: Run, scanner: PtyScanner, is_sending: bool
) -> None:
    running = run(scanner.path)
    if is_sending:
        scanner.send((CARD + b"\r") * 100)
    running.reader.close()
    running.reader.close()
    assert running.ended() is None


def test_a_reader_closed_before_it_was_used_reads_nothing(scanner: PtyScanner) -> None:
    reader = SerialReader(GATE, scanner.path, clock=FakeClock(), notify=Notices())
    reader.close()
    assert list(reader.readings()) == []


def test_no_descriptor_is_left_behind_by_replugging(run: Run, scanner: PtyScanner) -> None:
    def plug_and_lose() -> None:
        running = run(scanner.path)
        scanner.replug()
        running.ended()

    def open_descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    plug_and_lose()
    before = open_descriptors()
    for _ in range(10):
        plug_and_lose()
    assert open_descriptors() == before


def test_random_bytes_neither_stop_the_reader_nor_get_into_the_next_card(
    run: Run, scanner: PtyScanner
) -> None:
    running = run(scanner.path)
    scanner.send(random.Random(19).randbytes(100_000) + b"\r" + CARD + b"\r")
    payloads = [running.next_payload()]
    while payloads[-1] != CARD:
        payloads.append(running.next_payload())
    assert all(0 < len(payload) <= 257 for payload in payloads)
