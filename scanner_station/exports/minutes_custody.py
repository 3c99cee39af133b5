"""The rest of the minutes' words: containers, days, the fire, what witnesses said, the log."""

from collections.abc import Iterator
from typing import Final

from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepTogether, Spacer, Table, TableStyle

from scanner_station.domain.checkpoint import SignedHead
from scanner_station.domain.custody import Custody
from scanner_station.domain.custody_records import Container, ContainerState, Form
from scanner_station.domain.note import Note
from scanner_station.domain.paper_head import PaperHead
from scanner_station.exports.listing import Row
from scanner_station.exports.minutes_forms import (
    SMALL,
    Copy,
    heading,
    listing,
    numbered,
    pairs,
    sentence,
)
from scanner_station.exports.paper import Code, paragraph
from scanner_station.exports.terbilang import figures, figures_and_words

_FORMS: Final = {Form.BOX: "kotak", Form.SACK: "karung", Form.DRUM: "drum"}
_STATES: Final = {
    ContainerState.OPEN: "terbuka",
    ContainerState.SEALED: "tersegel",
    ContainerState.BROKEN: "segel dibuka",
}
_CODE_MM: Final = 40


def custody(copy: Copy) -> list[Flowable]:
    """Return what held the cards, under which seals, and the days on which they were counted."""
    kept = copy.minutes.found.findings.custody
    story = heading("3. Wadah dan rantai penguasaan")
    if kept.containers:
        story.append(
            listing(
                (
                    ("No.", 10, True),
                    ("Wadah", 18, False),
                    ("Label", 30, False),
                    ("Nomor segel", 34, False),
                    ("Keping", 15, True),
                    ("Keadaan", 20, False),
                    ("Disegel", 43, False),
                ),
                [_container(one, copy) for one in kept.containers.values()],
            )
        )
    else:
        story.append(sentence("Tidak ada wadah yang dicatat."))
    if len(kept.days) > 1:
        story += [Spacer(0, 6), _days(kept, copy)]
    if kept.lots:
        lots = "; ".join(f"{one.name} (mulai {copy.time(one.begun_at)})" for one in kept.lots)
        story += [Spacer(0, 6), sentence(f"Bagian pekerjaan (lot): {lots}.")]
    return story


def _container(one: Container, copy: Copy) -> Row:
    sealed = f"{copy.time(one.sealed_at)}, oleh {one.sealed_by}" if one.sealed_at else ""
    return (
        str(one.number),
        _FORMS[Form(one.form)],
        one.label,
        ", ".join(one.seals),
        figures(one.count),
        _STATES[one.state],
        sealed,
    )


def _days(kept: Custody, copy: Copy) -> Flowable:
    rows = [
        (
            str(place),
            copy.time(day.resumed_at),
            figures(day.opening_figure),
            copy.time(day.paused_at),
            "" if day.closing_figure is None else figures(day.closing_figure),
        )
        for place, day in enumerate(kept.days, start=1)
    ]
    return listing(
        (
            ("Hari", 12, True),
            ("Dimulai", 52, False),
            ("Angka awal", 27, True),
            ("Berhenti", 52, False),
            ("Angka akhir", 27, True),
        ),
        rows,
    )


def fire(copy: Copy) -> list[Flowable]:
    """Return how and when the cards were destroyed and who was there."""
    burning = copy.minutes.found.findings.custody.burning
    story = heading("4. Pelaksanaan pemusnahan")
    if burning is None:
        return [
            *story,
            sentence(
                "Pemusnahan belum dicatat pada log. Angka di atas adalah KTP-el yang terhitung "
                "untuk dimusnahkan."
            ),
        ]
    rows = [
        ("Waktu", copy.time(burning.burned_at)),
        ("Cara", burning.method),
        ("Yang hadir", burning.present),
        ("Dicatat", f"{copy.time(burning.at)}, oleh {burning.by} (entri {burning.sequence})"),
    ]
    return [*story, pairs(rows, width_mm=170)]


def said(copy: Copy) -> list[Flowable]:
    """Return the witnesses' objections with their answers, and who would not sign."""
    kept = copy.minutes.found.findings.custody
    story = heading("5. Keberatan dan penolakan saksi")
    told = [*_objections(kept), *_refusals(kept)]
    if not told:
        return [*story, sentence("Tidak ada keberatan dan tidak ada saksi yang menolak.")]
    return [*story, numbered([sentence(one)] for one in told)]


def _objections(kept: Custody) -> Iterator[str]:
    for one in kept.objections.values():
        answer = f"Jawaban {one.answered_by}: {one.answer}" if one.answer else "BELUM DIJAWAB"
        yield f"Keberatan {_whose(one.witness, one.institution)} (entri {one.sequence}): " + (
            f"{_ended(one.text)} {_ended(answer)}"
        )


def _refusals(kept: Custody) -> Iterator[str]:
    for one in kept.refusals:
        yield (
            f"{_whose(one.witness, one.institution)} menolak menandatangani "
            f"(entri {one.sequence}): {_ended(one.objection)}"
        )


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _whose(witness: str, institution: str) -> str:
    return f"{witness} ({institution})" if institution else witness


# --- the log -----------------------------------------------------------------------------------


def log(copy: Copy) -> list[Flowable]:
    """Return the log's size and head as text and as a QR code."""
    story = heading("6. Log penghitungan")
    head = copy.minutes.head
    if head is None:
        return [*story, sentence("Log batch ini belum dimulai.")]
    return [KeepTogether([*story[1:], *_head(copy, head)])]


def _head(copy: Copy, head: SignedHead) -> list[Flowable]:
    checkpoint = head.checkpoint
    note = Note(text=head.note.text, signatures=head.note.signatures[:1])
    rows = [
        ("Log", checkpoint.origin),
        ("Ukuran", f"{figures_and_words(checkpoint.size)} entri"),
        ("Kode kertas", PaperHead.of(checkpoint.size, checkpoint.root).text),
        ("Disegel", _sealed(copy)),
        ("Ditandatangani saksi secara elektronik", _cosigned(copy, head)),
    ]
    text = [
        sentence(
            "Setiap KTP-el yang dihitung tercatat pada log yang tidak dapat diubah tanpa "
            "ketahuan. Berkas log yang cocok dengan Berita Acara ini bermula dengan kepala "
            "berikut, yang juga termuat dalam kode QR:"
        ),
        *(paragraph(line, SMALL) for line in bytes(note).decode().splitlines() if line),
    ]
    side = _CODE_MM * mm
    code = Table(
        [[pairs(rows, width_mm=170 - _CODE_MM, label_mm=36), Code(bytes(note).decode(), side)]],
        colWidths=[(170 - _CODE_MM) * mm, side],
        style=TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("RIGHTPADDING", (0, 0), (-1, -1), 0),
            ]
        ),
    )
    return [*text, Spacer(0, 4), code]


def _sealed(copy: Copy) -> str:
    seal = copy.minutes.seal
    if seal is None:
        return "BELUM DISEGEL (konsep)"
    return f"{copy.time(str(seal['at']))}, oleh {seal['by']} dan {seal['seconded_by']}"


def _cosigned(copy: Copy, head: SignedHead) -> str:
    names = {signature.name for signature in head.note.signatures[1:]}
    signed = ", ".join(sorted(names)) or "belum ada"
    enrolled = len(copy.minutes.witness_keys)
    return f"{signed} ({figures(len(names))} dari {figures(enrolled)} kunci saksi)"
