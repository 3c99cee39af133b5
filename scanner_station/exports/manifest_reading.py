"""Reads a bundle's manifest, part by part beside the cards of its log."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from operator import lt
from typing import Final, NamedTuple

from scanner_station.domain.card_audit import CARD_CHARACTERS, Listed
from scanner_station.domain.entry import manifest_line
from scanner_station.domain.errors import VerificationError
from scanner_station.domain.plain_counts import CARD, TEXT, are_cards

_LINE: Final = re.compile(
    rf'\{{"card":"({CARD}","category":"({TEXT}*)"),"pieces":([1-9][0-9]{{0,8}})\}}'
)
_START: Final = '{"card":"'
_ANY_CARD: Final = "A" * (CARD_CHARACTERS - 1) + "="


class _Line(NamedTuple):
    # The key is the text `<card>","category":"<category>"`, as in a plain count.
    key: str
    category: str
    pieces: int


class ManifestReader:
    """The lines of a manifest, checked, sorted as they must be.

    `expected`: pieces by category, of the lines that were read.
    """

    def __init__(self, blocks: Iterator[bytes]) -> None:
        """Read from `blocks`, each some whole lines."""
        self.expected: Counter[str] = Counter()
        self._blocks = blocks
        self._waiting: dict[bytes, int] = {}
        self._line = 0
        self._last = b""

    def part(self, first: bytes) -> dict[bytes, int]:
        """Return key to pieces of the cards that begin with one of these characters.

        To be asked for in the order of the cards.

        Raises:
            VerificationError: a line is no card's line, or not in its place.
        """
        found, self._waiting = self._waiting, {}
        while not found or next(reversed(found))[0] in first:
            block = next(self._blocks, b"")
            if not block:
                break
            found |= self._read(block)
        if found and next(reversed(found))[0] not in first:
            self._waiting = {key: found.pop(key) for key in list(found) if key[0] not in first}
        return found

    def _read(self, block: bytes) -> dict[bytes, int]:
        found = self._read_alike(block)
        if found is None:
            found = self._read_each(block)
        self._line += len(found)
        self._last = next(reversed(found))[:CARD_CHARACTERS]
        return found

    def _read_alike(self, block: bytes) -> dict[bytes, int] | None:
        # Most lines end like many others, so each end is looked at once. None: ask `_read_each`.
        before, *lines = (b"\n" + block[:-1]).split(f"\n{_START}".encode())
        cards = [line[:CARD_CHARACTERS] for line in lines]
        is_fine = not before and block.endswith(b"\n") and are_cards(cards)
        if not is_fine or not all(map(lt, [self._last, *cards], cards)):
            return None
        ends = [line[CARD_CHARACTERS:] for line in lines]
        counts = Counter(ends)
        known = {}
        for end in counts:
            try:
                line = _parsed(f"{_START}{_ANY_CARD}{end.decode()}")
            except UnicodeDecodeError:
                return None
            if line is None:
                return None
            known[end] = line
        for end, line in known.items():
            self.expected[line.category] += line.pieces * counts[end]
        behind = {end: line.key[CARD_CHARACTERS:].encode() for end, line in known.items()}
        pieces = {end: line.pieces for end, line in known.items()}
        keys = [card + behind[end] for card, end in zip(cards, ends, strict=True)]
        return dict(zip(keys, map(pieces.__getitem__, ends), strict=True))

    def _read_each(self, block: bytes) -> dict[bytes, int]:
        try:
            texts = block.decode().removesuffix("\n").split("\n")
        except UnicodeDecodeError as error:
            raise VerificationError(
                "manifest: line %(line)s is not text",
                line=self._line + block[: error.start].count(b"\n") + 1,
            ) from error
        if not block.endswith(b"\n"):
            raise self._wrong(len(texts) - 1)
        lines = []
        for place, text in enumerate(texts):
            if (line := _parsed(text)) is None:
                raise self._wrong(place)
            lines.append(line)
        cards = [self._last.decode(), *(line.key[:CARD_CHARACTERS] for line in lines)]
        for place, (one, other) in enumerate(pairwise(cards)):
            if one >= other:
                raise self._wrong(place)
        for line in lines:
            self.expected[line.category] += line.pieces
        return {line.key.encode(): line.pieces for line in lines}

    def _wrong(self, place: int) -> VerificationError:
        return VerificationError(
            "manifest: line %(line)s is not a card's line, or not in its place",
            line=self._line + place + 1,
        )


def _parsed(text: str) -> _Line | None:
    if found := _LINE.fullmatch(text):
        return _Line(found[1], found[2], int(found[3]))
    # A category with a quotation mark or a backslash, which stand escaped in the line.
    try:
        body = json.loads(text)
        card, category, pieces = body["card"], body["category"], body["pieces"]
        if manifest_line(card, category, pieces) == f"{text}\n".encode():
            plain = manifest_line(card, "", pieces).decode().removesuffix("\n")
            if _LINE.fullmatch(plain):
                return _Line(f'{card}","category":"{category}"', category, pieces)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    return None


def listed_of(key: bytes, pieces: int) -> Listed:
    """Return what a manifest's line says, from its key."""
    return Listed(key[CARD_CHARACTERS + len('","category":"') : -1].decode(), pieces)
