"""`reconcile`, `declare`, `explain`, `batch seal | burn` and what witnesses say."""

import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from scanner_station.cli import compose
from scanner_station.cli.batch_commands import batch, declared_of
from scanner_station.cli.main import EXIT_REFUSED, cli, with_data
from scanner_station.cli.reconciliation_text import lines_of
from scanner_station.domain.errors import ClosingError, InputError
from scanner_station.domain.findings import What
from scanner_station.service import batches, closing, custody
from scanner_station.service.reconciliation import reconcile
from scanner_station.service.reconciliation_json import as_json


@cli.command("reconcile")
@click.argument("slug")
@click.option("--json", "as_json_", is_flag=True, help="One JSON object.")
@with_data
def reconcile_(slug: str, as_json_: bool, data: Path) -> None:
    """Set manifest, count and declared figures against each other.

    Exit 1 while a difference is open: neither gone nor explained by two people.
    """
    with compose.reading(data) as connection:
        found = reconcile(connection, slug)
    is_open = found.state in ("open", "paused")
    hindrances = [str(one) for one in closing.hindrances_of(found)] if is_open else []
    if as_json_:
        click.echo(json.dumps(as_json(found, hindrances), ensure_ascii=False))
    else:
        for line in lines_of(found, hindrances):
            click.echo(line)
    if not found.is_complete:
        raise click.exceptions.Exit(EXIT_REFUSED)


@cli.command()
@click.argument("slug")
@click.option("--declared", multiple=True, metavar="CATEGORY=N", help="A figure stated for it.")
@click.option("--declared-district", "districts", multiple=True, metavar="DISTRICT=N")
@click.option("--declared-total", "total", type=click.IntRange(min=0))
@click.option("--none", "is_none", is_flag=True, help="No figure is stated any more.")
@click.option("--reason", default="", help="Where it is stated, or why it changes.")
@with_data
def declare(
    slug: str,
    declared: tuple[str, ...],
    districts: tuple[str, ...],
    total: int | None,
    is_none: bool,
    reason: str,
    data: Path,
) -> None:
    """Replace the figures stated for the batch SLUG, say to the press; the log keeps the old."""
    figures = declared_of(declared, districts, total)
    if is_none == bool(declared or districts or total is not None):
        raise InputError("name the figures that are stated, or --none, not both")
    with compose.writing(data) as station:
        closing.declare(station, slug, figures, by=compose.local_account(), reason=reason)
    click.echo(f"these are the figures stated for batch {slug} now; `reconcile {slug}` compares")


@cli.command()
@click.argument("slug")
@click.option(
    "--what",
    type=click.Choice([what.value for what in What]),
    required=True,
    help="missing: on the manifest, not counted. strangers: set aside. declared: figures that "
    "differ. declared_parts: figures that do not add up to their total.",
)
@click.option("--category", help="Only this one; else all.")
@click.option("--district", help="Only this one; else all.")
@click.option("--line", "lines", type=int, multiple=True, help="Only this line of the manifest.")
@click.option("--entry", "sequences", type=int, multiple=True, help="Only this stranger.")
@click.option("--reason", required=True)
@click.option("--by", required=True, help="Who explains it.")
@click.option("--with", "seconded_by", required=True, help="The second person.")
@with_data
def explain(
    slug: str,
    what: str,
    category: str | None,
    district: str | None,
    lines: tuple[int, ...],
    sequences: tuple[int, ...],
    reason: str,
    by: str,
    seconded_by: str,
    data: Path,
) -> None:
    """Explain a difference of the batch SLUG, or a group of them, by two people.

    It holds for what differs now; what changes later is open again.
    """
    with compose.writing(data) as station:
        body = closing.explain(
            station,
            slug,
            what=What(what),
            category=category,
            district=district,
            lines=lines,
            sequences=sequences,
            reason=reason,
            by=by,
            seconded_by=seconded_by,
        )
    click.echo(f"entry {body['sequence']} explains {body['number']} ({what})")


