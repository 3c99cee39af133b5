"""The two decoding libraries, asked for some symbologies only.

zxing-cpp comes as a wheel. pyzbar needs the system library libzbar0; without it the station
works with one engine and says how to install the other.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp

from scanner_station.domain.reading import Symbology
from scanner_station.readers.decoding.symbols import Grey, Outline, Symbol

try:
    from pyzbar import pyzbar
except ImportError:  # the Python package is there, the shared library is not
    pyzbar = None

ZBAR_MISSING: Final = (
    "the second decoder is missing, so Code 39, ITF, Codabar, EAN and some damaged codes stay "
    "unread; install it with: sudo apt install libzbar0"
)
BAR_CODES: Final = frozenset({Symbology.CODE128, Symbology.CODE39})
"""What is read along the bars; the others are too easily read short."""
SHORT_READ: Final = frozenset({Symbology.ITF, Symbology.CODABAR})
"""Codes of any length without a check digit: a part of one looks like a whole one."""
SHORTEST_FREE_LENGTH: Final = 6
"""Shorter ones of these are not believed."""
SHORTEST_CODE39: Final = 4
"""Characters; what is left of another code under paper has been read as three, by both engines."""

_ZXING: Final = {
    Symbology.QR: zxingcpp.BarcodeFormat.QRCode,
    Symbology.CODE128: zxingcpp.BarcodeFormat.Code128,
    Symbology.CODE39: zxingcpp.BarcodeFormat.Code39,
    Symbology.EAN13: zxingcpp.BarcodeFormat.EAN13,
    Symbology.EAN8: zxingcpp.BarcodeFormat.EAN8,
    Symbology.UPCA: zxingcpp.BarcodeFormat.UPCA,
    Symbology.ITF: zxingcpp.BarcodeFormat.ITF,
    Symbology.CODABAR: zxingcpp.BarcodeFormat.Codabar,
    Symbology.PDF417: zxingcpp.BarcodeFormat.PDF417,
    Symbology.DATAMATRIX: zxingcpp.BarcodeFormat.DataMatrix,
}
_BY_ZXING_NAME: Final = {
    "QR Code": Symbology.QR,
    "Code 128": Symbology.CODE128,
    "Code 39": Symbology.CODE39,
    "EAN-13": Symbology.EAN13,
    "EAN-8": Symbology.EAN8,
    "UPC-A": Symbology.UPCA,
    "ITF": Symbology.ITF,
    "Codabar": Symbology.CODABAR,
    "PDF417": Symbology.PDF417,
    "Data Matrix": Symbology.DATAMATRIX,
}
_ZBAR_NAMES: Final = {
    Symbology.QR: "QRCODE",
    Symbology.CODE128: "CODE128",
    Symbology.CODE39: "CODE39",
    Symbology.EAN13: "EAN13",
    Symbology.EAN8: "EAN8",
    Symbology.UPCA: "UPCA",
    Symbology.ITF: "I25",
    Symbology.CODABAR: "CODABAR",
}
# pyzbar also offers PDF417, which zbar never finished.
_BY_ZBAR_NAME: Final = {name: symbology for symbology, name in _ZBAR_NAMES.items()}
_UPCA_DIGITS: Final = 12


def has_zbar() -> bool:
    """Whether the second engine can be used on this machine."""
    return pyzbar is not None


def zxing(
    image: Grey,
    symbologies: frozenset[Symbology],
    *,
    binarizer: Any = zxingcpp.Binarizer.LocalAverage,
    is_upright: bool = False,
) -> list[Symbol]:
    """Return the codes zxing-cpp reads in a picture.

    `is_upright`: the bars are known to stand upright and dark on light, so look for no others.
    """
    wanted = [_ZXING[symbology] for symbology in symbologies if symbology in _ZXING]
    if not wanted:
        return []
    codes = zxingcpp.read_barcodes(
        image,
        formats=zxingcpp.BarcodeFormats(wanted),
        text_mode=zxingcpp.TextMode.Plain,
        binarizer=binarizer,
        try_rotate=not is_upright,
        try_downscale=not is_upright,
        try_invert=not is_upright,
    )
    return _asked_for([_of_zxing(code) for code in codes], symbologies)


def zxing_lines(image: Grey, symbologies: frozenset[Symbology]) -> list[Symbol]:
    """Return the bar codes zxing-cpp reads in lines that were made of one code."""
    return zxing(image, symbologies & BAR_CODES, is_upright=True)


def qr_corners(image: Grey) -> list[npt.NDArray[np.float32]]:
    """Return the corners of QR codes that zxing-cpp sees, readable or not, the largest first.

    Shape (4, 2): upper left, upper right, lower right, lower left as the code is printed.
    """
    codes = zxingcpp.read_barcodes(
        image, formats=zxingcpp.BarcodeFormats([_ZXING[Symbology.QR]]), return_errors=True
    )
    outlines = [np.array(_corners(code), np.float32) for code in codes]
    return sorted(outlines, key=lambda corners: -cv2.contourArea(corners))


def _corners(code: Any) -> Outline:
    at = code.position
    corners = (at.top_left, at.top_right, at.bottom_right, at.bottom_left)
    return tuple((float(p.x), float(p.y)) for p in corners)


def _of_zxing(code: Any) -> Symbol:
    symbology = _BY_ZXING_NAME.get(str(code.format)) or _BY_ZXING_NAME.get(
        str(code.symbology), Symbology.UNKNOWN
    )
    payload, text = bytes(code.bytes), str(code.text)
    if symbology is Symbology.UPCA:
        payload, text = payload[-_UPCA_DIGITS:], text[-_UPCA_DIGITS:]
    return Symbol(
        payload=payload,
        text=text,
        symbology=symbology,
        outline=_corners(code),
    )


def zbar(image: Grey, symbologies: frozenset[Symbology]) -> list[Symbol]:
    """Return the codes zbar reads in a picture; none when the library is missing."""
    is_upca_asked = Symbology.UPCA in symbologies  # which zbar reads as an EAN-13
    asked = symbologies | {Symbology.EAN13} if is_upca_asked else symbologies
    wanted = [
        getattr(pyzbar.ZBarSymbol, _ZBAR_NAMES[symbology])
        for symbology in asked
        if pyzbar is not None and symbology in _ZBAR_NAMES
    ]
    if not wanted:
        return []
    return _asked_for(
        [_of_zbar(code) for code in pyzbar.decode(image, symbols=wanted)], symbologies
    )


def _of_zbar(code: Any) -> Symbol:
    payload = bytes(code.data)
    return Symbol(
        payload=payload,
        text=payload.decode("utf-8", "replace"),
        symbology=_BY_ZBAR_NAME.get(code.type, Symbology.UNKNOWN),
        outline=tuple((float(p.x), float(p.y)) for p in code.polygon),
    )


def _asked_for(symbols: list[Symbol], symbologies: frozenset[Symbology]) -> list[Symbol]:
    if Symbology.UPCA in symbologies:
        symbols = [_as_upca(symbol) for symbol in symbols]
    return [s for s in symbols if s.symbology in symbologies and _is_long_enough(s)]


def _as_upca(symbol: Symbol) -> Symbol:
    """Return a UPC-A by that name, where an engine calls it an EAN-13 with a 0 before."""
    if symbol.symbology is not Symbology.EAN13 or not symbol.text.startswith("0"):
        return symbol
    return replace(
        symbol, symbology=Symbology.UPCA, text=symbol.text[1:], payload=symbol.payload[1:]
    )


def _is_long_enough(symbol: Symbol) -> bool:
    if symbol.symbology in SHORT_READ:
        return len(symbol.payload) >= SHORTEST_FREE_LENGTH
    if symbol.symbology is Symbology.CODE39:
        return len(symbol.payload) >= SHORTEST_CODE39
    return bool(symbol.payload)


Engine = Callable[[Grey, frozenset[Symbology]], list[Symbol]]
