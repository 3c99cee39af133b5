"""A read is a candidate until the manifest or a second frame and stage say so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner_station.domain.acceptance import Acceptance, Candidate, Evidence
from scanner_station.domain.reading import Symbology

CARD = b"9971015708900001"
PLAIN = frozenset({"zxing", "zbar"})


def evidence(*expected: bytes, fits: bool = True, for_still: bool = False) -> Evidence:
    return Evidence(
        is_expected=lambda payload: payload in expected,
        fits=lambda _: fits,
        trusted_stages=PLAIN,
        for_still=for_still,
    )


def candidate(
    stage: str, frame: int, payload: bytes = CARD, symbology: Symbology = Symbology.CODE128
) -> Candidate:
    engine = stage.split("_")[0]
    return Candidate(payload=payload, symbology=symbology, stage=stage, engine=engine, frame=frame)


def test_a_code_on_the_manifest_is_accepted_at_once_from_any_stage() -> None:
    assert evidence(CARD).add(candidate("zxing_blur", 1)) is Acceptance.EXPECTED


def test_a_code_on_the_manifest_that_does_not_fit_the_scheme_is_not_accepted_at_once() -> None:
    assert evidence(CARD, fits=False).add(candidate("zxing", 1)) is Acceptance.WAITING


@pytest.mark.parametrize(
    "seen",
    [
        [("zxing", 1)],
        [("zxing", 1), ("zxing", 2), ("zxing", 3)],
        [("zxing", 1), ("zbar", 1)],
    ],
    ids=["once", "one_stage_only", "one_frame_only"],
)
def test_a_stranger_is_not_accepted_before_two_frames_and_two_stages_agree(
    seen: list[tuple[str, int]],
) -> None:
    book = evidence()
    assert [book.add(candidate(*one)) for one in seen][-1] is Acceptance.WAITING
    assert book.waiting() == (CARD,)


def test_a_stranger_is_accepted_when_two_frames_and_two_stages_agree() -> None:
    book = evidence()
    book.add(candidate("zxing", 1))
    assert book.add(candidate("zbar_blur", 2)) is Acceptance.AGREED
    assert book.waiting() == ()


@pytest.mark.parametrize("for_still", [False, True], ids=["live", "still"])
@pytest.mark.parametrize(
    ("second", "becomes"),
    [
        ("zbar_lines", Acceptance.WAITING),
        ("zbar", Acceptance.WAITING),
        ("zxing_blur", Acceptance.AGREED),
    ],
    ids=["one_engine", "as_it_is", "two_engines"],
)
def test_one_engine_is_not_enough_for_a_code_39_however_often_it_reads_it(
    second: str, becomes: Acceptance, *, for_still: bool
) -> None:
    book = evidence(for_still=for_still)
    seen = [("zbar_sharp", 1), (second, 1), ("zbar_sharp", 2), (second, 2)]
    said = [book.add(candidate(*one, symbology=Symbology.CODE39)) for one in seen]
    assert said[-1] is becomes


def test_two_numbers_with_as_much_behind_them_are_both_kept_waiting() -> None:
    book = evidence()
    for frame in (1, 2):
        book.add(candidate("zxing_blur", frame, b"9971015708900007"))
    book.add(candidate("zxing", 1))
    assert book.add(candidate("zbar", 2)) is Acceptance.WAITING
    assert book.add(candidate("zbar", 3)) is Acceptance.AGREED


def test_a_picture_that_comes_once_is_believed_as_it_is_but_not_enhanced() -> None:
    assert evidence(for_still=True).add(candidate("zxing", 1)) is Acceptance.AGREED
    book = evidence(for_still=True)
    assert book.add(candidate("zxing_blur", 1)) is Acceptance.WAITING
    assert book.add(candidate("zbar_blur", 1)) is Acceptance.AGREED


def test_what_was_read_of_a_card_that_left_does_not_help_the_next() -> None:
    book = evidence()
    book.add(candidate("zxing", 1))
    book.forget()
    assert book.add(candidate("zbar", 2)) is Acceptance.WAITING


@given(
    st.lists(
        st.tuples(st.sampled_from(["zxing", "zbar", "zbar_blur"]), st.integers(1, 4)), max_size=12
    )
)
def test_nothing_off_the_manifest_is_ever_accepted_from_one_frame_or_one_stage(
    seen: list[tuple[str, int]],
) -> None:
    book = evidence()
    verdicts = [book.add(candidate(*one)).is_accepted for one in seen]
    agrees = len({stage for stage, _ in seen}) >= 2 and len({frame for _, frame in seen}) >= 2
    assert any(verdicts) == agrees
