import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scanner_station.domain.events import ReaderState
from tests.screenshots import tell
from tests.webapp.running import SLUG, RunningStation, nik
from tests.webapp.streams import Caller, events, open_stream, reset, until

ABANDONED = 50


def live_of(running: RunningStation) -> Any:
    return running.app.extensions["scanner_station"].live


def next_of(stream: Iterator[tuple[str, Any]], *names: str) -> Any:
    """The next event of these names; the entry that opens a log is passed over."""
    return next(data for name, data in stream if name in names and data.get("kind") != "open")


def test_a_stream_tells_entries_masked_and_the_tally_after_them(running: RunningStation) -> None:
    with open_stream(running.server.port) as opened:
        stream = events(opened)
        assert next_of(stream, "tally")["counted"] == 0
        running.scan(nik(3))
        entry = next_of(stream, "entry")
        assert (entry["sequence"], entry["verdict"]) == (1, "counted")
        assert "replayed" not in entry
        assert nik(3) not in str(entry)
        assert entry["masked"].startswith("997104•")
        assert next_of(stream, "tally")["counted"] == 1


def test_a_repeat_carries_its_first_entry(running: RunningStation) -> None:
    running.scan(nik(3))
    with open_stream(running.server.port) as opened:
        stream = events(opened)
        next_of(stream, "tally")
        running.scan(nik(3))
        entry = next_of(stream, "entry")
        assert (entry["verdict"], entry["first"]["sequence"]) == ("already_counted", 1)
        assert entry["first"]["station"] == "station-1"


def test_a_stream_beats_every_two_seconds(running: RunningStation) -> None:
    with open_stream(running.server.port) as opened:
        stream = events(opened)
        first, second = next_of(stream, "beat"), next_of(stream, "beat")
        assert first["at"] < second["at"]


def test_a_page_that_comes_back_gets_what_it_missed_and_knows_it(running: RunningStation) -> None:
    for number in range(5):
        running.scan(nik(number))
    with open_stream(running.server.port, since=2) as opened:
        stream = events(opened)
        missed = [next_of(stream, "entry") for _ in range(3)]
        assert [entry["sequence"] for entry in missed] == [3, 4, 5]
        assert all(entry["replayed"] for entry in missed)


@pytest.mark.parametrize("since", [0, 5000], ids=["far behind", "of another log"])
def test_a_page_that_cannot_catch_up_is_told_to_read_anew(
    running: RunningStation, since: int
) -> None:
    for number in range(205):
        running.scan(nik(number))
    with open_stream(running.server.port, since=since) as opened:
        assert next_of(events(opened), "reset", "entry") == {"newest": 205}


def test_entries_come_in_the_order_of_the_log_from_many_scanners(running: RunningStation) -> None:
    with open_stream(running.server.port) as opened:
        stream = events(opened)
        next_of(stream, "tally")

        def scan(start: int) -> None:
            for number in range(start, start + 20):
                running.scan(nik(number))

        threads = [threading.Thread(target=scan, args=(start,)) for start in (0, 100, 200)]
        for thread in threads:
            thread.start()
        seen = [next_of(stream, "entry")["sequence"] for _ in range(60)]
        assert seen == list(range(1, 61))
        for thread in threads:
            thread.join()


def test_readers_and_batches_are_told(running: RunningStation) -> None:
    with open_stream(running.server.port) as opened:
        stream = events(opened)
        assert next_of(stream, "readers") == {"readers": []}
        next_of(stream, "active")
        tell(running, "serial-1", ReaderState.LOST)
        told = next_of(stream, "readers")["readers"][0]
        assert (told["reader"], told["state"]) == ("serial-1", "lost")
        running.create("lain")
        assert next_of(stream, "active") == {"slug": SLUG}


def test_beyond_the_slots_a_stream_is_refused_and_a_slot_comes_back(tmp_path: Path) -> None:
    with RunningStation(tmp_path / "data", slots=2) as running:
        running.create()
        kept = [open_stream(running.server.port) for _ in range(2)]
        until(lambda: live_of(running).used == 2)
        client = running.app.test_client()
        refused = client.get(f"/api/batches/{SLUG}/events")
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert client.get(f"/api/batches/{SLUG}/live").status_code == 200
        for opened in kept:
            reset(opened)
        until(lambda: live_of(running).used == 0)


def test_a_stream_of_which_nothing_was_sent_gives_its_slot_back(running: RunningStation) -> None:
    client = running.app.test_client()
    with client.head(f"/api/batches/{SLUG}/events") as unread:
        assert unread.status_code == 200
    assert client.get("/api/batches/nowhere/events").status_code == 404
    assert live_of(running).used == 0


def test_scans_go_on_with_fifty_abandoned_streams(tmp_path: Path) -> None:
    with RunningStation(tmp_path / "data", slots=60) as running, contextlib.ExitStack() as stack:
        running.create()
        port = running.server.port
        opened = [open_stream(port) for _ in range(ABANDONED)]
        until(lambda: live_of(running).used == ABANDONED)
        for one in opened[::2]:
            reset(one)
        for one in opened[1::2]:
            stack.callback(one.close)  # never read, never closed
        caller = Caller(port)
        stack.callback(caller.close)
        for number in range(40):
            assert caller.scan(nik(number))["counted"] == number + 1
        until(lambda: live_of(running).used == ABANDONED // 2)


def test_a_station_stops_at_once_with_streams_open(running: RunningStation) -> None:
    with open_stream(running.server.port) as opened:
        stream = events(opened)
        next_of(stream, "beat")
        running.server.stop()
        list(stream)  # ends
        assert not running.server.is_alive()
