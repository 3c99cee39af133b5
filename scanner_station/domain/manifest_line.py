"""One line of a manifest: is it a card, and if not, what is it?"""

import re
from collections.abc import Sequence
from typing import Final

from scanner_station.domain.identifier import Identified, Reason, Scheme, Schemes, masked
from scanner_station.domain.manifest_header import squashed
from scanner_station.domain.manifest_problems import Code, Values

MAX_PIECES: Final = 999
MAX_TEXT_CHARACTERS: Final = 4000

# What str.strip() takes off, and the invisible characters that office programs leave.
AROUND: Final = " \t\r\n\v\f\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200E))
)
CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

_TOTAL_WORD: Final = re.compile(
    r"\W*(?:(?:sub|grand)[\s-]*)?(?:total|jumlah|jml)"
    r"(?:[\s-]*(?:total|seluruh(?:nya)?|semua|keseluruhan|keping|kartu|ktp(?:[\s-]?el)?|cards?"
    r"|pieces|akhir|besar|nik))*\W*(?:[=:]?\s*[0-9.,]+\W*(?:keping|kartu|cards?|pieces)?\W*)?",
    re.IGNORECASE,
)
_EXPONENT: Final = re.compile(r"[0-9]+(?:[.,][0-9]+)?\s*[eE]\s*\+?[0-9]{1,2}")
_TRAILING_ZERO: Final = re.compile(r"[0-9]+[.,]0+")
_TEXT_MARK: Final = re.compile(r"'.*|=?\".*\"|=.+", re.DOTALL)
_NUMBER: Final = re.compile(r"[0-9]{1,3}(?:[.,][0-9]{3})+|[0-9]+")
_PIECES: Final = re.compile(r"0*[1-9][0-9]{0,2}")
_COLUMN_NUMBER: Final = re.compile(r"\(?([0-9]{1,2})\)?\.?")
_LONG_DIGITS: Final = re.compile(r"\d{6,}")
_SHOWN_CHARACTERS: Final = 40

_EXPECTED: Final = {
    Scheme.NIK: "16 digits",
    Scheme.SERIAL: "a serial number",
    Scheme.UID: "a chip number",
}
_WHY_NOT_A_NIK: Final = {
    Reason.IMPOSSIBLE_BIRTH_DATE: "digits 7 to 10 are no birth day and month",
    Reason.SERIAL_ZERO: "it ends in 0000, as it does once Excel has dropped the last digits",
}


def trimmed(cell: str) -> str:
    """Return a cell without white space around it; nothing inside is changed."""
    return cell.strip(AROUND)


def parse_pieces(cell: str) -> int | None:
    """Return how many cards a line stands for (1 when it does not say), or None for nonsense."""
    if not cell:
        return 1
    return int(cell) if _PIECES.fullmatch(cell) else None


def fault_of_identifier(cell: str, schemes: Schemes) -> tuple[Code, Values] | None:
    """Return why a trimmed cell is no identifier of these schemes, or None when it is one."""
    if not cell:
        return Code.EMPTY_IDENTIFIER, {}
    outcome = schemes.identify_text(cell)
    if isinstance(outcome, Identified):
        return None
    if _EXPONENT.fullmatch(cell) or _TRAILING_ZERO.fullmatch(cell):
        return Code.EXCEL_DAMAGE, {}
    if _TEXT_MARK.fullmatch(cell):
        return Code.EXCEL_TEXT_MARK, {}
    if outcome.reason in _WHY_NOT_A_NIK:
        return Code.IMPOSSIBLE_NIK, {"why": _WHY_NOT_A_NIK[outcome.reason]}
    expected = " or ".join(_EXPECTED[scheme] for scheme in schemes.schemes)
    digits = sum(map(str.isdigit, cell))
    values: Values = {"expected": expected, "digits": digits, "length": len(cell)}
    return Code.MALFORMED_IDENTIFIER, values


def total_word(cells: Sequence[str]) -> str | None:
    """Return the cell that calls its line a total: `JUMLAH`, `Total:`, `Sub Total 500 keping`."""
    return next((cell for cell in cells if cell and _TOTAL_WORD.fullmatch(cell)), None)


def numbers_in(cells: Sequence[str]) -> set[int]:
    """Return the whole numbers that stand alone in cells, thousands written `2.629` or `2,629`."""
    return {int(re.sub("[.,]", "", cell)) for cell in cells if _NUMBER.fullmatch(cell)}


def is_repeated_header(cells: Sequence[str], header: Sequence[str]) -> bool:
    """Whether a line says the same as the header, as printouts do at the top of each page."""
    return [squashed(cell) for cell in cells] == [squashed(word) for word in header]


def is_column_numbers(cells: Sequence[str]) -> bool:
    """Whether a line only numbers the columns: `(1) (2) (3)`, at least two of them."""
    found = [_COLUMN_NUMBER.fullmatch(cell) for cell in cells if cell]
    numbers = [int(match.group(1)) for match in found if match]
    return (
        len(numbers) == len(found) >= 2
        and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        and numbers[0] <= 1
    )


def masked_value(cell: str, *, is_identifier: bool) -> str:
    """Return a cell fit for any screen: identifiers masked, as any long number in free text.

    A number in Excel's short notation (`5.37104E+15`) is shown: it names an area, not a person.
    """
    cell = CONTROL.sub("\N{REPLACEMENT CHARACTER}", cell)
    if is_identifier and not (_EXPONENT.fullmatch(cell) and len(cell) < 12):
        # Six digits and the exponent is what Excel shows of a long number.
        return masked(cell) if len(cell) <= _SHOWN_CHARACTERS else masked(cell[:16]) + "…"
    cell = _LONG_DIGITS.sub(lambda found: masked(found.group()), cell)
    return cell if len(cell) <= _SHOWN_CHARACTERS else cell[: _SHOWN_CHARACTERS - 1] + "…"
