"""The user's language: sentences from gettext catalogues.

The English message template is the key; Indonesian stands in `web/translations`. Times are written
by the pages' scripts, in the same language.
"""

import gettext
import zoneinfo
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Final

from flask import Request

from scanner_station.config import LANGUAGES
from scanner_station.domain.errors import StationError
from scanner_station.exports.terbilang import long_date

DOMAIN: Final = "station"
COOKIE: Final = "language"

_ZONE_NAMES: Final = {
    "Asia/Jakarta": "WIB",
    "Asia/Pontianak": "WIB",
    "Asia/Makassar": "WITA",
    "Asia/Jayapura": "WIT",
}


class _Number(int):
    """A whole number that is written 2.629 (Indonesian) or 2,629 where a sentence says %(n)s."""

    _mark: str

    @classmethod
    def of(cls, value: int, language: str) -> "_Number":
        number = cls(value)
        number._mark = "." if language == "id" else ","
        return number

    def __str__(self) -> str:
        return f"{int(self):,}".replace(",", self._mark)


class Language:
    """One language and its sentences."""

    def __init__(self, code: str, folder: Path) -> None:
        """Load the catalogue of `code`; English needs none.

        Raises:
            OSError: the catalogue is missing from this installation.
        """
        self.code = code
        self._catalogue = (
            gettext.NullTranslations()
            if code == "en"
            else gettext.translation(DOMAIN, folder, languages=[code])
        )

    def text(self, message: str) -> str:
        """Return a sentence in this language; the English one if it has none."""
        return self._catalogue.gettext(message) if message else ""

    def plural(self, singular: str, plural: str, count: int) -> str:
        """Return the form for a count."""
        return self._catalogue.ngettext(singular, plural, count)

    def filled(self, message: str, values: Mapping[str, object]) -> str:
        """Return a template in this language with its values; words among them are translated."""
        words = {name: self._shown(value) for name, value in values.items()}
        return self.text(message) % words if words else self.text(message)

    def _shown(self, value: object) -> object:
        if isinstance(value, StationError):  # one that says why
            return self.filled(value.message, value.values)
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return _Number.of(value, self.code)
        return value

    def error(self, error: StationError) -> str:
        """Return an error's sentence, beginning with a capital letter."""
        sentence = self.filled(error.message, error.values)
        return sentence[:1].upper() + sentence[1:]

    def day(self, day: date) -> str:
        """Return a day in words: Rabu, 19 Desember 2018, or Wednesday, 19 December 2018."""
        if self.code == "id":
            return long_date(day)
        return f"{day:%A}, {day.day} {day:%B %Y}"

    def messages(self) -> dict[str, str]:
        """Return the catalogue for the pages' scripts: English template to sentence."""
        known: dict[object, object] = getattr(self._catalogue, "_catalog", {})
        return {
            key: text
            for key, text in known.items()
            if isinstance(key, str) and key
            if isinstance(text, str)
        }


class Languages:
    """All languages there are, and which one a request wants."""

    def __init__(self, folder: Path, default: str) -> None:
        """Load the catalogues in `folder`; `default` is the station's setting."""
        self._known = {code: Language(code, folder) for code in LANGUAGES}
        self._default = default

    def of(self, code: str) -> Language:
        """Return a language by its code, one of `LANGUAGES`."""
        return self._known[code]

    def of_page(self, request: Request) -> Language:
        """Return the language chosen on the page, else the station's.

        Not the browser's own: a kiosk's browser is often English where nobody else is.
        """
        chosen = request.cookies.get(COOKIE, "")
        return self._known.get(chosen) or self._known[self._default]

    def of_call(self, request: Request) -> Language:
        """Return the language a call asks for (`Accept-Language`), else that of the pages."""
        best = request.accept_languages.best_match(list(self._known))
        return self._known[best] if best else self.of_page(request)


def zone_name(zone: str, at: datetime) -> str:
    """Return WIB, WITA or WIT, or what the zone calls itself at that time."""
    return _ZONE_NAMES.get(zone) or at.astimezone(zoneinfo.ZoneInfo(zone)).strftime("%Z")
