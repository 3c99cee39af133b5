"""CSV: finding the separator and the header, then the rows with the line each begins in."""

import codecs
import contextlib
import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import IO, TYPE_CHECKING, Final

from scanner_station.domain.identifier import Identified, Schemes
from scanner_station.domain.manifest import Remark
from scanner_station.domain.manifest_header import (
    HEADER_SEARCHED_ROWS,
    Columns,
    Field,
    best_header,
    fault_of_headerless,
    recognise,
)
from scanner_station.domain.manifest_line import trimmed
from scanner_station.domain.manifest_problems import Code
from scanner_station.storage.csv_pack import ROW, pack
from scanner_station.storage.manifest_file import BLOCK_ROWS, Block, FileRefusedError, Survey, Table

DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab"}
_FOREIGN_DELIMITERS: Final = {"|": "a vertical bar", ":": "a colon", "#": "#"}
_SAMPLE_CHARACTERS: Final = 65_536
_CHUNK_BYTES: Final = 1_500_000
_AGREE_WITH_ASCII: Final = {"utf-8": "utf-8", "utf-8-sig": "utf-8", "cp1252": "cp1252"}
_AFTER_CR: Final = re.compile(r"(?<=\r)(?!\n)")

if TYPE_CHECKING:
    from _csv import Reader

Record = tuple[int, list[str]]


def open_csv(file: IO[bytes], surveyed: Survey, schemes: Schemes) -> Table:
    """Return the table in a text file.

    Raises:
        FileRefusedError: there is no header in it, or its bytes are no text.
    """
    lines = _Lines(file, surveyed.encoding)
    try:
        sample = lines.sample()
        stated = _stated_delimiter(sample)
        delimiter, header, columns = _find_header(sample, stated, schemes)
        lines.begin(sample)
        above: list[Record] = []
        for line, row in _records(_reader(lines, delimiter)):
            if line >= header:
                break
            above.append((line, row))
    except UnicodeDecodeError as error:
        raise FileRefusedError(Code.UNKNOWN_ENCODING) from error
    return Table(
        columns=columns,
        header_line=header,
        above=above[1:] if stated else above,
        blocks=_blocks(lines, columns, delimiter, schemes),
        position=_position(file, surveyed.size_bytes),
        encoding=surveyed.encoding.removesuffix("-sig"),
        delimiter=DELIMITERS[delimiter],
        remarks=_remarks(surveyed.encoding),
    )


class _Borrowed(io.TextIOWrapper):
    """Text over a file that somebody else closes."""

    def __del__(self) -> None:
        with contextlib.suppress(ValueError):  # detached or closed already
            self.detach()


class _Lines:
    """The lines of a text file, one by one for the csv module or many at once as bytes.

    A line ends in LF, CR LF or CR. Nothing is read ahead, so that both ways can take turns.
    """

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        self._file = file
        self._encoding = encoding
        self._text: io.TextIOWrapper | None = None
        self._pending: list[str] = []
        self.done = 0
        """How many lines were handed out."""

    def sample(self) -> str:
        """Return the beginning of the text."""
        self._file.seek(0)
        return _Borrowed(self._file, self._encoding, newline="").read(_SAMPLE_CHARACTERS)

    def begin(self, sample: str) -> None:
        """Go to the first line."""
        self._file.seek(0)
        is_old_mac = "\r" in sample and "\n" not in sample
        if is_old_mac or self._encoding not in _AGREE_WITH_ASCII:
            self._text = _Borrowed(self._file, self._encoding, newline="")
        elif self._encoding == "utf-8-sig":
            self._file.seek(len(codecs.BOM_UTF8))

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        """Return the next line with its end."""
        if self._text is not None:
            line = next(self._text)
        elif self._pending:
            line = self._pending.pop()
        else:
            line = self._decoded(self._file.readline())
            if "\r" in line[:-2]:
                line, *rest = _AFTER_CR.split(line)
                self._pending = rest[::-1]
            if not line:
                raise StopIteration
        self.done += 1
        return line

    def _decoded(self, data: bytes) -> str:
        return data.decode(_AGREE_WITH_ASCII[self._encoding])

    def packed(self, delimiter: str) -> bytes | None:
        """Return the next thousands of lines as packed rows; None when they are not plain.

        None too at the end of the file; nothing is taken then.
        """
        if self._text is not None or self._pending:
            return None
        start = self._file.tell()
        chunk = self._file.read(_CHUNK_BYTES)
        chunk += b"" if chunk.endswith(b"\n") else self._file.readline()
        packed = pack(chunk if chunk.endswith(b"\n") else chunk + b"\n", delimiter)
        if not chunk or packed is None:
            self._file.seek(start)
            return None
        self.done += packed.count(ROW)
        return packed if packed.isascii() else self._decoded(packed).encode()


def _position(file: IO[bytes], size_bytes: int) -> Callable[[], tuple[int, int]]:
    return lambda: (file.tell(), size_bytes)


def _remarks(encoding: str) -> tuple[Remark, ...]:
    if encoding != "cp1252":
        return ()
    return (
        Remark(
            message="the file is not UTF-8 and was read as Windows-1252; check names with accents "
            "or save it as CSV UTF-8"
        ),
    )


