"""How long the verifier takes, beside hashing the same entries alone, and how much memory.

hashing       every entry and every node of the tree hashed with hashlib, files read, no more
verify        the whole: every byte of every file, signatures, every card, every sum

In turns; by the time of all processors together, which other programs disturb less, and by the
clock. Hashing alone has one process; verifying has a second one for long logs, whose time and
memory are added.

python bench/verifying.py [--quick] [--data FOLDER]
"""

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from filled_station import SLUG, fill
from measuring import alone, disk_of, peak_rss_mb

from scanner_station.domain import merkle, tiles
from scanner_station.domain.checkpoint import SignedHead
from scanner_station.exports.bundle import export_bundle
from scanner_station.exports.verification import Asked, verify
from scanner_station.service.station import Station
from scanner_station.service.views import Views
from scanner_station.storage import station_key

Taken = tuple[float, float, float]
"""Seconds of all processors, seconds on the clock, most memory in 10^6 bytes."""

SIZES = (25_000, 1_400_000)
RUNS = 3


def main() -> None:
    """Measure at each size and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="25,000 entries only")
    parser.add_argument("--data", type=Path, default=Path(), help="a folder on the disk to measure")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-verifying-", dir=arguments.data) as folder:
        print(f"disk {disk_of(Path(folder))}; {RUNS} runs, medians; times in s")
        print(
            f"{'entries':>10}  {'what':<8} {'processor':>9} {'/ hashing':>10} {'clock':>8}"
            f" {'/ hashing':>10} {'peak MB':>8}"
        )
        for size in SIZES[:1] if arguments.quick else SIZES:
            place = Path(folder) / str(size)
            alone(fill, place, size, further=size // 20)
            show(size, "export", alone(export, place))
            compare(size, place)


def compare(size: int, place: Path) -> None:
    """Measure on the bundle in a folder and print two lines."""
    pairs = [(alone(hash_alone, place), alone(verify_whole, place)) for _ in range(RUNS)]
    hashing, verifying = (_median(runs) for runs in zip(*pairs, strict=True))
    show(size, "hashing", hashing)
    show(size, "verify", verifying, hashing)


def _median(runs: Sequence[Taken]) -> Taken:
    columns = list(zip(*runs, strict=True))
    return statistics.median(columns[0]), statistics.median(columns[1]), max(columns[2])


def export(place: Path) -> Taken:
    """Write the bundle."""
    Station(place).close()
    key = station_key.load(place)
    assert key is not None
    views = Views(place)
    began = _now()
    with views.connection() as connection:
        export_bundle(connection, SLUG, key, place / "bundle")
    return _since(began)


def hash_alone(place: Path) -> Taken:
    """Read the entries and compute the root, nothing else."""
    began = _now()
    bundle = place / "bundle"
    size = SignedHead.parse((bundle / "checkpoint").read_bytes()).checkpoint.size
    frontier = merkle.Frontier()
    for index, width in tiles.widths(size):
        data = (bundle / tiles.path(tiles.ENTRIES, index, width)).read_bytes()
        leaves = [merkle.leaf_hash(entry) for entry in tiles.unpack_entries(data)]
        if width == tiles.WIDTH:
            frontier.append(merkle.full_root(leaves), tiles.HEIGHT)
        else:
            for leaf in leaves:
                frontier.append(leaf)
    frontier.root()
    return _since(began)


def verify_whole(place: Path) -> Taken:
    """Verify the bundle."""
    began = _now()
    verify(place / "bundle", Asked())
    return _since(began)


def _now() -> tuple[float, float]:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used), time.perf_counter()


def _since(began: tuple[float, float]) -> Taken:
    processor, clock = _now()
    peak = peak_rss_mb() + peak_rss_mb(children=True)
    return processor - began[0], clock - began[1], peak


def show(size: int, what: str, taken: Taken, bare: Taken | None = None) -> None:
    """Print one line."""
    ratios = [f"{one / other:10.2f}" for one, other in zip(taken, bare or (), strict=False)]
    processor, clock = ratios[:2] or (" " * 10, " " * 10)
    print(
        f"{size:>10,}  {what:<8} {taken[0]:>9.2f} {processor} {taken[1]:>8.2f} {clock}"
        f" {taken[2]:>8.0f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
