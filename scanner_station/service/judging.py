"""What a reading, or taking a card back, writes into the log: identified, looked up, judged.

Nothing is written here.
"""

from datetime import datetime
from sqlite3 import Connection

from scanner_station.domain.counter import CountedPiece, Verdict, judge
from scanner_station.domain.custody import Custody
from scanner_station.domain.custody_records import Container
from scanner_station.domain.entry import Body, Entry, Kind, timestamp
from scanner_station.domain.identifier import Unreadable
from scanner_station.domain.reading import Reading
from scanner_station.domain.tally import counted_as
from scanner_station.service.counter import Counter, body_of, known_of, line_of
from scanner_station.storage import custody
from scanner_station.storage.batches import Batch


def entry_of(
    connection: Connection,
    counter: Counter,
    reading: Reading,
    *,
    station: str,
    by: str,
    typed: bool,
    nonce: str | None,
) -> tuple[Entry, str, Body | None]:
    """Return the entry, the manifest's name for the card, and what the entry it repeats said."""
    batch = counter.batch
    body: Body = {
        "at": timestamp(reading.at),
        "batch": batch.slug,
        "by": by,
        "kind": Kind.MANUAL if typed else Kind.SCAN,
        "reader": reading.reader_id,
        "sequence": counter.next_sequence,
        "station": station,
        "symbology": reading.symbology,
    }
    identified = batch.schemes.identify(reading.payload)
    if isinstance(identified, Unreadable):
        body |= {"verdict": Verdict.UNREADABLE, "reason": identified.reason}
        entry = Entry(
            sequence=counter.next_sequence, body=body, payload=reading.payload, nonce=nonce
        )
        return entry, "", None
    identifier = identified.identifier
    line = line_of(connection, batch, identifier)
    known = known_of(connection, batch, identifier, line)
    judgement = judge(identified.scheme, known)
    body |= {
        "card": counter.commit(identifier),
        "category": line.category if line else batch.category,
        "district": line.district if line else "",
        "verdict": judgement.verdict,
    }
    if judgement.piece:
        body["piece"] = judgement.piece
    elif judgement.verdict is Verdict.NOT_ON_MANIFEST:
        body["category"] = ""
    repeats = None
    if first := judgement.first:
        body |= {"first_batch": first.batch, "first_sequence": first.sequence}
        if sealed := _sealed_container(connection, batch, first):
            body["sealed_container"] = sealed.number
        repeats = body_of(connection, first.batch, first.sequence)
    elif earlier := judgement.earlier:
        body |= {"earlier_batch": earlier.batch, "earlier_sequence": earlier.sequence}
    entry = Entry(
        sequence=counter.next_sequence,
        body=body,
        identifier=identifier,
        payload=reading.payload,
        nonce=nonce,
    )
    return entry, line.name if line else "", repeats


def void_of(
    counter: Counter, target: Body, reason: str, *, station: str, at: datetime, by: str
) -> Body:
    """Return the entry that takes a counted one back."""
    body: Body = {
        "at": timestamp(at),
        "batch": counter.batch.slug,
        "by": by,
        "category": target["category"],
        "district": target.get("district", ""),
        "kind": Kind.VOID,
        "reason": reason,
        "sequence": counter.next_sequence,
        "station": station,
        "target": target["sequence"],
    }
    if "card" in target:
        body["card"] = target["card"]
    if (what := counted_as(target)) != Verdict.COUNTED:
        body["takes_back"] = what
    return body


def _sealed_container(
    connection: Connection, batch: Batch, first: CountedPiece
) -> Container | None:
    # A card that lies under seal and is presented again: somebody has to look into that.
    if first.batch != batch.slug:
        return None
    told = custody.bodies(connection, batch.id, custody.OF_CONTAINERS)
    return Custody.of(told).sealed_container_of(first.sequence)
