"""The shapes that the minutes are put together from: headings, sentences, small tables, names."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from reportlab.lib.enums import TA_CENTER, TA_JUSTIFY
from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, Flowable, Paragraph, Spacer, Table, TableStyle

from scanner_station.exports.listing import Column, Listing, Row
from scanner_station.exports.paper import paragraph, printable, style
from scanner_station.exports.terbilang import local_time
from scanner_station.service.minutes import Minutes

BLANK: Final = "…………………………"
"""Stands where something is still to be written, by pen if need be."""

TITLE: Final = style("title", size=12.5, bold=True, alignment=TA_CENTER)
CENTRED: Final = style("centred", alignment=TA_CENTER)
BODY: Final = style("body", alignment=TA_JUSTIFY, spaceBefore=4, spaceAfter=4)
PLAIN: Final = style("plain")
SMALL: Final = style("small", size=8)
_HEADING: Final = style("heading", size=10.5, bold=True, spaceBefore=9, spaceAfter=3)
_ROOM_UNDER_HEADING: Final = 32 * mm
_HANGING_MM: Final = 8
_TIGHT: Final = (
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("RIGHTPADDING", (0, 0), (-1, -1), 4),
    ("TOPPADDING", (0, 0), (-1, -1), 0.5),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 0.5),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One copy of the minutes; `is_masked`: for publication, nobody's card is named."""

    minutes: Minutes
    zone: ZoneInfo
    is_masked: bool

    def time(self, at: str) -> str:
        """Return a moment of the log as it is read at the office."""
        return local_time(at, self.zone) if at else ""


def heading(text: str) -> list[Flowable]:
    """Return a heading that never stands alone at the foot of a page."""
    return [CondPageBreak(_ROOM_UNDER_HEADING), paragraph(text, _HEADING)]


def sentence(text: str) -> Paragraph:
    """Return a paragraph of running text."""
    return paragraph(text, BODY)


def bold(text: str) -> str:
    """Return a text as markup for `marked`, in bold letters."""
    return f"<b>{escape(printable(text))}</b>"


def marked(*parts: str) -> Paragraph:
    """Return a paragraph of running text; of its parts every second one is markup."""
    texts = (escape(part) if place % 2 == 0 else part for place, part in enumerate(parts))
    return Paragraph("".join(texts), BODY)


def numbered(items: Iterable[list[Flowable]], *, mark: str = "{}.") -> Table | Spacer:
    """Return items under running numbers."""
    rows = [
        [paragraph(mark.format(place), PLAIN), item] for place, item in enumerate(items, start=1)
    ]
    return _table(rows, [_HANGING_MM, 170 - _HANGING_MM])


def pairs(rows: Iterable[tuple[str, str]], *, width_mm: float = 162, label_mm: float = 34) -> Any:
    """Return labels with what they stand for, one under the other."""
    cells = [
        [paragraph(label, PLAIN), paragraph(":", PLAIN), paragraph(value or BLANK, PLAIN)]
        for label, value in rows
    ]
    return _table(cells, [label_mm, 4, width_mm - label_mm - 4])


def _table(rows: list[list[Any]], widths_mm: list[float]) -> Table | Spacer:
    if not rows:
        return Spacer(0, 0)
    widths = [width * mm for width in widths_mm]
    return Table(rows, colWidths=widths, style=TableStyle(_TIGHT), hAlign="LEFT")


def listing(columns: tuple[tuple[str, float, bool], ...], rows: Iterable[Row]) -> Listing:
    """Return a table of any length; columns: title, width in mm, whether it holds numbers."""
    return Listing(
        tuple(
            Column(title=title, width_mm=width_mm, is_number=is_number)
            for title, width_mm, is_number in columns
        ),
        rows,
    )
