"""What every sheet that this station prints has in common: letters, marks, page numbers, codes.

Papers are PDF. The same content gives the same bytes: no time of making, no random numbers. The
letters come with the program and are embedded, so a paper looks the same everywhere.
"""

import io
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from xml.sax.saxutils import escape

import segno
from reportlab.lib.colors import Color, black
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate, Paragraph

from scanner_station import assets

REGULAR: Final = "Paper"
BOLD: Final = "Paper-Bold"
UPRIGHT: Final = "upright"
SIDEWAYS: Final = "sideways"
GREY: Final = Color(0.35, 0.35, 0.35)
PALE: Final = Color(0.93, 0.93, 0.93)
_WATER: Final = Color(0.5, 0.5, 0.5, alpha=0.22)
_FILES: Final = {REGULAR: "LiberationSans-Regular.ttf", BOLD: "LiberationSans-Bold.ttf"}
_MARGIN: Final = 20 * mm
_NARROW: Final = 15 * mm
_FOOT: Final = 11 * mm
_TOTAL: Final = "total-of-pages"
_WATERMARK_PT: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What stands on every page: `foot` at its bottom, `marks` across it and at its top."""

    title: str
    foot: str = ""
    marks: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def use_letters() -> None:
    """Make the letters known to the PDF library; once a process."""
    folder = assets.folder("web") / "fonts"
    for name, file in _FILES.items():
        pdfmetrics.registerFont(TTFont(name, str(folder / file)))
    pdfmetrics.registerFontFamily(
        REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD
    )


@lru_cache(maxsize=4096)
def printable(text: str) -> str:
    """Return a text as the letters can show it; what they cannot show is named: [U+4E2D]."""
    use_letters()
    known = pdfmetrics.getFont(REGULAR).face.charToGlyph
    return "".join(
        letter if ord(letter) in known and letter.isprintable() else f"[U+{ord(letter):04X}]"
        for letter in unicodedata.normalize("NFC", " ".join(text.split()))
    )


def width_of(text: str, size: float, font: str = REGULAR) -> float:
    """Return how wide a printable text is, in points."""
    return float(pdfmetrics.stringWidth(text, font, size))


def lines_of(text: str, width: float, size: float, font: str = REGULAR) -> list[str]:
    """Break a printable text into lines of at most `width` points; a long word where it must."""
    if width_of(text, size, font) <= width:
        return [text]
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if width_of(joined, size, font) <= width:
            lines[-1] = joined
            continue
        lines += [""] if lines[-1] else []
        for letter in word:
            if lines[-1] and width_of(lines[-1] + letter, size, font) > width:
                lines.append("")
            lines[-1] += letter
    return lines


def style(name: str, *, size: float = 10, bold: bool = False, **more: Any) -> ParagraphStyle:
    """Return a style of paragraphs in our letters; `more`: as the PDF library names them."""
    use_letters()
    font = BOLD if bold else REGULAR
    return ParagraphStyle(name, fontName=font, fontSize=size, leading=size * 1.32, **more)


def paragraph(text: str, form: ParagraphStyle) -> Paragraph:
    """Return a paragraph of plain text, whatever stands in it."""
    return Paragraph(escape(printable(text)), form)


class Code(Flowable):  # type: ignore[misc]  # the library has no types
    """A QR code of `side` points with its quiet zone."""

    def __init__(self, text: str, side: float) -> None:
        super().__init__()
        self._text = text
        self.width = self.height = side

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        """Return the size."""
        return self.width, self.height

    def draw(self) -> None:
        """Draw it where the canvas stands."""
        draw_code(self.canv, self._text, 0, 0, self.width)


def draw_code(canvas: Canvas, text: str, x: float, y: float, side: float) -> None:
    """Draw a QR code with its quiet zone in the square at (x, y), lower left, in points."""
    rows = [bytes(row) for row in segno.make_qr(text, error="m").matrix_iter(border=4)]
    module = side / len(rows)
    path = canvas.beginPath()
    for down, row in enumerate(rows):
        for start, length in _runs(row):
            top = y + side - (down + 1) * module
            path.rect(x + start * module, top, length * module, module)
    canvas.setFillColor(black)
    canvas.drawPath(path, stroke=0, fill=1)


def _runs(row: bytes) -> Iterator[tuple[int, int]]:
    start = None
    for place, dark in enumerate([*row, 0]):
        if dark and start is None:
            start = place
        elif not dark and start is not None:
            yield start, place - start
            start = None


def draw_marks(
    canvas: Canvas, marks: tuple[str, ...], width: float, height: float, *, top_mm: float = 9
) -> None:
    """Draw the marks across a page of a size in points, and in a line so far below its top.

    `top_mm` 0: not in a line; the page has a place of its own for it.
    """
    if not marks:
        return
    use_letters()
    canvas.saveState()
    if top_mm:
        canvas.setFont(BOLD, 9)
        canvas.drawCentredString(width / 2, height - top_mm * mm, printable(" · ".join(marks)))
    canvas.setFillColor(_WATER)
    canvas.translate(width / 2, height / 2)
    canvas.rotate(35)
    for place, mark in enumerate(marks):
        text = printable(mark)
        size = min(_WATERMARK_PT, _WATERMARK_PT * 0.9 * width / width_of(text, _WATERMARK_PT, BOLD))
        canvas.setFont(BOLD, size)
        middle = (len(marks) - 1) / 2 - place
        canvas.drawCentredString(0, middle * 1.3 * _WATERMARK_PT - size / 3, text)
    canvas.restoreState()


def print_pages(sheet: Sheet, story: list[Flowable], *, sideways_first: bool = False) -> bytes:
    """Return the pages of a story as PDF, each with the sheet's marks and its number of all."""
    use_letters()
    file = io.BytesIO()
    document = BaseDocTemplate(
        file, title=printable(sheet.title), author="", invariant=1, allowSplitting=1
    )
    templates = [_template(UPRIGHT, A4, _MARGIN, sheet)]
    templates.append(_template(SIDEWAYS, landscape(A4), _NARROW, sheet))
    document.addPageTemplates(templates[::-1] if sideways_first else templates)
    document.build(story, canvasmaker=_Numbered)
    return file.getvalue()


