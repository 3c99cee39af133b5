"""The rows of an exported log, made in SQL where the data is.

Measured at a million entries: putting each CSV line together inside SQLite takes half the time of
Python's csv module.
"""

from typing import Final

from scanner_station.storage.entry_key import IN_SPAN

COLUMNS: Final = (
    "sequence",
    "kind",
    "verdict",
    "is_counted",
    "at",
    "local_time",
    "identifier",
    "name",
    "category",
    "district",
    "reason",
    "piece",
    "voided_by",
    "target",
    "first_batch",
    "first_sequence",
    "earlier_batch",
    "earlier_sequence",
    "by",
    "seconded_by",
    "station",
    "reader",
    "symbology",
    "card",
    "mark",
)
"""In this order in CSV and Excel; docs/exports.md explains each. New ones go to the end."""

# What people or devices wrote; all else is numbers, times and words of our own. A commitment can
# start with `+`.
_TEXTS: Final = frozenset(
    (
        "identifier",
        "name",
        "category",
        "district",
        "reason",
        "by",
        "seconded_by",
        "station",
        "reader",
        "card",
    )
)

# All others stand in the entry's body under their own name.
_NOT_IN_BODY: Final = {
    "sequence": "entry.sequence",
    "is_counted": "body ->> 'verdict' is 'counted' and voided_by is null",
    "local_time": "local_time(body ->> 'at')",
    "identifier": "entry.identifier",
    "name": "line.name",
    "voided_by": "voided_by",
    "mark": ":mark",
}


def _selected(column: str) -> str:
    value = _NOT_IN_BODY.get(column) or f"body ->> '{column}'"
    return f"{value} as {column}"


# `limit -1` makes SQLite take each value out of its JSON once, not as often as it is named below.
# In canonical JSON quotes inside a text are escaped, so only a void names its kind like this.
_ROWS: Final = f"""
with voids as materialized (
    select body ->> 'target' as target, min(sequence) as voided_by from entry
    where {IN_SPAN} and instr(body, '"kind":"void"') group by target
), rows as (
    select {", ".join(_selected(column) for column in COLUMNS)}
    from entry left join manifest_line line
        on line.manifest_id = :manifest and line.identifier = entry.identifier
    left join voids on voids.target = entry.sequence
    where {IN_SPAN} order by entry.key limit -1
)
"""  # noqa: S608 - the names are our own constants


def _cell(column: str) -> str:
    if column not in _TEXTS:
        return f"ifnull({column}, '')"
    # Most texts hold only harmless characters and are taken as they are at the price of two looks.
    # All others are quoted (RFC 4180), and a formula is defused with an apostrophe; a text that
    # starts with an apostrophe gets another, so that taking one away always gives the text back.
    return f"""ifnull(case when {column} not glob '*[^-+=0-9A-Za-z ._/:]*'
            and {column} not glob '[-+=]*' then {column}
        else '"' || case when {column} glob '[-=+@＝＋－＠''\t\r\n]*' then '''' else '' end
            || replace({column}, '"', '""') || '"' end, '')"""  # noqa: RUF001 - East Asian formulas


ROWS: Final = f"{_ROWS} select * from rows"  # noqa: S608 - as above
"""A column for each of `COLUMNS`; null where an entry has no such value."""

_LINE: Final = " || ',' || ".join(_cell(column) for column in COLUMNS)
CSV_LINES: Final = f"{_ROWS} select {_LINE} as line from rows"  # noqa: S608 - as above
"""A CSV line for each entry, without its line end."""

JSON_LINES: Final = f"""
select substr(body, 1, length(body) - 1)
    || ',"identifier":' || json_quote(ifnull(identifier, ''))
    || iif(:mark is null, '', ',"mark":' || json_quote(:mark)) || '}}' as line
from entry where {IN_SPAN} order by key
"""  # noqa: S608 - as above
"""The body of each entry exactly as logged; after its last key the identifier, and in a rehearsal
its mark."""
