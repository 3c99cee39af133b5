"""A head on paper, for a witness without a tablet: the size and 128 bits of the root.

    2631 7ZQK-4T9M-0W3X-...

The bits are written in Crockford's base 32 in groups of four, the last character checks all of
them and the size. Small letters, O for 0 and I or L for 1 are understood.

Source: https://www.crockford.com/base32.html (alphabet and check symbol).
"""

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from dataclasses import dataclass
from typing import Final

from scanner_station.domain.checkpoint import SignedHead
from scanner_station.domain.errors import VerificationError
from scanner_station.domain.strict import decode_decimal

ROOT_BYTES: Final = 16
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHECKS: Final = _ALPHABET + "*~$=U"
_CHARACTERS: Final = 26
_BETWEEN: Final = re.compile("[ \u2010-\u2015\u2212-]")  # writing programs make dashes of hyphens
_MARKS: Final = {BOM_UTF8: "utf-8", BOM_UTF16_LE: "utf-16-le", BOM_UTF16_BE: "utf-16-be"}
_AS_READ: Final = str.maketrans("OIL", "011")


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperHead:
    """How many entries a log had, and the first 16 bytes of the root over them."""

    size: int
    root_start: bytes

    @property
    def text(self) -> str:
        """The head as it is written down: size, space, groups of four."""
        bits = int.from_bytes(self.root_start, "big")
        digits = [_ALPHABET[bits >> 5 * place & 31] for place in reversed(range(_CHARACTERS))]
        code = "".join(digits) + _check(self.size, bits)
        groups = [code[start : start + 4] for start in range(0, len(code), 4)]
        return f"{self.size} {'-'.join(groups)}"

    @classmethod
    def of(cls, size: int, root: bytes) -> "PaperHead":
        """Return the paper head of a log's head."""
        return cls(size=size, root_start=root[:ROOT_BYTES])

    @classmethod
    def parse(cls, text: str) -> "PaperHead":
        """Return the head that somebody wrote down or typed.

        Raises:
            VerificationError: a character is missing or wrong.
        """
        number, _, rest = " ".join(text.split()).partition(" ")
        code = _BETWEEN.sub("", rest.upper()).translate(_AS_READ)
        digits, check = code[:_CHARACTERS], code[_CHARACTERS:]
        size = decode_decimal(number.replace(".", ""))
        bits = 0
        for digit in digits:
            bits = bits << 5 | max(_ALPHABET.find(digit), 0)
        if (
            len(digits) != _CHARACTERS
            or not set(digits) <= set(_ALPHABET)
            or bits >> ROOT_BYTES * 8
            or check != _check(size, bits)
        ):
            raise VerificationError(
                "the paper code %(text)r was not copied right; compare it with the paper again",
                text=text.strip()[:64],
            )
        return cls(size=size, root_start=bits.to_bytes(ROOT_BYTES, "big"))


def earlier_head(data: bytes) -> SignedHead | PaperHead:
    """Return the head that somebody kept: a signed one, or a paper code typed into a file.

    Raises:
        VerificationError: it is neither, or was changed.
    """
    if any(blank in data.strip() for blank in (b"\n\n", b"\n\r\n")):
        return SignedHead.parse(data)
    text = _typed(data)
    if not text.lstrip()[:1].isdigit():
        raise VerificationError("it is neither a signed head nor a paper code")
    return PaperHead.parse(text)


def _typed(data: bytes) -> str:
    # In any program; the check character finds what went wrong.
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return data.removeprefix(mark).decode(encoding, "replace").strip()
    return data.decode("utf-8", "replace").strip()


def _check(size: int, bits: int) -> str:
    return _CHECKS[(size << ROOT_BYTES * 8 | bits) % len(_CHECKS)]
