"""Identifiers that stand on two lines, found among millions in one sort."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from scanner_station.domain.identifier import masked
from scanner_station.domain.manifest import PROBLEMS_SHOWN
from scanner_station.domain.manifest_findings import Findings
from scanner_station.domain.manifest_problems import Code
from scanner_station.storage.manifest_rows import Indexes, Keys, key_text


def find_duplicates(
    keys: Keys,
    lines: Indexes,
    pieces: npt.NDArray[np.int32],
    order: Indexes,
    findings: Findings,
    *,
    names_one_piece: Callable[[str], bool],
) -> None:
    """Report every line whose identifier stands on an earlier line, naming that line.

    `keys`, `lines`, `pieces`: the same rows, in any order; `order`: the stable sort of the keys,
    in which equal keys keep the order of their lines.
    """
    ordered = keys[order]
    repeats = np.flatnonzero(ordered[1:] == ordered[:-1]) + 1
    if not len(repeats):
        return
    is_first = np.ones(len(ordered), np.bool_)
    is_first[repeats] = False
    firsts = np.append(np.flatnonzero(is_first), len(ordered))
    codes = _codes(ordered[repeats], names_one_piece)
    problems = findings.fresh()
    newest = np.argsort(lines[order[repeats]], kind="stable")[:PROBLEMS_SHOWN]
    for number in newest.tolist():
        place = int(repeats[number])
        group = int(np.searchsorted(firsts, place, "right")) - 1
        start, end = int(firsts[group]), int(firsts[group + 1])
        identifier = key_text(ordered[place])
        problems.add(
            codes[number],
            int(lines[order[place]]),
            index=findings.identifier_column,
            value=identifier,
            values={
                "first": int(lines[order[start]]),
                "pieces": int(pieces[order[start:end]].sum()),
                "value": masked(identifier),
            },
        )
    findings.add_all(problems.shown, Counter(codes))


def _codes(keys: Keys, names_one_piece: Callable[[str], bool]) -> list[Code]:
    return [
        Code.DUPLICATE_CARD if names_one_piece(key_text(key)) else Code.DUPLICATE_IDENTIFIER
        for key in keys
    ]
