"""A table of any length on paper: its head on every page, its rows taken as they are needed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from reportlab.lib.units import mm
from reportlab.platypus import Flowable

from scanner_station.exports.paper import BOLD, PALE, REGULAR, lines_of, printable, use_letters

_SIZE: Final = 8.0
_LEADING: Final = 9.6
_PAD: Final = 2.0
_GAP: Final = 3.0
_GAP_AFTER_NUMBER: Final = 7.0
_MOST_LINES: Final = 40

Row = tuple[str, ...]
_Cells = tuple[list[str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column; `width_mm` with the space to the next."""

    title: str
    width_mm: float
    is_number: bool = False

    @property
    def gap(self) -> float:
        """How far its text keeps from the next column, in points."""
        return _GAP_AFTER_NUMBER if self.is_number else _GAP


class Listing(Flowable):  # type: ignore[misc]  # the library has no types
    """Rows under a head that is repeated on each page. Memory is that of one page of rows."""

    def __init__(self, columns: tuple[Column, ...], rows: Iterable[Row]) -> None:
        super().__init__()
        use_letters()
        self._columns = columns
        self._head = _wrapped(columns, tuple(column.title for column in columns), BOLD)
        self._rows = iter(rows)
        self._ahead: list[_Cells] = []

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Return the size: more than `height` if not all rows fit."""
        fitting, needed = self._fit(height)
        is_all = fitting == len(self._ahead)
        return width, needed if is_all else height + 1

    def split(self, _width: float, height: float) -> list[Flowable]:
        """Return what fits, and the rest; nothing if not even one row fits."""
        fitting, _ = self._fit(height)
        if not fitting:
            return []
        some, self._ahead = self._ahead[:fitting], self._ahead[fitting:]
        # The library marks what it puts off to the next page, and refuses it the second time.
        if hasattr(self, "_postponed"):
            del self._postponed
        return [_Page(self._columns, [self._head, *some]), self]

    def draw(self) -> None:
        """Draw all that is left; only called when it fits."""
        page = _Page(self._columns, [self._head, *self._ahead])
        page.canv = self.canv
        page.draw()

    def _fit(self, height: float) -> tuple[int, float]:
        """Return how many of the next rows fit in a height with the head, and their height."""
        needed = _height(self._head)
        for place, cells in enumerate(self._look()):
            if needed + _height(cells) > height:
                return place, needed
            needed += _height(cells)
        return len(self._ahead), needed

    def _look(self) -> Iterator[_Cells]:
        yield from list(self._ahead)
        for row in self._rows:
            self._ahead.append(_wrapped(self._columns, row, REGULAR))
            yield self._ahead[-1]


class _Page(Flowable):  # type: ignore[misc]  # the library has no types
    """The rows that fit on one page, the first of them the head."""

    def __init__(self, columns: tuple[Column, ...], rows: list[_Cells]) -> None:
        super().__init__()
        self._columns = columns
        self._rows = rows
        self.width = sum(column.width_mm for column in columns) * mm
        self.height = sum(_height(cells) for cells in rows)

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        """Return the size."""
        return self.width, self.height

    def draw(self) -> None:
        """Draw the head on grey, the rows and a line under each."""
        canvas = self.canv
        head = _height(self._rows[0])
        canvas.setFillColor(PALE)
        canvas.rect(0, self.height - head, self.width, head, stroke=0, fill=1)
        canvas.setLineWidth(0.25)
        lines, top = [], self.height
        text = canvas.beginText()
        text.setFillGray(0)
        for place, cells in enumerate(self._rows):
            text.setFont(REGULAR if place else BOLD, _SIZE)
            self._write(text, cells, top)
            top -= _height(cells)
            lines.append((0, top, self.width, top))
        canvas.drawText(text)
        canvas.lines(lines)

    def _write(self, text: Any, cells: _Cells, top: float) -> None:
        left = 0.0
        for column, lines in zip(self._columns, cells, strict=True):
            width = column.width_mm * mm
            for down, line in enumerate(lines):
                x = left
                if column.is_number:
                    x += width - column.gap - text._canvas.stringWidth(line, text._fontname, _SIZE)
                text.setTextOrigin(x, top - _PAD - (down + 0.8) * _LEADING)
                text.textOut(line)
            left += width


def _wrapped(columns: tuple[Column, ...], row: Row, font: str) -> _Cells:
    return tuple(
        _cut(lines_of(printable(cell), column.width_mm * mm - column.gap, _SIZE, font))
        for column, cell in zip(columns, row, strict=True)
    )


def _cut(lines: list[str]) -> list[str]:
    # A cell that fills pages is nobody's name or address; that it was cut is shown.
    return lines if len(lines) <= _MOST_LINES else [*lines[: _MOST_LINES - 1], "… (dipotong)"]


def _height(cells: _Cells) -> float:
    return max(len(lines) for lines in cells) * _LEADING + 2 * _PAD
