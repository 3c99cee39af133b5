"""Numbers and dates in words, against a second way of spelling them and against printed ones."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner_station.exports.terbilang import (
    date_in_words,
    figures,
    figures_and_words,
    local_time,
    long_date,
    signed_figures,
    words,
)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "nol"),
        (1, "satu"),
        (10, "sepuluh"),
        (11, "sebelas"),
        (19, "sembilan belas"),
        (20, "dua puluh"),
        (100, "seratus"),
        (111, "seratus sebelas"),
        (1_000, "seribu"),
        (1_100, "seribu seratus"),
        (2_018, "dua ribu delapan belas"),
        (2_629, "dua ribu enam ratus dua puluh sembilan"),
        (
            28_664,
            "dua puluh delapan ribu enam ratus enam puluh empat",
        ),
        (101_000, "seratus satu ribu"),
        (1_000_000, "satu juta"),
        (1_001_000, "satu juta seribu"),
        (1_021_000, "satu juta dua puluh satu ribu"),
        (
            1_378_146,
            "satu juta tiga ratus tujuh puluh delapan ribu seratus empat puluh enam",
        ),
    ],
)
def test_numbers_are_spelled_as_officials_spell_them(number: int, expected: str) -> None:
    assert words(number) == expected


_DIGITS = [
    "nol",
    "satu",
    "dua",
    "tiga",
    "empat",
    "lima",
    "enam",
    "tujuh",
    "delapan",
    "sembilan",
]
_SCALES = [
    (10**9, "miliar"),
    (10**6, "juta"),
    (1000, "ribu"),
    (100, "ratus"),
    (10, "puluh"),
]


def _spelled(number: int) -> list[str]:
    """Spell a number by the rules of the grammar, largest part first."""
    if number < 10:
        return [_DIGITS[number]]
    if number < 20:
        return ["sepuluh"] if number == 10 else _one(_spelled(number - 10), "belas")
    scale, name = next(each for each in _SCALES if each[0] <= number)
    many, rest = divmod(number, scale)
    said = _spelled(many)
    head = [*said, name] if scale >= 10**6 else _one(said, name)
    return head + (_spelled(rest) if rest else [])


def _one(said: list[str], name: str) -> list[str]:
    return ["se" + name] if said == ["satu"] else [*said, name]


@given(st.integers(0, 10**12 - 1))
def test_every_number_is_spelled_as_the_grammar_says(number: int) -> None:
    assert words(number) == " ".join(_spelled(number))


def test_a_number_of_cards_is_never_negative() -> None:
    with pytest.raises(ValueError, match="-1"):
        words(-1)


def test_figures_have_dots_for_thousands_and_differences_their_sign() -> None:
    assert [figures(n) for n in (0, 999, 2629, 1378146)] == ["0", "999", "2.629", "1.378.146"]
    assert [signed_figures(n) for n in (0, 40, -1040)] == ["0", "+40", "\N{MINUS SIGN}1.040"]
    assert figures_and_words(11) == "11 (sebelas)"


def test_a_date_is_written_with_its_day_and_in_words() -> None:
    day = date(2018, 12, 19)
    assert long_date(day) == "Rabu, 19 Desember 2018"
    assert date_in_words(day) == (
        "Rabu tanggal sembilan belas bulan Desember tahun dua ribu delapan belas (19-12-2018)"
    )


def test_a_moment_of_the_log_is_written_in_the_offices_own_time() -> None:
    at = "2018-12-19T22:15:30.123456Z"
    assert local_time(at, ZoneInfo("Asia/Makassar")) == "20 Desember 2018 pukul 06.15 WITA"
    assert local_time(at, ZoneInfo("Asia/Jakarta")) == "20 Desember 2018 pukul 05.15 WIB"
    assert local_time(at, ZoneInfo("Asia/Jayapura")) == "20 Desember 2018 pukul 07.15 WIT"
