"""`guide`: what a role has to know, on one printed page."""

from pathlib import Path

import click

from scanner_station.cli.main import cli
from scanner_station.config import LANGUAGES
from scanner_station.domain.people import Role

# What prints is imported where it is needed: `scan` starts without it.


@cli.command("guide")
@click.argument("role", type=click.Choice([str(one) for one in Role]), metavar="ROLE")
@click.option("--output", type=click.Path(path_type=Path), required=True, metavar="FILE.pdf")
@click.option("--language", type=click.Choice(LANGUAGES), default="id", show_default=True)
def guide(role: str, output: Path, language: str) -> None:
    """Write the guide for a ROLE (officer, witness or supervisor) as one page of A4 (PDF)."""
    from scanner_station import assets
    from scanner_station.exports.guide import print_guide
    from scanner_station.storage.durable_file import written_durably
    from scanner_station.webapp.translate import Language

    said = Language(language, assets.folder("web") / "translations")
    made = print_guide(Role(role), said.text)
    with written_durably(output) as file:
        file.write(made)
    click.echo(f"the guide for the {role} written to {output}")
