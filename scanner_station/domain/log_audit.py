"""What a log must be, entry by entry, to add up to what it states.

`LogAudit` passes on what each entry says about a card. Sorted by card, that is for `check_card`.
"""

import json
import re
from collections.abc import Callable
from typing import Final, NoReturn

from scanner_station.domain.card_audit import CardEvent, What
from scanner_station.domain.counter import Verdict
from scanner_station.domain.entry import Body, Kind, canonical, totals_text
from scanner_station.domain.errors import VerificationError
from scanner_station.domain.merkle import HASH_BYTES
from scanner_station.domain.note import SignatureType, VerifierKey
from scanner_station.domain.strict import decode_base64
from scanner_station.domain.tally import VOIDED, Tally

_WHAT: Final = {
    Verdict.COUNTED: What.COUNTED,
    Verdict.ALREADY_COUNTED: What.ALREADY_COUNTED,
    Verdict.NOT_ON_MANIFEST: What.NOT_ON_MANIFEST,
}
_AT: Final = r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z"
_AT_PATTERN: Final = re.compile(_AT)
_CARD: Final = r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]="
_TEXT: Final = r'[^"\\\x00-\x1f]'
_SCANNED: Final = (
    rf'\{{"at":"{_AT}","batch":"%s","by":"{_TEXT}+","card":"({_CARD})","category":"({_TEXT}*)",'
    rf'"district":"({_TEXT}*)","kind":"(scan|manual)","piece":([1-9][0-9]{{0,8}}),'
    rf'"reader":"{_TEXT}+","sequence":%s,"station":"%s","symbology":"{_TEXT}*",'
    r'"verdict":"counted"\}'
)
_LAST: Final = (Kind.SEAL, Kind.CANCEL)


class LogAudit:
    """Reads the entries of one log in order and refuses the first that cannot stand there."""

    def __init__(self) -> None:
        self.size = 0
        self.opening: Body = {}
        self.tally = Tally()
        self.witnesses: list[VerifierKey] = []
        self.closed_by = ""
        self._plain: re.Pattern[str] | None = None

    @property
    def origin(self) -> str:
        """The name of the log that the first entry opens."""
        return f"{self.opening['station']}/{self.opening['batch']}"

    @property
    def has_manifest(self) -> bool:
        """Whether the batch has a list of what should be destroyed."""
        return bool(self.opening.get("manifest_sha256"))

    def take(self, text: str) -> CardEvent | None:
        """Look at the next entry; return what it says about a card, if it is about one.

        Raises:
            VerificationError: it cannot stand there; why, but not which.
        """
        if self.closed_by:
            _refuse(f"it comes after the batch was closed ({self.closed_by})")
        found = self._plain.fullmatch(text) if self._plain else None
        # Most entries are one counted card; that its text fits the pattern says all of what
        # `_any` looks at one by one, for a fifth of the time.
        event = self._counted(found) if found else self._any(_parsed(text))
        self.size += 1
        return event

    def _counted(self, found: re.Match[str]) -> CardEvent:
        card, category, district, kind, piece, sequence = found.groups()
        self._require_sequence(int(sequence))
        manual = int(kind == Kind.MANUAL)
        self.tally.add(Verdict.COUNTED, category, district, total=1, manual=manual)
        return CardEvent(card, self.size, What.COUNTED, int(piece), category, district, -1)

    def _any(self, body: Body) -> CardEvent | None:
        kind = _kind(body)
        self._check_common(body, kind)
        match kind:
            case Kind.SCAN | Kind.MANUAL:
                return self._presented(body, kind)
            case Kind.VOID:
                return self._voided(body)
            case Kind.WITNESS:
                self._enrol(_text(body, "key"))
            case Kind.SEAL:
                self._check_stated(body)
            case _:
                pass
        if kind in _LAST:
            self.closed_by = kind
        return None

    def _check_common(self, body: Body, kind: Kind) -> None:
        sequence = _number(body, "sequence")
        self._require_sequence(sequence)
        if not _AT_PATTERN.fullmatch(_text(body, "at")) or not _text(body, "by"):
            _refuse("it does not say when and by whom it was made")
        if not self.size:
            self._open(body, kind)
        elif kind is Kind.OPEN:
            _refuse("it opens the log again")
        for name in ("batch", "station"):
            if body.get(name) != self.opening[name]:
                _refuse(f"it is of another {name}")

    def _require_sequence(self, sequence: int) -> None:
        if sequence != self.size:
            _refuse(f"it says to be entry {sequence}")

    def _open(self, body: Body, kind: Kind) -> None:
        if kind not in (Kind.OPEN, Kind.CANCEL):
            _refuse("the log does not begin with its opening")
        self.opening = body
        names = [re.escape(_text(body, name)) for name in ("batch", "station")]
        self._plain = re.compile(_SCANNED % (names[0], "(0|[1-9][0-9]{0,17})", names[1]))

    def _presented(self, body: Body, kind: Kind) -> CardEvent | None:
        try:
            verdict = Verdict(_text(body, "verdict"))
        except ValueError:
            _refuse("it holds no verdict that there is")
        if verdict is Verdict.UNREADABLE:
            if "card" in body:
                _refuse("it names a card that it could not read")
            self.tally.add(verdict, total=1, manual=0)
            return None
        what = _WHAT[verdict]
        category, district = _text(body, "category"), _text(body, "district")
        if what is What.COUNTED:
            manual = int(kind is Kind.MANUAL)
            self.tally.add(verdict, category, district, total=1, manual=manual)
        else:
            self.tally.add(verdict, total=1, manual=0)
        return CardEvent(
            _card(body),
            self.size,
            what,
            _number(body, "piece") if what is What.COUNTED else 0,
            category,
            district,
            self._first(body) if what is What.ALREADY_COUNTED else -1,
        )

    def _first(self, body: Body) -> int:
        # What another batch or station counted cannot be looked up here.
        first = _number(body, "first_sequence")
        here = self.opening["station"]
        is_here = (body.get("first_batch"), body.get("first_station", here)) == (
            self.opening["batch"],
            here,
        )
        return first if is_here else -1

    def _voided(self, body: Body) -> CardEvent:
        category, district = _text(body, "category"), _text(body, "district")
        self.tally.add(Verdict.COUNTED, category, district, total=-1, manual=0)
        self.tally.add(VOIDED, total=1, manual=0)
        return CardEvent(
            _card(body), self.size, What.VOIDED, 0, category, district, _number(body, "target")
        )

    def _enrol(self, text: str) -> None:
        key = VerifierKey.parse(text)
        if key.type is not SignatureType.COSIGNATURE_V1:
            _refuse("it names a witness's key that cannot cosign")
        known = {name for one in self.witnesses for name in (one.name, one.public_key)}
        if key.name in known or key.public_key in known:
            _refuse("it names a witness's key again")
        self.witnesses.append(key)

    def _check_stated(self, body: Body) -> None:
        for name, counted in stated_totals(self.tally).items():
            if body.get(name) != counted:
                _refuse(
                    f"the batch was sealed with {name} {body.get(name)!r}, "
                    f"but its log comes to {counted!r}"
                )


