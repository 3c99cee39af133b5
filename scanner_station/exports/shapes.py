"""The shapes of the screens on paper: read from the pages' own picture, so that both are the same.

Only what that picture uses: rectangles, circles and paths of straight lines and cubic curves.
"""

import re
from functools import lru_cache
from typing import Any, Final
from xml.etree import ElementTree

from reportlab.lib.colors import HexColor, white
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable

from scanner_station import assets

COLOURS: Final = {
    "counted": "#0a6b2f",
    "already_counted": "#8a5a00",
    "not_on_manifest": "#b00020",
    "unreadable": "#36454f",
    "waiting": "#b00020",
    "fault": "#b00020",
}
_BOX: Final = 100.0
_TOKENS: Final = re.compile(r"[a-zA-Z]|-?\d+(?:\.\d+)?")
_NUMBERS: Final = {"m": 2, "l": 2, "h": 1, "v": 1, "c": 6, "s": 4, "z": 0}

Point = tuple[float, float]


class Shape(Flowable):  # type: ignore[misc]  # the library has no types
    """One shape of the screens, `side` points wide and high, in its own colour."""

    def __init__(self, name: str, side: float) -> None:
        super().__init__()
        self._name = name
        self.width = self.height = side

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        """Return the size."""
        return self.width, self.height

    def draw(self) -> None:
        """Draw it where the canvas stands."""
        canvas: Canvas = self.canv
        canvas.saveState()
        canvas.scale(self.width / _BOX, -self.height / _BOX)
        canvas.translate(0, -_BOX)
        for part in _symbols()[self._name]:
            _draw(canvas, part, HexColor(COLOURS[self._name]))
        canvas.restoreState()


@lru_cache(maxsize=1)
def _symbols() -> dict[str, list[ElementTree.Element]]:
    text = (assets.folder("web") / "templates" / "shapes.svg").read_text("utf-8")
    root = ElementTree.fromstring(text)  # noqa: S314 - our own file
    return {str(one.get("id")).removeprefix("shape-"): list(one) for one in root}


def _draw(canvas: Canvas, part: ElementTree.Element, colour: Any) -> None:
    name = str(part.get("class", ""))
    ink = white if name.startswith("hole") else colour
    width = float(part.get("stroke-width", 0))
    is_stroked = bool(part.get("stroke") or name == "hole")
    is_filled = part.get("fill") == "currentColor" or name == "hole-dot"
    canvas.setFillColor(ink)
    canvas.setStrokeColor(ink)
    canvas.setLineWidth(width)
    canvas.setLineCap(int(part.get("stroke-linecap") == "round"))
    canvas.setLineJoin(int(part.get("stroke-linejoin") == "round"))
    look = {"stroke": int(is_stroked), "fill": int(is_filled)}
    value = {key: float(part.get(key, 0)) for key in ("x", "y", "width", "height", "rx")}
    match part.tag.rpartition("}")[2]:
        case "rect":
            corner = (value["x"], value["y"], value["width"], value["height"])
            canvas.roundRect(*corner, value["rx"], **look)
        case "circle":
            canvas.circle(*(float(part.get(key, 0)) for key in ("cx", "cy", "r")), **look)
        case _:
            canvas.drawPath(_path(canvas, str(part.get("d"))), **look)


def _path(canvas: Canvas, text: str) -> Any:
    path = canvas.beginPath()
    at: Point = (0.0, 0.0)
    handle = at  # the last control point, for what goes on smoothly
    for command, given in _steps(text):
        key = command.lower()
        x, y = at if command.islower() else (0.0, 0.0)
        points = [(given[n] + x, given[n + 1] + y) for n in range(0, len(given) - 1, 2)]
        match key:
            case "h" | "v":
                points = [(given[0] + x, at[1]) if key == "h" else (at[0], given[0] + y)]
            case "s":
                points = [(2 * at[0] - handle[0], 2 * at[1] - handle[1]), *points]
        if key == "z":
            path.close()
        elif key == "m":
            path.moveTo(*points[0])
        elif len(points) == 3:
            path.curveTo(*points[0], *points[1], *points[2])
        else:
            path.lineTo(*points[0])
        if points:
            handle = points[1] if len(points) == 3 else points[-1]
            at = points[-1]
    return path


def _steps(text: str) -> list[tuple[str, list[float]]]:
    tokens = _TOKENS.findall(text)
    steps: list[tuple[str, list[float]]] = []
    command = ""
    while tokens:
        if tokens[0].isalpha():
            command = tokens.pop(0)
        count = _NUMBERS[command.lower()]
        steps.append((command, [float(one) for one in tokens[:count]]))
        del tokens[:count]
        if command in "mM":  # further pairs are lines
            command = "l" if command == "m" else "L"
    return steps
