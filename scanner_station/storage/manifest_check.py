"""The check of a whole manifest, block by block: fast for ordinary rows, thorough for the rest.

Ordinary rows are judged thousands at a time (manifest_rows); a row that differs in any way is
looked at by itself, by the rules of domain.manifest_line. Both ways give the same verdict.
"""

from collections import Counter
from collections.abc import Mapping
from itertools import chain, compress
from operator import itemgetter
from typing import Final

import numpy as np
import numpy.typing as npt

from scanner_station.domain.identifier import (
    Identified,
    Scheme,
    Schemes,
    holds_identity_number,
    without_identity_numbers,
)
from scanner_station.domain.manifest import Totals
from scanner_station.domain.manifest_findings import TAIL_LINES, Findings
from scanner_station.domain.manifest_header import Field, holds_card
from scanner_station.domain.manifest_line import (
    AROUND,
    CONTROL,
    MAX_PIECES,
    MAX_TEXT_CHARACTERS,
    fault_of_identifier,
    is_column_numbers,
    is_repeated_header,
    masked_value,
    numbers_in,
    parse_pieces,
    total_word,
    trimmed,
)
from scanner_station.domain.manifest_problems import Code, Values
from scanner_station.storage.csv_pack import FIELD, ROW
from scanner_station.storage.manifest_cells import (
    other_delimiter,
    refuse_identity_numbers,
    refuse_long_texts,
)
from scanner_station.storage.manifest_duplicates import Duplicates, find_duplicates
from scanner_station.storage.manifest_file import Block, Table
from scanner_station.storage.manifest_rows import Indexes, Keys, Layout, PackedRows, Row
from scanner_station.storage.manifest_spool import Spool

MAX_TOTALS: Final = 20_000
_ROUNDING_LINES: Final = 10

Lines = list[int]
Pieces = npt.NDArray[np.int32]


