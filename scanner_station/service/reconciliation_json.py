"""A reconciliation as JSON, as `reconcile --json` prints it and the interface gives it."""

from collections.abc import Iterable
from dataclasses import asdict

from scanner_station.domain.custody import Custody
from scanner_station.domain.findings import ByHand, Explanation, Missing, Stranger
from scanner_station.domain.identifier import masked
from scanner_station.domain.reconciliation import Difference, Reconciliation, State

Json = dict[str, object]


def as_json(found: Reconciliation, hindrances: Iterable[str] = ()) -> Json:
    """Return the whole reconciliation with stable keys; every list is complete.

    Identifiers are masked. `hindrances`: sentences on what else stands in the way of sealing.
    """
    findings = found.findings
    return {
        "slug": found.slug,
        "title": found.title,
        "state": found.state,
        "supplements": found.supplements,
        "rehearsal": found.is_rehearsal,
        "has_manifest": found.has_manifest,
        "is_forgotten": found.is_forgotten,
        "complete": found.is_complete,
        "totals": found.total.as_json()
        | {
            "strangers": len(found.strangers),
            "unreadable": len(findings.unreadable),
            "voided": len(findings.voids),
            "already_counted": findings.repeats,
            "earlier": len(findings.earlier),
        },
        "by_category": {name: row.as_json() for name, row in found.by("category").items()},
        "by_district": {name: row.as_json() for name, row in found.by("district").items()},
        "table": [
            {"category": category, "district": district} | row.as_json()
            for (category, district), row in sorted(found.table.items())
        ],
        "declared": found.declared.as_json(),
        "statements": [
            {"sequence": one.sequence, "at": one.at, "by": one.by, "reason": one.reason}
            | one.figures.as_json()
            for one in findings.declared
        ],
        "differences": [_difference(one) for one in found.differences],
        "missing": [_missing(one) for one in found.missing],
        "strangers": [_stranger(one) for one in found.strangers],
        "unreadable": [asdict(one) for one in findings.unreadable],
        "voids": [asdict(one) for one in findings.voids],
        "manual": [_by_hand(one) for one in findings.typed.values()],
        "added": [_by_hand(one) for one in findings.added.values()],
        "unidentified": [_by_hand(one) for one in findings.unidentified.values()],
        "earlier": [
            asdict(one) | {"identifier": _masked(one.identifier)}
            for one in findings.earlier.values()
        ],
        "explanations": [_explanation(one) for one in findings.explanations],
        "hindrances": list(hindrances),
    } | custody_as_json(findings.custody)


def custody_as_json(custody: Custody) -> Json:
    """Return the chain of custody with stable keys."""
    return {
        "containers": [asdict(one) for one in custody.containers.values()],
        "days": [asdict(one) for one in custody.days],
        "lots": [asdict(one) for one in custody.lots],
        "waiting_for_a_second_person": len(custody.typed),
        "objections": [asdict(one) for one in custody.objections.values()],
        "refusals": [asdict(one) for one in custody.refusals],
        "notes": [asdict(one) for one in custody.notes],
        "burning": asdict(custody.burning) if custody.burning else None,
    }


def _difference(one: Difference) -> Json:
    return {
        "what": one.what,
        "category": one.category,
        "district": one.district,
        "manifest": one.manifest,
        "counted": one.counted,
        "burned": one.burned,
        "declared": one.declared,
        "axis": one.axis,
        "difference": one.difference,
        "open": one.open,
        "state": one.state,
        "explained_by": list(one.explained_by),
    }


def _missing(one: Missing) -> Json:
    return {
        "identifier": _masked(one.line.identifier),
        "name": one.line.name,
        "category": one.line.category,
        "district": one.line.district,
        "line": one.line.line,
        "pieces": one.lacking,
        "state": _state(one.explained_by),
        "explained_by": one.explained_by,
    }


def _stranger(one: Stranger) -> Json:
    return {
        "identifier": _masked(one.identifier),
        "sequence": one.first,
        "at": one.at,
        "presentations": one.presentations,
        "earlier_batch": one.earlier_batch,
        "state": _state(one.explained_by),
        "explained_by": one.explained_by,
    }


def _by_hand(one: ByHand) -> Json:
    return asdict(one) | {"identifier": _masked(one.identifier)}


def _explanation(one: Explanation) -> Json:
    return {
        "sequence": one.sequence,
        "at": one.at,
        "what": one.what,
        "category": one.category,
        "district": one.district,
        "number": one.number,
        "reason": one.reason,
        "by": one.by,
        "seconded_by": one.seconded_by,
    }


def _state(explained_by: int | None) -> State:
    return State.OPEN if explained_by is None else State.EXPLAINED


def _masked(identifier: str) -> str:
    return masked(identifier) if identifier else ""