def stated_totals(tally: Tally) -> Body:
    """Return what an entry that seals a batch states of its tally; the audit counts it again."""
    by_category: dict[str, int] = {}
    for (verdict, category, _), row in tally.rows.items():
        if verdict == Verdict.COUNTED and row[0]:
            by_category[category] = by_category.get(category, 0) + row[0]
    return {
        "already_counted": tally.total(Verdict.ALREADY_COUNTED),
        "counted": tally.counted,
        "counted_by_category": totals_text(by_category),
        "not_on_manifest": tally.total(Verdict.NOT_ON_MANIFEST),
        "unreadable": tally.total(Verdict.UNREADABLE),
        "voided": tally.total(VOIDED),
    }


def _refuse(why: str) -> NoReturn:
    raise VerificationError(why)


_decode: Final[Callable[[str], object]] = json.JSONDecoder().decode


def _parsed(text: str) -> Body:
    try:
        body = _decode(text)
        is_body = isinstance(body, dict) and all(type(one) in (int, str) for one in body.values())
        if is_body and canonical(body) == text:  # type: ignore[arg-type]  # looked at just now
            return body  # type: ignore[return-value]  # likewise
    except (ValueError, RecursionError):
        pass
    _refuse("it is not canonical JSON of numbers and texts")


def _kind(body: Body) -> Kind:
    try:
        return Kind(body.get("kind"))  # type: ignore[arg-type]  # anything else is refused
    except ValueError:
        _refuse("it is of no kind that there is")


def _text(body: Body, name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else _refuse(f"it has no {name}")


def _number(body: Body, name: str) -> int:
    value = body.get(name)
    return value if isinstance(value, int) else _refuse(f"it has no {name}")


def _card(body: Body) -> str:
    card = _text(body, "card")
    decode_base64(card, length=HASH_BYTES)
    return card
