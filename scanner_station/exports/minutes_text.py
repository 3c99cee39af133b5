"""The words of the minutes: who, when, where, by what law, how many, and what differs."""

from collections.abc import Iterator
from typing import Final

from reportlab.platypus import Flowable, Spacer

from scanner_station.domain.findings import Explanation, Statement, What
from scanner_station.domain.people import Office
from scanner_station.domain.reconciliation import Difference, Figures, State
from scanner_station.exports.listing import Row
from scanner_station.exports.minutes_forms import (
    BLANK,
    CENTRED,
    PLAIN,
    TITLE,
    Copy,
    bold,
    heading,
    listing,
    marked,
    numbered,
    pairs,
    sentence,
)
from scanner_station.exports.minutes_signatures import grouped_nip
from scanner_station.exports.paper import paragraph
from scanner_station.exports.terbilang import (
    date_in_words,
    figures,
    figures_and_words,
    signed_figures,
)

NOTHING: Final = "\N{EN DASH}"
_WHAT: Final = {
    What.MISSING: "Tercantum dalam daftar tetapi tidak ditemukan",
    What.STRANGERS: "Tidak tercantum dalam daftar, disisihkan",
    What.DECLARED: "Angka yang dinyatakan",
    What.PARTS: "Jumlah rincian yang dinyatakan",
}
_DECLARED: Final = (
    "Angka yang dinyatakan kantor pernah diubah; semuanya tetap tercatat, yang terakhir berlaku:"
)
_FIGURES: Final = ("manifest", "counted", "missing", "added", "unidentified", "burned")
_HEADS: Final = (
    ("Daftar", 16),
    ("Terhitung", 19),
    ("Tidak ada", 17),
    ("Ditambahkan", 24),
    ("Tak teridentifikasi", 24),
    ("Jumlah", 16),
)


def opening(copy: Copy) -> list[Flowable]:
    """Return title, number and the sentence that begins with the day, down to the legal basis."""
    entered, office = copy.minutes.particulars, copy.minutes.office
    told = date_in_words(entered.held_on) if entered.held_on else BLANK
    return [
        paragraph("BERITA ACARA PEMUSNAHAN", TITLE),
        paragraph("KARTU TANDA PENDUDUK ELEKTRONIK (KTP-el) RUSAK ATAU INVALID", TITLE),
        paragraph(f"Nomor: {entered.number or BLANK}", CENTRED),
        Spacer(0, 10),
        sentence(
            f"Pada hari ini, {told}, bertempat di {entered.place or BLANK}, kami yang bertanda "
            "tangan di bawah ini:"
        ),
        numbered([_officer(one.name, one.nip, one.position, copy)] for one in entered.officers),
        *([] if entered.officers else [paragraph(BLANK, PLAIN)]),
        sentence("dengan disaksikan oleh:"),
        numbered(
            [pairs([("Nama", one.name), ("Instansi", one.institution)])]
            for one in entered.witnesses
        ),
        *([] if entered.witnesses else [paragraph(BLANK, PLAIN)]),
        sentence("berdasarkan:"),
        numbered([sentence(one)] for one in entered.legal_basis),
        *([] if entered.legal_basis else [paragraph(BLANK, PLAIN)]),
        sentence(
            f"telah {_done(copy)} KTP-el rusak atau invalid pada {_name(office)}, batch "
            f"\N{LEFT DOUBLE QUOTATION MARK}{copy.minutes.batch.title}"
            f"\N{RIGHT DOUBLE QUOTATION MARK} ({copy.minutes.batch.slug}), dengan hasil sebagai "
            "berikut."
        ),
        *_supplement(copy),
    ]


def _officer(name: str, nip: str, position: str, copy: Copy) -> Flowable:
    rows = [("Nama", name), ("Jabatan", position)]
    if nip and not copy.is_masked:
        rows.insert(1, ("NIP", grouped_nip(nip)))
    found: Flowable = pairs(rows)
    return found


