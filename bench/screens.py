"""Do 200 witness screens slow a scan, and how late are they? `python -m bench.screens`.

The screens are tablets as the station sees them: each an address of its own (127.1.0.1 ...),
encrypted, signed in as a witness. Those that find a place follow a stream, the others ask once a
second, as the page does. An officer at the station scans 20 cards a second. Three programs share
the cores: station, screens, officer. Beside it: the same scans without any screen, and a bare
cheroot stream that sends as many bytes to as many screens and does nothing else.
"""

import argparse
import asyncio
import multiprocessing
import ssl
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from cheroot import wsgi

from scanner_station.domain.events import EntryRecorded, Event
from scanner_station.webapp.auth import COOKIE
from scanner_station.webapp.context import pages_of
from tests.webapp.running import API_TOKEN, SLUG, RunningStation, nik
from tests.webapp.streams import Caller

LIMIT_MS: Final = 300
SLOTS: Final = 60  # as the settings have it by default
SCANS_PER_S: Final = 20
ASK_S: Final = 1.0
SPAWN: Final = multiprocessing.get_context("spawn")


@dataclass
class Heard:
    """When each screen first knew of an entry: (sequence, monotonic seconds)."""

    streams: list[tuple[int, float]] = field(default_factory=list)
    pollers: list[tuple[int, float]] = field(default_factory=list)
    refused: int = 0


@dataclass
class Round:
    """What one round measured, in ms."""

    scans: list[float]
    streams: list[float]
    pollers: list[float]


# --- the station, in a process of its own ---------------------------------------------------------


def station(folder: Path, screens: int, slots: int, pipe: Connection) -> None:
    """Serve until told to stop, then say when each entry was committed."""
    committed: dict[int, float] = {}

    def note(event: Event) -> None:
        if isinstance(event, EntryRecorded):
            committed[event.sequence] = time.monotonic()

    with RunningStation(folder, slots=slots) as running:
        running.create()
        running.add_people()
        running.station.bus.subscribe(note)
        network = pages_of(running.app).network
        network.start()
        tokens = [running.logins.start_witness(f"Saksi {n}", is_kiosk=True) for n in range(screens)]
        https_port = int(network.https_address.rsplit(":", 1)[1])
        pipe.send((running.server.port, https_port, tokens))
        pipe.recv()
        pipe.send(committed)


def bare(folder: Path, screens: int, slots: int, pipe: Connection) -> None:
    """Serve nothing but streams: each waits for the next bytes and sends them."""
    del folder, slots
    changed = threading.Condition()
    sent: list[bytes] = []
    committed: dict[int, float] = {}
    is_over = threading.Event()

    def follow(_: Any, start_response: Callable[..., Any]) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        last = len(sent)
        yield b": begin\n\n"
        while not is_over.is_set():
            with changed:
                changed.wait_for(lambda: len(sent) > last)  # noqa: B023 - waits here
                news, last = b"".join(sent[last:]), len(sent)
            yield news

    server = wsgi.Server(("127.0.0.1", 0), follow, numthreads=screens + 2)
    server.prepare()
    threading.Thread(target=server.serve, daemon=True).start()
    pipe.send((0, server.bind_addr[1], [""] * screens))
    entry = b"event: entry\nid: %d\ndata: " + b"x" * 400 + b"\n\nevent: tally\ndata: "
    entry += b"x" * 700 + b"\n\n"
    while not pipe.poll(1 / SCANS_PER_S):
        with changed:
            sent.append(entry % len(sent))
            committed[len(sent) - 1] = time.monotonic()
            changed.notify_all()
    pipe.send(committed)
    is_over.set()
    with changed:
        sent.append(b"")
        changed.notify_all()
    server.stop()


# --- the screens, in a process of their own -------------------------------------------------------


def screens(port: int, tokens: list[str], authority: Path | None, pipe: Connection) -> None:
    """Follow with as many screens as there are tokens until told to stop; say what they heard."""
    pipe.send(asyncio.run(_follow_all(port, tokens, authority, pipe)))


async def _follow_all(
    port: int, tokens: list[str], authority: Path | None, pipe: Connection
) -> Heard:
    context = ssl.create_default_context(cafile=str(authority)) if authority else None
    heard = Heard()
    ready = asyncio.Semaphore(0)
    tasks = []
    for number, token in enumerate(tokens):
        tasks.append(asyncio.create_task(_screen(number, port, token, context, heard, ready)))
        await asyncio.sleep(0.01)  # two hundred people do not come in at one instant
    for _ in tokens:
        while ready.locked():
            await asyncio.sleep(0.05)
            for task in tasks:
                if task.done():
                    task.result()  # says what went wrong
        await ready.acquire()
    pipe.send("ready")
    await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return heard


async def _screen(
    number: int,
    port: int,
    token: str,
    context: ssl.SSLContext | None,
    heard: Heard,
    ready: asyncio.Semaphore,
) -> None:
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, local_addr=(f"127.1.0.{number + 1}", 0)
    )
    writer.write(_request(f"/api/batches/{SLUG}/events", token))
    status = await reader.readline()
    if b" 200 " in status:
        await _listen(reader, heard, ready)
    heard.refused += 1
    await _ask(reader, writer, token, heard, ready)


