"""What stands in a log beside plain counted cards, found without reading the whole log.

Every function takes a connection inside the caller's transaction; none commits.
"""

import json
from collections.abc import Iterable, Iterator
from sqlite3 import Connection
from typing import Final

from scanner_station.domain.declared import Declared
from scanner_station.domain.entry import Body, Kind
from scanner_station.storage.entry_key import IN_SPAN, span_of
from scanner_station.storage.scan_log import StoredEntry

OF_CONTAINERS: Final = (Kind.CONTAINER_OPEN, Kind.CONTAINER_SEAL, Kind.CONTAINER_BREAK)

_REMARKABLE: Final = (
    "(body ->> 'kind' is not 'scan' or body ->> 'verdict' is not 'counted'"
    " or body ->> 'earlier_batch' is not null)"
)

# Named, because SQLite would rather read the whole log: 80 times slower with 5,000 cards.
_OF_REMARKABLE: Final = "entry indexed by entry_remarkable"


def bodies(connection: Connection, batch_id: int, kinds: Iterable[Kind]) -> Iterator[Body]:
    """Yield the bodies of all entries of some kinds (none of them `scan`) in order."""
    wanted = json.dumps(list(kinds))
    found = connection.execute(
        f"select body from {_OF_REMARKABLE} where batch_id = ?"  # noqa: S608 - constants of ours
        f" and body ->> 'kind' in (select value from json_each(?)) and {_REMARKABLE}"
        " order by sequence",
        (batch_id, wanted),
    )
    for (body,) in found:
        yield json.loads(body)


def remarkable(connection: Connection, batch_id: int) -> Iterator[StoredEntry]:
    """Yield every entry that is not simply one more counted card, in order, without payloads."""
    found = connection.execute(
        f"select sequence, body, identifier from {_OF_REMARKABLE}"  # noqa: S608 - constants of ours
        f" where batch_id = ? and {_REMARKABLE} order by sequence",
        (batch_id,),
    )
    for sequence, body, identifier in found:
        yield StoredEntry(
            sequence=sequence, body=json.loads(body), identifier=identifier or "", payload=b""
        )


def cards_since(connection: Connection, batch_id: int, sequence: int) -> int:
    """Return how many cards that entries after `sequence` put to the tally stand now."""
    row = connection.execute(
        f"select (select count(*) from entry where {IN_SPAN}"  # noqa: S608 - ours
        " and (body ->> 'verdict' = 'counted' or body ->> 'kind' in ('add', 'unidentified')))"
        f" - (select count(*) from entry where {IN_SPAN}"
        " and body ->> 'kind' = 'void' and body ->> 'target' > :since)",
        span_of(batch_id, first=sequence + 1) | {"since": sequence},
    ).fetchone()
    return int(row[0])


def settled_by(connection: Connection, batch_id: int, sequence: int) -> int | None:
    """Return the first entry after an unreadable one that put a card to the tally, or None."""
    row = connection.execute(
        f"select sequence from entry where {IN_SPAN}"  # noqa: S608 - ours
        " and (body ->> 'verdict' = 'counted' or body ->> 'kind' = 'unidentified')"
        " order by key limit 1",
        span_of(batch_id, first=sequence + 1),
    ).fetchone()
    return None if row is None else int(row[0])


def keep_photograph(connection: Connection, batch_id: int, sequence: int, picture: bytes) -> None:
    """Keep the picture that belongs to an entry."""
    connection.execute("insert into photograph values (?, ?, ?)", (batch_id, sequence, picture))


def photograph(connection: Connection, batch_id: int, sequence: int) -> bytes | None:
    """Return the picture that belongs to an entry, or None."""
    row = connection.execute(
        "select picture from photograph where batch_id = ? and sequence = ?", (batch_id, sequence)
    ).fetchone()
    return None if row is None else bytes(row[0])


def declared(connection: Connection, batch_id: int) -> Declared:
    """Return the figures that are stated for a batch now."""
    found = Declared()
    for axis, name, total in connection.execute(
        "select axis, name, total from declared_figure where batch_id = ? order by axis, name",
        (batch_id,),
    ):
        match axis:
            case "category":
                found.by_category[name] = total
            case "district":
                found.by_district[name] = total
            case _:
                found.total = total
    return found


def set_declared(connection: Connection, batch_id: int, figures: Declared) -> None:
    """Replace the figures that are stated for a batch."""
    connection.execute("delete from declared_figure where batch_id = ?", (batch_id,))
    rows = [("category", name, total) for name, total in figures.by_category.items()]
    rows += [("district", name, total) for name, total in figures.by_district.items()]
    if figures.total is not None:
        rows.append(("total", "", figures.total))
    connection.executemany(
        "insert into declared_figure values (?, ?, ?, ?)", [(batch_id, *row) for row in rows]
    )
