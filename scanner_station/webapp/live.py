"""Live pages: one thread follows the log and prepares what every stream then sends.

A bus event only wakes it; what is sent is read from committed entries, in the log's order. So a
page can show nothing that is not on disk, and a stream that fell behind reads the log itself.
"""

import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from scanner_station.domain.entry import timestamp
from scanner_station.domain.errors import StationError
from scanner_station.domain.events import (
    BatchChanged,
    EntryRecorded,
    Event,
    ReaderNotice,
    StationFault,
)
from scanner_station.service import views
from scanner_station.service.delivery import KEY_SHOWN, UNSURE
from scanner_station.service.station import Station
from scanner_station.service.views import Json, Views
from scanner_station.webapp.live_events import entries_for_screens, event

BEAT_S: Final = 1.5
"""A page that hears nothing for longer shows that its numbers are old."""

REPLAY_MOST: Final = 200
"""A page that missed more entries reads the batch anew."""

_SETTLE_S: Final = 0.008  # the answer to the scan itself goes out before fifty screens do
_TICK_S: Final = 0.05  # twenty pictures a second are enough for people
_ROUND_S: Final = 1.0
_STUCK_S: Final = 3.0  # a thread that has not gone round for so long no longer follows the log
_STREAM_LIFE_S: Final = 300.0  # then the page connects anew; a sleeping tablet's slot comes free

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Channel:
    """The newest of one batch, ready to send. Guarded by `Live._changed`."""

    newest: int
    entries: deque[tuple[int, bytes]] = field(default_factory=lambda: deque(maxlen=REPLAY_MOST))
    tally: Json = field(default_factory=dict)
    tally_bytes: bytes = b""
    version: int = 0


