"""What a log holds beside plain counted cards, as lists that a person can go through.

`Findings` folds the entries; `domain/reconciliation.py` sets the lists against the manifest and
the figures declared.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from scanner_station.domain.counter import Verdict
from scanner_station.domain.custody import Custody
from scanner_station.domain.declared import Declared
from scanner_station.domain.entry import Body, Kind
from scanner_station.domain.manifest import ManifestLine
from scanner_station.domain.tally import counted_as


class What(StrEnum):
    """What differs. PARTS: the figures declared do not add up to the total declared."""

    MISSING = "missing"
    STRANGERS = "strangers"
    DECLARED = "declared"
    PARTS = "declared_parts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why something differs, by two people.

    None for `category`, `district` and `cards` is all of them. `cards` are commitments;
    `figures` are the (axis, name, difference) of declared figures that it speaks of.
    """

    sequence: int
    at: str
    by: str
    seconded_by: str
    reason: str
    what: What
    number: int
    category: str | None = None
    district: str | None = None
    cards: frozenset[str] | None = None
    figures: frozenset[tuple[str, str, int]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A manifest line of which `lacking` pieces are not counted."""

    line: ManifestLine
    lacking: int
    explained_by: int | None


@dataclass(slots=True, kw_only=True)
class Stranger:
    """A card that lies on the table but that nobody listed. `since`: the entry it lies there from.

    `earlier_batch` is where it was counted before, '' for nowhere.
    """

    card: str
    identifier: str
    since: int
    at: str
    first: int
    presentations: int = 1
    earlier_batch: str = ""
    explained_by: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A presentation that gave no identifier. `settled_by`: the next entry that counted a card."""

    sequence: int
    at: str
    reader: str
    reason: str
    settled_by: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Voided:
    """A card that was taken back. `what`: as what it was in the tally."""

    sequence: int
    at: str
    by: str
    reason: str
    target: int
    what: str
    category: str
    district: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """A card that a person and no machine put to the tally: typed, added or unidentified.

    `agreed_by` is who else looked at it ('' while nobody has); `number` runs over the
    unidentified cards; `has_photograph` says whether a picture is kept.
    """

    sequence: int
    at: str
    by: str
    identifier: str = ""
    category: str = ""
    district: str = ""
    agreed_by: str = ""
    reason: str = ""
    target: int = -1
    number: int = 0
    has_photograph: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A card that was counted in an earlier batch and came again."""

    sequence: int
    identifier: str
    verdict: str
    batch: str
    earlier_sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Figures that the office stated, and why it changed them ('' for the first ones)."""

    sequence: int
    at: str
    by: str
    reason: str
    figures: Declared


@dataclass(slots=True, kw_only=True)
class Findings:
    """The fold of a log's remarkable entries (all but plain counted cards).

    `declared` is every statement of figures; the last one holds. `moved` is the last entry that
    took a card out of the tally; an explanation speaks only of what was so when it was written.
    """

    slug: str
    custody: Custody = field(default_factory=Custody)
    strangers: dict[str, Stranger] = field(default_factory=dict)
    unreadable: list[Unreadable] = field(default_factory=list)
    voids: list[Voided] = field(default_factory=list)
    typed: dict[int, ByHand] = field(default_factory=dict)
    added: dict[int, ByHand] = field(default_factory=dict)
    unidentified: dict[int, ByHand] = field(default_factory=dict)
    earlier: dict[int, Earlier] = field(default_factory=dict)
    explanations: list[Explanation] = field(default_factory=list)
    declared: list[Statement] = field(default_factory=list)
    repeats: int = 0
    moved: dict[str, int] = field(default_factory=dict)
    _set_aside: dict[str, Stranger] = field(default_factory=dict)

    def take(self, body: Body, identifier: str) -> None:
        """Take the next entry in; `identifier` is '' when there is none or it was forgotten."""
        self.custody.take(body)
        match body["kind"]:
            case Kind.SCAN | Kind.MANUAL:
                self._presented(body, identifier)
            case Kind.ADD:
                self.added[_sequence(body)] = _by_hand(body, identifier)
                self._set_aside[str(body["card"])] = self.strangers.pop(str(body["card"]))
            case Kind.UNIDENTIFIED:
                self.unidentified[_sequence(body)] = _by_hand(body, "")
            case Kind.VOID:
                self._voided(body)
            case Kind.EXPLAIN:
                self.explanations.append(explanation_of(body))
            case Kind.DECLARE | Kind.OPEN:
                self._stated(body)
            case _:
                pass

    def explained_missing(self, card: str, line: ManifestLine) -> int | None:
        """Return the newest entry that explains why a listed card is missing, or None."""
        return self._explained(What.MISSING, card, line.category, line.district)

    def explain_strangers(self) -> None:
        """Note in each stranger which entry explains it; after the last entry was taken in."""
        for card, stranger in self.strangers.items():
            stranger.explained_by = self._explained(
                What.STRANGERS, card, None, None, stranger.since
            )

    def explained_figure(self, what: What, axis: str, name: str, difference: int) -> int | None:
        """Return the newest entry that explains exactly this difference of a declared figure."""
        for one in reversed(self.explanations):
            if one.what is what and (axis, name, difference) in one.figures:
                return one.sequence
        return None

    def _explained(
        self, what: What, card: str, category: str | None, district: str | None, since: int = -1
    ) -> int | None:
        since = max(since, self.moved.get(card, -1))
        for one in reversed(self.explanations):
            if one.sequence < since:
                return None
            if (
                one.what is what
                and one.category in (None, category)
                and one.district in (None, district)
                and (one.cards is None or card in one.cards)
            ):
                return one.sequence
        return None

    def _stated(self, body: Body) -> None:
        figures = Declared.of_body(body)
        if figures == Declared() and not self.declared:
            return
        self.declared.append(
            Statement(
                sequence=_sequence(body),
                at=str(body["at"]),
                by=str(body["by"]),
                reason=str(body.get("reason", "")),
                figures=figures,
            )
        )

    def _presented(self, body: Body, identifier: str) -> None:
        sequence = _sequence(body)
        if counted_as(body) and body["kind"] == Kind.MANUAL:
            self.typed[sequence] = _by_hand(body, identifier)
        if earlier := _earlier(body, identifier, self.slug):
            self.earlier[sequence] = earlier
        match body["verdict"]:
            case Verdict.UNREADABLE:
                self.unreadable.append(
                    Unreadable(
                        sequence=sequence,
                        at=str(body["at"]),
                        reader=str(body["reader"]),
                        reason=str(body["reason"]),
                    )
                )
            case Verdict.NOT_ON_MANIFEST:
                self._strange(body, identifier, earlier)
            case Verdict.ALREADY_COUNTED if earlier:
                self._strange(body, identifier, earlier)
            case Verdict.ALREADY_COUNTED:
                self.repeats += 1
            case _:
                pass

    def _strange(self, body: Body, identifier: str, earlier: Earlier | None) -> None:
        card = str(body["card"])
        known = self.strangers.get(card)
        if known is not None:
            known.presentations += 1
            return
        self.strangers[card] = Stranger(
            card=card,
            identifier=identifier,
            since=_sequence(body),
            at=str(body["at"]),
            first=_sequence(body),
            earlier_batch=earlier.batch if earlier else "",
        )

    def _voided(self, body: Body) -> None:
        sequence, target = _sequence(body), int(body["target"])
        card = str(body.get("card", ""))
        self.moved[card] = sequence
        for taken in (self.typed, self.added, self.unidentified):
            taken.pop(target, None)
        if card in self._set_aside:
            self.strangers[card] = self._set_aside.pop(card)
            self.strangers[card].since = sequence
        self.voids.append(
            Voided(
                sequence=sequence,
                at=str(body["at"]),
                by=str(body["by"]),
                reason=str(body["reason"]),
                target=target,
                what=str(body.get("takes_back", Verdict.COUNTED)),
                category=str(body["category"]),
                district=str(body["district"]),
            )
        )


def _by_hand(body: Body, identifier: str) -> ByHand:
    return ByHand(
        sequence=_sequence(body),
        at=str(body["at"]),
        by=str(body["by"]),
        identifier=identifier,
        category=str(body.get("category", "")),
        district=str(body.get("district", "")),
        agreed_by=str(body.get("seconded_by", "")),
        reason=str(body.get("reason", "")),
        target=int(body.get("target", -1)),
        number=int(body.get("number", 0)),
        has_photograph="photograph" in body,
    )


def _earlier(body: Body, identifier: str, slug: str) -> Earlier | None:
    if "earlier_batch" in body:
        batch, sequence = body["earlier_batch"], body["earlier_sequence"]
    elif body.get("first_batch", slug) != slug:
        batch, sequence = body["first_batch"], body["first_sequence"]
    else:
        return None
    return Earlier(
        sequence=_sequence(body),
        identifier=identifier,
        verdict=str(body["verdict"]),
        batch=str(batch),
        earlier_sequence=int(sequence),
    )


def explanation_of(body: Body) -> Explanation:
    """Return what an entry explains."""
    category, district, cards = body.get("category"), body.get("district"), body.get("cards")
    return Explanation(
        sequence=_sequence(body),
        at=str(body["at"]),
        by=str(body["by"]),
        seconded_by=str(body["seconded_by"]),
        reason=str(body["reason"]),
        what=What(str(body["what"])),
        number=int(body["number"]),
        category=None if category is None else str(category),
        district=None if district is None else str(district),
        cards=None if cards is None else frozenset(str(cards).split()),
        figures=figures_of(body),
    )


def figures_of(body: Body) -> frozenset[tuple[str, str, int]]:
    """Return the declared figures that an explanation speaks of: axis, name and difference."""
    lines = str(body.get("figures", "")).splitlines()
    split = (line.split(" ", 2) for line in lines)
    return frozenset((axis, name, int(difference)) for axis, difference, name in split)


def figures_text(figures: frozenset[tuple[str, str, int]]) -> str:
    """Return figures as `figures_of` reads them: a line each, the name last."""
    return "\n".join(f"{axis} {difference} {name}" for axis, name, difference in sorted(figures))


def _sequence(body: Body) -> int:
    return int(body["sequence"])
