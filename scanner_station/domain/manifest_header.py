"""The words of a manifest's header, Indonesian and English, and which column each one is."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from scanner_station.domain.identifier import (
    Identified,
    Scheme,
    Schemes,
    without_identity_numbers,
)
from scanner_station.domain.manifest_problems import Code, Values

HEADER_SEARCHED_ROWS: Final = 20
"""Offices put a letterhead of a few lines above the table."""


class Field(StrEnum):
    """What a recognised column holds."""

    IDENTIFIER = "identifier"
    CATEGORY = "category"
    DISTRICT = "district"
    NAME = "name"
    ADDRESS = "address"
    PIECES = "pieces"


_ANY_IDENTIFIER = (
    "identifier nomorkartu nokartu cardnumber cardno cardid cardidentifier nomoridentitas "
    "noidentitas identitas nomorpengenal pengenal identitynumber"
)
_IDENTIFIER_OF: Final = {
    Scheme.NIK: "nik nonik nomornik noktp nomorktp noktpel nomorktpel noektp nomorektp nikktp "
    "nikktpel nomorindukkependudukan noindukkependudukan nomorindukkependudukannik "
    "niknomorindukkependudukan idnumber nationalid nationalidnumber",
    Scheme.SERIAL: "serial serialnumber serialno nomorseri noseri seri nomorserikartu "
    "noserikartu nomorblangko noblangko nomorseriblangko noseriblangko",
    Scheme.UID: "uid chipuid carduid uidchip uidkartu",
}
# `no` alone numbers the lines in every Indonesian table; it is never the card's number.
_WEAK_IDENTIFIER = "nomor number id kode code kartu card"

# Words in the first string win over words in the second, which then are extra columns.
_OTHERS: Final = {
    Field.CATEGORY: (
        "kategori category kategorikartu kategoriktp kategoriktpel kategorikerusakan",
        "alasan reason alasanpemusnahan alasanpenarikan sebab penyebab jeniskerusakan jenis "
        "kondisi status",
    ),
    Field.DISTRICT: ("kecamatan district kec namakecamatan namakec distrik", "subdistrict"),
    Field.NAME: (
        "nama name namalengkap fullname namapemilik namapemegang namapenduduk namawarga "
        "namapemilikkartu namapemegangkartu holder holdername",
        "",
    ),
    Field.ADDRESS: ("alamat address alamatlengkap alamatrumah alamatktp fulladdress", ""),
    Field.PIECES: (
        "keping pieces jumlahkeping jmlkeping banyakkeping jumlahkepingktp jumlahkepingktpel "
        "jumlahkartu jmlkartu jumlahktp jmlktp piececount",
        "jumlah jml banyak banyaknya qty quantity count",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where each recognised field stands in a row, counted from 0, and the header's own words.

    `same` names two columns that mean the same thing, which nobody can decide but the author.
    `passed_over` are recognised words that a better one in the same header made an extra column.
    """

    words: tuple[str, ...]
    position: dict[Field, int]
    extra: tuple[int, ...]
    same: tuple[str, str] | None = None
    passed_over: tuple[tuple[str, str], ...] = ()

    @property
    def identifier(self) -> int:
        """Where the card's number stands."""
        return self.position[Field.IDENTIFIER]

    @property
    def width(self) -> int:
        """How many columns the header has."""
        return len(self.words)


def squashed(cell: str) -> str:
    """Return a header cell reduced to lower-case letters and digits: `No. KTP` is `noktp`."""
    return "".join(filter(str.isalnum, cell.casefold()))


def recognise(cells: Sequence[str], schemes: tuple[Scheme, ...]) -> Columns:
    """Return which column is what; a row is a header when this finds an identifier."""
    words = [squashed(cell) for cell in cells]
    position: dict[Field, int] = {}
    same: tuple[str, str] | None = None
    passed_over: list[tuple[str, str]] = []
    for field, ranks in _vocabulary(schemes).items():
        found = [
            (rank, index)
            for rank, vocabulary in enumerate(ranks)
            for index, word in enumerate(words)
            if word and word in vocabulary
        ]
        if not found:
            continue
        best, position[field] = found[0]
        for rank, index in found[1:]:
            pair = (cells[position[field]], cells[index])
            if rank == best:
                same = same or pair
            else:
                passed_over.append(pair)
    taken = set(position.values())
    return Columns(
        words=_distinct(cells),
        position=position,
        extra=tuple(index for index in range(len(cells)) if index not in taken),
        same=same,
        passed_over=tuple(passed_over),
    )


def best_header(
    rows: Sequence[tuple[int, list[str]]], schemes: tuple[Scheme, ...]
) -> tuple[int, Columns] | None:
    """Return the line and columns of the header among a file's first rows, or None.

    `rows`: (line, trimmed cells). The header is the row with most recognised columns.
    """
    best: tuple[int, Columns] | None = None
    for line, cells in rows:
        columns = recognise(cells, schemes)
        if Field.IDENTIFIER in columns.position and (
            best is None or len(columns.position) > len(best[1].position)
        ):
            best = (line, columns)
    return best


def fault_of_headerless(
    rows: Sequence[tuple[int, list[str]]], schemes: Schemes
) -> tuple[Code, int, Values]:
    """Return what to say about first rows among which no header was found: code, line, values."""
    if not rows:
        return Code.EMPTY_FILE, 0, {}
    first_card = next((i for i, row in enumerate(rows) if holds_card(row[1], schemes)), None)
    if first_card == 0:
        return Code.MISSING_HEADER, rows[0][0], {}
    titles = rows[:first_card]
    line, cells = max(
        reversed(titles),
        key=lambda row: (len(recognise(row[1], schemes.schemes).position), len(row[1])),
    )
    named = [without_identity_numbers(cell) for cell in cells if cell]
    if len(named) < 2 or any(map(str.isdigit, named)):
        return Code.MISSING_HEADER, titles[-1][0], {}
    return Code.MISSING_IDENTIFIER_COLUMN, line, {"columns": ", ".join(named[:12])}


def holds_card(cells: Sequence[str], schemes: Schemes) -> bool:
    """Whether a cell is an identifier; one without a digit is a word of a title."""
    return any(
        any(map(str.isdigit, cell)) and isinstance(schemes.identify_text(cell), Identified)
        for cell in cells
    )


def _vocabulary(schemes: tuple[Scheme, ...]) -> dict[Field, list[frozenset[str]]]:
    ours = " ".join([_ANY_IDENTIFIER, *(_IDENTIFIER_OF[scheme] for scheme in schemes)])
    others = " ".join(words for scheme, words in _IDENTIFIER_OF.items() if scheme not in schemes)
    ranked: dict[Field, tuple[str, ...]] = {
        Field.IDENTIFIER: (ours, others, _WEAK_IDENTIFIER),
        **_OTHERS,
    }
    return {field: [frozenset(r.split()) for r in ranks] for field, ranks in ranked.items()}


def _distinct(cells: Sequence[str]) -> tuple[str, ...]:
    """Return a name for every column: a nameless one is `column 7`, a second `RT` is `RT (2)`.

    An identity number in a header is masked: the names stand in reports.
    """
    names: list[str] = []
    for number, cell in enumerate(cells, start=1):
        base = without_identity_numbers(cell) or f"column {number}"
        name, copy = base, 1
        while name in names:
            copy += 1
            name = f"{base} ({copy})"
        names.append(name)
    return tuple(names)
