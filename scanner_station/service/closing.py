"""Closing a batch: declared figures, explanations, objections, and the seal of two people."""

from collections.abc import Callable, Iterable
from sqlite3 import Connection
from typing import Final

from scanner_station.domain.checkpoint import SignedHead
from scanner_station.domain.custody import require_two
from scanner_station.domain.declared import Declared
from scanner_station.domain.entry import Body, Kind, card_commitment
from scanner_station.domain.errors import BatchError, ClosingError, InputError, StationError
from scanner_station.domain.findings import What, figures_text
from scanner_station.domain.log_audit import stated_totals
from scanner_station.domain.people import checked_name
from scanner_station.domain.reconciliation import Difference, Reconciliation, State
from scanner_station.domain.text import checked_text
from scanner_station.service import heads
from scanner_station.service.counter import load_tally, require_batch
from scanner_station.service.log_book import LogBook, log_book
from scanner_station.service.reconciliation import reconcile
from scanner_station.service.station import Station
from scanner_station.storage import batches, scan_log
from scanner_station.storage import custody as rows
from scanner_station.storage.batches import STILL_OPEN, BatchState

Busy = Callable[[], Iterable[str]]

_MOST_CARDS: Final = 1000


def declare(station: Station, slug: str, declared: Declared, *, by: str, reason: str = "") -> None:
    """Replace the figures that are stated for a batch; the log keeps the earlier ones.

    Raises:
        InputError: a figure is not usable, or the batch is closed.
    """
    declared = declared.checked()
    with station.transaction() as connection:
        batch = require_batch(connection, slug)
        if not scan_log.next_sequence(connection, batch.id) and batch.state in STILL_OPEN:
            # The opening entry will state them.
            rows.set_declared(connection, batch.id, declared)
            return
    fields = declared.as_body()
    if reason.strip():
        fields["reason"] = checked_text(reason, "reason")
    with log_book(station, slug, by=by) as book:
        book.write(Kind.DECLARE, by, fields)
        rows.set_declared(book.connection, book.batch.id, declared)


# --- explaining --------------------------------------------------------------------------------


def explain(
    station: Station,
    slug: str,
    *,
    what: What,
    reason: str,
    by: str,
    seconded_by: str,
    category: str | None = None,
    district: str | None = None,
    lines: tuple[int, ...] = (),
    sequences: tuple[int, ...] = (),
) -> Body:
    """Explain a difference, or all open ones of a group, by two people; return the entry's body.

    `category` and `district`: None for all. `lines`: only these lines of the manifest (missing
    cards). `sequences`: only these entries' cards (strangers). What changes later is open again.

    Raises:
        InputError: nothing open fits, the two are one, or the batch is closed.
    """
    reason = checked_text(reason, "reason")
    with log_book(station, slug, by=by) as book:
        found = reconcile(book.connection, slug)
        number, fields = _EXPLAINED[what](book, found, category, district, lines or sequences)
        if not number:
            raise InputError(
                "nothing open fits this explanation; `reconcile %(slug)s` shows what is", slug=slug
            )
        for name, value in (("category", category), ("district", district)):
            if value is not None:
                fields[name] = value
        return book.write(
            Kind.EXPLAIN,
            by,
            {
                "seconded_by": checked_name(seconded_by),
                "reason": reason,
                "what": what,
                "number": number,
                **fields,
            },
        )


def _explained_missing(
    book: LogBook,
    found: Reconciliation,
    category: str | None,
    district: str | None,
    lines: tuple[int, ...],
) -> tuple[int, Body]:
    fitting = [
        one
        for one in found.missing
        if one.explained_by is None
        and category in (None, one.line.category)
        and district in (None, one.line.district)
        and (not lines or one.line.line in lines)
    ]
    secret = batches.secret_of(book.connection, book.batch.id)
    fields: Body = {}
    if lines:
        cards = [card_commitment(secret, one.line.identifier) for one in fitting]
        fields["cards"] = _cards_text(cards)
    return sum(one.lacking for one in fitting), fields


