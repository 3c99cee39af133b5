"""Text formats with one spelling for each value: what is read is what would be written.

Signatures cover values, not spellings. A spelling that is let through may be changed without
anyone seeing it.
"""

import base64
import binascii
import re
from typing import Final

from scanner_station.domain.errors import VerificationError

_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}")


def encode_base64(data: bytes) -> str:
    """Return bytes in standard base64 with padding."""
    return base64.b64encode(data).decode("ascii")


def decode_base64(text: str, *, length: int | None = None) -> bytes:
    """Return the bytes of a base64 text of at least one byte, or of exactly `length`.

    Raises:
        VerificationError: it is not base64, or not as `encode_base64` writes it (the unused bits
            of its last character are not zero), or has another length.

    Source: RFC 4648, sections 3.5 and 4.
    """
    try:
        data = base64.b64decode(text, validate=True) if _BASE64.fullmatch(text) else b""
    except binascii.Error:
        data = b""
    if not data or encode_base64(data) != text or (length is not None and len(data) != length):
        raise VerificationError("%(text)r is not what stands there in base64", text=_shown(text))
    return data


def decode_decimal(text: str) -> int:
    """Return a number of 0 to 2**63 - 1 written in ASCII digits without leading zeros.

    Raises:
        VerificationError: it is not written so.
    """
    if not _DECIMAL.fullmatch(text) or int(text) >= 1 << 63:
        raise VerificationError("%(text)r is not a number as it stands there", text=_shown(text))
    return int(text)


def decode_text(data: bytes) -> str:
    """Return UTF-8 text that holds no control characters but line ends.

    Raises:
        VerificationError: it is not UTF-8, or holds one.

    Source: c2sp.org/signed-note.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise VerificationError("byte %(place)s is not UTF-8 text", place=error.start) from error
    require_unix_lines(text)
    for place, character in enumerate(text):
        if character < " " and character != "\n":
            raise VerificationError(
                "character %(place)s is a control character, which has no place there", place=place
            )
    return text


def require_unix_lines(text: str) -> None:
    """Refuse a text that went through a program which writes files as Windows does.

    Raises:
        VerificationError: it holds a carriage return or a byte order mark; what to do.
    """
    if text.startswith("\ufeff"):
        raise VerificationError(
            "it begins with a byte order mark, which a program put there; take the file as it was "
            "given to you, or save it as UTF-8 without one (BOM)"
        )
    if "\r" in text:
        raise VerificationError(
            "its lines end as on Windows (CR LF) and not as they were written (LF); take the file "
            "as it was given to you, or save it with LF"
        )


def _shown(text: str) -> str:
    return text if len(text) <= 64 else text[:63] + "…"
