"""Card identifiers: cleaning a payload, judging it by the batch's schemes, masking it.

Nothing is ever repaired: no letter becomes a digit, no lost zero comes back.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple, NewType

from scanner_station.domain.reading import AIM_IDENTIFIER

Identifier = NewType("Identifier", str)

MAX_PAYLOAD_BYTES: Final = 256
NIK_DIGITS: Final = 16

_ECI = re.compile(rb"\\[0-9]{6}")
_BOM = b"\xef\xbb\xbf"
_AROUND = b" \t\r\n\x00\x02\x03"
_NIK = re.compile(r"[0-9]{16}")
_UID = re.compile(r"(?:[0-9A-Fa-f]{2}){4}(?:(?:[0-9A-Fa-f]{2}){3}){0,2}")
_SIXTEEN_DIGITS = re.compile(r"\d{16}")
_GROUPED = re.compile(r"(?<!\d)\d{4,8}(?=([ .-]))(?:\1\d{4,8})+(?!\d)")
_MONTHS: Final = 12


class Scheme(StrEnum):
    """What a card identifier is in a batch."""

    NIK = "nik"
    SERIAL = "serial"
    UID = "uid"

    @property
    def names_one_piece(self) -> bool:
        """Whether an identifier names one piece of plastic for ever (a NIK names a person)."""
        return self is not Scheme.NIK


class Reason(StrEnum):
    """Why a payload is not an identifier of the batch."""

    TOO_LONG = "too_long"
    EMPTY = "empty"
    NOT_TEXT = "not_text"
    NOT_SIXTEEN_DIGITS = "not_sixteen_digits"
    IMPOSSIBLE_BIRTH_DATE = "impossible_birth_date"
    SERIAL_ZERO = "serial_zero"
    WRONG_PATTERN = "wrong_pattern"


class Identified(NamedTuple):
    """A well-formed identifier and the scheme it fits."""

    identifier: Identifier
    scheme: Scheme


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A payload that is not an identifier of this batch."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Schemes:
    """The schemes of one batch, tried in order; `serial_pattern` matches whole serial numbers."""

    schemes: tuple[Scheme, ...] = (Scheme.NIK,)
    serial_pattern: str = "[A-Z0-9-]{6,32}"

    def identify(self, payload: bytes) -> Identified | Unreadable:
        """Return the identifier in a payload, or why there is none.

        `payload`: the raw bytes of one symbol or line, cleaned here.
        """
        if len(payload) > MAX_PAYLOAD_BYTES:
            return Unreadable(reason=Reason.TOO_LONG)
        cleaned = clean(payload)
        if not cleaned:
            return Unreadable(reason=Reason.EMPTY)
        try:
            text = cleaned.decode("ascii")
        except UnicodeDecodeError:
            return Unreadable(reason=Reason.NOT_TEXT)
        return self.identify_text(text)

    def identify_text(self, text: str) -> Identified | Unreadable:
        """Return the identifier that a cleaned text is, or why it is none."""
        first_reason: Reason | None = None
        for scheme in self.schemes:
            outcome = self._judge(scheme, text)
            if not isinstance(outcome, Reason):
                return Identified(identifier=outcome, scheme=scheme)
            first_reason = first_reason or outcome
        return Unreadable(reason=first_reason or Reason.WRONG_PATTERN)

    def _judge(self, scheme: Scheme, text: str) -> Identifier | Reason:
        match scheme:
            case Scheme.NIK:
                return judge_nik(text) or Identifier(text)
            case Scheme.UID:
                return Identifier(text.upper()) if _UID.fullmatch(text) else Reason.WRONG_PATTERN
            case Scheme.SERIAL:
                fits = re.fullmatch(self.serial_pattern, text, re.ASCII)
                return Identifier(text) if fits else Reason.WRONG_PATTERN


def clean(payload: bytes) -> bytes:
    """Return the payload without what scanners wrap around it.

    Taken off: one AIM identifier, one ECI designator (a backslash and six digits), a byte
    order mark, and STX, ETX, CR, LF, TAB, NUL and spaces at either end. Nothing inside.

    Source: ISO/IEC 15424 (AIM identifiers), AIM ITS/04-023 (ECI designators).
    """
    rest = _strip(payload)
    for wrapper in (AIM_IDENTIFIER, _ECI):
        if found := wrapper.match(rest):
            rest = _strip(rest[found.end() :])
    return rest


def _strip(payload: bytes) -> bytes:
    rest = payload.strip(_AROUND)
    while rest.startswith(_BOM):
        rest = rest[len(_BOM) :].strip(_AROUND)
    return rest


def judge_nik(text: str) -> Reason | None:
    """Return why a text is no NIK, or None when it may be one.

    Only what every NIK must satisfy: 16 digits, birth day 01-31 (women 41-71), month 01-12,
    serial not 0000. No list of areas, no calendar, no age.
    """
    if not _NIK.fullmatch(text):
        return Reason.NOT_SIXTEEN_DIGITS
    day, month = int(text[6:8]), int(text[8:10])
    if not (1 <= day <= 31 or 41 <= day <= 71) or not 1 <= month <= _MONTHS:
        return Reason.IMPOSSIBLE_BIRTH_DATE
    return Reason.SERIAL_ZERO if text[12:] == "0000" else None


def masked(identifier: str) -> str:
    """Return an identifier for screens that others see: `537104••••••0001`.

    Sixteen characters show six and four; shorter ones never show more than half.
    """
    length = len(identifier)
    head, tail = (6, 4) if length >= NIK_DIGITS else (length // 4, length // 4)
    return identifier[:head] + "•" * (length - head - tail) + identifier[length - tail :]


def tail_of(identifier: str) -> str:
    """Return an identifier for log lines and errors: `…0001`."""
    return "…" + identifier[-min(4, len(identifier) // 4) :] if len(identifier) >= 4 else "…"


def holds_identity_number(text: str) -> bool:
    """Whether free text holds a run of sixteen digits, as no reason, note or title may."""
    return _SIXTEEN_DIGITS.search(text) is not None


def holds_written_nik(text: str) -> bool:
    """Whether free text holds a NIK as people write it: in groups, like `9971 0441 0790 0001`.

    Only what can be a NIK: other numbers stand in groups, too (years, figures, telephones).
    """
    written = ("".join(filter(str.isdigit, found.group())) for found in _GROUPED.finditer(text))
    return any(judge_nik(digits) is None for digits in written)


def without_identity_numbers(text: str) -> str:
    """Return free text with every run of sixteen digits masked."""
    return _SIXTEEN_DIGITS.sub(lambda found: masked(found.group()), text)
