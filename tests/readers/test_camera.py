"""A card in front of the camera is counted once, whatever the camera sees of it meanwhile."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import segno
import zxingcpp

from scanner_station.clock import SystemClock
from scanner_station.domain.errors import ReaderError
from scanner_station.domain.events import ReaderNotice
from scanner_station.domain.reading import ReaderId, Symbology
from scanner_station.readers import camera as camera_module
from scanner_station.readers.camera import CameraReader
from scanner_station.readers.decoding import stages
from scanner_station.readers.decoding.process import InProcessDecoder
from scanner_station.readers.decoding.symbols import Look, Step

Image = npt.NDArray[np.uint8]
A, B = b"9971015708900001", b"9971025207910002"
FPS = 30
SLOW = frozenset(stages.groups()[2])
"""Their yield is tested with the decoder; here they would only take time."""


def table(width: int = 640, height: int = 360) -> Image:
    """Return an empty table: uneven, noisy, unlike any card."""
    rng = np.random.default_rng(7)
    shade = np.linspace(80, 110, width)[None, :, None] + rng.normal(0, 3, (height, width, 1))
    return np.repeat(np.clip(shade, 0, 255), 3, axis=2).astype(np.uint8)


def with_card(
    payload: bytes, at: tuple[int, int] = (120, 60), *, base: Image | None = None
) -> Image:
    """Return the table with a white card on it that bears a QR code and some print."""
    picture = (table() if base is None else base).copy()
    x, y = at
    picture[y : y + 190, x : x + 300] = (235, 240, 240)
    for line in range(5):
        picture[y + 20 + 30 * line : y + 28 + 30 * line, x + 15 : x + 120] = (60, 60, 60)
    code = np.array([list(row) for row in segno.make_qr(payload.decode()).matrix], np.uint8)
    code = np.kron(1 - code, np.ones((5, 5), np.uint8)) * 255
    height, width = code.shape
    picture[y + 30 : y + 30 + height, x + 150 : x + 150 + width] = code[..., None]
    return picture


def unreadable_card(at: tuple[int, int] = (120, 60)) -> Image:
    """Return the card with its code held under glare."""
    picture = with_card(A, at)
    cv2.circle(picture, (at[0] + 215, at[1] + 90), 60, (255, 255, 255), -1)
    return picture


def reader_of(
    source: object,
    *,
    expected: tuple[bytes, ...] = (A, B),
    notices: list[ReaderNotice] | None = None,
    **options: object,
) -> CameraReader:
    options.setdefault("stages_off", SLOW)
    return CameraReader(
        ReaderId("camera"),
        source,  # type: ignore[arg-type]  # tests give capture objects, too
        symbologies=frozenset({Symbology.QR}),
        is_expected=lambda payload: payload in expected,
        fits=lambda payload: len(payload) == 16 and payload.isdigit(),
        clock=SystemClock(),
        notify=(notices if notices is not None else []).append,
        decoder=InProcessDecoder(),
        **options,  # type: ignore[arg-type]
    )


def film(path: Path, frames: list[Image]) -> str:
    """Write frames as a video file and return its path."""
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(
        str(path / "film.avi"), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (width, height)
    )
    for frame in frames:
        writer.write(frame)
    writer.release()
    return str(path / "film.avi")


def folder(path: Path, pictures: list[Image]) -> str:
    for number, picture in enumerate(pictures):
        cv2.imwrite(str(path / f"{number:03}.png"), picture)
    return str(path)


def payloads(reader: CameraReader) -> list[bytes]:
    return [reading.payload for reading in reader.readings()]


@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        ([A, A, None, A], [A, A]),
        ([A, A], [A]),
        ([A, B, A], [A, B, A]),
    ],
    ids=["left_and_came_back", "twice_in_a_row", "another_between"],
)
@pytest.mark.parametrize("on_manifest", [True, False], ids=["manifest", "no_manifest"])
def test_each_presentation_in_a_folder_of_pictures_is_one_reading(
    tmp_path: Path, cards: list[bytes | None], expected: list[bytes], *, on_manifest: bool
) -> None:
    source = folder(tmp_path, [table() if card is None else with_card(card) for card in cards])
    reader = reader_of(source, expected=(A, B) if on_manifest else ())
    assert payloads(reader) == expected


@pytest.mark.parametrize("on_manifest", [True, False], ids=["manifest", "no_manifest"])
def test_a_card_that_shakes_and_hides_from_the_decoder_is_one_reading(
    tmp_path: Path, *, on_manifest: bool
) -> None:
    rng = np.random.default_rng(1)
    frames = [table()] * 40
    for _ in range(3):
        for _ in range(8):
            frames.append(with_card(A, tuple(int(v) for v in 100 + rng.integers(-12, 12, 2))))
        for _ in range(30):
            frames.append(unreadable_card(tuple(int(v) for v in 100 + rng.integers(-12, 12, 2))))
    frames += [table()] * 20
    reader = reader_of(film(tmp_path, frames), expected=(A,) if on_manifest else ())
    assert payloads(reader) == [A]


def test_a_card_shown_again_after_it_left_is_a_second_reading(tmp_path: Path) -> None:
    card, empty = [with_card(A)] * 20, [table()] * 20
    frames = empty * 2 + card + empty + card + empty
    assert payloads(reader_of(film(tmp_path, frames))) == [A, A]


def test_cards_laid_one_on_the_other_without_a_gap_are_each_one_reading(tmp_path: Path) -> None:
    frames = [with_card(A)] * 20 + [with_card(B)] * 20 + [with_card(A)] * 20
    assert payloads(reader_of(film(tmp_path, frames))) == [A, B, A]


def test_two_cards_in_view_are_named_and_neither_is_counted(tmp_path: Path) -> None:
    wide = table(1280, 720)
    both = with_card(B, (700, 400), base=with_card(A, (80, 60), base=wide))
    notices: list[ReaderNotice] = []
    assert payloads(reader_of(film(tmp_path, [wide] * 10 + [both] * 30), notices=notices)) == []
    together = [notice for notice in notices if notice.message == camera_module.TOGETHER]
    assert [notice.values for notice in together] == [{"first": "…0001", "second": "…0002"}]


def test_a_code_that_is_no_identifier_is_still_delivered(tmp_path: Path) -> None:
    foreign = with_card(b"HTTP://EXAMPLE/1")
    frames = [table()] * 10 + [foreign] * 40
    assert payloads(reader_of(film(tmp_path, frames), expected=())) == [b"HTTP://EXAMPLE/1"]


def test_a_card_nobody_can_read_gets_the_manual_lane_after_two_seconds(tmp_path: Path) -> None:
    notices: list[ReaderNotice] = []
    frames = [table()] * 35 + [unreadable_card()] * 70
    assert payloads(reader_of(film(tmp_path, frames), notices=notices)) == []
    assert [notice.message for notice in notices].count(camera_module.UNREAD) == 1


def test_the_empty_table_is_hardly_decoded(tmp_path: Path) -> None:
    reader = reader_of(film(tmp_path, [table()] * 300))
    assert payloads(reader) == []
    assert reader.counts.by_stage["zxing"].tried < 60
    assert reader.counts.frames == 300


class UnpluggedCamera:
    """Gives one frame, then none, as a camera does whose cable is pulled."""

    def __init__(self) -> None:
        self.frames = [with_card(A)]
        self.is_released = False

    def read(self) -> tuple[bool, Image | None]:
        return (True, self.frames.pop()) if self.frames else (False, None)

    def release(self) -> None:
        self.is_released = True


def test_a_camera_whose_cable_is_pulled_is_a_reader_error() -> None:
    with pytest.raises(ReaderError, match="gives no pictures any more"):
        payloads(reader_of(UnpluggedCamera()))


@pytest.mark.parametrize("source", ["63", "/dev/video-none", "http://127.0.0.1:9/stream"])
def test_a_camera_that_cannot_be_opened_is_a_reader_error(source: str) -> None:
    with pytest.raises(ReaderError, match="cannot be opened"):
        payloads(reader_of(source))


def test_the_password_of_a_camera_on_the_network_is_not_shown() -> None:
    with pytest.raises(ReaderError) as raised:
        payloads(reader_of("http://officer:secret@127.0.0.1:9/stream"))
    assert "secret" not in str(raised.value)


def test_closing_from_another_place_ends_the_readings(tmp_path: Path) -> None:
    reader = reader_of(folder(tmp_path, [with_card(A), with_card(B)]), loop=True)
    readings = reader.readings()
    assert next(readings).payload == A
    reader.close()
    reader.close()
    assert list(readings) == []


def test_a_camera_says_that_a_card_is_held_before_it_and_forgets_it_when_it_ends(
    tmp_path: Path,
) -> None:
    reader = reader_of(film(tmp_path, [with_card(A)] * FPS))
    assert not reader.is_presenting
    readings = reader.readings()
    next(readings)
    assert reader.is_presenting
    assert not list(readings)
    assert not reader.is_presenting


def test_the_page_gets_a_small_picture_with_the_code_outlined(tmp_path: Path) -> None:
    reader = reader_of(folder(tmp_path, [with_card(A)]))
    assert reader.latest_jpeg() is None
    assert payloads(reader) == [A]
    jpeg = reader.latest_jpeg()
    assert jpeg is not None
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (270, 480, 3)
    green = (picture[..., 1].astype(int) - picture[..., 2]) > 60
    assert green.sum() > 100
    still = reader.latest_still()
    assert still is not None
    whole = cv2.imdecode(np.frombuffer(still, np.uint8), cv2.IMREAD_COLOR)
    assert whole is not None
    assert whole.shape == (360, 640, 3)
    assert ((whole[..., 1].astype(int) - whole[..., 2]) > 60).sum() == 0


def test_a_candidate_one_digit_off_is_shown_to_the_officer_and_never_counted(
    tmp_path: Path,
) -> None:
    shown: list[bytes] = []
    reader = reader_of(
        film(tmp_path, [table()] * 35 + [with_card(A)] + [unreadable_card()] * 70),
        expected=(),
        near_expected=lambda payload: payload == A,
        on_candidate=shown.append,
    )
    assert payloads(reader) == []
    assert shown == [A]


def test_a_code_without_a_check_digit_is_taken_only_at_its_full_length(tmp_path: Path) -> None:
    def showing(digits: str) -> list[Image]:
        made = zxingcpp.create_barcode(digits, zxingcpp.BarcodeFormat.ITF)
        code = np.array(made.to_image(scale=3), np.uint8)
        picture = table(1280, 720)
        picture[200 : 200 + code.shape[0], 200 : 200 + code.shape[1]] = code[..., None]
        return [table(1280, 720)] * 10 + [picture] * 15

    for digits, taken in ((A.decode(), [A]), (A.decode()[:14], [])):
        reader = CameraReader(
            ReaderId("camera"),
            film(tmp_path, showing(digits)),
            symbologies=frozenset({Symbology.ITF}),
            is_expected=lambda _: True,
            fits=lambda _: True,
            clock=SystemClock(),
            notify=lambda _: None,
            decoder=InProcessDecoder(),
            stages_off=SLOW,
        )
        assert payloads(reader) == taken


class SlowDecoder:
    """Reads nothing and says of each stage that it took half a frame's budget."""

    crashes = 0

    def __init__(self) -> None:
        self.tried: list[str] = []

    def look(self, image: Image, symbologies: object, names: Sequence[str]) -> Look:
        del image, symbologies
        self.tried += names
        ms = camera_module.FRAME_BUDGET_MS / 2
        return Look(steps=tuple(Step(stage=name, ms=ms, found=0) for name in names))

    def close(self) -> None:
        """Nothing to give back."""


def test_a_hopeless_card_gets_every_stage_in_turn_and_no_frame_more_than_its_budget(
    tmp_path: Path,
) -> None:
    decoder = SlowDecoder()
    reader = reader_of(
        film(tmp_path, [table()] * 35 + [unreadable_card()] * 60), stages_off=frozenset()
    )
    reader._decoder = decoder
    assert payloads(reader) == []
    frames = decoder.tried.count("zxing")
    assert len(decoder.tried) <= 2 * frames
    assert set(decoder.tried) >= {"zxing", "zxing_fixed"}


def test_the_empty_table_is_known_again_after_the_light_has_changed(tmp_path: Path) -> None:
    lit = np.clip(table().astype(int) + 45, 0, 255).astype(np.uint8)
    frames = [table()] * 40 + [with_card(A)] * 15 + [lit] * 60 + [with_card(A, base=lit)] * 15
    reader = reader_of(film(tmp_path, [*frames, *[lit] * 60]))
    assert payloads(reader) == [A, A]
    before = reader.counts.by_stage["zxing"].tried
    assert before < 120
