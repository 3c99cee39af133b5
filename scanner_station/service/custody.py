"""The chain of custody: containers, days, cards that no machine reads, strangers, the fire."""

from datetime import datetime
from sqlite3 import Connection
from typing import Final

from scanner_station.domain.counter import Verdict, judge
from scanner_station.domain.custody import Custody
from scanner_station.domain.custody_records import Container, Day, Form
from scanner_station.domain.entry import Body, Kind, card_commitment, timestamp
from scanner_station.domain.errors import BatchError, EntryError, InputError
from scanner_station.domain.identifier import Unreadable
from scanner_station.domain.people import checked_name
from scanner_station.domain.text import checked_text
from scanner_station.service import heads
from scanner_station.service.counter import (
    known_of,
    line_of,
    load_tally,
    require_batch,
    require_open,
)
from scanner_station.service.log_book import LogBook, custody_of, log_book
from scanner_station.service.station import Station
from scanner_station.storage import batches, scan_log
from scanner_station.storage import custody as rows
from scanner_station.storage.batches import Batch, BatchState

Json = dict[str, object]

MOST_PHOTOGRAPH_BYTES: Final = 2 * 1024 * 1024
_PIECE: Final = 1
_JPEG: Final = b"\xff\xd8"


def zero_report(station: Station, slug: str, *, by: str) -> Json:
    """Begin a batch's log and report that nothing is counted; only before the first card.

    Raises:
        BatchError: there is no such batch, it takes no cards, or something was counted.
    """
    with station.transaction() as connection:
        batch = require_batch(connection, slug)
        begun = scan_log.next_sequence(connection, batch.id)
    if begun > 1:
        raise BatchError("the log of batch %(slug)s has begun already", slug=slug)
    station.begin_log(slug, by=by)
    with station.transaction() as connection:
        tally = load_tally(connection, batch)
        first = scan_log.entry(connection, batch.id, 0)
    if first is None or tally.burned:
        raise BatchError("batch %(slug)s is not empty", slug=slug)
    return {
        "slug": slug,
        "sequence": 0,
        "at": first.body["at"],
        "by": first.body["by"],
        "counted": tally.counted,
        "added": 0,
        "unidentified": 0,
        "expected": tally.expected_total,
        "expected_by_category": tally.expected_by_category,
        "manifest_sha256": first.body["manifest_sha256"],
    }


# --- containers --------------------------------------------------------------------------------


def open_container(
    station: Station, slug: str, *, by: str, form: Form = Form.BOX, label: str = ""
) -> Container:
    """Open the next container; from now on cards are counted into it.

    Raises:
        BatchError: another one is open, or the batch takes no cards.
    """
    label = checked_text(label, "label") if label.strip() else ""
    with log_book(station, slug, by=by) as book:
        require_open(book.batch)
        number = len(book.custody.containers) + 1
        book.write(Kind.CONTAINER_OPEN, by, {"form": form, "label": label, "number": number})
        return book.custody.containers[number]


def seal_container(
    station: Station, slug: str, number: int, *, seal_number: str, by: str, agreed_by: str = ""
) -> Container:
    """Seal a container, which fixes its count; the log's head is signed.

    `agreed_by`: who else looked at the typed and unidentified cards, if there are any.

    Raises:
        InputError: there is no such container, it is sealed, its typed cards wait for a second
            person, or the seal number was used already.
    """
    seal_number = checked_text(seal_number, "seal number")
    with log_book(station, slug, by=by) as book:
        container = book.custody.containers.get(number)
        _agree_if_waiting(book, agreed_by)
        book.write(
            Kind.CONTAINER_SEAL,
            by,
            {
                "counted": container.count if container else 0,
                "number": number,
                "seal_number": seal_number,
            },
        )
        sealed = book.custody.containers[number]
    heads.sign(station, slug)
    return sealed


