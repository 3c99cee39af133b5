"""One table: which roles may use which route. What is not in it is refused to everybody.

A test walks every route and every role against it, and against `docs/security.md`.
"""

from typing import Final

from scanner_station.domain.people import Role

Roles = frozenset[Role]

EVERYBODY: Final = frozenset({*Role})
"""Everybody who is signed in."""
ANYBODY: Final[Roles | None] = None
"""Also who is not: pages that let people in, and what tells nothing."""

_TABLE: Final = frozenset({Role.OFFICER, Role.SUPERVISOR})
_DESK: Final = frozenset({Role.SUPERVISOR})

ACCESS: Final[dict[str, Roles | None]] = {
    "static": ANYBODY,
    # letting people in
    "login.show": ANYBODY,
    "login.sign_in": ANYBODY,
    "login.sign_out": ANYBODY,
    "login.who": ANYBODY,
    "first_start.show": ANYBODY,
    "first_start.begin": ANYBODY,
    "pairing.arrive": ANYBODY,
    "pairing.take": ANYBODY,
    "pairing.show": _TABLE,
    "pairing.issue": _TABLE,
    "pairing.state": _TABLE,
    "certificate.show": ANYBODY,
    "certificate.download": ANYBODY,
    "certificate.renew": _DESK,
    "help.show": ANYBODY,
    "help.of_role": ANYBODY,
    "help.paper": ANYBODY,
    # the officer at the table
    "officer.officer": _TABLE,
    "officer.count": _TABLE,
    "officer.read_picture": _TABLE,
    "officer.void": _TABLE,
    "officer.category": _TABLE,
    "officer.activate": _TABLE,
    "officer.entry": _TABLE,
    "officer.recover": _TABLE,
    "officer.preview": _TABLE,
    "officer.offer": _TABLE,
    # the witness, who changes no count
    "witness.witness": EVERYBODY,
    "witness.events": EVERYBODY,
    "witness.picture": EVERYBODY,
    "witness.progress": EVERYBODY,
    "witness.spot_check": EVERYBODY,
    # the signed heads of the logs
    "heads.show": EVERYBODY,
    "heads.slip": EVERYBODY,
    "heads.newest": EVERYBODY,
    "heads.sign": EVERYBODY,
    "heads.consistency": EVERYBODY,
    "heads.enrol": EVERYBODY,
    "heads.witness_key": EVERYBODY,
    "heads.policy": EVERYBODY,
    "heads.cosign": EVERYBODY,
    "heads.contradict": EVERYBODY,
    "heads.add_nonce": EVERYBODY,
    # the supervisor
    "supervisor.supervisor": _DESK,
    "supervisor.create": _DESK,
    "supervisor.rehearsal_cards": _DESK,
    "supervisor.cancel": _DESK,
    "supervisor.send_manifest": _DESK,
    "supervisor.manifest": _DESK,
    "supervisor.manifest_problems": _DESK,
    "supervisor.import_manifest": _DESK,
    "supervisor.cancel_manifest": _DESK,
    "supervisor.export_log": _DESK,
    "day.show": _DESK,
    "day.report": _DESK,
    "people.show": _DESK,
    "people.everybody": _DESK,
    "people.add": _DESK,
    "people.secret": _DESK,
    "people.active": _DESK,
    "people.office": _DESK,
    # closing a batch
    "closing.show": _DESK,
    "closing.reconciliation": _DESK,
    "closing.chain_of_custody": EVERYBODY,
    "closing.declare": _DESK,
    "closing.explain": _DESK,
    "closing.seal": _DESK,
    "closing.burn": _DESK,
    "closing.object_to": EVERYBODY,
    "closing.note": EVERYBODY,
    "closing.answer": _DESK,
    "closing.refuse": EVERYBODY,
    # totals over many batches
    "recap.show": _DESK,
    "recap.begin": _DESK,
    "recap.send": _DESK,
    "recap.total": _DESK,
    "recap.state": _DESK,
    "recap.download": _DESK,
    "minutes.show": _DESK,
    "minutes.download": _DESK,
    "minutes.particulars": _DESK,
    "minutes.enter": _DESK,
    "custody.show": _TABLE,
    "custody.table": _TABLE,
    "custody.zero_report": _TABLE,
    "custody.open_container": _TABLE,
    "custody.seal_container": _TABLE,
    "custody.break_seal": _TABLE,
    "custody.label": _TABLE,
    "custody.pause": _TABLE,
    "custody.resume": _TABLE,
    "custody.begin_lot": _TABLE,
    "custody.look_up": _TABLE,
    "custody.record_unidentified": _TABLE,
    "custody.add_stranger": _TABLE,
    "custody.agree": _TABLE,
    "custody.photograph": _TABLE,
    # programs
    "api.all_batches": EVERYBODY,
    "api.batch": EVERYBODY,
    "api.station": EVERYBODY,
    "api.openapi": ANYBODY,
    "api.health": ANYBODY,
    "api.metrics": _TABLE,
}

WITNESS_WRITES: Final[frozenset[str]] = frozenset(
    {
        "heads.sign",
        "heads.enrol",
        "heads.cosign",
        "heads.contradict",
        "heads.add_nonce",
        "closing.object_to",
        "closing.note",
        "closing.refuse",
        "witness.spot_check",
    }
)
"""The routes a witness may write to: their own words and questions, never the count."""
