"""Draws bar codes that damage turned into others, and counts what is falsely believed.

    python -m bench.changed_codes [--count 1000] [--seed 1] [--all-stages] [--with-itf]

Scratches and gaps here go down the whole height of the bars, so no line shows what was there:
what an engine then reads is often a valid code of another text. A read is false when it is not the
text that was printed; of two codes that lie half over each other both texts are right.
"""

import argparse
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp

from bench.damaged_cards import Image
from scanner_station.domain.reading import Symbology
from scanner_station.readers.decoding.stages import PLAIN
from scanner_station.readers.decoding.still import decode_picture
from scanner_station.readers.decoding.symbols import DEFAULT_SYMBOLOGIES

HEIGHT, WIDTH = 400, 640
FINE = 12
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
FORMATS = zxingcpp.BarcodeFormat
WITHOUT_LENGTH = frozenset({Symbology.ITF, Symbology.CODABAR})

Generator = np.random.Generator
Bits = npt.NDArray[np.uint8]
"""Modules of a bar code, 1 is a bar."""


@dataclass(frozen=True)
class Drawn:
    """A picture and the texts that may be read in it."""

    image: Image
    texts: tuple[str, ...]


def digits(rng: Generator, count: int) -> str:
    """Return so many digits."""
    return "".join(str(digit) for digit in rng.integers(0, 10, count))


def letters(rng: Generator, count: int) -> str:
    """Return so many letters and digits."""
    return "".join(LETTERS[i] for i in rng.integers(0, len(LETTERS), count))