def break_seal(
    station: Station, slug: str, number: int, *, reason: str, by: str, seconded_by: str
) -> Container:
    """Break a container's seal, by two people: a card can then be taken back, none put in.

    Raises:
        InputError: there is no such container, it is not sealed, or the two are one.
    """
    with log_book(station, slug, by=by) as book:
        book.write(
            Kind.CONTAINER_BREAK,
            by,
            {
                "number": number,
                "reason": checked_text(reason, "reason"),
                "seconded_by": checked_name(seconded_by),
            },
        )
        return book.custody.containers[number]


# --- days and lots -----------------------------------------------------------------------------


def begin_lot(station: Station, slug: str, lot: str, *, by: str) -> None:
    """Begin a lot, usually one district's cards; it lasts until the next one."""
    with log_book(station, slug, by=by) as book:
        require_open(book.batch)
        book.write(Kind.LOT, by, {"lot": checked_text(lot, "lot")})


def pause(station: Station, slug: str, *, by: str, agreed_by: str = "") -> int:
    """End a day's counting; return the closing figure. The log's head is signed.

    Raises:
        BatchError: the batch is not open, or typed cards wait for a second person.
    """
    with log_book(station, slug, by=by) as book:
        require_open(book.batch)
        _agree_if_waiting(book, agreed_by)
        figure = load_tally(book.connection, book.batch).burned
        book.write(Kind.PAUSE, by, {"figure": figure})
        batches.set_state(book.connection, book.batch.id, BatchState.PAUSED)
    heads.sign(station, slug)
    return figure


def resume(station: Station, slug: str, *, figure: int, by: str) -> Day:
    """Go on counting. `figure` is the opening figure as the office has it on paper.

    Raises:
        InputError: the batch is not paused, or the figure is not the last closing figure.
    """
    with log_book(station, slug, by=by) as book:
        book.write(Kind.RESUME, by, {"figure": figure})
        counted = load_tally(book.connection, book.batch).burned
        if counted != figure:
            raise BatchError(
                "the closing figure was %(figure)s, but the log comes to %(counted)s; count "
                "nothing, keep the file and look into it",
                figure=figure,
                counted=counted,
            )
        batches.set_state(book.connection, book.batch.id, BatchState.OPEN)
        return book.custody.days[-1]


# --- cards that no machine reads ---------------------------------------------------------------


def record_unidentified(
    station: Station,
    slug: str,
    *,
    by: str,
    category: str = "",
    reason: str = "",
    photograph: bytes = b"",
    nonce: str | None = None,
) -> int:
    """Take in a card on which nothing is legible; return its running number.

    `photograph`: a JPEG picture of it, b'' without a camera. A `nonce` that has made an entry
    already gives that card's number again and changes nothing.

    Raises:
        InputError: the batch takes no cards, the picture is none, or the nonce was another card's.
    """
    picture = checked_photograph(photograph)
    fields: Body = {"category": _optional(category, "category")}
    if reason.strip():
        fields["reason"] = checked_text(reason, "reason")
    with log_book(station, slug, by=by) as book:
        if nonce is not None and (again := _made_by(book, nonce)):
            return again
        require_open(book.batch)
        number = book.custody.last_number + 1
        book.write(
            Kind.UNIDENTIFIED,
            by,
            {"number": number, **fields},
            photograph=picture,
            nonce=nonce,
        )
    return number


def _made_by(book: LogBook, nonce: str) -> int:
    """Return the running number of the card that a nonce has made, 0 for none."""
    sequence = scan_log.sequence_of_nonce(book.connection, book.batch.id, nonce)
    made = None if sequence is None else scan_log.entry(book.connection, book.batch.id, sequence)
    if made is None:
        return 0
    if made.body["kind"] != Kind.UNIDENTIFIED:
        raise EntryError(
            "the nonce was already used for another card (entry %(sequence)s); send a new nonce",
            sequence=made.sequence,
        )
    return int(made.body["number"])


def agree(station: Station, slug: str, *, by: str) -> int:
    """Agree, as a second person, to all typed and unidentified cards that wait; return how many.

    Raises:
        InputError: none waits, or this person typed some of them.
    """
    with log_book(station, slug, by=by) as book:
        waiting = len(book.custody.typed)
        book.write(Kind.AGREE, checked_name(by), {"number": waiting})
    return waiting


