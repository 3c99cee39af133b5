"""Totals over many batches: every one added up from its parts, and shown beside them.

The parts are batches whose bundles were verified. What is not in the totals is listed with why.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from scanner_station.domain.errors import VerificationError
from scanner_station.domain.manifest import Remark
from scanner_station.domain.reconciliation import Figures, added_up
from scanner_station.domain.text import shown

OTHER_CATEGORIES: Final = "…"
"""Under this name stands what has a category beyond `MOST_CATEGORIES`."""

MOST_CATEGORIES: Final = 1000
"""How many different names of categories are told apart: a country has some dozen reasons."""


class Trust(StrEnum):
    """With whose keys a bundle was verified."""

    KEYS = "keys"
    ITSELF = "itself"


class Why(StrEnum):
    """Why a whole bundle is not in the totals."""

    CANCELLED = "cancelled"
    REHEARSAL = "rehearsal"
    TWICE = "given_twice"
    SMALLER = "earlier_state"


class Weight(StrEnum):
    """What it means that one identifier was counted in two batches."""

    ALARM = "alarm"
    REMARK = "remark"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedBatch:
    """A batch in the totals. `name`: of its bundle; `log`: its origin; `witnesses`: who signed.

    `supplements`: the sealed batch that it adds to, '' for none.
    """

    name: str
    log: str
    office: str
    title: str
    day: date
    is_sealed: bool
    trust: Trust
    witnesses: int
    supplements: str
    by_category: dict[str, Figures]

    @property
    def period(self) -> str:
        """Its month: 2018-12."""
        return f"{self.day:%Y-%m}"

    @property
    def total(self) -> Figures:
        """Its categories added up."""
        return added_up(self.by_category.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """A bundle that is whole but not in the totals."""

    name: str
    log: str
    why: Why


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A file that is not what it should be; `error` names the first bad place."""

    name: str
    error: VerificationError

    @property
    def why(self) -> str:
        """The first bad place as an English sentence that can be shown anywhere."""
        return shown(self.error)

    def said(self, said: Callable[[str, Mapping[str, object]], str]) -> str:
        """Return the same in whatever language `said` puts a template and its values."""
        return shown(said(self.error.message, self.error.values))


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedTwice:
    """An identifier, masked, that several batches counted."""

    masked: str
    weight: Weight
    logs: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Recapitulation:
    """Totals over batches, with their parts and everything that is not in them.

    `listed_offices`: those that should report, None without a list. `twice` holds the first of
    `twice_count` identifiers; `opened`: of how many batches in the totals the openings were given.
    """

    batches: list[CountedBatch] = field(default_factory=list)
    asides: list[Aside] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    listed_offices: list[str] | None = None
    twice: list[CountedTwice] = field(default_factory=list)
    twice_count: int = 0
    alarm_count: int = 0
    opened: int = 0
    remarks: list[Remark] = field(default_factory=list)

    @property
    def by_office(self) -> dict[str, list[CountedBatch]]:
        """The batches of each office."""
        return self._grouped(lambda batch: batch.office)

    @property
    def by_period(self) -> dict[str, list[CountedBatch]]:
        """The batches of each month."""
        return self._grouped(lambda batch: batch.period)

    @property
    def by_category(self) -> dict[str, Figures]:
        """What each category comes to."""
        groups: dict[str, Figures] = {}
        for batch in self.batches:
            for category, row in batch.by_category.items():
                groups.setdefault(category, Figures()).add(row)
        return dict(sorted(groups.items()))

    @property
    def total(self) -> Figures:
        """All batches added up."""
        return total_of(self.batches)

    @property
    def reported(self) -> int:
        """How many offices are in the totals; with a list, how many of those on it."""
        if self.listed_offices is None:
            return len(self.by_office)
        return len(self.listed_offices) - len(self.missing_offices)

    @property
    def missing_offices(self) -> list[str]:
        """The offices on the list that are not in the totals."""
        there = {office_key(office) for office in self.by_office}
        return [one for one in self.listed_offices or [] if office_key(one) not in there]

    @property
    def unlisted_offices(self) -> list[str]:
        """The offices in the totals that are not on the list."""
        if self.listed_offices is None:
            return []
        listed = {office_key(office) for office in self.listed_offices}
        return [office for office in self.by_office if office_key(office) not in listed]

    @property
    def open_batches(self) -> list[CountedBatch]:
        """The batches that are not sealed: more may be counted in them."""
        return [batch for batch in self.batches if not batch.is_sealed]

    @property
    def whole_in_itself(self) -> list[CountedBatch]:
        """The batches whose keys came from their own bundle: whoever forges it forges these."""
        return [batch for batch in self.batches if batch.trust is Trust.ITSELF]

    @property
    def is_complete(self) -> bool:
        """Whether nothing is refused, alarming, still open or missing."""
        return not (self.is_alarming or self.open_batches or self.missing_offices)

    @property
    def is_alarming(self) -> bool:
        """Whether something was found that somebody has to look into."""
        return bool(self.refused or self.alarm_count)

    def _grouped(self, key: Callable[[CountedBatch], str]) -> dict[str, list[CountedBatch]]:
        groups: dict[str, list[CountedBatch]] = {}
        for batch in sorted(self.batches, key=lambda one: (one.day, one.log)):
            groups.setdefault(key(batch), []).append(batch)
        return dict(sorted(groups.items()))


def total_of(batches: Iterable[CountedBatch]) -> Figures:
    """Return what some batches come to."""
    return added_up(batch.total for batch in batches)


def office_key(name: str) -> str:
    """Return what two ways to write an office's name have in common."""
    return " ".join(name.casefold().split())


class Categories:
    """Tells categories apart, up to so many; what comes later is put together."""

    def __init__(self, most: int = MOST_CATEGORIES) -> None:
        self._most = most
        self._known: set[str] = set()

    def rows(self, found: Iterator[tuple[str, Figures]]) -> dict[str, Figures]:
        """Return the rows of one batch under the names that they have in the totals."""
        rows: dict[str, Figures] = {}
        for category, row in found:
            rows.setdefault(self._name(category), Figures()).add(row)
        return rows

    def _name(self, category: str) -> str:
        if category not in self._known:
            if len(self._known) >= self._most:
                return OTHER_CATEGORIES
            self._known.add(category)
        return category
