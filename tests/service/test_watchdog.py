"""What systemd hears from a station, over a real notification socket."""

import os
import socket
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner_station.service.watchdog import Watchdog


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[socket.socket]:
    name = str(tmp_path / "n") if request.param == "path" else f"\0{uuid.uuid4()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(name)
        listening.settimeout(20)
        yield listening


def environ(manager: socket.socket, **more: str) -> dict[str, str]:
    name = manager.getsockname()
    text = "@" + name[1:].decode() if isinstance(name, bytes) else name
    return {"NOTIFY_SOCKET": text, **more}


def heard(manager: socket.socket) -> str:
    return manager.recv(4096).decode()


def nothing_more_is_heard(manager: socket.socket) -> bool:
    manager.setblocking(False)
    try:
        return not manager.recv(4096)
    except BlockingIOError:
        return True


def test_systemd_hears_that_the_station_is_ready_and_that_it_stops(manager: socket.socket) -> None:
    watchdog = Watchdog(is_alive=lambda: True, environ=environ(manager))
    watchdog.start("counting at\nhttp://127.0.0.1:8080/")
    watchdog.status("batch kupang-2018")
    watchdog.stop()
    watchdog.stop()

    assert heard(manager) == "READY=1\nSTATUS=counting at http://127.0.0.1:8080/"
    assert heard(manager) == "STATUS=batch kupang-2018"
    assert heard(manager) == "STOPPING=1"
    assert nothing_more_is_heard(manager)


def test_a_living_station_pings(manager: socket.socket) -> None:
    watchdog = Watchdog(is_alive=lambda: True, environ=environ(manager, WATCHDOG_USEC="2000"))
    watchdog.start()
    first = [heard(manager) for _ in range(3)]
    watchdog.stop()

    assert first == ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]


def test_a_station_that_hangs_pings_no_more(manager: socket.socket) -> None:
    asked = threading.Semaphore(0)

    def hangs() -> bool:
        asked.release()
        return False

    watchdog = Watchdog(is_alive=hangs, environ=environ(manager, WATCHDOG_USEC="2000"))
    watchdog.start()
    assert all(asked.acquire(timeout=20) for _ in range(3))
    watchdog.stop()

    assert [heard(manager), heard(manager)] == ["READY=1", "STOPPING=1"]


@pytest.mark.parametrize(
    "waits",
    [
        {},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "2000", "WATCHDOG_PID": str(os.getpid() + 1)},
    ],
    ids=["no_watchdog", "not_a_number", "zero", "another_process"],
)
def test_nobody_who_waits_for_no_ping_gets_one(
    manager: socket.socket, waits: dict[str, str]
) -> None:
    before = threading.active_count()
    watchdog = Watchdog(is_alive=lambda: True, environ=environ(manager, **waits))
    watchdog.start()

    assert threading.active_count() == before
    watchdog.stop()
    assert [heard(manager), heard(manager)] == ["READY=1", "STOPPING=1"]


def test_without_systemd_nothing_happens() -> None:
    watchdog = Watchdog(is_alive=lambda: True, environ={"WATCHDOG_USEC": "2000"})
    watchdog.start("ready")
    watchdog.status("still")
    watchdog.stop()


def test_a_service_manager_that_went_away_does_not_stop_the_station(tmp_path: Path) -> None:
    watchdog = Watchdog(
        is_alive=lambda: True, environ={"NOTIFY_SOCKET": str(tmp_path / "nobody-listens")}
    )
    watchdog.start()
    watchdog.stop()
