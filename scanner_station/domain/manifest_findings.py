"""The problems of one file while it is checked: all counted, the first ones kept."""

from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Final

from scanner_station.domain.manifest import PROBLEMS_SHOWN
from scanner_station.domain.manifest_header import Columns
from scanner_station.domain.manifest_line import masked_value
from scanner_station.domain.manifest_problems import Code, Problem, Values

TAIL_LINES: Final = 20
"""How many of the last odd lines can still turn out to be a total of what is above."""


class Findings:
    """Problems in the order they are found; `settle` after each block puts them by line."""

    def __init__(
        self,
        columns: Columns,
        column_names: tuple[str, ...] = (),
        most: int | None = PROBLEMS_SHOWN,
    ) -> None:
        """`column_names`: the sheet's letters for each column, () in CSV.

        `most`: how many problems are kept; None for all, to be taken with `take_settled`.
        """
        self._columns = columns
        self._letters = column_names
        self._most = most
        self.counts: Counter[Code] = Counter()
        self.shown: list[Problem] = []
        self._is_full = False
        self._recent: dict[int, list[Code]] = {}

    @property
    def identifier_column(self) -> int:
        """Where the card's number stands in a row, counted from 0."""
        return self._columns.identifier

    @property
    def count(self) -> int:
        """How many problems there are, shown or not."""
        return self.counts.total()

    def add(
        self,
        code: Code,
        line: int,
        *,
        index: int | None = None,
        value: str = "",
        values: Values | None = None,
    ) -> None:
        """Count a problem, and keep it while there is room, or when it is of the whole file."""
        self.counts[code] += 1
        self._recent.setdefault(line, []).append(code)
        if not self._is_full or not line:
            self.shown.append(self.problem(code, line, index=index, value=value, values=values))

    def problem(
        self,
        code: Code,
        line: int,
        *,
        index: int | None = None,
        value: str = "",
        values: Values | None = None,
    ) -> Problem:
        """Return a problem of this file without counting it.

        `index` is its column from 0, None for the whole line; `value` the cell as it stands,
        masked here.
        """
        is_identifier = index is not None and index == self._columns.identifier
        word, cell = self._place(index, line)
        return Problem(
            code=code,
            line=line,
            cell=cell,
            column=word,
            value_masked=masked_value(value, is_identifier=is_identifier),
            values=values or {},
        )

    def _place(self, index: int | None, line: int) -> tuple[str, str]:
        """Return the column's word and the cell's address, each '' where there is none."""
        if index is None or index >= self._columns.width:
            return "", ""
        return self._columns.words[index], f"{self._letters[index]}{line}" if self._letters else ""

    def add_all(self, problems: Iterable[Problem], counts: Counter[Code]) -> None:
        """Add problems that were counted elsewhere; they come by line."""
        self.counts.update(counts)
        self.shown += islice(problems, self._most)
        self.settle()

    def retract(self, line: int) -> None:
        """Take back what one of the last lines was found to be: it turned out something else."""
        self.counts.subtract(self._recent.pop(line, []))
        self.counts += Counter()  # drops those that are zero
        self.shown = [problem for problem in self.shown if problem.line != line]
        self._is_full = self._most is not None and len(self.shown) >= self._most

    def settle(self) -> None:
        """Put the problems by line and keep the first ones; those to come are in later lines."""
        self.shown.sort(key=lambda problem: problem.line)
        if self._most is not None:
            del self.shown[self._most :]
            self._is_full = len(self.shown) >= self._most
        for line in sorted(self._recent)[:-TAIL_LINES]:
            del self._recent[line]

    def take_settled(self) -> list[Problem]:
        """Take out, by line, the problems that nothing takes back any more."""
        settled = [problem for problem in self.shown if problem.line not in self._recent]
        self.shown = [problem for problem in self.shown if problem.line in self._recent]
        return settled
