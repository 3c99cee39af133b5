"""A manifest without its people: the commitments to its cards, with category and pieces.

This is the file `manifest` of a bundle: one line of canonical JSON for each identifier, sorted by
commitment. Its digest stands in the log's opening entry.
"""

import hashlib
from collections.abc import Callable, Iterator
from sqlite3 import Connection

from scanner_station.domain.entry import committing, manifest_line

Progress = Callable[[int, int], None]

_LINES_A_STEP = 4096


Row = tuple[str, str, int]
"""(card, category, pieces)"""


def rows(connection: Connection, manifest_id: int, secret: bytes) -> Iterator[Row]:
    """Yield the commitments in order, in bounded memory; once forgotten, those that were kept.

    `secret`: the batch's, b'' once forgotten.
    """
    if not secret:
        kept = "select card, category, pieces from manifest_commitment where manifest_id = ?"
        yield from connection.execute(kept + " order by card", (manifest_id,))
        return
    connection.create_function("card", 1, committing(secret), deterministic=True)
    yield from connection.execute(
        "select card(identifier) as card, category, pieces from manifest_line"
        " where manifest_id = ? order by 1",
        (manifest_id,),
    )


def line_of(row: Row) -> bytes:
    """Return the line of one commitment, with its end."""
    return manifest_line(*row)


def lines(connection: Connection, manifest_id: int, secret: bytes) -> Iterator[bytes]:
    """Yield the lines of the file."""
    return map(line_of, rows(connection, manifest_id, secret))


def keep(connection: Connection, manifest_id: int, some: list[Row]) -> None:
    """Keep commitments for when the secret is gone; again, if it was interrupted."""
    connection.executemany(
        "insert or ignore into manifest_commitment values (?, ?, ?, ?)",
        [(manifest_id, *row) for row in some],
    )


def count(connection: Connection, manifest_id: int) -> int:
    """Return how many lines there are."""
    found = connection.execute("select lines from manifest where id = ?", (manifest_id,)).fetchone()
    return int(found[0])


def digest(
    connection: Connection, manifest_id: int, secret: bytes, progress: Progress | None = None
) -> str:
    """Return the SHA-256 of the lines in hex."""
    total = count(connection, manifest_id)
    found = hashlib.sha256()
    for done, line in enumerate(lines(connection, manifest_id, secret)):
        found.update(line)
        if progress is not None and done % _LINES_A_STEP == 0:
            progress(done, total)
    return found.hexdigest()


def digest_of(connection: Connection, manifest_id: int) -> str:
    """Return the digest that is kept, '' while there is none."""
    row = connection.execute(
        "select commitments_sha256 from manifest where id = ?", (manifest_id,)
    ).fetchone()
    return str(row[0])


def keep_digest(connection: Connection, manifest_id: int, sha256: str) -> None:
    """Keep the digest with the manifest."""
    connection.execute(
        "update manifest set commitments_sha256 = ? where id = ?", (sha256, manifest_id)
    )
