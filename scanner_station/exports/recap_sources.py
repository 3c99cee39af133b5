"""What a recapitulation is made from: bundles, keys, openings, the list of offices that report."""

import csv
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from scanner_station.domain.checkpoint import SignedHead
from scanner_station.domain.errors import InputError, VerificationError
from scanner_station.domain.policy import Policy
from scanner_station.domain.recapitulation import office_key
from scanner_station.domain.text import shown
from scanner_station.exports.bundle import CHECKPOINT
from scanner_station.exports.openings import parse_opening

_MOST_LIST_BYTES: Final = 1 << 20
_MOST_POLICY_BYTES: Final = 1 << 20
_MOST_OPENING_BYTES: Final = 1 << 12
_HEADERS: Final = frozenset(
    ("office", "name", "kantor", "nama", "nama kantor", "dinas", "instansi", "kabupaten/kota")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file or folder under the name that people know it by."""

    name: str
    path: Path

    @classmethod
    def of(cls, path: Path) -> "Source":
        """Return a path under its own name."""
        return cls(name=str(path), path=path)


def bundles_in(paths: Iterable[Path]) -> list[Source]:
    """Return the bundles that paths name; a folder that is none stands for those in it.

    Raises:
        InputError: a folder is neither a bundle nor holds one.
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir() or (path / CHECKPOINT).exists():
            found.append(path)
            continue
        inside = [one for one in sorted(path.iterdir()) if _may_be_bundle(one)]
        if not inside:
            raise InputError(
                "%(path)s is no bundle and holds none: name bundles (.zip or folders)",
                path=str(path),
            )
        found += inside
    return [Source.of(path) for path in found]


def _may_be_bundle(path: Path) -> bool:
    return path.suffix.lower() == ".zip" or (path / CHECKPOINT).exists()


class Policies:
    """Keys from elsewhere: in one file for every log, or in many files."""

    def __init__(self, files: Iterable[Source], *, is_for_every_log: bool) -> None:
        """Read the files.

        Raises:
            VerificationError: one is no policy; the line is named.
            InputError: one cannot be read.
        """
        self._is_for_every_log = is_for_every_log
        self._by_origin: dict[str, list[tuple[Policy, bytes]]] = {}
        self._first = b""
        for file in files:
            data = _content(file, _MOST_POLICY_BYTES)
            try:
                policy = Policy.parse(data)
            except VerificationError as error:
                raise VerificationError(
                    "%(name)s: %(why)s", name=shown(file.name), why=error
                ) from error
            self._first = self._first or data
            for name in {key.name for key in policy.logs}:
                self._by_origin.setdefault(name, []).append((policy, data))

    @classmethod
    def at(cls, path: Path | None) -> "Policies":
        """Return the policies in a file or folder; None: none at all.

        Raises:
            InputError: it cannot be read, or the folder is empty.
            VerificationError: a file is no policy.
        """
        if path is None:
            return cls((), is_for_every_log=False)
        if not path.is_dir():
            return cls([Source.of(path)], is_for_every_log=True)
        files = [Source.of(one) for one in sorted(path.iterdir()) if one.is_file()]
        if not files:
            raise InputError("%(path)s holds no file of keys", path=str(path))
        return cls(files, is_for_every_log=False)

    def of(self, head: SignedHead) -> bytes | None:
        """Return the policy for the log of a head; None: it is to be taken as whole in itself.

        One that names the log with another key is returned, too: verifying then fails.
        """
        signer = head.note.signatures[0]
        known = self._by_origin.get(head.checkpoint.origin, [])
        for policy, data in known:
            if any(signer.is_by(key) for key in policy.logs):
                return data
        if known:
            return known[0][1]
        return self._first if self._is_for_every_log else None


class Openings:
    """Files of openings, each found by the first card in it."""

    def __init__(self, files: Iterable[Source]) -> None:
        """Look at the first line of each.

        Raises:
            VerificationError: it is no opening, or two files begin with the same card.
            InputError: one cannot be read.
        """
        self._by_card: dict[str, Source] = {}
        self._used: set[str] = set()
        for file in files:
            line = _first_line(file)
            if not line:
                raise VerificationError("%(name)s holds no openings", name=shown(file.name))
            try:
                card = parse_opening(line, 1).card
            except VerificationError as error:
                raise VerificationError(
                    "%(name)s: %(why)s", name=shown(file.name), why=error
                ) from error
            if card in self._by_card:
                raise VerificationError(
                    "%(first)s and %(second)s are openings of the same batch; give one of them",
                    first=shown(self._by_card[card].name),
                    second=shown(file.name),
                )
            self._by_card[card] = file

    def find(self, card: str) -> Path | None:
        """Return the file that begins with a card."""
        if card not in self._by_card:
            return None
        self._used.add(card)
        return self._by_card[card].path

    @property
    def unused(self) -> list[str]:
        """The names of files whose bundle is not there."""
        return [file.name for card, file in self._by_card.items() if card not in self._used]


def office_list(file: Source) -> list[str]:
    """Return the offices that a list names: one a line; of a CSV file its first column.

    Raises:
        InputError: it cannot be read, is empty, no text, or names an office twice.
    """
    data = _content(file, _MOST_LIST_BYTES)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            "%(name)s is not UTF-8 text; save it as plain text or CSV UTF-8", name=file.name
        ) from error
    offices: dict[str, str] = {}
    for number, line in enumerate(_lines(file.name, text), start=1):
        office = shown(line.strip())
        if not office or (number == 1 and office_key(office) in _HEADERS):
            continue
        if office_key(office) in offices:
            raise InputError(
                "%(name)s names %(office)s twice; keep one of the lines",
                name=file.name,
                office=office,
            )
        offices[office_key(office)] = office
    if not offices:
        raise InputError("%(name)s names no office", name=file.name)
    return sorted(offices.values())


def _lines(name: str, text: str) -> list[str]:
    if not name.lower().endswith(".csv"):
        return text.splitlines()
    first = text.split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    return [row[0] if row else "" for row in _rows(name, text, separator)]


def _rows(name: str, text: str, separator: str) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(text), delimiter=separator))
    except csv.Error as error:
        raise InputError("%(name)s is no CSV file (%(why)s)", name=name, why=str(error)) from error


@contextmanager
def _opened(file: Source) -> Iterator[BinaryIO]:
    try:
        with file.path.open("rb") as opened:
            yield opened
    except OSError as error:
        raise InputError(
            "%(path)s cannot be read (%(why)s)",
            path=file.name,
            why=error.strerror or str(error),
        ) from error


def _first_line(file: Source) -> bytes:
    with _opened(file) as lines:
        return lines.readline(_MOST_OPENING_BYTES)


def _content(file: Source, most: int) -> bytes:
    with _opened(file) as opened:
        data = opened.read(most + 1)
    if len(data) > most:
        raise InputError("%(name)s is too large for what it should be", name=file.name)
    return data
