"""Payloads on standard input, one a line."""

import io
import os
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner_station.domain.errors import ReaderError
from scanner_station.domain.reading import ReaderId, Symbology
from scanner_station.readers.stdin import StdinReader, lines
from tests.fakes import PATIENCE_S, FakeClock

STDIN = ReaderId("stdin")
CARD = b"9971044512900001"


def payloads_of(stream: bytes) -> list[bytes]:
    reader = StdinReader(STDIN, io.BytesIO(stream), FakeClock())
    return [reading.payload for reading in reader.readings()]


@pytest.fixture
def pipe() -> Iterator[tuple[io.BufferedReader, io.FileIO]]:
    end_out, end_in = os.pipe()
    with os.fdopen(end_out, "rb") as stream, os.fdopen(end_in, "wb", buffering=0) as feed:
        yield stream, feed


@pytest.mark.parametrize(
    ("stream", "payloads"),
    [
        (b"", []),
        (b"\n\r\n\n", []),
        (CARD + b"\n" + CARD + b"\r\n", [CARD, CARD]),
        (CARD, [CARD]),
        (b"\n" + CARD + b"\n\n", [CARD]),
        (b"   \n]C0\n", [b"   ", b"]C0"]),
        (b"\xff\x00\xfe\ta\n", [b"\xff\x00\xfe\ta"]),
        (b"a\rb\n", [b"a\rb"]),
        (b"\r\r\n", [b"\r"]),
        (b"x" * 256 + b"\r\n" + CARD, [b"x" * 256, CARD]),
        (b"x" * 257 + b"\n" + CARD, [b"x" * 257, CARD]),
        (b"x" * 258 + b"\n" + CARD, [b"x" * 257, CARD]),
        (b"x" * 70_000 + b"\n" + CARD + b"\n", [b"x" * 257, CARD]),
        (b"x" * 70_000, [b"x" * 257]),
    ],
)
def test_each_line_with_bytes_in_it_is_one_presentation(
    stream: bytes, payloads: list[bytes]
) -> None:
    assert payloads_of(stream) == payloads


@given(
    st.lists(st.one_of(st.binary(max_size=5), st.binary(min_size=250, max_size=300)), max_size=20)
)
def test_how_the_bytes_were_cut_into_chunks_changes_nothing(chunks: list[bytes]) -> None:
    assert list(lines(chunks)) == list(lines([b"".join(chunks)]))


@given(st.lists(st.binary(min_size=1, max_size=256).filter(lambda one: b"\n" not in one)))
def test_any_bytes_but_the_line_end_pass_through_unchanged(payloads: list[bytes]) -> None:
    assert payloads_of(b"".join(one + b"\r\n" for one in payloads)) == payloads


def test_a_reading_says_symbology_reader_and_time() -> None:
    clock = FakeClock()
    reader = StdinReader(STDIN, io.BytesIO(b"]C0" + CARD + b"\n"), clock)
    (reading,) = reader.readings()
    assert reading.symbology is Symbology.CODE128
    assert reading.reader_id == STDIN
    assert reading.at == clock.now()


def test_a_line_is_there_at_once_while_the_pipe_stays_open(
    pipe: tuple[io.BufferedReader, io.FileIO],
) -> None:
    stream, feed = pipe
    readings = StdinReader(STDIN, stream, FakeClock()).readings()
    for payload in (b"one", b"two", b"three"):
        feed.write(payload + b"\n")
        assert next(readings).payload == payload
    feed.write(b"two at once\nand this\nhalf")
    assert next(readings).payload == b"two at once"
    assert next(readings).payload == b"and this"
    feed.close()
    assert next(readings).payload == b"half"
    assert next(readings, None) is None


def test_an_endless_line_is_answered_before_it_ends(
    pipe: tuple[io.BufferedReader, io.FileIO],
) -> None:
    stream, feed = pipe
    readings = StdinReader(STDIN, stream, FakeClock()).readings()
    feed.write(b"x" * 300)
    assert len(next(readings).payload) == 257


def test_closing_from_another_thread_ends_the_readings(
    pipe: tuple[io.BufferedReader, io.FileIO],
) -> None:
    reader = StdinReader(STDIN, pipe[0], FakeClock())
    thread = threading.Thread(target=list, args=(reader.readings(),))
    thread.start()
    reader.close()
    reader.close()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_an_input_that_cannot_be_read_is_a_reader_error(
    pipe: tuple[io.BufferedReader, io.FileIO],
) -> None:
    stream, _ = pipe
    stream.close()
    with pytest.raises(ReaderError, match="stdin"):
        list(StdinReader(STDIN, stream, FakeClock()).readings())
