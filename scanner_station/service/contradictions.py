"""A head that a witness holds, and the log here does not continue: this is not the folder it was.

An older copy of a data folder, put back by mistake or on purpose, is whole in itself. That it is
older, only somebody from outside can know: who holds a head that this station's key has signed.
"""

from sqlite3 import Connection

from scanner_station.domain.checkpoint import Checkpoint, SignedHead, check_log_signature, log_key
from scanner_station.domain.errors import InputError, StorageError, VerificationError
from scanner_station.service.counter import require_batch
from scanner_station.service.station import Station
from scanner_station.storage import people, scan_log, tree


def report(station: Station, slug: str, note: str, *, by: str) -> bool:
    """Hold a log against a head that somebody keeps; the station stops when they contradict.

    Returns whether they do. `note`: the signed head, as the station gave it.

    Raises:
        BatchError: there is no such batch.
        InputError: it is no head of this log, or this station has not signed it.
        StorageError: the station has stopped already.
    """
    with station.transaction() as connection:
        batch = require_batch(connection, slug)
        head = _signed_here(note, station, slug).checkpoint
        if _begins_with(connection, batch.id, head):
            return False
        at = station.clock.now()
        people.note(connection, at=at, by=by, what="log contradicted", about=slug)
    station.halt(
        StorageError(
            "a witness holds a head of %(size)s entries of batch %(batch)s that this station has "
            "signed, and the log here is another: this is an older or a changed copy of the data "
            "folder; count nothing here, keep it, and put the right folder back",
            size=head.size,
            batch=slug,
        )
    )
    return True


def _signed_here(note: str, station: Station, slug: str) -> SignedHead:
    # Whatever the station was called then: a data folder has one batch of a short name, ever.
    try:
        head = SignedHead.parse(note.encode())
        origin = head.checkpoint.origin
        check_log_signature(head, log_key(origin, station.key))
    except VerificationError as error:
        raise InputError(
            "this is no head of this log that the station has signed: %(why)s", why=error
        ) from error
    if not origin.endswith(f"/{slug}"):
        raise InputError("this is a head of the log %(other)s", other=origin)
    return head


def _begins_with(connection: Connection, batch_id: int, head: Checkpoint) -> bool:
    first = scan_log.entry(connection, batch_id, 0)
    if first is None or f"{first.body['station']}/{first.body['batch']}" != head.origin:
        return False
    if head.size > scan_log.next_sequence(connection, batch_id):
        return False
    return tree.root(connection, batch_id, head.size) == head.root
