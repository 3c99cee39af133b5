"""How long totals over many bundles take, and how much memory, beside checking them singly.

hashing       every entry and every node of every bundle's tree hashed with hashlib, no more
recap         every bundle verified and totalled, as the command does
+ openings    the same, and cards counted in two batches looked for
verify        `verify` as a process of its own for each bundle (every tenth one, times ten)

python bench/recap.py [--quick] [--data FOLDER]
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bundles import make_bundle
from measuring import alone, disk_of, peak_rss_mb

from scanner_station.domain import merkle, tiles
from scanner_station.domain.checkpoint import SignedHead
from scanner_station.exports import bundle
from scanner_station.exports.bundle_files import opened
from scanner_station.exports.recap import RecapAsked, recapitulate
from scanner_station.exports.recap_files import write_recap
from scanner_station.exports.recap_sources import Policies, Source, bundles_in

OFFICES, CARDS = 514, 2700
SHARED = 27
"""Cards that each office has in common with the next."""


class Measured(NamedTuple):
    """Time on the clock, of the processor, and the most memory held."""

    seconds: float
    processor_s: float
    memory_mb: float


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="51 bundles only")
    parser.add_argument("--data", type=Path, default=Path(), help="a folder on the disk to measure")
    arguments = parser.parse_args()
    count = OFFICES // 10 if arguments.quick else OFFICES
    with tempfile.TemporaryDirectory(prefix="bench-recap-", dir=arguments.data) as name:
        folder = Path(name)
        for number in range(1, count + 1):
            start = number * (CARDS - SHARED)
            make_bundle(folder / f"{number:03}.zip", number, range(start, start + CARDS))
        size_mb = sum(path.stat().st_size for path in folder.glob("*.zip")) / 1e6
        print(f"disk {disk_of(folder)}; {count} bundles of {CARDS} cards, {size_mb:.0f} MB")
        print(f"{'what':<12} {'time s':>8} {'CPU s':>8} {'/ hashing':>10} {'peak MB':>8}")
        bare = alone(hash_all, folder)
        show("hashing", bare, bare)
        for what, with_openings in (("recap", False), ("+ openings", True)):
            show(what, alone(recap_all, folder, count, with_openings=with_openings), bare)
        show("verify", one_by_one(folder), bare)


def hash_all(folder: Path) -> Measured:
    """Read the entries of every bundle and compute the roots, nothing else."""
    began = begin()
    for path in sorted(folder.glob("*.zip")):
        with opened(path) as files:
            size = SignedHead.parse(files.read(bundle.CHECKPOINT)).checkpoint.size
            frontier = merkle.Frontier()
            for index, width in tiles.widths(size):
                data = files.read(tiles.path(tiles.ENTRIES, index, width))
                leaves = [merkle.leaf_hash(entry) for entry in tiles.unpack_entries(data)]
                if width == tiles.WIDTH:
                    frontier.append(merkle.full_root(leaves), tiles.HEIGHT)
                else:
                    for leaf in leaves:
                        frontier.append(leaf)
            frontier.root()
    return measured(began)


def recap_all(folder: Path, count: int, *, with_openings: bool) -> Measured:
    """Total every bundle and write the paper, the workbook and the CSV file."""
    began = begin()
    found = recapitulate(
        RecapAsked(
            bundles=bundles_in([folder]),
            policies=Policies.at(None),
            openings=[Source.of(path) for path in sorted(folder.glob("*.jsonl"))]
            if with_openings
            else [],
            time_zone=ZoneInfo("Asia/Makassar"),
        )
    )
    for ending in ("csv", "xlsx", "pdf"):
        write_recap(found, folder / f"recap.{ending}")
    took = measured(began)
    assert not found.refused, found.refused[:3]
    assert found.total.burned == count * CARDS
    assert found.twice_count == (SHARED * (count - 1) if with_openings else 0)
    return took


def one_by_one(folder: Path) -> Measured:
    """Return how long a process for each bundle would take: every tenth, times ten."""
    paths = sorted(folder.glob("*.zip"))
    some = paths[::10]
    began = begin(resource.RUSAGE_CHILDREN)
    for path in some:
        subprocess.run(
            [sys.executable, "-m", "scanner_station", "verify", path],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    took = measured(began, resource.RUSAGE_CHILDREN)
    scale = len(paths) / len(some)
    return Measured(took.seconds * scale, took.processor_s * scale, took.memory_mb)


def begin(who: int = resource.RUSAGE_SELF) -> tuple[float, float]:
    """Return what `measured` takes the difference to."""
    return time.perf_counter(), processor_s(who)


def measured(began: tuple[float, float], who: int = resource.RUSAGE_SELF) -> Measured:
    """Return what was used since."""
    return Measured(
        time.perf_counter() - began[0],
        processor_s(who) - began[1],
        peak_rss_mb(children=who == resource.RUSAGE_CHILDREN),
    )


def processor_s(who: int) -> float:
    """Return the processor's time that was used so far."""
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def show(what: str, took: Measured, bare: Measured) -> None:
    """Print one line; the ratio is of the processor's time, which other programs move less."""
    print(
        f"{what:<12} {took.seconds:>8.2f} {took.processor_s:>8.2f} "
        f"{took.processor_s / bare.processor_s:>10.2f} {took.memory_mb:>8.0f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
