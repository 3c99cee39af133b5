"""How long a validated manifest import takes, against `sqlite3 .import` without validation.

    .venv/bin/python -m bench.importing [--lines N] [--runs N] [--folder DIR]

The peer is the sqlite3 command: `.import` of the same file into a table, then a unique index, in
write-ahead-log mode with full synchronisation as the station's own file has it, and once more as
the command does by default. Ours is the whole path: check, then write, in a process of its own.
Runs are interleaved; medians of wall and processor time are printed as ratios, with the peak
memory of each process. `refused` files hold bad lines: the check lists them and nothing is written.
"""

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bench.measuring import disk_of

LINES = 1_378_146
DISTRICTS = 40
CATEGORIES = ("rusak", "invalid", "pindah datang", "meninggal", "perubahan elemen data")
ORDERS = ("shuffled", "sorted", "refused")
HEADER = "nik,nama,alamat,kecamatan,kategori\n"


class Cost(NamedTuple):
    """What one process took."""

    wall_s: float
    cpu_s: float
    peak_mib: float


def identifiers(lines: int, random_source: random.Random) -> list[str]:
    """Return distinct well-formed numbers of a province that does not exist."""
    # Counted up through all areas, birth dates and serials in steps that never meet.
    numbers = []
    for index in range(lines):
        area, rest = divmod(index, 336 * 37)
        birth, serial = divmod(rest, 37)
        month, day = divmod(birth, 28)
        woman = 40 * (index % 2)
        year, serial = (index * 7) % 50 + 50, serial * 9 + index % 9 + 1
        numbers.append(
            f"99{area // 40 + 1:02d}{area % 40 + 1:02d}{day + 1 + woman:02d}{month + 1:02d}"
            f"{year:02d}{serial:04d}"
        )
    random_source.shuffle(numbers)
    return numbers


def write_manifest(path: Path, numbers: list[str], random_source: random.Random) -> None:
    """Write one line a number, names and addresses made up."""
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER)
        for number in numbers:
            pick = random_source.random()
            house, name = int(pick * 300), int(pick * 99_991)
            file.write(
                f'{number},NAMA CONTOH {name},"JL. CONTOH {house} RT {house % 9 + 1:03d}, RW '
                f'{name % 9 + 1:03d}",KECAMATAN {name % DISTRICTS + 1},'
                f"{CATEGORIES[name % len(CATEGORIES)]}\n"
            )


def generate(path: Path, order: str, lines: int) -> None:
    """Write one of the files; in a process of its own, whose memory then weighs on nobody."""
    source = random.Random(0)
    numbers = identifiers(lines, source)
    match order:
        case "sorted":
            numbers.sort()
        case "refused":
            numbers = spoiled(numbers)
    write_manifest(path, numbers, source)


