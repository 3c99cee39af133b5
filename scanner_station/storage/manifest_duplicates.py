"""Identifiers that stand on two lines, found among millions in one sort."""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from scanner_station.domain.identifier import masked
from scanner_station.domain.manifest_findings import Findings
from scanner_station.domain.manifest_problems import Code, Problem
from scanner_station.storage.manifest_rows import Indexes, Keys, key_text

_AT_A_TIME: Final = 1000


def find_duplicates(
    keys: Keys,
    lines: Indexes,
    pieces: npt.NDArray[np.int32],
    order: Indexes,
    *,
    names_one_piece: Callable[[str], bool],
) -> "Duplicates | None":
    """Return every line whose identifier stands on an earlier line; None when none does.

    `keys`, `lines`, `pieces`: the same rows, in any order; `order` sorts the keys.
    """
    ordered = keys[order]
    is_repeat = np.concatenate([[False], ordered[1:] == ordered[:-1]])
    if not is_repeat.any():
        return None
    # Within each group of equal keys by line, so that the first is the one to keep.
    grouped = np.flatnonzero(is_repeat | np.append(is_repeat[1:], False))
    members = order[grouped]
    order = order.copy()
    order[grouped] = members[np.lexsort((lines[members], keys[members]))]
    codes = _codes(ordered[is_repeat], names_one_piece)
    return Duplicates(ordered, lines[order], pieces[order], is_repeat, codes)


class Duplicates:
    """Lines whose identifier stands on an earlier line; `codes` says what each of them is."""

    def __init__(
        self,
        ordered: Keys,
        lines: Indexes,
        pieces: npt.NDArray[np.int32],
        is_repeat: npt.NDArray[np.bool_],
        codes: list[Code],
    ) -> None:
        self.codes = codes
        self._ordered, self._lines, self._pieces = ordered, lines, pieces
        self._repeats = np.flatnonzero(is_repeat)
        self._firsts = np.append(np.flatnonzero(~is_repeat), len(ordered))

    def problems(self, findings: Findings) -> Iterator[Problem]:
        """Yield a problem for each of them, by line, naming the first line."""
        by_line = np.argsort(self._lines[self._repeats], kind="stable")
        for start in range(0, len(by_line), _AT_A_TIME):
            for number in by_line[start : start + _AT_A_TIME].tolist():
                yield self._problem(findings, number)

    def _problem(self, findings: Findings, number: int) -> Problem:
        place = int(self._repeats[number])
        group = int(np.searchsorted(self._firsts, place, "right")) - 1
        start, end = int(self._firsts[group]), int(self._firsts[group + 1])
        identifier = key_text(self._ordered[place])
        return findings.problem(
            self.codes[number],
            int(self._lines[place]),
            index=findings.identifier_column,
            value=identifier,
            values={
                "first": int(self._lines[start]),
                "pieces": int(self._pieces[start:end].sum()),
                "value": masked(identifier),
            },
        )


def _codes(keys: Keys, names_one_piece: Callable[[str], bool]) -> list[Code]:
    return [
        Code.DUPLICATE_CARD if names_one_piece(key_text(key)) else Code.DUPLICATE_IDENTIFIER
        for key in keys
    ]
