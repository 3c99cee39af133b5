"""Measures reading: this station's pipeline against the decoders it is built from, in one table.

    python -m bench.reading --photos DIR                  everything
    python -m bench.reading --only cards,sequences        some parts
    python -m bench.reading --only cards --generator FILE cards from somebody else's generator

Parts: `photos` (DIR/manifest.csv has the columns path, symbology, expected_text; a symbology that
starts with NEG is a picture without a readable code), `cards` (single frames of generated damaged
cards), `sequences` (frames of one presentation each), `negatives` (cards without a code), `stream`
(frames a second) and `idle` (an empty table).

A read is right when its text is the expected one, line ends and outer spaces aside; anything else
is false, but for codes that a person has seen in a picture beside the expected one: they are
listed in `other_codes.csv`, for all decoders alike, and counted apart.
"""

import argparse
import csv
import importlib.util
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench.damaged_cards import AXES, KINDS, LEVELS, OTHER_KINDS, Image, frames_of
from bench.decoders import Reader, plain_text, readers, station
from scanner_station.clock import SystemClock
from scanner_station.domain.errors import InputError
from scanner_station.domain.reading import ReaderId, Symbology
from scanner_station.readers.camera import CameraReader
from scanner_station.readers.camera_source import Frame
from scanner_station.readers.decoding import stages
from scanner_station.readers.decoding.pictures import load_picture
from scanner_station.readers.decoding.process import Decoder, DecoderProcess, InProcessDecoder
from scanner_station.readers.decoding.stages import ALL, SPEAK_ALONE
from scanner_station.readers.decoding.symbols import DEFAULT_SYMBOLOGIES, Look

CARDS = frozenset({"QR", "Code128", "Code39"})
ON_REQUEST = frozenset({"PDF417", "DataMatrix", "ITF"})
ALL_ASKED = DEFAULT_SYMBOLOGIES | {Symbology.PDF417, Symbology.DATAMATRIX, Symbology.ITF}
FRAME = (1280, 720)
TOLD_EVERY_S = 10.0
PARTS = ("photos", "cards", "sequences", "negatives", "stream", "idle")
OTHER_CODES = Path(__file__).with_name("other_codes.csv")


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
    other: int = 0
    ms: list[float] = field(default_factory=list)

    def line(self, what: str, name: str) -> str:
        """Return the score as one line of the table."""
        share = f"{100 * self.read / self.shown:5.1f} %" if self.shown else "        "
        low, high = statistics.median(self.ms), float(np.percentile(self.ms, 95))
        return (
            f"{what:34} {name:30} {self.read:5}/{self.shown:<5} {share} "
            f"{len(self.false):6} {self.other:6} {low:8.1f} {high:8.1f}"
        )


HEADER = (
    f"{'what':34} {'decoder':30} {'read':>5}/{'shown':5} {'':7} {'false':>6} {'other':>6} "
    f"{'median':>8} {'p95 ms':>8}"
)


def other_codes() -> frozenset[tuple[str, str]]:
    """Return pictures and texts of codes in them that were seen beside the expected one."""
    with OTHER_CODES.open(encoding="utf-8") as file:
        return frozenset((row["picture"], row["text"]) for row in csv.DictReader(file))


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
    others = other_codes()
    for item in told(items):
        for name, read in used.items():
            score = scores[name]
            started_s = time.perf_counter()
            texts = {plain_text(text) for text in read(item.image)}
            score.ms.append((time.perf_counter() - started_s) * 1e3)
            score.shown += bool(item.text)
            score.read += bool(item.text) and plain_text(item.text) in texts
            wrong = texts - {plain_text(item.text)}
            seen = {text for text in wrong if (item.name, text) in others}
            score.other += len(seen)
            if wrong := wrong - seen:
                score.false.append(f"{item.name}: {sorted(wrong)} for {item.text!r}")
    return scores


def photographs(folder: Path, *, fitted: bool) -> Iterator[Item]:
    """Yield the photographs of a folder, on white paper, as they are or fitted into a frame."""
    for row in csv.DictReader((folder / "manifest.csv").open(encoding="utf-8")):
        try:
            image = load_picture(folder / row["path"])
        except InputError as error:
            print(error, file=sys.stderr)
            continue
        if fitted:
            factor = min(FRAME[0] / image.shape[1], FRAME[1] / image.shape[0])
            how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
            image = cv2.resize(image, None, fx=factor, fy=factor, interpolation=how)
        text = "" if row["symbology"].startswith("NEG") else row["expected_text"]
        yield Item(row["path"], np.asarray(image, dtype=np.uint8), text, row["symbology"])


