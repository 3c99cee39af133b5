"""Measures reading: this station's pipeline against the decoders it is built from.

    python -m bench.reading --photos DIR             photographs with a manifest.csv
    python -m bench.reading --cards 4                generated damaged cards, 4 of each kind
    python -m bench.reading --generator FILE         the same from somebody else's generator
    python -m bench.reading --sequences 1            ten frames of each damaged card
    python -m bench.reading --stream 300             frames a second of a 1280 x 720 stream
    python -m bench.reading --negatives 2000         cards without a code, false reads only

DIR/manifest.csv has the columns path, symbology, expected_text; a symbology that starts with
NEG is a picture without a readable code. A read is right when its text is the expected one
(line ends and outer spaces aside). `accepted` is what the station would believe; everything
is also given with a manifest of all the cards shown, as in a batch.
"""

import argparse
import csv
import importlib.util
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import zxingcpp

from bench.damaged_cards import AXES, KINDS, LEVELS, Image, frames_of
from scanner_station.clock import SystemClock
from scanner_station.domain.reading import ReaderId, Symbology
from scanner_station.readers.camera import CameraReader
from scanner_station.readers.camera_source import Frame
from scanner_station.readers.decoding import engines
from scanner_station.readers.decoding.process import DecoderProcess, InProcessDecoder
from scanner_station.readers.decoding.stages import ALL, PLAIN
from scanner_station.readers.decoding.still import decode_picture
from scanner_station.readers.decoding.symbols import DEFAULT_SYMBOLOGIES

try:
    from pyzbar import pyzbar
except ImportError:
    pyzbar = None

CARDS = frozenset({"QR", "Code128", "Code39"})
ON_REQUEST = frozenset({"PDF417", "DataMatrix", "ITF"})
ALL_ASKED = DEFAULT_SYMBOLOGIES | {Symbology.PDF417, Symbology.DATAMATRIX, Symbology.ITF}
FRAME = (1280, 720)
TOLD_EVERY_S = 10.0


@dataclass(frozen=True)
class Item:
    """A picture and what it says; '' when it says nothing."""

    name: str
    image: Image
    text: str
    group: str


@dataclass
class Score:
    """What one decoder made of many pictures."""

    shown: int = 0
    read: int = 0
    false: list[str] = field(default_factory=list)
    candidates: int = 0
    ms: list[float] = field(default_factory=list)

    def line(self, name: str) -> str:
        """Return the score as one line of a table."""
        share = 100 * self.read / self.shown if self.shown else 0.0
        low, high = statistics.median(self.ms), float(np.percentile(self.ms, 95))
        return (
            f"{name:34} {self.read:5}/{self.shown:<5} {share:5.1f} %  false {len(self.false):3}  "
            f"median {low:7.1f} ms  p95 {high:7.1f} ms"
        )


def plain_text(text: str) -> str:
    """Return a text as it is compared: line ends and outer spaces aside."""
    return text.replace("\r\n", "\n").strip()


Reader = Callable[[Image], list[str]]


def station(symbologies: frozenset[Symbology], known: frozenset[str] = frozenset()) -> Reader:
    """Return the station's reading of one picture; `known` is the batch's manifest."""

    def read(image: Image) -> list[str]:
        texts: list[str] = []
        found = decode_picture(
            image,
            symbologies=symbologies,
            is_enough=(lambda f: any(plain_text(o.symbol.text) in known for o in f))
            if known
            else None,
        )
        texts = [s.text for s in found.readings]
        return texts + [s.text for s in found.candidates if plain_text(s.text) in known]

    return read


def zxing(formats: Any = None) -> Reader:
    """Return zxing-cpp as it comes, or asked for some formats only."""

    def read(image: Image) -> list[str]:
        chosen = {} if formats is None else {"formats": formats}
        codes = zxingcpp.read_barcodes(image, text_mode=zxingcpp.TextMode.Plain, **chosen)
        return [str(code.text) for code in codes]

    return read


def zbar(names: tuple[str, ...] = ()) -> Reader:
    """Return pyzbar as it comes, or asked for some symbologies only."""

    def read(image: Image) -> list[str]:
        wanted = [getattr(pyzbar.ZBarSymbol, name) for name in names] or None
        return [c.data.decode("utf-8", "replace") for c in pyzbar.decode(image, symbols=wanted)]

    return read


