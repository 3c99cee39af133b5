"""Signed heads of the logs: made now and then, cosigned by witnesses, kept for ever."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scanner_station.domain import merkle
from scanner_station.domain.checkpoint import (
    CLOCKS_DIFFER_S,
    Checkpoint,
    SignedHead,
    check_cosignature,
    log_key,
    signed_head,
)
from scanner_station.domain.entry import Body, Entry, Kind, timestamp
from scanner_station.domain.errors import (
    BatchError,
    InputError,
    StationError,
    StorageError,
    VerificationError,
)
from scanner_station.domain.events import EntryRecorded, Event
from scanner_station.domain.note import Note, SignatureType, VerifierKey
from scanner_station.domain.policy import policy_of_bundle
from scanner_station.domain.text import checked_text
from scanner_station.service.counter import require_batch
from scanner_station.service.station import Station
from scanner_station.service.witness_keys import MOST_NAME, is_witness_name
from scanner_station.storage import batches, heads, scan_log, tree
from scanner_station.storage.batches import STILL_OPEN, Batch

_log = logging.getLogger(__name__)

_ENTRIES_A_HEAD: Final = 100
_SECONDS_A_HEAD: Final = 60.0
_LOOKS_EVERY_S: Final = 1.0
_MOST_WITNESSES: Final = 32
"""What every reader of a policy must understand (c2sp.org/tlog-policy)."""


def sign(station: Station, slug: str) -> SignedHead:
    """Sign the head of a batch's log as it is now, durably, and return it with its cosignatures.

    A size that was signed before gives the same head again.

    Raises:
        BatchError: there is no such batch, or its log has not begun.
    """
    with station.transaction() as connection:
        batch = require_batch(connection, slug)
        size = scan_log.next_sequence(connection, batch.id)
        head = _sign(connection, batch, size, station.key)
        found = heads.find(connection, batch.id, size)
        if found is not None:
            return _as_signed(found.head, head, batch)
        heads.insert(connection, batch.id, head, timestamp(station.clock.now()))
    return head


def head_now(connection: Connection, slug: str, key: Ed25519PrivateKey) -> SignedHead:
    """Return the head of a batch's log as it is now, beside the writer.

    Where that size was not signed yet, these are the bytes that signing it will give.

    Raises:
        BatchError: there is no such batch, or its log has not begun.
    """
    batch = require_batch(connection, slug)
    size = scan_log.next_sequence(connection, batch.id)
    head = _sign(connection, batch, size, key)
    found = heads.find(connection, batch.id, size)
    return head if found is None else _as_signed(found.head, head, batch)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenAlong:
    """A signed head with what a slip says around it; `signed_at`: an entry's timestamp."""

    title: str
    head: SignedHead
    signed_at: str
    key: VerifierKey
    is_rehearsal: bool


def to_take_along(
    connection: Connection, slug: str, key: Ed25519PrivateKey, size: int | None = None
) -> TakenAlong:
    """Return the signed head at a size, or the newest, as a witness takes it along.

    Raises:
        BatchError: there is no such batch, or its log has not begun.
        InputError: no head of that size was signed.
    """
    batch = require_batch(connection, slug)
    found = (
        heads.newest(connection, batch.id)
        if size is None
        else heads.find(connection, batch.id, size)
    )
    first = scan_log.entry(connection, batch.id, 0)
    if found is None or first is None:
        raise InputError(
            "batch %(slug)s has no signed head of %(size)s entries", slug=slug, size=size or 0
        )
    return TakenAlong(
        title=batch.title,
        head=found.head,
        signed_at=found.signed_at,
        key=log_key(found.head.checkpoint.origin, key),
        is_rehearsal=bool(first.body.get("rehearsal")),
    )


def require_begun(connection: Connection, slug: str) -> None:
    """Refuse what would begin a log, and so fix its manifest, by somebody who may not.

    Raises:
        BatchError: there is no such batch, or its log has not begun.
    """
    _origin(connection, require_batch(connection, slug))


def newest(connection: Connection, slug: str) -> SignedHead | None:
    """Return the newest signed head of a batch's log with its cosignatures, or None.

    Raises:
        BatchError: there is no such batch.
    """
    found = heads.newest(connection, require_batch(connection, slug).id)
    return found.head if found else None


