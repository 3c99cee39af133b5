"""One decoding pipeline for camera, files and uploads; what it believes and what it survives."""

import os
import signal
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import segno
import zxingcpp

from bench import hostile_pictures
from scanner_station.domain.errors import InputError
from scanner_station.domain.reading import Symbology
from scanner_station.readers.decoding import (
    decode_file,
    decode_picture,
    engines,
    explain_lines,
    qr_symbol,
    reed_solomon,
)
from scanner_station.readers.decoding.process import DecoderProcess
from scanner_station.readers.decoding.stages import ALL, BY_NAME, StageCounts, look
from scanner_station.readers.decoding.still import judge
from scanner_station.readers.decoding.symbols import DEFAULT_SYMBOLOGIES, Found, Symbol

Image = npt.NDArray[np.uint8]
CARD = "9971015708900001"


def picture_of(text: str = CARD, symbology: Symbology = Symbology.QR, scale: int = 4) -> Image:
    if symbology is Symbology.QR:
        rows = [list(row) for row in segno.make_qr(text).matrix]
        code = (1 - np.array(rows, np.uint8)) * 255
    else:
        made = zxingcpp.create_barcode(text, engines._ZXING[symbology])
        code = np.array(made.to_image(scale=1, add_quiet_zones=False), np.uint8)
    code = np.kron(code, np.ones((scale, scale), np.uint8))
    return np.pad(code, 60, constant_values=255)


@pytest.fixture(scope="module")
def decoder() -> Iterator[DecoderProcess]:
    process = DecoderProcess()
    yield process
    process.close()


def texts(symbols: tuple[Symbol, ...]) -> list[str]:
    return [symbol.text for symbol in symbols]


@pytest.mark.parametrize(
    ("symbology", "text"),
    [
        (Symbology.QR, CARD),
        (Symbology.CODE128, CARD),
        (Symbology.CODE39, "KPG-0001"),
        (Symbology.PDF417, CARD),
        (Symbology.DATAMATRIX, CARD),
        (Symbology.ITF, CARD),
        (Symbology.EAN13, "9780140013993"),
        (Symbology.EAN8, "96385074"),
        (Symbology.UPCA, "012345678905"),
        (Symbology.CODABAR, "A123456B"),
    ],
)
def test_each_symbology_is_read_when_asked_for_and_only_then(
    symbology: Symbology, text: str
) -> None:
    image = picture_of(text, symbology)
    asked = decode_picture(image, symbologies=frozenset({symbology}))
    assert [(s.symbology, s.text.strip("AB")) for s in asked.readings] == [
        (symbology, text.strip("AB"))
    ]
    others = decode_picture(image, symbologies=DEFAULT_SYMBOLOGIES - {symbology})
    assert others.readings == ()


def test_the_outline_of_a_code_is_where_it_is_in_the_picture_whatever_the_stage() -> None:
    image = np.full((480, 640), 255, np.uint8)
    code = picture_of()
    image[100 : 100 + code.shape[0], 300 : 300 + code.shape[1]] = code
    for stage in ALL:
        for symbol in stage.read(image, DEFAULT_SYMBOLOGIES):
            place = symbol.place
            assert abs((place.left + place.right) / 2 - (300 + code.shape[1] / 2)) < 25, stage.name
            assert abs((place.top + place.bottom) / 2 - (100 + code.shape[0] / 2)) < 25, stage.name


def found(stage: str, text: str, symbology: Symbology = Symbology.CODE128) -> Found:
    symbol = Symbol(payload=text.encode(), text=text, symbology=symbology, outline=())
    return Found(symbol=symbol, stage=stage)


ENHANCED = next(stage.name for stage in ALL if not stage.is_plain)
OTHER_ENHANCED = [stage.name for stage in ALL if not stage.is_plain][1]