def _template(name: str, size: tuple[float, float], margin: float, sheet: Sheet) -> PageTemplate:
    frame = Frame(
        margin,
        _FOOT + 6 * mm,
        size[0] - 2 * margin,
        size[1] - _FOOT - 6 * mm - 14 * mm,
        leftPadding=0,
        rightPadding=0,
        topPadding=0,
        bottomPadding=0,
    )
    return PageTemplate(
        id=name, frames=[frame], pagesize=size, onPage=_decorated(sheet, size, margin)
    )


def _decorated(
    sheet: Sheet, size: tuple[float, float], margin: float
) -> Callable[[Canvas, Any], None]:
    foot = printable(sheet.foot)

    def decorate(canvas: Canvas, _document: Any) -> None:
        width, height = size
        draw_marks(canvas, sheet.marks, width, height)
        canvas.saveState()
        canvas.setFillColor(GREY)
        canvas.setFont(REGULAR, 7.5)
        canvas.drawString(margin, _FOOT, lines_of(foot, width - 2 * margin - 40 * mm, 7.5)[0])
        said = f"halaman {canvas.getPageNumber()} dari "
        canvas.drawRightString(width - margin - 8 * mm, _FOOT, said)
        canvas.translate(width - margin - 8 * mm, _FOOT)
        canvas.doForm(_TOTAL)
        canvas.restoreState()

    return decorate


class _Numbered(Canvas):  # type: ignore[misc]  # the library has no types
    """Pages that name the number of all pages, which is drawn once, after the last of them."""

    def save(self) -> None:
        total = self.getPageNumber() - 1
        self.beginForm(_TOTAL)
        self.setFont(REGULAR, 7.5)
        self.setFillColor(GREY)
        self.drawString(0, 0, str(total))
        self.endForm()
        super().save()
