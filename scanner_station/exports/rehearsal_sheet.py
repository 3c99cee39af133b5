"""The test cards of a rehearsal as PDF: sheets to cut up, then the key for whoever leads it.

Each card has its number as QR Code and as Code 128, so that every camera and scanner reads it.
"""

import io
from pathlib import Path
from sqlite3 import Connection
from typing import Any, Final

from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from scanner_station.domain.counter import Verdict
from scanner_station.domain.rehearsal import MARK, PrintedCard
from scanner_station.exports.paper import (
    BOLD,
    GREY,
    REGULAR,
    draw_code,
    draw_marks,
    lines_of,
    printable,
    use_letters,
)
from scanner_station.service.rehearsal import cards_to_print
from scanner_station.storage.durable_file import written_durably

CARD_WIDTH_MM: Final = 85.60
CARD_HEIGHT_MM: Final = 53.98
"""An ID-1 card. Source: ISO/IEC 7810."""

_Numbered = tuple[int, PrintedCard]

_ACROSS: Final = 2
_DOWN: Final = 5
_CODE_MM: Final = 29
_KEY_LINES: Final = 45
_SAID: Final = {
    Verdict.COUNTED: "terhitung / counted",
    Verdict.ALREADY_COUNTED: "sudah terhitung / already counted",
    Verdict.NOT_ON_MANIFEST: "tidak ada di daftar / not on the manifest",
}


def export_sheet(connection: Connection, slug: str, path: Path) -> int:
    """Write the test cards of a rehearsal durably; return how many.

    Raises:
        BatchError: there is no such batch, it is a real one, or another list was loaded into it.
        InputError: the path cannot take a file.
        StorageError: the disk failed or is full.
    """
    cards = cards_to_print(connection, slug)
    with written_durably(path) as file:
        file.write(print_sheet(slug, cards))
    return len(cards)


def print_sheet(slug: str, cards: list[PrintedCard]) -> bytes:
    """Return the sheets of a rehearsal and their key as PDF; the same cards, the same bytes."""
    use_letters()
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4, invariant=1)
    canvas.setTitle(printable(f"{MARK} {slug}"))
    numbered = list(enumerate(cards, start=1))
    sheets = _groups(numbered, _ACROSS * _DOWN)
    keys = _groups(numbered, _KEY_LINES)
    for page, sheet in enumerate(sheets, start=1):
        _draw_page(canvas, slug, page, len(sheets) + len(keys))
        for place, (number, printed) in enumerate(sheet):
            _draw_card(canvas, place, number, printed)
        canvas.showPage()
    for page, key in enumerate(keys, start=len(sheets) + 1):
        _draw_page(canvas, slug, page, len(sheets) + len(keys))
        _draw_key(canvas, key)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def _groups(numbered: list[_Numbered], size: int) -> list[list[_Numbered]]:
    return [numbered[start : start + size] for start in range(0, len(numbered), size)]


def _draw_page(canvas: Canvas, slug: str, page: int, pages: int) -> None:
    width, height = A4
    draw_marks(canvas, (MARK,), width, height)
    canvas.setFillColor(GREY)
    canvas.setFont(REGULAR, 7.5)
    canvas.drawString(20 * mm, 6 * mm, printable(f"{slug} · cetak 100 % / print at 100 %"))
    canvas.drawRightString(width - 20 * mm, 6 * mm, f"halaman {page} dari {pages}")


def _draw_card(canvas: Canvas, place: int, number: int, printed: PrintedCard) -> None:
    card = printed.card
    page_width, page_height = A4
    down, across = divmod(place, _ACROSS)
    width, height = CARD_WIDTH_MM * mm, CARD_HEIGHT_MM * mm
    left = (page_width - _ACROSS * width) / 2 + across * width
    bottom = page_height - (page_height - _DOWN * height) / 2 - (down + 1) * height
    canvas.saveState()
    canvas.translate(left, bottom)
    canvas.setFillGray(1)
    canvas.setStrokeGray(0.6)
    canvas.setLineWidth(0.4)
    canvas.roundRect(0, 0, width, height, 3.18 * mm, fill=1)
    canvas.setFillGray(0)
    canvas.setFont(BOLD, 9)
    canvas.drawString(4 * mm, height - 7 * mm, MARK)
    canvas.setFont(REGULAR, 6.5)
    canvas.drawString(4 * mm, height - 10.5 * mm, "KARTU CONTOH, BUKAN KTP-el")
    canvas.drawRightString(width - 4 * mm, height - 6 * mm, str(number))
    canvas.setFont(BOLD, 13)
    canvas.drawString(4 * mm, height - 18 * mm, card.payload)
    canvas.setFont(REGULAR, 8.5)
    for line, text in enumerate((card.name, card.district, card.category)):
        canvas.drawString(4 * mm, height - (23 + 4 * line) * mm, printable(text))
    side = _CODE_MM * mm
    draw_code(canvas, card.payload, width - side - 2 * mm, height - side - 7 * mm, side)
    bars: Any = Code128(card.payload, barWidth=0.42 * mm, barHeight=10 * mm, quiet=0)
    bars.drawOn(canvas, (width - bars.width) / 2, 4 * mm)
    canvas.restoreState()


def _draw_key(canvas: Canvas, key: list[_Numbered]) -> None:
    _, height = A4
    left, top = 20 * mm, height - 24 * mm
    canvas.setFillGray(0)
    canvas.setFont(BOLD, 12)
    canvas.drawString(left, top, "Kunci latihan / Key")
    canvas.setFont(REGULAR, 8.5)
    said = printable(
        "Untuk pemimpin latihan, tidak untuk dibagikan. Jawaban stasiun bila kartu ditunjukkan "
        "menurut urutan nomor. / For whoever leads the rehearsal: what the station says when the "
        "cards are shown in this order."
    )
    top -= 6 * mm
    for line in lines_of(said, 170 * mm, 8.5):
        canvas.drawString(left, top, line)
        top -= 4.2 * mm
    top -= 3 * mm
    for number, printed in key:
        is_odd = printed.verdict is not Verdict.COUNTED
        canvas.setFont(BOLD if is_odd else REGULAR, 8.5)
        canvas.drawRightString(left + 8 * mm, top, str(number))
        canvas.drawString(left + 12 * mm, top, printed.card.payload)
        canvas.drawString(left + 48 * mm, top, printable(printed.card.name))
        canvas.drawString(left + 92 * mm, top, _SAID[printed.verdict])
        top -= 4.8 * mm