def _done(copy: Copy) -> str:
    if copy.minutes.found.findings.custody.burning is not None:
        return "melaksanakan penghitungan dan pemusnahan"
    return "melaksanakan penghitungan, untuk dimusnahkan,"


def _name(office: Office | None) -> str:
    return office.name if office else BLANK


def _supplement(copy: Copy) -> list[Flowable]:
    slug = copy.minutes.batch.supplements
    if not slug:
        return []
    return [sentence(f"Batch ini merupakan tambahan atas batch {slug}, yang sudah disegel.")]


# --- how many ----------------------------------------------------------------------------------


def amounts(copy: Copy) -> list[Flowable]:
    """Return how many cards there were, in figures and words, by category and by district."""
    found = copy.minutes.found
    total = found.total
    story = [
        *heading("1. Jumlah KTP-el"),
        marked(
            "Jumlah KTP-el yang "
            + ("dimusnahkan" if found.findings.custody.burning else "dihitung untuk dimusnahkan")
            + " adalah ",
            bold(f"{figures_and_words(total.burned)} keping"),
            ", terdiri atas:",
        ),
        numbered([sentence(text)] for text in _made_of(copy, total)),
    ]
    if found.has_manifest:
        story.append(
            sentence(
                f"Daftar (manifes) memuat {figures_and_words(total.manifest)} keping; yang tidak "
                f"ditemukan {figures_and_words(total.missing)} keping."
            )
        )
    for axis, name in (("category", "kategori"), ("district", "kecamatan")):
        story += _table_of(f"Menurut {name}", name.capitalize(), found.by(axis), copy)
    return story + _crossed(copy)


def _made_of(copy: Copy, total: Figures) -> Iterator[str]:
    listed = (
        "tercantum dalam daftar dan terhitung"
        if copy.minutes.found.has_manifest
        else ("terhitung (batch tanpa daftar)")
    )
    yield (
        f"{listed}: {figures_and_words(total.counted)} keping, di antaranya "
        f"{figures_and_words(total.manual)} keping yang nomornya diketik dengan tangan karena "
        "kodenya tidak terbaca alat;"
    )
    yield (
        "tidak tercantum dalam daftar dan ditambahkan oleh dua orang: "
        f"{figures_and_words(total.added)} keping;"
    )
    yield f"tidak dapat diidentifikasi: {figures_and_words(total.unidentified)} keping."


def _table_of(title: str, axis: str, rows: dict[str, Figures], copy: Copy) -> list[Flowable]:
    if not rows:
        return []
    total = copy.minutes.found.total
    lines = [(name or NOTHING, *_cells(row)) for name, row in rows.items()]
    return [
        *heading(title),
        listing(
            ((axis, 54, False), *_columns()),
            [*lines, ("JUMLAH", *_cells(total))],
        ),
    ]


def _crossed(copy: Copy) -> list[Flowable]:
    # Where one of the two has a single name, the other table says it all.
    found = copy.minutes.found
    if min(len(found.by("category")), len(found.by("district"))) < 2:
        return []
    lines = [
        (category or NOTHING, district or NOTHING, *_cells(row))
        for (category, district), row in sorted(found.table.items())
    ]
    columns = (("Kategori", 27, False), ("Kecamatan", 27, False))
    return [
        *heading("Menurut kategori dan kecamatan"),
        listing(
            (*columns, *_columns()),
            [*lines, ("JUMLAH", "", *_cells(found.total))],
        ),
    ]


def _columns() -> tuple[tuple[str, float, bool], ...]:
    return tuple((head, width, True) for head, width in _HEADS)


def _cells(row: Figures) -> Row:
    return tuple(figures(getattr(row, name)) for name in _FIGURES)


# --- what differs ------------------------------------------------------------------------------


