"""What the official minutes of a batch say: its particulars, and everything its log tells."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from sqlite3 import Connection
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scanner_station.domain.checkpoint import SignedHead
from scanner_station.domain.entry import Body, Kind
from scanner_station.domain.errors import BatchError
from scanner_station.domain.particulars import Particulars
from scanner_station.domain.people import Office
from scanner_station.domain.reconciliation import Reconciliation
from scanner_station.service import heads, people
from scanner_station.service.counter import require_batch
from scanner_station.service.log_check import check_closed_log
from scanner_station.service.reconciliation import reconcile
from scanner_station.service.station import Station
from scanner_station.storage import batches, custody, scan_log
from scanner_station.storage import minutes as rows
from scanner_station.storage import people as person_rows
from scanner_station.storage.batches import Batch
from scanner_station.storage.minutes import DestroyedCard

LEGAL_BASIS: Final = (
    "Surat Edaran Menteri Dalam Negeri Nomor 470.13/11176/SJ tanggal 13 Desember 2018 tentang "
    "Penatausahaan KTP-el Rusak atau Invalid",
)
"""What stands in the minutes as long as nobody entered a legal basis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Minutes:
    """All that the minutes of one batch say but the list of cards.

    `head` is None while the log has not begun. `seal` is the body of the sealing entry, None
    while there is none: the minutes are a draft then.
    """

    batch: Batch
    found: Reconciliation
    particulars: Particulars
    office: Office | None
    head: SignedHead | None
    witness_keys: tuple[str, ...]
    seal: Body | None
    is_rehearsal: bool


def particulars(connection: Connection, slug: str) -> Particulars:
    """Return what was entered for the minutes; before that what the batch itself says.

    Raises:
        BatchError: there is no such batch.
    """
    batch = require_batch(connection, slug)
    text = rows.particulars(connection, batch.id)
    if text is not None:
        return Particulars.parse(text)
    return Particulars(
        place=batch.place,
        held_on=date.fromisoformat(batch.held_on) if batch.held_on else None,
        legal_basis=LEGAL_BASIS,
    )


def set_particulars(station: Station, slug: str, entered: Particulars, *, by: str) -> Particulars:
    """Keep what people enter for the minutes, in place of what was entered before.

    Raises:
        BatchError: there is no such batch.
        InputError: a text cannot be used, or there are too many people.
    """
    checked = entered.checked()
    with station.transaction() as connection:
        batch = require_batch(connection, slug)
        rows.set_particulars(connection, batch.id, checked.text)
        person_rows.note(
            connection, at=station.clock.now(), by=by, what="minutes changed", about=slug
        )
    return checked


def is_forgotten(connection: Connection, slug: str) -> bool:
    """Whether the minutes of a batch can no longer name anybody.

    Raises:
        BatchError: there is no such batch.
    """
    return not batches.secret_of(connection, require_batch(connection, slug).id)


def minutes(connection: Connection, slug: str, key: Ed25519PrivateKey) -> Minutes:
    """Return what the minutes of a batch say as of one moment.

    `connection`: in a transaction. `key`: the station's, which signs the log's head.

    Raises:
        BatchError: there is no such batch.
        StorageError: the log of a closed batch was changed.
    """
    batch = require_batch(connection, slug)
    check_closed_log(connection, batch, names_people=True)
    has_begun = scan_log.next_sequence(connection, batch.id) > 0
    return Minutes(
        batch=batch,
        found=reconcile(connection, slug),
        particulars=particulars(connection, slug),
        office=people.office(connection),
        head=heads.head_now(connection, slug, key) if has_begun else None,
        witness_keys=tuple(known.name for known in heads.witnesses(connection, slug)),
        seal=next(custody.bodies(connection, batch.id, [Kind.SEAL]), None),
        is_rehearsal=batch.is_rehearsal,
    )


def destroyed_cards(
    connection: Connection, minutes: Minutes, *, masked: bool
) -> Iterator[DestroyedCard]:
    """Yield the cards of the annex as they are needed; `masked`: nobody is named.

    Raises:
        BatchError: names are wanted, and the batch's people are forgotten.
    """
    if masked:
        return rows.nameless(connection, minutes.batch.id)
    if minutes.found.is_forgotten:
        raise BatchError(
            "the people of batch %(slug)s are forgotten, so its minutes can no longer name them; "
            "the masked copy can still be made",
            slug=minutes.batch.slug,
        )
    return rows.named(connection, minutes.batch.id, minutes.batch.manifest_id)
