"""How long one card takes until it is on disk, beside what the disk itself takes.

Three ways write the same cards, in turns of fifty, on the same disk:

  station       Station.handle: judged, logged, counted, committed with fsync
  append        the same bytes (the entry and its opening) appended to a file, then fdatasync
  sqlite-utils  the same rows by the library's `insert` and `upsert`, one call after the other,
                into an empty file with the same settings

    python bench/scanning.py [--quick] [--pause S] [--data FOLDER]
"""

import argparse
import os
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

import sqlite_utils
from filled_station import SLUG, fill, reading
from measuring import alone, disk_of, peak_rss_mb

from scanner_station.domain.entry import canonical
from scanner_station.service.station import Station

Times = dict[str, list[list[float]]]
"""For each way, for each run, the seconds that each card took."""

EARLIER = (0, 10_000, 100_000, 1_000_000)
WAYS = ("station", "append", "sqlite-utils")
BLOCK = 50
"""Cards that one way writes before it is another's turn: alternating card by card, each way would
run with the processor's caches as another left them."""


def main() -> None:
    """Measure at each number of earlier scans and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer cards, at most 10,000 earlier")
    parser.add_argument(
        "--pause", type=float, default=0, metavar="S", help="rest before each card, as hands do"
    )
    parser.add_argument("--data", type=Path, default=Path(), help="a folder on the disk to measure")
    arguments = parser.parse_args()
    runs, cards = (3, 200) if arguments.quick else (5, 1000)
    with tempfile.TemporaryDirectory(prefix="bench-scanning-", dir=arguments.data) as folder:
        print(f"disk {disk_of(Path(folder))}, SQLite {sqlite3.sqlite_version}")
        print(
            f"{runs} runs of {cards} cards, {arguments.pause} s of rest before each; times in ms; "
            "medians of the runs; range of the ratio"
        )
        print(f"{'earlier':>9}  {'way':<12} {'p50':>7} {'p95':>7}  p50 / append       peak MB")
        for earlier in EARLIER[:2] if arguments.quick else EARLIER:
            place = Path(folder) / str(earlier)
            others = alone(fill, place, earlier, further=runs * cards + 1)
            times, memory = alone(measure, place, others, runs, arguments.pause)
            show(earlier, times, memory)


def measure(folder: Path, numbers: list[int], runs: int, pause_s: float) -> tuple[Times, float]:
    """Write cards in every way, the ways in turns; also return the peak memory in MB.

    A disk and a processor that have rested answer later than busy ones: `pause_s` lets them.

    The first card, which also writes the opening entry, is not measured.
    """
    first, *rest = numbers
    ways = Ways(folder, first)
    times: Times = {way: [[] for _ in range(runs)] for way in WAYS}
    blocks = [rest[start : start + BLOCK] for start in range(0, len(rest), BLOCK)]
    for turn, block in enumerate(blocks):
        cards = [reading(number) for number in block]
        # Whoever comes second finds the disk busier or warmer: each way comes first as often.
        start = turn % len(WAYS)
        for way in WAYS[start:] + WAYS[:start]:
            for ways.card in cards:
                if pause_s:  # even a sleep of 0 s lets the processor rest, and both begin cold
                    time.sleep(pause_s)
                began = time.perf_counter()
                ways.write(way)
                times[way][turn * runs // len(blocks)].append(time.perf_counter() - began)
    ways.station.close()
    return times, peak_rss_mb()


class Ways:
    """The three ways to write `card`; the peers write the bytes of the station's newest entry."""

    def __init__(self, folder: Path, first: int) -> None:
        self.card = reading(first)
        self.station = Station(folder)
        self._log = os.open(folder / "append.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._naive = sqlite_utils.Database(folder / "naive.sqlite3")
        self._naive.enable_wal()
        self._naive.execute("pragma synchronous = full")
        self._recorded = self.station.handle(SLUG, self.card, by="bench")

    def write(self, way: str) -> None:
        """Write one card durably."""
        match way:
            case "station":
                self._recorded = self.station.handle(SLUG, self.card, by="bench")
                if self._recorded.body["verdict"] != "counted":
                    raise AssertionError("every card here must be counted")
            case "append":
                opening = self._recorded.identifier.encode() + self.card.payload
                os.write(self._log, canonical(self._recorded.body).encode() + opening)
                os.fdatasync(self._log)
            case "sqlite-utils":
                self._insert()

    def _insert(self) -> None:
        body, identifier = self._recorded.body, self._recorded.identifier
        sequence, piece = self._recorded.sequence, {"identifier": self.card.payload.decode()}
        known = self._naive.table("piece")
        if known.exists() and next(known.rows_where("identifier = :identifier", piece), None):
            return
        key = {"sequence": sequence}
        opening = {"identifier": identifier, "payload": self.card.payload}
        self._naive.table("entry").insert(key | {"body": canonical(body)} | opening)
        known.insert(piece | key, pk="identifier")
        place = {"category": body["category"], "district": body["district"]}
        self._naive.table("tally").upsert(
            place | {"total": self._recorded.counted}, pk=("category", "district")
        )


def show(earlier: int, times: Times, memory_mb: float) -> None:
    """Print one size: medians over the runs of each run's percentiles and ratios."""
    for way in WAYS:
        p50 = [statistics.median(run) * 1000 for run in times[way]]
        p95 = [statistics.quantiles(run, n=20)[-1] * 1000 for run in times[way]]
        bare = [statistics.median(run) * 1000 for run in times["append"]]
        ratios = [mine / theirs for mine, theirs in zip(p50, bare, strict=True)]
        ratio = f"{statistics.median(ratios):5.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        print(
            f"{earlier:>9,}  {way:<12} {statistics.median(p50):>7.3f}"
            f" {statistics.median(p95):>7.3f}  {ratio:<18} {memory_mb:>7.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
