"""What is known of one batch and one card, read from the file under the writer's lock."""

from collections.abc import Callable
from dataclasses import dataclass
from sqlite3 import Connection

from scanner_station.domain.counter import Known
from scanner_station.domain.entry import Body, committing
from scanner_station.domain.errors import BatchError
from scanner_station.domain.manifest import Listed
from scanner_station.domain.merkle import Frontier
from scanner_station.domain.tally import Tally
from scanner_station.storage import batches, manifests, scan_log, tree
from scanner_station.storage.batches import Batch, BatchState


@dataclass(slots=True)
class Counter:
    """What the station holds in memory of one batch; always rebuildable from its log."""

    batch: Batch
    secret: bytes
    commit: Callable[[str], str]
    tally: Tally
    edge: Frontier

    @property
    def next_sequence(self) -> int:
        """The number of the next entry."""
        return self.edge.size


def load_counter(connection: Connection, slug: str) -> Counter:
    """Read one batch's counter from the file.

    Raises:
        BatchError: there is no such batch.
    """
    batch = require_batch(connection, slug)
    secret = batches.secret_of(connection, batch.id)
    return Counter(
        batch=batch,
        secret=secret,
        commit=committing(secret),
        tally=load_tally(connection, batch),
        edge=tree.edge_of(connection, batch.id, scan_log.next_sequence(connection, batch.id)),
    )


def require_batch(connection: Connection, slug: str) -> Batch:
    """Return a batch by its slug.

    Raises:
        BatchError: there is none.
    """
    batch = batches.find(connection, slug)
    if batch is None:
        raise BatchError(
            "there is no batch %(slug)s here; `batch list` shows those there are", slug=slug
        )
    return batch


def require_open(batch: Batch) -> None:
    """Refuse a batch that takes no cards now.

    Raises:
        BatchError: it is paused or closed.
    """
    if batch.state is BatchState.OPEN:
        return
    if batch.state is BatchState.PAUSED:
        raise BatchError(
            "batch %(slug)s is paused and takes no cards; resume it first", slug=batch.slug
        )
    raise BatchError(
        "batch %(slug)s is %(state)s and takes no cards; open another batch",
        slug=batch.slug,
        state=batch.state,
    )


def load_tally(connection: Connection, batch: Batch) -> Tally:
    """Return a batch's tally beside what its manifest expects."""
    expected = manifests.totals(connection, batch.manifest_id) if batch.manifest_id else {}
    return Tally.of(
        [(category, district, pieces) for (category, district), pieces in expected.items()],
        scan_log.tally_rows(connection, batch.id),
    )


def line_of(connection: Connection, batch: Batch, identifier: str) -> Listed | None:
    """Return what the batch's manifest says of an identifier, or None."""
    if batch.manifest_id is None or not identifier:
        return None
    return manifests.listed(connection, batch.manifest_id, identifier)


def known_of(connection: Connection, batch: Batch, identifier: str, line: Listed | None) -> Known:
    """Return what the station knows about an identifier before it judges."""
    expected = (line.pieces if line else 0) if batch.manifest_id is not None else 1
    if line is not None and not line.has_pieces:
        return Known(expected_pieces=expected)
    here, earlier = [], None
    for batch_id, state, piece in scan_log.pieces_of(connection, identifier, batch.id):
        if batch_id == batch.id:
            here.append(piece)
        elif state != BatchState.CANCELLED:
            earlier = piece
    return Known(expected_pieces=expected, counted=tuple(here), earlier=earlier)


def body_of(connection: Connection, slug: str, sequence: int) -> Body | None:
    """Return what an entry of a batch said, or None."""
    batch = batches.find(connection, slug)
    entry = scan_log.entry(connection, batch.id, sequence) if batch else None
    return entry.body if entry else None
