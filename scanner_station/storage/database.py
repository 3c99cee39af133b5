"""The one SQLite file: opened by one writer under a folder lock, read beside it by anyone.

SQLite before 3.51.3 can corrupt a WAL database when two connections write and checkpoint at
the same instant (https://www.sqlite.org/wal.html), so there is exactly one writing connection.
"""

import fcntl
import os
import re
import secrets
import sqlite3
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scanner_station.domain.errors import FolderInUseError, StorageError
from scanner_station.storage.durable_file import synchronise_folder

if TYPE_CHECKING:
    import sqlite_utils

FILE_NAME: Final = "station.sqlite3"
LOCK_NAME: Final = "lock"
_WAL_PAGES_BEFORE_CHECKPOINT: Final = 250


class FolderLock:
    """The right to write one data folder; the operating system frees it if the process dies."""

    def __init__(self, folder: Path) -> None:
        """Take the lock, making the folder (owner-only) if need be.

        Raises:
            FolderInUseError: another process has it.
            StorageError: the folder cannot be made or written.
        """
        try:
            _make(folder)
            self._file = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageError(
                "the data folder %(folder)s cannot be written (%(why)s); "
                "name another one with --data",
                folder=str(folder),
                why=error.strerror or str(error),
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._file, 32, 0).decode("ascii", "replace").strip() or "?"
            os.close(self._file)
            raise FolderInUseError(
                "the data folder %(folder)s is in use by a running station (process %(holder)s); "
                "use its pages, or stop it first",
                folder=str(folder),
                holder=holder,
            ) from error
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the lock back; safe twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _make(folder: Path) -> None:
    # Also the folders above it are new perhaps, and each name must survive a power cut.
    new = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for one in new:
        synchronise_folder(one.parent)


class Database:
    """The writing connection. Owned by the station, which calls it under its own lock."""

    def __init__(self, folder: Path) -> None:
        """Open or create the file, bring its schema up to date, and check how durable it is.

        Raises:
            StorageError: the file is damaged, or write-ahead logging with full
                synchronisation cannot be had on this disk.
        """
        self.path = folder / FILE_NAME
        try:
            self.connection = _connect(self.path)
            _assert_durable(self.connection)
            _migrate(self.connection)
        except sqlite3.Error as error:
            raise _failure(error, self.path) from error

    def transaction(self) -> "Transaction":
        """Return one durable transaction: on disk when its block is left, or not at all.

        Raises:
            StorageError: any step failed, the commit included; whether the commit landed is
                then unknown, and the caller must rebuild what it believes from the file.
        """
        return Transaction(self)

    def _commit(self) -> None:
        self.connection.execute("commit")

    def _roll_back(self) -> None:
        # The error that brought us here is the one to report; a connection that cannot even
        # roll back is thrown away by whoever handles that error.
        try:
            if self.connection.in_transaction:
                self.connection.execute("rollback")
        except sqlite3.Error:
            pass

    def compact(self) -> None:
        """Rewrite the file without what was deleted, and empty the write-ahead log.

        Raises:
            StorageError: it failed, or somebody who is still reading holds the old pages.
        """
        try:
            self.connection.execute("vacuum")
            found = self.connection.execute("pragma wal_checkpoint(truncate)").fetchone()
        except sqlite3.Error as error:
            raise _failure(error, self.path) from error
        if found[0]:
            raise StorageError(
                "%(path)s was not emptied of what was deleted, because somebody is still reading "
                "it; close the pages and exports, then do it again",
                path=self.path.name,
            )

    def close(self) -> None:
        """Close the connection; safe twice."""
        self.connection.close()


class Transaction:
    """One durable transaction of a database, as `Database.transaction` says.

    A class and no generator: every card goes through here, and a generator costs it 2 µs.
    """

    __slots__ = ("_database",)

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> sqlite3.Connection:
        try:
            self._database.connection.execute("begin immediate")
        except sqlite3.Error as error:
            raise _failure(error, self._database.path) from error
        return self._database.connection

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        failed = error
        if error is None:
            try:
                self._database._commit()
            except BaseException as stopped:  # noqa: BLE001 - raised below
                failed = stopped
            else:
                return
        self._database._roll_back()
        if isinstance(failed, sqlite3.Error):
            raise _failure(failed, self._database.path) from failed
        if failed is not error and failed is not None:
            raise failed


