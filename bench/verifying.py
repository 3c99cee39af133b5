"""How long the verifier takes, beside hashing the same entries alone, and how much memory.

hashing       every entry and every node of the tree hashed with hashlib, files read, no more
verify        the whole: every byte of every file, signatures, every card, every sum

python bench/verifying.py [--quick] [--data FOLDER]
"""

import argparse
import statistics
import tempfile
import time
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
        print(f"{'entries':>10}  {'what':<8} {'time':>8} {'/ hashing':>10} {'peak MB':>8}")
        for size in SIZES[:1] if arguments.quick else SIZES:
            place = Path(folder) / str(size)
            alone(fill, place, size, further=size // 20)
            took, memory = alone(export, place)
            show(size, "export", took, None, memory)
            hashing = [alone(hash_alone, place) for _ in range(RUNS)]
            bare = statistics.median(seconds for seconds, _ in hashing)
            show(size, "hashing", bare, bare, max(memory for _, memory in hashing))
            verified = [alone(verify_whole, place) for _ in range(RUNS)]
            took = statistics.median(seconds for seconds, _ in verified)
            show(size, "verify", took, bare, max(memory for _, memory in verified))


def export(place: Path) -> tuple[float, float]:
    """Write the bundle; return seconds and peak memory."""
    Station(place).close()
    key = station_key.load(place)
    assert key is not None
    views = Views(place)
    began = time.perf_counter()
    with views.connection() as connection:
        export_bundle(connection, SLUG, key, place / "bundle")
    return time.perf_counter() - began, peak_rss_mb()


def hash_alone(place: Path) -> tuple[float, float]:
    """Read the entries and compute the root, nothing else."""
    began = time.perf_counter()
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
    return time.perf_counter() - began, peak_rss_mb()


def verify_whole(place: Path) -> tuple[float, float]:
    """Verify the bundle."""
    began = time.perf_counter()
    verify(place / "bundle", Asked())
    return time.perf_counter() - began, peak_rss_mb()


def show(size: int, what: str, seconds: float, bare: float | None, memory_mb: float) -> None:
    """Print one line."""
    ratio = f"{seconds / bare:10.2f}" if bare else " " * 10
    print(f"{size:>10,}  {what:<8} {seconds:>8.2f} {ratio} {memory_mb:>8.0f}", flush=True)


if __name__ == "__main__":
    main()
