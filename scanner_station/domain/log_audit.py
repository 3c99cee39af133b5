"""What a log must be, entry by entry, to add up to what it states.

How a single entry looks is for `entry_shapes`. What each says about a card is passed on; gathered
by card, that is for `check_card`.
"""

import json
from collections.abc import Callable
from typing import Final, NoReturn

import orjson

from scanner_station.domain.card_audit import CardEvent, What
from scanner_station.domain.counter import Verdict
from scanner_station.domain.custody import Custody
from scanner_station.domain.declared import Declared
from scanner_station.domain.entry import Body, Kind, canonical, totals_text
from scanner_station.domain.entry_shapes import check_shape
from scanner_station.domain.errors import InputError, VerificationError
from scanner_station.domain.findings import What as Difference
from scanner_station.domain.findings import figures_of
from scanner_station.domain.identifier import Scheme
from scanner_station.domain.note import SignatureType, VerifierKey
from scanner_station.domain.tally import ADDED, UNIDENTIFIED, VOIDED, Tally

_WHAT: Final = {
    Verdict.COUNTED: What.COUNTED,
    Verdict.ALREADY_COUNTED: What.ALREADY_COUNTED,
    Verdict.NOT_ON_MANIFEST: What.NOT_ON_MANIFEST,
}
STATING: Final = frozenset({Kind.SEAL, Kind.PAUSE, Kind.RESUME, Kind.CONTAINER_SEAL, Kind.EXPLAIN})
"""The kinds whose entries state figures, which the audit counts again."""
_PLAIN: Final = frozenset({int, str})
_KINDS: Final[dict[int | str, Kind]] = {str(kind): kind for kind in Kind}


