"""Canonical entries and card commitments."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

from hypothesis import example, given
from hypothesis import strategies as st

from scanner_station.domain.entry import (
    canonical,
    card_commitment,
    committing,
    parse_timestamp,
    timestamp,
)

NIK = "9971044107900001"


def test_an_entry_is_sorted_without_spaces_and_keeps_letters_as_they_are() -> None:
    assert canonical({"b": 2, "a": "Ñ\n\x1f"}) == '{"a":"Ñ\\n\\u001f","b":2}'


@given(
    st.dictionaries(
        st.from_regex(r"[a-z_]{1,8}", fullmatch=True),
        st.integers() | st.text(st.characters(exclude_categories=[])),
    )
)
@example({"a": 2**70, "b": "\ud800", "c": "\x7f\u2028/\b\x01"})
def test_an_entry_reads_back_as_it_was_written(body: dict[str, int | str]) -> None:
    text = canonical(body)
    assert json.loads(text) == body
    assert canonical(json.loads(text)) == text
    assert text == json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def test_a_card_commitment_is_what_the_design_says() -> None:
    secret = bytes(range(32))
    salt = hmac.new(secret, NIK.encode(), hashlib.sha256).digest()[:16]
    digest = hashlib.sha256(b"ktp-card-commitment/v1\n" + salt + NIK.encode()).digest()
    assert card_commitment(secret, NIK) == base64.b64encode(digest).decode()
    assert committing(secret)(NIK) == card_commitment(secret, NIK)


def test_one_card_has_one_name_in_a_batch_and_another_in_every_other_batch() -> None:
    assert card_commitment(b"a" * 32, NIK) == card_commitment(b"a" * 32, NIK)
    assert card_commitment(b"a" * 32, NIK) != card_commitment(b"b" * 32, NIK)


def test_times_are_written_in_utc_to_the_millisecond() -> None:
    at = datetime(2018, 12, 19, 1, 2, 3, 456789, tzinfo=UTC)
    assert timestamp(at) == "2018-12-19T01:02:03.456Z"
    assert parse_timestamp(timestamp(at)) == at.replace(microsecond=456000)
