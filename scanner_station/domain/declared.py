"""The figures an office states: in total, by category, by district. They need not add up."""

import json
from dataclasses import dataclass, field

from scanner_station.domain.entry import Body, totals_text
from scanner_station.domain.errors import InputError
from scanner_station.domain.text import checked_text

MOST_FIGURES = 100
_MOST = 2**53


@dataclass(slots=True, kw_only=True)
class Declared:
    """What is stated. `total` is None when none is."""

    total: int | None = None
    by_category: dict[str, int] = field(default_factory=dict)
    by_district: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of_body(cls, body: Body) -> "Declared":
        """Return the figures that an entry states."""
        total = body.get("declared_total")
        return cls(
            total=total if isinstance(total, int) else None,
            by_category=json.loads(str(body.get("declared_by_category", "{}"))),
            by_district=json.loads(str(body.get("declared_by_district", "{}"))),
        )

    def as_body(self) -> Body:
        """Return the figures as they stand in an entry; what is not stated is left out."""
        body: Body = {}
        if self.total is not None:
            body["declared_total"] = self.total
        if self.by_category:
            body["declared_by_category"] = totals_text(self.by_category)
        if self.by_district:
            body["declared_by_district"] = totals_text(self.by_district)
        return body

    def as_json(self) -> dict[str, object]:
        """Return the figures with stable keys; `total` is null when none is stated."""
        return {
            "total": self.total,
            "by_category": dict(self.by_category),
            "by_district": dict(self.by_district),
        }

    def parts(self) -> list[tuple[str, dict[str, int]]]:
        """Return the breakdowns that are stated: (`category` or `district`, figures)."""
        both = (("category", self.by_category), ("district", self.by_district))
        return [(axis, figures) for axis, figures in both if figures]

    def checked(self) -> "Declared":
        """Return the figures fit for the log.

        Raises:
            InputError: a name is no plain text, a figure is impossible, or there are too many.
        """
        if len(self.by_category) + len(self.by_district) > MOST_FIGURES:
            raise InputError("more than %(most)s figures are declared", most=MOST_FIGURES)
        return Declared(
            total=None if self.total is None else _figure(self.total),
            by_category=_checked(self.by_category, "category"),
            by_district=_checked(self.by_district, "district"),
        )


def _checked(figures: dict[str, int], what: str) -> dict[str, int]:
    checked = {checked_text(name, what): _figure(total) for name, total in figures.items()}
    if len(checked) != len(figures):
        raise InputError("a %(what)s is declared twice; give one figure", what=what)
    return checked


def _figure(total: int) -> int:
    if not 0 <= total < _MOST:
        raise InputError("%(figure)s is not a number of cards", figure=total)
    return total
