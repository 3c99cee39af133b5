"""What happened, told to whoever listens: pages, lights, second copies."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

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