def _explained_strangers(
    _book: LogBook,
    found: Reconciliation,
    category: str | None,
    district: str | None,
    sequences: tuple[int, ...],
) -> tuple[int, Body]:
    if category is not None or district is not None:
        raise InputError("a stranger has no category and no district; name its entry")
    fitting = [
        one
        for one in found.strangers
        if one.explained_by is None and (not sequences or one.first in sequences)
    ]
    fields: Body = {}
    if sequences:
        fields["cards"] = _cards_text([one.card for one in fitting])
    return len(fitting), fields


def _explained_figures(
    _book: LogBook,
    found: Reconciliation,
    category: str | None,
    district: str | None,
    _none: tuple[int, ...],
) -> tuple[int, Body]:
    return _figures(found, What.DECLARED, category, district)


def _explained_parts(
    _book: LogBook,
    found: Reconciliation,
    category: str | None,
    district: str | None,
    _none: tuple[int, ...],
) -> tuple[int, Body]:
    return _figures(found, What.PARTS, category, district)


def _figures(
    found: Reconciliation, what: What, category: str | None, district: str | None
) -> tuple[int, Body]:
    fitting = frozenset(
        (one.axis, one.category or one.district or "", one.difference)
        for one in found.differences
        if one.what is what
        and one.state is State.OPEN
        and category in (None, one.category)
        and district in (None, one.district)
    )
    return len(fitting), {"figures": figures_text(fitting)}


def _cards_text(cards: list[str]) -> str:
    if len(cards) > _MOST_CARDS:
        raise InputError(
            "%(count)s cards are too many to name one by one; explain the group by category and "
            "district",
            count=len(cards),
        )
    return " ".join(sorted(cards))


_EXPLAINED: Final = {
    What.MISSING: _explained_missing,
    What.STRANGERS: _explained_strangers,
    What.DECLARED: _explained_figures,
    What.PARTS: _explained_parts,
}


# --- witnesses ---------------------------------------------------------------------------------


def object_to(
    station: Station, slug: str, *, witness: str, objection: str, by: str, institution: str = ""
) -> int:
    """Record what a witness says against it, to be answered before sealing; return its entry."""
    with log_book(station, slug, by=by) as book:
        body = book.write(Kind.OBJECT, by, _witness(witness, institution, objection))
    return int(body["sequence"])


def note(
    station: Station, slug: str, *, witness: str, text: str, by: str, institution: str = ""
) -> int:
    """Record what a witness remarks, which asks for no answer; return its entry."""
    said = _speaking(witness, institution) | {"reason": checked_text(text, "note")}
    with log_book(station, slug, by=by) as book:
        body = book.write(Kind.NOTE, by, said)
    return int(body["sequence"])


def answer(station: Station, slug: str, sequence: int, *, text: str, by: str) -> None:
    """Answer the objection of an entry.

    Raises:
        EntryError: there is none that waits for an answer.
    """
    with log_book(station, slug, by=by) as book:
        book.write(Kind.ANSWER, by, {"answer": checked_text(text, "answer"), "target": sequence})


def record_refusal(
    station: Station, slug: str, *, witness: str, objection: str, by: str, institution: str = ""
) -> int:
    """Record that a witness will not sign, and why, also after sealing; return its entry.

    This hinders nothing: it stands in the log and in the minutes. The log's head is signed.
    """
    with log_book(station, slug, by=by) as book:
        body = book.write(Kind.REFUSE, by, _witness(witness, institution, objection))
    heads.sign(station, slug)
    return int(body["sequence"])


def _witness(witness: str, institution: str, objection: str) -> Body:
    return _speaking(witness, institution) | {"objection": checked_text(objection, "objection")}


def _speaking(witness: str, institution: str) -> Body:
    return {
        "witness": checked_name(witness),
        "institution": checked_text(institution, "institution") if institution.strip() else "",
    }


# --- sealing -----------------------------------------------------------------------------------


