"""The one clock; order never comes from it, only the times people read."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time of day and a steady time for intervals."""

    def now(self) -> datetime:
        """Return the time of day, aware, UTC."""
        ...

    def steady_s(self) -> float:
        """Return seconds that never jump; only differences mean something."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the time of day, aware, UTC."""
        return datetime.now(UTC)

    def steady_s(self) -> float:
        """Return the monotonic clock in seconds."""
        return time.monotonic()
