"""The shape of every kind of entry: what must stand in it, what may, and how it is written.

`SHAPES` is the one place that says so. `verify` holds every entry of a log against it, and the
tests every entry that a station writes. What an entry says must also fit what stands before it:
that is for `log_audit` and `custody`.
"""

from collections.abc import KeysView
from typing import Final, NamedTuple, NoReturn

from scanner_station.domain.counter import Verdict
from scanner_station.domain.custody_records import Form as ContainerForm
from scanner_station.domain.entry import Body, Kind
from scanner_station.domain.entry_forms import (
    CARD,
    CARDS,
    COUNT,
    DAY,
    FIGURES,
    KEY,
    MOMENT,
    NONE,
    NOWHERE,
    NUMBER,
    ONE,
    PLACE,
    SCHEMES,
    SHA256,
    SHA256_OR_NONE,
    SHORT,
    TEXT,
    TEXT_OR_NONE,
    TOTALS,
    WORD,
    Form,
    one_of,
)
from scanner_station.domain.errors import VerificationError
from scanner_station.domain.findings import What
from scanner_station.domain.identifier import Reason
from scanner_station.domain.reading import Symbology
from scanner_station.domain.tally import ADDED, UNIDENTIFIED

Forms = dict[str, Form]


class Shape(NamedTuple):
    """What stands in an entry: how each value is written, and what must be there.

    `together`: of each of these groups all is there, or nothing.
    """

    forms: Forms
    needed: frozenset[str]
    together: tuple[frozenset[str], ...]


_ALL: Final[Forms] = {
    "at": MOMENT,
    "batch": SHORT,
    "by": TEXT,
    "kind": WORD,
    "sequence": COUNT,
    "station": SHORT,
}
_TWO: Final[Forms] = {"seconded_by": TEXT, "reason": TEXT}
_PLACED: Final[Forms] = {"card": CARD, "category": PLACE, "district": PLACE}
_SAID: Final[Forms] = {"witness": TEXT, "institution": TEXT_OR_NONE}
_DECLARED: Final[tuple[Forms, ...]] = (
    {"declared_total": COUNT},
    {"declared_by_category": TOTALS},
    {"declared_by_district": TOTALS},
)
_EARLIER: Final[Forms] = {"earlier_batch": SHORT, "earlier_sequence": COUNT}
_READ: Final[Forms] = {
    "reader": SHORT,
    "symbology": one_of(*Symbology),
    "verdict": WORD,
}
_VOID: Final[Forms] = {"category": PLACE, "district": PLACE, "reason": TEXT, "target": COUNT}
_EXPLAIN: Final[Forms] = _TWO | {"number": NUMBER, "what": WORD}
_OF_PLACE: Final[tuple[Forms, ...]] = ({"category": PLACE}, {"district": PLACE})


def _shape(needed: Forms, *may: Forms) -> Shape:
    forms = _ALL | needed
    for group in may:
        forms |= group
    together = tuple(frozenset(group) for group in may if len(group) > 1)
    return Shape(forms, frozenset(_ALL | needed), together)


def _presented(kind: Kind, *may: Forms) -> dict[str, Shape]:
    first: Forms = {"first_batch": SHORT, "first_sequence": COUNT}
    strange: Forms = {"card": CARD, "category": NOWHERE, "district": NOWHERE}
    repeats, reason = _READ | _PLACED | first, {"reason": one_of(*Reason)}
    return {
        f"{kind} {Verdict.COUNTED}": _shape(_READ | _PLACED | {"piece": NUMBER}, _EARLIER, *may),
        f"{kind} {Verdict.ALREADY_COUNTED}": _shape(repeats, {"sealed_container": NUMBER}, *may),
        f"{kind} {Verdict.NOT_ON_MANIFEST}": _shape(_READ | strange, _EARLIER, *may),
        f"{kind} {Verdict.UNREADABLE}": _shape(_READ | reason, *may),
    }


