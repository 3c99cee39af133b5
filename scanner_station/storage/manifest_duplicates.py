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

    `keys`, `lines`, `pieces`: the same rows, in any order; `order` sorts the keys.
    """
    ordered = keys[order]
    is_repeat = np.concatenate([[False], ordered[1:] == ordered[:-1]])
    repeats = np.flatnonzero(is_repeat)
    if not len(repeats):
        return
    # Within each group of equal keys by line, so that the first is the one to keep.
    grouped = np.flatnonzero(is_repeat | np.append(is_repeat[1:], False))
    members = order[grouped]
    order = order.copy()
    order[grouped] = members[np.lexsort((lines[members], keys[members]))]
    firsts = np.append(np.flatnonzero(~is_repeat), len(ordered))
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
