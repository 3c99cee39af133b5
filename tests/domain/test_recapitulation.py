"""Totals over batches: whatever the batches, every way to add them up comes to the same."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner_station.domain.recapitulation import (
    OTHER_CATEGORIES,
    Categories,
    CountedBatch,
    Recapitulation,
    Trust,
    total_of,
)
from scanner_station.domain.reconciliation import Figures, added_up

NAMES = st.sampled_from(["", "rusak", "invalid", "pindah datang", "meninggal"])
NUMBERS = st.integers(0, 3000)
FIGURES = st.builds(
    Figures,
    manifest=NUMBERS,
    counted=NUMBERS,
    manual=NUMBERS,
    missing=NUMBERS,
    added=NUMBERS,
    unidentified=NUMBERS,
)
BATCHES = st.builds(
    CountedBatch,
    name=st.just("b.zip"),
    log=st.sampled_from(["meja-1/a", "meja-1/b", "meja-2/a"]),
    office=st.sampled_from(["Kupang", "Alor", "Belu", "Rote"]),
    title=st.just("Pemusnahan"),
    day=st.dates(date(2018, 11, 1), date(2019, 3, 1)),
    is_sealed=st.booleans(),
    trust=st.sampled_from(Trust),
    witnesses=st.integers(0, 3),
    supplements=st.just(""),
    by_category=st.dictionaries(NAMES, FIGURES, max_size=4),
)


@given(batches=st.lists(BATCHES, max_size=8))
def test_offices_periods_categories_and_batches_all_come_to_the_total(
    batches: list[CountedBatch],
) -> None:
    found = Recapitulation(batches=batches)
    ways = [
        added_up(map(total_of, found.by_office.values())),
        added_up(map(total_of, found.by_period.values())),
        added_up(found.by_category.values()),
        added_up(batch.total for batch in batches),
    ]
    assert all(way == found.total for way in ways)
    assert found.total.burned == sum(
        row.counted + row.added + row.unidentified
        for batch in batches
        for row in batch.by_category.values()
    )


@given(
    batches=st.lists(BATCHES, max_size=8),
    listed=st.sets(st.sampled_from(["KUPANG", "alor ", "Belu", "Sabu"])),
)
def test_every_listed_office_is_there_or_missing_and_every_other_named(
    batches: list[CountedBatch], listed: set[str]
) -> None:
    found = Recapitulation(batches=batches, listed_offices=sorted(listed))
    assert found.reported + len(found.missing_offices) == len(listed)
    assert found.reported + len(found.unlisted_offices) == len(found.by_office)


@pytest.mark.parametrize("most", [0, 1, 3, 5])
@given(rows=st.lists(st.tuples(NAMES, FIGURES), max_size=12))
def test_categories_beyond_the_limit_are_put_together_and_none_is_lost(
    most: int, rows: list[tuple[str, Figures]]
) -> None:
    found = Categories(most).rows(iter(rows))
    assert added_up(found.values()) == added_up(row for _, row in rows)
    assert len(set(found) - {OTHER_CATEGORIES}) <= most
