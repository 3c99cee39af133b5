"""Log entries: canonical JSON that holds no identifier and no payload, only a commitment.

Canonical here: keys sorted, ASCII, no spaces, values integers and strings only.
Source: RFC 8785, of which this is a subset.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

import orjson

from scanner_station.domain.identifier import Identifier

Body = dict[str, int | str]

_COMMITMENT_PREFIX: Final = b"ktp-card-commitment/v1\n"
SALT_BYTES: Final = 16
SECRET_BYTES: Final = 32


class Kind(StrEnum):
    """What an entry records."""

    OPEN = "open"
    SCAN = "scan"
    MANUAL = "manual"
    VOID = "void"
    CANCEL = "cancel"
    NOTE = "note"
    WITNESS = "witness"
    SEAL = "seal"
    # what happens to cards that no machine can count
    ADD = "add"
    UNIDENTIFIED = "unidentified"
    AGREE = "agree"
    # the chain of custody
    CONTAINER_OPEN = "container_open"
    CONTAINER_SEAL = "container_seal"
    CONTAINER_BREAK = "container_break"
    PAUSE = "pause"
    RESUME = "resume"
    LOT = "lot"
    BURN = "burn"
    # what was stated, and what was said about it
    DECLARE = "declare"
    EXPLAIN = "explain"
    OBJECT = "object"
    ANSWER = "answer"
    REFUSE = "refuse"


class Entry(NamedTuple):
    """One durable line of a batch's log, with what is kept apart from it.

    `body` is what is logged; `identifier` ('' for none) and `payload` go to the openings.
    """

    sequence: int
    body: Body
    identifier: str = ""
    payload: bytes = b""
    nonce: str | None = None


def canonical(body: Body) -> str:
    """Return the canonical JSON text of an entry's body."""
    return _written(body)


def _written(value: object) -> str:
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONEncodeError:
        # Of a forged log: numbers beyond 64 bits, halves of characters. Slower, and the same text.
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def card_salt(secret: bytes, identifier: Identifier | str) -> bytes:
    """Return the 16-byte salt of one card, which nobody without the batch secret can make."""
    return hmac.digest(secret, identifier.encode(), "sha256")[:SALT_BYTES]


def card_commitment(secret: bytes, identifier: Identifier | str) -> str:
    """Return the card's name in this batch's log: the same within a batch, new in every other.

    base64(SHA-256(prefix + salt + identifier)), 44 characters.
    """
    return commitment_of(card_salt(secret, identifier), identifier)


def commitment_of(salt: bytes, identifier: str) -> str:
    """Return the commitment that a salt makes of an identifier."""
    salted = _COMMITMENT_PREFIX + salt + identifier.encode()
    return base64.b64encode(hashlib.sha256(salted).digest()).decode("ascii")


def timestamp(at: datetime) -> str:
    """Return a time as it stands in entries and JSON: UTC, milliseconds, `…Z`."""
    utc = at.astimezone(UTC)
    # `isoformat` takes half as long again, and every card waits for it.
    return "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ" % (  # noqa: UP031 - as fast as it gets
        utc.year,
        utc.month,
        utc.day,
        utc.hour,
        utc.minute,
        utc.second,
        utc.microsecond // 1000,
    )


def parse_timestamp(text: str) -> datetime:
    """Return the time that `timestamp` wrote."""
    return datetime.fromisoformat(text)


def totals_text(totals: dict[str, int]) -> str:
    """Return totals by category as a text that fits into an entry: canonical JSON of its own."""
    return _written(totals)


def committing(secret: bytes) -> Callable[[str], str]:
    """Return `card_commitment` for many identifiers under one secret, at half its cost.

    HMAC's two hashes begin with the secret, filled up to a block; here it is made once.

    Source: RFC 2104, section 4.
    """
    padded = secret.ljust(hashlib.sha256().block_size, b"\0")
    inner, outer = bytes(byte ^ 0x36 for byte in padded), bytes(byte ^ 0x5C for byte in padded)
    sha256 = hashlib.sha256

    def commit(identifier: str) -> str:
        text = identifier.encode()
        keyed = sha256(outer + sha256(inner + text).digest()).digest()
        salted = _COMMITMENT_PREFIX + keyed[:SALT_BYTES] + text
        return binascii.b2a_base64(sha256(salted).digest(), newline=False).decode("ascii")

    return commit


def manifest_line(card: str, category: str, pieces: int) -> bytes:
    """Return one line of the manifest that a bundle carries, with its line end."""
    quoted = _quoted(category)
    return f'{{"card":"{card}","category":{quoted},"pieces":{pieces}}}\n'.encode()


@lru_cache(maxsize=256)
def _quoted(text: str) -> str:
    return _written(text)
