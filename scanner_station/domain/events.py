"""What happened, told to whoever listens: pages, lights, second copies."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from scanner_station.domain.entry import Body
from scanner_station.domain.reading import ReaderId


class ReaderState(StrEnum):
    """Whether a reader can deliver cards now."""

    OPENING = "opening"
    READY = "ready"
    LOST = "lost"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderNotice:
    """Something a reader says about itself: its state, a hint, a discarded half line.

    `message` is an English `%(name)s` template (also the key of its translation), `values`
    fill it; it names what, which and what to do, and never holds payload text. `state` is
    None when the state did not change.
    """

    reader_id: ReaderId
    message: str
    values: dict[str, str | int] = field(default_factory=dict)
    state: ReaderState | None = None


Notify = Callable[[ReaderNotice], None]


class EntryRecorded(NamedTuple):
    """One entry is on disk. `identifier` is whole: mask it before others see it.

    `counted` and `expected` are the batch's totals after this entry; `repeats` is what the entry
    that an `already_counted` points back to said, `name` the manifest's name for the card.
    """

    batch: str
    body: Body
    identifier: str
    name: str
    counted: int
    expected: int
    repeats: Body | None = None

    @property
    def sequence(self) -> int:
        """The entry's place in its log."""
        return int(self.body["sequence"])


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchChanged:
    """A batch was created, got its manifest, became the active one, or changed its state."""

    batch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StationFault:
    """The station stopped counting (`message` says why), or counts again (`message` is '')."""

    message: str
    values: dict[str, object] = field(default_factory=dict)


Event = EntryRecorded | BatchChanged | StationFault | ReaderNotice