def show(what: str, scores: dict[str, Score], *, verbose: bool) -> None:
    """Print the lines of one part of the table."""
    for name, score in scores.items():
        print(score.line(what, name), flush=True)
        for wrong in score.false if verbose and name.startswith("station") else ():
            print("      false:", wrong)


def bench_photographs(folder: Path, *, verbose: bool) -> None:
    """Measure the photographs at both sizes, with few and with more symbologies."""
    for fitted in (False, True):
        size = "1280 x 720" if fitted else "native"
        items = list(photographs(folder, fitted=fitted))
        for title, groups, symbologies in (
            ("three symbologies", CARDS, DEFAULT_SYMBOLOGIES),
            ("six symbologies", CARDS | ON_REQUEST, ALL_ASKED),
        ):
            shown = [item for item in items if item.group in groups]
            show(f"photos, {title}, {size}", measure(shown, readers(symbologies)), verbose=verbose)
            others = [
                Item(item.name, item.image, "", item.group)
                for item in items
                if item.group not in groups
            ]
            used = {"station, no manifest": station(symbologies)}
            show(f"  not asked for, {size}", measure(others, used), verbose=verbose)


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


class Remembering:
    """Reads as stages do, each picture once, however many cameras are shown it."""

    crashes = 0

    def __init__(self) -> None:
        self._looks: dict[tuple[int, str], Look] = {}

    def look(self, image: Image, symbologies: frozenset[Symbology], names: Iterable[str]) -> Look:
        """Return what the named stages read; the picture must stay as it is."""
        looks = [self._one(image, symbologies, name) for name in names]
        return Look(
            found=tuple(found for look in looks for found in look.found),
            steps=tuple(step for look in looks for step in look.steps),
        )

    def _one(self, image: Image, symbologies: frozenset[Symbology], name: str) -> Look:
        key = (id(image), name)
        if key not in self._looks:
            self._looks[key] = stages.look(image, symbologies, [name])
        return self._looks[key]

    def close(self) -> None:
        """Nothing to give back."""


def camera(
    source: Any, is_expected: Callable[[str], bool], decoder: Decoder | None = None
) -> CameraReader:
    """Return the camera reader over a source."""
    return CameraReader(
        ReaderId("bench"),
        source,
        symbologies=DEFAULT_SYMBOLOGIES,
        is_expected=lambda payload: is_expected(payload.decode("utf-8", "replace")),
        fits=lambda _: True,
        clock=SystemClock(),
        notify=lambda _: None,
        decoder=decoder or InProcessDecoder(),
    )


def manifests(text: str) -> dict[str, Callable[[str], bool]]:
    """Return the manifests that the card with this text is judged by, the easiest first."""
    return {
        "manifest": lambda said: said == text,
        "no manifest": lambda _: False,
        "manifest with all numbers": lambda said: len(said) == len(text),
    }


def sequences(count: int, seed: int, kinds: Sequence[str]) -> list[tuple[str, int, str, int]]:
    """Return axis, level, kind and index of each card; `count` below 1 takes one kind of all."""
    return [
        (axis, level, kind, index)
        for number, axis in enumerate(AXES)
        for level in range(LEVELS)
        for place, kind in enumerate(kinds)
        for index in range(max(1, count))
        if count or (number + level + seed) % len(kinds) == place
    ]


def bench_sequences(cards: Iterable[tuple[str, int, str, int]], seed: int, *, frames: int) -> None:
    """Show each card for two seconds in ten frames, with a manifest, without, and with any."""
    scores: dict[str, Score] = {}
    by_axis: dict[str, dict[str, list[int]]] = {}
    for axis, level, kind, index in told(cards):
        seen = list(frames_of(axis, level, kind, seed=seed, index=index, count=frames))
        film = [Frame(one.image, number * 0.2) for number, one in enumerate(seen)]
        decoder = Remembering()
        for name, is_expected in manifests(seen[0].text).items():
            score = scores.setdefault(name, Score())
            started_s = time.process_time()
            readings = camera(Recorded(film), is_expected, decoder).readings()
            got = [one.payload.decode("utf-8", "replace") for one in readings]
            score.ms.append((time.process_time() - started_s) * 1e3 / frames)
            score.shown += 1
            score.read += seen[0].text in got
            levels = by_axis.setdefault(name, {}).setdefault(axis, [0] * LEVELS)
            levels[level] += seen[0].text in got
            score.false += [
                f"{axis} {level} {kind} {index}: {text} for {seen[0].text}"
                for text in got
                if text != seen[0].text
            ]
    for name, score in scores.items():
        print(score.line(f"cards, {frames} frames each, seed {seed}", f"station, {name}"))
        print(f"      {score.shown * frames} frames judged, {len(score.false)} falsely accepted")
        for wrong in score.false:
            print("      false:", wrong)
    for name in ("manifest", "no manifest"):
        for axis, levels in by_axis.get(name, {}).items():
            print(f"    {name:12} {axis:12} read by level {levels}")


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
    reader = camera(Recorded(timed), lambda text: text in known, DecoderProcess())
    started_s, started_cpu = time.perf_counter(), time.process_time()
    started_children = children_cpu_s()
    got = [reading.payload.decode() for reading in reader.readings()]
    seconds = time.perf_counter() - started_s
    both = time.process_time() - started_cpu + children_cpu_s() - started_children
    print(f"stream of 1280 x 720, {len(film)} frames: {len(film) / seconds:.0f} frames/s, "
          f"{len(film) / both:.0f} a second of processor time of reader and decoder together, "
          f"{len(got)} of {len(known)} cards, right and in order: {got == known}")  # fmt: skip


