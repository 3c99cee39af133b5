"""One card held in view is one presentation; shown again after it left, it is a second one."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner_station.domain.presentation import (
    FOLDER,
    Outcome,
    Place,
    Presentations,
    Scene,
    Sighted,
)

A, B = b"A", b"B"
HERE = Place(left=100, top=100, right=300, bottom=160)
THERE = Place(left=700, top=400, right=900, bottom=460)
FRAME_S = 1 / 30


def sighted(card: bytes, place: Place = HERE, *, is_identifier: bool = True) -> Sighted:
    return Sighted(card=card, place=place, is_identifier=is_identifier)


def started_by(
    presentations: Presentations,
    frames: list[tuple[list[Sighted], Scene]],
    *,
    from_s: float = 0.0,
    looks: dict[bytes, bool] | None = None,
) -> list[bytes]:
    started: list[bytes] = []
    for number, (cards, scene) in enumerate(frames):
        outcome = presentations.see(from_s + number * FRAME_S, cards, scene, looks)
        started += outcome.started
    return started


def shown(card: bytes, seconds: float, place: Place = HERE) -> list[tuple[list[Sighted], Scene]]:
    return [([sighted(card, place)], Scene.OCCUPIED)] * round(seconds / FRAME_S)


def unread(seconds: float) -> list[tuple[list[Sighted], Scene]]:
    return [([], Scene.OCCUPIED)] * round(seconds / FRAME_S)


def empty(seconds: float) -> list[tuple[list[Sighted], Scene]]:
    return [([], Scene.EMPTY)] * round(seconds / FRAME_S)


def test_a_card_held_for_a_minute_is_one_presentation() -> None:
    assert started_by(Presentations(), shown(A, 60)) == [A]


def test_a_card_unread_for_seconds_at_a_time_while_it_is_held_is_one_presentation() -> None:
    frames = (shown(A, 0.5) + unread(4)) * 12
    assert started_by(Presentations(), frames) == [A]


def test_a_card_shown_again_after_the_empty_table_is_a_second_presentation() -> None:
    frames = shown(A, 1) + empty(0.5) + shown(A, 1)
    assert started_by(Presentations(), frames) == [A, A]


def test_one_frame_that_looks_empty_does_not_end_a_presentation() -> None:
    frames = (shown(A, 1) + empty(FRAME_S)) * 5
    assert started_by(Presentations(), frames) == [A]


def test_another_card_in_its_place_ends_a_presentation() -> None:
    frames = shown(A, 1) + unread(0.2) + shown(B, 1) + unread(0.2) + shown(A, 1)
    assert started_by(Presentations(), frames) == [A, B, A]


def test_a_card_swept_past_in_one_frame_is_not_lost() -> None:
    frames = shown(A, FRAME_S) + empty(1)
    assert started_by(Presentations(), frames) == [A]


def test_two_cards_together_are_named_and_neither_is_guessed() -> None:
    presentations = Presentations()
    both = [sighted(A), sighted(B, THERE)]
    outcomes = [presentations.see(number * FRAME_S, both) for number in range(60)]
    assert all(outcome == Outcome(together=(A, B)) for outcome in outcomes)
    # They go together, too: nothing is announced afterwards.
    assert started_by(presentations, empty(1), from_s=2.0) == []


def test_of_two_cards_the_one_that_stays_is_presented() -> None:
    presentations = Presentations()
    both = [([sighted(A), sighted(B, THERE)], Scene.OCCUPIED)] * 30
    assert started_by(presentations, both + shown(B, 1, THERE)) == [B]


def test_two_cards_lying_together_and_read_in_turn_do_not_flip_flop() -> None:
    presentations = Presentations()
    started: list[bytes] = []
    for number in range(900):
        card, place = (A, HERE) if (number // 15) % 2 else (B, THERE)
        other = B if card == A else A
        outcome = presentations.see(
            number * FRAME_S, [sighted(card, place)], Scene.OCCUPIED, {other: True}
        )
        started += outcome.started
    assert len(started) == len(set(started))


def test_a_card_beside_one_that_was_counted_waits_until_it_is_alone() -> None:
    presentations = Presentations()
    assert started_by(presentations, shown(A, 1)) == [A]
    both = [([sighted(A), sighted(B, THERE)], Scene.OCCUPIED)] * 30
    assert started_by(presentations, both, from_s=1.0) == []
    assert started_by(presentations, shown(B, 1, THERE), from_s=2.0) == [B]


def test_a_card_with_two_codes_of_one_identifier_is_one_card() -> None:
    frame = ([sighted(A), sighted(A, THERE)], Scene.OCCUPIED)
    assert started_by(Presentations(), [frame] * 30) == [A]


def test_a_foreign_code_beside_an_identifier_is_not_a_card_of_its_own() -> None:
    frame = ([sighted(A), sighted(b"http://", THERE, is_identifier=False)], Scene.OCCUPIED)
    assert started_by(Presentations(), [frame] * 90) == [A]


def test_a_foreign_code_alone_is_presented_so_that_it_can_be_called_unreadable() -> None:
    frame = ([sighted(b"http://", is_identifier=False)], Scene.OCCUPIED)
    assert started_by(Presentations(), [frame] * 30) == [b"http://"]


def test_a_calm_place_that_changed_means_the_card_has_left() -> None:
    presentations = Presentations()
    assert started_by(presentations, shown(A, 1)) == [A]
    assert started_by(presentations, unread(2), from_s=1, looks={A: False}) == []
    assert started_by(presentations, shown(A, 1), from_s=3) == [A]


@pytest.mark.parametrize(
    ("pictures", "expected"),
    [
        ([A, A, None, A], [A, A]),
        ([A, A], [A]),
        ([A, B, A], [A, B, A]),
        ([None, A, None, None, B], [A, B]),
    ],
    ids=["left_and_came_back", "twice_in_a_row", "another_between", "blanks_around"],
)
def test_pictures_of_a_folder_are_half_a_second_each(
    pictures: list[bytes | None], expected: list[bytes]
) -> None:
    presentations = Presentations(FOLDER)
    started: list[bytes] = []
    for number, card in enumerate(pictures):
        outcome = presentations.see(number * 0.5, [] if card is None else [sighted(card)])
        started += outcome.started
    started += presentations.finish().started
    assert started == expected


@given(st.lists(st.booleans(), min_size=1, max_size=250))
def test_one_card_that_never_leaves_is_never_presented_twice(is_read: list[bool]) -> None:
    frames = [([sighted(A)] if read else [], Scene.OCCUPIED) for read in is_read]
    presentations = Presentations()
    started = started_by(presentations, frames) + list(presentations.finish().started)
    assert started == ([A] if any(is_read) else [])


@given(st.lists(st.sampled_from([A, B, b"C", b"D"]), min_size=1, max_size=12))
def test_each_card_shown_alone_for_a_while_is_presented_once_in_order(cards: list[bytes]) -> None:
    frames = list(itertools.chain.from_iterable(shown(card, 0.4) + empty(0.4) for card in cards))
    assert started_by(Presentations(), frames) == cards
