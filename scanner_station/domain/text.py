"""Free text that people write into the log: reasons, titles, names of categories."""

from typing import Final

from scanner_station.domain.errors import InputError
from scanner_station.domain.identifier import (
    holds_identity_number,
    holds_written_nik,
    without_identity_numbers,
)

MAX_CHARACTERS: Final = 500


def checked_text(text: str, what: str) -> str:
    """Return free text fit for the log.

    Raises:
        InputError: it is empty, too long, not plain text, or holds an identity number.
    """
    text = " ".join(text.split())
    if not text:
        raise InputError("the %(what)s is empty; write one", what=what)
    if len(text) > MAX_CHARACTERS or not text.isprintable():
        raise InputError(
            "the %(what)s must be plain text of at most %(most)s characters; shorten it",
            what=what,
            most=MAX_CHARACTERS,
        )
    if holds_identity_number(text) or holds_written_nik(text):
        raise InputError(
            "the %(what)s holds an identity number, which must not stand in the log; leave it out",
            what=what,
        )
    return text


def shown(text: object, most: int = MAX_CHARACTERS) -> str:
    """Return a text that others wrote so that no screen, terminal or paper is fooled by it.

    What does not print is replaced, identity numbers are masked, and more than `most` characters
    are cut.
    """
    plain = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in str(text))
    safe = without_identity_numbers(plain)
    return safe if len(safe) <= most else safe[: most - 1] + "…"
