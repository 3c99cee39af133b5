"""How a batch's count has grown over time, for a picture; kept, so that nothing is read twice."""

import threading
from dataclasses import dataclass, field
from sqlite3 import Connection
from typing import Final

from scanner_station.service.counter import require_batch
from scanner_station.service.views import Json
from scanner_station.storage import scan_log

MOST_STEPS: Final = 120


@dataclass(slots=True)
class _Grown:
    """One batch up to entry `last`. `parts`: [first time, last time, change] by ten seconds."""

    last: int = -1
    parts: dict[str, list[str | int]] = field(default_factory=dict)


class Progress:
    """Reads each entry once and remembers how many cards ten seconds brought. Thread-safe."""

    def __init__(self) -> None:
        # Guards `_known`, also while entries are read: several screens do not read the same.
        self._lock = threading.Lock()
        self._known: dict[int, _Grown] = {}

    def of(self, connection: Connection, slug: str) -> Json:
        """Return the steps of a batch's count: `at` and how many cards were counted then.

        In order of time, at most `MOST_STEPS`; the first one is 0, and the last one is the count
        of now.
        A clock that was set back moves cards to another time, never out of the sum.

        Raises:
            BatchError: there is no such batch.
        """
        batch = require_batch(connection, slug)
        with self._lock:
            grown = self._known.setdefault(batch.id, _Grown())
            newest = scan_log.next_sequence(connection, batch.id) - 1
            if newest > grown.last:
                self._take_in(connection, batch.id, grown)
                grown.last = newest
            steps = _steps(grown)
        return {"steps": _fewer(steps), "newest": grown.last}

    def _take_in(self, connection: Connection, batch_id: int, grown: _Grown) -> None:
        for part, first, last, change in scan_log.counted_over_time(
            connection, batch_id, grown.last
        ):
            known = grown.parts.setdefault(part, [first, last, 0])
            known[0] = min(str(known[0]), first)
            known[1] = max(str(known[1]), last)
            known[2] = int(known[2]) + change


def _steps(grown: _Grown) -> list[Json]:
    counted = 0
    steps: list[Json] = []
    for _, (first, last, change) in sorted(grown.parts.items()):
        if not steps:
            steps.append({"at": first, "counted": 0})
        counted += int(change)
        steps.append({"at": last, "counted": max(0, counted)})
    return steps


def _fewer(steps: list[Json]) -> list[Json]:
    if len(steps) <= MOST_STEPS:
        return steps
    last = len(steps) - 1
    return [steps[round(place * last / (MOST_STEPS - 1))] for place in range(MOST_STEPS)]
