"""The chain of custody of one batch: containers, days, second looks, objections, sealing, fire.

`Custody` folds the entries of a log. What may follow what is said here once, for the station that
writes an entry and for whoever checks the log afterwards.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from scanner_station.domain.custody_records import (
    Burning,
    Container,
    ContainerState,
    Day,
    Lot,
    Note,
    Objection,
    Refusal,
    number_in,
    sequence_of,
    text_in,
)
from scanner_station.domain.entry import Body, Kind
from scanner_station.domain.errors import BatchError, EntryError, InputError
from scanner_station.domain.people import name_key

AFTER_SEALING: Final = frozenset({Kind.BURN, Kind.REFUSE})
"""What a sealed log still takes: the fire itself, and a witness who will not sign."""

KINDS: Final = tuple(kind for kind in Kind if kind is not Kind.SCAN)
"""The kinds that `Custody` has to see; a scanned card changes nothing but a container's count."""

_OF_CARDS: Final = frozenset({Kind.SCAN, Kind.MANUAL, Kind.ADD, Kind.UNIDENTIFIED, Kind.VOID})


@dataclass(slots=True)
class Custody:
    """What the entries of a log say about who had the cards.

    `typed` are the typed and unidentified cards nobody else has looked at yet (sequence: typist);
    `agreed` is who looked at each that somebody did; `unidentified` the categories of the
    unidentified cards that stand, `identified` their highest running number.
    """

    containers: dict[int, Container] = field(default_factory=dict)
    days: list[Day] = field(default_factory=list)
    lots: list[Lot] = field(default_factory=list)
    typed: dict[int, str] = field(default_factory=dict)
    agreed: dict[int, str] = field(default_factory=dict)
    unidentified: dict[int, str] = field(default_factory=dict)
    last_number: int = 0
    objections: dict[int, Objection] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    burning: Burning | None = None
    closed_by: str = ""

    @classmethod
    def of(cls, bodies: Iterable[Body]) -> "Custody":
        """Return the fold of entries; those of `Kind.SCAN` may be left out."""
        custody = cls()
        for body in bodies:
            custody.take(body)
        return custody

    # --- what it knows ---------------------------------------------------------------------

    @property
    def open_container(self) -> Container | None:
        """The container that takes cards now, or None."""
        newest = self.containers.get(len(self.containers))
        return newest if newest is not None and newest.state is ContainerState.OPEN else None

    @property
    def is_paused(self) -> bool:
        """Whether counting rests until it is resumed."""
        return bool(self.days) and self.days[-1].paused is not None

    @property
    def unanswered(self) -> list[Objection]:
        """The objections that nobody has answered."""
        return [one for one in self.objections.values() if not one.answer]

    def container_of(self, sequence: int) -> Container | None:
        """Return the container that the card of an entry was put into, or None."""
        return next((one for one in self.containers.values() if one.holds(sequence)), None)

    def sealed_container_of(self, sequence: int) -> Container | None:
        """Return the container in which the card of an entry lies sealed, or None."""
        found = self.container_of(sequence)
        return found if found is not None and found.state is ContainerState.SEALED else None

    # --- taking entries in -----------------------------------------------------------------

    def count(self, cards: int = 1) -> None:
        """Put cards that were counted just now into the open container.

        A station does not fold its scanned cards and sets the open container's count instead.
        """
        if (container := self.open_container) is not None:
            container.count += cards

    def take(self, body: Body) -> None:
        """Take the next entry in, unless it cannot stand here.

        Raises:
            InputError: why it cannot; nothing was changed then.
        """
        kind = Kind(str(body["kind"]))
        self._require_not_closed(kind)
        if kind in _OF_CARDS and self.is_paused:
            raise BatchError("the batch is paused; resume it before cards are taken")
        if (rule := _RULES.get(kind)) is not None:
            rule(self, body)

    def _require_not_closed(self, kind: Kind) -> None:
        if self.closed_by == Kind.SEAL and kind in AFTER_SEALING:
            return
        if self.closed_by:
            raise BatchError(
                "the batch was closed (%(how)s) and nothing changes any more; what is found later "
                "goes into a supplement batch",
                how=self.closed_by,
            )
        if kind is Kind.BURN:
            raise BatchError("the batch is not sealed yet; seal it before the cards are burned")

    def _open(self, body: Body) -> None:
        self.days.append(
            Day(resumed=sequence_of(body), resumed_at=text_in(body, "at"), opening_figure=0)
        )

    def _manual(self, body: Body) -> None:
        if body.get("verdict") == "counted":
            self.typed[sequence_of(body)] = text_in(body, "by")

    def _unidentified(self, body: Body) -> None:
        number = number_in(body, "number")
        if number != self.last_number + 1:
            raise EntryError(
                "the next unidentified card is number %(next)s, not %(number)s",
                next=self.last_number + 1,
                number=number,
            )
        self.last_number = number
        self.unidentified[sequence_of(body)] = text_in(body, "category")
        self.typed[sequence_of(body)] = text_in(body, "by")

    def _add(self, body: Body) -> None:
        require_two(text_in(body, "by"), text_in(body, "seconded_by"))

    def _void(self, body: Body) -> None:
        target = number_in(body, "target")
        container = self.container_of(target)
        if container is not None and container.state is ContainerState.SEALED:
            raise EntryError(
                "entry %(sequence)s lies in container %(number)s under seal %(seal)s; break the "
                "seal first",
                sequence=target,
                number=container.number,
                seal=container.seals[-1],
            )
        if body.get("takes_back") == "unidentified":
            self._require_unidentified(target, body)
        self.unidentified.pop(target, None)
        self.typed.pop(target, None)
        if container is not None:
            container.count -= 1

    def _require_unidentified(self, target: int, body: Body) -> None:
        if target not in self.unidentified:
            raise EntryError(
                "entry %(sequence)s was already taken back; nothing was changed", sequence=target
            )
        if (body["category"], body["district"]) != (self.unidentified[target], ""):
            raise EntryError(
                "entry %(sequence)s stands in another category or district", sequence=target
            )

    def _agree(self, body: Body) -> None:
        by = text_in(body, "by")
        if not self.typed:
            raise BatchError("no typed card waits for a second person; nothing was changed")
        if body["number"] != len(self.typed):
            raise EntryError(
                "cards that wait for a second person: %(count)s, not %(number)s",
                count=len(self.typed),
                number=body["number"],
            )
        if name_key(by) in {name_key(typist) for typist in self.typed.values()}:
            raise InputError(
                "%(name)s typed some of these cards; somebody else has to look at them", name=by
            )
        self.agreed |= dict.fromkeys(self.typed, by)
        self.typed.clear()

    def _container_open(self, body: Body) -> None:
        if (current := self.open_container) is not None:
            raise BatchError(
                "container %(number)s is still open; seal it before the next one",
                number=current.number,
            )
        number = number_in(body, "number")
        if number != len(self.containers) + 1:
            raise EntryError(
                "the next container is number %(next)s, not %(number)s",
                next=len(self.containers) + 1,
                number=number,
            )
        self.containers[number] = Container.of(body)

    def _container_seal(self, body: Body) -> None:
        container = self._container(body)
        if container.state is ContainerState.SEALED:
            raise BatchError(
                "container %(number)s is sealed already, with seal %(seal)s",
                number=container.number,
                seal=container.seals[-1],
            )
        self._require_agreed()
        seal = text_in(body, "seal_number")
        if any(seal in other.seals for other in self.containers.values()):
            raise InputError("seal %(seal)s was used already; every seal has its number", seal=seal)
        container.count = number_in(body, "counted")
        if container.closed is None:
            container.closed = sequence_of(body)
        container.state = ContainerState.SEALED
        container.seals.append(seal)
        container.sealed_at, container.sealed_by = text_in(body, "at"), text_in(body, "by")

    def _container_break(self, body: Body) -> None:
        container = self._container(body)
        if container.state is not ContainerState.SEALED:
            raise BatchError("container %(number)s is not sealed", number=container.number)
        require_two(text_in(body, "by"), text_in(body, "seconded_by"))
        container.state = ContainerState.BROKEN

    def _container(self, body: Body) -> Container:
        number = number_in(body, "number")
        if number not in self.containers:
            raise EntryError("there is no container %(number)s", number=number)
        return self.containers[number]

    def _pause(self, body: Body) -> None:
        if self.is_paused:
            raise BatchError("the batch is paused already; nothing was changed")
        self._require_agreed()
        day = self.days[-1]
        day.paused, day.paused_at = sequence_of(body), text_in(body, "at")
        day.closing_figure = number_in(body, "figure")

    def _resume(self, body: Body) -> None:
        if not self.is_paused:
            raise BatchError("the batch is not paused; nothing was changed")
        closing, opening = self.days[-1].closing_figure, number_in(body, "figure")
        if opening != closing:
            raise InputError(
                "the opening figure %(opening)s is not the last closing figure %(closing)s; "
                "look into both before counting goes on",
                opening=opening,
                closing=closing,
            )
        self.days.append(
            Day(resumed=sequence_of(body), resumed_at=text_in(body, "at"), opening_figure=opening)
        )

    def _lot(self, body: Body) -> None:
        self.lots.append(Lot.of(body))

    def _object(self, body: Body) -> None:
        self.objections[sequence_of(body)] = Objection.of(body)

    def _answer(self, body: Body) -> None:
        found = self.objections.get(number_in(body, "target"))
        if found is None or found.answer:
            raise EntryError(
                "entry %(sequence)s is no objection that waits for an answer",
                sequence=body["target"],
            )
        found.answer, found.answered_by = text_in(body, "answer"), text_in(body, "by")

    def _refuse(self, body: Body) -> None:
        self.refusals.append(Refusal.of(body))

    def _note(self, body: Body) -> None:
        if "witness" not in body:  # the station's own: a spot check, a new passphrase
            return
        self.notes.append(Note.of(body))

    def _explain(self, body: Body) -> None:
        require_two(text_in(body, "by"), text_in(body, "seconded_by"))

    def _seal(self, body: Body) -> None:
        require_two(text_in(body, "by"), text_in(body, "seconded_by"))
        hindrances = self.hindrances()
        if hindrances:
            raise hindrances[0]
        self.closed_by = Kind.SEAL

    def _cancel(self, body: Body) -> None:
        require_two(text_in(body, "by"), text_in(body, "seconded_by"))
        self.closed_by = Kind.CANCEL

    def _burn(self, body: Body) -> None:
        if self.burning is not None:
            raise BatchError("the burning is written down already; nothing was changed")
        self.burning = Burning.of(body)

    # --- what stands in the way ------------------------------------------------------------

    def hindrances(self) -> list[BatchError]:
        """Return why this batch cannot be sealed now, apart from sums that do not add up."""
        found = []
        if self.is_paused:
            found.append(BatchError("the batch is paused; resume it before it is sealed"))
        found += [
            BatchError("container %(number)s is not sealed; seal it first", number=one.number)
            for one in self.containers.values()
            if one.state is not ContainerState.SEALED
        ]
        if self.typed:
            found.append(self._not_agreed())
        found += [
            BatchError(
                "the objection of %(witness)s (entry %(sequence)s) is not answered",
                witness=one.witness,
                sequence=one.sequence,
            )
            for one in self.unanswered
        ]
        return found

    def _require_agreed(self) -> None:
        if self.typed:
            raise self._not_agreed()

    def _not_agreed(self) -> BatchError:
        return BatchError(
            "typed and unidentified cards that wait until a second person agrees to them: "
            "%(count)s",
            count=len(self.typed),
        )


