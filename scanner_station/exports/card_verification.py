"""Checks a bundle card by card: entries, manifest and openings side by side, sorted by card."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from scanner_station.domain.card_audit import CardEvent, Listed, What, check_card
from scanner_station.domain.entry import Kind, commitment_of, manifest_line, totals_text
from scanner_station.domain.errors import VerificationError
from scanner_station.domain.log_audit import LogAudit
from scanner_station.exports.openings import parse_opening

_CARDS_A_STEP: Final = 4096
_LINE: Final = re.compile(
    rb'\{"card":"([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=)",'
    rb'"category":("[^\x00-\x1f]*"),"pieces":([1-9][0-9]{0,8})\}\n'
)


@dataclass(slots=True)
class CardTotals:
    """What the cards of a bundle come to.

    `watched`: how many pieces of the card that was asked for are counted at the end.
    """

    expected: dict[str, int] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)
    added: dict[str, int] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    watched: int = 0
    opened: int = 0

    def add(self, listed: Listed | None, counted: list[CardEvent]) -> None:
        """Add one card."""
        for event in counted:
            put_to = self.added if event.what is What.ADDED else self.counted
            put_to[event.category] = put_to.get(event.category, 0) + 1
        if listed is not None:
            for totals, pieces in (
                (self.expected, listed.pieces),
                (self.missing, listed.pieces - len(counted)),
            ):
                totals[listed.category] = totals.get(listed.category, 0) + pieces

    def check_stated(self, audit: LogAudit) -> None:
        """Check what the log's first entry states of the manifest.

        Raises:
            VerificationError: the manifest comes to something else.
        """
        if audit.opening.get("kind") != Kind.OPEN:
            return
        for name, found in (
            ("expected", sum(self.expected.values())),
            ("expected_by_category", totals_text(self.expected)),
        ):
            if audit.opening.get(name) != found:
                raise VerificationError(
                    "manifest: the log's first entry states %(stated)s as %(name)s, and the "
                    "file comes to %(found)s",
                    stated=audit.opening.get(name),
                    name=name,
                    found=found,
                )


def check_cards(
    cards: Iterable[tuple[str, list[CardEvent]]],
    manifest: Iterable[bytes],
    openings: Path | None,
    *,
    has_manifest: bool,
    watched: str = "",
    progress: Callable[[int], None] = lambda _: None,
) -> CardTotals:
    """Check every card and return what they come to; the first wrong entry is named.

    `cards`: sorted by card, each with its events. `manifest`: its lines. `watched`: a card to
    keep an eye on. `progress` is told cards done.

    Raises:
        VerificationError: an entry, the manifest or an opening is not what it should be.
    """
    totals, refusals = CardTotals(), _Refusals()
    opened = _Opened(openings) if openings is not None else None
    for done, (card, listed, events) in enumerate(_joined(cards, _listed(manifest))):
        if done % _CARDS_A_STEP == 0:
            progress(done)
        if opened is not None:
            opened.require(card)
        with refusals:
            counted = check_card(listed, has_manifest=has_manifest, events=events)
            totals.add(listed, counted)
            totals.watched += len(counted) if card == watched else 0
    refusals.raise_first()
    if opened is not None:
        opened.require("")
        totals.opened = opened.count
    return totals


class _Refusals:
    # Cards come sorted by code; of what is wrong with them the first in the log is named.
    def __init__(self) -> None:
        self._first: VerificationError | None = None

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: object, _trace: object) -> bool:
        if not isinstance(error, VerificationError):
            return False
        if self._first is None or _sequence(error) < _sequence(self._first):
            self._first = error
        return True

    def raise_first(self) -> None:
        if self._first is not None:
            raise self._first


def _joined(
    cards: Iterable[tuple[str, list[CardEvent]]], listed: Iterator[tuple[str, Listed]]
) -> Iterator[tuple[str, Listed | None, list[CardEvent]]]:
    line = next(listed, None)
    for card, events in cards:
        while line is not None and line[0] < card:
            yield *line, []
            line = next(listed, None)
        if line is not None and line[0] == card:
            yield *line, events
            line = next(listed, None)
        else:
            yield card, None, events
    while line is not None:
        yield *line, []
        line = next(listed, None)


def _listed(lines: Iterable[bytes]) -> Iterator[tuple[str, Listed]]:
    categories: dict[bytes, str] = {}
    before = b""
    for number, line in enumerate(lines, start=1):
        found = _LINE.fullmatch(line)
        if found is None or found[1] <= before:
            raise _wrong_line(number)
        before, quoted, pieces = found.groups()
        if quoted not in categories:
            categories[quoted] = _category(quoted, line, number)
        yield before.decode(), Listed(categories[quoted], int(pieces))


def _category(quoted: bytes, line: bytes, number: int) -> str:
    try:
        category = json.loads(quoted)
        whole = json.loads(line)
        if manifest_line(whole["card"], category, whole["pieces"]) == line:
            return str(category)
    except (ValueError, KeyError, TypeError):
        pass
    raise _wrong_line(number)


def _wrong_line(number: int) -> VerificationError:
    return VerificationError(
        "manifest: line %(line)s is not a card's line, or not in its place", line=number
    )


class _Opened:
    def __init__(self, path: Path) -> None:
        self._lines = self._read(path)
        self.count = -1

    def require(self, card: str) -> None:
        """Take the next opening, which must be this card's; '' after the last."""
        number, found = next(self._lines, (0, ""))
        self.count += 1
        if found == card:
            return
        if not number or (card and found > card):
            raise VerificationError("the openings: card %(card)s is missing", card=card)
        raise VerificationError(
            "the openings, line %(line)s: no entry and no manifest line has this card", line=number
        )

    def _read(self, path: Path) -> Iterator[tuple[int, str]]:
        try:
            with path.open("rb") as file:
                for number, line in enumerate(file, start=1):
                    opening = parse_opening(line, number)
                    if commitment_of(opening.salt, opening.identifier) != opening.card:
                        raise VerificationError(
                            "the openings, line %(line)s: salt and identifier do not make this "
                            "card",
                            line=number,
                        )
                    yield number, opening.card
        except OSError as error:
            raise VerificationError(
                "%(path)s cannot be read (%(why)s)",
                path=str(path),
                why=error.strerror or str(error),
            ) from error


def _sequence(error: VerificationError) -> int:
    return int(str(error.values["sequence"]))
