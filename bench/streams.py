"""How much do 50 abandoned event streams slow a scan by HTTP? `python -m bench.streams`.

Half of the streams were left without a goodbye just before the run, half are open and never read,
as of tablets that sleep. Rounds with and without alternate, so that a busy machine hits both.
"""

import contextlib
import statistics
import tempfile
import time
from pathlib import Path

from tests.webapp.running import RunningStation, nik
from tests.webapp.streams import Caller, open_stream, reset

ROUNDS = 5
SCANS = 200
STREAMS = 50
PAUSE_S = 0.01  # a card every 10 ms is fifty officers at one station


def times_ms(streams: int) -> list[float]:
    """Measure scans on a fresh station with so many abandoned streams."""
    with (
        tempfile.TemporaryDirectory(dir=".") as folder,
        RunningStation(Path(folder) / "data", slots=60) as running,
        contextlib.ExitStack() as stack,
    ):
        running.create()
        opened = [open_stream(running.server.port) for _ in range(streams)]
        live = running.app.extensions["scanner_station"].live
        while live.used < streams:
            time.sleep(0.01)
        for one in opened[::2]:
            reset(one)
        for one in opened[1::2]:
            stack.callback(one.close)
        caller = Caller(running.server.port)
        stack.callback(caller.close)
        found = []
        for number in range(SCANS):
            begun = time.perf_counter()
            caller.scan(nik(number))
            found.append((time.perf_counter() - begun) * 1000)
            time.sleep(PAUSE_S)
        return found


def main() -> None:
    """Print p50 and p95 with and without, and their ratio."""
    without: list[float] = []
    beside: list[float] = []
    for _ in range(ROUNDS):
        without += times_ms(0)
        beside += times_ms(STREAMS)
    for name, percent in (("p50", 50), ("p95", 95)):
        alone, crowded = (
            statistics.quantiles(measured, n=100)[percent - 1] for measured in (without, beside)
        )
        print(
            f"{name}: {alone:.2f} ms alone, {crowded:.2f} ms with {STREAMS} abandoned streams: "
            f"{crowded / alone:.2f} x"
        )


if __name__ == "__main__":
    main()
