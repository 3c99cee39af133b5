"""What is one presentation: a card held in view is one, however many frames it takes.

A false "already counted" (a card that shook, glared or hid for a moment) is worse than a
repeat that goes unnoticed, so a card has left only on evidence: the empty table, another card
in its place, a place that changed, or a long time without it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SMALLEST_SIDE_PX: Final = 8.0


class Scene(StrEnum):
    """What the picture as a whole says."""

    EMPTY = "empty"
    """The table as it is without a card."""
    OCCUPIED = "occupied"
    """Something is there, or it cannot be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The upright box around a code, in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Place") -> bool:
        """Whether the middle of one lies within the other."""
        return self._holds_middle_of(other) or other._holds_middle_of(self)

    def _holds_middle_of(self, other: "Place") -> bool:
        x, y = (other.left + other.right) / 2, (other.top + other.bottom) / 2
        wide = max(0.0, SMALLEST_SIDE_PX - (self.right - self.left))
        high = max(0.0, SMALLEST_SIDE_PX - (self.bottom - self.top))
        return (
            self.left - wide <= x <= self.right + wide
            and self.top - high <= y <= self.bottom + high
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighted:
    """An accepted code in one frame.

    `card` is what tells cards apart: two codes with the same one are on the same card.
    `is_identifier`: it fits the batch's scheme; a code that does not is news only when no
    identifier is in view.
    """

    card: bytes
    place: Place
    is_identifier: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How long is long, in seconds."""

    settle_s: float = 0.1
    """A new card is announced after this time, so that a second one beside it is noticed."""
    settle_stranger_s: float = 0.5
    """The same for a code that is no identifier: the card may bear a better one."""
    beside_s: float = 0.3
    """Cards seen within this time of each other are in view together."""
    empty_s: float = 0.2
    """The table must have been empty this long for the cards to have left."""
    replaced_s: float = 0.3
    """A card unseen for this long, with another in its place, has left."""
    moved_off_s: float = 1.5
    """A card unseen for this long, whose place looks different while it is calm, has left."""
    absent_s: float = 10.0
    """A card unseen for this long has left, whatever else."""


LIVE: Final = Rules()
FOLDER: Final = Rules(settle_s=0.0, settle_stranger_s=0.0, empty_s=0.0, moved_off_s=0.8,
                      absent_s=0.8)  # fmt: skip
"""Pictures half a second apart, each shown on purpose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a frame meant: cards newly presented, and cards that lie beside each other."""

    started: tuple[bytes, ...] = ()
    together: tuple[bytes, ...] = ()


@dataclass(slots=True)
class _InView:
    first_s: float
    last_s: float
    place: Place
    is_identifier: bool
    is_announced: bool = False
    was_beside: bool = False
    """Another card was in view with it: it must be seen alone before it is announced."""


class Presentations:
    """Follows the cards in view of one camera; owned by the camera's thread."""

    def __init__(self, rules: Rules = LIVE) -> None:
        self._rules = rules
        self._in_view: dict[bytes, _InView] = {}
        self._empty_since_s: float | None = None

    def see(
        self,
        at_s: float,
        sighted: Sequence[Sighted],
        scene: Scene = Scene.OCCUPIED,
        looks_the_same: Mapping[bytes, bool] | None = None,
    ) -> Outcome:
        """Take one frame in and return which presentations it started.

        `at_s`: seconds, never going back. `looks_the_same`: for cards in view but not
        sighted, whether their place still looks as it did (a card that is there but cannot
        be read just now); cards it does not name are unknown.
        """
        looks = looks_the_same or {}
        self._end(at_s, sighted, scene, looks)
        for one in sighted:
            self._take_in(at_s, one)
        return self._announce(at_s, looks)

    def finish(self) -> Outcome:
        """Return what the end of a file leaves: cards seen but not announced yet."""
        alone = [card for card, seen in self._in_view.items() if seen.is_identifier]
        waiting = alone or list(self._in_view)
        started = tuple(
            card
            for card in waiting
            if not (self._in_view[card].is_announced or self._in_view[card].was_beside)
        )
        self._in_view.clear()
        return Outcome(started=started)

    @property
    def cards(self) -> Collection[bytes]:
        """The cards taken to be in view, sighted in the last frame or not."""
        return self._in_view.keys()

    @property
    def is_settled(self) -> bool:
        """Whether every card in view was announced, so that there is no hurry."""
        return all(seen.is_announced for seen in self._in_view.values())

    def _end(
        self,
        at_s: float,
        sighted: Sequence[Sighted],
        scene: Scene,
        looks: Mapping[bytes, bool],
    ) -> None:
        if scene is Scene.EMPTY and not sighted:
            since_s = at_s if self._empty_since_s is None else self._empty_since_s
            self._empty_since_s = since_s
            if at_s - since_s >= self._rules.empty_s:
                self._leave([card for card in self._in_view if self._is_settled(card)])
        else:
            self._empty_since_s = None
        names = {one.card for one in sighted}
        gone = [
            card
            for card, seen in self._in_view.items()
            if self._has_left(card, seen, at_s, sighted, looks)
            and (card not in names or at_s - seen.last_s >= self._rules.absent_s)
        ]
        self._leave(gone)

    def _leave(self, cards: Sequence[bytes]) -> None:
        for card in cards:
            del self._in_view[card]

    def _is_settled(self, card: bytes) -> bool:
        """Whether the empty table may end it: a card seen but not announced must not be lost."""
        return self._in_view[card].is_announced or self._in_view[card].was_beside

    def _has_left(
        self,
        card: bytes,
        seen: _InView,
        at_s: float,
        sighted: Sequence[Sighted],
        looks: Mapping[bytes, bool],
    ) -> bool:
        unseen_s = at_s - seen.last_s
        if unseen_s >= self._rules.absent_s:
            return True
        if unseen_s >= self._rules.moved_off_s and looks.get(card) is False:
            return True
        return unseen_s >= self._rules.replaced_s and any(
            one.card != card and one.place.meets(seen.place) for one in sighted
        )

    def _take_in(self, at_s: float, one: Sighted) -> None:
        seen = self._in_view.get(one.card)
        if seen is None:
            self._in_view[one.card] = _InView(at_s, at_s, one.place, one.is_identifier)
        else:
            seen.last_s, seen.place = at_s, one.place

    def _announce(self, at_s: float, looks: Mapping[bytes, bool]) -> Outcome:
        near = {
            card: seen
            for card, seen in self._in_view.items()
            if self._is_near(card, seen, at_s, looks)
        }
        identifiers = [card for card, seen in near.items() if seen.is_identifier]
        if len(identifiers) > 1:
            self._restart_settling(at_s, identifiers)
            return Outcome(together=tuple(sorted(identifiers)))
        started = tuple(
            card
            for card, seen in self._in_view.items()
            if self._may_start(card, seen, at_s, identifiers)
        )
        for card in started:
            self._in_view[card].is_announced = True
        return Outcome(started=started)

    def _is_near(
        self, card: bytes, seen: _InView, at_s: float, looks: Mapping[bytes, bool]
    ) -> bool:
        """Whether a card can be taken to be in view now: no other was read in its place."""
        if seen.last_s == at_s:
            return True
        is_covered = any(
            other != card and one.last_s == at_s and one.place.meets(seen.place)
            for other, one in self._in_view.items()
        )
        is_recent = at_s - seen.last_s <= self._rules.beside_s
        return not is_covered and (is_recent or looks.get(card, False))

    def _restart_settling(self, at_s: float, cards: Sequence[bytes]) -> None:
        for card in cards:
            if not self._in_view[card].is_announced:
                self._in_view[card].first_s = at_s
                self._in_view[card].was_beside = True

    def _may_start(
        self, card: bytes, seen: _InView, at_s: float, identifiers: Sequence[bytes]
    ) -> bool:
        if seen.is_announced or any(other != card for other in identifiers):
            return False
        rules = self._rules
        settle_s = rules.settle_s if seen.is_identifier else rules.settle_stranger_s
        if seen.was_beside:
            return seen.last_s > seen.first_s and seen.last_s - seen.first_s >= settle_s
        return at_s - seen.first_s >= settle_s
