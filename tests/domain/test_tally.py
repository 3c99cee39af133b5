"""Sums: every total is the sum of its lines."""

from hypothesis import given
from hypothesis import strategies as st

from scanner_station.domain.counter import Verdict
from scanner_station.domain.tally import Tally

KEYS = st.tuples(st.sampled_from(["rusak", "pindah", ""]), st.sampled_from(["Alak", "Oebobo", ""]))


@given(
    st.dictionaries(KEYS, st.integers(0, 50)),
    st.lists(st.tuples(st.sampled_from(list(Verdict)), KEYS, st.booleans()), max_size=60),
)
def test_category_sums_and_district_sums_equal_the_total(
    expected: dict[tuple[str, str], int], scans: list[tuple[Verdict, tuple[str, str], bool]]
) -> None:
    tally = Tally.of([(*key, pieces) for key, pieces in expected.items()], [])
    for verdict, (category, district), typed in scans:
        tally.add(verdict, category, district, total=1, manual=int(typed))
    for axis in (0, 1):
        groups = tally.by(axis).values()
        assert sum(group["counted"] for group in groups) == tally.counted
        assert sum(group["expected"] for group in groups) == tally.expected_total
    assert sum(tally.total(verdict) for verdict in Verdict) == len(scans)
    assert tally.manual <= tally.counted


def test_a_count_taken_back_leaves_the_tally_as_it_was() -> None:
    tally = Tally.of([("rusak", "Alak", 3)], [])
    tally.add(Verdict.COUNTED, "rusak", "Alak", total=1, manual=1)
    tally.add(Verdict.COUNTED, "rusak", "Alak", total=-1, manual=-1)
    assert (tally.counted, tally.manual) == (0, 0)
    assert tally.by(0) == {"rusak": {"expected": 3, "counted": 0, "remaining": 3}}
