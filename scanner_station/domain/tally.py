"""Entries added up by category and district; the one arithmetic behind screen, file and API."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from scanner_station.domain.counter import Verdict
from scanner_station.domain.entry import Body, Kind

VOIDED = "voided"
ADDED = "added"
"""Strangers that two people put to the count; never among the `counted`."""
UNIDENTIFIED = "unidentified"
"""Cards on which nothing is legible."""

# Python 3.11 finds a member of an enum by a function of its own: not once more for every card.
_COUNTED: Final = Verdict.COUNTED
_MANUAL: Final = Kind.MANUAL
_WITHOUT_VERDICT: Final[dict[int | str, str]] = {Kind.ADD: ADDED, Kind.UNIDENTIFIED: UNIDENTIFIED}

TallyRow = tuple[str, str, str, int, int]
"""(verdict, `voided`, `added` or `unidentified`; category, district, total, of these typed)."""


def counted_as(body: Body) -> str:
    """Return under which name an entry puts one card to the tally, '' when it does not."""
    if "verdict" in body:
        return _COUNTED if body["verdict"] == _COUNTED else ""
    return _WITHOUT_VERDICT.get(body["kind"], "")


@dataclass(slots=True)
class Tally:
    """One batch's counts. Every total is added up from its lines, never kept beside them."""

    expected: dict[tuple[str, str], int] = field(default_factory=dict)
    rows: dict[tuple[str, str, str], list[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, expected: Iterable[tuple[str, str, int]], rows: Iterable[TallyRow]) -> "Tally":
        """Return a tally of expected pieces (category, district, pieces) and rows added up."""
        tally = cls({(category, district): pieces for category, district, pieces in expected})
        for verdict, category, district, total, manual in rows:
            tally.add(verdict, category, district, total=total, manual=manual)
        return tally

    def as_rows(self) -> list[TallyRow]:
        """Return the rows in order, without those that came to nothing."""
        return [(*key, *row) for key, row in sorted(self.rows.items()) if any(row)]  # type: ignore[misc]

    def add(
        self, verdict: str, category: str = "", district: str = "", *, total: int, manual: int
    ) -> None:
        """Add entries; a void takes back what it undoes with negative numbers."""
        row = self.rows.setdefault((verdict, category, district), [0, 0])
        row[0] += total
        row[1] += manual

    def put(self, body: Body, times: int = 1) -> None:
        """Add what the entry of a card puts to the tally; with -1 times, take it back."""
        if what := counted_as(body):
            manual = times if body["kind"] == _MANUAL else 0
            place = str(body["category"]), str(body.get("district", ""))
            self.add(what, *place, total=times, manual=manual)
        else:
            self.add(str(body["verdict"]), total=times, manual=0)

    def total(self, verdict: str) -> int:
        """Return how many entries have a verdict (for `counted`: that are counted now)."""
        return sum([row[0] for (kind, _, _), row in self.rows.items() if kind == verdict])

    @property
    def counted(self) -> int:
        """How many pieces are counted now."""
        return self.total(_COUNTED)

    def counted_in(self, category: str) -> int:
        """How many pieces of a category are counted now."""
        return sum(
            row[0]
            for (kind, name, _), row in self.rows.items()
            if (kind, name) == (Verdict.COUNTED, category)
        )

    @property
    def burned(self) -> int:
        """How many cards go into the fire: counted, added and unidentified."""
        return self.counted + self.total(ADDED) + self.total(UNIDENTIFIED)

    @property
    def expected_total(self) -> int:
        """How many pieces the manifest lists; 0 without a manifest."""
        return sum(self.expected.values())

    @property
    def expected_by_category(self) -> dict[str, int]:
        """How many pieces the manifest lists in each category."""
        totals: dict[str, int] = {}
        for (category, _), pieces in self.expected.items():
            totals[category] = totals.get(category, 0) + pieces
        return totals

    @property
    def manual(self) -> int:
        """How many of the counted pieces were typed."""
        return sum(row[1] for (kind, _, _), row in self.rows.items() if kind == Verdict.COUNTED)

    def by(self, axis: int) -> dict[str, dict[str, int]]:
        """Return expected, counted and remaining per category (axis 0) or district (axis 1)."""
        groups: dict[str, dict[str, int]] = {}
        for key, pieces in self.expected.items():
            groups.setdefault(key[axis], {"expected": 0, "counted": 0})["expected"] += pieces
        for (verdict, category, district), row in self.rows.items():
            if verdict == Verdict.COUNTED:
                name = (category, district)[axis]
                group = groups.setdefault(name, {"expected": 0, "counted": 0})
                group["counted"] += row[0]
        return {name: with_remaining(groups[name]) for name in sorted(groups)}

    def as_json(self) -> dict[str, object]:
        """Return the counts with stable keys, as `batch show --json` gives them."""
        totals = with_remaining({"expected": self.expected_total, "counted": self.counted})
        return totals | {
            "by_category": self.by(0),
            "by_district": self.by(1),
            "already_counted": self.total(Verdict.ALREADY_COUNTED),
            "not_on_manifest": self.total(Verdict.NOT_ON_MANIFEST),
            "unreadable": self.total(Verdict.UNREADABLE),
            "voided": self.total(VOIDED),
            "manual": self.manual,
            "added": self.total(ADDED),
            "unidentified": self.total(UNIDENTIFIED),
            "burned": self.burned,
        }


def with_remaining(group: dict[str, int]) -> dict[str, int]:
    """Return a group with what remains; nothing remains where nothing was expected."""
    return group | {"remaining": max(0, group["expected"] - group["counted"])}
