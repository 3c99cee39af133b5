"""Where officers and witnesses sign, however many there are; nobody signs an empty page."""

from typing import Final

from reportlab.lib.enums import TA_CENTER
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepTogether, Spacer, Table, TableStyle

from scanner_station.domain.custody_records import Refusal
from scanner_station.domain.people import name_key
from scanner_station.exports.minutes_forms import BLANK, Copy, sentence
from scanner_station.exports.paper import paragraph, style

_ABREAST: Final = 2
_WIDTH: Final = 170 * mm
_ROWS_HEIGHT: Final = 225 * mm
_TITLE_HEIGHT: Final = 10
_PEN_MM: Final = 17
_OFFICERS: Final = "Yang melaksanakan pemusnahan"
_WITNESSES: Final = "Saksi-saksi"
_CLOSING: Final = (
    "Demikian Berita Acara ini dibuat dengan sebenarnya dalam rangkap secukupnya untuk "
    "dipergunakan sebagaimana mestinya."
)
_CENTRED: Final = style("signature", size=9.5, alignment=TA_CENTER)
_NAME: Final = style("name", size=9.5, bold=True, alignment=TA_CENTER)
_OVER: Final = style("over", size=10, bold=True, alignment=TA_CENTER, spaceBefore=6)
_AGAIN: Final = style("again", size=8.5, alignment=TA_CENTER, spaceBefore=4)

Block = list[Flowable]
Row = tuple[str, Table]
"""What stands above a row of places to sign, and the row."""


def signatures(copy: Copy) -> list[Flowable]:
    """Return the closing words and the places to sign: always on one page with words above."""
    entered = copy.minutes.particulars
    officers = [_officer(one.name, one.position, one.nip, copy) for one in entered.officers]
    refused = {name_key(one.witness): one for one in copy.minutes.found.findings.custody.refusals}
    witnesses = [
        _witness(one.name, one.institution, refused.get(name_key(one.name)))
        for one in entered.witnesses
    ]
    rows = [*_rows(_OFFICERS, officers), *_rows(_WITNESSES, witnesses)]
    return [
        KeepTogether([_continued(copy) if place else sentence(_CLOSING), *_titled(some)])
        for place, some in enumerate(_pages(rows))
    ]


def _pages(rows: list[Row]) -> list[list[Row]]:
    """Return the rows in groups that fit on a page each, with the words above them."""
    pages: list[list[Row]] = []
    left = 0.0
    for title, row in rows:
        height = row.wrap(_WIDTH, _ROWS_HEIGHT)[1] + _TITLE_HEIGHT
        if height > left:
            pages.append([])
            left = _ROWS_HEIGHT
        pages[-1].append((title, row))
        left -= height
    return pages


def _rows(title: str, blocks: list[Block]) -> list[Row]:
    blocks = blocks or [_nobody()]
    return [
        (title, _row(blocks[start : start + _ABREAST])) for start in range(0, len(blocks), _ABREAST)
    ]


def _titled(rows: list[Row]) -> list[Flowable]:
    story: list[Flowable] = []
    last = ""
    for title, row in rows:
        if title != last:
            story.append(paragraph(title, _OVER))
        last = title
        story.append(row)
    return story


def _continued(copy: Copy) -> Flowable:
    number = copy.minutes.particulars.number or BLANK
    return paragraph(f"Lanjutan tanda tangan pada Berita Acara Nomor {number}", _AGAIN)


def _row(blocks: list[Block]) -> Table:
    rules = TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("TOPPADDING", (0, 0), (-1, -1), 6)])
    return Table([blocks], colWidths=[_WIDTH / len(blocks)] * len(blocks), style=rules)


def _officer(name: str, position: str, nip: str, copy: Copy) -> Block:
    block = [paragraph(position or BLANK, _CENTRED), *_pen(), paragraph(name, _NAME)]
    # A NIP begins with a date of birth, which is nobody else's business.
    if nip and not copy.is_masked:
        block.append(paragraph(f"NIP {grouped_nip(nip)}", _CENTRED))
    return block


def _witness(name: str, institution: str, refusal: Refusal | None) -> Block:
    above = paragraph(institution or BLANK, _CENTRED)
    if refusal is None:
        return [above, *_pen(), paragraph(name, _NAME)]
    said = f"MENOLAK MENANDATANGANI (entri {refusal.sequence})"
    return [above, Spacer(0, 6 * mm), paragraph(said, _CENTRED), *_pen(4), paragraph(name, _NAME)]


def _nobody() -> Block:
    return [paragraph(BLANK, _CENTRED), *_pen(), paragraph(f"( {BLANK} )", _CENTRED)]


def _pen(height_mm: float = _PEN_MM) -> Block:
    return [Spacer(0, height_mm * mm)]


def grouped_nip(nip: str) -> str:
    """Return a NIP as it is written: date of birth, appointment, sex, number."""
    return f"{nip[:8]} {nip[8:14]} {nip[14]} {nip[15:]}"