class LogAudit:
    """Reads the entries of one log in order and refuses the first that cannot stand there.

    `last_at`: the time of the last entry, as it is written there. `explanations`: the entries that
    say why figures differ.
    """

    def __init__(self) -> None:
        self.size = 0
        self.last_at = ""
        self.opening: Body = {}
        self.tally = Tally()
        self.witnesses: list[VerifierKey] = []
        self.custody = Custody()
        self.explanations: list[Body] = []
        self.declared = Declared()

    @property
    def closed_by(self) -> str:
        """`seal` or `cancel`, '' while the log is open."""
        return self.custody.closed_by

    @property
    def origin(self) -> str:
        """The name of the log that the first entry opens."""
        return f"{self.opening['station']}/{self.opening['batch']}"

    @property
    def is_rehearsal(self) -> bool:
        """Whether the cards are generated ones, with which people practise."""
        return "rehearsal" in self.opening

    @property
    def has_manifest(self) -> bool:
        """Whether the batch has a list of what should be destroyed."""
        return bool(self.opening.get("manifest_sha256"))

    def take_plain(self, count: int) -> None:
        """Go on behind entries that `take` would only count, but for the tally and `last_at`."""
        self.custody.count(count)
        self.size += count

    def take(self, text: str, *, settle: Callable[[], None] = lambda: None) -> CardEvent | None:
        """Look at the next entry; return what it says about a card, if it is about one.

        `settle` is called before the tally is asked for, by whom adds to it as well.

        Raises:
            VerificationError: it cannot stand there; why, but not which.
        """
        body = _parsed(text)
        kind = _kind(body)
        check_shape(body, kind)
        self._check_common(body, kind)
        if kind in STATING and not self.closed_by:  # of which custody says that nothing follows
            settle()
            self._check_stated(body, kind)
        try:
            self.custody.take(body)
        except InputError as error:
            raise VerificationError(error.message, **error.values) from error
        if kind is Kind.EXPLAIN:
            self.explanations.append(body)
        elif kind in (Kind.OPEN, Kind.DECLARE):
            self.declared = Declared.of_body(body)
        event = self._event(body, kind)
        self.last_at = str(body["at"])
        self.size += 1
        return event

    def _event(self, body: Body, kind: Kind) -> CardEvent | None:
        match kind:
            case Kind.SCAN | Kind.MANUAL:
                return self._presented(body, kind)
            case Kind.VOID:
                return self._voided(body)
            case Kind.ADD:
                return self._added(body)
            case Kind.UNIDENTIFIED:
                self._add_up(UNIDENTIFIED, str(body["category"]), "")
            case Kind.WITNESS:
                self._enrol(str(body["key"]))
            case _:
                pass
        return None

    def _check_common(self, body: Body, kind: Kind) -> None:
        if body["sequence"] != self.size:
            _refuse("it says to be entry %(sequence)s", sequence=body["sequence"])
        if not self.size:
            if kind not in (Kind.OPEN, Kind.CANCEL):
                _refuse("the log does not begin with its opening")
            self.opening = body
        elif kind is Kind.OPEN:
            _refuse("it opens the log again")
        elif "rehearsal" in body:
            _refuse("only the first entry says that this is a rehearsal")
        for name in ("batch", "station"):
            if body[name] != self.opening[name]:
                _refuse("it is of another %(name)s", name=name)

    def _presented(self, body: Body, kind: Kind) -> CardEvent | None:
        verdict = Verdict(str(body["verdict"]))
        if verdict is Verdict.UNREADABLE:
            self.tally.add(verdict, total=1, manual=0)
            return None
        what = _WHAT[verdict]
        category, district = str(body["category"]), str(body["district"])
        if what is What.COUNTED:
            self._add_up(verdict, category, district, manual=int(kind is Kind.MANUAL))
        else:
            self.tally.add(verdict, total=1, manual=0)
        return CardEvent(
            str(body["card"]),
            self.size,
            what,
            int(body["piece"]) if what is What.COUNTED else 0,
            category,
            district,
            self._first(body) if what is What.ALREADY_COUNTED else -1,
        )

    def _first(self, body: Body) -> int:
        # What another batch counted cannot be looked up here.
        first = int(body["first_sequence"])
        is_of_batch = body["first_batch"] == self.opening["batch"]
        if not is_of_batch and self.opening.get("schemes") == Scheme.NIK:
            _refuse("it turns a NIK away because of another batch, where it may have been, too")
        sealed = self.custody.sealed_container_of(first) if is_of_batch else None
        if body.get("sealed_container") != (sealed and sealed.number):
            _refuse("it does not say rightly in which sealed container the card lies")
        return first if is_of_batch else -1

    def _add_up(self, name: str, category: str, district: str, *, manual: int = 0) -> None:
        self.tally.add(name, category, district, total=1, manual=manual)
        self.custody.count()

    def _added(self, body: Body) -> CardEvent:
        category, district = str(body["category"]), str(body["district"])
        self._add_up(ADDED, category, district)
        target = int(body["target"])
        return CardEvent(str(body["card"]), self.size, What.ADDED, 1, category, district, target)

    def _voided(self, body: Body) -> CardEvent | None:
        category, district = str(body["category"]), str(body["district"])
        what = str(body.get("takes_back", Verdict.COUNTED))
        self.tally.add(what, category, district, total=-1, manual=0)
        self.tally.add(VOIDED, total=1, manual=0)
        if what == UNIDENTIFIED:
            return None
        target, piece = int(body["target"]), int(what == ADDED)
        return CardEvent(
            str(body["card"]), self.size, What.VOIDED, piece, category, district, target
        )

    def _enrol(self, text: str) -> None:
        key = VerifierKey.parse(text)
        if key.type is not SignatureType.COSIGNATURE_V1:
            _refuse("it names a witness's key that cannot cosign")
        known = {name for one in self.witnesses for name in (one.name, one.public_key)}
        if key.name in known or key.public_key in known:
            _refuse("it names a witness's key again")
        self.witnesses.append(key)

    def _check_stated(self, body: Body, kind: Kind) -> None:
        for name, counted in self._to_be_stated(body, kind).items():
            if body.get(name) != counted:
                _refuse(
                    "it states %(name)s %(stated)r, but the log comes to %(counted)r there",
                    name=name,
                    stated=body.get(name),
                    counted=counted,
                )

    def _to_be_stated(self, body: Body, kind: Kind) -> Body:
        match kind:
            case Kind.SEAL:
                expected = int(self.opening["expected"])  # the manifest is held against it
                missing = expected - self.tally.counted if self.has_manifest else 0
                return stated_totals(self.tally) | {"expected": expected, "missing": missing}
            case Kind.CONTAINER_SEAL:
                container = self.custody.containers.get(int(body["number"]))
                return {"counted": container.count} if container else {}
            case Kind.EXPLAIN:
                return self._explained(body)
            case _:
                return {"figure": self.tally.burned}

    def _explained(self, body: Body) -> Body:
        # Which cards are missing is not known before the end, but how many are by now.
        if body["what"] == Difference.MISSING:
            expected = json.loads(str(self.opening["expected_by_category"]))
            names = [str(body["category"])] if "category" in body else list(expected)
            missing = sum(expected.get(name, 0) - self.tally.counted_in(name) for name in names)
            if int(body["number"]) > missing:
                _refuse("it explains more cards than are missing")
        return {"number": len(figures_of(body))} if "figures" in body else {}


def stated_totals(tally: Tally) -> Body:
    """Return what an entry that seals a batch states of its tally; the audit counts it again."""
    by_category: dict[str, int] = {}
    for (verdict, category, _), row in tally.rows.items():
        if verdict == Verdict.COUNTED and row[0]:
            by_category[category] = by_category.get(category, 0) + row[0]
    return {
        "added": tally.total(ADDED),
        "already_counted": tally.total(Verdict.ALREADY_COUNTED),
        "burned": tally.burned,
        "counted": tally.counted,
        "counted_by_category": totals_text(by_category),
        "not_on_manifest": tally.total(Verdict.NOT_ON_MANIFEST),
        "unidentified": tally.total(UNIDENTIFIED),
        "unreadable": tally.total(Verdict.UNREADABLE),
        "voided": tally.total(VOIDED),
    }


def _refuse(why: str, **values: object) -> NoReturn:
    raise VerificationError(why, **values)


def _parsed(text: str) -> Body:
    try:
        body = orjson.loads(text)
        is_body = isinstance(body, dict) and _PLAIN.issuperset(map(type, body.values()))
        if is_body and canonical(body) == text:
            return body  # type: ignore[no-any-return]  # looked at just now
    except orjson.JSONDecodeError:
        pass
    _refuse("it is not canonical JSON of numbers and texts")


def _kind(body: Body) -> Kind:
    kind = _KINDS.get(body.get("kind", ""))
    return kind or _refuse("it is of no kind that this version of the program knows")
