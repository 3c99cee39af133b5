"""`minutes` and `particulars`: the official paper about a batch, and what people enter for it."""

import json
from pathlib import Path
from typing import BinaryIO, Final
from zoneinfo import ZoneInfo

import click

from scanner_station.cli import compose
from scanner_station.cli.main import cli, with_data
from scanner_station.domain.errors import InputError
from scanner_station.domain.particulars import Particulars

# What prints is imported where it is needed: `scan` starts without it.

_MOST_BYTES: Final = 1024 * 1024


@cli.command("minutes")
@click.argument("slug")
@click.option("--output", type=click.Path(path_type=Path), required=True, metavar="FILE.pdf")
@click.option("--masked", is_flag=True, help="The copy for publication: nobody's card is named.")
@with_data
def minutes_(slug: str, output: Path, masked: bool, data: Path) -> None:
    """Write the official minutes (berita acara) of the batch SLUG as PDF, in Indonesian.

    Before the batch is sealed every page is marked as a draft.
    """
    from scanner_station.exports.minutes import export_minutes, read_logo

    settings = compose.load_settings(data)
    logo = read_logo(settings.minutes.logo)
    with compose.reading(data) as connection:
        export_minutes(
            connection,
            slug,
            compose.station_key(data),
            output,
            time_zone=ZoneInfo(settings.station.time_zone),
            masked=masked,
            logo=logo,
        )
    what = "the masked copy of the minutes" if masked else "the minutes (restricted: whole numbers)"
    click.echo(f"{what} written to {output}")


@cli.command("particulars")
@click.argument("slug")
@click.option(
    "--load", "file", type=click.File("rb"), metavar="FILE", help="JSON as it is printed; - reads."
)
@with_data
def particulars_(slug: str, file: BinaryIO | None, data: Path) -> None:
    """Print what people enter for the minutes of the batch SLUG, as JSON; --load replaces it.

    Number, place, day, legal basis, officers (name, NIP, position), witnesses (name, institution).
    """
    from scanner_station.service import minutes

    if file is None:
        with compose.reading(data) as connection:
            known = minutes.particulars(connection, slug)
    else:
        entered = _sent(file)
        with compose.writing(data) as station:
            known = minutes.set_particulars(station, slug, entered, by=compose.local_account())
    click.echo(json.dumps(known.as_json(), ensure_ascii=False, indent=2))


def _sent(file: BinaryIO) -> Particulars:
    try:
        sent = json.loads(file.read(_MOST_BYTES))
    except (ValueError, RecursionError) as error:
        raise InputError("the particulars are no JSON: %(why)s", why=str(error)) from error
    return Particulars.of_json(sent)
