"""How long totals over many bundles take, and how much memory, beside checking them singly.

hashing       every entry and every node of every bundle's tree hashed with hashlib, no more
recap         every bundle verified and totalled, as the command does
+ openings    the same, and cards counted in two batches looked for
verify        `verify` as a process of its own for each bundle (every tenth one, times ten)

python bench/recap.py [--quick] [--data FOLDER]
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
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
        print(f"{'what':<12} {'time s':>8} {'/ hashing':>10} {'peak MB':>8}")
        bare, memory = alone(hash_all, folder)
        show("hashing", bare, bare, memory)
        for what, with_openings in (("recap", False), ("+ openings", True)):
            took, memory = alone(recap_all, folder, count, with_openings=with_openings)
            show(what, took, bare, memory)
        took = one_by_one(folder)
        show("verify", took, bare, peak_rss_mb(children=True))


def hash_all(folder: Path) -> tuple[float, float]:
    """Read the entries of every bundle and compute the roots, nothing else."""
    began = time.perf_counter()
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
    return time.perf_counter() - began, peak_rss_mb()


def recap_all(folder: Path, count: int, *, with_openings: bool) -> tuple[float, float]:
    """Total every bundle and write the paper, the workbook and the CSV file."""
    began = time.perf_counter()
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
    took = time.perf_counter() - began
    assert not found.refused, found.refused[:3]
    assert found.total.burned == count * CARDS
    assert found.twice_count == (SHARED * (count - 1) if with_openings else 0)
    return took, peak_rss_mb()


def one_by_one(folder: Path) -> float:
    """Return how long a process for each bundle would take: every tenth, times ten."""
    paths = sorted(folder.glob("*.zip"))
    some = paths[::10]
    began = time.perf_counter()
    for path in some:
        subprocess.run(
            [sys.executable, "-m", "scanner_station", "verify", path],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return (time.perf_counter() - began) * len(paths) / len(some)


def show(what: str, seconds: float, bare: float, memory_mb: float) -> None:
    """Print one line."""
    print(f"{what:<12} {seconds:>8.2f} {seconds / bare:>10.2f} {memory_mb:>8.0f}", flush=True)


if __name__ == "__main__":
    main()
