"""What happened on one day: counts, who scanned when, what was taken back, set aside or said.

All of it is folded from the logs and the record when it is asked for; nothing is kept for it.
"""

from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time, timedelta
from sqlite3 import Connection
from typing import Final
from zoneinfo import ZoneInfo

from scanner_station.domain.counter import Verdict
from scanner_station.domain.entry import Body, Kind, parse_timestamp, timestamp
from scanner_station.domain.identifier import masked
from scanner_station.domain.tally import ADDED, UNIDENTIFIED, VOIDED, counted_as
from scanner_station.service.spot_check import NOTE
from scanner_station.service.views import Json
from scanner_station.storage import batches
from scanner_station.storage import day as rows
from scanner_station.storage.batches import Batch
from scanner_station.storage.scan_log import StoredEntry

PAUSE: Final = timedelta(minutes=15)
"""Who shows no card for so long has ended a session; the next card begins another."""

_OF_CARDS: Final = frozenset({Kind.SCAN, Kind.MANUAL, Kind.ADD, Kind.UNIDENTIFIED})
_MANUAL: Final = "manual"
_COUNTS: Final = (*Verdict, _MANUAL, ADDED, UNIDENTIFIED, VOIDED)


@dataclass(slots=True)
class _Session:
    """One person's cards without a long pause: how many were shown, and how many counted."""

    by: str
    since: str
    until: str
    shown: int = 0
    counted: int = 0


@dataclass(slots=True)
class _Day:
    """One batch's entries of the day."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(map(str, _COUNTS), 0))
    sessions: list[_Session] = field(default_factory=list)
    voids: list[Json] = field(default_factory=list)
    strangers: list[Json] = field(default_factory=list)
    said: list[Json] = field(default_factory=list)
    done: list[Json] = field(default_factory=list)
    spot_checks: int = 0

    def take(self, entry: StoredEntry) -> None:
        """Take in the next entry."""
        body = entry.body
        kind = Kind(str(body["kind"]))
        if kind in _OF_CARDS:
            self._card(body, kind)
        if body.get("verdict") == Verdict.NOT_ON_MANIFEST:
            seen = masked(entry.identifier) if entry.identifier else ""
            self.strangers.append(_who(body) | {"masked": seen})
        if kind is Kind.VOID:
            self.counts[VOIDED] += 1
            self.voids.append(_who(body) | {"target": body["target"], "reason": body["reason"]})
        elif kind is Kind.NOTE and str(body.get("reason", "")).startswith(NOTE):
            self.spot_checks += 1
        elif kind in (Kind.OBJECT, Kind.ANSWER, Kind.REFUSE, Kind.NOTE):
            said = body.get("objection") or body.get("answer") or body.get("reason", "")
            self.said.append(
                _who(body)
                | {"kind": kind, "text": said, "target": body.get("target")}
                | {"witness": body.get("witness", "")}
            )
        elif kind not in _OF_CARDS:
            self.done.append(_who(body) | {"kind": kind, "number": body.get("number")})

    def _card(self, body: Body, kind: Kind) -> None:
        what = counted_as(body) or str(body["verdict"])
        self.counts[what] += 1
        if kind is Kind.MANUAL and what == Verdict.COUNTED:
            self.counts[_MANUAL] += 1
        session = self._session(str(body["by"]), str(body["at"]))
        session.until = str(body["at"])
        session.shown += 1
        session.counted += bool(counted_as(body))

    def _session(self, by: str, at: str) -> _Session:
        known = next((one for one in reversed(self.sessions) if one.by == by), None)
        if known is not None and parse_timestamp(at) - parse_timestamp(known.until) < PAUSE:
            return known
        self.sessions.append(_Session(by=by, since=at, until=at))
        return self.sessions[-1]


def day_report(connection: Connection, day: date, zone: ZoneInfo) -> Json:
    """Return what happened between two midnights of a time zone.

    `batches`: those with an entry or a signed head of that day; `record`: what the station's
    record says of people, readers and faults.
    """
    start, end = _bounds(day, zone)
    told = [_of_batch(connection, batch, start, end) for batch in batches.every(connection)]
    return {
        "day": day.isoformat(),
        "batches": [one for one in told if one is not None],
        "record": [asdict(one) for one in rows.record(connection, start, end)],
    }


def _of_batch(connection: Connection, batch: Batch, start: str, end: str) -> Json | None:
    day, entries = _Day(), 0
    for entry in rows.entries(connection, batch.id, start, end):
        day.take(entry)
        entries += 1
    signed, cosigned = rows.heads(connection, batch.id, start, end)
    if not entries and not signed and not cosigned:
        return None
    return {
        "slug": batch.slug,
        "title": batch.title,
        "rehearsal": batch.is_rehearsal,
        "state": batch.state,
        "entries": entries,
        "counts": day.counts,
        "sessions": [asdict(one) for one in sorted(day.sessions, key=lambda one: one.since)],
        "voids": day.voids,
        "strangers": day.strangers,
        "said": day.said,
        "done": day.done,
        "spot_checks": day.spot_checks,
        "heads": signed,
        "cosignatures": [
            {"name": name, "size": size, "at": received_at} for name, size, received_at in cosigned
        ],
    }


def _who(body: Body) -> Json:
    return {"sequence": body["sequence"], "at": body["at"], "by": body["by"]}


def _bounds(day: date, zone: ZoneInfo) -> tuple[str, str]:
    start = datetime.combine(day, time.min, zone)
    # The next midnight of the calendar: a day with a change of the clock is not 24 hours long.
    end = datetime.combine(day + timedelta(days=1), time.min, zone)
    return timestamp(start), timestamp(end)
