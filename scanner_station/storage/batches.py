"""Batches and station settings as rows; none of these functions commits."""

import sqlite3
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from scanner_station.domain.entry import SECRET_BYTES
from scanner_station.domain.identifier import Scheme, Schemes
from scanner_station.storage.database import new_secret

ACTIVE_BATCH: Final = "active_batch"
"""The setting that names the batch which cameras and scanners count into."""


class BatchState(StrEnum):
    """Where a batch stands in its life."""

    OPEN = "open"
    PAUSED = "paused"
    SEALED = "sealed"
    CANCELLED = "cancelled"


STILL_OPEN: Final = (BatchState.OPEN, BatchState.PAUSED)
"""The states of a batch that is not closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One destruction event.

    `category` is what the officer has chosen for the next cards, used without a manifest;
    `supplements` is the sealed batch that this one adds to, '' for none. `is_rehearsal` never
    changes.
    """

    id: int
    slug: str
    title: str
    place: str
    held_on: str
    schemes: Schemes
    state: BatchState
    manifest_id: int | None
    category: str
    created_at: str
    created_by: str
    supplements: str = ""
    is_rehearsal: bool = False


_COLUMNS = (
    "id, slug, title, place, held_on, schemes, serial_pattern, state, manifest_id, category,"
    " created_at, created_by, supplements, is_rehearsal"
)
_SELECT = "select " + _COLUMNS + " from batch"  # noqa: S608 - our own constant


def insert(connection: sqlite3.Connection, batch: Batch) -> int:
    """Write a new batch (its `id` is ignored) with its secret; return its id."""
    cursor = connection.execute(
        "insert into batch (slug, title, place, held_on, schemes, serial_pattern, state,"
        " manifest_id, category, created_at, created_by, supplements, is_rehearsal)"
        " values (?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            batch.slug,
            batch.title,
            batch.place,
            batch.held_on,
            ",".join(batch.schemes.schemes),
            batch.schemes.serial_pattern,
            batch.state,
            batch.manifest_id,
            batch.category,
            batch.created_at,
            batch.created_by,
            batch.supplements,
            batch.is_rehearsal,
        ),
    )
    batch_id = int(cursor.lastrowid or 0)
    connection.execute(
        "insert into batch_secret values (?, ?)", (batch_id, new_secret(SECRET_BYTES))
    )
    return batch_id


def find(connection: sqlite3.Connection, slug: str) -> Batch | None:
    """Return a batch by its slug, or None."""
    row = connection.execute(_SELECT + " where slug = ?", (slug,)).fetchone()
    return None if row is None else _batch(row)


def every(connection: sqlite3.Connection) -> list[Batch]:
    """Return all batches, the newest first."""
    return [_batch(row) for row in connection.execute(_SELECT + " order by id desc")]


def secret_of(connection: sqlite3.Connection, batch_id: int) -> bytes:
    """Return the batch's secret; b'' once forgotten."""
    row = connection.execute(
        "select secret from batch_secret where batch_id = ?", (batch_id,)
    ).fetchone()
    return b"" if row is None else bytes(row[0])


def set_state(connection: sqlite3.Connection, batch_id: int, state: BatchState) -> None:
    """Change where a batch stands."""
    connection.execute("update batch set state = ? where id = ?", (state, batch_id))


def set_category(connection: sqlite3.Connection, batch_id: int, category: str) -> None:
    """Remember the category that the officer has chosen."""
    connection.execute("update batch set category = ? where id = ?", (category, batch_id))


def set_witness_nonce(connection: sqlite3.Connection, batch_id: int, nonce: str) -> None:
    """Remember what a witness typed before the first card."""
    connection.execute("update batch set witness_nonce = ? where id = ?", (nonce, batch_id))


def witness_nonce(connection: sqlite3.Connection, batch_id: int) -> str:
    """Return what a witness typed before the first card, '' for nothing."""
    row = connection.execute("select witness_nonce from batch where id = ?", (batch_id,)).fetchone()
    return str(row[0])


def set_manifest(connection: sqlite3.Connection, batch_id: int, manifest_id: int) -> None:
    """Point a batch at its manifest."""
    connection.execute("update batch set manifest_id = ? where id = ?", (manifest_id, batch_id))


def setting(connection: sqlite3.Connection, key: str) -> str:
    """Return one remembered value, '' when there is none."""
    row = connection.execute("select value from setting where key = ?", (key,)).fetchone()
    return "" if row is None else str(row[0])


def active_slug(connection: sqlite3.Connection) -> str:
    """Return the batch that cameras and scanners count into, '' for none.

    One that is paused stays it: its cards are refused until it is resumed.
    """
    slug = setting(connection, ACTIVE_BATCH)
    batch = find(connection, slug) if slug else None
    return slug if batch is not None and batch.state in STILL_OPEN else ""


def set_setting(connection: sqlite3.Connection, key: str, value: str) -> None:
    """Remember one value."""
    connection.execute(
        "insert into setting values (?, ?) on conflict do update set value = excluded.value",
        (key, value),
    )


def _batch(row: tuple[object, ...]) -> Batch:
    values = dict(zip(_COLUMNS.replace(",", " ").split(), row, strict=True))
    pattern = str(values.pop("serial_pattern"))
    names = str(values.pop("schemes")).split(",")
    schemes = Schemes(tuple(Scheme(name) for name in names), pattern)
    state = BatchState(str(values.pop("state")))
    is_rehearsal = bool(values.pop("is_rehearsal"))
    return Batch(**values, schemes=schemes, state=state, is_rehearsal=is_rehearsal)  # type: ignore[arg-type]  # a row of `batch`