async def _listen(reader: asyncio.StreamReader, heard: Heard, ready: asyncio.Semaphore) -> None:
    ready.release()
    while line := await reader.readline():
        if line.startswith(b"id: "):
            heard.streams.append((int(line[4:]), time.monotonic()))


async def _ask(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    token: str,
    heard: Heard,
    ready: asyncio.Semaphore,
) -> None:
    await _body(reader)  # of the refusal
    since, is_first = -1, True
    while True:
        writer.write(_request(f"/api/batches/{SLUG}/live?since={since}", token))
        if b" 200 " not in (status := await reader.readline()):
            raise ConnectionRefusedError(status)
        newest = int((await _body(reader)).split(b'"newest":')[1].split(b",")[0].split(b"}")[0])
        at = time.monotonic()
        heard.pollers += [(one, at) for one in range(since + 1, newest + 1) if not is_first]
        since = newest
        if is_first:
            ready.release()
            is_first = False
        await asyncio.sleep(ASK_S)


def _request(path: str, token: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {COOKIE}={token}\r\n\r\n".encode()


async def _body(reader: asyncio.StreamReader) -> bytes:
    length = 0
    while (line := await reader.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return await reader.readexactly(length)


# --- a round --------------------------------------------------------------------------------------


def measure(serve: Callable[..., None], *, count: int, slots: int = SLOTS, seconds: float) -> Round:
    """Let `count` screens follow while cards are scanned; return what it took."""
    with tempfile.TemporaryDirectory(dir=".") as name:
        folder = Path(name).resolve() / "data"
        to_station, station_end = SPAWN.Pipe()
        serving = SPAWN.Process(target=serve, args=(folder, count, slots, station_end))
        serving.start()
        port, screens_port, tokens = to_station.recv()
        authority = folder / "https" / "authority.crt" if port else None
        to_screens, screens_end = SPAWN.Pipe()
        following = SPAWN.Process(
            target=screens, args=(screens_port, tokens, authority, screens_end)
        )
        following.start()
        to_screens.recv()
        scans = scan(port, seconds) if port else wait(seconds)
        time.sleep(ASK_S + 0.5)  # until the last of them has asked
        to_screens.send("stop")
        heard = to_screens.recv()
        to_station.send("stop")
        committed = to_station.recv()
        for process in (following, serving):
            process.join()
    return Round(
        scans=scans,
        streams=[(at - committed[one]) * 1000 for one, at in heard.streams if one in committed],
        pollers=[(at - committed[one]) * 1000 for one, at in heard.pollers if one in committed],
    )


def scan(port: int, seconds: float) -> list[float]:
    """Scan cards at the officer's pace; return how long each took, in ms."""
    caller = Caller(port, authorization=f"Bearer {API_TOKEN}")
    took = []
    begun = time.monotonic()
    for number in range(int(seconds * SCANS_PER_S)):
        time.sleep(max(0.0, begun + number / SCANS_PER_S - time.monotonic()))
        at = time.perf_counter()
        caller.scan(nik(number))
        took.append((time.perf_counter() - at) * 1000)
    caller.close()
    return took


def wait(seconds: float) -> list[float]:
    """Let a peer send for so long."""
    time.sleep(seconds)
    return []


def percentile(values: list[float], percent: int) -> float:
    """Return a percentile."""
    return statistics.quantiles(values, n=100)[percent - 1]


def main() -> None:
    """Print how late the screens are and what a scan takes with and without them."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=float, default=15)
    asked = options.parse_args()
    kinds = {
        "no screen": lambda: measure(station, count=0, seconds=asked.seconds),
        "50 streams": lambda: measure(station, count=50, seconds=asked.seconds),
        "200 screens": lambda: measure(station, count=200, seconds=asked.seconds),
        "50 bare streams": lambda: measure(bare, count=50, seconds=asked.seconds),
    }
    rounds: dict[str, list[Round]] = {name: [] for name in kinds}
    for _ in range(asked.rounds):  # in turns, so that a busy machine hits all of them
        for name, run in kinds.items():
            rounds[name].append(run())
    alone = [ms for one in rounds["no screen"] for ms in one.scans]
    peer = [ms for one in rounds["50 bare streams"] for ms in one.streams]
    for name, found in rounds.items():
        for what in ("streams", "pollers", "scans"):
            values = [ms for one in found for ms in getattr(one, what)]
            if not values:
                continue
            p50, p95, p99 = (percentile(values, percent) for percent in (50, 95, 99))
            line = f"{name}, {what}: p50 {p50:.1f}, p95 {p95:.1f}, p99 {p99:.1f} ms ({len(values)})"
            if what == "scans":
                line += f"; {p50 / percentile(alone, 50):.2f} x and "
                line += f"{p95 / percentile(alone, 95):.2f} x no screen"
            elif what == "streams":
                line += f"; p95 {p95 / LIMIT_MS:.2f} of the limit, "
                line += f"{p95 / percentile(peer, 95):.1f} x a bare stream"
            print(line, flush=True)


if __name__ == "__main__":
    main()
