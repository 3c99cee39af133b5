"""The official minutes of a destruction (*berita acara pemusnahan*) as PDF.

The law wants them in Indonesian, so there is no translation of them. Made again of the same log,
particulars and letterhead they are the same bytes.
"""

import io
from pathlib import Path
from sqlite3 import Connection
from typing import Final
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.platypus import Flowable, HRFlowable, Image, Spacer, Table, TableStyle

from scanner_station.domain import rehearsal
from scanner_station.domain.errors import InputError
from scanner_station.domain.paper_head import PaperHead
from scanner_station.exports.minutes_annexes import annexes
from scanner_station.exports.minutes_custody import custody, fire, log, said
from scanner_station.exports.minutes_forms import CENTRED, TITLE, Copy
from scanner_station.exports.minutes_signatures import signatures
from scanner_station.exports.minutes_text import amounts, differences, opening
from scanner_station.exports.paper import Sheet, paragraph, print_pages
from scanner_station.service.minutes import minutes
from scanner_station.storage.batches import BatchState
from scanner_station.storage.durable_file import written_durably

DRAFT: Final = "KONSEP \N{EN DASH} BELUM DISEGEL"
CANCELLED: Final = "DIBATALKAN"
_MOST_LOGO_BYTES: Final = 4 * 1024 * 1024
_MOST_LOGO_PIXELS: Final = 4_000_000
_LOGO_MM: Final = 22


def export_minutes(
    connection: Connection,
    slug: str,
    key: Ed25519PrivateKey,
    path: Path,
    *,
    time_zone: ZoneInfo,
    masked: bool = False,
    logo: bytes = b"",
) -> int:
    """Write the minutes of a batch durably, readable by their owner only; return their bytes.

    Raises:
        BatchError: there is no such batch, or its people are forgotten and are to be named.
        InputError: the path cannot take a file.
        StorageError: the disk failed or is full, or the list and the sums are not the same.
    """
    made = print_minutes(connection, slug, key, time_zone=time_zone, masked=masked, logo=logo)
    with written_durably(path) as file:
        file.write(made)
    return len(made)


def print_minutes(
    connection: Connection,
    slug: str,
    key: Ed25519PrivateKey,
    *,
    time_zone: ZoneInfo,
    masked: bool = False,
    logo: bytes = b"",
) -> bytes:
    """Return the minutes of a batch as PDF; `masked`: the copy for publication.

    `connection`: in a read transaction. `logo`: as `read_logo` returns it. Before the batch is
    sealed every page is marked as a draft.

    Raises:
        BatchError: there is no such batch, or its people are forgotten and are to be named.
        StorageError: the list of cards and the sums are not the same.
    """
    copy = Copy(minutes=minutes(connection, slug, key), zone=time_zone, is_masked=masked)
    parts = (opening, amounts, differences, custody, fire, said, log, signatures)
    story = _letterhead(copy, logo)
    for part in parts:
        story += part(copy)
    story += annexes(connection, copy)
    return print_pages(_sheet(copy), story)


def read_logo(path: str) -> bytes:
    """Return the picture that the settings name, b'' for none.

    Raises:
        InputError: it cannot be read, or is no PNG or JPEG picture of a usable size.
    """
    if not path:
        return b""
    try:
        with Path(path).open("rb") as file:
            picture = file.read(_MOST_LOGO_BYTES + 1)
        width, height = ImageReader(io.BytesIO(picture)).getSize()
    except Exception as error:
        raise InputError(
            "the logo %(path)s (minutes.logo) cannot be used: %(why)s",
            path=path,
            why=str(error)[:200] or type(error).__name__,
        ) from error
    if len(picture) > _MOST_LOGO_BYTES or width * height > _MOST_LOGO_PIXELS:
        raise InputError(
            "the logo %(path)s (minutes.logo) is too large; make it smaller", path=path
        )
    return picture


def _letterhead(copy: Copy, logo: bytes) -> list[Flowable]:
    office = copy.minutes.office
    if office is None:
        return []
    lines: list[Flowable] = [
        paragraph(line, CENTRED if place else TITLE)
        for place, line in enumerate(office.letterhead or (office.name,))
    ]
    rules = TableStyle([("VALIGN", (0, 0), (-1, -1), "MIDDLE")])
    side = (_LOGO_MM + 4) * mm
    head = Table(
        [[_picture(logo), lines, ""]],
        colWidths=[side, 170 * mm - 2 * side, side],
        style=rules,
    )
    return [head, HRFlowable(width="100%", thickness=1.4, color="black"), Spacer(0, 12)]


def _picture(logo: bytes) -> Flowable | str:
    if not logo:
        return ""
    width, height = ImageReader(io.BytesIO(logo)).getSize()
    scale = _LOGO_MM * mm / max(width, height)
    return Image(io.BytesIO(logo), width=width * scale, height=height * scale)


def _sheet(copy: Copy) -> Sheet:
    found = copy.minutes
    foot = ["salinan untuk publikasi" if copy.is_masked else "memuat data pribadi"]
    if found.head is not None:
        checkpoint = found.head.checkpoint
        foot.append(f"log {PaperHead.of(checkpoint.size, checkpoint.root).text}")
    # What is too long for the foot of a page is cut at its end; the number is on the first page.
    foot.append(found.particulars.number)
    marks = [rehearsal.MARK] if found.is_rehearsal else []
    if found.batch.state is BatchState.CANCELLED:
        marks.append(CANCELLED)
    elif found.seal is None:
        marks.append(DRAFT)
    return Sheet(
        title=f"Berita Acara Pemusnahan KTP-el {found.batch.slug}",
        foot=" \N{MIDDLE DOT} ".join(filter(None, foot)),
        marks=tuple(marks),
    )