def opencv() -> Reader:
    """Return OpenCV's two detectors."""
    square, bars = cv2.QRCodeDetector(), cv2.barcode.BarcodeDetector()

    def read(image: Image) -> list[str]:
        try:
            text, _, _ = square.detectAndDecode(image)
            _, lines, _ = bars.detectAndDecodeMulti(image)[:3]
        except (cv2.error, ValueError):
            return []
        return [t for t in (text, *(lines if isinstance(lines, tuple) else ())) if t]

    return read


def readers(symbologies: frozenset[Symbology]) -> dict[str, Reader]:
    """Return all peers and the station, asked for the same symbologies."""
    formats = zxingcpp.BarcodeFormats([engines._ZXING[s] for s in symbologies])
    names = tuple(engines._ZBAR_NAMES[s] for s in symbologies if s in engines._ZBAR_NAMES)
    peers: dict[str, Reader] = {}
    if pyzbar is not None:
        peers |= {"pyzbar, naive": zbar(), "pyzbar, these symbologies": zbar(names)}
    return peers | {
        "zxing-cpp, default": zxing(),
        "zxing-cpp, these symbologies": zxing(formats),
        "OpenCV's detectors": opencv(),
        "station, no manifest": station(symbologies),
    }


def told(items: Iterable[Any]) -> Iterator[Any]:
    """Yield the items, and say on standard error every ten seconds how many there were."""
    said_s = time.monotonic()
    for number, item in enumerate(items):
        if time.monotonic() - said_s >= TOLD_EVERY_S:
            said_s = time.monotonic()
            print(f"    {number} done", file=sys.stderr)
        yield item


def measure(items: Iterable[Item], used: dict[str, Reader]) -> dict[str, Score]:
    """Give every picture to every reader and count right and false reads."""
    scores = {name: Score() for name in used}
    for item in told(items):
        for name, read in used.items():
            score = scores[name]
            started_s = time.perf_counter()
            texts = {plain_text(text) for text in read(item.image)}
            score.ms.append((time.perf_counter() - started_s) * 1e3)
            score.shown += bool(item.text)
            score.read += bool(item.text) and plain_text(item.text) in texts
            if wrong := texts - {plain_text(item.text)}:
                score.false.append(f"{item.name}: {sorted(wrong)} for {item.text!r}")
    return scores


def photographs(folder: Path, *, fitted: bool) -> Iterator[Item]:
    """Yield the photographs of a folder, as they are or fitted into a frame."""
    for row in csv.DictReader((folder / "manifest.csv").open(encoding="utf-8")):
        image = cv2.imread(str(folder / row["path"]), cv2.IMREAD_GRAYSCALE)
        if image is None:
            print("cannot be opened:", row["path"], file=sys.stderr)
            continue
        if fitted:
            factor = min(FRAME[0] / image.shape[1], FRAME[1] / image.shape[0])
            how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
            image = cv2.resize(image, None, fx=factor, fy=factor, interpolation=how)
        text = "" if row["symbology"].startswith("NEG") else row["expected_text"]
        yield Item(row["path"], np.asarray(image, dtype=np.uint8), text, row["symbology"])


def show(title: str, scores: dict[str, Score], *, verbose: bool) -> None:
    """Print one table."""
    print(f"\n{title}")
    for name, score in scores.items():
        print("  " + score.line(name))
        if verbose and name.startswith("station"):
            for wrong in score.false:
                print("      false:", wrong)


def bench_photographs(folder: Path, *, verbose: bool) -> None:
    """Measure the photographs at both sizes, with few and with more symbologies."""
    for fitted in (False, True):
        size = "fitted to 1280 x 720" if fitted else "native size"
        items = list(photographs(folder, fitted=fitted))
        for title, groups, symbologies in (
            ("QR, Code 128, Code 39", CARDS, DEFAULT_SYMBOLOGIES),
            ("with PDF417, DataMatrix, ITF asked for", CARDS | ON_REQUEST, ALL_ASKED),
        ):
            shown = [item for item in items if item.group in groups]
            show(f"{title}; {size}", measure(shown, readers(symbologies)), verbose=verbose)
            others = [
                Item(item.name, item.image, "", item.group)
                for item in items
                if item.group not in groups
            ]
            used = {"station, no manifest": station(symbologies)}
            show(f"  nothing to read here; {size}", measure(others, used), verbose=verbose)


