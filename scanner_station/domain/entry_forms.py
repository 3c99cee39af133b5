"""How single values in a log are written: each form is what a station would write, and no more.

A text that another version of Unicode would call printable must not make a log wrong: only what
never shows is refused, and what holds an identity number.
"""

import json
import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from scanner_station.domain.entry import totals_text
from scanner_station.domain.errors import VerificationError
from scanner_station.domain.findings import figures_of, figures_text
from scanner_station.domain.identifier import Scheme, holds_identity_number
from scanner_station.domain.manifest_line import CONTROL
from scanner_station.domain.note import VerifierKey

AT: Final = r"[0-9]{4}-[01][0-9]-[0-3][0-9]T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z"
_AT: Final = re.compile(AT)
_MOST: Final = 1 << 53
"""Beyond it not every number is one that JSON can say. Source: RFC 8785, section 3.2.2.3."""
_NEVER_SHOWN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)
"""What neither prints nor spaces, in any version of Unicode, or turns a line of text around."""
_AXES: Final = ("category", "district", "total")
_WORDS: Final = "one of the words that can stand there"


class Form(NamedTuple):
    """How one value is written. `name` says so in words: `its "at" is not …`."""

    name: str
    fits: Callable[[int | str], bool]


def _pattern(name: str, pattern: str) -> Form:
    fits = re.compile(pattern, re.ASCII).fullmatch
    return Form(name, lambda value: isinstance(value, str) and fits(value) is not None)


def _seldom_new(form: Form) -> Form:
    # Of names, categories and the like a log holds few, again and again.
    return form._replace(fits=lru_cache(maxsize=512)(form.fits))


def one_of(*words: str) -> Form:
    """Return the form of a value that is one of some words."""
    known = frozenset(words)
    return Form(_WORDS, known.__contains__)


def _number(name: str, least: int, most: int) -> Form:
    return Form(name, lambda value: type(value) is int and least <= value < most)


def _written(name: str, write: Callable[[str], str | None]) -> Form:
    # A text that is what a station would write of its meaning; None where it has none.
    def fits(value: int | str) -> bool:
        try:
            return isinstance(value, str) and write(value) == value
        except (ValueError, RecursionError, VerificationError):
            return False

    return Form(name, fits)


def _is_text(value: int | str) -> bool:
    return (
        isinstance(value, str)
        and _NEVER_SHOWN.search(value) is None
        and not holds_identity_number(value)
    )


def _is_place(value: int | str) -> bool:
    return (
        isinstance(value, str)
        and CONTROL.search(value) is None
        and not holds_identity_number(value)
    )


def _is_moment(value: int | str) -> bool:
    return isinstance(value, str) and _AT.fullmatch(value) is not None and DAY.fits(value[:10])


def _totals(text: str) -> str | None:
    totals = json.loads(text)
    if not isinstance(totals, dict) or not all(map(COUNT.fits, totals.values())):
        return None
    return totals_text(totals) if all(map(_is_place, totals)) else None


def _figures(text: str) -> str | None:
    figures = figures_of({"figures": text})
    are_known = all(axis in _AXES and _is_place(name) for axis, name, _ in figures)
    return figures_text(figures) if figures and are_known else None


def _schemes(text: str) -> str:
    return ",".join(dict.fromkeys(Scheme(one) for one in text.split(",")))


def _cards(text: str) -> str | None:
    cards = sorted(set(text.split(" ")))
    return " ".join(cards) if all(map(CARD.fits, cards)) else None


DAY: Final = _seldom_new(
    _written("a date such as 2018-12-19", lambda text: date.fromisoformat(text).isoformat())
)
MOMENT: Final = Form("a time such as 2018-12-19T02:00:00.000Z", _is_moment)
SHORT: Final = _seldom_new(
    _pattern("a short name of a-z, 0-9 and hyphens", r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
)
_TEXT: Final = "a plain text in which no identity number stands"
TEXT_OR_NONE: Final = _seldom_new(Form(_TEXT, _is_text))
TEXT: Final = _seldom_new(
    Form(_TEXT, lambda value: _is_text(value) and value != "" and not str(value).isspace())
)
PLACE: Final = _seldom_new(Form(_TEXT, _is_place))
"""A category or district, as the list has it; '' where the list has none."""
NOWHERE: Final = Form("empty", lambda value: value == "")
COUNT: Final = _number("a whole number from 0", 0, _MOST)
NUMBER: Final = _number("a whole number from 1", 1, _MOST)
NONE: Final = _number("the number 0", 0, 1)
ONE: Final = _number("the number 1", 1, 2)
CARD: Final = _pattern("32 bytes in base64", r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")
CARDS: Final = _written("a list of cards, sorted, each once", _cards)
SHA256: Final = _pattern("a SHA-256 digest in hex", "[0-9a-f]{64}")
SHA256_OR_NONE: Final = _pattern(SHA256.name, "(?:[0-9a-f]{64})?")
KEY: Final = _written("the key of a witness", lambda text: VerifierKey.parse(text).text)
TOTALS: Final = _written("canonical JSON of names and numbers from 0", _totals)
FIGURES: Final = _written("a list of declared figures, sorted, each once", _figures)
SCHEMES: Final = _written("a list of schemes, each once", _schemes)
WORD: Final = Form(_WORDS, lambda value: isinstance(value, str))  # looked at before
