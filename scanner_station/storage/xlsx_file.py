"""Excel workbooks: judged as an archive before anything unpacks them, then read by calamine."""

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import IO, Final

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
)

from scanner_station.domain.identifier import Schemes
from scanner_station.domain.manifest import Remark
from scanner_station.domain.manifest_header import (
    HEADER_SEARCHED_ROWS,
    Columns,
    best_header,
    fault_of_headerless,
)
from scanner_station.domain.manifest_line import trimmed
from scanner_station.domain.manifest_problems import Code
from scanner_station.storage.manifest_file import (
    BLOCK_ROWS,
    Block,
    FileRefusedError,
    Table,
)

Value = str | float | bool | date | time | timedelta

_MAX_ENTRIES: Final = 4096
_MAX_DIRECTORY_BYTES: Final = 1 << 20
_MAX_UNPACKED_BYTES: Final = 1 << 30
_HARMLESS_BYTES: Final = 32 << 20
_MAX_RATIO: Final = 100
"""A sheet of real cards packs 6 to 25 times; what packs more than 100 times is no list."""
_MAX_CELLS: Final = 40_000_000
_HARMLESS_CELLS: Final = 2_000_000
_MAX_EMPTY_SHARE: Final = 4
_STEP_BYTES: Final = 1 << 18
_OVERLAP: Final = 64

_COLUMN: Final = re.compile(rb"""\br\s*=\s*["']\s*([A-Za-z]{1,3})[0-9]""")
_ROW: Final = re.compile(rb"""\br\s*=\s*["']\s*[A-Za-z]{0,3}([0-9]{1,10})""")


def refuse_bomb(file: IO[bytes]) -> None:
    """Refuse an archive that unpacks to far more than a list of cards needs.

    The directory's sizes are judged first; then every entry is unpacked in small steps that are
    thrown away, and must not grow beyond its stated size: directories lie. A sheet's outermost
    cell is looked for too, because a reader makes room for every cell up to it.

    Raises:
        FileRefusedError: it does, or it is no workbook.

    Source: PKWARE APPNOTE 6.3.3, sections 4.3.7, 4.3.12 and 4.3.16.
    """
    size = file.seek(0, 2)
    _refuse_large_directory(file, size)
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, struct.error) as error:
        raise FileRefusedError(Code.DAMAGED_FILE, {"why": "its directory is broken"}) from error
    if not any(entry.filename.lower().startswith("xl/") for entry in entries):
        raise FileRefusedError(
            Code.NOT_WHAT_ITS_NAME_SAYS,
            {"ending": ".xlsx", "content": "a zip archive of something else"},
        )
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if (
        unpacked > _MAX_UNPACKED_BYTES
        or packed > size
        or unpacked > max(_HARMLESS_BYTES, _MAX_RATIO * size)
    ):
        raise FileRefusedError(Code.ZIP_BOMB, {"packed": size, "unpacked": unpacked})
    for entry in entries:
        _refuse_false_entry(file, entry, size)


def _refuse_large_directory(file: IO[bytes], size: int) -> None:
    # Python would make an object for each of a million directory entries.
    tail_bytes = min(size, 65_557)
    file.seek(size - tail_bytes)
    tail = file.read(tail_bytes)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise FileRefusedError(Code.DAMAGED_FILE, {"why": "its end is missing"})
    entries, directory_bytes = struct.unpack_from("<HI", tail, at + 10)
    if entries > _MAX_ENTRIES or directory_bytes > _MAX_DIRECTORY_BYTES:
        raise FileRefusedError(Code.ZIP_BOMB, {"packed": size, "unpacked": directory_bytes})


def _refuse_false_entry(file: IO[bytes], entry: zipfile.ZipInfo, size: int) -> None:
    if entry.flag_bits & 1:
        raise FileRefusedError(Code.PASSWORD)
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FileRefusedError(Code.DAMAGED_FILE, {"why": "it is packed in an unusual way"})
    seen, extent = 0, _Extent()
    try:
        for step in _unpacked(file, entry):
            seen += len(step)
            if seen > entry.file_size:
                raise FileRefusedError(Code.ZIP_BOMB, {"packed": size, "unpacked": seen})
            extent.take(step)
    except (zlib.error, struct.error) as error:
        raise FileRefusedError(Code.DAMAGED_FILE, {"why": "a part cannot be unpacked"}) from error
    if extent.is_absurd():
        raise FileRefusedError(
            Code.SHEET_TOO_LARGE,
            {"sheet": entry.filename, "rows": extent.rows, "columns": extent.width},
        )


