"""Erasing a batch's people, some rows at a time; none of these functions commits."""

from sqlite3 import Connection
from typing import Final

_ROWS_A_STEP: Final = 4096
_KEYS: Final = {
    "opening": "sequence",
    "piece": "identifier, piece",
    "photograph": "sequence",
    "manifest_line": "identifier",
}


def erase_secret(connection: Connection, batch_id: int) -> None:
    """Erase what made the batch's commitments; they can then be opened by nobody."""
    connection.execute("pragma secure_delete = on")
    connection.execute("delete from batch_secret where batch_id = ?", (batch_id,))


def erase_some(connection: Connection, batch_id: int, manifest_id: int | None) -> int:
    """Erase some of the rows that name people, overwriting them; return how many."""
    connection.execute("pragma secure_delete = on")
    erased = 0
    for table, column, owner in (
        ("opening", "batch_id", batch_id),
        ("piece", "batch_id", batch_id),
        ("photograph", "batch_id", batch_id),
        ("manifest_line", "manifest_id", manifest_id),
    ):
        names = _KEYS[table]
        erased += connection.execute(
            f"delete from {table} where {column} = ? and ({names}) in"  # noqa: S608 - our own names
            f" (select {names} from {table} where {column} = ? limit ?)",
            (owner, owner, _ROWS_A_STEP),
        ).rowcount
    if not erased:
        # Of a short file even the digest would let its numbers be guessed.
        connection.execute(
            "update manifest set file_name = '', sha256 = '' where id = ?", (manifest_id,)
        )
        connection.execute("pragma secure_delete = fast")
    return erased
