"""The database of an earlier version goes on with everything that stood in it."""

import sqlite3
from pathlib import Path

import pytest

from scanner_station.domain.errors import FolderInUseError, StorageError
from scanner_station.storage import custody, database, scan_log
from scanner_station.storage.database import FILE_NAME, Database, FolderLock, open_to_read
from scanner_station.storage.entry_key import key_of

READ = ("select body, nodes, identifier, payload, nonce from entry{} order by sequence").format
BATCH = (
    "insert into batch (slug, title, place, held_on, schemes, serial_pattern, state, created_at,"
    " created_by) values ('alak', 'Alak', '', '', 'nik', '', 'open', '', '')"
)


@pytest.fixture
def earlier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The database of a station of which entries were opened in a table of their own."""
    sections = [one for one in database._sections() if one[0] < "060"]
    with monkeypatch.context() as patch:
        patch.setattr(database, "_sections", lambda: sections)
        return Database(tmp_path)


def test_what_opens_the_entries_moves_into_their_rows_and_nothing_else_changes(
    tmp_path: Path, earlier: Database
) -> None:
    with earlier.transaction() as connection:
        connection.execute(BATCH)
        connection.executemany(
            "insert into entry values (1, ?, ?, ?)",
            [(n, f'{{"n":{n}}}', b"x" * 32) for n in (0, 1, 2)],
        )
        connection.execute("insert into opening values (1, 1, '9901', x'39393031', 'a')")
        connection.execute("insert into opening values (1, 2, '', x'ff', null)")
        connection.execute("insert into photograph values (1, 2, x'ffd8')")
    before = earlier.connection.execute(
        READ(" left join opening using (batch_id, sequence)")
    ).fetchall()
    earlier.close()

    new = Database(tmp_path)
    after = new.connection.execute(READ("")).fetchall()
    assert [(*row[:2], row[2] or "", *row[3:]) for row in before] == [
        (*row[:2], row[2] or "", *row[3:]) for row in after
    ]
    assert [row[2] for row in after] == [None, "9901", None]
    assert scan_log.sequence_of_nonce(new.connection, 1, "a") == 1
    assert custody.photograph(new.connection, 1, 2) == b"\xff\xd8"
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        custody.keep_photograph(new.connection, 1, 3, b"\xff\xd8")
    with pytest.raises(sqlite3.IntegrityError, match="never changed"):
        new.connection.execute("update entry set nodes = x''")
    with pytest.raises(sqlite3.IntegrityError, match="nonce"):
        new.connection.execute(
            "insert into entry (key, body, nonce) values (?, '{}', 'a')", (key_of(1, 3),)
        )
    new.close()


def test_a_folder_of_an_earlier_version_is_brought_up_to_date_by_whoever_reads_it_first(
    tmp_path: Path, earlier: Database
) -> None:
    with earlier.transaction() as connection:
        connection.execute(BATCH)
    earlier.close()
    lock = FolderLock(tmp_path)
    with pytest.raises(FolderInUseError, match="in use by a running station"):
        open_to_read(tmp_path)
    lock.release()
    reading = open_to_read(tmp_path)
    assert reading.execute("select count(identifier) from entry").fetchone() == (0,)
    reading.close()
    FolderLock(tmp_path).release()


def test_a_folder_of_a_later_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    later = Database(tmp_path)
    later.connection.execute(
        "insert into _sqlite_migrations select null, 'station', '999_later', ''"
    )
    later.close()
    before = (tmp_path / FILE_NAME).read_bytes()
    for opening in (Database, open_to_read):
        with pytest.raises(StorageError, match="newer version"):
            opening(tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == before