def open_to_read(folder: Path) -> sqlite3.Connection:
    """Return a connection that can only read, to be used beside the writer.

    A folder of an earlier version is brought up to date first.

    Raises:
        FolderInUseError: it is of an earlier version, which is running.
        StorageError: there is no station in this folder, it is of a later version, or the file is
            damaged.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        raise StorageError(
            "there is no station in the data folder %(folder)s; create a batch there first, or "
            "name another folder with --data",
            folder=str(folder),
        )
    try:
        connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=5,
        )
        if not _pending(connection):
            return connection
        connection.close()
    except sqlite3.Error as error:
        raise _failure(error, path) from error
    _bring_up_to_date(folder)
    return open_to_read(folder)


def new_secret(size_bytes: int) -> bytes:
    """Return random bytes from the operating system."""
    return secrets.token_bytes(size_bytes)


def _connect(path: Path) -> sqlite3.Connection:
    # Made here rather than by SQLite so that it is owner-readable from its first byte.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    connection.execute("pragma journal_mode = wal").fetchone()
    connection.execute("pragma synchronous = full")
    connection.execute("pragma foreign_keys = on")
    connection.execute("pragma secure_delete = fast")
    connection.execute(f"pragma wal_autocheckpoint = {_WAL_PAGES_BEFORE_CHECKPOINT}")
    return connection


def _assert_durable(connection: sqlite3.Connection) -> None:
    mode = connection.execute("pragma journal_mode").fetchone()[0]
    level = connection.execute("pragma synchronous").fetchone()[0]
    if (mode, level) != ("wal", 2):
        raise StorageError(
            "this disk does not give the database write-ahead logging with full synchronisation "
            "(got %(mode)s, %(level)s); use a local disk for the data folder",
            mode=mode,
            level=level,
        )


def _bring_up_to_date(folder: Path) -> None:
    lock = FolderLock(folder)
    try:
        Database(folder).close()
    finally:
        lock.release()


def _pending(connection: sqlite3.Connection) -> list[str]:
    # The migrations that the file lacks.
    applied = set[str]()
    if connection.execute(
        "select 1 from sqlite_schema where name = '_sqlite_migrations'"
    ).fetchone():
        rows = connection.execute(
            "select name from _sqlite_migrations where migration_set = 'station'"
        )
        applied.update(name for (name,) in rows)
    known = [name for name, _ in _sections()]
    if not applied.issubset(known):
        raise StorageError(
            "the data folder was last written by a newer version of this program; install that "
            "version, or name another folder with --data"
        )
    return [name for name in known if name not in applied]


def _migrate(connection: sqlite3.Connection) -> None:
    if not _pending(connection):
        return
    import sqlite_utils  # brings numpy along, for which a command that only reads need not wait

    migrations = sqlite_utils.Migrations("station")
    for name, script in _sections():
        _register(migrations, name, script)
    migrations.apply(sqlite_utils.Database(connection))


@cache
def _sections() -> list[tuple[str, str]]:
    text = resources.files("scanner_station.storage").joinpath("schema.sql").read_text("utf-8")
    parts = re.split(r"^-- migration: (\w+)$", text, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def _register(migrations: "sqlite_utils.Migrations", name: str, script: str) -> None:
    @migrations(name=name)
    def apply(db: "sqlite_utils.Database") -> None:
        for statement in _statements(script):
            db.conn.execute(statement)


def _statements(script: str) -> Iterator[str]:
    # executescript would commit the migration's transaction half-way.
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""


def _failure(error: sqlite3.Error, path: Path) -> StorageError:
    return StorageError(
        "the database %(path)s failed (%(why)s); counting has stopped: check the disk, then "
        "start the station again",
        path=path.name,
        why=str(error),
    )
