"""A recapitulation as PDF, in Indonesian: every total under its parts."""

from collections.abc import Iterable
from typing import Final

from reportlab.platypus import Flowable, Spacer

from scanner_station.domain.recapitulation import (
    CountedBatch,
    Recapitulation,
    Trust,
    Weight,
    Why,
    total_of,
)
from scanner_station.domain.reconciliation import Figures, added_up
from scanner_station.exports.listing import Row
from scanner_station.exports.minutes_forms import CENTRED, TITLE, heading, listing, sentence
from scanner_station.exports.paper import Sheet, paragraph, print_pages
from scanner_station.exports.said import Said
from scanner_station.exports.terbilang import MONTHS, figures, figures_and_words

INCOMPLETE: Final = "BELUM LENGKAP"
_FIGURES: Final = ("manifest", "counted", "missing", "added", "unidentified", "burned")
_HEADS: Final = (
    ("Daftar", 17),
    ("Terhitung", 18),
    ("Tidak ada", 17),
    ("Ditambahkan", 22),
    ("Tak teridentifikasi", 24),
    ("Jumlah", 18),
)
_WHY: Final = {
    Why.CANCELLED: "batch dibatalkan",
    Why.REHEARSAL: "LATIHAN / REHEARSAL",
    Why.TWICE: "diberikan dua kali, dijumlahkan sekali",
    Why.SMALLER: "keadaan terdahulu dari log yang sudah dijumlahkan",
}
_WEIGHT: Final = {
    Weight.ALARM: "ALARM: satu keping yang sama",
    Weight.REMARK: "keterangan: orang yang sama, mungkin kartu lain",
}


def print_recap(found: Recapitulation, said: Said) -> bytes:
    """Return the paper; the same recapitulation gives the same bytes.

    `said` puts in Indonesian why a file was refused.
    """
    total = found.total
    story: list[Flowable] = [
        paragraph("REKAPITULASI PEMUSNAHAN", TITLE),
        paragraph("KARTU TANDA PENDUDUK ELEKTRONIK (KTP-el) RUSAK ATAU INVALID", TITLE),
        paragraph(_reported(found), CENTRED),
        Spacer(0, 6),
        sentence(
            f"Jumlah KTP-el pada {figures(len(found.batches))} batch ({_reported(found)}) "
            f"adalah {figures_and_words(total.burned)} keping, yang merupakan jumlah dari rincian "
            "di bawah ini."
        ),
        *(sentence(text) for text in _warnings(found)),
        *_table("Menurut kantor", "Kantor", _totals(found.by_office), found),
        *_table("Menurut kategori", "Kategori", found.by_category, found),
        *_table(
            "Menurut bulan",
            "Bulan",
            {_month(period): row for period, row in _totals(found.by_period).items()},
            found,
        ),
        *_batches(found),
        *_lists(found, said),
    ]
    marks = () if found.is_complete else (INCOMPLETE,)
    foot = f"rekapitulasi · {_reported(found)} · {figures(total.burned)} keping"
    return print_pages(Sheet(title="Rekapitulasi pemusnahan KTP-el", foot=foot, marks=marks), story)


def _reported(found: Recapitulation) -> str:
    if found.listed_offices is None:
        return f"{figures(found.reported)} kantor (tanpa daftar kantor)"
    said = f"{figures(found.reported)} dari {figures(len(found.listed_offices))} kantor"
    more = len(found.unlisted_offices)
    return f"{said} dan {figures(more)} di luar daftar" if more else said


def _warnings(found: Recapitulation) -> Iterable[str]:
    alone, still_open = found.whole_in_itself, found.open_batches
    if alone:
        yield (
            f"{figures(len(alone))} batch ({figures(total_of(alone).burned)} keping) hanya "
            "diperiksa dengan kunci yang dibawa berkasnya sendiri: utuh, tetapi belum terbukti "
            "asalnya."
        )
    if still_open:
        yield (
            f"{figures(len(still_open))} batch ({figures(total_of(still_open).burned)} keping) "
            "belum disegel: jumlahnya masih dapat berubah."
        )
    if found.refused:
        yield (
            f"{figures(len(found.refused))} berkas ditolak dan tidak dijumlahkan; lihat daftarnya."
        )
    if found.missing_offices:
        yield f"{figures(len(found.missing_offices))} kantor dalam daftar belum masuk."


def _totals(groups: dict[str, list[CountedBatch]]) -> dict[str, Figures]:
    return {name: total_of(some) for name, some in groups.items()}


def _table(
    title: str, head: str, rows: dict[str, Figures], found: Recapitulation
) -> list[Flowable]:
    lines = [(name or "–", *_cells(row)) for name, row in rows.items()]  # noqa: RUF001 - a dash
    total = (f"JUMLAH ({_reported(found)})", *_cells(added_up(rows.values())))
    columns = ((head, 54, False), *((name, width, True) for name, width in _HEADS))
    return [*heading(title), listing(columns, [*lines, total])]


def _cells(row: Figures) -> Row:
    return tuple(figures(getattr(row, name)) for name in _FIGURES)


def _month(period: str) -> str:
    year, month = period.split("-")
    return f"{MONTHS[int(month) - 1]} {year}"


def _batches(found: Recapitulation) -> list[Flowable]:
    columns = (
        ("Kantor", 42, False),
        ("Log", 40, False),
        ("Tanggal", 19, False),
        ("Keadaan", 22, False),
        ("Kunci", 20, False),
        ("Saksi", 11, True),
        ("Jumlah", 16, True),
    )
    lines = [
        (
            one.office,
            one.log,
            one.day.isoformat(),
            "disegel" if one.is_sealed else "TERBUKA",
            "dari luar" if one.trust is Trust.KEYS else "berkas sendiri",
            figures(one.witnesses),
            figures(one.total.burned),
        )
        for one in found.batches
    ]
    total = (f"JUMLAH ({_reported(found)})", "", "", "", "", "", figures(found.total.burned))
    return [*heading("Batch yang dijumlahkan"), listing(columns, [*lines, total])]


def _lists(found: Recapitulation, said: Said) -> list[Flowable]:
    names = (("Berkas", 50, False), ("Log", 50, False), ("Sebab", 70, False))
    cards = (("Nomor", 40, False), ("Log", 80, False), ("Arti", 50, False))
    offices = (("Kantor", 170, False),)
    lists: tuple[tuple[str, tuple[tuple[str, float, bool], ...], list[Row]], ...] = (
        (
            "Tidak dijumlahkan",
            names,
            [(one.name, one.log, _WHY[one.why]) for one in found.asides],
        ),
        (
            "Ditolak",
            (("Berkas", 50, False), ("Tempat pertama yang salah", 120, False)),
            [(one.name, one.said(said)) for one in found.refused],
        ),
        ("Kantor yang belum masuk", offices, [(office,) for office in found.missing_offices]),
        ("Kantor di luar daftar", offices, [(office,) for office in found.unlisted_offices]),
        (
            f"Terhitung pada beberapa batch ({figures(found.twice_count)})",
            cards,
            [(one.masked, ", ".join(one.logs), _WEIGHT[one.weight]) for one in found.twice],
        ),
    )
    story: list[Flowable] = []
    for title, columns, rows in lists:
        if rows:
            story += [*heading(title), listing(columns, rows)]
    return story
