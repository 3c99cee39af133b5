"""The decoders that are measured side by side: the station's, and those it is built from."""

from collections.abc import Callable
from typing import Any

import cv2
import zxingcpp

from bench.damaged_cards import Image
from scanner_station.domain.reading import Symbology
from scanner_station.readers.decoding import engines
from scanner_station.readers.decoding.still import decode_picture

try:
    from pyzbar import pyzbar
except ImportError:
    pyzbar = None


def plain_text(text: str) -> str:
    """Return a text as it is compared: line ends and outer spaces aside."""
    return text.replace("\r\n", "\n").strip()


Reader = Callable[[Image], list[str]]


def station(symbologies: frozenset[Symbology], known: frozenset[str] = frozenset()) -> Reader:
    """Return the station's reading of one picture; `known` is the batch's manifest."""

    def read(image: Image) -> list[str]:
        texts: list[str] = []
        found = decode_picture(
            image,
            symbologies=symbologies,
            is_enough=(lambda f: any(plain_text(o.symbol.text) in known for o in f))
            if known
            else None,
        )
        texts = [s.text for s in found.readings]
        return texts + [s.text for s in found.candidates if plain_text(s.text) in known]

    return read


def zxing(formats: Any = None) -> Reader:
    """Return zxing-cpp as it comes, or asked for some formats only."""

    def read(image: Image) -> list[str]:
        chosen = {} if formats is None else {"formats": formats}
        codes = zxingcpp.read_barcodes(image, text_mode=zxingcpp.TextMode.Plain, **chosen)
        return [str(code.text) for code in codes]

    return read


def zbar(names: tuple[str, ...] = ()) -> Reader:
    """Return pyzbar as it comes, or asked for some symbologies only."""

    def read(image: Image) -> list[str]:
        wanted = [getattr(pyzbar.ZBarSymbol, name) for name in names] or None
        return [c.data.decode("utf-8", "replace") for c in pyzbar.decode(image, symbols=wanted)]

    return read


def opencv() -> Reader:
    """Return OpenCV's two detectors."""
    square, bars = cv2.QRCodeDetector(), cv2.barcode.BarcodeDetector()

    def read(image: Image) -> list[str]:
        try:
            text, _, _ = square.detectAndDecode(image)
            _, lines, _ = bars.detectAndDecodeMulti(image)[:3]
        except (cv2.error, ValueError):
            return []
        return [t for t in (text, *(lines if isinstance(lines, tuple) else ())) if t]

    return read


def readers(symbologies: frozenset[Symbology]) -> dict[str, Reader]:
    """Return all peers and the station, asked for the same symbologies."""
    formats = zxingcpp.BarcodeFormats([engines._ZXING[s] for s in symbologies])
    names = tuple(engines._ZBAR_NAMES[s] for s in symbologies if s in engines._ZBAR_NAMES)
    peers: dict[str, Reader] = {}
    if pyzbar is not None:
        peers |= {"pyzbar, naive": zbar(), "pyzbar, these symbologies": zbar(names)}
    return peers | {
        "zxing-cpp, default": zxing(),
        "zxing-cpp, these symbologies": zxing(formats),
        "OpenCV's detectors": opencv(),
        "station, no manifest": station(symbologies),
    }
