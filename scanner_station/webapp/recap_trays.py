"""Trays: what a supervisor drops for a recapitulation, until its totals are made.

The files lie in the folder of uploads, readable by this account only, and go with the totals.
"""

import logging
import secrets
import shutil
import threading
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from scanner_station.domain.errors import BatchError, InputError, StationError
from scanner_station.domain.recapitulation import Recapitulation
from scanner_station.exports.recap import RecapAsked, recapitulate
from scanner_station.exports.recap_rows import Json, as_json
from scanner_station.exports.recap_sources import Policies, Source, office_list
from scanner_station.webapp.translate import Language

MOST_FILES: Final = 5000
_MOST_TRAYS: Final = 3
_MOST_BYTES: Final = 4 << 30
_SPARE_BYTES: Final = 1 << 30
"""What must stay free on the disk: the count comes first."""

_log = logging.getLogger(__name__)


class Kind(StrEnum):
    """What a file in a tray is."""

    BUNDLE = "bundle"
    OFFICES = "offices"
    POLICY = "policy"
    OPENINGS = "openings"


class TrayState(StrEnum):
    """How far a tray has come."""

    COLLECTING = "collecting"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"


class _StoppedError(Exception):
    """The application ends while totals are made."""


@dataclass(slots=True)
class Tray:
    """The files of one recapitulation, and then its result. Its thread writes, pages only look."""

    name: str
    files: dict[Kind, list[Source]] = field(default_factory=lambda: {kind: [] for kind in Kind})
    size_bytes: int = 0
    state: TrayState = TrayState.COLLECTING
    done: int = 0
    total: int = 0
    found: Recapitulation | None = None
    error: StationError | None = None
    is_stopped: threading.Event = field(default_factory=threading.Event)

    def advance(self, done: int, total: int) -> None:
        """Note how many bundles are verified; stop where the application ends."""
        if self.is_stopped.is_set():
            raise _StoppedError
        self.done, self.total = done, total

    def empty(self) -> None:
        """Delete what was dropped."""
        for files in self.files.values():
            for file in files:
                file.path.unlink(missing_ok=True)

    def as_json(self, language: Language) -> Json:
        """Return its state; the recapitulation once it is there."""
        return {
            "tray": self.name,
            "state": self.state,
            "files": {kind: len(files) for kind, files in self.files.items()},
            "done": self.done,
            "total": self.total,
            "error": None if self.error is None else language.error(self.error),
            "recap": None if self.found is None else as_json(self.found, language.filled),
        }


class RecapTrays:
    """The newest few trays."""

    def __init__(self, time_zone: ZoneInfo) -> None:
        self._time_zone = time_zone
        # Guards `_trays`, `_threads` and what is in a tray while it collects.
        self._lock = threading.Lock()
        self._trays: dict[str, Tray] = {}
        self._threads: list[threading.Thread] = []

    def new(self) -> Tray:
        """Return an empty tray; the oldest one goes where there are too many.

        Raises:
            InputError: totals are made in all of them.
        """
        tray = Tray(name=secrets.token_hex(8))
        with self._lock:
            idle = [one for one in self._trays.values() if one.state is not TrayState.WORKING]
            if len(self._trays) >= _MOST_TRAYS:
                if not idle:
                    raise InputError("other recapitulations are being made; wait for them")
                idle[0].empty()
                del self._trays[idle[0].name]
            self._trays[tray.name] = tray
        return tray

    def tray(self, name: str) -> Tray:
        """Return a tray.

        Raises:
            BatchError: there is none of this name any more.
        """
        tray = self._trays.get(name)
        if tray is None:
            raise BatchError("this recapitulation is gone; begin again")
        return tray

    def put(self, name: str, kind: str, file_name: str, path: Path) -> Tray:
        """Put a file that has come in into a tray; what is refused is deleted.

        Raises:
            BatchError: the tray is gone, or takes no more files.
            InputError: it is of no kind, or there is too much.
        """
        try:
            tray = self.tray(name)
            if kind not in list(Kind):
                raise InputError("%(kind)s is no kind of file here", kind=kind[:40])
            self._put(tray, Kind(kind), Source(name=file_name, path=path))
        except StationError:
            path.unlink(missing_ok=True)
            raise
        return tray

    def _put(self, tray: Tray, kind: Kind, source: Source) -> None:
        size = source.path.stat().st_size
        with self._lock:
            if tray.state is not TrayState.COLLECTING:
                raise BatchError("these totals are made already; begin again with all files")
            count = sum(map(len, tray.files.values()))
            free = shutil.disk_usage(source.path.parent).free
            if count >= MOST_FILES or tray.size_bytes + size > _MOST_BYTES or free < _SPARE_BYTES:
                raise InputError(
                    "this is more than the station takes at once; use `scanner-station recap` on "
                    "another computer"
                )
            tray.files[kind].append(source)
            tray.size_bytes += size

    def start(self, name: str) -> Tray:
        """Start to make the totals of a tray.

        Raises:
            BatchError: the tray is gone, or was started already.
            InputError: no bundle is in it, or there are several lists of offices.
        """
        tray = self.tray(name)
        with self._lock:
            if tray.state is not TrayState.COLLECTING:
                raise BatchError("these totals are made already; begin again with all files")
            if not tray.files[Kind.BUNDLE]:
                raise InputError("there is no bundle here; drop those that offices sent")
            if len(tray.files[Kind.OFFICES]) > 1:
                raise InputError("there are several lists of offices; give one")
            tray.state = TrayState.WORKING
            self._threads = [one for one in self._threads if one.is_alive()]
            thread = threading.Thread(target=self._run, args=(tray,), name="recap")
            self._threads.append(thread)
        thread.start()
        return tray

    def close(self) -> None:
        """Stop what is at work and delete every file."""
        for tray in list(self._trays.values()):
            tray.is_stopped.set()
        for thread in self._threads:
            thread.join()
        for tray in list(self._trays.values()):
            tray.empty()

    def _run(self, tray: Tray) -> None:
        try:
            tray.found = recapitulate(self._asked(tray), progress=tray.advance)
            tray.state = TrayState.DONE
        except _StoppedError:
            tray.state = TrayState.FAILED
        except StationError as error:
            tray.error, tray.state = error, TrayState.FAILED
        except Exception:  # noqa: BLE001 - nobody else would hear of it, and the page would wait
            _log.exception("a recapitulation")
            tray.error = InputError("the files could not be read; begin again")
            tray.state = TrayState.FAILED
        tray.empty()

    def _asked(self, tray: Tray) -> RecapAsked:
        files = tray.files
        offices = [office_list(file) for file in files[Kind.OFFICES]]
        return RecapAsked(
            bundles=files[Kind.BUNDLE],
            policies=Policies(files[Kind.POLICY], is_for_every_log=len(files[Kind.POLICY]) == 1),
            offices=offices[0] if offices else None,
            openings=files[Kind.OPENINGS],
            time_zone=self._time_zone,
        )
