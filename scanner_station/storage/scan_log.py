"""The append-only log of one station and the projections folded from it.

Every function takes a connection inside the caller's transaction; none commits.
"""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from scanner_station.domain.counter import CountedPiece, Verdict
from scanner_station.domain.entry import Body, Entry, canonical
from scanner_station.domain.errors import InputError
from scanner_station.domain.merkle import Frontier, leaf_hash
from scanner_station.domain.tally import ADDED, UNIDENTIFIED, VOIDED, Tally, TallyRow
from scanner_station.domain.tiles import MOST_ENTRY_BYTES
from scanner_station.storage import tree
from scanner_station.storage.entry_key import IN_SPAN, key_of, span_of

_IS_COUNTED_NOW: Final = (
    "exists (select 1 from piece where piece.identifier = entry.identifier"
    " and piece.batch_id = entry.batch_id and piece.sequence = entry.sequence)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """One entry as read back: its body, and what opens it ('' once forgotten)."""

    sequence: int
    body: Body
    identifier: str
    payload: bytes


def append(
    connection: sqlite3.Connection,
    batch_id: int,
    entry: Entry,
    edge: Frontier | None = None,
) -> None:
    """Write an entry with its place in the tree, and what opens it.

    `edge`: of the tree that it follows, which grows by it; None to read it from the file.

    Raises:
        InputError: it is longer than an entry can be in a bundle.
        StorageError: an entry that the tree needs is not there.
    """
    body = canonical(entry.body)
    data = body.encode()
    if len(data) > MOST_ENTRY_BYTES:
        raise InputError(
            "the entry would have %(size)s bytes, and no more than %(most)s fit; shorten it",
            size=len(data),
            most=MOST_ENTRY_BYTES,
        )
    if edge is None:
        edge = tree.edge_of(connection, batch_id, entry.sequence)
    connection.execute(
        "insert into entry (key, body, nodes, identifier, payload, nonce)"
        " values (?, ?, ?, ?, ?, ?)",
        (
            key_of(batch_id, entry.sequence),
            body,
            edge.append(leaf_hash(data)),
            entry.identifier or None,
            entry.payload or None,
            entry.nonce,
        ),
    )


def count_piece(
    connection: sqlite3.Connection, batch_id: int, identifier: str, piece: int, sequence: int
) -> None:
    """Mark one expected piece as counted; the primary key refuses a second time."""
    connection.execute(
        "insert into piece (identifier, batch_id, piece, sequence) values (?, ?, ?, ?)",
        (identifier, batch_id, piece, sequence),
    )


def uncount_piece(
    connection: sqlite3.Connection, batch_id: int, identifier: str, sequence: int
) -> bool:
    """Take back the piece that an entry counted; False when it was not counted any more."""
    cursor = connection.execute(
        "delete from piece where identifier = ? and batch_id = ? and sequence = ?",
        (identifier, batch_id, sequence),
    )
    return cursor.rowcount == 1


def keep_tally(
    connection: sqlite3.Connection, batch_id: int, rows: list[TallyRow], through: int
) -> None:
    """Keep the tally of all entries up to sequence `through`, so that few are left to fold."""
    connection.execute("delete from tally where batch_id = ?", (batch_id,))
    connection.executemany(
        "insert into tally values (?, ?, ?, ?, ?, ?)", [(batch_id, *row) for row in rows]
    )
    connection.execute(
        "insert or replace into tallied (batch_id, sequence) values (?, ?)", (batch_id, through)
    )


def pieces_of(
    connection: sqlite3.Connection, identifier: str, batch_id: int
) -> list[tuple[int, str, CountedPiece]]:
    """Return every counted piece of an identifier: (batch id, state, piece).

    Those of the batch itself and of other real ones; a rehearsal knows of no other batch.
    """
    rows = connection.execute(
        "select piece.batch_id, state, slug, piece, sequence from piece"
        " join batch on batch.id = piece.batch_id where identifier = ?1"
        " and (batch.id = ?2 or not (is_rehearsal"
        " or (select is_rehearsal from batch where id = ?2)))",
        (identifier, batch_id),
    ).fetchall()
    if not rows:
        return []
    # Sorted here, because SQLite would prepare to sort for every card that has no piece at all.
    rows.sort(key=lambda row: (row[0], row[4]))
    return [
        (batch_id, state, CountedPiece(batch=slug, piece=piece, sequence=sequence))
        for batch_id, state, slug, piece, sequence in rows
    ]


def sequence_of_nonce(connection: sqlite3.Connection, batch_id: int, nonce: str) -> int | None:
    """Return the entry that a page's nonce already made."""
    row = connection.execute(
        "select sequence from entry where batch_id = ? and nonce = ?", (batch_id, nonce)
    ).fetchone()
    return None if row is None else int(row[0])


def next_sequence(connection: sqlite3.Connection, batch_id: int) -> int:
    """Return the sequence number of the next entry; the first one is 0."""
    (newest,) = connection.execute(
        f"select max(key) from entry where {IN_SPAN}",  # noqa: S608 - ours
        span_of(batch_id),
    ).fetchone()
    return 0 if newest is None else int(newest) - key_of(batch_id, 0) + 1


def entries(
    connection: sqlite3.Connection, batch_id: int, *, since: int = 0, limit: int = -1
) -> Iterator[StoredEntry]:
    """Yield entries in order from sequence `since`, reading as it goes; -1 is no limit."""
    rows = connection.execute(
        f"select sequence, body, identifier, payload from entry where {IN_SPAN}"  # noqa: S608 - ours
        " order by key limit :limit",
        span_of(batch_id, first=since) | {"limit": limit},
    )
    for sequence, body, identifier, payload in rows:
        yield StoredEntry(
            sequence=sequence,
            body=json.loads(body),
            identifier=identifier or "",
            payload=payload or b"",
        )


def entry(connection: sqlite3.Connection, batch_id: int, sequence: int) -> StoredEntry | None:
    """Return one entry, or None."""
    found = next(entries(connection, batch_id, since=sequence, limit=1), None)
    return found if found is not None and found.sequence == sequence else None


def last_counted(
    connection: sqlite3.Connection, batch_id: int, *, within: int = 1000
) -> int | None:
    """Return the newest entry that is counted now, looking back over `within` entries."""
    row = connection.execute(
        f"select sequence from entry where {IN_SPAN} and {_IS_COUNTED_NOW}"  # noqa: S608 - ours
        " and body ->> 'verdict' = 'counted' order by key desc limit 1",
        span_of(batch_id, first=max(0, next_sequence(connection, batch_id) - within)),
    ).fetchone()
    return None if row is None else int(row[0])


def counted_around(
    connection: sqlite3.Connection, batch_id: int, sequence: int, *, within: int = 1000
) -> tuple[int | None, int | None]:
    """Return the entries nearest before and after one that are counted now, `within` at most."""

    def nearest(first: int, last: int, order: str) -> int | None:
        row = connection.execute(
            f"select sequence from entry where {IN_SPAN}"  # noqa: S608  # asc or desc
            f" and body ->> 'verdict' = 'counted' and {_IS_COUNTED_NOW}"
            f" order by key {order} limit 1",
            span_of(batch_id, first=max(0, first), last=last),
        ).fetchone()
        return None if row is None else int(row[0])

    return (
        nearest(sequence - within, sequence - 1, "desc"),
        nearest(sequence + 1, sequence + within, "asc"),
    )


def counted_over_time(
    connection: sqlite3.Connection, batch_id: int, after: int
) -> list[tuple[str, str, str, int]]:
    """Return (ten seconds, first time, last time, cards counted less taken back) after an entry.

    Only when something was counted or taken back, in no order. The times are as
    entries write them.
    """
    rows = connection.execute(
        "with newer as materialized (select body ->> 'at' as at,"  # noqa: S608 - ours
        " (body ->> 'verdict' is 'counted')"
        " - (body ->> 'kind' = 'void' and body ->> 'takes_back' is null) as change"
        f" from entry where {IN_SPAN})"
        " select substr(at, 1, 18), min(at), max(at), sum(change) from newer where change <> 0"
        " group by 1",
        span_of(batch_id, first=after + 1),
    )
    return list(rows)


def tally_rows(connection: sqlite3.Connection, batch_id: int) -> list[TallyRow]:
    """Return the kept tally and, after it, what the newer entries add; a key may come twice."""
    found = connection.execute(
        "select sequence from tallied where batch_id = ?", (batch_id,)
    ).fetchone()
    if found is None:
        return _fold(connection, batch_id, after=-1)
    kept = connection.execute(
        "select verdict, category, district, total, manual from tally where batch_id = ?",
        (batch_id,),
    )
    return [*kept, *_fold(connection, batch_id, after=found[0])]


_FOLD_TALLY = f"""
with newer as materialized (
    select body ->> 'kind' as kind, body ->> 'verdict' as verdict, body ->> 'target' as target,
        coalesce(body ->> 'category', '') as category,
        coalesce(body ->> 'district', '') as district
    from entry where {IN_SPAN})
select verdict, category, district, count(*), sum(kind = 'manual') from newer
where verdict = '{Verdict.COUNTED}' group by 1, 2, 3
union all
select verdict, '', '', count(*), 0 from newer where verdict <> '{Verdict.COUNTED}' group by 1
union all
select '{VOIDED}', '', '', count(*), 0 from newer where kind = 'void' having count(*) > 0
union all
select case kind when 'add' then '{ADDED}' else '{UNIDENTIFIED}' end, category, district,
    count(*), 0 from newer where kind in ('add', 'unidentified') group by 1, 2, 3
union all
select case body ->> 'kind' when 'add' then '{ADDED}' when 'unidentified' then '{UNIDENTIFIED}'
        else '{Verdict.COUNTED}' end,
    coalesce(body ->> 'category', ''), coalesce(body ->> 'district', ''),
    -count(*), -sum(body ->> 'kind' = 'manual')
from newer join entry on entry.key = :begin + target
where kind = 'void' group by 1, 2, 3
"""  # noqa: S608 - the values are our own constants

_FOLD_PIECES = f"""
create temp table folded as
select identifier, batch_id, body ->> 'piece' as piece, sequence
from entry where {IN_SPAN} and identifier is not null
    and (body ->> 'verdict' = '{Verdict.COUNTED}' or body ->> 'kind' = 'add')
    and sequence not in (select body ->> 'target' from entry
        where {IN_SPAN} and body ->> 'kind' = 'void')
"""  # noqa: S608 - the values are our own constants


def _fold(connection: sqlite3.Connection, batch_id: int, *, after: int) -> list[TallyRow]:
    newer = span_of(batch_id, first=after + 1) | {"begin": key_of(batch_id, 0)}
    return list(connection.execute(_FOLD_TALLY, newer))


def rebuild(connection: sqlite3.Connection, batch_id: int) -> bool:
    """Fold the log again and make tally and pieces agree with it; True if they already did."""
    kept = _added_up(tally_rows(connection, batch_id))
    rows = _added_up(_fold(connection, batch_id, after=-1))
    connection.execute("drop table if exists temp.folded")
    connection.execute(_FOLD_PIECES, span_of(batch_id))
    agree = rows == kept and _pieces_agree(connection, batch_id)
    if not agree:
        connection.execute("delete from piece where batch_id = ?", (batch_id,))
        connection.execute("insert into piece select * from folded")
    keep_tally(connection, batch_id, rows, next_sequence(connection, batch_id) - 1)
    connection.execute("drop table temp.folded")
    return agree


def _added_up(rows: list[TallyRow]) -> list[TallyRow]:
    return Tally.of((), rows).as_rows()


def _pieces_agree(connection: sqlite3.Connection, batch_id: int) -> bool:
    kept = "select identifier, batch_id, piece, sequence from piece where batch_id = ?"
    folded = "select identifier, batch_id, piece, sequence from folded"
    for query in (f"{kept} except {folded}", f"{folded} except {kept}"):
        if connection.execute(query + " limit 1", (batch_id,)).fetchone():
            return False
    return True