def generated(count: int, seed: int) -> Iterator[Item]:
    """Yield every axis, level and kind of damaged card."""
    for axis in AXES:
        for level in range(LEVELS):
            for kind in KINDS:
                for index in range(count):
                    for one in frames_of(axis, level, kind, seed=seed, index=index):
                        name = f"{axis} {level} {kind} {index}"
                        yield Item(name, one.image, one.text, f"{axis} {level}")


def from_generator(path: Path, count: int, seed: int) -> Iterator[Item]:
    """Yield the same from a generator with a function `frame` and a dict `AXES`."""
    spec = importlib.util.spec_from_file_location("generator", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} cannot be loaded")
    sys.dont_write_bytecode = True
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for axis in module.AXES:
        for level in range(LEVELS):
            for kind in ("Code128n", "Code128a", "QRn"):
                for index in range(count):
                    jpeg, text, _ = module.frame(seed, axis, level, index, kind)
                    image = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)
                    yield Item(f"{axis} {level} {kind} {index}", image, text, f"{axis} {level}")


def bench_cards(items: Iterable[Item], title: str, *, peers: bool, verbose: bool) -> None:
    """Measure generated frames; the manifest holds the cards shown and a million others."""
    shown = list(items)
    known = frozenset(item.text for item in shown)
    used = readers(DEFAULT_SYMBOLOGIES) if peers else {}
    used["station, no manifest"] = station(DEFAULT_SYMBOLOGIES)
    used["station, manifest"] = station(DEFAULT_SYMBOLOGIES, known)
    show(title, measure(shown, used), verbose=verbose)


def blank(count: int, seed: int) -> Iterator[Item]:
    """Yield damaged cards that bear no code."""
    for index in range(count):
        for one in frames_of("combo", index % LEVELS, "", seed=seed, index=index):
            yield Item(f"blank {index}", one.image, "", "blank")