def witnesses(connection: Connection, slug: str) -> list[VerifierKey]:
    """Return the witnesses' keys that a batch's log names, in order.

    Raises:
        BatchError: there is no such batch.
    """
    batch = require_batch(connection, slug)
    return heads.witnesses(connection, batch.id, scan_log.next_sequence(connection, batch.id))


def verifier_key(connection: Connection, slug: str, key: Ed25519PrivateKey) -> VerifierKey:
    """Return the key with which anybody can check the heads of a batch's log."""
    return log_key(_origin(connection, require_batch(connection, slug)), key)


def policy(connection: Connection, slug: str, key: Ed25519PrivateKey) -> bytes:
    """Return the keys of a batch's log as a policy, to be kept by who will verify it later.

    Once the batch is closed, the witnesses who signed its newest head must have signed what is
    verified; before that nobody must, for nobody knows who will stay to the end.

    Raises:
        BatchError: there is no such batch, or its log has not begun.
    """
    named, head = witnesses(connection, slug), newest(connection, slug)
    is_open = require_batch(connection, slug).state in STILL_OPEN
    lines = head.note.signatures[1:] if head is not None and not is_open else ()
    signed = [one for one in named if any(line.is_by(one) for line in lines)]
    return policy_of_bundle(verifier_key(connection, slug, key), named, signed)


def consistency(connection: Connection, slug: str, old: int, new: int) -> list[bytes]:
    """Return the proof that the log of `new` entries begins with the log of `old` entries.

    Raises:
        InputError: not 0 < old <= new <= the log's size.
    """
    batch = require_batch(connection, slug)
    if not 0 < old <= new <= scan_log.next_sequence(connection, batch.id):
        raise InputError(
            "the log of batch %(slug)s has no proof from %(old)s to %(new)s entries",
            slug=slug,
            old=old,
            new=new,
        )
    return merkle.consistency_proof(old, new, tree.nodes_of(connection, batch.id))


def enrol(station: Station, slug: str, key_text: str, *, witness: str, by: str) -> VerifierKey:
    """Name a witness's key in the log, which begins now if it has not begun.

    `key_text`: the line that the tablet shows; `witness`: who holds it, as they call themselves.

    Raises:
        InputError: it is not the key of a witness, or its name or the key is named already.
        BatchError: there is no such batch, or it is closed.
    """
    witness = checked_text(witness, "name")
    key = _witness_key(key_text)
    station.begin_log(slug, by=by)
    with station.transaction() as connection:
        batch = require_batch(connection, slug)
        sequence = scan_log.next_sequence(connection, batch.id)
        named = heads.witnesses(connection, batch.id, sequence)
        if len(named) >= _MOST_WITNESSES:
            raise InputError(
                "the log names %(count)s witnesses' keys already, and takes no more",
                count=len(named),
            )
        for known in named:
            if key.name == known.name or key.public_key == known.public_key:
                raise InputError(
                    "a witness's key %(name)s is named in the log already", name=known.name
                )
        body: Body = {
            "at": timestamp(station.clock.now()),
            "batch": slug,
            "by": by,
            "key": key.text,
            "kind": Kind.WITNESS,
            "sequence": sequence,
            "station": station.name,
            "witness": witness,
        }
        scan_log.append(connection, batch.id, Entry(sequence=sequence, body=body))
        heads.insert_witness(connection, batch.id, key, sequence)
        station.forget_counter(slug)
    return key


def cosign(station: Station, slug: str, size: int, line: str) -> int:
    """Keep a witness's signature on a signed head; return when it was made, in seconds.

    `line`: the signature line as it stands in a note, with its line end.

    Raises:
        InputError: there is no such head, no witness of this log made the line over it, or the
            time in it has not come yet.
    """
    with station.transaction() as connection:
        batch = require_batch(connection, slug)
        found = heads.find(connection, batch.id, size)
        if found is None:
            raise InputError(
                "batch %(slug)s has no signed head of %(size)s entries", slug=slug, size=size
            )
        known = heads.witnesses(connection, batch.id, size)
        try:
            key, time_s = _check_line(found.head.checkpoint, line, known)
        except VerificationError as error:
            raise InputError("the cosignature was refused: %(why)s", why=error) from error
        _require_come(time_s, station)
        heads.insert_cosignature(
            connection, batch.id, size, key.name, line, timestamp(station.clock.now())
        )
    return time_s


