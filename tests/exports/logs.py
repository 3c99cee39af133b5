"""Logs to export, written straight into a real database."""

from pathlib import Path
from sqlite3 import Connection
from typing import Final

from scanner_station.domain.entry import Body, Entry
from scanner_station.domain.identifier import Schemes
from scanner_station.storage import batches, scan_log
from scanner_station.storage.batches import Batch, BatchState
from scanner_station.storage.database import Database
from scanner_station.storage.scan_log import append  # as no station does: any entries at all

AT: Final = "2018-12-19T01:02:03.456Z"


class Logs:
    """A database to which batches with any entries can be added, texts of all kinds among them."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder)
        self._batches = 0

    def add(self, entries: list[tuple[Body, str]]) -> str:
        """Write (body, identifier) pairs as a new batch's log; return its slug."""
        self._batches += 1
        slug = f"batch-{self._batches}"
        with self.database.transaction() as connection:
            batch_id = batches.insert(connection, _batch(slug))
            for sequence, (body, identifier) in enumerate(entries):
                whole = body | {"sequence": sequence, "at": AT}
                entry = Entry(sequence=sequence, body=whole, identifier=identifier)
                append(connection, batch_id, entry)
            scan_log.rebuild(connection, batch_id)
        return slug

    @property
    def connection(self) -> Connection:
        return self.database.connection


def counted(category: str = "rusak", district: str = "Alak", **more: int | str) -> Body:
    """Return the body of a counted card."""
    place: Body = {"category": category, "district": district}
    return place | {"kind": "scan", "piece": 1, "verdict": "counted"} | more


def void(target: int, **more: int | str) -> Body:
    """Return the body of a void."""
    body: Body = {"kind": "void", "target": target}
    return body | more


def _batch(slug: str) -> Batch:
    return Batch(
        id=0,
        slug=slug,
        title="Pemusnahan",
        place="",
        held_on="",
        schemes=Schemes(),
        state=BatchState.OPEN,
        manifest_id=None,
        category="",
        created_at=AT,
        created_by="penyelia",
    )
