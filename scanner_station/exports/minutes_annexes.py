"""The annexes of the minutes: the cards by name by address, and the cards that need a word.

The masked copy has the same lists in the order of the log, each card by the beginning of its
commitment: that tells nobody's number, and is not taken away by forgetting.
"""

from collections.abc import Iterable, Iterator
from sqlite3 import Connection
from typing import Final

from reportlab.platypus import Flowable, NextPageTemplate, PageBreak, Spacer

from scanner_station.domain.entry import Kind
from scanner_station.domain.errors import StorageError
from scanner_station.domain.findings import ByHand, Missing, Stranger, Voided
from scanner_station.exports.minutes_forms import PLAIN, TITLE, Copy, heading, listing, sentence
from scanner_station.exports.paper import SIDEWAYS, paragraph
from scanner_station.exports.terbilang import figures, figures_and_words
from scanner_station.service.minutes import destroyed_cards
from scanner_station.storage.minutes import DestroyedCard

_HOW: Final = {
    Kind.SCAN: "dipindai",
    Kind.MANUAL: "diketik",
    Kind.ADD: "ditambahkan",
    Kind.UNIDENTIFIED: "tak teridentifikasi",
}
_CARD_CHARACTERS: Final = 16
_NUMERALS: Final = ("II", "III", "IV", "V")
_TAKEN_BACK: Final = {
    "counted": "terhitung",
    "added": "ditambahkan",
    "unidentified": "tak teridentifikasi",
}


def annexes(connection: Connection, copy: Copy) -> list[Flowable]:
    """Return the annexes, from a new page on; the list of cards is read as it is printed.

    Raises:
        BatchError: cards are to be named, and the batch's people are forgotten.
    """
    cards = destroyed_cards(connection, copy.minutes, masked=copy.is_masked)
    story: list[Flowable] = [NextPageTemplate(SIDEWAYS), PageBreak()]
    story += _title(copy)
    story.append(_masked_cards(cards, copy) if copy.is_masked else _cards(cards, copy))
    if not copy.minutes.found.total.burned:
        story.append(sentence("Tidak ada KTP-el yang dihitung."))
    for number, (title, rows) in zip(_NUMERALS, _others(copy), strict=False):
        story += [Spacer(0, 10), *heading(f"LAMPIRAN {number}. {title}"), rows]
    return story


def _others(copy: Copy) -> Iterator[tuple[str, Flowable]]:
    found = copy.minutes.found
    if found.missing and not copy.is_masked:
        yield "Tercantum dalam daftar, tidak ditemukan", _missing(found.missing)
    if found.strangers:
        yield "Tidak tercantum dalam daftar, disisihkan", _strangers(found.strangers, copy)
    if by_hand := _by_hand(copy):
        yield "Dimasukkan dengan tangan", _by_hand_listing(by_hand, copy)
    if found.findings.voids:
        yield "Dibatalkan oleh petugas", _voids(found.findings.voids, copy)


def _first_title(copy: Copy) -> str:
    if copy.is_masked:
        return "DAFTAR KTP-el (salinan tersamar, menurut urutan log)"
    return "DAFTAR KTP-el MENURUT NAMA DAN ALAMAT (by name by address)"


def _title(copy: Copy) -> list[Flowable]:
    entered = copy.minutes.particulars.number
    total = copy.minutes.found.total.burned
    return [
        paragraph(f"LAMPIRAN I. {_first_title(copy)}", TITLE),
        paragraph(
            f"Berita Acara Nomor {entered or '…………'} \N{MIDDLE DOT} "
            f"{copy.minutes.batch.title} \N{MIDDLE DOT} {figures_and_words(total)} keping",
            PLAIN,
        ),
        Spacer(0, 4),
    ]


# --- I: the cards ------------------------------------------------------------------------------


def _cards(cards: Iterable[DestroyedCard], copy: Copy) -> Flowable:
    return listing(
        (
            ("No.", 14, True),
            ("Nomor kartu / NIK", 34, False),
            ("Nama", 50, False),
            ("Alamat", 80, False),
            ("Kecamatan", 29, False),
            ("Kategori", 25, False),
            ("Cara", 21, False),
            ("Entri", 14, True),
        ),
        (
            (
                figures(place),
                card.identifier or _unidentified(card),
                card.name,
                card.address,
                card.district,
                card.category,
                _HOW[Kind(card.how)] if card.number == 0 else "",
                str(card.sequence),
            )
            for place, card in _all_of(cards, copy)
        ),
    )


