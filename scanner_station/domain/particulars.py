"""What only people know and minutes need: their number, place, legal basis, officers, witnesses."""

import json
from dataclasses import asdict, dataclass
from datetime import date

from scanner_station.domain.errors import InputError
from scanner_station.domain.people import checked_name, checked_nip
from scanner_station.domain.text import checked_text

MOST_PEOPLE = 50
MOST_BASES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """Who carries the destruction out. `nip` is '' for who has none."""

    name: str
    nip: str = ""
    position: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """Who watches it, and for whom."""

    name: str
    institution: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """What is entered once for the minutes of one batch. `held_on` is None until it is known."""

    number: str = ""
    place: str = ""
    held_on: date | None = None
    legal_basis: tuple[str, ...] = ()
    officers: tuple[Officer, ...] = ()
    witnesses: tuple[Witness, ...] = ()

    def checked(self) -> "Particulars":
        """Return them fit for the minutes.

        Raises:
            InputError: a text cannot be used, or there are too many people.
        """
        if max(len(self.officers), len(self.witnesses)) > MOST_PEOPLE:
            raise InputError(
                "minutes take at most %(most)s officers or witnesses", most=MOST_PEOPLE
            )
        if len(self.legal_basis) > MOST_BASES:
            raise InputError("minutes take at most %(most)s legal bases", most=MOST_BASES)
        return Particulars(
            number=_optional(self.number, "number of the minutes"),
            place=_optional(self.place, "place"),
            held_on=self.held_on,
            legal_basis=tuple(checked_text(one, "legal basis") for one in self.legal_basis),
            officers=tuple(
                Officer(
                    name=checked_name(one.name),
                    nip=checked_nip(one.nip),
                    position=_optional(one.position, "position"),
                )
                for one in self.officers
            ),
            witnesses=tuple(
                Witness(
                    name=checked_name(one.name),
                    institution=_optional(one.institution, "institution"),
                )
                for one in self.witnesses
            ),
        )

    @property
    def text(self) -> str:
        """The particulars as JSON, as they are kept."""
        held_on = self.held_on.isoformat() if self.held_on else ""
        return json.dumps(asdict(self) | {"held_on": held_on}, ensure_ascii=False, sort_keys=True)

    @classmethod
    def parse(cls, text: str) -> "Particulars":
        """Return the particulars that `text` gave."""
        known = json.loads(text)
        return cls(
            number=known["number"],
            place=known["place"],
            held_on=date.fromisoformat(known["held_on"]) if known["held_on"] else None,
            legal_basis=tuple(known["legal_basis"]),
            officers=tuple(Officer(**one) for one in known["officers"]),
            witnesses=tuple(Witness(**one) for one in known["witnesses"]),
        )


def _optional(text: str, what: str) -> str:
    return checked_text(text, what) if text.strip() else ""