class HeadKeeper:
    """Signs the logs' heads every so many entries or seconds, on a thread of its own."""

    def __init__(
        self, station: Station, *, entries: int = _ENTRIES_A_HEAD, seconds: float = _SECONDS_A_HEAD
    ) -> None:
        """Prepare to sign; `start` begins."""
        self._station = station
        self._entries = entries
        self._seconds = seconds
        # Guards `_waiting`: for each batch, entries since its last head, and since when.
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[int, float]] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heads", daemon=True)
        self._unsubscribe: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Sign what earlier runs left unsigned, then follow the station."""
        self._unsubscribe = self._station.bus.subscribe(self._hear)
        with self._station.transaction() as connection:
            slugs = [
                batch.slug
                for batch in batches.every(connection)
                if scan_log.next_sequence(connection, batch.id)
            ]
        for slug in slugs:
            sign(self._station, slug)
        self._thread.start()

    def stop(self) -> None:
        """Sign what is waiting and end."""
        self._unsubscribe()
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        self.sign_due(all_of_them=True)

    def sign_due(self, *, all_of_them: bool = False) -> list[str]:
        """Sign the heads that are due now; return of which batches."""
        now = self._station.clock.steady_s()
        with self._lock:
            due = [
                slug
                for slug, (entries, since) in self._waiting.items()
                if all_of_them or entries >= self._entries or now - since >= self._seconds
            ]
            for slug in due:
                del self._waiting[slug]
        for slug in due:
            try:
                sign(self._station, slug)
            except StationError as error:
                # The station says itself that it has stopped; its next entry is waited for anew.
                _log.warning("the head of batch %s was not signed: %s", slug, error)
        return due

    def _hear(self, event: Event) -> None:
        if isinstance(event, EntryRecorded):
            with self._lock:
                entries, since = self._waiting.get(event.batch, (0, self._station.clock.steady_s()))
                self._waiting[event.batch] = (entries + 1, since)

    def _run(self) -> None:
        while not self._stopped.wait(_LOOKS_EVERY_S):
            self.sign_due()


def _sign(connection: Connection, batch: Batch, size: int, key: Ed25519PrivateKey) -> SignedHead:
    root = tree.root(connection, batch.id, size)
    checkpoint = Checkpoint(origin=_origin(connection, batch), size=size, root=root)
    return signed_head(checkpoint, key)


def _as_signed(kept: SignedHead, signed: SignedHead, batch: Batch) -> SignedHead:
    # The same head always has the same signature, so what is kept can be held against it.
    if bytes(kept).startswith(bytes(signed)):
        return kept
    raise StorageError(
        "the head of %(size)s entries of batch %(batch)s is not as it was signed: the file was "
        "changed or damaged; count nothing here, keep the file, restore the last copy of it",
        size=signed.checkpoint.size,
        batch=batch.slug,
    )


def _check_line(
    checkpoint: Checkpoint, line: str, known: list[VerifierKey]
) -> tuple[VerifierKey, int]:
    signature = Note.parse(f"{checkpoint.text}\n{line}".encode()).signatures[0]
    for key in known:
        if signature.line == line and signature.is_by(key):
            return key, check_cosignature(checkpoint, signature, key)
    raise VerificationError("the log names no witness %(name)s with this key", name=signature.name)


def _require_come(time_s: int, station: Station) -> None:
    ahead_s = time_s - int(station.clock.now().timestamp())
    if ahead_s > CLOCKS_DIFFER_S:
        raise InputError(
            "this signature is dated %(minutes)s minutes ahead of the station's clock: set the "
            "clock that is wrong, the tablet's or the station's, and sign again",
            minutes=ahead_s // 60,
        )


def _origin(connection: Connection, batch: Batch) -> str:
    first = scan_log.entry(connection, batch.id, 0)
    if first is None:
        raise BatchError(
            "the log of batch %(slug)s has not begun; it begins with the first card",
            slug=batch.slug,
        )
    return f"{first.body['station']}/{first.body['batch']}"


def _witness_key(text: str) -> VerifierKey:
    try:
        key = VerifierKey.parse(text.strip())
    except VerificationError as error:
        raise InputError("this is not a witness's key: %(why)s", why=error) from error
    if key.type is not SignatureType.COSIGNATURE_V1:
        raise InputError("this is the key of a log, not of a witness")
    if not is_witness_name(key.name):
        raise InputError(
            "a witness's key cannot have this name; it has at most %(most)s letters, digits and "
            "signs of ASCII, and is no word of a policy",
            most=MOST_NAME,
        )
    return key
