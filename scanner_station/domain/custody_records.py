"""What the chain of custody knows of: containers, days, lots, what witnesses say, the fire."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from scanner_station.domain.entry import Body
from scanner_station.domain.errors import EntryError


class Form(StrEnum):
    """What cards are packed in."""

    BOX = "box"
    SACK = "sack"
    DRUM = "drum"


class ContainerState(StrEnum):
    """Where a container stands. BROKEN: its seal was broken and it waits for a new one."""

    OPEN = "open"
    SEALED = "sealed"
    BROKEN = "broken"


@dataclass(slots=True)
class Container:
    """One box, sack or drum. It holds the cards between its opening and its first sealing.

    `opened` and `closed` are sequence numbers (`closed` None while it takes cards); `count` is
    how many cards are in it now; `seals` are the numbers of all its seals, the last one valid.
    """

    number: int
    form: str
    label: str
    opened: int
    opened_at: str
    state: ContainerState = ContainerState.OPEN
    closed: int | None = None
    sealed_at: str = ""
    sealed_by: str = ""
    count: int = 0
    seals: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, body: Body) -> Self:
        """Return the container that an entry opens."""
        return cls(
            number=number_in(body, "number"),
            form=text_in(body, "form"),
            label=text_in(body, "label"),
            opened=sequence_of(body),
            opened_at=text_in(body, "at"),
        )

    def holds(self, sequence: int) -> bool:
        """Whether the card of an entry was put into it."""
        return self.opened < sequence and (self.closed is None or sequence < self.closed)


@dataclass(slots=True, kw_only=True)
class Day:
    """One stretch of counting: from the opening or a resumption to a pause or the end.

    The figures are how many cards there were in all. `resumed` is the sequence it begins at.
    """

    resumed: int
    resumed_at: str
    opening_figure: int
    paused: int | None = None
    paused_at: str = ""
    closing_figure: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """A part of the work, usually one district's cards; it lasts until the next one begins."""

    name: str
    begun: int
    begun_at: str

    @classmethod
    def of(cls, body: Body) -> Self:
        """Return the lot that an entry begins."""
        return cls(name=text_in(body, "lot"), begun=sequence_of(body), begun_at=text_in(body, "at"))


@dataclass(slots=True)
class Objection:
    """What a witness said against the destruction, and the answer ('' while there is none)."""

    sequence: int
    at: str
    witness: str
    institution: str
    text: str
    answer: str = ""
    answered_by: str = ""

    @classmethod
    def of(cls, body: Body) -> Self:
        """Return the objection that an entry holds."""
        return cls(
            sequence=sequence_of(body),
            at=text_in(body, "at"),
            witness=text_in(body, "witness"),
            institution=text_in(body, "institution"),
            text=text_in(body, "objection"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A witness who would not sign, and why."""

    sequence: int
    at: str
    witness: str
    institution: str
    objection: str

    @classmethod
    def of(cls, body: Body) -> Self:
        """Return the refusal that an entry holds."""
        return cls(
            sequence=sequence_of(body),
            at=text_in(body, "at"),
            witness=text_in(body, "witness"),
            institution=text_in(body, "institution"),
            objection=text_in(body, "objection"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a witness remarked; it asks for no answer."""

    sequence: int
    at: str
    witness: str
    institution: str
    text: str

    @classmethod
    def of(cls, body: Body) -> Self:
        """Return the note that an entry holds."""
        return cls(
            sequence=sequence_of(body),
            at=text_in(body, "at"),
            witness=text_in(body, "witness"),
            institution=text_in(body, "institution"),
            text=text_in(body, "reason"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Burning:
    """The end of the cards. `burned_at` is when it happened, `at` when it was written down."""

    sequence: int
    at: str
    burned_at: str
    method: str
    present: str
    by: str

    @classmethod
    def of(cls, body: Body) -> Self:
        """Return the fire that an entry tells of."""
        return cls(
            sequence=sequence_of(body),
            at=text_in(body, "at"),
            burned_at=text_in(body, "burned_at"),
            method=text_in(body, "method"),
            present=text_in(body, "present"),
            by=text_in(body, "by"),
        )


def sequence_of(body: Body) -> int:
    """Return the number of an entry."""
    return number_in(body, "sequence")


def text_in(body: Body, name: str) -> str:
    """Return a text of an entry.

    Raises:
        EntryError: it is not there, or no text.
    """
    value = body.get(name)
    if not isinstance(value, str):
        raise EntryError("the entry has no %(name)s", name=name)
    return value


def number_in(body: Body, name: str) -> int:
    """Return a number of an entry.

    Raises:
        EntryError: it is not there, or no number.
    """
    value = body.get(name)
    if not isinstance(value, int):
        raise EntryError("the entry has no %(name)s", name=name)
    return value
