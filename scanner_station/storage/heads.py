"""Signed heads and cosignatures as rows, for ever; none of these functions commits."""

from collections.abc import Iterator
from dataclasses import dataclass
from sqlite3 import Connection

from scanner_station.domain.checkpoint import SignedHead
from scanner_station.domain.note import VerifierKey


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredHead:
    """A head that was signed, with its cosignatures, and when (an entry's timestamp)."""

    head: SignedHead
    signed_at: str


def insert(connection: Connection, batch_id: int, head: SignedHead, signed_at: str) -> None:
    """Keep a head that the log's key has signed; a size has one head."""
    checkpoint = head.checkpoint
    connection.execute(
        "insert into checkpoint (batch_id, size, root, note, signed_at) values (?, ?, ?, ?, ?)",
        (batch_id, checkpoint.size, checkpoint.root, bytes(head).decode(), signed_at),
    )


def find(connection: Connection, batch_id: int, size: int) -> StoredHead | None:
    """Return the head at a size, cosignatures in the order of their names, or None."""
    return _one(connection, batch_id, "size = ?", size)


def newest(connection: Connection, batch_id: int) -> StoredHead | None:
    """Return the head of the greatest size, or None."""
    return _one(connection, batch_id, "size >= ? order by size desc limit 1", 0)


def roots(connection: Connection, batch_id: int) -> Iterator[tuple[int, bytes]]:
    """Yield (size, root) of every signed head, by size."""
    yield from connection.execute(
        "select size, root from checkpoint where batch_id = ? order by size", (batch_id,)
    )


def is_any(connection: Connection) -> bool:
    """Whether this station has ever signed a head."""
    return connection.execute("select 1 from checkpoint limit 1").fetchone() is not None


def newest_note(connection: Connection) -> object:
    """Return the note of the newest batch's newest head; if the file is damaged, anything."""
    found = connection.execute(
        "select note from checkpoint order by batch_id desc, size desc limit 1"
    ).fetchone()
    return found[0] if found else None


def insert_cosignature(
    connection: Connection, batch_id: int, size: int, name: str, line: str, received_at: str
) -> None:
    """Keep a witness's signature on the head at a size; a second one changes nothing."""
    connection.execute(
        "insert into cosignature values (?, ?, ?, ?, ?) on conflict do nothing",
        (batch_id, size, name, line, received_at),
    )


def insert_witness(connection: Connection, batch_id: int, key: VerifierKey, sequence: int) -> None:
    """Keep a witness's key that an entry names."""
    connection.execute(
        "insert into witness_key values (?, ?, ?, ?)", (batch_id, key.name, key.text, sequence)
    )


def witnesses(connection: Connection, batch_id: int, size: int) -> list[VerifierKey]:
    """Return the witnesses' keys that the first `size` entries name, in order."""
    found = connection.execute(
        "select vkey from witness_key where batch_id = ? and sequence < ? order by sequence",
        (batch_id, size),
    )
    return [VerifierKey.parse(text) for (text,) in found]


def named_at(connection: Connection, batch_id: int, key: VerifierKey) -> int | None:
    """Return the entry that names a witness's key, or None."""
    row = connection.execute(
        "select sequence from witness_key where batch_id = ? and vkey = ?", (batch_id, key.text)
    ).fetchone()
    return None if row is None else int(row[0])


def _one(connection: Connection, batch_id: int, where: str, size: int) -> StoredHead | None:
    row = connection.execute(
        "select size, note, signed_at from checkpoint where batch_id = ? and " + where,  # noqa: S608 - our own text
        (batch_id, size),
    ).fetchone()
    if row is None:
        return None
    lines = connection.execute(
        "select line from cosignature where batch_id = ? and size = ? order by name",
        (batch_id, row[0]),
    )
    note = row[1] + "".join(line for (line,) in lines)
    return StoredHead(head=SignedHead.parse(note.encode()), signed_at=row[2])
