"""A slip with a log's signed head, for a witness who leaves before the batch is closed: A6, PDF."""

import io
from typing import Final
from zoneinfo import ZoneInfo

from reportlab.lib.pagesizes import A6
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Frame, HRFlowable, KeepInFrame, Spacer

from scanner_station.domain.paper_head import PaperHead
from scanner_station.domain.rehearsal import MARK
from scanner_station.exports.paper import (
    Code,
    draw_marks,
    paragraph,
    printable,
    style,
    use_letters,
)
from scanner_station.exports.terbilang import figures, local_time
from scanner_station.service.heads import TakenAlong

_MARGIN: Final = 7 * mm
_CODE: Final = 56 * mm
_TITLE: Final = style("slip-title", size=11, bold=True)
_WHAT: Final = style("slip-what", size=9)
_PAPER: Final = style("slip-paper", size=10.8, bold=True, spaceBefore=3, spaceAfter=1)
_HOW: Final = style("slip-how", size=7.6, spaceBefore=2)
_LINE: Final = style("slip-line", size=7.6, bold=True, spaceBefore=2)
_KEY: Final = style("slip-key", size=6.2, spaceBefore=2, splitLongWords=1)
_CHECK: Final = "scanner-station verify BUNDEL --against KODE.txt --policy KUNCI"


def print_slip(taken: TakenAlong, *, time_zone: ZoneInfo) -> bytes:
    """Return the slip as PDF; the same head gives the same bytes."""
    use_letters()
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A6, invariant=1)
    canvas.setTitle(printable(f"Kepala log {taken.head.checkpoint.origin}"))
    width, height = A6[0] - 2 * _MARGIN, A6[1] - 2 * _MARGIN
    frame = Frame(_MARGIN, _MARGIN, width, height, 0, 0, 0, 0)
    # A title may be long: the whole is made smaller until it fits on the one page.
    whole = KeepInFrame(width, height, _story(taken, time_zone), mode="shrink")
    # Under the text and the code, in the margin above them.
    draw_marks(canvas, (MARK,) if taken.is_rehearsal else (), *A6, top_mm=5)
    frame.addFromList([whole], canvas)
    canvas.save()
    return file.getvalue()


def _story(taken: TakenAlong, time_zone: ZoneInfo) -> list[Flowable]:
    checkpoint = taken.head.checkpoint
    code = Code(taken.head.for_code(), _CODE)
    code.hAlign = "CENTER"
    return [
        paragraph("Kepala log, bukti untuk saksi", _TITLE),
        paragraph(taken.title, _WHAT),
        paragraph(f"{checkpoint.origin} · {local_time(taken.signed_at, time_zone)}", _WHAT),
        HRFlowable(width="100%", thickness=0.6, spaceBefore=3, spaceAfter=2),
        paragraph(f"{figures(checkpoint.size)} entri · {_said(taken)}", _WHAT),
        paragraph(PaperHead.of(checkpoint.size, checkpoint.root).text, _PAPER),
        code,
        paragraph(
            "Simpan lembar ini dan jangan dititipkan pada kantor. Kelak, dengan berkas log batch "
            "ini (bundel), siapa pun dapat membuktikan di komputer lain bahwa log bermula dengan "
            "tepat entri-entri ini dan tidak satu pun diubah. Ketik kode di atas ke dalam berkas "
            "KODE.txt, atau pindai kode QR dan simpan isinya, lalu:",
            _HOW,
        ),
        paragraph(_CHECK, _LINE),
        paragraph(
            "English: keep this slip away from the office. With the log file (bundle) anybody can "
            "show on another computer that the log begins with exactly these entries, unchanged: "
            "type the code into KODE.txt and run the line above.",
            _HOW,
        ),
        Spacer(0, 2),
        paragraph(f"Kunci stasiun (baris pertama KUNCI): log {taken.key.text}", _KEY),
    ]


def _said(taken: TakenAlong) -> str:
    names = [line.name for line in taken.head.note.signatures[1:]]
    return "ditandatangani stasiun" + (f" dan {', '.join(names)}" if names else "")
