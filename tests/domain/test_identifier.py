"""What is, and what never becomes, a card identifier."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner_station.domain.identifier import (
    Identified,
    Reason,
    Scheme,
    Schemes,
    Unreadable,
    clean,
    holds_identity_number,
    holds_written_nik,
    judge_nik,
    masked,
    tail_of,
)
from scanner_station.domain.reading import Symbology, symbology_named

NIK = "9971044107900001"
NIK_ONLY = Schemes()


@pytest.mark.parametrize(
    "wrapped",
    [
        b"%s",
        b"  %s  ",
        b"%s\r\n",
        b"\x02%s\x03",
        b"]C0%s",
        b"\x02]C0%s\r",
        b"]Q3%s\n",
        b"]Q2\\000026%s",
        b"\\000026%s",
        b"\xef\xbb\xbf%s",
        b"\xef\xbb\xbf]Q1%s\t",
        b"\x00%s\x00",
        b"]Q1 \xef\xbb\xbf%s",
        b"\t%s\t\r\n",
    ],
)
def test_what_scanners_wrap_around_a_number_is_taken_off(wrapped: bytes) -> None:
    outcome = NIK_ONLY.identify(wrapped % NIK.encode())
    assert isinstance(outcome, Identified)
    assert outcome.identifier == NIK
    assert outcome.scheme is Scheme.NIK


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Reason.EMPTY),
        (b" \r\n", Reason.EMPTY),
        (b"]C0", Reason.EMPTY),
        (b"997104410790001", Reason.NOT_SIXTEEN_DIGITS),
        (b"99710441079000011", Reason.NOT_SIXTEEN_DIGITS),
        (b"99710441O7900001", Reason.NOT_SIXTEEN_DIGITS),
        (b"9971 0441 0790 0001", Reason.NOT_SIXTEEN_DIGITS),
        (b"9971044107900001.0", Reason.NOT_SIXTEEN_DIGITS),
        (b"99710441\x0007900001", Reason.NOT_SIXTEEN_DIGITS),
        (b"]C0]C09971044107900001", Reason.NOT_SIXTEEN_DIGITS),
        ("٩٩٧١٠٤٤١٠٧٩٠٠٠٠١".encode(), Reason.NOT_TEXT),
        (b"\xff\xfe9971", Reason.NOT_TEXT),
        (b"9971040007900001", Reason.IMPOSSIBLE_BIRTH_DATE),
        (b"9971043207900001", Reason.IMPOSSIBLE_BIRTH_DATE),
        (b"9971044007900001", Reason.IMPOSSIBLE_BIRTH_DATE),
        (b"9971047207900001", Reason.IMPOSSIBLE_BIRTH_DATE),
        (b"9971044113900001", Reason.IMPOSSIBLE_BIRTH_DATE),
        (b"9971044100900001", Reason.IMPOSSIBLE_BIRTH_DATE),
        (b"9971044107900000", Reason.SERIAL_ZERO),
        (b"9" * 257, Reason.TOO_LONG),
    ],
)
def test_a_payload_that_is_no_nik_is_unreadable_with_its_reason(
    payload: bytes, reason: Reason
) -> None:
    assert NIK_ONLY.identify(payload) == Unreadable(reason=reason)


@pytest.mark.parametrize("day", ["01", "31", "41", "71"])
@pytest.mark.parametrize("month", ["01", "12"])
def test_birth_days_of_men_and_women_are_accepted_without_a_calendar(day: str, month: str) -> None:
    assert judge_nik(f"997104{day}{month}000001") is None


def test_a_payload_of_256_bytes_is_still_judged_by_what_it_says() -> None:
    assert isinstance(NIK_ONLY.identify(NIK.encode().rjust(256)), Identified)


@pytest.mark.parametrize(
    ("text", "identifier"),
    [("04A1B2C3", "04A1B2C3"), ("04a1b2c3d4e5f6", "04A1B2C3D4E5F6"), ("04" * 10, "04" * 10)],
)
def test_a_chip_uid_is_four_seven_or_ten_bytes_in_hex(text: str, identifier: str) -> None:
    outcome = Schemes((Scheme.UID,)).identify(text.encode())
    assert outcome == Identified(identifier=identifier, scheme=Scheme.UID)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["04A1B2", "04A1B2C3D", "04A1B2C3D4", "04:A1:B2:C3", "G4A1B2C3"])
def test_other_hex_is_no_chip_uid(text: str) -> None:
    outcome = Schemes((Scheme.UID,)).identify(text.encode())
    assert outcome == Unreadable(reason=Reason.WRONG_PATTERN)


def test_a_batch_with_two_schemes_tries_them_in_order() -> None:
    both = Schemes((Scheme.NIK, Scheme.SERIAL), "KPG[0-9]{6}")
    schemes = [both.identify(payload) for payload in (NIK.encode(), b"KPG000123", b"KPG12")]
    assert [one.scheme if isinstance(one, Identified) else None for one in schemes] == [
        Scheme.NIK,
        Scheme.SERIAL,
        None,
    ]


def test_a_masked_nik_shows_six_and_four_digits() -> None:
    assert masked("5371044107900001") == "537104••••••0001"
    assert tail_of("5371044107900001") == "…0001"


@given(st.text(alphabet="0123456789ABCDEF-", min_size=1, max_size=40))
def test_masking_never_shows_more_than_ten_characters_or_half(identifier: str) -> None:
    shown = masked(identifier)
    assert len(shown) == len(identifier)
    assert len(shown.replace("•", "")) <= (10 if len(identifier) >= 16 else len(identifier) // 2)
    assert len(tail_of(identifier)) <= 5


@given(st.binary(max_size=300))
def test_any_bytes_are_judged_without_an_exception(payload: bytes) -> None:
    outcome = Schemes((Scheme.NIK, Scheme.SERIAL, Scheme.UID)).identify(payload)
    if isinstance(outcome, Identified):
        assert outcome.identifier.isascii()
        assert outcome.identifier.isprintable()
        assert outcome.identifier.upper().encode() in payload.upper()


@given(st.binary(max_size=64))
def test_cleaning_twice_changes_nothing_when_no_wrapper_is_nested(payload: bytes) -> None:
    cleaned = clean(payload)
    if not cleaned.startswith((b"]", b"\\")):
        assert clean(cleaned) == cleaned


@pytest.mark.parametrize(
    ("payload", "symbology"),
    [
        (b"]C0x", Symbology.CODE128),
        (b"\x02]Q1x", Symbology.QR),
        (b"]A0x", Symbology.CODE39),
        (b"]E0x", Symbology.EAN13),
        (b"]E4x", Symbology.EAN8),
        (b"]d2x", Symbology.DATAMATRIX),
        (b"]X0x", Symbology.UNKNOWN),
        (b"9971", Symbology.UNKNOWN),
    ],
)
def test_the_aim_identifier_names_the_symbology(payload: bytes, symbology: Symbology) -> None:
    assert symbology_named(payload) is symbology


def test_free_text_with_sixteen_digits_in_a_row_is_recognised() -> None:
    assert holds_identity_number(f"kartu {NIK} sobek")
    assert holds_identity_number(NIK + "7")
    assert not holds_identity_number("19-12-2018 2629 kartu 2169")


@pytest.mark.parametrize(
    "written",
    ["9971 0441 0790 0001", "997104.410790.0001", "9971-0441-0790-0001", "99710441 07900001"],
)
def test_a_nik_written_in_groups_is_recognised_in_free_text(written: str) -> None:
    assert holds_written_nik(f"kartu {written}, sobek")


@pytest.mark.parametrize(
    "text",
    [
        "19-12-2018 08.00-10.30",
        "2015 2016 2017 2018",
        "0812 3456 7890",
        "1.378.146 dan 28.664",
        "9971 0441-0790 0001",
        "9971 0441 0790 00011",
    ],
)
def test_other_numbers_in_free_text_are_no_nik(text: str) -> None:
    assert not holds_written_nik(text)
