"""Manifest, count and declared figures set against each other: the one arithmetic of it.

Screen, interface, command, exports and minutes all show this. Every sum is added up from the rows
of `Reconciliation.table`, never kept beside them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from enum import StrEnum

from scanner_station.domain.counter import Verdict
from scanner_station.domain.declared import Declared
from scanner_station.domain.findings import Findings, Missing, Stranger, What
from scanner_station.domain.tally import ADDED, UNIDENTIFIED, Tally

Place = tuple[str, str]
"""(category, district); '' where the manifest names none."""


class State(StrEnum):
    """Where a difference stands."""

    OPEN = "open"
    EXPLAINED = "explained"


@dataclass(slots=True, kw_only=True)
class Figures:
    """One row of the reconciliation, in cards. `manual` are among `counted`."""

    manifest: int = 0
    counted: int = 0
    manual: int = 0
    missing: int = 0
    added: int = 0
    unidentified: int = 0

    @property
    def burned(self) -> int:
        """What goes into the fire: counted, added and unidentified, each shown."""
        return self.counted + self.added + self.unidentified

    def add(self, other: "Figures") -> None:
        """Add another row to this one."""
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))

    def as_json(self) -> dict[str, int]:
        """Return the row with stable keys."""
        return {one.name: getattr(self, one.name) for one in fields(self)} | {"burned": self.burned}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that differs, or a group of alike ones in one place.

    `category` and `district` are None where all are meant. `difference`: for missing cards
    counted - manifest, for strangers how many, for declared figures declared - burned, for parts
    that do not add up their sum - the total declared. `open` of its `cards` are not explained yet
    (for a figure: 1 or 0). `axis` of declared figures: category, district or total.
    """

    what: What
    category: str | None
    district: str | None
    manifest: int
    counted: int
    declared: int | None
    difference: int
    open: int
    explained_by: tuple[int, ...]
    axis: str = ""
    burned: int = 0

    @property
    def state(self) -> State:
        """Open as long as anything of it is not explained."""
        return State.OPEN if self.open else State.EXPLAINED


@dataclass(slots=True, kw_only=True)
class Reconciliation:
    """Everything that stands against each other in one batch.

    `has_manifest`: whether there is a list; without one nothing can be missing or strange.
    `missing` holds every line that lacks pieces (empty once the batch's people are forgotten).
    """

    slug: str
    title: str
    state: str
    has_manifest: bool
    table: dict[Place, Figures]
    declared: Declared
    findings: Findings
    missing: list[Missing] = field(default_factory=list)
    strangers: list[Stranger] = field(default_factory=list)
    is_forgotten: bool = False
    supplements: str = ""
    is_rehearsal: bool = False

    @property
    def total(self) -> Figures:
        """All rows added up."""
        return added_up(self.table.values())

    def by(self, axis: str) -> dict[str, Figures]:
        """Return the rows added up by `category` or `district`."""
        position = ("category", "district").index(axis)
        groups: dict[str, Figures] = {}
        for place, row in sorted(self.table.items()):
            groups.setdefault(place[position], Figures()).add(row)
        return dict(sorted(groups.items()))

    @property
    def is_complete(self) -> bool:
        """Whether no difference is open."""
        return not any(one.state is State.OPEN for one in self.differences)

    @property
    def differences(self) -> list[Difference]:
        """What differs, open or explained; complete."""
        return [*self._missing(), *self._strange(), *self.figures_that_differ]

    @property
    def figures_that_differ(self) -> list[Difference]:
        """Which declared figures are not what was burned, or do not add up."""
        return [*self._declared(), *self._parts()]

    def _missing(self) -> list[Difference]:
        groups: dict[Place, list[Missing]] = {}
        for one in self.missing:
            groups.setdefault((one.line.category, one.line.district), []).append(one)
        return [
            Difference(
                what=What.MISSING,
                category=place[0],
                district=place[1],
                manifest=row.manifest,
                counted=row.counted,
                declared=None,
                difference=row.counted - row.manifest,
                open=sum(one.lacking for one in groups.get(place, []) if one.explained_by is None),
                explained_by=_entries(one.explained_by for one in groups.get(place, [])),
                burned=row.burned,
            )
            for place, row in sorted(self.table.items())
            if row.missing
        ]

    def _strange(self) -> list[Difference]:
        if not self.strangers:
            return []
        total = self.total
        return [
            Difference(
                what=What.STRANGERS,
                category=None,
                district=None,
                manifest=total.manifest,
                counted=total.counted,
                declared=None,
                difference=len(self.strangers),
                open=sum(one.explained_by is None for one in self.strangers),
                explained_by=_entries(one.explained_by for one in self.strangers),
                burned=total.burned,
            )
        ]

    def _declared(self) -> list[Difference]:
        stated = [
            (axis, name, figure, self.by(axis).get(name, Figures()))
            for axis, figures in self.declared.parts()
            for name, figure in figures.items()
        ]
        if self.declared.total is not None:
            stated.append(("total", "", self.declared.total, self.total))
        return [
            self._figure(What.DECLARED, axis, name, figure, row, figure - row.burned)
            for axis, name, figure, row in stated
            if figure != row.burned
        ]

    def _parts(self) -> list[Difference]:
        return [
            self._figure(What.PARTS, axis, "", parts, self.total, difference)
            for axis, parts, difference in parts_that_do_not_add_up(self.declared)
        ]

    def _figure(
        self, what: What, axis: str, name: str, figure: int, row: Figures, difference: int
    ) -> Difference:
        explained_by = self.findings.explained_figure(what, axis, name, difference)
        is_named = what is What.DECLARED
        return Difference(
            what=what,
            category=name if is_named and axis == "category" else None,
            district=name if is_named and axis == "district" else None,
            manifest=row.manifest,
            counted=row.counted,
            declared=figure,
            difference=difference,
            open=int(explained_by is None),
            explained_by=_entries([explained_by]),
            axis=axis,
            burned=row.burned,
        )


def parts_that_do_not_add_up(declared: Declared) -> list[tuple[str, int, int]]:
    """Return the breakdowns whose sum is not the total declared: axis, sum, sum - total."""
    if declared.total is None:
        return []
    sums = [(axis, sum(figures.values())) for axis, figures in declared.parts()]
    return [
        (axis, parts, parts - declared.total) for axis, parts in sums if parts != declared.total
    ]


def table_of(tally: Tally) -> dict[Place, Figures]:
    """Return a batch's rows by category and district; what is missing is what was not counted."""
    table: dict[Place, Figures] = {}
    for place, pieces in tally.expected.items():
        table.setdefault(place, Figures()).manifest += pieces
    for (name, category, district), (total, manual) in tally.rows.items():
        if name not in (Verdict.COUNTED, ADDED, UNIDENTIFIED) or not (total or manual):
            continue
        row = table.setdefault((category, district), Figures())
        match name:
            case Verdict.COUNTED:
                row.counted += total
                row.manual += manual
            case _:
                setattr(row, name, getattr(row, name) + total)
    if tally.expected:
        for row in table.values():
            row.missing = row.manifest - row.counted
    return table


def added_up(rows: Iterable[Figures]) -> Figures:
    """Return the sum of rows."""
    total = Figures()
    for row in rows:
        total.add(row)
    return total


def _entries(sequences: Iterable[int | None]) -> tuple[int, ...]:
    return tuple(sorted({one for one in sequences if one is not None}))