def _masked_cards(cards: Iterable[DestroyedCard], copy: Copy) -> Flowable:
    return listing(
        (
            ("No.", 16, True),
            ("Entri", 18, True),
            ("Tanda kartu pada log", 60, False),
            ("Kecamatan", 65, False),
            ("Kategori", 60, False),
            ("Cara", 48, False),
        ),
        (
            (
                figures(place),
                str(card.sequence),
                _start_of(card.card) or _unidentified(card),
                card.district,
                card.category,
                _HOW[Kind(card.how)],
            )
            for place, card in _all_of(cards, copy)
        ),
    )


def _all_of(cards: Iterable[DestroyedCard], copy: Copy) -> Iterator[tuple[int, DestroyedCard]]:
    place = 0
    for place, card in enumerate(cards, start=1):
        yield place, card
    if place != copy.minutes.found.total.burned:
        raise StorageError(
            "the list of cards of batch %(slug)s has %(listed)s lines, the sums say %(counted)s; "
            "restart the station, which counts the log again",
            slug=copy.minutes.batch.slug,
            listed=place,
            counted=copy.minutes.found.total.burned,
        )


def _unidentified(card: DestroyedCard) -> str:
    return f"tak teridentifikasi no. {card.number}" if card.number else ""


def _start_of(card: str) -> str:
    return card[:_CARD_CHARACTERS]


# --- the others --------------------------------------------------------------------------------


def _missing(lines: list[Missing]) -> Flowable:
    return listing(
        (
            ("No.", 14, True),
            ("Nomor kartu / NIK", 34, False),
            ("Nama", 50, False),
            ("Alamat", 82, False),
            ("Kecamatan", 29, False),
            ("Kategori", 25, False),
            ("Keping", 14, True),
            ("Dijelaskan", 17, False),
        ),
        (
            (
                figures(place),
                one.line.identifier,
                one.line.name,
                one.line.address,
                one.line.district,
                one.line.category,
                figures(one.lacking),
                _explained(one.explained_by),
            )
            for place, one in enumerate(lines, start=1)
        ),
    )


def _strangers(strangers: list[Stranger], copy: Copy) -> Flowable:
    return listing(
        (
            ("No.", 14, True),
            ("Tanda kartu pada log" if copy.is_masked else "Nomor kartu / NIK", 48, False),
            ("Entri", 18, True),
            ("Waktu", 60, False),
            ("Dipindai (kali)", 25, True),
            ("Terhitung pada batch terdahulu", 65, False),
            ("Dijelaskan", 37, False),
        ),
        (
            (
                figures(place),
                _start_of(one.card) if copy.is_masked else one.identifier,
                str(one.first),
                copy.time(one.at),
                figures(one.presentations),
                one.earlier_batch,
                _explained(one.explained_by),
            )
            for place, one in enumerate(strangers, start=1)
        ),
    )


def _explained(entry: int | None) -> str:
    return "BELUM" if entry is None else f"entri {entry}"


def _by_hand(copy: Copy) -> list[tuple[str, ByHand]]:
    findings = copy.minutes.found.findings
    lists = (
        ("diketik", findings.typed),
        ("ditambahkan", findings.added),
        ("tak teridentifikasi", findings.unidentified),
    )
    return [(how, one) for how, some in lists for one in some.values()]


def _by_hand_listing(cards: list[tuple[str, ByHand]], copy: Copy) -> Flowable:
    return listing(
        (
            ("Entri", 16, True),
            ("Cara", 34, False),
            ("" if copy.is_masked else "Nomor kartu / NIK", 36, False),
            ("Kategori", 30, False),
            ("Kecamatan", 30, False),
            ("Waktu", 52, False),
            ("Oleh, disetujui", 34, False),
            ("Alasan; foto", 35, False),
        ),
        (
            (
                str(one.sequence),
                f"{how} no. {one.number}" if one.number else how,
                "" if copy.is_masked else one.identifier,
                one.category,
                one.district,
                copy.time(one.at),
                ", ".join(filter(None, (one.by, one.agreed_by))),
                "; ".join(filter(None, (_why(how, one), "ada foto" if one.has_photograph else ""))),
            )
            for how, one in cards
        ),
    )


def _why(how: str, one: ByHand) -> str:
    return one.reason or ("kode tidak terbaca alat" if how == "diketik" else "")


def _voids(voids: list[Voided], copy: Copy) -> Flowable:
    return listing(
        (
            ("Entri", 16, True),
            ("Membatalkan entri", 28, True),
            ("Semula", 34, False),
            ("Kategori", 34, False),
            ("Kecamatan", 34, False),
            ("Waktu", 52, False),
            ("Oleh", 30, False),
            ("Alasan", 39, False),
        ),
        (
            (
                str(one.sequence),
                str(one.target),
                _TAKEN_BACK.get(one.what, one.what),
                one.category,
                one.district,
                copy.time(one.at),
                one.by,
                one.reason,
            )
            for one in voids
        ),
    )
