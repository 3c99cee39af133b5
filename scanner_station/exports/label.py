"""The label of a sealed container: what is in it, as text and as a QR code, on one SVG page."""

import io
from pathlib import Path
from sqlite3 import Connection
from typing import Final
from xml.sax.saxutils import escape

import segno

from scanner_station.domain.custody_records import Container, ContainerState
from scanner_station.domain.entry import canonical
from scanner_station.domain.errors import BatchError, EntryError
from scanner_station.domain.merkle import leaf_hash
from scanner_station.service.custody import custody
from scanner_station.service.views import entries
from scanner_station.storage.durable_file import written_durably

_WIDTH_MM: Final = 100
_HEIGHT_MM: Final = 60
_FORMS: Final = {"box": "KOTAK", "sack": "KARUNG", "drum": "DRUM"}


def label_text(connection: Connection, slug: str, number: int) -> str:
    """Return what the code on a sealed container says.

    `wadah`, log, number, cards, seal, the sealing entry and the first 64 bits of its leaf hash.

    Raises:
        EntryError: there is no such container.
        BatchError: it is not sealed.
    """
    container = _sealed(connection, slug, number)
    sealing = next(
        entry
        for entry in entries(connection, slug, since=container.closed or 0)
        if entry.body.get("seal_number") == container.seals[-1]
    )
    leaf = leaf_hash(canonical(sealing.body).encode()).hex()[:16]
    origin = f"{sealing.body['station']}/{sealing.body['batch']}"
    seal = container.seals[-1].replace(" ", "_")
    return f"wadah {origin} {number} {container.count} {seal} {sealing.sequence} {leaf}"


def label_svg(connection: Connection, slug: str, number: int) -> str:
    """Return the label as one SVG picture of 100 x 60 mm, ready to print.

    Raises:
        EntryError: there is no such container.
        BatchError: it is not sealed.
    """
    text = label_text(connection, slug, number)
    container = _sealed(connection, slug, number)
    code = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        code, kind="svg", xmldecl=False, svgns=False, omitsize=True, border=4
    )
    lines = (
        f"{_FORMS.get(container.form, container.form)} {number}",
        f"{container.count} keping",
        f"Segel {container.seals[-1]}",
        container.label,
        slug,
        container.sealed_at[:16].replace("T", " ") + " UTC",
    )
    said = "".join(_line(place, line) for place, line in enumerate(lines) if line)
    picture = code.getvalue().decode().replace("<svg ", '<svg x="2" y="2" width="54" height="54" ')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH_MM}mm" height="{_HEIGHT_MM}mm" '
        f'viewBox="0 0 {_WIDTH_MM} {_HEIGHT_MM}" font-family="sans-serif">{picture}{said}</svg>\n'
    )


def _line(place: int, text: str) -> str:
    # Squeezed to fit: names of containers and seals may be long.
    size = 7 if place < 3 else 4
    fit = ' textLength="40" lengthAdjust="spacingAndGlyphs"' if len(text) * size > 75 else ""
    return f'<text x="58" y="{10 + 8 * place}" font-size="{size}"{fit}>{escape(text)}</text>'


def export_label(connection: Connection, slug: str, number: int, path: Path) -> None:
    """Write the label to a file, durably.

    Raises:
        InputError: there is no such sealed container, or the path cannot take a file.
    """
    with written_durably(path) as file:
        file.write(label_svg(connection, slug, number).encode())


def _sealed(connection: Connection, slug: str, number: int) -> Container:
    container = custody(connection, slug).containers.get(number)
    if container is None:
        raise EntryError("there is no container %(number)s", number=number)
    if container.state is not ContainerState.SEALED:
        raise BatchError("container %(number)s is not sealed", number=number)
    return container