def hindrances(connection: Connection, slug: str, *, busy: Busy = tuple) -> list[StationError]:
    """Return all that stands in the way of sealing a batch now; nothing when it can be sealed.

    `busy` names the readers before which a card is held just now.
    """
    return hindrances_of(reconcile(connection, slug), busy=busy)


def seal(
    station: Station, slug: str, *, by: str, seconded_by: str, busy: Busy = tuple
) -> SignedHead:
    """Seal a batch by two people: no more cards. Return the final head, signed, to be cosigned.

    Raises:
        ClosingError: something stands in the way; all of it.
        InputError: the two are one, or the batch is closed already.
    """
    by, seconded_by = checked_name(by), checked_name(seconded_by)
    require_two(by, seconded_by)
    with station.transaction() as connection:
        _require_open(connection, slug)
    with log_book(station, slug, by=by) as book:
        found = reconcile(book.connection, slug)
        if standing := hindrances_of(found, busy=busy):
            raise ClosingError(slug, standing)
        total = found.total
        stated = stated_totals(load_tally(book.connection, book.batch))
        book.write(
            Kind.SEAL,
            by,
            {
                "seconded_by": seconded_by,
                "expected": total.manifest,
                "missing": total.missing,
                **stated,
            },
        )
        batches.set_state(book.connection, book.batch.id, BatchState.SEALED)
        if batches.setting(book.connection, batches.ACTIVE_BATCH) == slug:
            batches.set_setting(book.connection, batches.ACTIVE_BATCH, "")
    return heads.sign(station, slug)


def _require_open(connection: Connection, slug: str) -> None:
    batch = require_batch(connection, slug)
    if batch.state not in STILL_OPEN:
        raise BatchError(
            "batch %(slug)s is already %(state)s; nothing was changed",
            slug=slug,
            state=batch.state,
        )


def hindrances_of(found: Reconciliation, *, busy: Busy = tuple) -> list[StationError]:
    """Return what stands in the way as one reconciliation shows it: differences first."""
    standing: list[StationError] = [
        said(one) for one in found.differences if one.state is State.OPEN
    ]
    standing += found.findings.custody.hindrances()
    standing += [
        BatchError("a card is held before reader %(reader)s; take it away first", reader=reader)
        for reader in busy()
    ]
    return standing


def said(one: Difference) -> StationError:
    """Return a difference as a sentence that names where it sits."""
    values = {
        "category": one.category or "-",
        "district": one.district or "-",
        "manifest": one.manifest,
        "counted": one.counted,
        "declared": one.declared,
        "burned": one.burned,
        "difference": f"{one.difference:+d}",
        "open": one.open,
        "missing": one.manifest - one.counted,
        "all": abs(one.difference),
        "axis": one.axis,
    }
    return BatchError(_SENTENCES[one.what, one.axis], **values)


_SENTENCES: Final = {
    (What.MISSING, ""): (
        "category %(category)s, district %(district)s: the manifest lists %(manifest)s, "
        "%(counted)s were counted, %(missing)s are missing, %(open)s of them not explained"
    ),
    (What.STRANGERS, ""): (
        "%(all)s cards that nobody listed were set aside, %(open)s of them not explained"
    ),
    (What.DECLARED, "category"): (
        "category %(category)s: %(declared)s were declared, %(burned)s go into the fire "
        "(%(difference)s)"
    ),
    (What.DECLARED, "district"): (
        "district %(district)s: %(declared)s were declared, %(burned)s go into the fire "
        "(%(difference)s)"
    ),
    (What.DECLARED, "total"): (
        "in total %(declared)s were declared, %(burned)s go into the fire (%(difference)s)"
    ),
    (What.PARTS, "category"): (
        "the categories declared add up to %(declared)s, which is %(difference)s against the "
        "total declared"
    ),
    (What.PARTS, "district"): (
        "the districts declared add up to %(declared)s, which is %(difference)s against the "
        "total declared"
    ),
}
