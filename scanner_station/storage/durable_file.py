"""A file that is either there, whole and on disk, or not there at all."""

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from scanner_station.domain.errors import InputError, StorageError

_OWNER_ONLY: Final = 0o600
_OPEN_FILES: Final = Path("/proc/self/fd")
_NO_UNNAMED_FILES: Final = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT)


@contextlib.contextmanager
def written_durably(path: Path) -> Iterator[BinaryIO]:
    """Lend a new, seekable file that takes the name `path` when the block is left.

    Until then a file of that name is untouched; then it is replaced in one step, and the file
    and its folder are synchronised. Whatever ends the block early leaves nothing behind: where
    the file system allows it the file has no name while it is written, so that even a killed
    process leaves none. Only the owner may read it.

    Raises:
        InputError: there is no such folder, or the name belongs to something that is no file.
        StorageError: the disk failed or is full.
    """
    path = _checked_place(path)
    try:
        unnamed = _open_unnamed(path.parent)
        with _open_named(path) if unnamed is None else unnamed as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if unnamed is not None:
                _give_name(file, path)
    except OSError as error:
        raise StorageError(
            "%(path)s could not be written (%(why)s); nothing was left behind: free some space "
            "or write it elsewhere",
            path=str(path),
            why=error.strerror or str(error),
        ) from error
    confirm_name(path)


def confirm_name(path: Path) -> None:
    """Make the name that a file or folder was just given survive a power cut.

    Raises:
        StorageError: the disk did not confirm it.
    """
    try:
        synchronise_folder(path.parent)
    except OSError as error:
        raise StorageError(
            "%(path)s is there, but the disk did not confirm it (%(why)s): do not rely on it; "
            "check the disk, then write it again",
            path=str(path),
            why=error.strerror or str(error),
        ) from error


def synchronise_tree(folder: Path) -> None:
    """Have all files in a folder, and the folders in it, on disk.

    Raises:
        OSError: the disk failed.
    """
    # One wait for all first: there may be thousands. It tells of no error; each file then does.
    os.sync()
    for place, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(place, name), "rb") as file:  # noqa: PTH118, PTH123 - thousands
                os.fsync(file.fileno())
        synchronise_folder(Path(place))


def synchronise_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _checked_place(path: Path) -> Path:
    # Through a link to what it names: renaming would put the file in place of the link.
    path = path.resolve()
    if not path.parent.is_dir():
        raise InputError(
            "%(path)s cannot be written: the folder %(folder)s does not exist; make it first",
            path=str(path),
            folder=str(path.parent),
        )
    if path.exists() and not path.is_file():
        raise InputError("%(path)s is not a file; choose another name", path=str(path))
    return path


def _open_unnamed(folder: Path) -> BinaryIO | None:
    # Without /proc it could never be given its name.
    if not _OPEN_FILES.is_dir():
        return None
    flags = os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC
    try:
        return os.fdopen(os.open(folder, flags, _OWNER_ONLY), "w+b")
    except OSError as error:
        if error.errno in _NO_UNNAMED_FILES:
            return None
        raise


def _give_name(file: BinaryIO, path: Path) -> None:
    # A link cannot replace a file, a rename can. `src_dir_fd` is not used for an absolute path; it
    # makes Python call linkat(2), the only one that follows the link in /proc to the file.
    beside = _free_name(path)
    os.link(_OPEN_FILES / str(file.fileno()), beside, src_dir_fd=file.fileno())
    _rename(beside, path)


@contextlib.contextmanager
def _open_named(path: Path) -> Iterator[BinaryIO]:
    beside = _free_name(path)
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(beside, flags, _OWNER_ONLY), "w+b") as file:
            yield file
        _rename(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def _rename(beside: Path, path: Path) -> None:
    try:
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _free_name(path: Path) -> Path:
    return path.with_name(f".{secrets.token_hex(8)}.partial")
