"""The restricted half of a log: which identifier stands behind each card. For the supervisor only.

One line of canonical JSON for each card of the log or its manifest, sorted by card. With the
bundle it shows who was counted; without it nobody can find that out.
"""

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection
from typing import Final

from scanner_station.domain.entry import (
    SALT_BYTES,
    canonical,
    card_salt,
    commitment_of,
)
from scanner_station.domain.errors import BatchError, VerificationError
from scanner_station.domain.strict import decode_base64, encode_base64
from scanner_station.service.counter import require_batch
from scanner_station.service.log_check import check_closed_log
from scanner_station.storage import batches
from scanner_station.storage.durable_file import written_durably
from scanner_station.storage.entry_key import IN_SPAN, span_of

Progress = Callable[[int, int], None]

_LINES_A_WRITE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What makes one card's commitment."""

    card: str
    identifier: str
    salt: bytes

    @property
    def line(self) -> bytes:
        """The line of the file, with its end."""
        text = canonical(
            {"card": self.card, "identifier": self.identifier, "salt": encode_base64(self.salt)}
        )
        return text.encode() + b"\n"


def export_openings(
    connection: Connection, slug: str, path: Path, *, progress: Progress | None = None
) -> int:
    """Write the openings of a batch, durably, readable by their owner only; return how many.

    `connection`: in a read transaction, so that they fit a bundle made in the same one.

    Raises:
        BatchError: there is no such batch, or its people are forgotten.
        InputError: the path cannot take a file.
        StorageError: the disk failed or is full, or the closed log was changed.
    """
    batch = require_batch(connection, slug)
    secret = batches.secret_of(connection, batch.id)
    if not secret:
        raise BatchError(
            "the people of batch %(slug)s are forgotten; its log can still be checked", slug=slug
        )
    check_closed_log(connection, batch, names_people=True)
    connection.create_function(
        "card", 1, lambda text: commitment_of(card_salt(secret, text), text), deterministic=True
    )
    known = (
        f"select identifier from entry where {IN_SPAN} and identifier is not null"  # noqa: S608 - ours
        " union select identifier from manifest_line where manifest_id = :manifest"
    )
    names = span_of(batch.id) | {"manifest": batch.manifest_id}
    (total,) = connection.execute(f"select count(*) from ({known})", names).fetchone()  # noqa: S608 - our own text
    rows = connection.execute(
        f"select card(identifier), identifier from ({known}) order by 1",  # noqa: S608 - our own text
        names,
    )
    lines = (
        Opening(card=card, identifier=identifier, salt=card_salt(secret, identifier)).line
        for card, identifier in rows
    )
    with written_durably(path) as file:
        for done, some in enumerate(_groups(lines)):
            file.write(b"".join(some))
            if progress is not None:
                progress(min((done + 1) * _LINES_A_WRITE, total), total)
    return int(total)


def parse_opening(line: bytes, number: int) -> Opening:
    """Return the opening in a line.

    Raises:
        VerificationError: it is not one, to the byte.
    """
    try:
        found = json.loads(line)
        opening = Opening(
            card=str(found["card"]),
            identifier=str(found["identifier"]),
            salt=decode_base64(str(found["salt"]), length=SALT_BYTES),
        )
        if opening.line == line:
            return opening
    except (ValueError, KeyError, TypeError, RecursionError, VerificationError):
        pass
    raise VerificationError("the openings, line %(line)s: it is no opening", line=number)


def _groups(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    while some := list(itertools.islice(lines, _LINES_A_WRITE)):
        yield some
