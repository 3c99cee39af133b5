"""How long the log of a million cards takes to become a file, beside sqlite3's own CSV writer.

The peer is the `sqlite3` command of this machine in its `-csv` mode, which selects the same columns
out of the same file: the same joins, the same values out of the same JSON. It neither defuses
formulas nor synchronises the file.

    python bench/exporting.py [--quick] [--data FOLDER]
"""

import argparse
import sqlite3
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from zoneinfo import ZoneInfo

from filled_station import SLUG, fill
from measuring import alone, disk_of, peak_rss_mb

from scanner_station.exports.columns import ROWS
from scanner_station.exports.log import FORMATS, export
from scanner_station.service.views import Views
from scanner_station.storage.database import FILE_NAME
from scanner_station.storage.entry_key import span_of

TIME_ZONE = "Asia/Makassar"
PEER = "sqlite3 -csv"


def main() -> None:
    """Measure each format and the peer in turns, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="100,000 entries, CSV only, 3 runs")
    parser.add_argument("--data", type=Path, default=Path(), help="a folder on the disk to measure")
    arguments = parser.parse_args()
    entries, runs = (100_000, 3) if arguments.quick else (1_000_000, 5)
    with tempfile.TemporaryDirectory(prefix="bench-exporting-", dir=arguments.data) as name:
        folder = Path(name)
        alone(fill, folder, entries, further=0)
        version = subprocess.run(["sqlite3", "--version"], check=True, capture_output=True)
        print(f"disk {disk_of(folder)}; {entries:,} entries; {runs} runs (Excel: 1), medians")
        print(f"SQLite {sqlite3.sqlite_version}; peer {version.stdout.decode().split()[0]}")
        print(f"{'format':<14} {'s':>7}  ratio              {'MB':>5}  peak MB")
        csv, peer = [], []
        for _ in range(runs):
            peer.append(alone(measure_peer, folder))
            csv.append(alone(measure, folder, "csv"))
        show(PEER, peer, peer)
        show("csv", csv, peer)
        for export_format in () if arguments.quick else FORMATS[1:]:
            times = 1 if export_format == "xlsx" else runs
            others = [alone(measure, folder, export_format) for _ in range(times)]
            show(export_format, others, peer)


def measure(folder: Path, export_format: str) -> tuple[float, float, float]:
    """Return seconds, megabytes written and peak memory in MB of one export."""
    path = folder / f"log.{export_format}"
    began = time.perf_counter()
    with Views(folder).connection() as connection:
        export(connection, SLUG, export_format, path, time_zone=ZoneInfo(TIME_ZONE))
    return time.perf_counter() - began, path.stat().st_size / 1e6, peak_rss_mb()


def measure_peer(folder: Path) -> tuple[float, float, float]:
    """Return the same of the peer."""
    rows = ROWS
    for name, value in {**span_of(1), "manifest": 1, "mark": "null"}.items():
        rows = rows.replace(f":{name}", str(value))
    rows = rows.replace("local_time(body ->> 'at')", "datetime(body ->> 'at', '+8 hours')")
    path = folder / "peer.csv"
    began = time.perf_counter()
    with path.open("wb") as file:
        command = ["sqlite3", "-readonly", "-csv", "-header", str(folder / FILE_NAME), rows]
        subprocess.run(command, check=True, stdout=file)
    if not path.stat().st_size:
        raise AssertionError("the peer found no entry")
    return time.perf_counter() - began, path.stat().st_size / 1e6, peak_rss_mb(children=True)


def show(
    name: str, runs: list[tuple[float, float, float]], peer: list[tuple[float, float, float]]
) -> None:
    """Print one line: medians, and each run against the peer's run beside it."""
    ratios = [mine[0] / theirs[0] for mine, theirs in zip(runs, peer, strict=False)]
    ratio = f"{statistics.median(ratios):5.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
    seconds, size, memory = (statistics.median(values) for values in zip(*runs, strict=True))
    print(f"{name:<14} {seconds:>7.2f}  {ratio:<18} {size:>5.0f}  {memory:>7.0f}", flush=True)


if __name__ == "__main__":
    main()