@pytest.mark.parametrize(
    ("finds", "readings", "candidates"),
    [
        ([found("zxing", CARD)], [CARD], []),
        ([found("zbar", CARD)], [CARD], []),
        ([found(ENHANCED, CARD)], [], [CARD]),
        ([found(ENHANCED, CARD), found(OTHER_ENHANCED, CARD)], [CARD], []),
        ([found(ENHANCED, CARD), found(OTHER_ENHANCED, "99")], [], [CARD, "99"]),
        ([found("zbar", "216736", Symbology.ITF)], [], ["216736"]),
        (
            [found(ENHANCED, "216736", Symbology.ITF), found("zbar", "216736", Symbology.ITF)],
            [],
            ["216736"],
        ),
        ([found("zxing", "216736", Symbology.ITF)], [], ["216736"]),
        (
            [found("zxing", "216736", Symbology.ITF), found("zbar", "216736", Symbology.ITF)],
            ["216736"],
            [],
        ),
        (
            [found(stage, "DE39", Symbology.CODE39) for stage in ("zbar_blur", "zbar_sharp")],
            [],
            ["DE39"],
        ),
        ([found("zxing", "MOINAB", Symbology.CODE39)], [], ["MOINAB"]),
        (
            [found(stage, "CODE39", Symbology.CODE39) for stage in ("zxing", "zbar_blur")],
            ["CODE39"],
            [],
        ),
        ([found("zbar", "DE39"), found("zxing", "CODE39")], ["CODE39"], ["DE39"]),
        ([found("zbar", "4190986"), found("zxing", "4190556")], [], ["4190986", "4190556"]),
        (
            [found("zbar", "4190986"), found("zxing", "4190556"), found(ENHANCED, "4190556"),
             found("zbar_blur", "4190556")],
            ["4190556"],
            ["4190986"],
        ),
    ],
    ids=[
        "unenhanced", "unenhanced_by_the_other", "enhanced_once", "two_stages_agree",
        "two_stages_differ", "short_by_zbar", "short_by_both", "length_free_by_zxing",
        "length_free_by_both", "one_engine_twice", "no_check_character", "both_engines",
        "part_of_the_whole", "two_texts_in_one_place", "more_engines_for_one",
    ],
)  # fmt: skip
def test_what_a_single_picture_gives_is_a_reading_or_a_candidate(
    finds: list[Found], readings: list[str], candidates: list[str]
) -> None:
    result = judge(finds, [])
    assert texts(result.readings) == readings
    assert texts(result.candidates) == candidates


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp", "tiff", "gif"])
def test_a_picture_file_of_any_kind_is_read(
    suffix: str, tmp_path: Path, decoder: DecoderProcess
) -> None:
    path = tmp_path / f"card.{suffix}"
    colour = cv2.cvtColor(picture_of(), cv2.COLOR_GRAY2BGR)
    assert cv2.imwrite(str(path), colour)
    result = decode_file(path, decoder=decoder)
    assert result.as_json("as given") == {
        "path": "as given",
        "readings": [{"text": CARD, "symbology": "qr"}],
        "candidates": [],
    }


@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_a_code_printed_on_nothing_is_read_as_if_on_white_paper(
    suffix: str, tmp_path: Path, decoder: DecoderProcess
) -> None:
    path = tmp_path / f"card.{suffix}"
    black = np.zeros((*picture_of().shape, 3), np.uint8)
    assert cv2.imwrite(str(path), np.dstack([black, 255 - picture_of()]))
    assert texts(decode_file(path, decoder=decoder).readings) == [CARD]


def test_one_code_with_two_names_is_one_reading() -> None:
    both = frozenset({Symbology.EAN13, Symbology.UPCA})
    result = decode_picture(picture_of("012345678905", Symbology.UPCA), symbologies=both)
    assert [(s.symbology, s.text) for s in result.readings] == [(Symbology.UPCA, "012345678905")]
    assert result.candidates == ()


def test_a_photograph_of_fifty_million_pixels_is_read(
    tmp_path: Path, decoder: DecoderProcess
) -> None:
    picture = np.full((6000, 8000), 200, np.uint8)
    code = picture_of(scale=20)
    picture[1000 : 1000 + code.shape[0], 3000 : 3000 + code.shape[1]] = code
    cv2.imwrite(str(tmp_path / "large.jpg"), picture)
    assert texts(decode_file(tmp_path / "large.jpg", decoder=decoder).readings) == [CARD]


def test_a_photograph_taken_with_the_camera_on_its_side_is_turned_upright(tmp_path: Path) -> None:
    from scanner_station.readers.decoding.pictures import load_picture

    _, jpeg = cv2.imencode(".jpg", np.zeros((40, 90), np.uint8))
    orientation = struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, 0x0112, 3, 1, 6, 0, 0)
    exif = b"Exif\x00\x00" + orientation
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    content = jpeg.tobytes()
    path = tmp_path / "turned.jpg"
    path.write_bytes(content[:2] + segment + content[2:])
    assert load_picture(path).shape == (90, 40)


