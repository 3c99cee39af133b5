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
_ROWS_TOGETHER: Final = 5
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
    story: list[Flowable] = []
    for start in range(0, len(rows), _ROWS_TOGETHER):
        above = _continued(copy) if start else sentence(_CLOSING)
        story.append(KeepTogether([above, *_titled(rows[start : start + _ROWS_TOGETHER])]))
    return story


def _rows(title: str, blocks: list[Block]) -> list[tuple[str, list[Block]]]:
    blocks = blocks or [_nobody()]
    return [(title, blocks[start : start + _ABREAST]) for start in range(0, len(blocks), _ABREAST)]


def _titled(rows: list[tuple[str, list[Block]]]) -> list[Flowable]:
    story: list[Flowable] = []
    last = ""
    for title, blocks in rows:
        if title != last:
            story.append(paragraph(title, _OVER))
        last = title
        story.append(_row(blocks))
    return story


def _continued(copy: Copy) -> Flowable:
    number = copy.minutes.particulars.number or BLANK
    return paragraph(f"Lanjutan tanda tangan pada Berita Acara Nomor {number}", _AGAIN)


def _row(blocks: list[Block]) -> Table:
    cells = [*blocks, *([""] * (_ABREAST - len(blocks)))]
    if len(blocks) == 1:
        cells = [blocks[0]]
    rules = TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("TOPPADDING", (0, 0), (-1, -1), 6)])
    return Table([cells], colWidths=[170 * mm / len(cells)] * len(cells), style=rules)


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
