"""The label of a sealed container, with a code that names its entry in the log, to be printed.

It sits on the outside of a box, sack or drum: large words, one code, no card's number.
"""

import io
from pathlib import Path
from sqlite3 import Connection
from typing import Final
from zoneinfo import ZoneInfo

from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from scanner_station.domain.custody_records import Container, ContainerState
from scanner_station.domain.entry import Body, canonical
from scanner_station.domain.errors import BatchError, EntryError
from scanner_station.domain.merkle import leaf_hash
from scanner_station.domain.rehearsal import MARK
from scanner_station.exports.paper import (
    BOLD,
    REGULAR,
    draw_code,
    draw_marks,
    lines_of,
    printable,
    use_letters,
    width_of,
)
from scanner_station.exports.terbilang import figures, local_time
from scanner_station.service.counter import require_batch
from scanner_station.service.custody import custody
from scanner_station.service.views import entries
from scanner_station.storage.durable_file import written_durably

_WIDTH: Final = 100 * mm
_HEIGHT: Final = 60 * mm
_CODE: Final = 52 * mm
_LEFT: Final = 57 * mm
_ROOM: Final = _WIDTH - _LEFT - 3 * mm
_LEAST_PT: Final = 5.0
_FORMS: Final = {"box": "KOTAK", "sack": "KARUNG", "drum": "DRUM"}


def label_text(connection: Connection, slug: str, number: int) -> str:
    """Return what the code on a sealed container says.

    `wadah`, log, number, cards, seal, the sealing entry and the first 64 bits of its leaf hash;
    before them `latihan` in a rehearsal.

    Raises:
        EntryError: there is no such container.
        BatchError: it is not sealed.
    """
    container = _sealed(connection, slug, number)
    sealing = _sealing(connection, slug, container)
    leaf = leaf_hash(canonical(sealing).encode()).hex()[:16]
    origin = f"{sealing['station']}/{sealing['batch']}"
    seal = container.seals[-1].replace(" ", "_")
    text = f"wadah {origin} {number} {container.count} {seal} {sealing['sequence']} {leaf}"
    return f"latihan {text}" if require_batch(connection, slug).is_rehearsal else text


def label_pdf(connection: Connection, slug: str, number: int, zone: ZoneInfo) -> bytes:
    """Return the label as a PDF page of 100 x 60 mm; made again it is the same bytes.

    Raises:
        EntryError: there is no such container.
        BatchError: it is not sealed.
    """
    text = label_text(connection, slug, number)
    container = _sealed(connection, slug, number)
    use_letters()
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(_WIDTH, _HEIGHT), invariant=1)
    canvas.setTitle(f"{slug} {number}")
    is_rehearsal = require_batch(connection, slug).is_rehearsal
    if is_rehearsal:  # under the code, which has to be read
        draw_marks(canvas, (MARK,), _WIDTH, _HEIGHT, top_mm=0)
    draw_code(canvas, text, 2 * mm, _HEIGHT - _CODE - 3 * mm, _CODE)
    lines = (
        (f"{_FORMS.get(container.form, container.form)} {number}", 20.0, BOLD, 1),
        (f"{figures(container.count)} keping", 20.0, BOLD, 1),
        (f"Segel {container.seals[-1]}", 13.0, BOLD, 2),
        (container.label, 11.0, REGULAR, 3),
        (slug, 9.0, REGULAR, 2),
        (local_time(container.sealed_at, zone), 8.0, REGULAR, 1),
        (MARK if is_rehearsal else "", 9.0, BOLD, 1),
    )
    down = _HEIGHT - 4 * mm
    for said, size, font, most in lines:
        down = _write(canvas, printable(said), size, font, most, down)
    canvas.setFont(REGULAR, _LEAST_PT)
    small = printable(text)
    while width_of(small, _LEAST_PT) > _WIDTH - 6 * mm:
        small = small[:-1]
    canvas.drawString(3 * mm, 2 * mm, small)
    canvas.showPage()
    canvas.save()
    return file.getvalue()


def _write(canvas: Canvas, said: str, size: float, font: str, most: int, down: float) -> float:
    """Write a text in at most so many lines, as large as it fits; return where the next begins."""
    if not said:
        return down
    while len(lines_of(said, _ROOM, size, font)) > most and size > _LEAST_PT:
        size -= 0.5
    canvas.setFont(font, size)
    for line in lines_of(said, _ROOM, size, font)[: most + 1]:
        down -= size
        canvas.drawString(_LEFT, down, line)
    return down - 0.35 * size


def export_label(
    connection: Connection, slug: str, number: int, path: Path, zone: ZoneInfo
) -> None:
    """Write the label to a file, durably.

    Raises:
        InputError: there is no such sealed container, or the path cannot take a file.
    """
    made = label_pdf(connection, slug, number, zone)
    with written_durably(path) as file:
        file.write(made)


def _sealing(connection: Connection, slug: str, container: Container) -> Body:
    return next(
        entry.body
        for entry in entries(connection, slug, since=container.closed or 0)
        if entry.body.get("seal_number") == container.seals[-1]
    )


def _sealed(connection: Connection, slug: str, number: int) -> Container:
    container = custody(connection, slug).containers.get(number)
    if container is None:
        raise EntryError("there is no container %(number)s", number=number)
    if container.state is not ContainerState.SEALED:
        raise BatchError("container %(number)s is not sealed", number=number)
    return container