def differences(copy: Copy) -> list[Flowable]:
    """Return every difference with its explanation, and the presentations that counted nothing."""
    found = copy.minutes.found
    findings = found.findings
    story = heading("2. Selisih dan penjelasannya")
    if found.differences:
        story.append(
            listing(
                (
                    ("Perihal", 42, False),
                    ("Kategori", 24, False),
                    ("Kecamatan", 24, False),
                    ("Seharusnya", 19, True),
                    ("Nyatanya", 17, True),
                    ("Selisih", 14, True),
                    ("Keadaan", 30, False),
                ),
                [_difference(one) for one in found.differences],
            )
        )
    else:
        story.append(
            sentence("Tidak ada selisih: daftar, hitungan dan angka yang dinyatakan sama.")
        )
    if findings.explanations:
        story += [Spacer(0, 6), _explanations(copy)]
    if len(findings.declared) > 1:
        story += [Spacer(0, 6), sentence(_DECLARED), _statements(copy)]
    others = (
        ("dipindai ulang (sudah terhitung, tidak dihitung lagi)", findings.repeats),
        ("kode tidak terbaca ketika dipindai", len(findings.unreadable)),
        ("dibatalkan oleh petugas", len(findings.voids)),
        ("juga terhitung pada batch terdahulu", len(findings.earlier)),
        ("tidak tercantum dalam daftar, disisihkan (tidak termasuk jumlah)", len(found.strangers)),
    )
    told = "; ".join(f"{text}: {figures(number)}" for text, number in others)
    return [*story, Spacer(0, 6), sentence(f"Catatan lain pada log (kali atau keping): {told}.")]


def _difference(one: Difference) -> Row:
    match one.what:
        case What.MISSING:
            due, real = one.manifest, one.counted
        case What.STRANGERS:
            due, real = 0, one.difference
        case What.DECLARED:
            due, real = one.burned, one.declared or 0
        case What.PARTS:
            real = one.declared or 0
            due = real - one.difference
    entries = ", ".join(str(entry) for entry in one.explained_by)
    explained = f"dijelaskan, entri {entries}" if entries else "dijelaskan"
    return (
        _WHAT[one.what],
        NOTHING if one.category is None else one.category or NOTHING,
        NOTHING if one.district is None else one.district or NOTHING,
        figures(due),
        figures(real),
        signed_figures(one.difference),
        explained if one.state is State.EXPLAINED else f"BELUM DIJELASKAN ({figures(one.open)})",
    )


def _statements(copy: Copy) -> Flowable:
    return listing(
        (
            ("Entri", 13, True),
            ("Waktu", 31, False),
            ("Jumlah", 18, True),
            ("Rincian", 54, False),
            ("Alasan", 30, False),
            ("Oleh", 24, False),
        ),
        [_statement(one, copy) for one in copy.minutes.found.findings.declared],
    )


def _statement(one: Statement, copy: Copy) -> Row:
    stated = one.figures
    parts = [f"{name} {figures(said)}" for _, part in stated.parts() for name, said in part.items()]
    total = "-" if stated.total is None else figures(stated.total)
    return (str(one.sequence), copy.time(one.at), total, "; ".join(parts), one.reason, one.by)


def _explanations(copy: Copy) -> Flowable:
    return listing(
        (
            ("Entri", 13, True),
            ("Waktu", 31, False),
            ("Mengenai", 44, False),
            ("Keping", 13, True),
            ("Penjelasan", 39, False),
            ("Oleh, disetujui", 30, False),
        ),
        [_explanation(one, copy) for one in copy.minutes.found.findings.explanations],
    )


def _explanation(one: Explanation, copy: Copy) -> Row:
    scope = [name for name in (one.category, one.district) if name]
    return (
        str(one.sequence),
        copy.time(one.at),
        ": ".join([_WHAT[one.what], *([", ".join(scope)] if scope else [])]),
        figures(one.number),
        one.reason,
        f"{one.by}, {one.seconded_by}",
    )