def _stated_delimiter(sample: str) -> str:
    """Return the separator that Excel's own first line `sep=;` states, or ''."""
    first = sample.lstrip("\ufeff").splitlines()[:1]
    line = first[0].strip('"') if first else ""
    return line[4] if line[:4].lower() == "sep=" and line[4:] in DELIMITERS else ""


def _find_header(sample: str, stated: str, schemes: Schemes) -> tuple[str, int, Columns]:
    """Return the separator, and the line and columns of the header.

    The separator is the one under which most columns of a header are recognised.
    """
    best: tuple[str, int, Columns] | None = None
    for delimiter in [stated] if stated else DELIMITERS:
        found = best_header(_head_rows(sample, delimiter), schemes.schemes)
        if found and (best is None or len(found[1].position) > len(best[2].position)):
            best = (delimiter, *found)
    if best is None:
        raise _headerless(sample, schemes)
    return best


def _head_rows(sample: str, delimiter: str) -> list[Record]:
    """Return the first rows that are not blank, trimmed, each with its line."""
    reader = _reader(io.StringIO(sample, newline=""), delimiter)
    rows = ((line, [trimmed(cell) for cell in row]) for line, row in _records(reader))
    return list(islice(((line, row) for line, row in rows if any(row)), HEADER_SEARCHED_ROWS))


def _headerless(sample: str, schemes: Schemes) -> FileRefusedError:
    for line, text in enumerate(sample.splitlines()[:HEADER_SEARCHED_ROWS], start=1):
        if found := _foreign_delimiter(trimmed(text), schemes):
            return FileRefusedError(
                Code.WRONG_DELIMITER,
                {"found": found, "expected": "comma, semicolon or tab"},
                line=line,
            )
    attempts = [_head_rows(sample, delimiter) for delimiter in DELIMITERS]
    if not any(attempts) and trimmed(sample):
        return FileRefusedError(Code.BROKEN_QUOTES, line=1)
    rows = max(attempts, key=lambda rows: max((len(row) for _, row in rows), default=0))
    code, line, values = fault_of_headerless(rows, schemes)
    return FileRefusedError(code, values, line=line)


def _foreign_delimiter(text: str, schemes: Schemes) -> str:
    """Return what separates a header that is one under no separator of ours, or ''."""
    for delimiter, name in _FOREIGN_DELIMITERS.items():
        position = recognise(text.split(delimiter), schemes.schemes).position
        if Field.IDENTIFIER in position and len(position) > 1:
            return name
    if text.startswith('"') and text.endswith('"'):
        for delimiter in DELIMITERS:
            position = recognise(text.split(delimiter), schemes.schemes).position
            if Field.IDENTIFIER in position and len(position) > 1:
                return "a separator inside quotation marks"
    words = text.split()
    named = recognise(words, schemes.schemes).position
    return "spaces" if Field.IDENTIFIER in named and 1 < len(named) == len(words) else ""


def _reader(lines: Iterable[str], delimiter: str) -> "Reader":
    # Strict, so that broken quotes are found; white space is taken off around every cell anyway.
    return csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)


def _records(reader: "Reader") -> Iterator[Record]:
    """Yield each record with the line it begins in; one with broken quotes is empty."""
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            row = []
        yield line, row


def _blocks(lines: _Lines, columns: Columns, delimiter: str, schemes: Schemes) -> Iterator[Block]:
    try:
        while True:
            first = lines.done + 1
            if packed := lines.packed(delimiter):
                yield Block(lines=range(first, lines.done + 1), packed=packed)
            elif block := _parsed(lines, columns, delimiter, schemes):
                yield block
            else:
                return
    except UnicodeDecodeError as error:
        raise FileRefusedError(Code.UNKNOWN_ENCODING) from error


def _parsed(lines: _Lines, columns: Columns, delimiter: str, schemes: Schemes) -> Block | None:
    """Return the next rows as the csv module sees them, or None at the end of the file."""
    first = lines.done + 1
    reader = _reader(lines, delimiter)
    rows: list[list[str]] = []
    ends: list[int] = []
    broken: set[int] = set()
    while len(rows) < BLOCK_ROWS:
        try:
            for row in islice(reader, BLOCK_ROWS - len(rows)):
                rows.append(row)
                ends.append(lines.done)
            break
        except csv.Error:
            broken.add(len(rows))
            rows.append([])
            ends.append(lines.done)
    if not rows:
        return None
    begins = [first, *(end + 1 for end in ends[:-1])]
    if ends[-1] - first + 1 != len(rows):
        broken.update(_swallowing(rows, columns, delimiter, schemes))
    return Block(lines=begins, rows=rows, odd=dict.fromkeys(broken, (Code.BROKEN_QUOTES, "")))


def _swallowing(
    rows: Sequence[Sequence[str]], columns: Columns, delimiter: str, schemes: Schemes
) -> Iterator[int]:
    """Yield the rows of which a quoted field has swallowed other cards' lines."""
    for index, row in enumerate(rows):
        for cell in row:
            if ("\n" in cell or "\r" in cell) and any(
                _is_card(inner.split(delimiter), columns, schemes)
                for inner in cell.splitlines()[1:]
            ):
                yield index


def _is_card(cells: list[str], columns: Columns, schemes: Schemes) -> bool:
    if len(cells) < columns.width:
        return False
    cell = trimmed(cells[columns.identifier]).strip('"')
    return isinstance(schemes.identify_text(cell), Identified)
