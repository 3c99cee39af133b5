"""Bytes and silence become payloads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner_station.readers.framing import HALF_LINE_MS, SILENCE_MS, Framer

CARD = b"9971044512900001"
OTHER = b"9971040101800002"


LINES = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.binary(min_size=250, max_size=600),
        st.sampled_from([CARD, b"]C0" + CARD, b"\x02" + CARD + b"\x03", b""]),
    ),
    max_size=12,
)
ENDS = st.sampled_from([b"\r", b"\n", b"\r\n", b"\t", b"\x03", b"\x03\r\n"])


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    return b"".join(line + draw(ENDS) for line in draw(LINES)) + draw(st.binary(max_size=300))


@st.composite
def chunked(draw: st.DrawFn) -> list[bytes]:
    stream = draw(streams())
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    return [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


def feed_all(framer: Framer, chunks: list[bytes]) -> list[bytes]:
    return [payload for chunk in chunks for payload in framer.feed(chunk)]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\t", b"\x03", b"\x03\r\n", b"\r\r\n"])
def test_every_usual_suffix_ends_a_line_once(end: bytes) -> None:
    assert Framer().feed(CARD + end + OTHER + end) == [CARD, OTHER]


def test_stx_and_the_aim_identifier_stay_in_the_payload() -> None:
    assert Framer().feed(b"\x02]C0" + CARD + b"\x03") == [b"\x02]C0" + CARD]


@given(chunked(), st.booleans())
def test_how_the_bytes_were_cut_into_chunks_changes_nothing(
    chunks: list[bytes], in_step: bool
) -> None:
    whole, cut = Framer(in_step=in_step), Framer(in_step=in_step)
    assert feed_all(cut, chunks) == whole.feed(b"".join(chunks))
    for silent_ms in (SILENCE_MS, HALF_LINE_MS):
        assert cut.quiet(silent_ms) == whole.quiet(silent_ms)
    assert cut.is_in_step == whole.is_in_step
    assert cut.take_lost_bytes() == whole.take_lost_bytes()


@given(streams())
def test_every_byte_is_delivered_lost_and_said_so_or_part_of_an_overlong_line(
    stream: bytes,
) -> None:
    framer = Framer()
    payloads = framer.feed(stream)
    framer.lose_step()
    said = framer.take_lost_bytes()
    ends = sum(stream.count(end) for end in (b"\r", b"\n", b"\t", b"\x03"))
    if all(len(payload) <= 256 for payload in payloads):
        assert sum(map(len, payloads)) + said + ends == len(stream)
    assert b"" not in payloads
    assert all(len(payload) <= 257 for payload in payloads)


def test_a_line_of_256_bytes_is_whole() -> None:
    assert Framer().feed(b"x" * 256 + b"\r") == [b"x" * 256]


def test_an_overlong_line_is_delivered_once_and_its_remainder_dropped() -> None:
    framer = Framer()
    assert framer.feed(b"x" * 100_000) == [b"x" * 257]
    assert framer.feed(b"x" * 100_000 + b"\r" + CARD + b"\r") == [CARD]
    assert framer.take_lost_bytes() == 0  # the overlong line was answered


def test_a_scanner_without_a_suffix_is_ended_by_silence() -> None:
    framer = Framer(silence_ms=100)
    assert framer.feed(CARD) == []
    assert framer.quiet(99) == []
    assert framer.quiet(100) == [CARD]
    assert framer.quiet(200) == []
    framer.feed(OTHER)
    assert framer.quiet(100) == [OTHER]


def test_silence_ends_an_overlong_line_of_a_scanner_without_a_suffix() -> None:
    framer = Framer()
    framer.feed(b"x" * 1000)
    assert framer.quiet(100) == []
    framer.feed(CARD)
    assert framer.quiet(100) == [CARD]


def test_silence_no_longer_completes_a_line_once_the_scanner_has_ended_one() -> None:
    framer = Framer()
    assert framer.feed(CARD + b"\r" + OTHER[:9]) == [CARD]
    assert framer.quiet(100) == []
    assert framer.quiet(HALF_LINE_MS - 100) == []
    assert framer.feed(OTHER[9:] + b"\r") == [OTHER]  # a hiccup shorter than that costs nothing


def test_neither_half_of_a_line_that_paused_too_long_is_used() -> None:
    framer = Framer()
    framer.feed(CARD + b"\r" + OTHER[:9])
    assert framer.quiet(HALF_LINE_MS) == []
    assert framer.take_lost_bytes() == 9
    assert not framer.is_in_step
    assert framer.feed(OTHER[9:] + b"\r") == []
    assert framer.take_lost_bytes() == 7
    assert framer.feed(CARD + b"\r") == [CARD]


def test_a_patience_longer_than_a_second_goes_for_half_lines_too() -> None:
    framer = Framer(silence_ms=3000)
    framer.feed(CARD + b"\r" + OTHER[:9])
    framer.quiet(2900)
    assert framer.feed(OTHER[9:] + b"\r") == [OTHER]


def test_with_no_silence_allowed_only_an_end_completes_a_line() -> None:
    framer = Framer(silence_ms=0)
    framer.feed(CARD[:9])
    assert framer.quiet(500) == []
    assert framer.feed(CARD[9:] + b"\r") == [CARD]


@pytest.mark.parametrize("silence_ms", [0, 100])
def test_the_tail_of_a_line_that_was_under_way_at_opening_is_not_used(silence_ms: int) -> None:
    framer = Framer(silence_ms=silence_ms, in_step=False)
    assert framer.feed(CARD[9:] + b"\r" + OTHER + b"\r") == [OTHER]
    assert framer.take_lost_bytes() == 7


@pytest.mark.parametrize("silence_ms", [0, 100])
def test_a_moment_of_silence_after_opening_starts_a_line(silence_ms: int) -> None:
    framer = Framer(silence_ms=silence_ms, in_step=False)
    assert framer.feed(CARD[9:]) == []
    assert framer.quiet(100) == []
    assert framer.is_in_step
    assert framer.feed(OTHER + b"\r") == [OTHER]


def test_without_a_suffix_what_came_while_nobody_listened_is_not_used() -> None:
    framer = Framer()
    framer.feed(CARD[:4])
    framer.lose_step()
    assert framer.feed(CARD + OTHER) == []
    assert framer.quiet(100) == []
    assert framer.take_lost_bytes() == 36
    framer.feed(CARD)
    assert framer.quiet(100) == [CARD]
