"""QR codes that are not flat: on bent cards and crumpled labels."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import segno

from scanner_station.readers.decoding import decode_picture, likely_squares, qr_symbol
from scanner_station.readers.decoding.stages import look
from scanner_station.readers.decoding.symbols import DEFAULT_SYMBOLOGIES

Image = npt.NDArray[np.uint8]
CARD = "https://example.org/kartu/9971015708900001"


def crumpled(version: int, *, bend_modules: float = 1.2) -> Image:
    """Return a code on paper with folds that move its modules to and fro."""
    rows = [list(row) for row in segno.make_qr(CARD, version=version, error="l").matrix]
    code = np.kron((1 - np.array(rows, np.uint8)) * 215 + 25, np.ones((6, 6), np.uint8))
    code = np.pad(code, 60, constant_values=240).astype(np.uint8)
    y, x = np.indices(code.shape, dtype=np.float32)
    side = code.shape[0]
    away = 6 * bend_modules
    bent = cv2.remap(
        code,
        np.asarray(x + away * np.sin(2 * np.pi * y / side + 0.6), np.float32),
        np.asarray(y + away * np.sin(2 * np.pi * x / side + 2.0), np.float32),
        cv2.INTER_LINEAR,
        borderValue=240,
    )
    noise = np.random.default_rng(4).normal(0, 5, code.shape)
    return np.clip(bent + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("version", [3, 7])
def test_a_qr_code_on_crumpled_paper_is_read(version: int) -> None:
    image = crumpled(version)
    assert look(image, DEFAULT_SYMBOLOGIES, ["zxing", "zbar"]).found == ()
    result = decode_picture(image, symbologies=DEFAULT_SYMBOLOGIES)
    assert [symbol.text for symbol in result.readings] == [CARD]


def test_a_code_of_which_every_third_module_is_wrong_is_not_guessed() -> None:
    image = crumpled(3)
    rng = np.random.default_rng(2)
    spots = np.kron(rng.random((60, 60)) < 0.33, np.ones((6, 6)))[
        : image.shape[0], : image.shape[1]
    ]
    image[120:260, 120:260] = np.where(spots == 1, 255 - image, image)[120:260, 120:260]
    result = decode_picture(image, symbologies=DEFAULT_SYMBOLOGIES)
    assert (result.readings, result.candidates) == ((), ())


@pytest.mark.parametrize("level", qr_symbol.LEVELS)
@pytest.mark.parametrize("version", [1, 2, 5, 7, 10, 12])
def test_a_code_is_known_in_all_its_blocks(version: int, level: int) -> None:
    name = {1: "l", 0: "m", 3: "q", 2: "h"}[level]
    made = segno.make_qr("99710157089", error=name, version=version, mask=3, boost_error=False)
    matrix = np.array([list(row) for row in made.matrix], np.int8)
    bits = likely_squares.bits_of(np.asarray(1.0 - 2 * matrix, np.float32), version)
    assert bits is not None
    rows, columns = np.array(qr_symbol.data_places(version)).T
    assert np.array_equal(bits[rows, columns], matrix[rows, columns])
    is_same = qr_symbol.fixed(version) != qr_symbol.UNKNOWN
    assert np.array_equal(bits[is_same], matrix[is_same])
