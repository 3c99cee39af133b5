"""The tree over a log's entries as it is kept: with each entry, the subtrees that it completes.

Every function takes a connection inside the caller's transaction; none commits.
"""

from collections.abc import Iterable, Iterator
from sqlite3 import Connection
from typing import Final

from scanner_station.domain import merkle
from scanner_station.domain.errors import StorageError
from scanner_station.storage.entry_key import IN_SPAN, key_of, span_of

_ENTRIES_AT_A_TIME: Final = 2000
_NODE: Final = "select substr(nodes, ?, 32) from entry where key = ?"


def nodes_of(connection: Connection, batch_id: int) -> merkle.Nodes:
    """Return the subtrees of one log.

    Asked for one that the log does not have, they raise `StorageError`.
    """

    def node(height: int, index: int) -> bytes:
        sequence, place = merkle.packed_place(height, index)
        found = connection.execute(_NODE, (place.start + 1, key_of(batch_id, sequence))).fetchone()
        if found is None or len(found[0]) != merkle.HASH_BYTES:
            raise _damaged(connection, batch_id, sequence)
        return bytes(found[0])

    return node


def edge_of(connection: Connection, batch_id: int, size: int) -> merkle.Frontier:
    """Return the edge of the tree over the first `size` entries, ready to grow.

    Raises:
        StorageError: an entry that it needs is not there.
    """
    nodes, edge = nodes_of(connection, batch_id), merkle.Frontier()
    for height in reversed(range(size.bit_length())):
        if size >> height & 1:
            edge.append(nodes(height, edge.size >> height), height)
    return edge


def root(connection: Connection, batch_id: int, size: int) -> bytes:
    """Return the root over the first `size` entries."""
    return merkle.root_of(size, nodes_of(connection, batch_id))


def check(connection: Connection, batch_id: int, roots: Iterable[tuple[int, bytes]]) -> None:
    """Check a whole log as `checked` does.

    Raises:
        StorageError: as `checked`.
    """
    for _ in checked(connection, batch_id, roots):
        pass


def checked(
    connection: Connection, batch_id: int, roots: Iterable[tuple[int, bytes]]
) -> Iterator[int]:
    """Compute the whole tree anew from the entries and compare; yield how many are done.

    `roots` are (size, root) of the heads that were signed, by size. What is yielded now and then
    lets the caller rest or stop; only who takes it all has checked the log.

    Raises:
        StorageError: an entry, a hash or a signed head does not agree with the others; it says
            which.
    """
    signed, edge, size = dict(roots), merkle.Frontier(), 0
    rows = connection.execute(
        f"select sequence, cast(body as blob), nodes from entry where {IN_SPAN} order by key",  # noqa: S608 - ours
        span_of(batch_id),
    )
    for sequence, body, nodes in rows:
        if sequence != size or edge.append(merkle.leaf_hash(body)) != nodes:
            raise _damaged(connection, batch_id, size)
        size += 1
        if size in signed and signed.pop(size) != edge.root():
            raise _damaged(connection, batch_id, size - 1)
        if size % _ENTRIES_AT_A_TIME == 0:
            yield size
    if signed:
        raise _damaged(connection, batch_id, size)


def _damaged(connection: Connection, batch_id: int, sequence: int) -> StorageError:
    row = connection.execute("select slug from batch where id = ?", (batch_id,)).fetchone()
    return StorageError(
        "entry %(sequence)s of the log of batch %(batch)s does not agree with the tree over it: "
        "the file was changed or damaged; count nothing here, keep the file, restore the last "
        "copy of it",
        sequence=sequence,
        batch=row[0] if row else batch_id,
    )