def png_header(width: int, height: int) -> bytes:
    """Return a PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + kind
            + content
            + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(b"\x00" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (png_header(30_000, 30_000), "not a picture this program can read"),
        (b"", "not a picture this program can read"),
        (b"identifier,category\n", "not a picture this program can read"),
        (None, "cannot be opened"),
    ],
    ids=["picture_bomb", "empty_file", "table", "no_such_file"],
)
def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(
    content: bytes | None, sentence: str, tmp_path: Path, decoder: DecoderProcess
) -> None:
    path = tmp_path / "card.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        decode_file(path, decoder=decoder)


def test_a_decoder_that_dies_costs_one_picture(
    caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit")  # a folder of somebody else's pictures
    monkeypatch.chdir(tmp_path)
    process = DecoderProcess()
    image = picture_of()
    assert process.look(image, DEFAULT_SYMBOLOGIES, ["zxing"]).found
    assert process.pid is not None
    os.kill(process.pid, signal.SIGSEGV)
    with caplog.at_level("WARNING"):
        looks = [process.look(image, DEFAULT_SYMBOLOGIES, ["zxing"]) for _ in range(2)]
    process.close()
    process.close()
    assert [len(one.found) for one in looks] == [0, 1]
    assert process.crashes == 1
    assert "started again" in caplog.text


def test_a_decoder_that_hangs_is_ended_and_costs_one_picture() -> None:
    process = DecoderProcess(frame_timeout_s=0.5)
    image = picture_of()
    assert process.look(image, DEFAULT_SYMBOLOGIES, ["zxing"]).found
    assert process.pid is not None
    os.kill(process.pid, signal.SIGSTOP)
    assert process.look(image, DEFAULT_SYMBOLOGIES, ["zxing"]).found == ()
    assert process.crashes == 1
    process.close()


def test_a_frame_that_needs_too_much_memory_is_lost_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    process = DecoderProcess(memory_bytes=400_000_000)
    large = np.full((7000, 7000), 200, np.uint8)
    assert process.look(picture_of(), DEFAULT_SYMBOLOGIES, ["zxing"]).found
    with caplog.at_level("WARNING"):
        assert process.look(large, DEFAULT_SYMBOLOGIES, ["zxing"]).steps == ()
    after = process.look(picture_of(), DEFAULT_SYMBOLOGIES, ["zxing"])
    process.close()
    assert [one.symbol.text for one in after.found] == [CARD]
    assert process.crashes == 1
    assert "needed too much memory" in caplog.text


def test_frames_of_different_sizes_reach_the_child_unharmed(decoder: DecoderProcess) -> None:
    for scale in (2, 12, 40, 3):
        seen = decoder.look(picture_of(scale=scale), DEFAULT_SYMBOLOGIES, ["zxing"])
        assert [one.symbol.text for one in seen.found] == [CARD]


def test_hostile_pictures_never_stop_the_decoder(tmp_path: Path, decoder: DecoderProcess) -> None:
    became = hostile_pictures.run(24, 2018, decoder, tmp_path)
    assert became["pictures"] == 24
    assert hostile_pictures.still_reads(decoder)


def test_without_zbar_the_other_engine_still_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "pyzbar", None)
    assert not engines.has_zbar()
    assert "apt install libzbar0" in engines.ZBAR_MISSING
    result = decode_picture(picture_of(), symbologies=DEFAULT_SYMBOLOGIES)
    assert texts(result.readings) == [CARD]


def test_explain_says_what_each_stage_read_and_what_was_rejected() -> None:
    image = picture_of()
    plain = "\n".join(
        explain_lines(decode_picture(image, symbologies=DEFAULT_SYMBOLOGIES), "card.png")
    )
    assert "zxing: " in plain
    assert f"accepted: '{CARD}' (qr)" in plain
    rejected = "\n".join(explain_lines(judge([found(ENHANCED, CARD)], []), "card.png"))
    assert f"rejected: '{CARD}' (code128)" in rejected


def test_stages_are_counted_for_the_metrics() -> None:
    counts = StageCounts()
    counts.add(look(picture_of(), DEFAULT_SYMBOLOGIES, ["zxing", "zbar"]).steps)
    counts.accept("zxing")
    figures = counts.as_dict()
    assert set(figures) == set(BY_NAME)
    assert (figures["zxing"]["tried"], figures["zxing"]["accepted"]) == (1, 1)
    assert figures["zbar"]["accepted"] == 0


def scratched(text: str = CARD, *, hidden: int = 0) -> Image:
    """Return a Code 128 of which no line is whole; the last `hidden` characters on none."""
    code = picture_of(text, Symbology.CODE128, scale=3)[60:-60, 60:-60]
    code = np.repeat(code[:1], 90, axis=0)
    for row in range(0, 90, 6):
        left = 10 + (row * 37) % (code.shape[1] - 80)
        code[row : row + 6, left : left + 70] = 128
    if hidden:
        code[:, -(13 + 11 * (1 + hidden)) * 3 : -(13 + 11) * 3] = 255
    around = np.pad(code, 60, constant_values=255)
    noise = np.random.default_rng(5).normal(0, 6, around.shape)
    return np.clip(around + noise, 0, 255).astype(np.uint8)


def test_a_bar_code_of_which_no_line_is_whole_is_read_from_all_its_lines() -> None:
    image = scratched()
    engines_read = look(image, DEFAULT_SYMBOLOGIES, ["zxing", "zbar"])
    assert engines_read.found == ()
    result = decode_picture(image, symbologies=DEFAULT_SYMBOLOGIES)
    assert texts(result.readings) == [CARD]


@pytest.mark.parametrize("degrees", [90, 180, 17])
def test_it_is_read_whichever_way_the_card_lies(degrees: int) -> None:
    image = np.pad(scratched(), 150, constant_values=255)
    middle = (image.shape[1] / 2, image.shape[0] / 2)
    turned = cv2.warpAffine(
        image,
        cv2.getRotationMatrix2D(middle, degrees, 1.0),
        (image.shape[1], image.shape[1]),
        borderValue=255,
    )
    seen = look(np.asarray(turned, dtype=np.uint8), DEFAULT_SYMBOLOGIES, ["likely_bars"])
    assert [one.symbol.text for one in seen.found] == [CARD]


def test_a_character_that_no_line_shows_is_not_guessed_from_the_check_character() -> None:
    image = scratched(hidden=1)
    result = decode_picture(image, symbologies=DEFAULT_SYMBOLOGIES)
    assert (result.readings, result.candidates) == ((), ())


def half_hidden(version: int = 1, share: float = 0.3) -> Image:
    """Return a QR code of which one finder pattern and what lies beside it is burnt."""
    text = CARD if version == 1 else CARD * 2
    rows = [list(row) for row in segno.make_qr(text, version=version).matrix]
    code = np.kron((1 - np.array(rows, np.uint8)) * 255, np.ones((5, 5), np.uint8))
    code = np.pad(code, 70, constant_values=255)
    side = code.shape[0]
    rng = np.random.default_rng(3)
    code[70 : 70 + int(share * (side - 140)), 70 : 70 + int(share * (side - 140))] = 30
    picture = np.full((side + 200, side + 300), 150, np.uint8)
    picture[100 : 100 + side, 90 : 90 + side] = code
    return np.clip(picture + rng.normal(0, 5, picture.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("version", [1, 2])
def test_a_qr_code_with_a_burnt_finder_pattern_is_read(version: int) -> None:
    image = half_hidden(version)
    assert look(image, DEFAULT_SYMBOLOGIES, ["zxing", "zbar"]).found == ()
    seen = look(image, DEFAULT_SYMBOLOGIES, ["likely_squares"])
    assert [one.symbol.text for one in seen.found] == [CARD if version == 1 else CARD * 2]


def test_a_qr_code_of_which_too_much_is_burnt_is_not_guessed() -> None:
    result = decode_picture(half_hidden(share=0.8), symbologies=DEFAULT_SYMBOLOGIES)
    assert (result.readings, result.candidates) == ((), ())


@pytest.mark.parametrize("level", [(1, 7, "L"), (0, 10, "M"), (3, 13, "Q"), (2, 17, "H")])
def test_errors_and_erasures_of_a_qr_code_are_corrected_up_to_its_parity(
    level: tuple[int, int, str],
) -> None:
    number, parity, name = level
    made = segno.make_qr("99710157089", error=name.lower(), version=1, mask=3, boost_error=False)
    matrix = np.array([list(row) for row in made.matrix], np.int8)
    bits = [int(matrix[place]) for place in qr_symbol.data_places(1)]
    codewords = qr_symbol.codewords_of(1, 3, bits)
    assert np.array_equal(qr_symbol.drawn(1, number, 3, codewords), matrix)
    rng = np.random.default_rng(parity)
    for erasures in range(parity + 1):
        errors = (parity - erasures) // 2
        places = rng.permutation(len(codewords))[: erasures + errors]
        spoilt = list(codewords)
        for place in places:
            spoilt[place] ^= int(rng.integers(1, 256))
        erased = [int(place) for place in places[:erasures]]
        assert reed_solomon.corrected(spoilt, parity, erased) == codewords


def test_what_would_pass_by_chance_is_no_correction() -> None:
    rng = np.random.default_rng(8)
    passed = [
        reed_solomon.corrected(
            [int(one) for one in rng.integers(0, 256, 26)], 10, range(8), by_chance=2.0**-28
        )
        for _ in range(50)
    ]
    assert passed == [None] * 50
