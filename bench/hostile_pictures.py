"""Gives the decoder what nobody should: noise, torn codes, odd shapes, spoilt files, odd payloads.

    python -m bench.hostile_pictures [--count 2000] [--seed 1]

Everything goes through the child process, as in the station. It may die or be ended for a
picture; the next one must be answered. Prints how many pictures were looked at, refused, and
cost a process, and the slowest; exit 1 when the decoder does not read a good picture any more.
"""

import argparse
import logging
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import segno
import zxingcpp

from bench.damaged_cards import Image
from scanner_station.domain.errors import InputError
from scanner_station.domain.reading import Symbology
from scanner_station.readers.decoding import decode_file
from scanner_station.readers.decoding.process import DecoderProcess
from scanner_station.readers.decoding.stages import ALL

EVERYTHING = frozenset(Symbology) - {Symbology.UNKNOWN}
GOOD = "9971015708900001"
SHAPES = ((1, 1), (1, 4000), (3000, 2), (2, 2), (7, 7), (60, 60), (49, 48), (480, 640), (720, 1280))
BAR_FORMATS = (
    zxingcpp.BarcodeFormat.Code128, zxingcpp.BarcodeFormat.Code39, zxingcpp.BarcodeFormat.ITF,
    zxingcpp.BarcodeFormat.PDF417, zxingcpp.BarcodeFormat.DataMatrix,
)  # fmt: skip
SUFFIXES = ("png", "jpg", "webp", "bmp", "tiff", "gif")

Generator = np.random.Generator


def noise(rng: Generator) -> Image:
    """Return noise of an odd shape."""
    shape = SHAPES[int(rng.integers(len(SHAPES)))]
    return rng.integers(0, 256, shape, dtype=np.uint8)


def bars(rng: Generator) -> Image:
    """Return bars of random widths, all over an odd shape."""
    height, width = SHAPES[int(rng.integers(len(SHAPES)))]
    row = np.repeat(rng.integers(0, 2, width, dtype=np.uint8) * 255, int(rng.integers(1, 4)))
    return np.repeat(row[None, :width], height, axis=0)


def odd_payload(rng: Generator) -> Image:
    """Return a whole code that says what no card does: control characters, long, other bytes."""
    length = int(rng.choice([1, 2, 40, 300, 1200]))
    said = [
        rng.bytes(length), b"\x00" * length, b"\\000026" * (length // 7 + 1), b"]C0" * length,
        "\u202e\ud7ff\ufeff".encode() * (length // 9 + 1), b"%s%n{}\r\n'\";--" * (length // 12 + 1),
    ]  # fmt: skip
    content = said[int(rng.integers(len(said)))][:1200]
    rows = [list(row) for row in segno.make_qr(content, error="l").matrix]
    code = np.kron(1 - np.array(rows, np.uint8), np.ones((4, 4), np.uint8)) * 255
    return np.pad(code, 20, constant_values=255)


def torn(rng: Generator) -> Image:
    """Return a code of which a part is missing, twice there, or turned over."""
    form = BAR_FORMATS[int(rng.integers(len(BAR_FORMATS)))]
    text = "".join(str(digit) for digit in rng.integers(0, 10, 2 * int(rng.integers(3, 20))))
    code = np.array(zxingcpp.create_barcode(text, form).to_image(scale=2), np.uint8)
    match int(rng.integers(4)):
        case 0:
            return code[:, : int(rng.integers(2, code.shape[1]))].copy()
        case 1:
            return np.asarray(np.roll(code, int(rng.integers(1, code.shape[1])), axis=1))
        case 2:
            return np.hstack([code, code[:, ::-1], 255 - code])
        case _:
            return np.ascontiguousarray(code[::-1, :: int(rng.integers(1, 4))])


KINDS: tuple[Callable[[Generator], Image], ...] = (noise, bars, odd_payload, torn)


def spoilt_file(rng: Generator, image: Image) -> tuple[str, bytes]:
    """Return a suffix and a file of that kind with wrong bytes in it, often cut short."""
    suffix = SUFFIXES[int(rng.integers(len(SUFFIXES)))]
    is_done, encoded = cv2.imencode(f".{suffix}", image)
    if not is_done:  # GIF cannot hold every shape
        suffix, (_, encoded) = "png", cv2.imencode(".png", image)
    content = bytearray(encoded.tobytes())
    for place in rng.integers(0, len(content), int(rng.integers(0, 30))):
        content[place] = int(rng.integers(256))
    if rng.random() < 0.5:
        del content[int(rng.integers(1, len(content) + 1)) :]
    return suffix, bytes(content)


def run(count: int, seed: int, decoder: DecoderProcess, folder: Path) -> Counter[str]:
    """Give the decoder `count` pictures and return what became of them."""
    rng = np.random.default_rng(seed)
    names = [stage.name for stage in ALL]
    became: Counter[str] = Counter()
    for number in range(count):
        image = np.ascontiguousarray(KINDS[number % len(KINDS)](rng))
        started_s = time.monotonic()
        became["pictures"] += 1
        if number % 2:
            suffix, content = spoilt_file(rng, image)
            path = folder / f"hostile.{suffix}"
            path.write_bytes(content)
            try:
                became["read"] += bool(decode_file(path, EVERYTHING, decoder=decoder).readings)
            except InputError:
                became["refused"] += 1
        else:
            for name in names:
                crashes = decoder.crashes
                became[f"read by {name}"] += bool(decoder.look(image, EVERYTHING, [name]).found)
                became[f"crashed in {name}"] += decoder.crashes - crashes
        took_ms = round((time.monotonic() - started_s) * 1e3)
        became["slowest_ms"] = max(became["slowest_ms"], took_ms)
    became["crashes"] = decoder.crashes
    return became


def still_reads(decoder: DecoderProcess) -> bool:
    """Whether the decoder reads a good picture."""
    rows = [list(row) for row in segno.make_qr(GOOD).matrix]
    code = np.kron(1 - np.array(rows, np.uint8), np.ones((5, 5), np.uint8)) * 255
    seen = decoder.look(np.pad(code, 40, constant_values=255), EVERYTHING, ["zxing"])
    return [one.symbol.text for one in seen.found] == [GOOD]


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description="Give the decoder hostile pictures.")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    logging.basicConfig(format="%(message)s")
    decoder = DecoderProcess()
    with tempfile.TemporaryDirectory() as folder:
        became = run(given.count, given.seed, decoder, Path(folder))
    is_well = still_reads(decoder)
    decoder.close()
    print(", ".join(f"{name} {value}" for name, value in became.items() if value))
    print("a good picture after them:", "read" if is_well else "NOT READ")
    sys.exit(not is_well)


if __name__ == "__main__":
    main()
