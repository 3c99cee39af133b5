"""Checks a bundle card by card: entries, manifest and openings side by side."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from scanner_station.domain.card_audit import (
    CARD_CHARACTERS,
    CardEvent,
    Listed,
    What,
    check_card,
)
from scanner_station.domain.counter import Verdict
from scanner_station.domain.entry import Kind, commitment_of, totals_text
from scanner_station.domain.errors import VerificationError
from scanner_station.domain.log_audit import LogAudit
from scanner_station.domain.plain_counts import unpacked
from scanner_station.domain.tally import ADDED
from scanner_station.exports.bundle_files import LONGEST_LINE
from scanner_station.exports.card_store import CardStore, Part
from scanner_station.exports.manifest_reading import ManifestReader, listed_of
from scanner_station.exports.openings import Opening, parse_opening

FindOpenings = Callable[[str], Path | None]
"""Given the first card of a bundle ('' if it has none): the file of its openings, None for none."""

_NO_OPENING: Final = Opening(card="", identifier="", salt=b"")


@dataclass(slots=True)
class CardTotals:
    """What the cards of a bundle come to, by category; `added` are strangers that were added.

    `watched`: how many pieces of the card that was asked for are counted at the end. `opened`: of
    how many cards the openings were looked at, None without openings.
    """

    expected: dict[str, int] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)
    added: dict[str, int] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    watched: int = 0
    opened: int | None = None

    def add_up(self, audit: LogAudit, expected: Counter[str]) -> None:
        """Take the totals from a log and a manifest of which every card was checked.

        Raises:
            VerificationError: the log's first entry states something else of the manifest.
        """
        counted: Counter[str] = Counter()
        added: Counter[str] = Counter()
        for (verdict, category, _), (total, _) in audit.tally.rows.items():
            if verdict in (Verdict.COUNTED, ADDED):
                (counted if verdict == Verdict.COUNTED else added)[category] += total
        self.expected = dict(expected)
        self.counted, self.added = dict(+counted), dict(+added)
        self.missing = {category: expected[category] - counted[category] for category in expected}
        if audit.opening.get("kind") != Kind.OPEN:
            return
        for name, found in (
            ("expected", expected.total()),
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
    cards: CardStore,
    manifest: Iterator[bytes],
    openings: FindOpenings | None,
    *,
    places: Sequence[tuple[str, str]],
    has_manifest: bool,
    watched: str = "",
    counted: Callable[[str], None] = lambda _: None,
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[CardTotals, Counter[str]]:
    """Check every card; return what was watched and opened, and what the manifest expects.

    `manifest`: blocks of its lines. `places`: as `LogAudit` numbers them. `watched`: a card to
    keep an eye on. `counted` is told the number of each card that is counted at the end, where
    there are openings. `progress` is told events done.

    Raises:
        VerificationError: an entry, the manifest or an opening is not what it should be; of
            entries the first is named.
    """
    totals, refusals, reader = CardTotals(), _Refusals(), ManifestReader(manifest)
    opened = _Opened(openings, counted) if openings is not None else None
    done = 0
    for of_log in cards.parts():
        part = _Stories(reader.part(of_log.first), of_log, places, has_manifest=has_manifest)
        part.check(refusals, watched)
        totals.watched += part.watched
        if opened is not None:
            opened.take(part)
        done += len(of_log.plain.keys) + len(of_log.events)
        progress(done)
    refusals.raise_first()
    if opened is not None:
        totals.opened = opened.finished()
    return totals, reader.expected


class _Stories:
    # Some of the cards: what the manifest lists (key to pieces), and what the log says of them.
    def __init__(
        self,
        listed: dict[bytes, int],
        of_log: Part,
        places: Sequence[tuple[str, str]],
        *,
        has_manifest: bool,
    ) -> None:
        self._listed = listed
        self._keys, self._marks = of_log.plain
        self._events = of_log.events
        self._places = places
        self._has_manifest = has_manifest
        self._special: set[bytes] = set()
        self._counted: set[bytes] = set()
        self.watched = 0

    def check(self, refusals: "_Refusals", watched: str) -> None:
        # Cards that were counted once and no more are looked at all together.
        special = {event.card.encode() for event in self._events}
        if watched:
            special.add(watched.encode())
        keys = self._keys
        if special:
            keys = [key for key in keys if key[:CARD_CHARACTERS] not in special]
        once = set(keys) if self._has_manifest else {key[:CARD_CHARACTERS] for key in keys}
        are_fine = len(once) == len(keys) and (
            not self._has_manifest or once <= self._listed.keys()
        )
        if not are_fine:
            special |= {key[:CARD_CHARACTERS] for key in keys}
        self._special = special
        listed = list(self._listed)
        for card, story in self._stories().items():
            with refusals:
                story.sort(key=lambda event: event.sequence)
                counted = check_card(
                    self._line(listed, card), has_manifest=self._has_manifest, events=story
                )
                if counted:
                    self._counted.add(card)
                if card == watched.encode():
                    self.watched = len(counted)

    def _stories(self) -> dict[bytes, list[CardEvent]]:
        # Of the special cards, each with everything that the log says of it.
        stories: dict[bytes, list[CardEvent]] = {card: [] for card in self._special}
        for key, mark in zip(self._keys, self._marks, strict=True) if stories else ():
            if (story := stories.get(key[:CARD_CHARACTERS])) is not None:
                sequence, place = unpacked(mark)
                card = key[:CARD_CHARACTERS].decode()
                story.append(CardEvent(card, sequence, What.COUNTED, 1, *self._places[place], -1))
        for event in self._events:
            stories[event.card.encode()].append(event)
        return stories

    def _line(self, listed: list[bytes], card: bytes) -> Listed | None:
        place = bisect_left(listed, card)
        if place == len(listed) or not listed[place].startswith(card) or not card:
            return None
        return listed_of(listed[place], self._listed[listed[place]])

    def counted_cards(self) -> set[bytes]:
        """Return the cards that are counted at the end, once this part was checked."""
        plain = {key[:CARD_CHARACTERS] for key in self._keys}
        return (plain - self._special) | self._counted

    def every_card(self) -> list[bytes]:
        keys = [*self._listed, *self._keys]
        events = {one.card.encode() for one in self._events}
        return sorted({key[:CARD_CHARACTERS] for key in keys} | events)


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


class _Opened:
    # The file is looked for when the first card is known.
    def __init__(self, find: FindOpenings, tell: Callable[[str], None]) -> None:
        self._find = find
        self._tell = tell
        self._lines: Iterator[tuple[int, Opening]] | None = None
        self._is_asked = False
        self._count = 0

    def take(self, part: "_Stories") -> None:
        counted = part.counted_cards()
        for card in part.every_card():
            if not self._has_file(card.decode()):
                return
            identifier = self._require(card.decode())
            if card in counted:
                self._tell(identifier)

    def finished(self) -> int | None:
        """Require the end of the file; return how many openings it had, None without one."""
        if not self._has_file(""):
            return None
        count = self._count
        self._require("")
        return count

    def _has_file(self, first: str) -> bool:
        if not self._is_asked:
            self._is_asked = True
            path = self._find(first)
            self._lines = None if path is None else self._read(path)
        return self._lines is not None

    def _require(self, card: str) -> str:
        """Take the next opening, which must be this card's; '' after the last."""
        number, opening = next(self._lines or iter(()), (0, _NO_OPENING))
        self._count += 1
        if opening.card == card:
            return opening.identifier
        if not number or (card and opening.card > card):
            raise VerificationError("the openings: card %(card)s is missing", card=card)
        raise VerificationError(
            "the openings, line %(line)s: no entry and no manifest line has this card", line=number
        )

    def _read(self, path: Path) -> Iterator[tuple[int, Opening]]:
        try:
            with path.open("rb") as file:
                for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE), b""), 1):
                    opening = parse_opening(line, number)
                    if commitment_of(opening.salt, opening.identifier) != opening.card:
                        raise VerificationError(
                            "the openings, line %(line)s: salt and identifier do not make this "
                            "card",
                            line=number,
                        )
                    yield number, opening
        except OSError as error:
            raise VerificationError(
                "%(path)s cannot be read (%(why)s)",
                path=str(path),
                why=error.strerror or str(error),
            ) from error


def _sequence(error: VerificationError) -> int:
    return int(str(error.values["sequence"]))