def spoiled(numbers: list[str]) -> list[str]:
    """Return the numbers with every twentieth damaged, each in one of five ways."""
    ways = (
        lambda text: text[:15],
        lambda text: f"{text[0]}.{text[1:6]}E+15",
        lambda text: text[:6] + "9913" + text[10:],
        lambda _: "",
        lambda text: text.replace("0", "O"),
    )
    return [
        ways[index // 20 % 5](number) if index % 20 == 0 else number
        for index, number in enumerate(numbers)
    ]


def measured(command: list[str], text: str = "") -> Cost:
    """Run a command to its end and return what it took; its output goes nowhere."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(text)
    process.stdin.close()
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    wall = time.perf_counter() - start
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def peer(folder: Path, manifest: Path, *, like_ours: bool) -> Cost:
    """Import with the sqlite3 command, with the station's durability or its own defaults."""
    database = fresh(folder / "peer") / "peer.sqlite3"
    pragmas = "pragma journal_mode = wal;\npragma synchronous = full;\n" if like_ours else ""
    script = (
        f"{pragmas}create table line (identifier text, name text, address text, district text,"
        f" category text);\n.import --csv --skip 1 '{manifest}' line\n"
        "create unique index line_identifier on line (identifier);\n"
    )
    return measured(["sqlite3", str(database)], script)


def ours(folder: Path, manifest: Path) -> Cost:
    """Import with the station's own check and write, on a new data folder."""
    data = fresh(folder / "ours")
    return measured([sys.executable, "-m", "bench.importing", "--child", str(data), str(manifest)])


def fresh(folder: Path) -> Path:
    """Return the folder, emptied."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def child(data: Path, manifest: Path) -> None:
    """Do one import; this is what the measured process runs."""
    from scanner_station.domain.identifier import Schemes
    from scanner_station.storage import checked_manifest, manifests
    from scanner_station.storage.database import Database

    database = Database(data)
    checked = checked_manifest.check(manifest, manifest.name, Schemes(), folder=data)
    if checked.report.is_clean:
        manifests.write(database.transaction, checked, imported_at="", imported_by="bench")
    database.close()


def zip_bombs(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield a workbook that says it is huge, and one that lies about it."""
    honest = folder / "honest_bomb.xlsx"
    with zipfile.ZipFile(honest, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            for _ in range(300):
                sheet.write(bytes(1 << 20))
    yield "zip bomb", honest
    lying = folder / "lying_bomb.xlsx"
    size = (300 << 20).to_bytes(4, "little")
    lying.write_bytes(honest.read_bytes().replace(size, (1 << 16).to_bytes(4, "little")))
    yield "zip bomb that lies about its size", lying


def table(folder: Path, name: str, manifest: Path, runs: int) -> None:
    """Print one file's ratios."""
    kinds = {
        "sqlite3 .import, as durable": lambda: peer(folder, manifest, like_ours=True),
        "sqlite3 .import, its defaults": lambda: peer(folder, manifest, like_ours=False),
        "ours": lambda: ours(folder, manifest),
    }
    costs: dict[str, list[Cost]] = {kind: [] for kind in kinds}
    for _ in range(runs):
        for kind, run in kinds.items():
            costs[kind].append(run())
    medians = {
        kind: Cost(*(statistics.median(values) for values in zip(*runs_of, strict=True)))
        for kind, runs_of in costs.items()
    }
    print(f"\n{name}, {manifest.stat().st_size / 1e6:.0f} MB, medians of {runs}")
    mine = medians["ours"]
    for kind, cost in medians.items():
        print(
            f"  {kind:30} wall {cost.wall_s:6.2f} s  cpu {cost.cpu_s:6.2f} s  peak "
            f"{cost.peak_mib:4.0f} MiB   ours is {mine.wall_s / cost.wall_s:.2f}x (cpu "
            f"{mine.cpu_s / cost.cpu_s:.2f}x)"
        )


def main() -> None:
    """Run the whole measurement."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=LINES)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="on the disk to measure")
    parser.add_argument("--only", help="one of: shuffled, sorted, refused, bombs")
    parser.add_argument("--child", nargs=2, type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--generate", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(*arguments.child)
        return
    if arguments.generate:
        generate(arguments.generate, arguments.only, arguments.lines)
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        print(f"on {disk_of(folder)}")
        for order in ORDERS:
            if arguments.only in (None, order):
                manifest = folder / f"{order}.csv"
                generating = ["--only", order, "--lines", str(arguments.lines)]
                again = [sys.executable, "-m", "bench.importing"]
                subprocess.run([*again, "--generate", manifest, *generating], check=True)
                table(folder, f"{order}, {arguments.lines} lines", manifest, arguments.runs)
                manifest.unlink()
        if arguments.only in (None, "bombs"):
            print()
            start = ours(folder, Path(os.devnull))
            for bomb, path in zip_bombs(folder):
                cost = ours(folder, path)
                print(
                    f"{bomb}: refused in {cost.wall_s:.2f} s with {cost.peak_mib:.0f} MiB, "
                    f"an empty file in {start.wall_s:.2f} s with {start.peak_mib:.0f} MiB"
                )


if __name__ == "__main__":
    main()