def children_cpu_s() -> float:
    """Return the processor time of ended child processes, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def bench_idle(seconds: int = 20) -> None:
    """Look at an empty, noisy table at 30 frames a second and report the share of a core."""
    rng = np.random.default_rng(3)
    base = np.full((720, 1280, 3), 90, np.uint8)
    looks = [
        np.asarray(cv2.add(base, rng.integers(0, 8, base.shape, dtype=np.uint8)), np.uint8)
        for _ in range(15)
    ]
    timed = (Frame(looks[index % 15], index / 30) for index in range(30 * seconds))
    reader = camera(Recorded(timed), lambda _: False)
    started = time.process_time()
    list(reader.readings())
    share = 100 * (time.process_time() - started) / seconds
    print(f"idle camera, empty table at 30 frames/s: {share:.1f} % of a core, capture aside")


def parts(given: argparse.Namespace) -> Iterator[None]:
    """Run the chosen parts one after the other."""
    options = {"peers": not given.no_peers, "verbose": given.verbose}
    if "photos" in given.only and given.photos:
        yield bench_photographs(given.photos, verbose=given.verbose)
    if "cards" in given.only:
        items = (
            from_generator(given.generator, given.cards, given.seed)
            if given.generator
            else generated(given.cards, given.seed)
        )
        yield bench_cards(items, "cards, one frame", **options)
    if "sequences" in given.only:
        for seed in range(given.seed, given.seed + given.seeds):
            cards = sequences(
                given.sequences, seed, KINDS + (OTHER_KINDS if given.seeds > 1 else ())
            )
            yield bench_sequences(cards, seed, frames=given.frames)
    if "negatives" in given.only:
        used = {"station, no manifest": station(DEFAULT_SYMBOLOGIES)}
        scores = measure(blank(given.negatives, given.seed), used)
        yield show("cards without a code", scores, verbose=given.verbose)
    if "stream" in given.only:
        yield bench_stream(given.stream)
    if "idle" in given.only:
        yield bench_idle()


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description="Measure reading against its peers.")
    parser.add_argument("--photos", type=Path, metavar="DIR", help="photographs and manifest.csv")
    parser.add_argument(
        "--only", type=lambda text: text.split(","), default=PARTS, metavar=",".join(PARTS)
    )
    parser.add_argument("--generator", type=Path, metavar="FILE")
    parser.add_argument("--cards", type=int, default=2, metavar="N", help="of each kind and level")
    parser.add_argument("--sequences", type=int, default=0, metavar="N", help="0: 1 kind of 3")
    parser.add_argument("--seeds", type=int, default=1, metavar="N",
                        help="sequences of as many seeds, Code 39 among them")  # fmt: skip
    parser.add_argument("--frames", type=int, default=10, metavar="N", help="of each sequence")
    parser.add_argument("--stream", type=int, default=300, metavar="FRAMES")
    parser.add_argument("--negatives", type=int, default=200, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="name every false read")
    given = parser.parse_args()
    if unknown := set(given.only) - set(PARTS):
        parser.error(f"{sorted(unknown)[0]} is no part; the parts are {', '.join(PARTS)}")
    if "photos" in given.only and not given.photos:
        print("no photographs are measured: name their folder with --photos", file=sys.stderr)
    cv2.setNumThreads(1)
    print("stages:", ", ".join(stage.name for stage in ALL))
    print("alone:", ", ".join(sorted(SPEAK_ALONE)))
    print(HEADER)
    for _ in parts(given):
        sys.stdout.flush()


if __name__ == "__main__":
    main()