def modules(text: str, kind: zxingcpp.BarcodeFormat) -> Bits:
    """Return the modules of a bar code."""
    code = zxingcpp.create_barcode(text, kind)
    rows = np.array(code.to_image(scale=1, add_quiet_zones=False))
    return np.asarray(rows[len(rows) // 2] < 128, dtype=np.uint8)


def card_code(rng: Generator) -> tuple[str, Bits]:
    """Return a text and its Code 128 or Code 39."""
    kind = FORMATS.Code128 if rng.random() < 0.5 else FORMATS.Code39
    text = digits(rng, int(rng.integers(4, 17))) if rng.random() < 0.5 else letters(
        rng, int(rng.integers(4, 12)))  # fmt: skip
    return text, modules(text, kind)


def code39(rng: Generator) -> tuple[str, Bits]:
    """Return a text and its Code 39."""
    text = letters(rng, int(rng.integers(4, 10)))
    return text, modules(text, FORMATS.Code39)


def itf(rng: Generator) -> tuple[str, Bits]:
    """Return digits and their ITF."""
    text = digits(rng, 2 * int(rng.integers(3, 9)))
    return text, modules(text, FORMATS.ITF)


def strange(rng: Generator) -> Bits:
    """Return a bar code that nobody asked for, or random bars."""
    match int(rng.integers(4)):
        case 0:
            return modules(f"A{digits(rng, int(rng.integers(6, 16)))}B", FORMATS.Codabar)
        case 1:
            return modules(letters(rng, int(rng.integers(5, 14))), FORMATS.Code93)
        case 2:
            return itf(rng)[1]
        case _:
            return np.asarray(rng.integers(0, 2, int(rng.integers(60, 250))), np.uint8)


def seen(
    rng: Generator, bars: Bits, module_px: float, *, stripes: int = 0, blur: float | None = None,
    screen: bool = False,
) -> Image:  # fmt: skip
    """Return bars on paper, turned, blurred by so many modules, in some light, with noise."""
    wide = int(len(bars) * module_px)
    line = np.repeat(bars, FINE).astype(np.float32)[None]
    row = cv2.resize(line, (wide, 1), interpolation=cv2.INTER_AREA)[0]
    paper, ink = float(rng.uniform(200, 245)), float(rng.uniform(10, 60))
    picture = np.full((HEIGHT, max(WIDTH, wide + 160)), paper, np.float32)
    x, y = int(rng.integers(40, picture.shape[1] - wide - 39)), int(rng.integers(60, 200))
    high = int(rng.integers(40, 120))
    picture[y : y + high, x : x + wide] = paper * (1 - row) + ink * row
    for _ in range(stripes):
        left = int(x + rng.uniform(0, wide))
        width = max(1, int(rng.uniform(0.4, 2.5) * module_px))
        picture[y - 5 : y + high + 5, left : left + width] = rng.choice([paper, ink])
    degrees = float(rng.choice([0.0, 0.0, rng.uniform(-15, 15), rng.uniform(-180, 180)]))
    size = (picture.shape[1], HEIGHT)
    turn = cv2.getRotationMatrix2D((size[0] / 2, HEIGHT / 2), degrees, 0.9)
    turned = cv2.warpAffine(picture, turn, size, flags=cv2.INTER_AREA, borderValue=paper)
    if screen:
        down, across = np.indices(turned.shape)
        period, lean = rng.uniform(1.7, 4), rng.uniform(-0.1, 0.1)
        grid = np.sin(2 * np.pi * (across + lean * down) / period)
        turned = np.asarray(turned) * (0.75 + 0.25 * grid).astype(np.float32)
    sigma = module_px * (float(rng.uniform(0, 0.7)) if blur is None else blur)
    soft = cv2.GaussianBlur(turned, (0, 0), max(0.3, sigma))
    noisy = soft * rng.uniform(0.4, 1) + rng.normal(0, rng.uniform(0, 8), soft.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def scratched(rng: Generator) -> Drawn:
    """Draw scratches down all the bars, light and dark ones."""
    text, bars = card_code(rng)
    stripes = int(rng.integers(1, 7))
    return Drawn(
        seen(rng, bars, rng.uniform(1.6, 3), stripes=stripes, blur=rng.uniform(0, 0.5)), (text,)
    )


def scratched_itf(rng: Generator) -> Drawn:
    """Draw the same over an ITF."""
    text, bars = itf(rng)
    return Drawn(seen(rng, bars, rng.uniform(1.6, 3), stripes=int(rng.integers(1, 5))), (text,))


def blurred(rng: Generator) -> Drawn:
    """Draw a Code 39 out of focus."""
    text, bars = code39(rng)
    return Drawn(seen(rng, bars, rng.uniform(1.3, 3), blur=rng.uniform(0.35, 0.85)), (text,))


def covered(rng: Generator) -> Drawn:
    """Draw a code of which one end is under paper."""
    text, bars = card_code(rng)
    hidden = int(len(bars) * rng.uniform(0.03, 0.6))
    rest = bars[:-hidden] if rng.random() < 0.5 else bars[hidden:]
    return Drawn(seen(rng, rest, rng.uniform(1.4, 3)), (text,))


def joined(rng: Generator) -> Drawn:
    """Draw two codes of which one lies half over the other."""
    (text, bars), (other, others) = card_code(rng), card_code(rng)
    left, right = (int(len(one) * rng.uniform(0, 0.5)) for one in (bars, others))
    gap = np.zeros(int(rng.integers(0, 12)), np.uint8)
    both = np.concatenate([bars[: len(bars) - left], gap, others[right:]])
    return Drawn(seen(rng, both, rng.uniform(1.3, 2)), (text, other))


def on_screen(rng: Generator) -> Drawn:
    """Draw a code as a camera sees it on a screen."""
    text, bars = card_code(rng)
    return Drawn(
        seen(rng, bars, rng.uniform(1.3, 2.5), screen=True, blur=rng.uniform(0, 0.5)), (text,)
    )


def not_asked_for(rng: Generator) -> Drawn:
    """Draw another symbology."""
    return Drawn(seen(rng, strange(rng), rng.uniform(1.2, 3.2)), ())


CHANGES: dict[str, Callable[[Generator], Drawn]] = {
    "scratched down all bars": scratched,
    "Code 39 out of focus": blurred,
    "one end covered": covered,
    "two half over each other": joined,
    "on a screen": on_screen,
    "not asked for": not_asked_for,
}


def main() -> None:
    """Print for each change how many were read, rightly and falsely, and what engines misread."""
    parser = argparse.ArgumentParser(description="Count what is falsely believed.")
    parser.add_argument("--count", type=int, default=1000, metavar="N", help="of each change")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--all-stages", action="store_true", help="not only the picture as it is")
    parser.add_argument("--with-itf", action="store_true", help="ITF too, and asked for")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    asked = DEFAULT_SYMBOLOGIES | (WITHOUT_LENGTH if given.with_itf else frozenset())
    changes = {"scratched ITF": scratched_itf} if given.with_itf else CHANGES
    for place, (name, draw) in enumerate(changes.items()):
        read, false, misread = 0, Counter[str](), Counter[str]()
        for index in range(given.count):
            drawn = draw(np.random.default_rng([given.seed, place, index]))
            stages = None if given.all_stages else sorted(PLAIN, reverse=True)
            result = decode_picture(drawn.image, symbologies=asked, stages=stages)
            believed = {symbol.text for symbol in result.readings}
            read += bool(believed & set(drawn.texts))
            false.update(f"{text} for {drawn.texts}" for text in believed - set(drawn.texts))
            wrong = [one for one in result.found if one.symbol.text not in drawn.texts]
            misread.update({f"{one.stage} {one.symbol.symbology.value}" for one in wrong})
        print(f"{name:26} {given.count} drawn, {read} read, {false.total()} falsely; "
              f"misread by {dict(misread) or 'none'}")  # fmt: skip
        for text in false:
            print("      false:", text)


if __name__ == "__main__":
    main()