SHAPES: Final[dict[str, Shape]] = {
    Kind.OPEN: _shape(
        {
            "expected": COUNT,
            "expected_by_category": TOTALS,
            "manifest_sha256": SHA256_OR_NONE,
            "nonce": TEXT_OR_NONE,
            "schemes": SCHEMES,
            "software": TEXT,
            "sqlite": TEXT,
            "title": TEXT,
        },
        {"counted": NONE},  # the first versions did not write it
        {"held_on": DAY},
        {"office": TEXT},
        {"place": TEXT},
        {"rehearsal": ONE},
        {"supplements": SHORT, "supplements_root": CARD, "supplements_size": NUMBER},
        *_DECLARED,
    ),
    **_presented(Kind.SCAN),
    **_presented(Kind.MANUAL, {"photograph": SHA256}),
    Kind.VOID: _shape(_VOID | {"card": CARD}),
    f"{Kind.VOID} {ADDED}": _shape(_VOID | {"card": CARD, "takes_back": WORD}),
    f"{Kind.VOID} {UNIDENTIFIED}": _shape(_VOID | {"takes_back": WORD}),
    Kind.ADD: _shape(_TWO | _PLACED | {"category": TEXT, "piece": ONE, "target": COUNT}),
    Kind.UNIDENTIFIED: _shape(
        {"category": TEXT_OR_NONE, "number": NUMBER}, {"reason": TEXT}, {"photograph": SHA256}
    ),
    Kind.AGREE: _shape({"number": NUMBER}),
    Kind.CONTAINER_OPEN: _shape(
        {"form": one_of(*ContainerForm), "label": TEXT_OR_NONE, "number": NUMBER}
    ),
    Kind.CONTAINER_SEAL: _shape({"counted": COUNT, "number": NUMBER, "seal_number": TEXT}),
    Kind.CONTAINER_BREAK: _shape(_TWO | {"number": NUMBER}),
    Kind.LOT: _shape({"lot": TEXT}),
    Kind.PAUSE: _shape({"figure": COUNT}),
    Kind.RESUME: _shape({"figure": COUNT}),
    Kind.DECLARE: _shape({}, {"reason": TEXT}, *_DECLARED),
    f"{Kind.EXPLAIN} {What.MISSING}": _shape(_EXPLAIN, {"cards": CARDS}, *_OF_PLACE),
    f"{Kind.EXPLAIN} {What.STRANGERS}": _shape(_EXPLAIN, {"cards": CARDS}),
    f"{Kind.EXPLAIN} {What.DECLARED}": _shape(_EXPLAIN | {"figures": FIGURES}, *_OF_PLACE),
    f"{Kind.EXPLAIN} {What.PARTS}": _shape(_EXPLAIN | {"figures": FIGURES}),
    Kind.WITNESS: _shape({"key": KEY, "witness": TEXT}),
    Kind.NOTE: _shape({"reason": TEXT}, _SAID),
    Kind.OBJECT: _shape(_SAID | {"objection": TEXT}),
    Kind.ANSWER: _shape({"answer": TEXT, "target": COUNT}),
    Kind.REFUSE: _shape(_SAID | {"objection": TEXT}),
    Kind.SEAL: _shape(
        {
            "added": COUNT,
            "already_counted": COUNT,
            "burned": COUNT,
            "counted": COUNT,
            "counted_by_category": TOTALS,
            "expected": COUNT,
            "missing": COUNT,
            "not_on_manifest": COUNT,
            "seconded_by": TEXT,
            "unidentified": COUNT,
            "unreadable": COUNT,
            "voided": COUNT,
        }
    ),
    Kind.CANCEL: _shape(_TWO, {"rehearsal": ONE}),
    Kind.BURN: _shape({"burned_at": MOMENT, "method": TEXT, "present": TEXT}),
}
"""By the kind of an entry and, where it says so, by its verdict, what it explains or takes back."""

_SAYS_MORE: Final = {
    Kind.SCAN: "verdict",
    Kind.MANUAL: "verdict",
    Kind.VOID: "takes_back",
    Kind.EXPLAIN: "what",
}


def check_shape(body: Body, kind: Kind) -> None:
    """Hold an entry of a kind against its shape.

    Raises:
        VerificationError: something is missing, has no place there, or is written otherwise; the
            first such key in the order of the entry.
    """
    shape = SHAPES.get(shape_of(body, kind))
    if shape is None:
        _refuse("its %(name)s is missing, or none that there is", _SAYS_MORE[kind])
    forms = shape.forms
    for name, value in body.items():
        form = forms.get(name)
        if form is None:
            _refuse(
                "it holds %(name)s, which has no place in such an entry (a newer version of this "
                "program may know it)",
                name,
            )
        if not form.fits(value):
            _refuse("its %(name)s is not %(form)s", name, form=form.name)
    _require_whole(body.keys(), shape)


def _require_whole(names: KeysView[str], shape: Shape) -> None:
    if not names >= shape.needed:
        _refuse("it has no %(name)s", min(shape.needed - names))
    if len(names) == len(shape.needed):
        return
    for group in shape.together:
        missing = group - names
        if missing and missing != group:
            _refuse("it has no %(name)s", min(missing))


def shape_of(body: Body, kind: Kind) -> str:
    """Return under which name the shape of an entry would stand in `SHAPES`."""
    more = body.get(_SAYS_MORE.get(kind, ""))
    return kind if more is None else f"{kind} {more}"


def _refuse(why: str, name: str, **values: object) -> NoReturn:
    # In quotes, so that a key is never taken for a word and translated.
    raise VerificationError(why, name=f'"{name[:40]}"', **values)
