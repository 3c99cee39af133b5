"""`batch open | pause | resume | lot`, `container ...`, and cards that no machine reads."""

import json
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from scanner_station.cli import compose
from scanner_station.cli.batch_commands import batch
from scanner_station.cli.main import cli, with_data
from scanner_station.domain.custody_records import Form
from scanner_station.domain.errors import InputError
from scanner_station.service import custody
from scanner_station.service.reconciliation_json import custody_as_json

_FILE = click.Path(path_type=Path)


@batch.command("open")
@click.argument("slug")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@with_data
def open_(slug: str, as_json: bool, data: Path) -> None:
    """Begin the log of the batch SLUG and report that nothing is counted yet."""
    with compose.writing(data) as station:
        report = custody.zero_report(station, slug, by=compose.local_account())
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    click.echo(f"batch {slug} opens at {report['at']} with 0 cards; {report['expected']} expected")


@batch.command()
@click.argument("slug")
@click.option("--agreed-by", default="", help="Who else looked at the typed cards.")
@with_data
def pause(slug: str, agreed_by: str, data: Path) -> None:
    """End a day's counting; prints the closing figure, to be written down."""
    with compose.writing(data) as station:
        figure = custody.pause(station, slug, by=compose.local_account(), agreed_by=agreed_by)
    click.echo(f"batch {slug} is paused; closing figure {figure}")


@batch.command()
@click.argument("slug")
@click.option("--figure", type=click.IntRange(min=0), required=True, help="As it was written down.")
@with_data
def resume(slug: str, figure: int, data: Path) -> None:
    """Go on counting, if the opening figure is the last closing figure."""
    with compose.writing(data) as station:
        custody.resume(station, slug, figure=figure, by=compose.local_account())
    click.echo(f"batch {slug} takes cards again; opening figure {figure}")


@batch.command()
@click.argument("slug")
@click.argument("name")
@with_data
def lot(slug: str, name: str, data: Path) -> None:
    """Begin the lot NAME, usually one district's cards."""
    with compose.writing(data) as station:
        custody.begin_lot(station, slug, name, by=compose.local_account())
    click.echo(f"lot {name} has begun")


@cli.group()
def container() -> None:
    """Count cards into boxes, sacks and drums, and seal these."""


@container.command("open")
@click.argument("slug")
@click.option("--form", type=click.Choice([form.value for form in Form]), default=Form.BOX.value)
@click.option("--label", default="", help="What is written on it.")
@with_data
def open_container(slug: str, form: str, label: str, data: Path) -> None:
    """Open the next container; from now on cards are counted into it."""
    with compose.writing(data) as station:
        made = custody.open_container(
            station, slug, by=compose.local_account(), form=Form(form), label=label
        )
    click.echo(f"container {made.number} ({made.form}) is open")


@container.command("seal")
@click.argument("slug")
@click.argument("number", type=int)
@click.option("--seal-number", required=True)
@click.option("--agreed-by", default="", help="Who else looked at the typed cards.")
@with_data
def seal_container(slug: str, number: int, seal_number: str, agreed_by: str, data: Path) -> None:
    """Seal container NUMBER, which fixes its count."""
    with compose.writing(data) as station:
        sealed = custody.seal_container(
            station,
            slug,
            number,
            seal_number=seal_number,
            by=compose.local_account(),
            agreed_by=agreed_by,
        )
    click.echo(f"container {number} is sealed with {sealed.count} cards, seal {seal_number}")


@container.command("label")
@click.argument("slug")
@click.argument("number", type=int)
@click.option("--output", type=_FILE, required=True, metavar="FILE.pdf")
@with_data
def label(slug: str, number: int, output: Path, data: Path) -> None:
    """Write the label of the sealed container NUMBER, with its QR code, to be printed."""
    from scanner_station.exports.label import export_label  # PDFs are slow to import

    zone = ZoneInfo(compose.load_settings(data).station.time_zone)
    with compose.reading(data) as connection:
        export_label(connection, slug, number, output, zone)
    click.echo(f"the label of container {number} is in {output}")


@container.command("break")
@click.argument("slug")
@click.argument("number", type=int)
@click.option("--reason", required=True)
@click.option("--by", required=True)
@click.option("--with", "seconded_by", required=True, help="The second person.")
@with_data
def break_seal(slug: str, number: int, reason: str, by: str, seconded_by: str, data: Path) -> None:
    """Break the seal of container NUMBER (two people), so that a card can be taken back."""
    with compose.writing(data) as station:
        custody.break_seal(station, slug, number, reason=reason, by=by, seconded_by=seconded_by)
    click.echo(f"the seal of container {number} is broken; give it a new one")


@container.command("list")
@click.argument("slug")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@with_data
def list_containers(slug: str, as_json: bool, data: Path) -> None:
    """List the containers of the batch SLUG; with --json also its days, lots and witnesses."""
    with compose.reading(data) as connection:
        known = custody.custody(connection, slug)
    if as_json:
        click.echo(json.dumps(custody_as_json(known), ensure_ascii=False))
        return
    for one in known.containers.values():
        click.echo(
            f"{one.number:>4}  {one.form:<5} {one.state:<7} {one.count:>7} cards  "
            f"{', '.join(one.seals) or '-'}  {one.label}"
        )


@cli.command()
@click.option("--batch", "slug", required=True, metavar="SLUG")
@click.argument("sequence", type=int)
@click.option("--category", required=True)
@click.option("--district", default="")
@click.option("--reason", required=True)
@click.option("--by", required=True)
@click.option("--with", "seconded_by", required=True, help="The second person.")
@with_data
def add(
    slug: str,
    sequence: int,
    category: str,
    district: str,
    reason: str,
    by: str,
    seconded_by: str,
    data: Path,
) -> None:
    """Put the stranger of entry SEQUENCE to the count (two people), marked as added."""
    with compose.writing(data) as station:
        body = custody.add_stranger(
            station,
            slug,
            sequence,
            category=category,
            district=district,
            reason=reason,
            by=by,
            seconded_by=seconded_by,
        )
    click.echo(f"entry {body['sequence']} adds the card of entry {sequence}")


@cli.command()
@click.option("--batch", "slug", required=True, metavar="SLUG")
@click.option("--category", default="")
@click.option("--reason", default="")
@click.option("--photograph", type=_FILE, help="A JPEG picture of the card.")
@with_data
def unidentified(
    slug: str, category: str, reason: str, photograph: Path | None, data: Path
) -> None:
    """Take in a card on which nothing is legible; prints its running number."""
    picture = _content(photograph) if photograph else b""
    with compose.writing(data) as station:
        number = custody.record_unidentified(
            station,
            slug,
            by=compose.local_account(),
            category=category,
            reason=reason,
            photograph=picture,
        )
    click.echo(f"unidentified card number {number}")


@cli.command()
@click.option("--batch", "slug", required=True, metavar="SLUG")
@click.option("--by", required=True, help="Who looked at the cards; none of those who typed.")
@with_data
def agree(slug: str, by: str, data: Path) -> None:
    """Agree, as a second person, to the typed and unidentified cards that wait."""
    with compose.writing(data) as station:
        number = custody.agree(station, slug, by=by)
    click.echo(f"{by} agrees to {number} cards")


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(custody.MOST_PHOTOGRAPH_BYTES + 1)
    except OSError as error:
        raise InputError(
            "%(path)s cannot be read (%(why)s)", path=str(path), why=error.strerror or str(error)
        ) from error
