"""Counted cards of many batches, on the disk while they are looked through for those seen twice.

No identifier is written down: a digest under a key that nobody else has, and the masked number.
The file has no name and is gone when the process ends.
"""

import hashlib
import secrets
import sqlite3
from typing import Final, NamedTuple

from scanner_station.domain.identifier import judge_nik, masked

_DIGEST_BYTES: Final = 16
_ROWS_A_STATEMENT: Final = 1000


class SeenTwice(NamedTuple):
    """An identifier that several bundles counted; `is_piece`: each says it names one piece."""

    masked: str
    is_piece: bool
    bundles: tuple[int, ...]


class CountedCards:
    """Takes (bundle, identifier) and gives back the identifiers of more than one bundle."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._connection.execute("pragma journal_mode = off")
        self._connection.execute("pragma synchronous = off")
        self._connection.execute(
            "create table counted (digest blob not null, bundle integer not null,"
            " masked text not null, is_nik integer not null) strict"
        )
        self._connection.execute("begin")
        self._waiting: list[tuple[bytes, int, str, bool]] = []

    def add(self, bundle: int, identifier: str) -> None:
        """Note that a bundle counted an identifier; once for each, however many pieces."""
        digest = hashlib.blake2b(
            identifier.encode(), key=self._key, digest_size=_DIGEST_BYTES
        ).digest()
        self._waiting.append((digest, bundle, masked(identifier), judge_nik(identifier) is None))
        if len(self._waiting) >= _ROWS_A_STATEMENT:
            self._put_away()

    def seen_twice(
        self, bundles: dict[int, bool], *, most: int
    ) -> tuple[list[SeenTwice], int, int]:
        """Return the first of those that several of the bundles counted, alarms before remarks.

        `bundles`: those that are looked at, and whether NIK are among the identifiers of each.
        Returned, too: how many there are, and of how many each bundle says that it names one piece.
        """
        self._put_away()
        self._connection.execute(
            "create table wanted (bundle integer primary key, has_nik integer not null) strict"
        )
        self._connection.executemany("insert into wanted values (?, ?)", bundles.items())
        self._connection.execute(
            "create table twice as select masked, min(not (is_nik and has_nik)) as is_piece,"
            " group_concat(bundle) as bundles from counted join wanted using (bundle)"
            " group by digest having count(*) > 1"
        )
        count, alarms = self._connection.execute(
            "select count(*), coalesce(sum(is_piece), 0) from twice"
        ).fetchone()
        rows = self._connection.execute(
            "select * from twice order by is_piece desc, masked, bundles limit ?", (most,)
        )
        return [_seen(*row) for row in rows], count, alarms

    def close(self) -> None:
        """Give the file back; safe twice."""
        self._connection.close()

    def _put_away(self) -> None:
        self._connection.executemany("insert into counted values (?, ?, ?, ?)", self._waiting)
        self._waiting.clear()


def _seen(text: str, is_piece: int, bundles: str) -> SeenTwice:
    return SeenTwice(text, bool(is_piece), tuple(sorted(map(int, bundles.split(",")))))
