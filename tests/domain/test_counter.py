"""The verdict rule, case by case and as a property."""

from hypothesis import given
from hypothesis import strategies as st

from scanner_station.domain.counter import CountedPiece, Known, Verdict, judge
from scanner_station.domain.identifier import Scheme


def piece(number: int, sequence: int, batch: str = "b") -> CountedPiece:
    return CountedPiece(batch=batch, piece=number, sequence=sequence)


def test_a_card_that_nobody_listed_is_set_aside() -> None:
    assert judge(Scheme.NIK, Known(expected_pieces=0)).verdict is Verdict.NOT_ON_MANIFEST


def test_each_expected_piece_counts_once_and_the_next_one_points_to_the_first() -> None:
    first = judge(Scheme.NIK, Known(expected_pieces=2))
    second = judge(Scheme.NIK, Known(expected_pieces=2, counted=(piece(1, 5),)))
    third = judge(Scheme.NIK, Known(expected_pieces=2, counted=(piece(1, 5), piece(2, 9))))
    assert (first.verdict, first.piece) == (Verdict.COUNTED, 1)
    assert (second.verdict, second.piece) == (Verdict.COUNTED, 2)
    assert third.verdict is Verdict.ALREADY_COUNTED
    assert third.first == piece(1, 5)


def test_a_piece_taken_back_is_the_next_one_to_be_counted() -> None:
    again = judge(Scheme.NIK, Known(expected_pieces=2, counted=(piece(2, 9),)))
    assert (again.verdict, again.piece) == (Verdict.COUNTED, 1)


def test_a_nik_counted_in_an_earlier_batch_is_counted_with_a_remark() -> None:
    before = piece(1, 77, "last-year")
    outcome = judge(Scheme.NIK, Known(expected_pieces=1, earlier=before))
    assert outcome.verdict is Verdict.COUNTED
    assert outcome.earlier == before


def test_a_serial_number_counted_in_an_earlier_batch_was_already_counted() -> None:
    before = piece(1, 77, "last-year")
    for expected in (0, 1):
        outcome = judge(Scheme.SERIAL, Known(expected_pieces=expected, earlier=before))
        assert outcome.verdict is Verdict.ALREADY_COUNTED
        assert outcome.first == before


@given(st.integers(0, 5), st.lists(st.sampled_from(list(Scheme)), max_size=9))
def test_however_often_a_card_is_shown_it_counts_as_often_as_expected(
    expected: int, shows: list[Scheme]
) -> None:
    counted: list[CountedPiece] = []
    for sequence, scheme in enumerate(shows):
        outcome = judge(scheme, Known(expected_pieces=expected, counted=tuple(counted)))
        if outcome.verdict is Verdict.COUNTED:
            counted.append(piece(outcome.piece, sequence))
    assert len(counted) == min(expected, len(shows))
    assert sorted(one.piece for one in counted) == list(range(1, len(counted) + 1))
