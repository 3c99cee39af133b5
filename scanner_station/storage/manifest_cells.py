"""What single cells of a manifest may not hold, and a row that was cut at another sign."""

from typing import Final

from scanner_station.domain.identifier import holds_identity_number
from scanner_station.domain.manifest_findings import Findings
from scanner_station.domain.manifest_header import Columns, Field
from scanner_station.domain.manifest_line import MAX_TEXT_CHARACTERS
from scanner_station.domain.manifest_problems import Code, Values
from scanner_station.storage.manifest_rows import Row

_SEPARATORS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "a vertical bar"}


def other_delimiter(cells: Row, delimiter: str) -> str:
    """Return the name of the sign at which a row of one cell should be cut, '' if there is none."""
    if len(cells) != 1:
        return ""
    for character, name in _SEPARATORS.items():
        if name != delimiter and len(cells[0].split(character)) > 1:
            return name
    return ""


def refuse_long_texts(rows: list[Row], lines: list[int], identifier: int, to: Findings) -> None:
    """Report texts that no page or paper has room for; a long identifier is reported as such."""
    for row, line in zip(rows, lines, strict=True):
        if sum(map(len, row)) <= MAX_TEXT_CHARACTERS:
            continue
        for at, cell in enumerate(row):
            if len(cell) > MAX_TEXT_CHARACTERS and at != identifier:
                values: Values = {"length": len(cell), "most": MAX_TEXT_CHARACTERS}
                to.add(Code.TEXT_TOO_LONG, line, index=at, values=values)


def refuse_identity_numbers(
    rows: list[Row], lines: list[int], columns: Columns, to: Findings
) -> None:
    """Report categories and districts that hold an identity number: every screen shows them."""
    for field in (Field.CATEGORY, Field.DISTRICT):
        at = columns.position.get(field)
        for row, line in zip(rows, lines, strict=True):
            if at is not None and holds_identity_number(row[at]):
                to.add(Code.IDENTITY_NUMBER_IN_TEXT, line, index=at, value=row[at])
