"""Draws damaged cards as a camera sees them: single frames, and sequences of one presentation.

A card is a flat picture (ID-1, 85.60 x 53.98 mm) with print and one code. Damage belongs to
the card and stays the same through a sequence: scratches, scorching, a finger or a cut corner.
The view belongs to the moment and changes with the hand: pose, glare, focus, shake, noise.
Every number starts with 99, which no Indonesian province has. Same arguments, same pictures.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
import segno
import zxingcpp

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

WIDTH_MM: Final = 85.60
HEIGHT_MM: Final = 53.98
PX_PER_MM: Final = 14
FRAME_WIDTH: Final = 1280
FRAME_HEIGHT: Final = 720
FOCAL_PX: Final = 1100.0
KINDS: Final = ("code128_digits", "code128_letters", "qr")
OTHER_KINDS: Final = ("code39",)
"""Drawn for false reads only: a Code 39 has no check character."""
LEVELS: Final = 6
MANY: Final = 0.2
"""From this exposure on shot noise is as good as Gaussian."""
READ_OUT: Final = 4.0
"""Noise of the sensor itself, in photons."""
MODULE_MM: Final = {"code128_digits": 0.33, "code128_letters": 0.30, "code39": 0.27, "qr": 0.55}
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """How a card is damaged and how it is seen; lengths in frame pixels where not said."""

    scratches: int = 1
    burnt_share: float = 0.0
    hidden_share: float = 0.0
    defocus_sigma: float = 0.45
    shake_px: float = 0.0
    exposure: float = 0.8
    glare_radius: float = 0.0
    tilt_degrees: float = 5.0
    turn_degrees: float = 4.0
    card_share: float = 0.62
    jpeg_quality: int = 92


AXES: Final[dict[str, tuple[str, tuple[float, ...]]]] = {
    "scratch": ("scratches", (0, 5, 12, 25, 50, 90)),
    "burn": ("burnt_share", (0, 0.04, 0.10, 0.20, 0.30, 0.45)),
    "defocus": ("defocus_sigma", (0.3, 0.8, 1.3, 1.8, 2.4, 3.2)),
    "motion": ("shake_px", (0, 3, 5, 8, 12, 18)),
    "lowlight": ("exposure", (1, 0.35, 0.15, 0.07, 0.035, 0.015)),
    "glare": ("glare_radius", (0, 0.25, 0.5, 0.8, 1.2, 1.7)),
    "perspective": ("tilt_degrees", (0, 20, 35, 45, 55, 65)),
    "rotation": ("turn_degrees", (0, 12, 30, 45, 75, 90)),
    "occlusion": ("hidden_share", (0, 0.10, 0.20, 0.30, 0.45, 0.60)),
    "resolution": ("card_share", (0.75, 0.50, 0.40, 0.33, 0.27, 0.22)),
    "jpeg": ("jpeg_quality", (95, 60, 40, 25, 15, 8)),
    "combo": ("", (0, 1, 2, 3, 4, 5)),
}


def damage_of(axis: str, level: int) -> Damage:
    """Return the damage of one axis at one level, 0 none to 5 hopeless; `combo` is all of them."""
    name, values = AXES[axis]
    if name:
        value = values[level]
        whole = {"scratches", "jpeg_quality"}
        return replace(Damage(), **{name: int(value) if name in whole else value})
    half = {
        field: float(np.interp(level / 2, range(LEVELS), steps))
        for field, steps in AXES.values()
        if field and field not in {"turn_degrees", "card_share"}
    }
    half |= {"shake_px": half["shake_px"] / 2, "hidden_share": half["hidden_share"] / 2}
    share = float(np.interp(level, range(LEVELS), (0.65, 0.6, 0.55, 0.48, 0.42, 0.36)))
    return replace(
        Damage(),
        **{
            **half,
            "scratches": int(half["scratches"]),
            "jpeg_quality": int(half["jpeg_quality"]),
            "defocus_sigma": max(0.45, 0.7 * half["defocus_sigma"]),
            "turn_degrees": 6.0 * level,
            "card_share": share,
        },
    )


@dataclass(frozen=True, slots=True)
class Sample:
    """One generated frame and what it says ('' when it bears no code)."""

    image: Image
    text: str
    kind: str
    axis: str
    level: int


def frames_of(
    axis: str, level: int, kind: str, *, seed: int, index: int, count: int = 1
) -> Iterator[Sample]:
    """Yield `count` frames of one presentation of one card; `kind` '' draws no code."""
    key = zlib.crc32(f"{axis}|{level}|{kind}|{index}".encode())
    card_rng = np.random.default_rng([seed, key])
    hand_rng = np.random.default_rng([seed, key, 1])
    damage = damage_of(axis, level)
    text = _text(card_rng, kind)
    card, box = _card(card_rng, kind, text)
    card, opacity = _damaged(card_rng, card, box, damage)
    table = 86 + 9 * _clouds(card_rng, FRAME_HEIGHT, FRAME_WIDTH)
    turn, lean = card_rng.uniform(-1, 1), card_rng.uniform(0, 2 * np.pi)
    if axis == "rotation":
        turn = 1.0
    for number in range(count):
        wobble = 0.0 if number == 0 else 1.0
        seen = _wobbled(hand_rng, damage, wobble)
        pose = _pose(
            hand_rng,
            tilt=seen.tilt_degrees,
            turn=seen.turn_degrees * turn + wobble * hand_rng.uniform(-5, 5),
            lean=lean + wobble * hand_rng.uniform(-0.5, 0.5),
            share=seen.card_share,
        )
        yield Sample(
            _seen(hand_rng, card, opacity, box, table, pose, seen), text, kind, axis, level
        )


def _wobbled(rng: np.random.Generator, damage: Damage, wobble: float) -> Damage:
    """Return the view a moment later: the hand moves a little, focus and shake vary."""
    factor = 1 + wobble * 0.35
    return replace(
        damage,
        defocus_sigma=damage.defocus_sigma * float(rng.uniform(1 / factor, factor)),
        shake_px=damage.shake_px * float(rng.uniform(1 - 0.8 * wobble, 1 + 0.3 * wobble)),
        tilt_degrees=damage.tilt_degrees + wobble * float(rng.uniform(-8, 5)),
        card_share=damage.card_share * float(rng.uniform(1 - 0.05 * wobble, 1 + 0.08 * wobble)),
    )


def _text(rng: np.random.Generator, kind: str) -> str:
    if kind in {"code128_letters", "code39"}:
        return "KPG" + "".join(_LETTERS[i] for i in rng.integers(0, len(_LETTERS), 9))
    return "99" + "".join(str(digit) for digit in rng.integers(0, 10, 14)) if kind else ""


def _clouds(rng: np.random.Generator, height: int, width: int) -> Floats:
    """Return smooth random clouds, roughly -2 to 2."""
    total = np.zeros((height, width), np.float32)
    for octave in range(5):
        cells = rng.standard_normal((4 << octave, 4 << octave)).astype(np.float32)
        total += 0.55**octave * np.asarray(
            cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC)
        )
    return total


def _modules(kind: str, text: str) -> tuple[npt.NDArray[np.uint8], float]:
    """Return the modules of a code, 1 is dark, and the width of one in millimetres."""
    if kind == "qr":
        matrix = segno.make_qr(text, error="m").matrix
        return np.array([list(row) for row in matrix], np.uint8), MODULE_MM[kind]
    formats = zxingcpp.BarcodeFormat
    code = zxingcpp.create_barcode(text, formats.Code39 if kind == "code39" else formats.Code128)
    row = np.array(code.to_image(scale=1, add_quiet_zones=False))[0]
    return (row < 128).astype(np.uint8)[None], MODULE_MM[kind]


Box = tuple[int, int, int, int]


def _card(rng: np.random.Generator, kind: str, text: str) -> tuple[Floats, Box]:
    """Return a card's face in grey and the code's box (left, top, width, height)."""
    width, height = int(WIDTH_MM * PX_PER_MM), int(HEIGHT_MM * PX_PER_MM)
    face = np.clip(205 + 3 * _clouds(rng, height, width), 0, 255).astype(np.uint8)
    for line in range(0, height, 24):
        cv2.line(face, (0, line), (width, line + 80), 192, 2, cv2.LINE_AA)
    cv2.rectangle(face, (width - 310, 150), (width - 50, 480), 70, -1)
    cv2.ellipse(face, (width - 180, 290), (75, 95), 0, 0, 360, 165, -1)
    for number, line_text in enumerate(
        ("KARTU CONTOH", "Nama: CONTOH", "Alamat: JL CONTOH 1", "-")
    ):
        at = (45, 70 + 75 * number)
        cv2.putText(face, line_text, at, cv2.FONT_HERSHEY_SIMPLEX, 1.3, 30, 3, cv2.LINE_AA)
    if not kind:
        return face.astype(np.float32), (300, 500, 380, 130)
    modules, module_mm = _modules(kind, text)
    size = max(1, round(module_mm * PX_PER_MM))
    tall = size if kind == "qr" else int(9 * PX_PER_MM)
    code = np.repeat(np.repeat(modules, size, axis=1), tall, axis=0)
    code_height, code_width = code.shape
    quiet = 4 * size if kind == "qr" else 10 * size
    left = int(rng.integers(quiet + 5, max(quiet + 6, width - code_width - quiet - 5)))
    top = height - code_height - int(rng.integers(50, 95))
    cv2.rectangle(
        face,
        (left - quiet, top - min(quiet, 40)),
        (left + code_width + quiet, top + code_height + min(quiet, 25)),
        239,
        -1,
    )
    face[top : top + code_height, left : left + code_width][code == 1] = 27
    return face.astype(np.float32), (left, top, code_width, code_height)


def _damaged(
    rng: np.random.Generator, face: Floats, box: Box, damage: Damage
) -> tuple[Floats, Floats]:
    """Return the damaged face and its opacity (0 where a corner was cut off)."""
    left, top, width, height = box
    opacity = np.ones_like(face)
    for _ in range(damage.scratches):
        angle, length = rng.uniform(0, np.pi), rng.uniform(3, 25) * PX_PER_MM / 2
        x, y = rng.uniform(left - 50, left + width + 50), rng.uniform(top - 50, top + height + 50)
        dx, dy = length * np.cos(angle), length * np.sin(angle)
        colour = 250 if rng.random() < 0.75 else 60
        thick = max(1, int(rng.uniform(0.08, 0.5) * PX_PER_MM))
        ends = (int(x - dx), int(y - dy)), (int(x + dx), int(y + dy))
        cv2.line(face, *ends, colour, thick, cv2.LINE_AA)
    if damage.burnt_share:
        face = _scorched(rng, face, box, damage.burnt_share)
    if damage.hidden_share:
        _hide(rng, face, opacity, box, damage.hidden_share)
    return face, opacity


def _scorched(rng: np.random.Generator, face: Floats, box: Box, share: float) -> Floats:
    left, top, width, height = box
    rows, columns = face.shape
    x, y = rng.uniform(left, left + width), rng.uniform(top - 15, top + height + 15)
    far = np.hypot(
        (np.arange(columns)[None] - x) / width,
        (np.arange(rows)[:, None] - y) / max(height, width / 2),
    )
    heat = _clouds(rng, rows, columns) - 1.3 * far.astype(np.float32)
    limit = np.quantile(heat[top : top + height, left : left + width], 1 - share)
    char = np.clip((heat - limit) / 0.5 + 0.5, 0, 1)
    brown = np.clip(1 - np.abs((heat - limit) / 0.8 + 0.5), 0, 1) * 0.5
    burnt = face * (1 - char) + char * (25 + 5 * _clouds(rng, rows, columns))
    return np.asarray(burnt * (1 - brown) + 0.6 * face * brown, dtype=np.float32)


def _hide(rng: np.random.Generator, face: Floats, opacity: Floats, box: Box, share: float) -> None:
    """Cut a piece of the card off, or hold a finger on it."""
    left, top, width, height = box
    kind = rng.random()
    if kind < 0.25:
        opacity[int(top + height * (1 - share)) :] = 0
    elif kind < 0.5:
        slope = np.arange(face.shape[0])[:, None] / face.shape[0] * 60 - 30
        opacity[np.arange(face.shape[1])[None] > left + width * (1 - share) + slope] = 0
    else:
        radius = 8 * PX_PER_MM
        x = int(left + rng.uniform(0.1, 0.9) * width)
        y = int(top + height * (1 - share) + 1.6 * radius)
        cv2.ellipse(face, (x, y), (radius, int(1.6 * radius)), 0, 0, 360, 155, -1)


def _pose(
    rng: np.random.Generator, *, tilt: float, turn: float, lean: float, share: float
) -> npt.NDArray[np.float64]:
    """Return the homography from card pixels to frame pixels."""
    axis = np.array([np.cos(lean), np.sin(lean), 0.0])
    tilted, _ = cv2.Rodrigues(axis * np.radians(tilt))
    turned, _ = cv2.Rodrigues(np.array([0.0, 0.0, np.radians(turn)]))
    rotation = tilted @ turned
    wide_px = share * FRAME_WIDTH
    if abs(np.sin(np.radians(turn))) > 0.5:
        wide_px = min(wide_px, 680.0)  # a turned card still fits into the frame
    away = FOCAL_PX * WIDTH_MM / wide_px
    shift = np.array([*(rng.uniform(-0.06, 0.06, 2) * away * (1 - share)), away])
    lens = np.array([[FOCAL_PX, 0, FRAME_WIDTH / 2], [0, FOCAL_PX, FRAME_HEIGHT / 2], [0, 0, 1]])
    millimetres = np.array(
        [[1 / PX_PER_MM, 0, -WIDTH_MM / 2], [0, 1 / PX_PER_MM, -HEIGHT_MM / 2], [0, 0, 1]]
    )
    return np.asarray(lens @ np.c_[rotation[:, 0], rotation[:, 1], shift] @ millimetres)


def _seen(
    rng: np.random.Generator,
    face: Floats,
    opacity: Floats,
    box: Box,
    table: Floats,
    pose: npt.NDArray[np.float64],
    damage: Damage,
) -> Image:
    """Return the frame: the card before the table, through light, lens, sensor and JPEG."""
    size = (FRAME_WIDTH, FRAME_HEIGHT)
    twice = np.diag([2.0, 2.0, 1.0]) @ pose
    shrink = PX_PER_MM * WIDTH_MM / (2 * damage.card_share * FRAME_WIDTH)
    smooth = cv2.GaussianBlur(face, (0, 0), 0.35 * shrink) if shrink > 1.3 else face
    doubled = cv2.warpPerspective(smooth, twice, (2 * size[0], 2 * size[1]))
    card = cv2.resize(doubled, size, interpolation=cv2.INTER_AREA)
    solid = cv2.warpPerspective(opacity, pose, size)
    scene = card * solid + table * (1 - solid)
    across = np.linspace(-1, 1, size[0], dtype=np.float32)[None]
    down = np.linspace(-1, 1, size[1], dtype=np.float32)[:, None]
    scene = scene * (1 + 0.15 * rng.uniform(-1, 1) * across + 0.15 * rng.uniform(-1, 1) * down)
    if damage.glare_radius:
        scene = scene + _glare(rng, box, pose, damage)
    scene = cv2.GaussianBlur(scene, (0, 0), damage.defocus_sigma)
    scene = _shaken(rng, scene, damage.shake_px)
    photons = np.clip(scene, 0, 255) / 255 * 1275 * damage.exposure
    noisy = _counted(rng, np.asarray(photons, np.float32), many=damage.exposure > MANY)
    gain = min(1 / (0.85 * damage.exposure), 12)
    image = np.clip(noisy / 1500 * 255 * gain, 0, 255).astype(np.uint8)
    _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, damage.jpeg_quality])
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)


def _counted(rng: np.random.Generator, photons: Floats, *, many: bool) -> Floats:
    """Return what a sensor counts: shot noise and read-out noise, drawn fast where many arrive."""
    if not many:
        return np.asarray(rng.poisson(photons) + rng.normal(0, READ_OUT, photons.shape), np.float32)
    spread = np.sqrt(photons + READ_OUT**2)
    return photons + spread * rng.standard_normal(photons.shape, dtype=np.float32)


def _glare(
    rng: np.random.Generator, box: Box, pose: npt.NDArray[np.float64], damage: Damage
) -> Floats:
    """Return the light of a lamp's reflection near the code, in grey levels."""
    left, top, width, height = box
    middle = pose @ np.array([left + width / 2, top + height / 2, 1])
    radius = damage.glare_radius * 9 * damage.card_share * FRAME_WIDTH / WIDTH_MM
    x, y = middle[:2] / middle[2] + rng.normal(0, radius * 0.35, 2)
    stretch = rng.uniform(0.6, 1.8)
    across = ((np.arange(FRAME_WIDTH) - x) / (radius * stretch)) ** 2
    down = ((np.arange(FRAME_HEIGHT) - y) / (radius / stretch)) ** 2
    light = 420 * np.outer(np.exp(-1.6 * down), np.exp(-1.6 * across))
    return np.asarray(light, dtype=np.float32)


def _shaken(rng: np.random.Generator, scene: Floats, length_px: float) -> Floats:
    if length_px < 1.5:
        return np.asarray(scene)
    angle, half, reach = rng.uniform(0, np.pi), length_px / 2, int(length_px / 2) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for along in np.linspace(-half, half, 64):
        x, y = reach + along * np.cos(angle), reach + along * np.sin(angle)
        kernel[round(y), round(x)] += 1
    return np.asarray(cv2.filter2D(scene, -1, kernel / kernel.sum()))
