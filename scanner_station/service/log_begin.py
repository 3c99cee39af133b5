"""How a log begins: the key that signs it, and the entry that fixes what will be counted."""

from base64 import b64encode
from datetime import datetime
from pathlib import Path
from sqlite3 import Connection, sqlite_version

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scanner_station import __version__
from scanner_station.domain.checkpoint import log_key
from scanner_station.domain.entry import Body, Kind, timestamp, totals_text
from scanner_station.domain.errors import StorageError, VerificationError
from scanner_station.domain.note import Note
from scanner_station.service.counter import Counter
from scanner_station.storage import (
    batches,
    custody,
    heads,
    manifest_commitments,
    people,
    scan_log,
    station_key,
    tree,
)


def load_key(folder: Path, connection: Connection) -> Ed25519PrivateKey:
    """Return the station's key, made at the first start.

    Raises:
        StorageError: it cannot be used, is gone although it has signed, or is another.
    """
    key = station_key.load(folder)
    if not heads.is_any(connection):
        return key or station_key.make(folder)
    if key is None:
        raise StorageError(
            "the station's key, %(file)s, is gone, and heads were signed with it already; "
            "restore the file from a copy",
            file=station_key.FILE_NAME,
        )
    if not _has_signed(key, heads.newest_note(connection)):
        raise StorageError(
            "the station's key, %(file)s, is not the one with which the newest head here was "
            "signed, or that head was changed; restore the file from a copy",
            file=station_key.FILE_NAME,
        )
    return key


def _has_signed(key: Ed25519PrivateKey, note: object) -> bool:
    # Only whose key it is. A damaged file may hold anything, which is found out and said later.
    try:
        signature = Note.parse(str(note).encode()).signatures[0]
    except VerificationError:
        return True
    return signature.key_id == log_key(signature.name, key).key_id


def opening_body(
    connection: Connection, counter: Counter, *, station: str, at: datetime, by: str
) -> Body:
    """Return the first entry of a batch's log: from then on its manifest is fixed."""
    batch = counter.batch
    expected = counter.tally.expected_by_category
    body: Body = {
        "at": timestamp(at),
        "batch": batch.slug,
        "by": by,
        "counted": counter.tally.burned,
        "expected": sum(expected.values()),
        "expected_by_category": totals_text(expected),
        "kind": Kind.OPEN,
        "manifest_sha256": _commitments_digest(connection, counter),
        "nonce": batches.witness_nonce(connection, batch.id),
        "schemes": ",".join(batch.schemes.schemes),
        "sequence": 0,
        "software": __version__,
        "sqlite": sqlite_version,
        "station": station,
        "title": batch.title,
    }
    office = people.office(connection)
    said = {
        "held_on": batch.held_on,
        "office": office.name if office else "",
        "place": batch.place,
    }
    body |= {name: text for name, text in said.items() if text}
    if batch.is_rehearsal:
        body["rehearsal"] = 1
    body |= custody.declared(connection, batch.id).as_body()
    if batch.supplements and (sealed := batches.find(connection, batch.supplements)):
        size = scan_log.next_sequence(connection, sealed.id)
        root = b64encode(tree.root(connection, sealed.id, size)).decode("ascii")
        body |= {
            "supplements": sealed.slug,
            "supplements_root": root,
            "supplements_size": size,
        }
    return body


def _commitments_digest(connection: Connection, counter: Counter) -> str:
    manifest_id = counter.batch.manifest_id
    if manifest_id is None:
        return ""
    # Kept since the import; computed here only for a manifest that came in another way.
    kept = manifest_commitments.digest_of(connection, manifest_id)
    return kept or manifest_commitments.digest(connection, manifest_id, counter.secret)