def _unpacked(file: IO[bytes], entry: zipfile.ZipInfo) -> Iterator[bytes]:
    file.seek(entry.header_offset)
    signature, name_bytes, extra_bytes = struct.unpack("<4s22xHH", file.read(30))
    if signature != b"PK\x03\x04":
        raise struct.error
    file.seek(name_bytes + extra_bytes, 1)
    left = entry.compress_size
    inflate = zlib.decompressobj(-15) if entry.compress_type == zipfile.ZIP_DEFLATED else None
    while left > 0 and (packed := file.read(min(left, _STEP_BYTES // 4))):
        left -= len(packed)
        if inflate is None:
            yield packed
            continue
        while packed:
            yield inflate.decompress(packed, _STEP_BYTES)
            packed = inflate.unconsumed_tail


class _Extent:
    """How far the cells of one sheet reach, and how many there are."""

    def __init__(self) -> None:
        self.rows = 0
        self.width = 0
        self.cells = 0
        self._names: set[bytes] = set()
        self._rest = b""

    def take(self, step: bytes) -> None:
        data = self._rest + step
        columns = _COLUMN.findall(data)
        self.cells += len(columns)
        for name in set(columns) - self._names:
            self._names.add(name)
            self.width = max(self.width, _column_number(name.decode()))
        if rows := _ROW.findall(data):
            self.rows = max(self.rows, int(max(rows, key=_digits)))
        self._rest = data[-_OVERLAP:]

    def is_absurd(self) -> bool:
        area = self.rows * self.width
        return area > min(_MAX_CELLS, max(_HARMLESS_CELLS, _MAX_EMPTY_SHARE * self.cells))


def _digits(number: bytes) -> tuple[int, bytes]:
    return len(number), number


def _column_number(name: str) -> int:
    number = 0
    for letter in name.upper():
        number = number * 26 + ord(letter) - 64
    return number


def column_name(index: int) -> str:
    """Return a sheet column's letters: 0 is `A`, 27 is `AB`."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(65 + rest) + name
    return name


def open_xlsx(file: IO[bytes], schemes: Schemes) -> Table:
    """Return the one table of cards in a workbook.

    Raises:
        FileRefusedError: there is none, or more than one, or the file is hostile or damaged.
    """
    refuse_bomb(file)
    file.seek(0)
    remarks: list[Remark] = []
    chosen: tuple[CalamineSheet, int, Columns] | None = None
    headless: list[tuple[int, list[str]]] = []
    with _hostile_input():
        workbook = CalamineWorkbook.from_filelike(file)
        for meta in workbook.sheets_metadata:
            if meta.typ != SheetTypeEnum.WorkSheet:
                continue
            sheet = workbook.get_sheet_by_name(meta.name)
            if sheet.start is None:
                continue
            rows = _head_rows(sheet)
            header = best_header(rows, schemes.schemes)
            if header is None:
                headless = headless or rows
                remarks.append(_not_read(meta.name))
            elif chosen is None or not _has_lines(chosen[0], chosen[1]):
                chosen = (sheet, *header)
            elif _has_lines(sheet, header[0]):
                raise FileRefusedError(
                    Code.SEVERAL_SHEETS, {"first": chosen[0].name, "second": meta.name}
                )
    if chosen is None:
        code, line, values = fault_of_headerless(headless, schemes)
        raise FileRefusedError(code, values, line=line)
    return _table(*chosen, remarks)


def _table(
    sheet: CalamineSheet, header_line: int, columns: Columns, remarks: list[Remark]
) -> Table:
    # calamine's rows begin at row 1 of the sheet, its columns at the first that is used.
    first_column = sheet.start[1] if sheet.start else 0
    done = [0]
    above = [row for row in _head_rows(sheet) if row[0] < header_line]
    return Table(
        columns=columns,
        header_line=header_line,
        above=above,
        blocks=_blocks(sheet, header_line, columns, done),
        position=lambda: (done[0], sheet.total_height),
        sheet=sheet.name,
        first_column=first_column,
        remarks=tuple(remarks),
    )


def _not_read(name: str) -> Remark:
    return Remark(
        message="sheet %(sheet)s holds no list of cards and was not read", values={"sheet": name}
    )


def _head_rows(sheet: CalamineSheet) -> list[tuple[int, list[str]]]:
    rows = (
        (line, [trimmed(as_text(value)) for value in row])
        for line, row in enumerate(sheet.iter_rows(), start=1)
    )
    return list(islice(((line, row) for line, row in rows if any(row)), HEADER_SEARCHED_ROWS))


def _has_lines(sheet: CalamineSheet, header_line: int) -> bool:
    below = islice(sheet.iter_rows(), header_line, None)
    return any(value != "" for row in below for value in row)


def _blocks(
    sheet: CalamineSheet, header_line: int, columns: Columns, done: list[int]
) -> Iterator[Block]:
    below = islice(sheet.iter_rows(), header_line, None)
    line = header_line + 1
    while values := list(islice(below, BLOCK_ROWS)):
        block = Block(rows=[], lines=range(line, line + len(values)))
        for index, row in enumerate(values):
            value = row[columns.identifier]
            if not isinstance(value, str):
                is_date = isinstance(value, date | time | timedelta)
                block.odd[index] = (
                    Code.DATE_CELL if is_date else Code.NUMERIC_CELL,
                    as_text(value),
                )
                row[columns.identifier] = ""
            block.rows.append([as_text(cell) for cell in row])
        line += len(values)
        done[0] = line - 1
        yield block


def as_text(value: Value) -> str:
    """Return a cell's value as it would be written: whole numbers without a point, ISO dates."""
    match value:
        case str():
            return value
        case bool():
            return str(value).upper()
        case float() if value.is_integer() and abs(value) < 1e18:
            return str(int(value))
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return str(value)


@contextmanager
def _hostile_input() -> Iterator[None]:
    try:
        yield
    except PasswordError as error:
        raise FileRefusedError(Code.PASSWORD) from error
    except (CalamineError, OSError, ValueError, KeyError, OverflowError) as error:
        raise FileRefusedError(
            Code.DAMAGED_FILE, {"why": "its parts do not fit together"}
        ) from error
    except BaseException as error:
        # A panic of the Rust reader is no Exception; anything else that is none goes on its way.
        if type(error).__name__ != "PanicException":
            raise
        raise FileRefusedError(
            Code.DAMAGED_FILE, {"why": "its parts do not fit together"}
        ) from error
