"""Texts as cells of a CSV file that no spreadsheet runs."""

from typing import Final

_RUNS: Final = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - East Asian formulas


def defused(text: str) -> str:
    """Return a text with an apostrophe before what a spreadsheet would run.

    A text that starts with an apostrophe gets another, so that taking one away always gives the
    text back. Source: OWASP, CSV Injection.
    """
    return f"'{text}" if text.startswith((*_RUNS, "'")) else text
