"""What is shown at the table: containers, who must look again, a number before it counts."""

from sqlite3 import Connection

from scanner_station.domain.counter import Verdict, judge
from scanner_station.domain.findings import ByHand
from scanner_station.domain.identifier import Unreadable, masked
from scanner_station.domain.manifest import Listed, ManifestLine
from scanner_station.service.counter import known_of, line_of, load_tally, require_batch
from scanner_station.service.delivery import nearest_line
from scanner_station.service.reconciliation import findings_of, strangers_of
from scanner_station.service.reconciliation_json import custody_as_json
from scanner_station.service.views import Json, name_on_manifest, summary


def table(connection: Connection, slug: str) -> Json:
    """Return what the table's page shows of a batch; every identifier is masked.

    `waiting` are the typed and unidentified cards that a second person has to look at, `strangers`
    those that may be added to the count, `opened` what the zero report said (None before it).

    Raises:
        BatchError: there is no such batch.
    """
    batch = require_batch(connection, slug)
    findings = findings_of(connection, batch)
    tally = load_tally(connection, batch)
    by_hand = [*findings.typed.values(), *findings.unidentified.values()]
    first = findings.custody.days[0] if findings.custody.days else None
    return {
        "batch": summary(connection, slug),
        "opened": first
        and {
            "at": first.resumed_at,
            "counted": first.opening_figure,
            "expected": tally.expected_total,
        },
        "waiting": [_waiting(connection, slug, one) for one in by_hand if not one.agreed_by],
        "strangers": [
            {
                "sequence": one.first,
                "identifier": masked(one.identifier) if one.identifier else "",
                "at": one.at,
                "earlier_batch": one.earlier_batch,
                "is_explained": one.explained_by is not None,
            }
            for one in strangers_of(connection, batch, findings)
        ],
        "categories": sorted({category for category, _ in tally.expected if category}),
        "districts": sorted({district for _, district in tally.expected if district}),
    } | custody_as_json(findings.custody)


def _waiting(connection: Connection, slug: str, one: ByHand) -> Json:
    return {
        "sequence": one.sequence,
        "number": one.number,
        "identifier": masked(one.identifier) if one.identifier else "",
        "name": name_on_manifest(connection, slug, one.identifier),
        "at": one.at,
        "by": one.by,
        "category": one.category,
        "district": one.district,
        "has_photograph": one.has_photograph,
    }


def look_up(connection: Connection, slug: str, payload: bytes) -> Json:
    """Return what the manifest says of a typed number before it is counted; writes nothing.

    `near` is the one line that is a digit away from a number that nobody listed.

    Raises:
        BatchError: there is no such batch.
    """
    batch = require_batch(connection, slug)
    identified = batch.schemes.identify(payload)
    if isinstance(identified, Unreadable):
        return {"verdict": Verdict.UNREADABLE, "reason": identified.reason}
    line = line_of(connection, batch, identified.identifier)
    known = known_of(connection, batch, identified.identifier, line)
    near = None if line else nearest_line(connection, batch, payload)
    return {
        "verdict": judge(identified.scheme, known).verdict,
        "identifier": identified.identifier,
        "masked": masked(identified.identifier),
        "address": line.address if line else "",
        **_said_of(line),
        "near": {"identifier": near.identifier, **_said_of(near)} if near else None,
    }


def _said_of(line: ManifestLine | Listed | None) -> Json:
    return {
        "name": line.name if line else "",
        "category": line.category if line else "",
        "district": line.district if line else "",
    }
