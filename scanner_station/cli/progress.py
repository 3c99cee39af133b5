"""A progress bar on the terminal, on standard error so that standard output stays readable."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

Progress = Callable[[int, int], None]


@contextmanager
def bar(label: str, *, shown: bool = True) -> Iterator[Progress]:
    """Lend a function that is told how much is done and of how much; no bar where nobody looks."""
    stream = sys.stderr
    if not (shown and stream.isatty()):
        yield lambda _done, _total: None
        return
    with click.progressbar(length=1, label=label, file=stream) as shown_bar:

        def advance(done: int, total: int) -> None:
            shown_bar.length = max(total, 1)
            shown_bar.update(done - shown_bar.pos)

        yield advance
