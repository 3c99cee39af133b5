"""What the minutes are made of beside the reconciliation; none of these functions commits."""

from collections.abc import Iterator
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Final

from scanner_station.storage.entry_key import IN_SPAN, span_of

_STANDING: Final = (
    "(body ->> 'verdict' = 'counted' or body ->> 'kind' in ('add', 'unidentified'))"
    " and entry.sequence not in (select body ->> 'target' from entry where batch_id = :batch"
    " and body ->> 'kind' = 'void'"
    # As the index of what is remarkable has it, which is then used.
    " and (body ->> 'kind' is not 'scan' or body ->> 'verdict' is not 'counted'"
    " or body ->> 'earlier_batch' is not null))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DestroyedCard:
    """One card of the annex. `how`: the kind of its entry; `number`: of an unidentified card.

    `card` is the commitment ('' for an unidentified one); `identifier`, `name` and `address` are
    '' where nobody knows them, or nobody is to be named.
    """

    sequence: int
    how: str
    card: str
    category: str
    district: str
    number: int
    identifier: str = ""
    name: str = ""
    address: str = ""


def particulars(connection: Connection, batch_id: int) -> str | None:
    """Return what was entered for a batch's minutes, as JSON, or None."""
    row = connection.execute(
        "select body from particulars where batch_id = ?", (batch_id,)
    ).fetchone()
    return None if row is None else str(row[0])


def set_particulars(connection: Connection, batch_id: int, text: str) -> None:
    """Keep what was entered for a batch's minutes."""
    connection.execute(
        "insert into particulars values (?, ?) on conflict do update set body = excluded.body",
        (batch_id, text),
    )


def nameless(connection: Connection, batch_id: int) -> Iterator[DestroyedCard]:
    """Yield the cards that stand in the tally in the order of the log, without their people."""
    found = connection.execute(
        "select sequence, body ->> 'kind', body ->> 'card', body ->> 'category',"  # noqa: S608 - a constant of ours
        " body ->> 'district', body ->> 'number'"
        f" from entry where {IN_SPAN} and {_STANDING} order by key",
        span_of(batch_id) | {"batch": batch_id},
    )
    for row in found:
        yield _card(*row)


def named(
    connection: Connection, batch_id: int, manifest_id: int | None
) -> Iterator[DestroyedCard]:
    """Yield the same cards with their people, by district and name."""
    found = connection.execute(
        "select entry.sequence, body ->> 'kind', body ->> 'card', body ->> 'category' as category,"  # noqa: S608 - a constant of ours
        " body ->> 'district' as district, body ->> 'number', entry.identifier, name, address"
        " from entry left join manifest_line on manifest_line.manifest_id = :manifest"
        " and manifest_line.identifier = entry.identifier"
        f" where {IN_SPAN} and {_STANDING}"
        " order by entry.body ->> 'district', name collate nocase, entry.sequence",
        span_of(batch_id) | {"batch": batch_id, "manifest": manifest_id},
    )
    for row in found:
        yield _card(*row)


def _card(
    sequence: int,
    how: str,
    card: str | None,
    category: str | None,
    district: str | None,
    number: int | None,
    identifier: str | None = None,
    name: str | None = None,
    address: str | None = None,
) -> DestroyedCard:
    return DestroyedCard(
        sequence=sequence,
        how=how,
        card=card or "",
        category=category or "",
        district=district or "",
        number=number or 0,
        identifier=identifier or "",
        name=name or "",
        address=address or "",
    )
