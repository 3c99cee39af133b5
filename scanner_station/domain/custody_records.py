"""What the chain of custody knows of: containers, days, lots, what witnesses say, the fire."""

from dataclasses import dataclass, field
from enum import StrEnum


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A witness who would not sign, and why."""

    sequence: int
    at: str
    witness: str
    institution: str
    objection: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a witness remarked; it asks for no answer."""

    sequence: int
    at: str
    witness: str
    institution: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Burning:
    """The end of the cards. `burned_at` is when it happened, `at` when it was written down."""

    sequence: int
    at: str
    burned_at: str
    method: str
    present: str
    by: str
