"""A bundle's files in a folder, or in a zip archive that has one spelling for the same files.

The archive is not compressed: what a compressor writes differs from version to version, and then
nobody could say that every byte is as it was. Members are dated 1980.

Source: PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16.
"""

import io
import mmap
import os
import secrets
import shutil
import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, Protocol

from scanner_station.domain.errors import InputError, StorageError, VerificationError
from scanner_station.storage.durable_file import confirm_name, synchronise_tree, written_durably

_LOCAL: Final = struct.Struct("<4s5H3L2H")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_END: Final = struct.Struct("<4s4H2LH")
_VERSION: Final = 10
_UNIX: Final = 3 << 8
_DATE: Final = 1 << 5 | 1
_MODE: Final = 0o100644 << 16
_LOCAL_MARK: Final = b"PK\3\4"
_CENTRAL_MARK: Final = b"PK\1\2"
_END_MARK: Final = b"PK\5\6"
_MOST_BYTES: Final = 0xF0000000
_MOST_FILES: Final = 0xFFFF
_BLOCK_BYTES: Final = 1 << 20
LONGEST_LINE: Final = 1 << 16
"""Longer than a line of a manifest or of openings can be."""
_MOST_FOLDERS: Final = 8
_MOST_READ_BYTES: Final = 1 << 25
"""Of a file that is read at once: a tile of the longest entries is half of it."""


class Reading(Protocol):
    """The files of a bundle, by name; `is_ordered`: the order of `names` is part of it."""

    names: list[str]
    is_ordered: bool

    def read(self, name: str) -> bytes:
        """Return a file's bytes.

        Raises:
            VerificationError: it is not there, or the archive around it was changed.
        """
        ...

    def blocks(self, name: str) -> Iterator[bytes]:
        """Yield a file's bytes in blocks that end with a line, but for the last perhaps."""
        ...


class Writing(Protocol):
    """Takes the files of a bundle, in the order that an archive has them."""

    def write(self, name: str, parts: Iterable[bytes]) -> None:
        """Write one file."""
        ...


@contextmanager
def written(path: Path) -> Iterator[Writing]:
    """Lend a bundle that takes its name when the block is left, durably; a zip if named so.

    Raises:
        InputError: something else has that name, or it cannot be there.
        StorageError: the disk failed or is full.
    """
    if path.suffix.lower() == ".zip":
        with written_durably(path) as file:
            archive = _ZipWriting(file)
            yield archive
            archive.finish()
        return
    with _written_folder(path) as folder:
        yield folder


@contextmanager
def opened(path: Path) -> Iterator[Reading]:
    """Lend the files of a bundle to read.

    Raises:
        VerificationError: there is none, or the archive is not as it would be written.
    """
    try:
        if path.is_dir():
            yield _FolderReading(path)
            return
        if path.exists() and not path.is_file():
            raise VerificationError("%(path)s is neither a folder nor a file", path=str(path))
        with path.open("rb") as file:
            if not os.fstat(file.fileno()).st_size:
                raise VerificationError("%(path)s is empty", path=str(path))
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                yield _ZipReading(data)
    except OSError as error:
        raise VerificationError(
            "%(path)s cannot be read (%(why)s)",
            path=str(error.filename or path),
            why=error.strerror or str(error),
        ) from error


@contextmanager
def _written_folder(path: Path) -> Iterator["_FolderWriting"]:
    path = path.resolve()
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputError("%(path)s is there already; choose another name", path=str(path))
    if not path.parent.is_dir():
        raise InputError(
            "%(path)s cannot be written: the folder %(folder)s does not exist; make it first",
            path=str(path),
            folder=str(path.parent),
        )
    beside = path.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        beside.mkdir(mode=0o755)
        yield _FolderWriting(beside)
        synchronise_tree(beside)
        beside.rename(path)
    except OSError as error:
        raise StorageError(
            "%(path)s could not be written (%(why)s); nothing was left behind: free some space "
            "or write it elsewhere",
            path=str(path),
            why=error.strerror or str(error),
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    confirm_name(path)


class _FolderWriting:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, parts: Iterable[bytes]) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.writelines(parts)


class _FolderReading:
    is_ordered = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.names = sorted(self._walk(folder, ""))

    def _walk(self, folder: Path, prefix: str) -> Iterator[str]:
        if prefix.count("/") > _MOST_FOLDERS:
            raise VerificationError("%(name)s does not belong here", name=prefix)
        is_empty = True
        with os.scandir(folder) as found:
            for entry in found:
                is_empty = False
                name = prefix + entry.name
                if entry.is_dir(follow_symlinks=False):
                    yield from self._walk(folder / entry.name, name + "/")
                elif entry.is_file(follow_symlinks=False):
                    yield name
                else:
                    raise VerificationError("%(name)s is no file", name=name)
        if is_empty and prefix:
            raise VerificationError("%(name)s is an empty folder", name=prefix)

    def read(self, name: str) -> bytes:
        try:
            # At once and without a buffer: a bundle has thousands of small files.
            with io.FileIO(f"{self._folder}/{name}") as file:
                _require_small(name, os.fstat(file.fileno()).st_size)
                return file.read()
        except FileNotFoundError as error:
            raise VerificationError("%(name)s is missing", name=name) from error

    def blocks(self, name: str) -> Iterator[bytes]:
        with (self._folder / name).open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                yield block + file.readline(LONGEST_LINE)


