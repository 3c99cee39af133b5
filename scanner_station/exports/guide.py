"""A role's guide on one sheet of A4, to lie on the table."""

import io
from collections.abc import Callable
from typing import Final
from xml.sax.saxutils import escape

from reportlab.lib.colors import Color
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    Flowable,
    Frame,
    HRFlowable,
    KeepInFrame,
    Paragraph,
    Table,
    TableStyle,
)

from scanner_station.domain.people import Role
from scanner_station.exports.guide_text import FOOT, GUIDES, SIGNS, Section
from scanner_station.exports.paper import PALE, paragraph, printable, style, use_letters
from scanner_station.exports.shapes import Shape

Say = Callable[[str], str]

_MARGIN: Final = 18 * mm
_SHAPE: Final = 12 * mm
_LINE: Final = Color(0.75, 0.75, 0.75)
_TITLE: Final = style("guide-title", size=20, bold=True, spaceAfter=5)
_FOOT: Final = style("guide-foot", size=8.5, spaceBefore=7)


def print_guide(role: Role, say: Say) -> bytes:
    """Return the guide of a role as PDF: one page of A4. `say` translates a sentence."""
    use_letters()
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4, invariant=1)
    canvas.setTitle(printable(say(GUIDES[role].title)))
    width, height = A4[0] - 2 * _MARGIN, A4[1] - 2 * _MARGIN
    frame = Frame(_MARGIN, _MARGIN, width, height, 0, 0, 0, 0)
    # A translation may be long: the whole is made smaller until it fits on the one page.
    frame.addFromList([KeepInFrame(width, height, _story(role, say), mode="shrink")], canvas)
    canvas.save()
    return file.getvalue()


def _story(role: Role, say: Say) -> list[Flowable]:
    guide = GUIDES[role]
    size = 11.5 if guide.shows_verdicts else 13.0
    story: list[Flowable] = [
        paragraph(say(guide.title), _TITLE),
        HRFlowable(width="100%", thickness=1.4, color="black", spaceAfter=4),
    ]
    for place, section in enumerate(guide.sections):
        story += _section(section, say, size)
        if guide.shows_verdicts and place == 1:
            story.append(_signs(say, size))
    story.append(HRFlowable(width="100%", thickness=0.6, color=_LINE, spaceBefore=8))
    story.append(paragraph(say(FOOT), _FOOT))
    return story


def _section(section: Section, say: Say, size: float) -> list[Flowable]:
    heading = style(f"guide-heading-{size}", size=size + 2, bold=True, spaceBefore=8, spaceAfter=2)
    line = style(f"guide-line-{size}", size=size, leftIndent=14, bulletIndent=2, spaceBefore=2.5)
    return [
        paragraph(say(section.title), heading),
        *(
            Paragraph(escape(printable(say(text))), line, bulletText="\N{BULLET}")
            for text in section.lines
        ),
    ]


def _signs(say: Say, size: float) -> Table:
    word = style("guide-word", size=size + 1, bold=True)
    small = style("guide-small", size=size - 1.5)
    do = style("guide-do", size=size)
    rows = [
        [
            Shape(sign.shape, _SHAPE),
            [paragraph(say(sign.word).upper(), word), paragraph(say(sign.sound), small)],
            paragraph(say(sign.do), do),
        ]
        for sign in SIGNS
    ]
    rules = TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.6, _LINE),
            ("BACKGROUND", (0, 0), (0, -1), PALE),
            ("TOPPADDING", (0, 0), (-1, -1), 4),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
        ]
    )
    return Table(rows, colWidths=[18 * mm, 62 * mm, 94 * mm], style=rules, spaceBefore=4)