def require_two(by: str, seconded_by: str) -> None:
    """Refuse one person who acts as two.

    Raises:
        InputError: both are the same, however the name is written.
    """
    if " ".join(name_key(by).split()) == " ".join(name_key(seconded_by).split()):
        raise InputError("this takes two different people; %(name)s is both", name=by)


_RULES: Final[dict[Kind, Callable[[Custody, Body], None]]] = {
    Kind.OPEN: Custody._open,
    Kind.MANUAL: Custody._manual,
    Kind.UNIDENTIFIED: Custody._unidentified,
    Kind.ADD: Custody._add,
    Kind.VOID: Custody._void,
    Kind.AGREE: Custody._agree,
    Kind.CONTAINER_OPEN: Custody._container_open,
    Kind.CONTAINER_SEAL: Custody._container_seal,
    Kind.CONTAINER_BREAK: Custody._container_break,
    Kind.PAUSE: Custody._pause,
    Kind.RESUME: Custody._resume,
    Kind.LOT: Custody._lot,
    Kind.OBJECT: Custody._object,
    Kind.ANSWER: Custody._answer,
    Kind.REFUSE: Custody._refuse,
    Kind.NOTE: Custody._note,
    Kind.EXPLAIN: Custody._explain,
    Kind.SEAL: Custody._seal,
    Kind.CANCEL: Custody._cancel,
    Kind.BURN: Custody._burn,
}