class _ZipWriting:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._members: list[_Member] = []

    def write(self, name: str, parts: Iterable[bytes]) -> None:
        start = self._file.tell()
        self._file.write(_Member(name, start, 0, 0).local)
        size = crc = 0
        for part in parts:
            crc = zlib.crc32(part, crc)
            size += len(part)
            self._file.write(part)
        member = _Member(name, start, size, crc)
        self._members.append(member)
        _require_fitting(self._file.tell(), len(self._members))
        self._file.seek(start)
        self._file.write(member.local)
        self._file.seek(0, io.SEEK_END)

    def finish(self) -> None:
        """Write what stands behind the members."""
        self._file.write(_end_of_archive(self._members, self._file.tell()))


class _ZipReading:
    is_ordered = True

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._members: dict[str, _Member] = {}
        place = 0
        while data[place : place + 4] == _LOCAL_MARK:
            member = self._member_at(place)
            if member.name in self._members:
                raise VerificationError("%(name)s is in the archive twice", name=member.name)
            self._members[member.name] = member
            if len(self._members) > _MOST_FILES:
                raise VerificationError("the archive holds too many files for a bundle")
            place = member.end
        end = _end_of_archive(list(self._members.values()), place)
        # By length first: what follows may be a whole disk.
        if len(data) - place != len(end) or data[place:] != end:
            if not place:
                raise _packed_otherwise()
            raise VerificationError("the archive was changed at or behind byte %(at)s", at=place)
        self.names = list(self._members)

    def _member_at(self, place: int) -> "_Member":
        header = self._data[place : place + _LOCAL.size]
        if len(header) == _LOCAL.size:
            fields = _LOCAL.unpack(header)
            size, crc, length = fields[8], fields[6], fields[9]
            name = self._data[place + _LOCAL.size : place + _LOCAL.size + length]
            member = _Member(name.decode("ascii", "replace"), place, size, crc)
            if member.local == header + name and member.end <= len(self._data):
                return member
        if not place:
            raise _packed_otherwise()
        raise VerificationError("the archive was changed at byte %(at)s", at=place)

    def read(self, name: str) -> bytes:
        member = self._members.get(name)
        if member is None:
            raise VerificationError("%(name)s is missing", name=name)
        _require_small(name, member.size)
        data = self._data[member.end - member.size : member.end]
        if zlib.crc32(data) != member.crc:
            raise VerificationError("%(name)s was changed", name=name)
        return data

    def blocks(self, name: str) -> Iterator[bytes]:
        member = self._members[name]
        place, crc = member.end - member.size, 0
        while place < member.end:
            start = min(place + _BLOCK_BYTES, member.end)
            most = min(start + LONGEST_LINE, member.end)
            end = self._data.find(b"\n", start, most)
            end = most if end < 0 else end + 1
            block = self._data[place:end]
            crc = zlib.crc32(block, crc)
            yield block
            place = end
        if crc != member.crc:
            raise VerificationError("%(name)s was changed", name=name)


class _Member(NamedTuple):
    name: str
    start: int
    size: int
    crc: int

    @property
    def local(self) -> bytes:
        """The header before the file's bytes."""
        fields = (_VERSION, 0, 0, 0, _DATE, self.crc, self.size, self.size, len(self.name), 0)
        return _LOCAL.pack(_LOCAL_MARK, *fields) + self.name.encode()

    @property
    def end(self) -> int:
        """Where the file's bytes end."""
        return self.start + _LOCAL.size + len(self.name.encode()) + self.size

    @property
    def central(self) -> bytes:
        """The line in the archive's list of files."""
        about = (_UNIX | _VERSION, _VERSION, 0, 0, 0, _DATE, self.crc, self.size, self.size)
        where = (len(self.name), 0, 0, 0, 0, _MODE, self.start)
        return _CENTRAL.pack(_CENTRAL_MARK, *about, *where) + self.name.encode()


def _end_of_archive(members: list[_Member], start: int) -> bytes:
    listed = b"".join(member.central for member in members)
    count = len(members)
    return listed + _END.pack(_END_MARK, 0, 0, count, count, len(listed), start, 0)


def _packed_otherwise() -> VerificationError:
    return VerificationError(
        "it is no archive as a station writes it; if another program packed it anew, unpack it and "
        "name the folder"
    )


def _require_small(name: str, size: int) -> None:
    if size > _MOST_READ_BYTES:
        raise VerificationError("%(name)s is too large for what it should be", name=name)


def _require_fitting(size: int, count: int) -> None:
    if size > _MOST_BYTES or count > _MOST_FILES:
        raise InputError("the bundle is too large for a zip file; write it into a folder")
