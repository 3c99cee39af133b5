"""Readers that were lost and counting that stopped, kept in the station's record."""

import threading
from datetime import datetime
from typing import Final

from scanner_station.domain.events import Event, ReaderNotice, ReaderState, StationFault
from scanner_station.service.people import write_if_possible
from scanner_station.service.station import Station
from scanner_station.storage import people as rows

_QUIET_S: Final = 10.0
_MOST_CHARACTERS: Final = 300


class Incidents:
    """Listens to the bus from its making until it is closed.

    While counting stands still nothing can be written, so that it stopped is written once it
    goes on, with its time. A reader with a loose plug is noted once in ten seconds at most.
    """

    def __init__(self, station: Station) -> None:
        """Begin to listen."""
        self._station = station
        # Guards everything below.
        self._lock = threading.Lock()
        self._lost: set[str] = set()
        self._noted_at_s: dict[str, float] = {}
        self._stopped: tuple[datetime, str] | None = None
        self._unsubscribe = station.bus.subscribe(self._hear)

    def close(self) -> None:
        """Listen no more; safe twice."""
        self._unsubscribe()

    def _hear(self, event: Event) -> None:
        match event:
            case ReaderNotice(state=ReaderState.LOST):
                self._lose(event.reader_id)
            case ReaderNotice(state=ReaderState.READY):
                self._find(event.reader_id)
            case StationFault(message=message):
                self._stop_or_go_on(message % event.values if event.values else message)
            case _:
                pass

    def _lose(self, reader: str) -> None:
        now_s = self._station.clock.steady_s()
        with self._lock:
            is_quiet = now_s - self._noted_at_s.get(reader, now_s - _QUIET_S) >= _QUIET_S
            if reader in self._lost or not is_quiet:
                return
            self._lost.add(reader)
            self._noted_at_s[reader] = now_s
        self._note("reader lost", reader)

    def _find(self, reader: str) -> None:
        with self._lock:
            if reader not in self._lost:
                return
            self._lost.remove(reader)
        self._note("reader back", reader)

    def _stop_or_go_on(self, why: str) -> None:
        now = self._station.clock.now()
        with self._lock:
            if why:
                self._stopped = self._stopped or (now, why)
                return
            stopped, self._stopped = self._stopped, None
        if stopped is not None:
            self._note("counting stopped", stopped[1], at=stopped[0])
            self._note("counting goes on", "", at=now)

    def _note(self, what: str, about: str, *, at: datetime | None = None) -> None:
        when = at or self._station.clock.now()
        write_if_possible(
            self._station,
            lambda connection: rows.note(
                connection,
                at=when,
                by=self._station.name,
                what=what,
                about=about[:_MOST_CHARACTERS],
            ),
        )
