"""Witnesses' keys as they are shown face to face: recognised, and looked up in a batch's log."""

from dataclasses import dataclass
from sqlite3 import Connection
from typing import Final

from scanner_station.domain.errors import VerificationError
from scanner_station.domain.identifier import clean
from scanner_station.domain.note import SignatureType, VerifierKey
from scanner_station.domain.policy import is_free_name
from scanner_station.service.counter import require_batch
from scanner_station.storage import heads, scan_log

MOST_NAME: Final = 100
"""Characters of a key's name: more fits into no code that is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Where a log names a key: the entry, whose key it is, who wrote that down."""

    sequence: int
    witness: str
    by: str


def key_in(payload: bytes) -> VerifierKey | None:
    """Return the witness's key that a code or a typed line holds, or None."""
    try:
        key = VerifierKey.parse(clean(payload).decode("ascii"))
    except (UnicodeDecodeError, VerificationError):
        return None
    is_witness = key.type is SignatureType.COSIGNATURE_V1 and is_witness_name(key.name)
    return key if is_witness else None


def is_witness_name(name: str) -> bool:
    """Whether a log may name a key so: shown as it is, and no word of the bundle's policy.

    One key with a name that a policy cannot hold would spoil the bundle of the batch for ever.
    """
    return len(name) <= MOST_NAME and name.isascii() and name.isprintable() and is_free_name(name)


def named(connection: Connection, slug: str, key: VerifierKey) -> Named | None:
    """Return where the log of a batch names a key, or None.

    Raises:
        BatchError: there is no such batch.
    """
    batch = require_batch(connection, slug)
    sequence = heads.named_at(connection, batch.id, key)
    entry = None if sequence is None else scan_log.entry(connection, batch.id, sequence)
    if entry is None:
        return None
    return Named(
        sequence=entry.sequence, witness=str(entry.body["witness"]), by=str(entry.body["by"])
    )
