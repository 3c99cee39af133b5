"""A manifest file as it came in: what it really is, and its rows in blocks.

Nothing here judges a card; see manifest_check for that.
"""

import codecs
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from scanner_station.domain.errors import ManifestError
from scanner_station.domain.manifest import Remark
from scanner_station.domain.manifest_header import Columns
from scanner_station.domain.manifest_problems import Code, Problem, Values

BLOCK_ROWS: Final = 16_384
_CHUNK_BYTES: Final = 1 << 20
_SAMPLE_BYTES: Final = 4096

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class FileRefusedError(ManifestError):
    """The file as a whole, or its header, cannot be used; `problem` says why."""

    def __init__(self, code: Code, values: Values | None = None, *, line: int = 0) -> None:
        self.problem = Problem(code=code, line=line, values=values or {})
        super().__init__(self.problem.reason, **self.problem.values)


@dataclass(slots=True, kw_only=True)
class Block:
    """Some rows after one another and the line each begins in, as cells or packed.

    `packed` rows (see csv_pack) are plain text; if it is empty, `rows` has the cells as they
    stand. `odd` holds what could not be read as text, by index into `rows`: a code and the value
    that may be shown masked; such a row's identifier cell is ''.
    """

    lines: Sequence[int]
    packed: bytes = b""
    rows: list[list[str]] = field(default_factory=list)
    odd: dict[int, tuple[Code, str]] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Table:
    """A file whose header was found.

    `blocks` yields the rows below the header once; `position` tells (done, total) meanwhile.
    `above` are the rows above the header with their lines. `first_column` is the sheet column
    (from 0) of the first cell, None in CSV.
    """

    columns: Columns
    header_line: int
    above: list[tuple[int, list[str]]]
    blocks: Iterator[Block]
    position: Callable[[], tuple[int, int]]
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    first_column: int | None = None
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What the bytes of a file say before anything is made of them. `sha256` is hex."""

    sha256: str
    size_bytes: int
    encoding: str
    content: str
    """What it is, in words, or '' for plain text."""


MAGIC: Final = (
    (b"PK\x03\x04", "an Excel workbook or another zip archive"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old or protected Office file"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"{\\rtf", "a word processor's document"),
    (b"\x1f\x8b", "a compressed file"),
    (b"7z\xbc\xaf\x27\x1c", "a compressed file"),
    (b"Rar!", "a compressed file"),
    (b"SQLite format 3\x00", "a database"),
    (b"\x7fELF", "a program, not a list"),
    (b"MZ\x90\x00", "a program, not a list"),
)
WORKBOOK: Final = MAGIC[0][1]
OLD_OFFICE: Final = MAGIC[2][1]
_MARKUP: Final = (
    b"<html",
    b"<!doctype",
    b"<table",
    b"<?xml",
    b"<head",
    b"<body",
    b"<meta",
    b"<div",
)
_UTF16_MIN_NULS: Final = 0.3


def survey(file: IO[bytes]) -> Survey:
    """Read a file through once: its hash, its kind and, if it is text, its encoding.

    Text is what its byte order mark says; without one UTF-16 if it is full of NULs, UTF-8 if
    all of it is, else Windows-1252. Libraries that guess from letter frequencies guess wrong.
    """
    file.seek(0)
    head = file.read(_SAMPLE_BYTES)
    file.seek(0)
    digest, size, is_utf8 = hashlib.sha256(), 0, True
    decoder = codecs.getincrementaldecoder("utf-8")()
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
        size += len(chunk)
        is_utf8 = is_utf8 and _goes_on_as_utf8(decoder, chunk)
    is_utf8 = is_utf8 and _goes_on_as_utf8(decoder, b"", final=True)
    file.seek(0)
    return Survey(
        sha256=digest.hexdigest(),
        size_bytes=size,
        encoding=_encoding(head, is_utf8=is_utf8),
        content=_content(head),
    )


def _goes_on_as_utf8(
    decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False
) -> bool:
    if chunk.isascii() and not final and not decoder.getstate()[0]:
        return True
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _encoding(head: bytes, *, is_utf8: bool) -> str:
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) > _UTF16_MIN_NULS * len(head) / 2:
        return "utf-16-be" if even > odd else "utf-16-le"
    return "utf-8" if is_utf8 else "cp1252"


def _content(head: bytes) -> str:
    for magic, name in MAGIC:
        if head.startswith(magic):
            return name
    start = head.removeprefix(codecs.BOM_UTF8).replace(b"\x00", b"").lstrip()[:16].lower()
    return "a web page" if start.startswith(_MARKUP) else ""


def refuse_false_name(file_name: str, content: str) -> None:
    """Refuse a file that is not what its name says, or nothing we read.

    Raises:
        FileRefusedError: with the reason.
    """
    ending = Path(file_name).suffix.lower()
    if content == OLD_OFFICE:
        raise FileRefusedError(Code.OLD_EXCEL if ending == ".xls" else Code.PASSWORD)
    is_workbook = content == WORKBOOK
    if ending in (".xlsx", ".xlsm"):
        as_named = is_workbook
    elif ending in (".csv", ".txt", ".tsv", ".tab"):
        as_named = not content
    else:
        # No ending, or one that promises nothing: what counts is the content. Other office
        # endings promise something we do not read.
        as_named = (is_workbook or not content) and ending not in (".xls", ".ods", ".pdf", ".xlsb")
    if not as_named:
        values: Values = {"ending": ending or "nothing", "content": content or "plain text"}
        raise FileRefusedError(Code.NOT_WHAT_ITS_NAME_SAYS, values)
