"""Who uses a station and how they prove it: roles, PINs and passphrases, lock-out."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from scanner_station.domain.errors import InputError
from scanner_station.domain.text import checked_text

MAX_NAME: Final = 80
MIN_PASSPHRASE: Final = 8
MAX_PASSPHRASE: Final = 256
FREE_TRIES: Final = 5
"""Wrong tries in a row before an account is locked."""

_FIRST_LOCK_S: Final = 15
_LONGEST_LOCK_S: Final = 3600
_PIN: Final = re.compile(r"[0-9]{6,12}")
_NIP: Final = re.compile(r"[0-9]{18}")
_FEWEST_DIFFERENT: Final = 4


class Role(StrEnum):
    """What somebody does at a destruction."""

    OFFICER = "officer"
    WITNESS = "witness"
    SUPERVISOR = "supervisor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who can sign in. `nip` is the 18-digit number of a civil servant, '' for none."""

    id: int
    name: str
    role: Role
    nip: str
    position: str
    is_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Somebody who is signed in; `person_id` is None for a witness who was paired.

    `is_kiosk`: at the station itself; such a login is worth nothing in the network.
    """

    token_sha256: bytes
    person_id: int | None
    name: str
    role: Role
    is_kiosk: bool
    started_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """Wrong tries in a row for one account from one address."""

    count: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StationEvent:
    """Something that was done to people or to the office's settings."""

    at: str
    by: str
    what: str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """The office that destroys the cards; `letterhead` is the lines at the top of its papers."""

    name: str
    letterhead: tuple[str, ...]


def name_key(name: str) -> str:
    """Return what two names have in common when people would take them for the same."""
    return unicodedata.normalize("NFKC", name).casefold()


def checked_name(text: str) -> str:
    """Return a person's name fit for the log.

    Raises:
        InputError: it is empty, too long, or not plain text.
    """
    name = checked_text(unicodedata.normalize("NFC", text), "name")
    if len(name) > MAX_NAME:
        raise InputError(
            "the %(what)s must be plain text of at most %(most)s characters; shorten it",
            what="name",
            most=MAX_NAME,
        )
    return name


def checked_nip(text: str) -> str:
    """Return a NIP as its 18 digits, '' for none.

    Raises:
        InputError: it is something else.
    """
    digits = re.sub(r"[ .]", "", text)
    if digits and not _NIP.fullmatch(digits):
        raise InputError("a NIP has 18 digits; leave it empty for somebody who has none")
    return digits


def checked_secret(role: Role, text: str) -> str:
    """Return a new PIN (officer, witness) or passphrase (supervisor) as it is to be kept.

    Raises:
        InputError: it is too short, too long, or the first one a guesser would try.
    """
    if role is not Role.SUPERVISOR:
        return _checked_pin(text)
    passphrase = normal_secret(text)
    if not MIN_PASSPHRASE <= len(passphrase) <= MAX_PASSPHRASE:
        raise InputError(
            "a passphrase has %(least)s to %(most)s characters; several words are best",
            least=MIN_PASSPHRASE,
            most=MAX_PASSPHRASE,
        )
    if len(set(passphrase)) < _FEWEST_DIFFERENT or passphrase in _sequences(len(passphrase)):
        raise InputError("this passphrase is too easy to guess; choose several words")
    return passphrase


def _checked_pin(text: str) -> str:
    if not _PIN.fullmatch(text):
        raise InputError("a PIN is 6 to 12 digits")
    if len(set(text)) < 3 or text in _sequences(len(text)):
        raise InputError("this PIN is too easy to guess; choose another one")
    return text


def _sequences(length: int) -> set[str]:
    # 123456, 654321 and the like.
    rising = "01234567890123456789"[: length + 10]
    found = {rising[start : start + length] for start in range(10)}
    return found | {one[::-1] for one in found}


def normal_secret(text: str) -> str:
    """Return what was typed so that every keyboard's way to write a letter is the same.

    Source: RFC 8265, section 4.2 (OpaqueString), of which this is the normalisation.
    """
    return unicodedata.normalize("NFC", text)


def lockout_s(failures: int) -> int:
    """Return how long an account is locked after so many wrong tries in a row, in seconds.

    Nothing for the first four; 15 s after the fifth, then double with each further one, an hour
    at most.
    """
    beyond = failures - FREE_TRIES
    if beyond < 0:
        return 0
    return min(_FIRST_LOCK_S << min(beyond, 16), _LONGEST_LOCK_S)