def add_stranger(
    station: Station,
    slug: str,
    sequence: int,
    *,
    category: str,
    reason: str,
    by: str,
    seconded_by: str,
    district: str = "",
) -> Body:
    """Put a card that nobody listed to the count, marked as added, by two people.

    `sequence` is an entry that said `not_on_manifest`. Returns the new entry's body.

    Raises:
        EntryError: the entry is no stranger's, or the card is counted meanwhile.
        InputError: the two are one, there is no reason, or the batch takes no cards.
    """
    with log_book(station, slug, by=by) as book:
        require_open(book.batch)
        stranger = scan_log.entry(book.connection, book.batch.id, sequence)
        if (
            stranger is None
            or stranger.body.get("verdict") != Verdict.NOT_ON_MANIFEST
            or _verdict_now(book.connection, book.batch, stranger.identifier)
            is not Verdict.NOT_ON_MANIFEST
        ):
            raise EntryError(
                "entry %(sequence)s is no stranger's that could be added; `reconcile` lists them",
                sequence=sequence,
            )
        secret = batches.secret_of(book.connection, book.batch.id)
        body = book.write(
            Kind.ADD,
            by,
            {
                "card": card_commitment(secret, stranger.identifier),
                "category": checked_text(category, "category"),
                "district": _optional(district, "district"),
                "piece": _PIECE,
                "reason": checked_text(reason, "reason"),
                "seconded_by": checked_name(seconded_by),
                "target": sequence,
            },
            identifier=stranger.identifier,
        )
        scan_log.count_piece(
            book.connection, book.batch.id, stranger.identifier, _PIECE, int(body["sequence"])
        )
    return body


# --- the fire ----------------------------------------------------------------------------------


def burn(
    station: Station,
    slug: str,
    *,
    method: str,
    present: str,
    by: str,
    burned_at: datetime | None = None,
) -> Body:
    """Write down that the cards of a sealed batch were destroyed; the log's head is signed.

    `method`: how; `present`: who was there, as one text; `burned_at`: when, None for now.

    Raises:
        BatchError: the batch is not sealed, or this is written down already.
    """
    with log_book(station, slug, by=by) as book:
        body = book.write(
            Kind.BURN,
            by,
            {
                "burned_at": timestamp(burned_at or station.clock.now()),
                "method": checked_text(method, "method"),
                "present": checked_text(present, "list of those present"),
            },
        )
    heads.sign(station, slug)
    return body


# --- for whoever looks -------------------------------------------------------------------------


def custody(connection: Connection, slug: str) -> Custody:
    """Return the chain of custody of a batch.

    Raises:
        BatchError: there is no such batch.
    """
    return custody_of(connection, require_batch(connection, slug).id)


def photograph(connection: Connection, slug: str, sequence: int) -> bytes | None:
    """Return the picture that is kept beside an entry, or None.

    Raises:
        BatchError: there is no such batch.
    """
    return rows.photograph(connection, require_batch(connection, slug).id, sequence)


def checked_photograph(picture: bytes) -> bytes:
    """Return a picture fit to be kept, b'' for none.

    Raises:
        InputError: it is no JPEG picture, or too large.
    """
    if not picture:
        return b""
    if len(picture) > MOST_PHOTOGRAPH_BYTES or not picture.startswith(_JPEG):
        raise InputError(
            "the photograph must be a JPEG picture of at most %(most)s bytes",
            most=MOST_PHOTOGRAPH_BYTES,
        )
    return picture


def _verdict_now(connection: Connection, batch: Batch, identifier: str) -> Verdict | None:
    identified = batch.schemes.identify(identifier.encode())
    if isinstance(identified, Unreadable):
        return None
    line = line_of(connection, batch, identifier)
    return judge(identified.scheme, known_of(connection, batch, identifier, line)).verdict


def _agree_if_waiting(book: LogBook, agreed_by: str) -> None:
    if book.custody.typed and agreed_by.strip():
        waiting = len(book.custody.typed)
        book.write(Kind.AGREE, checked_name(agreed_by), {"number": waiting})


def _optional(text: str, what: str) -> str:
    return checked_text(text, what) if text.strip() else ""
