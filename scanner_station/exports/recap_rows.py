"""A recapitulation as tables, each with its parts and, under them, their total; and as JSON."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from scanner_station.domain.recapitulation import CountedBatch, Recapitulation, total_of
from scanner_station.domain.reconciliation import Figures, added_up
from scanner_station.domain.text import shown
from scanner_station.exports.said import Said, in_english

Json = dict[str, object]
Cell = str | int
Row = Sequence[Cell]

FIGURES: Final = (
    "manifest",
    "counted",
    "manual",
    "missing",
    "added",
    "unidentified",
    "burned",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One table. `total`: the sum of its rows, None where they do not add up to anything."""

    name: str
    columns: tuple[str, ...]
    rows: Iterable[Row]
    total: Row | None = None


def sections(found: Recapitulation) -> Iterator[Section]:
    """Yield every table of a recapitulation, parts before what they add up to."""
    yield Section(
        name="batch_categories",
        columns=("office", "log", "day", "category", *FIGURES),
        rows=(
            (one.office, one.log, one.day.isoformat(), category, *cells(row))
            for one in found.batches
            for category, row in sorted(one.by_category.items())
        ),
        total=("total", "", "", reported(found), *cells(found.total)),
    )
    yield Section(
        name="batches",
        columns=(
            *("office", "log", "title", "day", "state", "keys", "witnesses", "supplements"),
            "bundle",
            *FIGURES,
        ),
        rows=[_of_batch(one) for one in found.batches],
        total=("total", *[""] * 7, reported(found), *cells(found.total)),
    )
    for name, groups in (("office", found.by_office), ("period", found.by_period)):
        yield Section(
            name=f"{name}s",
            columns=(name, "batches", *FIGURES),
            rows=[(key, len(some), *cells(total_of(some))) for key, some in groups.items()],
            total=("total", reported(found), *cells(added_up(map(total_of, groups.values())))),
        )
    categories = found.by_category
    yield Section(
        name="categories",
        columns=("category", "batches", *FIGURES),
        rows=[
            (key, sum(key in one.by_category for one in found.batches), *cells(row))
            for key, row in categories.items()
        ],
        total=("total", reported(found), *cells(added_up(categories.values()))),
    )
    yield from _lists(found)


def _lists(found: Recapitulation) -> Iterator[Section]:
    yield Section(
        name="not_totalled",
        columns=("bundle", "log", "why"),
        rows=[(one.name, one.log, one.why) for one in found.asides],
    )
    yield Section(
        name="refused",
        columns=("bundle", "why"),
        rows=[(one.name, one.why) for one in found.refused],
    )
    for name, offices in (
        ("missing_offices", found.missing_offices),
        ("unlisted_offices", found.unlisted_offices),
    ):
        yield Section(name=name, columns=("office",), rows=[(office,) for office in offices])
    yield Section(
        name="counted_twice",
        columns=("identifier", "weight", "logs"),
        rows=[(one.masked, one.weight, ", ".join(one.logs)) for one in found.twice],
    )
    yield Section(
        name="remarks", columns=("remark",), rows=[(remark,) for remark in remarks(found)]
    )


def reported(found: Recapitulation) -> str:
    """Return of how many offices a total is: `450 of 514 offices`."""
    if found.listed_offices is None:
        return f"{found.reported} offices; no list of offices given"
    more = len(found.unlisted_offices)
    return f"{found.reported} of {len(found.listed_offices)} offices" + (
        f" and {more} not on the list" if more else ""
    )


def remarks(found: Recapitulation) -> list[str]:
    """Return what has to be known beside the totals, each as a sentence."""
    said = []
    if found.whole_in_itself:
        burned = total_of(found.whole_in_itself).burned
        said.append(
            f"{len(found.whole_in_itself)} of {len(found.batches)} batches ({burned} of "
            f"{found.total.burned} cards) are only whole in themselves: no keys from elsewhere"
        )
    if found.open_batches:
        burned = total_of(found.open_batches).burned
        said.append(
            f"{len(found.open_batches)} of {len(found.batches)} batches ({burned} of "
            f"{found.total.burned} cards) are still open: more may be counted"
        )
    if found.twice_count > len(found.twice):
        said.append(
            f"{found.twice_count} identifiers were counted in several batches; the first "
            f"{len(found.twice)} are listed"
        )
    if found.opened:
        said.append(
            f"openings were given for {found.opened} of {len(found.batches)} batches; only among "
            "these were cards counted twice looked for"
        )
    return said + [shown(one) for one in found.remarks]


def cells(row: Figures) -> tuple[int, ...]:
    """Return a row's figures in the order of `FIGURES`."""
    return tuple(getattr(row, name) for name in FIGURES)


def as_json(found: Recapitulation, said: Said = in_english) -> Json:
    """Return the whole recapitulation with stable keys; `said` puts what is refused in words."""
    return {
        "total": found.total.as_json()
        | {
            "batches": len(found.batches),
            "offices": found.reported,
            "offices_listed": None if found.listed_offices is None else len(found.listed_offices),
            "open": len(found.open_batches),
            "whole_in_itself": len(found.whole_in_itself),
        },
        "by_office": {
            office: total_of(some).as_json() | {"logs": [one.log for one in some]}
            for office, some in found.by_office.items()
        },
        "by_category": {name: row.as_json() for name, row in found.by_category.items()},
        "by_period": {
            period: total_of(some).as_json() | {"logs": [one.log for one in some]}
            for period, some in found.by_period.items()
        },
        "batches": [_batch_as_json(one) for one in found.batches],
        "not_totalled": [asdict(one) for one in found.asides],
        "refused": [{"name": one.name, "why": one.said(said)} for one in found.refused],
        "missing_offices": found.missing_offices,
        "unlisted_offices": found.unlisted_offices,
        "counted_twice": [
            {"identifier": one.masked, "weight": one.weight, "logs": list(one.logs)}
            for one in found.twice
        ],
        "counted_twice_total": found.twice_count,
        "alarms": found.alarm_count,
        "remarks": remarks(found),
        "further_remarks": [shown(said(one.message, one.values)) for one in found.remarks],
        "complete": found.is_complete,
    }


def _of_batch(one: CountedBatch) -> Row:
    state = "sealed" if one.is_sealed else "open"
    about = (one.office, one.log, one.title, one.day.isoformat(), state, one.trust, one.witnesses)
    return (*about, one.supplements, one.name, *cells(one.total))


def _batch_as_json(one: CountedBatch) -> Json:
    about: Json = {
        "bundle": one.name,
        "log": one.log,
        "office": one.office,
        "title": one.title,
        "day": one.day.isoformat(),
        "period": one.period,
        "state": "sealed" if one.is_sealed else "open",
        "keys": one.trust,
        "witnesses": one.witnesses,
        "supplements": one.supplements,
        "by_category": {name: row.as_json() for name, row in one.by_category.items()},
    }
    return about | one.total.as_json()
