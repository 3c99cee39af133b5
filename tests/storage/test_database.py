"""The database of an earlier version goes on with everything that stood in it."""

import sqlite3
from pathlib import Path

import pytest

from scanner_station.storage import database, scan_log
from scanner_station.storage.database import Database

READ = ("select body, nodes, identifier, payload, nonce from entry{} order by sequence").format
BATCH = (
    "insert into batch (slug, title, place, held_on, schemes, serial_pattern, state, created_at,"
    " created_by) values ('alak', 'Alak', '', '', 'nik', '', 'open', '', '')"
)


def test_what_opens_the_entries_moves_into_their_rows_and_nothing_else_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sections = database._sections()
    with monkeypatch.context() as patch:
        earlier = [one for one in sections if one[0] < "060"]
        patch.setattr(database, "_sections", lambda: earlier)
        old = Database(tmp_path)
    with old.transaction() as connection:
        connection.execute(BATCH)
        connection.executemany(
            "insert into entry values (1, ?, ?, ?)",
            [(n, f'{{"n":{n}}}', b"x" * 32) for n in (0, 1, 2)],
        )
        connection.execute("insert into opening values (1, 1, '9901', x'39393031', 'a')")
        connection.execute("insert into opening values (1, 2, '', x'ff', null)")
    before = old.connection.execute(
        READ(" left join opening using (batch_id, sequence)")
    ).fetchall()
    old.close()

    new = Database(tmp_path)
    after = new.connection.execute(READ("")).fetchall()
    assert [(*row[:2], row[2] or "", *row[3:]) for row in before] == [
        (*row[:2], row[2] or "", *row[3:]) for row in after
    ]
    assert [row[2] for row in after] == [None, "9901", None]
    assert scan_log.sequence_of_nonce(new.connection, 1, "a") == 1
    with pytest.raises(sqlite3.IntegrityError, match="never changed"):
        new.connection.execute("update entry set nodes = x''")
    with pytest.raises(sqlite3.IntegrityError, match="nonce"):
        new.connection.execute(
            "insert into entry (batch_id, sequence, body, nonce) values (1, 3, '{}', 'a')"
        )
    new.close()
