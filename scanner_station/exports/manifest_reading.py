"""Reads a bundle's manifest, part by part beside the cards of its log."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from operator import lt
from typing import Final

from scanner_station.domain.card_audit import CARD_CHARACTERS, Listed
from scanner_station.domain.entry import manifest_line
from scanner_station.domain.errors import VerificationError

_LINES: Final = re.compile(
    r'^\{"card":"([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=","category":"([^"\\\x00-\x1f]*)"),'
    r'"pieces":([1-9][0-9]{0,8})\}$|^.*$',
    re.MULTILINE,
)


class ManifestReader:
    """The lines of a manifest, checked, sorted as they must be.

    `expected`: pieces by category, of the lines that were read.
    """

    def __init__(self, blocks: Iterator[bytes]) -> None:
        """Read from `blocks`, each some whole lines."""
        self.expected: Counter[str] = Counter()
        self._blocks = blocks
        self._waiting: dict[str, int] = {}
        self._line = 0
        self._last = ""

    def part(self, first: str) -> dict[str, int]:
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

    def _read(self, block: bytes) -> dict[str, int]:
        try:
            text = block.decode()
        except UnicodeDecodeError as error:
            raise VerificationError(
                "manifest: line %(line)s is not text",
                line=self._line + block[: error.start].count(b"\n") + 1,
            ) from error
        lines = _LINES.findall(text.removesuffix("\n"))
        if not text.endswith("\n"):
            raise self._wrong(len(lines) - 1)
        keys, categories, pieces = (list(column) for column in zip(*lines, strict=True))
        while "" in keys:
            place = keys.index("")
            line = text.split("\n")[place]
            keys[place], categories[place], pieces[place] = self._spelled_out(line, place)
        cards = [self._last, *(key[:CARD_CHARACTERS] for key in keys)]
        if not all(map(lt, cards, cards[1:])):
            raise self._wrong([one < other for one, other in pairwise(cards)].index(False))
        for (category, count), lines_alike in Counter(zip(categories, pieces, strict=True)).items():
            self.expected[category] += int(count) * lines_alike
        self._line += len(keys)
        self._last = cards[-1]
        return dict(zip(keys, map(int, pieces), strict=True))

    def _spelled_out(self, line: str, place: int) -> tuple[str, str, str]:
        # A category with a quotation mark or a backslash, which stand escaped in the line.
        try:
            body = json.loads(line)
            card, category, pieces = body["card"], body["category"], body["pieces"]
            if manifest_line(card, category, pieces) == f"{line}\n".encode():
                plain = manifest_line(card, "", pieces).decode().removesuffix("\n")
                if _LINES.findall(plain)[0][0]:
                    return f'{card}","category":"{category}"', category, str(pieces)
        except (ValueError, KeyError, TypeError, RecursionError):
            pass
        raise self._wrong(place)

    def _wrong(self, place: int) -> VerificationError:
        return VerificationError(
            "manifest: line %(line)s is not a card's line, or not in its place",
            line=self._line + place + 1,
        )


def listed_of(key: str, pieces: int) -> Listed:
    """Return what a manifest's line says, from its key."""
    return Listed(key[CARD_CHARACTERS + len('","category":"') : -1], pieces)
