"""What only people know and minutes need: their number, place, legal basis, officers, witnesses."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date

from scanner_station.domain.errors import InputError
from scanner_station.domain.people import checked_name, checked_nip
from scanner_station.domain.text import checked_text

MOST_PEOPLE = 50
MOST_BASES = 20
_PEOPLE = ("officers", "witnesses")


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

    def as_json(self) -> dict[str, object]:
        """Return the particulars with stable keys; `of_json` takes them back."""
        return {
            "number": self.number,
            "place": self.place,
            "held_on": self.held_on.isoformat() if self.held_on else "",
            "legal_basis": list(self.legal_basis),
            "officers": [asdict(one) for one in self.officers],
            "witnesses": [asdict(one) for one in self.witnesses],
        }

    @property
    def text(self) -> str:
        """The particulars as JSON, as they are kept."""
        return json.dumps(self.as_json(), ensure_ascii=False, sort_keys=True)

    @classmethod
    def parse(cls, text: str) -> "Particulars":
        """Return the particulars that `text` gave."""
        return cls.of_json(json.loads(text))

    @classmethod
    def of_json(cls, data: object) -> "Particulars":
        """Return the particulars in a JSON object as people send it; what is left out is empty.

        Raises:
            InputError: it is something else.
        """
        fields = _object(data, ("number", "place", "held_on", "legal_basis", *_PEOPLE))
        return cls(
            number=_text(fields, "number"),
            place=_text(fields, "place"),
            held_on=_day(_text(fields, "held_on")),
            legal_basis=tuple(
                _text({"legal_basis": one}, "legal_basis") for one in _list(fields, "legal_basis")
            ),
            officers=tuple(
                Officer(**_texts(one, ("name", "nip", "position")))
                for one in _list(fields, "officers")
            ),
            witnesses=tuple(
                Witness(**_texts(one, ("name", "institution")))
                for one in _list(fields, "witnesses")
            ),
        )


def _object(data: object, known: tuple[str, ...]) -> Mapping[str, object]:
    if not isinstance(data, dict):
        raise InputError("the body must be one JSON object")
    for name in data:
        if name not in known:
            raise InputError("there is no field %(field)s; check its name", field=str(name)[:40])
    return data


def _texts(data: object, names: tuple[str, ...]) -> dict[str, str]:
    fields = _object(data, names)
    return {name: _text(fields, name) for name in names}


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise InputError("the field %(field)s must be a text", field=name)
    return value


def _list(fields: Mapping[str, object], name: str) -> list[object]:
    value = fields.get(name, [])
    if not isinstance(value, list):
        raise InputError("the field %(field)s must be a list", field=name)
    return value


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError("%(text)r is no date; write it as 2018-12-19", text=text[:40]) from error


def _optional(text: str, what: str) -> str:
    return checked_text(text, what) if text.strip() else ""