class Recorded:
    """Frames with given times, as a source for the camera reader."""

    is_live = False
    is_folder = False

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._frames = frames

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames."""
        return iter(self._frames)

    def close(self) -> None:
        """Nothing to give back."""


def camera(source: Any, known: frozenset[str], *, child: bool = False) -> CameraReader:
    """Return the camera reader over a source."""
    return CameraReader(
        ReaderId("bench"),
        source,
        symbologies=DEFAULT_SYMBOLOGIES,
        is_expected=lambda payload: payload.decode("utf-8", "replace") in known,
        fits=lambda _: True,
        clock=SystemClock(),
        notify=lambda _: None,
        decoder=DecoderProcess() if child else InProcessDecoder(),
    )


def bench_sequences(count: int, seed: int, *, frames: int, with_manifest: bool) -> None:
    """Show each card for two seconds in ten frames; `count` below 1 takes one of three kinds."""
    cards = [
        (axis, level, KINDS[kind], index)
        for number, axis in enumerate(AXES)
        for level in range(LEVELS)
        for kind in range(len(KINDS))
        for index in range(max(1, count))
        if count or (number + level + seed) % len(KINDS) == kind
    ]
    scores = {"manifest": Score()} if with_manifest else {"no manifest": Score()}
    by_axis: dict[str, list[int]] = {}
    for axis, level, kind, index in told(cards):
        seen = list(frames_of(axis, level, kind, seed=seed, index=index, count=frames))
        for name, score in scores.items():
            known = frozenset({seen[0].text}) if name == "manifest" else frozenset()
            film = [Frame(one.image, number * 0.2) for number, one in enumerate(seen)]
            started_s = time.perf_counter()
            got = [
                r.payload.decode("utf-8", "replace")
                for r in camera(Recorded(film), known).readings()
            ]
            score.ms.append((time.perf_counter() - started_s) * 1e3 / frames)
            score.shown += 1
            score.read += seen[0].text in got
            by_axis.setdefault(axis, [0] * LEVELS)[level] += seen[0].text in got
            score.false += [f"{axis} {level}: {text}" for text in got if text != seen[0].text]
    print(f"\nSequences of {frames} frames, {len(cards)} cards, {len(cards) * frames} frames")
    for name, score in scores.items():
        print("  " + score.line(f"station, {name} (ms a frame)"))
        for wrong in score.false:
            print("      false:", wrong)
    for axis, levels in by_axis.items():
        print(f"    {axis:12} read by level {levels}")


def _coloured(image: Image) -> Image:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), dtype=np.uint8)


def bench_stream(frames: int) -> None:
    """Run a stream in which a new undamaged card comes every second, through the child process."""
    table = np.asarray(next(iter(frames_of("jpeg", 0, "", seed=1, index=0))).image)
    empty = np.full_like(table, 88)
    film: list[Image] = []
    known: list[str] = []
    number = 0
    while len(film) < frames:
        card = next(frames_of("jpeg", 0, KINDS[number % 3], seed=9, index=number))
        known.append(card.text)
        moving = [np.roll(card.image, shift, axis=1) for shift in range(-20, 0, 4)]
        still = [card.image] * 18
        film += [_coloured(f) for f in [*moving, *still, *[empty] * 7]]
        number += 1
    timed = [Frame(image, index / 30) for index, image in enumerate(film)]
    reader = camera(Recorded(timed), frozenset(known), child=True)
    started_s, started_cpu = time.perf_counter(), time.process_time()
    got = [reading.payload.decode() for reading in reader.readings()]
    seconds = time.perf_counter() - started_s
    print(f"\nStream of 1280 x 720: {len(film)} frames, {len(known)} cards")
    print(f"  {len(film) / seconds:.0f} frames/s, {time.process_time() - started_cpu:.1f} s CPU "
          f"of the reader itself, right and in order: {got == known}")  # fmt: skip


def bench_idle(seconds: int = 20) -> None:
    """Look at an empty, noisy table at 30 frames a second and report the share of a core."""
    rng = np.random.default_rng(3)
    base = np.full((720, 1280, 3), 90, np.uint8)
    looks = [
        np.asarray(cv2.add(base, rng.integers(0, 8, base.shape, dtype=np.uint8)), np.uint8)
        for _ in range(15)
    ]
    timed = (Frame(looks[index % 15], index / 30) for index in range(30 * seconds))
    reader = camera(Recorded(timed), frozenset())
    started = time.process_time()
    list(reader.readings())
    share = 100 * (time.process_time() - started) / seconds
    print(f"\nIdle camera (empty table, 30 frames/s): {share:.1f} % of a core, capture aside")


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description="Measure reading against its peers.")
    parser.add_argument("--photos", type=Path, metavar="DIR")
    parser.add_argument("--generator", type=Path, metavar="FILE")
    parser.add_argument("--cards", type=int, default=0, metavar="N")
    parser.add_argument("--sequences", type=int, metavar="N", help="0 takes one kind of three")
    parser.add_argument("--no-manifest", action="store_true", help="for sequences")
    parser.add_argument("--frames", type=int, default=10, metavar="N")
    parser.add_argument("--stream", type=int, default=0, metavar="FRAMES")
    parser.add_argument("--negatives", type=int, default=0, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="name every false read")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    print("stages:", ", ".join(stage.name for stage in ALL), "| plain:", ", ".join(sorted(PLAIN)))
    if given.photos:
        bench_photographs(given.photos, verbose=given.verbose)
    options = {"peers": not given.no_peers, "verbose": given.verbose}
    if given.generator:
        items = from_generator(given.generator, max(1, given.cards), given.seed)
        bench_cards(items, "Generated by the other generator, one frame", **options)
    elif given.cards:
        bench_cards(generated(given.cards, given.seed), "Generated, one frame", **options)
    if given.negatives:
        used = {"station, no manifest": station(DEFAULT_SYMBOLOGIES)}
        scores = measure(blank(given.negatives, given.seed), used)
        show("Cards without a code", scores, verbose=given.verbose)
    if given.sequences is not None:
        bench_sequences(
            given.sequences, given.seed, frames=given.frames, with_manifest=not given.no_manifest
        )
    if given.stream:
        bench_stream(given.stream)
        bench_idle()


if __name__ == "__main__":
    main()
