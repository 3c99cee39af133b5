"""What has a time between two others: entries, signed heads, lines of the record. Only reads."""

import json
from collections.abc import Iterator
from sqlite3 import Connection

from scanner_station.domain.people import StationEvent
from scanner_station.storage.entry_key import IN_SPAN, span_of
from scanner_station.storage.scan_log import StoredEntry


def entries(connection: Connection, batch_id: int, start: str, end: str) -> Iterator[StoredEntry]:
    """Yield a batch's entries of a time in the order of the log, without payloads.

    The whole log is looked through: order comes from the sequence, never from the clock.
    """
    found = connection.execute(
        f"select sequence, body, identifier from entry where {IN_SPAN}"  # noqa: S608 - ours
        " and body ->> 'at' >= :start and body ->> 'at' < :end order by key",
        span_of(batch_id) | {"start": start, "end": end},
    )
    for sequence, body, identifier in found:
        yield StoredEntry(
            sequence=sequence, body=json.loads(body), identifier=identifier or "", payload=b""
        )


def heads(
    connection: Connection, batch_id: int, start: str, end: str
) -> tuple[int, list[tuple[str, int, str]]]:
    """Return how many heads were signed, and each cosignature as (name, size, received at)."""
    window = (batch_id, start, end)
    signed = connection.execute(
        "select count(*) from checkpoint where batch_id = ? and signed_at >= ? and signed_at < ?",
        window,
    ).fetchone()[0]
    cosigned = connection.execute(
        "select name, size, received_at from cosignature"
        " where batch_id = ? and received_at >= ? and received_at < ? order by received_at",
        window,
    ).fetchall()
    return int(signed), cosigned


def record(connection: Connection, start: str, end: str) -> list[StationEvent]:
    """Return the lines of the station's record of a time, in the order they were written."""
    rows = connection.execute(
        "select at, by, what, about from station_event where at >= ? and at < ? order by id",
        (start, end),
    )
    return [StationEvent(at=at, by=by, what=what, about=about) for at, by, what, about in rows]
