"""Erasing a batch's people, some rows at a time; none of these functions commits."""

from sqlite3 import Connection
from typing import Final

from scanner_station.storage.entry_key import IN_SPAN, span_of

ROWS_A_STEP: Final = 4096
_KEYS: Final = {
    "piece": "identifier, piece",
    "photograph": "sequence",
    "manifest_line": "identifier",
}


def erase_secret(connection: Connection, batch_id: int) -> None:
    """Erase what made the batch's commitments; they can then be opened by nobody."""
    connection.execute("pragma secure_delete = on")
    connection.execute("delete from batch_secret where batch_id = ?", (batch_id,))


def erase_some(connection: Connection, batch_id: int, manifest_id: int | None, start: int) -> int:
    """Erase some of what names people, overwriting it; return how many rows, 0 for no more.

    `start`: how many entries of the log are through already; `ROWS_A_STEP` more are at each call.
    """
    connection.execute("pragma secure_delete = on")
    # All of them, whether they hold something or not: so that 0 means the end of the log.
    erased = connection.execute(
        f"update entry set identifier = null, payload = null, nonce = null where {IN_SPAN}",  # noqa: S608 - ours
        span_of(batch_id, first=start, last=start + ROWS_A_STEP - 1),
    ).rowcount
    for table, column, owner in (
        ("piece", "batch_id", batch_id),
        ("photograph", "batch_id", batch_id),
        ("manifest_line", "manifest_id", manifest_id),
    ):
        names = _KEYS[table]
        erased += connection.execute(
            f"delete from {table} where {column} = ? and ({names}) in"  # noqa: S608 - our own names
            f" (select {names} from {table} where {column} = ? limit ?)",
            (owner, owner, ROWS_A_STEP),
        ).rowcount
    if not erased:
        # Of a short file even the digest would let its numbers be guessed.
        connection.execute(
            "update manifest set file_name = '', sha256 = '' where id = ?", (manifest_id,)
        )
        connection.execute("pragma secure_delete = fast")
    return erased
