"""Numbers, dates and times as Indonesian papers write them: in figures, in words (*terbilang*)."""

import re
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from num2words import num2words

DAYS: Final = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
MONTHS: Final = (
    "Januari",
    "Februari",
    "Maret",
    "April",
    "Mei",
    "Juni",
    "Juli",
    "Agustus",
    "September",
    "Oktober",
    "November",
    "Desember",
)
_ZONES: Final = {
    "Asia/Jakarta": "WIB",
    "Asia/Pontianak": "WIB",
    "Asia/Makassar": "WITA",
    "Asia/Jayapura": "WIT",
}
_ONE_THOUSAND: Final = re.compile(r"\b(juta|miliar|triliun) satu ribu\b")


def figures(number: int) -> str:
    """Return a number in figures: 2.629."""
    return f"{number:,}".replace(",", ".")


def signed_figures(number: int) -> str:
    """Return a difference with its sign: +40, -40 (with the real minus sign), 0."""
    sign = "+" if number > 0 else "\N{MINUS SIGN}" if number < 0 else ""
    return sign + figures(abs(number))


def words(number: int) -> str:
    """Return a number of cards in words: dua ribu enam ratus dua puluh sembilan.

    Raises:
        ValueError: it is negative.
    """
    if number < 0:
        raise ValueError(f"{number} is no number of cards")
    # The library says "satu ribu" there: one thousand alone is always "seribu".
    return _ONE_THOUSAND.sub(r"\1 seribu", str(num2words(number, lang="id")))


def figures_and_words(number: int) -> str:
    """Return a number as minutes write it: 2.629 (dua ribu enam ratus dua puluh sembilan)."""
    return f"{figures(number)} ({words(number)})"


def long_date(day: date) -> str:
    """Return a date with its weekday: Rabu, 19 Desember 2018."""
    return f"{DAYS[day.weekday()]}, {short_date(day)}"


def short_date(day: date) -> str:
    """Return a date: 19 Desember 2018."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def date_in_words(day: date) -> str:
    """Return a date as minutes begin: Rabu tanggal sembilan belas bulan Desember tahun dua …."""
    return (
        f"{DAYS[day.weekday()]} tanggal {words(day.day)} bulan {MONTHS[day.month - 1]} "
        f"tahun {words(day.year)} ({day:%d-%m-%Y})"
    )


def local_time(text: str, zone: ZoneInfo) -> str:
    """Return a moment of the log (ISO 8601, UTC): 19 Desember 2018 pukul 10.15 WITA."""
    local = datetime.fromisoformat(text).astimezone(zone)
    return f"{short_date(local.date())} pukul {local:%H.%M} {zone_name(zone.key, local)}"


def zone_name(zone: str, at: datetime) -> str:
    """Return WIB, WITA or WIT, or what the zone calls itself at that time."""
    return _ZONES.get(zone) or at.astimezone(ZoneInfo(zone)).strftime("%Z")
