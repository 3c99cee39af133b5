"""`scan`, `void` and `decode`: one card at a time."""

import json
import re
import sys
from contextlib import closing
from pathlib import Path
from typing import Final

import click

from scanner_station.cli import compose
from scanner_station.cli.main import EXIT_REFUSED, cli, forget_output, with_data
from scanner_station.domain.errors import InputError
from scanner_station.domain.reading import ReaderId, Symbology
from scanner_station.readers.stdin import StdinReader
from scanner_station.service import batches, views

_NOT_ON_A_LINE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""What some programs take for the end of a line, and what UTF-8 cannot hold."""


@cli.command()
@click.option("--batch", "slug", required=True, metavar="SLUG")
@click.option("--category", help="Category of the cards, in a batch without a manifest.")
@with_data
def scan(slug: str, category: str | None, data: Path) -> None:
    """Count payloads from standard input, one a line; one JSON verdict a line.

    Each verdict is printed only after it is on disk. Exit 0 whatever the verdicts.
    """
    by = compose.local_account()
    with compose.writing(data) as station:
        station.counter(slug)
        if category is not None:
            batches.choose_category(station, slug, category)
        reader = StdinReader(ReaderId("stdin"), sys.stdin.buffer, station.clock)
        for reading in reader.readings():
            recorded = station.handle(slug, reading, by=by)
            verdict = json.dumps(views.outcome_as_json(recorded), ensure_ascii=False)
            try:
                click.echo(verdict)
                sys.stdout.flush()
            except BrokenPipeError:
                # What was counted is durable, so this is no failure; nothing more is counted.
                forget_output()
                return


@cli.command()
@click.option("--batch", "slug", required=True, metavar="SLUG")
@click.argument("sequence", type=int)
@click.option("--reason", required=True)
@with_data
def void(slug: str, sequence: int, reason: str, data: Path) -> None:
    """Take the counted entry SEQUENCE back, as a new entry with a reason."""
    with compose.writing(data) as station:
        recorded = station.void(slug, sequence, reason=reason, by=compose.local_account())
    click.echo(
        f"entry {sequence} is taken back by entry {recorded.sequence}; "
        f"counted {recorded.counted} of {recorded.expected}"
    )


@cli.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "_as_json", is_flag=True, help="One JSON line an image (the default).")
@click.option("--symbologies", default="qr,code128,code39", show_default=True)
@click.option("--explain", is_flag=True, help="Say on standard error what each stage read.")
def decode(images: tuple[Path, ...], _as_json: bool, symbologies: str, explain: bool) -> None:
    """Read the codes in pictures, without any batch.

    One JSON line an image, in their order. One that is no picture gives a line without
    readings, a sentence on standard error, and exit code 1 in the end.
    """
    from scanner_station.readers import decoding  # `scan` should not wait for OpenCV

    wanted = _symbologies(symbologies)
    refused = False
    with closing(decoding.DecoderProcess()) as decoder:
        for path in images:
            try:
                result = decoding.decode_file(path, wanted, decoder=decoder)
            except InputError as error:
                click.echo(f"scanner-station: {error}", err=True)
                result = decoding.NOTHING_READ
                refused = True
            click.echo(_one_line(result.as_json(str(path))))
            sys.stdout.flush()
            if explain:
                for line in decoding.explain_lines(result, str(path)):
                    click.echo(line, err=True)
    if refused:
        raise click.exceptions.Exit(EXIT_REFUSED)


def _one_line(found: dict[str, object]) -> str:
    """Return an object as JSON that is one line of UTF-8, whatever a code or a file name holds."""
    text = json.dumps(found, ensure_ascii=False)
    return _NOT_ON_A_LINE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _symbologies(names: str) -> frozenset[Symbology]:
    known = [symbology.value for symbology in Symbology if symbology is not Symbology.UNKNOWN]
    wanted = [name.strip().lower() for name in names.split(",") if name.strip()]
    if not wanted or (unknown := [name for name in wanted if name not in known]):
        raise InputError(
            "%(name)r is not a symbology; choose from %(known)s",
            name=unknown[0] if wanted else names,
            known=", ".join(known),
        )
    return frozenset(Symbology(name) for name in wanted)