class Checker:
    """Takes the blocks of one table and adds up what is in them.

    Rows go to the spool while there is no problem: with one, nothing will be written anyway.
    `keys`, `lines_of` and `pieces_of` hold, for each block, the identifiers of its good rows in
    rising order with their lines and pieces.
    """

    def __init__(self, table: Table, schemes: Schemes, findings: Findings, spool: Spool) -> None:
        self._columns = table.columns
        self._delimiter = table.delimiter
        self._schemes = schemes
        self._is_nik = schemes.schemes == (Scheme.NIK,)
        self._findings = findings
        self._spool = spool
        self.layout = Layout(table.columns)
        self.keys: list[Keys] = []
        self.lines_of: list[Indexes] = []
        self.pieces_of: list[Pieces] = []
        self.totals: Totals = {}
        self.lines = 0
        self.pieces = 0
        self.order: Indexes = np.zeros(0, np.int64)
        self.line_numbers: Indexes = np.zeros(0, np.int64)
        self.duplicates: Duplicates | None = None
        self._odd_rows = 0
        self._last_odd: list[tuple[int, Row]] = []
        self._last_good: tuple[int, Row] = (0, [])

    def judge_header(self, table: Table) -> None:
        """Report what is wrong with the header, and cards that stand above it."""
        if same := self._columns.same:
            values: Values = {"first": same[0], "second": same[1]}
            self._findings.add(Code.AMBIGUOUS_COLUMNS, table.header_line, values=values)
        for line, row in table.above:
            cells = list(map(trimmed, row))
            if holds_card(cells, self._schemes):
                above: Values = {"header": table.header_line}
                self._findings.add(Code.LINE_ABOVE_HEADER, line, values=above)
        self._findings.settle()

    # --- one block -------------------------------------------------------------------------

    def take(self, block: Block) -> None:
        """Judge one block of rows."""
        if block.packed and self._is_nik:
            self._take_packed(block)
        else:
            if block.packed:
                block.rows = _unpacked(block.packed.split(ROW)[:-1])
            self._take_rows(block)
        self._last_odd.sort(key=itemgetter(0))
        del self._last_odd[:-TAIL_LINES]
        self._findings.settle()

    def _take_packed(self, block: Block) -> None:
        """Take the ordinary rows at once, and look at each of the others."""
        found = PackedRows(block.packed, self._columns, longest=MAX_TEXT_CHARACTERS)
        rows, lines = block.packed.split(ROW)[:-1], list(block.lines)
        if not found.is_ordinary.all():
            ordinary = found.is_ordinary.tolist()
            others = (~found.is_ordinary).tolist()
            odd_rows = _unpacked(list(compress(rows, others)))
            self._take_rows(Block(rows=odd_rows, lines=list(compress(lines, others))))
            rows, lines = list(compress(rows, ordinary)), list(compress(lines, ordinary))
        if not rows:
            return
        position = self._columns.position
        counts = found.counted([position.get(Field.CATEGORY), position.get(Field.DISTRICT)])
        if any(holds_identity_number(text) for pair in counts for text in pair):
            refuse_identity_numbers(_unpacked(rows), lines, self._columns, self._findings)
        self._add_up(counts, len(rows))
        order = self._remember(found.keys, lines, np.ones(len(rows), np.int32))
        if not self._findings.count:
            stored = self.layout.pack_all(rows)
            self._spool.append([stored[index] for index in order])

    def _take_rows(self, block: Block) -> None:
        """Take rows one by one."""
        rows, lines = self._of_one_width(block)
        rows = [[cell.strip(AROUND) for cell in row] for row in rows]
        if CONTROL.search("".join(chain.from_iterable(rows))):
            rows, lines = self._without_control_characters(rows, lines)
        refuse_long_texts(rows, lines, self._columns.identifier, self._findings)
        self._take_clean(rows, lines)

    def _of_one_width(self, block: Block) -> tuple[list[Row], Lines]:
        rows, lines, width = block.rows, list(block.lines), self._columns.width
        if not block.odd and set(map(len, rows)) == {width}:
            return rows, lines
        keep = [True] * len(rows)
        for index, row in enumerate(rows):
            if index in block.odd:
                self._judge_unreadable(row, lines[index], *block.odd[index])
                keep[index] = False
            elif len(row) != width:
                rows[index] = self._fitted(row, lines[index])
                keep[index] = bool(rows[index])
        return list(compress(rows, keep)), list(compress(lines, keep))

    def _judge_unreadable(self, row: Row, line: int, code: Code, value: str) -> None:
        """Report a row with broken quotes, or without a text where the identifier should be."""
        cells = list(map(trimmed, row))
        is_cell = bool(value)
        if is_cell:
            cells[self._columns.identifier] = value
        self._see(line, cells)
        if not self._is_no_card(line, cells):
            at = self._columns.identifier if is_cell else None
            self._findings.add(code, line, index=at, value=value)

    def _fitted(self, row: Row, line: int) -> Row:
        """Return a row with as many cells as the header has, or [] when it cannot be one."""
        cells = list(map(trimmed, row))
        width = self._columns.width
        while len(cells) > width and not cells[-1]:
            cells.pop()
        if len(cells) == width or not any(cells):
            return cells if any(cells) else []
        self._see(line, cells)
        if self._is_no_card(line, cells):
            return []
        if found := other_delimiter(cells, self._delimiter):
            values: Values = {"found": found, "expected": self._delimiter}
            self._findings.add(Code.WRONG_DELIMITER, line, values=values)
        else:
            code = Code.TOO_FEW_FIELDS if len(cells) < width else Code.TOO_MANY_FIELDS
            self._findings.add(code, line, values={"found": len(cells), "expected": width})
        return []

    def _without_control_characters(self, rows: list[Row], lines: Lines) -> tuple[list[Row], Lines]:
        kept_rows, kept_lines = [], []
        for cells, line in zip(rows, lines, strict=True):
            found = [
                (at, match) for at, cell in enumerate(cells) if (match := CONTROL.search(cell))
            ]
            if not found:
                kept_rows.append(cells)
                kept_lines.append(line)
                continue
            self._see(line, cells)
            for at, match in found:
                values: Values = {"character": f"U+{ord(match.group()):04X}"}
                self._findings.add(
                    Code.CONTROL_CHARACTER, line, index=at, value=cells[at], values=values
                )
        return kept_rows, kept_lines

    # --- identifiers -----------------------------------------------------------------------

    def _take_clean(self, rows: list[Row], lines: Lines) -> None:
        """Take rows of one width, trimmed and of printable text."""
        at = self._columns.identifier
        good: list[Row] = []
        good_lines: Lines = []
        for row, line in zip(rows, lines, strict=True):
            if identifier := self._canonical(row[at]):
                row[at] = identifier
                good.append(row)
                good_lines.append(line)
            else:
                self._judge_odd(row, line)
        if good:
            self._take_good(good, good_lines)

    def _canonical(self, text: str) -> str:
        """Return the identifier as it will be counted, '' when it is none."""
        outcome = self._schemes.identify_text(text) if text else None
        if not isinstance(outcome, Identified) or total_word([text]) is not None:
            # JUMLAH fits many a pattern for serial numbers, and still is a total.
            return ""
        return outcome.identifier

    def _judge_odd(self, cells: Row, line: int) -> None:
        if not any(cells):
            return
        self._see(line, cells)
        if self._is_no_card(line, cells):
            return
        at = self._columns.identifier
        if fault := fault_of_identifier(cells[at], self._schemes):
            code, values = fault
            self._findings.add(code, line, index=at, value=cells[at], values=values)
        self._judge_pieces(cells, line)

    def _is_no_card(self, line: int, cells: Row) -> bool:
        """Report a row that is a total, a repeated header or a numbering of the columns."""
        if word := total_word(cells):
            index = cells.index(word)
            values: Values = {"found": masked_value(word, is_identifier=False)}
            self._findings.add(Code.TOTAL_ROW, line, index=index, value=word, values=values)
        elif is_repeated_header(cells, self._columns.words):
            self._findings.add(Code.REPEATED_HEADER, line)
        elif is_column_numbers(cells):
            self._findings.add(Code.COLUMN_NUMBERS, line)
        else:
            return False
        return True

    def _see(self, line: int, cells: Row) -> None:
        """Remember a row that is no ordinary card: the last ones may be totals."""
        self._odd_rows += 1
        self._last_odd.append((line, cells))

    # --- ordinary rows ---------------------------------------------------------------------

    def _take_good(self, rows: list[Row], lines: Lines) -> None:
        """Take rows that have an identifier: add them up, and send them on sorted by it."""
        pieces = self._pieces(rows, lines)
        counts: Counter[tuple[str, ...]] = Counter()
        category = self._columns.position.get(Field.CATEGORY)
        district = self._columns.position.get(Field.DISTRICT)
        for row, count in zip(rows, pieces.tolist(), strict=True):
            counts[_cell(row, category), _cell(row, district)] += count
        if any(holds_identity_number(text) for pair in counts for text in pair):
            refuse_identity_numbers(rows, lines, self._columns, self._findings)
        self._add_up(counts, len(rows))
        at = self._columns.identifier
        texts = [row[at] for row in rows]
        keys: Keys = (
            np.array(list(map(int, texts)), np.uint64)
            if self._is_nik
            else np.array([text.encode() for text in texts], np.bytes_)
        )
        order = self._remember(keys, lines, pieces)
        if lines[-1] >= self._last_good[0]:
            self._last_good = (lines[-1], rows[-1])
        if not self._findings.count:
            pack = self.layout.pack
            self._spool.append([pack(rows[index]) for index in order])

    def _remember(self, keys: Keys, lines: Lines, pieces: Pieces) -> list[int]:
        """Keep the sort keys of some rows, and return their order."""
        order = np.argsort(keys, kind="stable")
        self.keys.append(keys[order])
        self.lines_of.append(np.array(lines, np.int64)[order])
        self.pieces_of.append(pieces[order])
        if lines[-1] > self._last_good[0]:
            self._last_good = (lines[-1], [])
        indexes: list[int] = order.tolist()
        return indexes

    def _add_up(self, counts: Mapping[tuple[str, ...], int], lines: int) -> None:
        self.lines += lines
        self.pieces += sum(counts.values())
        if len(self.totals) <= MAX_TOTALS:
            for (category, district), count in counts.items():
                # Shown in the report of a file that is refused because of one.
                pair = (without_identity_numbers(category), without_identity_numbers(district))
                self.totals[pair] = self.totals.get(pair, 0) + count

    def _pieces(self, rows: list[Row], lines: Lines) -> Pieces:
        at = self._columns.position.get(Field.PIECES)
        if at is None:
            return np.ones(len(rows), np.int32)
        cells = [row[at] for row in rows]
        known = {cell: parse_pieces(cell) for cell in set(cells)}
        if set(known.values()) == {1}:
            return np.ones(len(rows), np.int32)
        for row, line in zip(rows, lines, strict=True):
            if known[row[at]] != 1:
                self._judge_pieces(row, line)
        return np.array([known[cell] or 1 for cell in cells], np.int32)

    def _judge_pieces(self, cells: Row, line: int) -> None:
        at = self._columns.position.get(Field.PIECES)
        if at is None:
            return
        pieces = parse_pieces(cells[at])
        if pieces is None:
            values: Values = {"most": MAX_PIECES}
            self._findings.add(Code.INVALID_PIECES, line, index=at, value=cells[at], values=values)
        elif pieces > 1 and self._names_one_piece(cells[self._columns.identifier]):
            self._findings.add(Code.PIECES_OF_ONE_CARD, line, index=at, values={"pieces": pieces})

    def _names_one_piece(self, identifier: str) -> bool:
        outcome = self._schemes.identify_text(identifier)
        return isinstance(outcome, Identified) and outcome.scheme.names_one_piece

    # --- the whole file --------------------------------------------------------------------

    def finish(self) -> None:
        """Judge what only the whole file shows: totals at its end, duplicates, rounding."""
        self.find_totals_by_arithmetic()
        if not self.lines and not self._findings.count:
            self._findings.add(Code.NO_LINES, 0)
        if len(self.totals) > MAX_TOTALS:
            self._findings.add(Code.TOO_MANY_CATEGORIES, 0, values={"most": MAX_TOTALS})
        if self.keys:
            keys, lines = np.concatenate(self.keys), np.concatenate(self.lines_of)
            self._find_rounding(keys)
            self.order = np.argsort(keys, kind="stable")
            self.line_numbers = lines
            self.duplicates = find_duplicates(
                keys,
                lines,
                np.concatenate(self.pieces_of),
                self.order,
                names_one_piece=lambda text: not self._is_nik and self._names_one_piece(text),
            )
        if self.duplicates is not None:
            found = self.duplicates.problems(self._findings)
            self._findings.add_all(found, Counter(self.duplicates.codes))
        self._findings.settle()

    def find_totals_by_arithmetic(self) -> None:
        """Find the rows after the last card that hold the number of all above them."""
        last_line, last_cells = self._last_good
        tail = [(line, cells) for line, cells in self._last_odd if line > last_line]
        odd_above = self._odd_rows - len(tail)
        sums = {self.lines, self.pieces, self.lines + odd_above, self.pieces + odd_above} - {0, 1}
        for line, cells in tail:
            if found := sums & numbers_in(cells):
                self._findings.retract(line)
                self._findings.add(Code.TOTAL_ROW, line, values={"found": max(found)})
        # Alone in its row and equal to the rows above, even a well-formed serial number is a sum.
        alone = not self._is_nik and not tail and sum(map(bool, last_cells)) == 1
        if alone and (found := {number + 1 for number in numbers_in(last_cells)} & sums):
            self._findings.add(Code.TOTAL_ROW, last_line, values={"found": max(found) - 1})

    def _find_rounding(self, keys: Keys) -> None:
        if self._is_nik and len(keys) >= _ROUNDING_LINES and not (keys % 10).any():
            self._findings.add(Code.EXCEL_ROUNDING, 0, values={"lines": len(keys)})


def _unpacked(rows: list[bytes]) -> list[Row]:
    field = FIELD.decode()
    return [row.decode().split(field) for row in rows]


def _cell(row: Row, at: int | None) -> str:
    return "" if at is None else row[at]