@batch.command()
@click.argument("slug")
@click.option("--by", required=True, help="Who seals it.")
@click.option("--with", "seconded_by", required=True, help="The second person.")
@with_data
def seal(slug: str, by: str, seconded_by: str, data: Path) -> None:
    """Seal the batch SLUG (two people): no more cards, and its head is signed.

    Exit 1 and everything that stands in the way if it cannot be sealed yet.
    """
    try:
        with compose.writing(data) as station:
            head = closing.seal(station, slug, by=by, seconded_by=seconded_by)
    except ClosingError as error:
        for one in error.hindrances:
            click.echo(f"scanner-station: {one}", err=True)
        click.echo(
            f"scanner-station: batch {slug} was not sealed; `reconcile {slug}` shows it all",
            err=True,
        )
        raise click.exceptions.Exit(EXIT_REFUSED) from error
    click.echo(f"batch {slug} is sealed with {head.checkpoint.size} entries; its signed head:")
    click.echo(bytes(head).decode(), nl=False)


@batch.command()
@click.argument("slug")
@click.option("--method", required=True, help="How the cards were destroyed.")
@click.option("--present", required=True, help="Who was there.")
@click.option("--at", type=click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]), help="Local time.")
@with_data
def burn(slug: str, method: str, present: str, at: datetime | None, data: Path) -> None:
    """Write down that the cards of the sealed batch SLUG were destroyed."""
    zone = ZoneInfo(compose.load_settings(data).station.time_zone)
    with compose.writing(data) as station:
        body = custody.burn(
            station,
            slug,
            method=method,
            present=present,
            by=compose.local_account(),
            burned_at=at.replace(tzinfo=zone) if at else None,
        )
    click.echo(f"entry {body['sequence']} says that the cards were destroyed")


@cli.group()
def witness() -> None:
    """Write down what a witness says: a word to begin with, a note, an objection, a refusal."""


@witness.command("word")
@click.argument("slug")
@click.option("--text", required=True, help="Anything that nobody could have known before.")
@with_data
def word(slug: str, text: str, data: Path) -> None:
    """Keep what a witness says before the first card; the log of SLUG will open with it."""
    with compose.writing(data) as station:
        batches.set_witness_nonce(station, slug, text)
    click.echo(f"the log of batch {slug} will open with these words")


@witness.command("note")
@click.argument("slug")
@click.option("--witness", "name", required=True)
@click.option("--institution", default="")
@click.option("--note", "text", required=True)
@with_data
def note_(slug: str, name: str, institution: str, text: str, data: Path) -> None:
    """Record what a witness remarks; it asks for no answer."""
    with compose.writing(data) as station:
        sequence = closing.note(
            station,
            slug,
            witness=name,
            institution=institution,
            text=text,
            by=compose.local_account(),
        )
    click.echo(f"entry {sequence} holds the note")


@witness.command("object")
@click.argument("slug")
@click.option("--witness", "name", required=True)
@click.option("--institution", default="")
@click.option("--objection", required=True)
@with_data
def object_(slug: str, name: str, institution: str, objection: str, data: Path) -> None:
    """Record an objection; the batch SLUG is not sealed before it is answered."""
    with compose.writing(data) as station:
        sequence = closing.object_to(
            station,
            slug,
            witness=name,
            institution=institution,
            objection=objection,
            by=compose.local_account(),
        )
    click.echo(f"entry {sequence} holds the objection")


@witness.command()
@click.argument("slug")
@click.argument("sequence", type=int)
@click.option("--text", required=True)
@with_data
def answer(slug: str, sequence: int, text: str, data: Path) -> None:
    """Answer the objection of entry SEQUENCE."""
    with compose.writing(data) as station:
        closing.answer(station, slug, sequence, text=text, by=compose.local_account())
    click.echo(f"the objection of entry {sequence} is answered")


@witness.command()
@click.argument("slug")
@click.option("--witness", "name", required=True)
@click.option("--institution", default="")
@click.option("--objection", required=True, help="Why they will not sign.")
@with_data
def refuse(slug: str, name: str, institution: str, objection: str, data: Path) -> None:
    """Record that a witness will not sign, before or after sealing; it hinders nothing."""
    with compose.writing(data) as station:
        sequence = closing.record_refusal(
            station,
            slug,
            witness=name,
            institution=institution,
            objection=objection,
            by=compose.local_account(),
        )
    click.echo(f"entry {sequence} says that {name} did not sign")