class Live:
    """Follows the log and lends stream slots."""

    def __init__(self, station: Station, views_: Views, *, slots: int) -> None:
        """Listen to the station from now on; create it before the readers start."""
        self.slots = slots
        self._station = station
        self._views = views_
        self._free = threading.Semaphore(slots)
        self._used = 0
        self._heard: deque[Event] = deque()
        self._signal = threading.Event()
        # Guards everything below; streams wait on it.
        self._changed = threading.Condition()
        self._channels: dict[str, Channel] = {}
        self._readers: dict[str, Json] = {}
        self._status: dict[str, Json] = {"readers": {"readers": []}, "fault": _fault_of(station)}
        self._status_bytes: dict[str, tuple[int, bytes]] = {}
        self._is_closed = False
        self._went_round_at_s = time.monotonic()
        self._refresh_status("readers", "fault", "active")
        self._unsubscribe = station.bus.subscribe(self._hear)
        self._thread = threading.Thread(target=self._follow, name="live", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End all streams and stop following; safe twice."""
        self._unsubscribe()
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._signal.set()
        self._thread.join()

    @property
    def is_stuck(self) -> bool:
        """Whether the log is no longer followed: a beat would say that old numbers are live."""
        return time.monotonic() - self._went_round_at_s > _STUCK_S

    @property
    def used(self) -> int:
        """How many streams are open."""
        return self._used

    # --- following the log -----------------------------------------------------------------

    def _hear(self, heard: Event) -> None:
        # On the writer's thread: nothing here may wait.
        self._heard.append(heard)
        self._signal.set()

    def _follow(self) -> None:
        while True:
            was_told = self._signal.wait(_ROUND_S)
            self._went_round_at_s = time.monotonic()
            if not was_told:
                continue
            time.sleep(_SETTLE_S)
            self._signal.clear()
            if self._is_closed:  # looked at after the clearing, which may have swallowed `close`
                return
            try:
                self._take_in()
            except (StationError, sqlite3.Error):
                # Every stream ends: a page must say that it is stale rather than look alive.
                _log.exception("the live pages could not read the log")
                with self._changed:
                    self._channels.clear()
                    self._changed.notify_all()
            time.sleep(_TICK_S - _SETTLE_S)

    def _take_in(self) -> None:
        touched: set[str] = set()
        status: set[str] = set()
        while self._heard:
            match self._heard.popleft():
                case EntryRecorded(batch=slug):
                    touched.add(slug)
                case BatchChanged(batch=slug):
                    touched.add(slug)
                    status.add("active")
                case ReaderNotice() as notice:
                    self._note_reader(notice)
                    status.add("readers")
                case StationFault(message=message, values=values):
                    self._status["fault"] = {"message": message, "values": _plain(values)}
                    status |= {"fault", "active"}
        fresh = {slug: self._read(slug) for slug in touched if slug in self._channels}
        with self._changed:
            for slug, (new_entries, tally) in fresh.items():
                self._add(slug, new_entries, tally)
            self._refresh_status(*status)
            self._changed.notify_all()

    def _read(self, slug: str) -> tuple[list[tuple[int, bytes]], Json]:
        with self._views.connection() as connection:
            since = self._channels[slug].newest + 1
            found = [
                (entry["sequence"], event("entry", entry, entry["sequence"]))
                for entry in entries_for_screens(connection, slug, since=since)
            ]
            return found, views.summary(connection, slug)  # type: ignore[return-value]  # ints

    def _add(self, slug: str, new_entries: list[tuple[int, bytes]], tally: Json) -> None:
        channel = self._channels.get(slug)
        if channel is None:
            return
        channel.entries.extend(new_entries)
        if new_entries:
            channel.newest = new_entries[-1][0]
        channel.tally, channel.tally_bytes = tally, event("tally", tally)
        channel.version += 1

    def _note_reader(self, notice: ReaderNotice) -> None:
        known = self._readers.setdefault(
            notice.reader_id, {"reader": notice.reader_id, "state": "opening"}
        )
        said: Json = {"message": notice.message, "values": dict(notice.values)}
        if notice.state is None:
            said["at"] = timestamp(self._station.clock.now())
            said["offers"] = notice.message in (UNSURE, KEY_SHOWN)
            known["hint"] = said
        else:
            known |= {"state": notice.state, **said}
        self._status["readers"] = {"readers": [dict(one) for one in self._readers.values()]}

    def _refresh_status(self, *names: str) -> None:
        for name in names:
            if name == "active":
                self._status["active"] = {"slug": self._active_slug()}
            version = self._status_bytes.get(name, (0, b""))[0] + 1
            self._status_bytes[name] = (version, event(name, self._status[name]))

    def _active_slug(self) -> str:
        with self._views.connection() as connection:
            return views.active_slug(connection)

    # --- what pages get --------------------------------------------------------------------

    def status(self) -> Json:
        """Return readers, fault and active batch as they are now, before any stream tells them."""
        with self._changed:
            readers = self._status["readers"]
        return {
            "readers": readers,
            "fault": _fault_of(self._station),
            "active": {"slug": self._active_slug()},
        }

    def picture(self, slug: str, since: int | None, *, count: int = 10) -> Json:
        """Return what a stream would tell at once: for pages that load, or that must poll.

        `since`: the last entry the page has; None for the newest `count` entries.

        Raises:
            BatchError: there is no such batch.
        """
        with self._views.connection() as connection:
            tally = views.summary(connection, slug)
            newest = int(str(tally["entries"])) - 1
            start = max(0, newest + 1 - count) if since is None else since + 1
            is_reset = since is not None and not 0 <= newest - since <= REPLAY_MOST
            found = [] if is_reset else list(entries_for_screens(connection, slug, since=start))
            last = views.last_counted(connection, slug) if since is None else None
        for entry in found:
            entry["replayed"] = since is None
        return {"entries": found, "reset": is_reset, "tally": tally, "newest": newest} | {
            "last_counted": views.entry_as_json(last.body, last.identifier) if last else None,
            "at": timestamp(self._station.clock.now()),
            **self.status(),
        }

    def open_stream(
        self, slug: str, since: int | None, *, is_wanted: Callable[[], bool] = lambda: True
    ) -> "Stream | None":
        """Return a stream of one batch after entry `since`, or None when there is none to have.

        It ends when `is_wanted` no longer holds, asked at every beat: whoever follows may
        have been signed out.

        Raises:
            BatchError: there is no such batch.
        """
        if self.is_stuck or not self._free.acquire(blocking=False):
            return None
        try:
            newest = self._ensure_channel(slug)
        except BaseException:
            self._free.release()
            raise
        with self._changed:
            self._used += 1
        return Stream(self, slug, newest if since is None else since, is_wanted)

    def _ensure_channel(self, slug: str) -> int:
        """Start to keep a batch's newest, if nobody watches it yet; return its newest entry."""
        with self._changed:
            if slug not in self._channels:
                with self._views.connection() as connection:
                    tally = views.summary(connection, slug)
                newest = int(str(tally["entries"])) - 1
                self._channels[slug] = Channel(newest=newest)
                self._add(slug, [], tally)
            return self._channels[slug].newest

    def release(self) -> None:
        """Give a stream's slot back."""
        with self._changed:
            self._used -= 1
        self._free.release()

    def replay(self, slug: str, since: int) -> tuple[int, bytes]:
        """Return the newest entry and the events of a page that has entries up to `since`."""
        picture = self.picture(slug, since)
        newest = int(str(picture["newest"]))
        if picture["reset"]:
            return newest, event("reset", {"newest": newest})
        found = picture["entries"]
        events = [
            event("entry", entry | {"replayed": True}, int(entry["sequence"]))
            for entry in (found if isinstance(found, list) else [])
        ]
        return newest, b"".join(events)

    def next_for(
        self, slug: str, last: int, seen: dict[str, int], wait_s: float
    ) -> tuple[int, bytes | None]:
        """Wait for news after entry `last`; return the newest entry sent and the bytes to send.

        The bytes are b'' when nothing happened in `wait_s`, None when the stream has to end.
        `seen` holds which version of each state was sent, and is brought up to date.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._has_news(slug, last, seen), wait_s)
            channel = self._channels.get(slug)
            if self._is_closed or channel is None:
                return last, None
            oldest = channel.entries[0][0] if channel.entries else channel.newest + 1
            is_behind = last + 1 < oldest and last < channel.newest
            parts = [] if is_behind else [data for number, data in channel.entries if number > last]
            newest = channel.newest
            if seen.get("tally") != channel.version:
                seen["tally"] = channel.version
                parts.append(channel.tally_bytes)
            for name, (version, data) in self._status_bytes.items():
                if seen.get(name) != version:
                    seen[name] = version
                    parts.append(data)
        if is_behind:
            newest, missed = self.replay(slug, last)
            parts.insert(0, missed)
        return max(newest, last), b"".join(parts)

    def _has_news(self, slug: str, last: int, seen: dict[str, int]) -> bool:
        channel = self._channels.get(slug)
        if self._is_closed or channel is None:
            return True
        return (
            channel.newest > last
            or seen.get("tally") != channel.version
            or any(seen.get(name) != kept[0] for name, kept in self._status_bytes.items())
        )

    def beat(self) -> bytes:
        """Return a heartbeat with the station's time."""
        return event("beat", {"at": timestamp(self._station.clock.now())})


class Stream:
    """One page's event stream: an iterable of bytes that holds a slot until it is closed.

    A class and not a generator: the slot must come back even if nothing was ever sent.
    """

    def __init__(self, live: Live, slug: str, since: int, is_wanted: Callable[[], bool]) -> None:
        self._is_wanted = is_wanted
        self._live = live
        self._slug = slug
        self._last = since
        self._seen: dict[str, int] = {}
        self._has_begun = False
        self._ends_at_s = time.monotonic() + _STREAM_LIFE_S
        self._beat_at_s = 0.0
        self._lock = threading.Lock()
        self._is_open = True

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if not self._has_begun:
            self._has_begun = True
            self._last, missed = self._live.replay(self._slug, self._last)
            self._beat_at_s = time.monotonic() + BEAT_S
            return b"retry: 1000\n\n" + missed + self._live.beat()
        now_s = time.monotonic()
        if now_s > self._ends_at_s:
            raise StopIteration
        self._last, news = self._live.next_for(
            self._slug, self._last, self._seen, max(0.0, self._beat_at_s - now_s)
        )
        if news is None:
            raise StopIteration
        if time.monotonic() >= self._beat_at_s:
            if self._live.is_stuck or not self._is_wanted():
                raise StopIteration
            self._beat_at_s = time.monotonic() + BEAT_S
            news += self._live.beat()
        return news

    def close(self) -> None:
        """Give the slot back; safe twice."""
        with self._lock:
            was_open, self._is_open = self._is_open, False
        if was_open:
            self._live.release()


def _fault_of(station: Station) -> Json:
    fault = station.fault
    if fault is None:
        return {"message": "", "values": {}}
    return {"message": fault.message, "values": _plain(fault.values)}


def _plain(values: dict[str, object]) -> dict[str, object]:
    return {
        name: value if isinstance(value, int | str) else str(value)
        for name, value in values.items()
    }
