"""What a reader delivers: the bytes of one symbol, and where and when they were read."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType

ReaderId = NewType("ReaderId", str)

AIM_IDENTIFIER: Final = re.compile(rb"\][A-Za-z][0-9A-Za-z]")
"""`]cm`: the code letter names the symbology, the modifier its options. Source: ISO/IEC 15424."""


class Symbology(StrEnum):
    """A barcode family; the values are the names used on the command line and in JSON."""

    QR = "qr"
    CODE128 = "code128"
    CODE39 = "code39"
    EAN13 = "ean13"
    EAN8 = "ean8"
    UPCA = "upca"
    ITF = "itf"
    CODABAR = "codabar"
    PDF417 = "pdf417"
    DATAMATRIX = "datamatrix"
    UNKNOWN = "unknown"
    """A scanner that does not say, or a number that was typed."""


_BY_AIM_LETTER: Final = {
    b"A": Symbology.CODE39,
    b"C": Symbology.CODE128,
    b"F": Symbology.CODABAR,
    b"I": Symbology.ITF,
    b"L": Symbology.PDF417,
    b"Q": Symbology.QR,
    b"d": Symbology.DATAMATRIX,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One decoded symbol, exactly as the reader delivered it.

    `payload` is never decoded to text here: a damaged card may carry bytes
    that are not UTF-8. `at` is timezone-aware UTC, taken at decoding.
    """

    payload: bytes
    symbology: Symbology
    reader_id: ReaderId
    at: datetime


def symbology_named(payload: bytes) -> Symbology:
    """Return the symbology that the payload's AIM identifier names, or `UNKNOWN`.

    An EAN identifier (`]E0`, `]E4`) is told apart by its modifier.

    Source: ISO/IEC 15424.
    """
    found = AIM_IDENTIFIER.match(payload.lstrip(b"\x02"))
    if found is None:
        return Symbology.UNKNOWN
    letter, modifier = found.group()[1:2], found.group()[2:3]
    if letter == b"E":
        return Symbology.EAN8 if modifier == b"4" else Symbology.EAN13
    return _BY_AIM_LETTER.get(letter, Symbology.UNKNOWN)
