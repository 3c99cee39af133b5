"""How long the minutes of a whole regency take: every card by name by address, as PDF.

The peer is reportlab's canvas alone: it draws the same number of lines of the same text on as many
pages, without tables, sums, words or a database.

    python bench/minutes.py [--quick] [--data FOLDER]
"""

import argparse
import random
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path
from zoneinfo import ZoneInfo

from filled_station import SLUG, fill, identifier
from measuring import alone, disk_of, peak_rss_mb
from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfgen.canvas import Canvas

from scanner_station.exports.minutes import export_minutes
from scanner_station.exports.paper import REGULAR, use_letters
from scanner_station.service.views import Views
from scanner_station.storage import station_key
from scanner_station.storage.database import FILE_NAME

TIME_ZONE = ZoneInfo("Asia/Makassar")
CARDS = 28_664
"""What Kulon Progo had in hand on the day of the order."""
_LINES_A_PAGE = 33


def main() -> None:
    """Measure both copies and the peer in turns, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="2,629 cards, 1 run")
    parser.add_argument("--data", type=Path, default=Path(), help="a folder on the disk to measure")
    arguments = parser.parse_args()
    cards, runs = (2_629, 1) if arguments.quick else (CARDS, 5)
    with tempfile.TemporaryDirectory(prefix="bench-minutes-", dir=arguments.data) as name:
        folder = Path(name)
        alone(fill, folder, cards, further=0)
        lengthen(folder)
        print(f"disk {disk_of(folder)}; {cards:,} cards; {runs} runs, medians")
        print(f"{'copy':<24} {'s':>7}  ratio  {'MB':>5}  peak MB")
        found: dict[str, list[tuple[float, float, float]]] = {}
        for _ in range(runs):
            found.setdefault("canvas alone", []).append(alone(measure_peer, folder, cards))
            found.setdefault("by name by address", []).append(alone(measure, folder, False))
            found.setdefault("masked", []).append(alone(measure, folder, True))
        peer = statistics.median(seconds for seconds, _, _ in found["canvas alone"])
        for copy, measured in found.items():
            seconds, size, _ = (statistics.median(column) for column in zip(*measured, strict=True))
            peak = max(memory for _, _, memory in measured)
            print(f"{copy:<24} {seconds:7.2f}  {seconds / peer:5.2f}  {size:5.1f}  {peak:7.0f}")


def lengthen(folder: Path) -> None:
    """Give the cards names and addresses of the length that people have."""
    chance = random.Random(5371)
    names = ("Contoh", "Maria", "Yohanes", "Siti", "Wahyuni", "Kristoforus", "Dominggus")
    connection = sqlite3.connect(folder / FILE_NAME)
    with connection:
        connection.executemany(
            "update manifest_line set name = ?, address = ? where line = ?",
            (
                (
                    " ".join(chance.choices(names, k=3)),
                    f"Jalan {' '.join(chance.choices(names, k=3))} Nomor {line % 200}, "
                    f"RT {line % 20:03}/RW {line % 9:03}",
                    line,
                )
                for (line,) in connection.execute("select line from manifest_line").fetchall()
            ),
        )
    connection.close()


def measure(folder: Path, masked: bool) -> tuple[float, float, float]:
    """Return seconds, megabytes and peak memory in MB of one copy of the minutes."""
    path = folder / "minutes.pdf"
    key = station_key.load(folder)
    assert key is not None
    began = time.perf_counter()
    with Views(folder).connection() as connection:
        export_minutes(connection, SLUG, key, path, time_zone=TIME_ZONE, masked=masked)
    return time.perf_counter() - began, path.stat().st_size / 1e6, peak_rss_mb()


def measure_peer(folder: Path, cards: int) -> tuple[float, float, float]:
    """Return the same of the canvas that draws the lines and nothing else."""
    path = folder / "peer.pdf"
    began = time.perf_counter()
    use_letters()
    canvas = Canvas(str(path), pagesize=landscape(A4), invariant=1)
    for start in range(0, cards, _LINES_A_PAGE):
        text = canvas.beginText(40, 550)
        text.setFont(REGULAR, 8)
        for number in range(start, min(start + _LINES_A_PAGE, cards)):
            words = f"{number} {identifier(number)} Contoh Maria Yohanes Jalan Siti Wahyuni Maria "
            text.textLine(words + f"Nomor {number % 200} Alak rusak dipindai {number}")
        canvas.drawText(text)
        canvas.showPage()
    canvas.save()
    return time.perf_counter() - began, path.stat().st_size / 1e6, peak_rss_mb()


if __name__ == "__main__":
    main()
