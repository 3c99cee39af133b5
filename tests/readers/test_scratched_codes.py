"""Bar codes with scratches down their whole height, which make other valid codes of them."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import zxingcpp

from bench.damaged_cards import frames_of
from scanner_station.domain.reading import Symbology
from scanner_station.readers.decoding import decode_picture, engines
from scanner_station.readers.decoding.symbols import DEFAULT_SYMBOLOGIES

Image = npt.NDArray[np.uint8]
MODULE_PX = 3


def striped(symbology: Symbology, seed: int) -> tuple[str, Image]:
    """Return a number, and its bar code with white and black stripes over it, a little blurred."""
    rng = np.random.default_rng(seed)
    text = "".join(str(digit) for digit in rng.integers(0, 10, 10))
    made = zxingcpp.create_barcode(text, engines._ZXING[symbology])
    row = np.array(made.to_image(scale=1, add_quiet_zones=False), np.uint8)[10]
    picture = np.repeat(np.repeat(row[None], MODULE_PX, axis=1), 60, axis=0)
    for _ in range(int(rng.integers(1, 6))):
        left = int(rng.uniform(0, picture.shape[1]))
        picture[:, left : left + int(rng.uniform(0.4, 2.5) * MODULE_PX)] = rng.choice([25, 235])
    framed = np.pad(picture, 60, constant_values=235).astype(np.float32)
    seen = cv2.GaussianBlur(framed, (0, 0), rng.uniform(0.2, 0.5) * MODULE_PX)
    return text, np.clip(seen + rng.normal(0, 4, seen.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("symbology", "seed"),
    [(Symbology.CODE39, 183), (Symbology.CODE39, 300), (Symbology.CODE39, 1492),
     (Symbology.ITF, 310), (Symbology.ITF, 2713)],
)  # fmt: skip
def test_a_number_that_scratches_made_for_one_engine_is_a_candidate_at_most(
    symbology: Symbology, seed: int
) -> None:
    text, image = striped(symbology, seed)
    result = decode_picture(image, symbologies=frozenset({symbology}))
    plain = {one.symbol.text for one in result.found if one.stage == "zxing"}
    assert plain - {text}, "the engine was not fooled, so nothing was shown"
    assert {symbol.text for symbol in result.readings} <= {text}


@pytest.mark.parametrize(("text", "is_read"), [("YWZ", False), ("YWZ4", True)])
def test_a_code_39_of_three_characters_is_taken_for_a_rest_of_another_code(
    text: str, *, is_read: bool
) -> None:
    made = zxingcpp.create_barcode(text, engines._ZXING[Symbology.CODE39])
    row = np.array(made.to_image(scale=3, add_quiet_zones=False), np.uint8)
    image = np.pad(row, 60, constant_values=255)
    result = decode_picture(image, symbologies=frozenset({Symbology.CODE39}))
    assert [symbol.text for symbol in result.readings] == ([text] if is_read else [])


def test_what_glare_leaves_of_a_code_is_no_shorter_code() -> None:
    """A character of data beside the glare passed for the start, and the check fitted by chance."""
    card = next(frames_of("glare", 5, "code128_letters", seed=501, index=0))
    result = decode_picture(
        card.image, symbologies=DEFAULT_SYMBOLOGIES, stages=["likely_bars", "likely_faint"]
    )
    assert (result.readings, result.candidates) == ((), ())
