"""Checks a bundle card by card: entries, manifest and openings side by side."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from scanner_station.domain.card_audit import CardEvent, Listed, What, check_card
from scanner_station.domain.columns import CARD, Flags, keys_of
from scanner_station.domain.counter import Verdict
from scanner_station.domain.entry import Kind, commitment_of, totals_text
from scanner_station.domain.errors import VerificationError
from scanner_station.domain.log_audit import LogAudit
from scanner_station.domain.tally import ADDED
from scanner_station.exports.bundle_files import LONGEST_LINE
from scanner_station.exports.card_store import CardStore, Part
from scanner_station.exports.manifest_reading import ListedCards, ManifestReader
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

    `manifest`: blocks of its lines. `places`: as `QuickAudit` numbers them. `watched`: a card to
    keep an eye on. `counted` is told the number of each card that is counted at the end, where
    there are openings. `progress` is told events done.

    Raises:
        VerificationError: an entry, the manifest or an opening is not what it should be; of
            entries the first is named.
    """
    totals, refusals, reader = CardTotals(), _Refusals(), ManifestReader(manifest)
    opened = _Opened(openings, counted) if openings is not None else None
    names = _Names(places, reader)
    done = 0
    for of_log in cards.parts():
        part = _Stories(reader.part(of_log.first), of_log, names, has_manifest=has_manifest)
        part.check(refusals, watched)
        totals.watched += part.watched
        if opened is not None:
            opened.take(part)
        done += len(of_log.plain) + len(of_log.events)
        progress(done)
    refusals.raise_first()
    if opened is not None:
        totals.opened = opened.finished()
    return totals, reader.expected


class _Names:
    # What numbers in columns stand for; `category_of`: by the number of a place.
    def __init__(self, places: Sequence[tuple[str, str]], reader: ManifestReader) -> None:
        self.places = places
        self.categories = reader.categories
        self.category_of = np.array([reader.number_of(one) for one, _ in places], np.int64)


class _Stories:
    # Some of the cards: what the manifest lists, and what the log says of them.
    def __init__(
        self, listed: ListedCards, of_log: Part, names: _Names, *, has_manifest: bool
    ) -> None:
        keys = keys_of(of_log.plain["card"])
        order = np.argsort(keys)
        self._keys, self._plain = keys[order], of_log.plain.take(order)
        self._events = of_log.events
        self._listed = listed
        self._names = names
        self._has_manifest = has_manifest
        self._special: set[bytes] = set()
        self._counted: set[bytes] = set()
        self.watched = 0

    def check(self, refusals: "_Refusals", watched: str) -> None:
        # Cards that were counted once and no more, as they are listed, are looked at together.
        special = {event.card.encode() for event in self._events}
        special.update(self._plain["card"][self._are_odd()].tolist())
        if watched:
            special.add(watched.encode())
        self._special = special
        stories = self._stories(sorted(special))
        for (card, story), listed in zip(stories.items(), self._lines(list(stories)), strict=True):
            with refusals:
                story.sort(key=lambda event: event.sequence)
                counted = check_card(listed, has_manifest=self._has_manifest, events=story)
                if counted:
                    self._counted.add(card)
                if card == watched.encode():
                    self.watched = len(counted)

    def _are_odd(self) -> Flags:
        # Rows whose card needs a look by itself: the later of two of a card, and what is not listed
        # so. It does no harm that another card may have the same key.
        keys, listed = self._keys, self._listed
        odd = np.zeros(len(keys), np.bool_)
        odd[1:] = keys[1:] == keys[:-1]
        if self._has_manifest and not len(listed.cards):
            odd[:] = True
        elif self._has_manifest:
            place = np.searchsorted(keys_of(listed.cards), keys)
            place[place == len(listed.cards)] = 0
            odd |= listed.cards[place] != self._plain["card"]
            odd |= listed.categories[place] != self._names.category_of[self._plain["place"]]
        return odd

    def _stories(self, cards: list[bytes]) -> dict[bytes, list[CardEvent]]:
        # Of some cards, each with everything that the log says of it.
        stories: dict[bytes, list[CardEvent]] = {card: [] for card in cards}
        may_be = np.isin(self._keys, keys_of(np.array(cards, CARD)))
        for card, sequence, place in self._plain[may_be].tolist():
            if (story := stories.get(card)) is not None:
                category, district = self._names.places[place]
                counted = (card.decode(), sequence, What.COUNTED, 1, category, district, -1)
                story.append(CardEvent(*counted))
        for event in self._events:
            stories[event.card.encode()].append(event)
        return stories

    def _lines(self, cards: list[bytes]) -> Iterator[Listed | None]:
        # What the manifest says of some cards.
        listed, names = self._listed, self._names.categories
        places = np.searchsorted(listed.cards, np.array(cards, CARD)).tolist()
        for card, place in zip(cards, places, strict=True):
            if place < len(listed.cards) and listed.cards[place] == card:
                yield Listed(names[listed.categories[place]], int(listed.pieces[place]))
            else:
                yield None

    def counted_cards(self) -> set[bytes]:
        """Return the cards that are counted at the end, once this part was checked."""
        return (set(self._plain["card"].tolist()) - self._special) | self._counted

    def every_card(self) -> list[bytes]:
        events = {one.card.encode() for one in self._events}
        return sorted(events.union(self._listed.cards.tolist(), self._plain["card"].tolist()))


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
