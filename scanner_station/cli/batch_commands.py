"""`batch create | list | show | cancel`."""

import json
from pathlib import Path
from typing import Any

import click

from scanner_station.cli import compose
from scanner_station.cli.main import cli, with_data
from scanner_station.domain.declared import Declared
from scanner_station.domain.errors import InputError
from scanner_station.domain.identifier import Scheme
from scanner_station.domain.rehearsal import MARK, MOST_CARDS, USUAL_CARDS
from scanner_station.service import batches, rehearsal, views


@cli.group()
def batch() -> None:
    """Create, list, show and cancel batches."""


@batch.command()
@click.argument("slug")
@click.option("--title", required=True, help="What the minutes call it.")
@click.option("--place", default="", help="Where the cards are destroyed.")
@click.option("--date", "held_on", default="", metavar="YYYY-MM-DD", help="When.")
@click.option(
    "--scheme",
    "schemes",
    type=click.Choice([scheme.value for scheme in Scheme]),
    multiple=True,
    default=[Scheme.NIK.value],
    help="What a card identifier is; may be given more than once.",
)
@click.option("--declared", multiple=True, metavar="CATEGORY=N", help="A figure stated for it.")
@click.option(
    "--declared-district", "districts", multiple=True, metavar="DISTRICT=N", help="Likewise."
)
@click.option("--declared-total", "total", type=click.IntRange(min=0), help="Likewise, for all.")
@click.option("--supplements", default="", metavar="SLUG", help="The sealed batch it adds to.")
@click.option(
    "--rehearsal", "is_rehearsal", is_flag=True, help="A practice with test cards; marked for ever."
)
@click.option(
    "--cards",
    type=click.IntRange(1, MOST_CARDS),
    default=USUAL_CARDS,
    show_default=True,
    help="Test cards on the list of a rehearsal.",
)
@with_data
def create(
    slug: str,
    title: str,
    place: str,
    held_on: str,
    schemes: tuple[str, ...],
    declared: tuple[str, ...],
    districts: tuple[str, ...],
    total: int | None,
    supplements: str,
    is_rehearsal: bool,
    cards: int,
    data: Path,
) -> None:
    """Create the batch SLUG; it takes cards at once.

    A rehearsal has the list of its test cards already; `rehearsal-cards SLUG` prints them.
    """
    if is_rehearsal:
        _create_rehearsal(
            data,
            slug,
            title=title,
            place=place,
            held_on=held_on,
            schemes=schemes,
            declared=declared_of(declared, districts, total),
            supplements=supplements,
            cards=cards,
        )
        return
    pattern = compose.load_settings(data).identifiers.serial_pattern
    with compose.writing(data) as station:
        batches.create(
            station,
            slug,
            title=title,
            place=place,
            held_on=held_on,
            by=compose.local_account(),
            schemes=tuple(Scheme(name) for name in schemes),
            serial_pattern=pattern,
            declared=declared_of(declared, districts, total),
            supplements=supplements,
        )
    click.echo(f"batch {slug} is open and takes cards")


def _create_rehearsal(
    data: Path, slug: str, *, schemes: tuple[str, ...], supplements: str, **values: Any
) -> None:
    if supplements or schemes != (Scheme.NIK,):
        raise InputError(
            "a rehearsal has made-up NIK cards and adds to no batch; leave --scheme and "
            "--supplements out"
        )
    with compose.writing(data) as station:
        rehearsal.create(station, slug, by=compose.local_account(), **values)
    click.echo(f"{MARK}: batch {slug} is open and takes its {values['cards']} test cards")
    click.echo(f"`scanner-station rehearsal-cards {slug} --output cards.pdf` prints them")


def declared_of(
    categories: tuple[str, ...], districts: tuple[str, ...], total: int | None
) -> Declared:
    """Return the figures that the options state.

    Raises:
        InputError: one of them is not NAME=NUMBER, or names the same twice.
    """
    return Declared(
        total=total,
        by_category=_figures("--declared", categories),
        by_district=_figures("--declared-district", districts),
    )


def _figures(option: str, pairs: tuple[str, ...]) -> dict[str, int]:
    declared: dict[str, int] = {}
    for pair in pairs:
        category, _, number = pair.rpartition("=")
        category = category.strip()
        if not category or not (number.isascii() and number.isdigit()):
            raise InputError(
                "%(pair)r is not a declared figure; write it as CATEGORY=NUMBER, such as "
                "rusak=2169",
                pair=pair[:80],
            )
        if category in declared:
            raise InputError(
                "%(option)s names %(category)r twice; give one figure",
                option=option,
                category=category,
            )
        declared[category] = int(number)
    return declared


@batch.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@with_data
def list_batches(as_json: bool, data: Path) -> None:
    """List the batches in the data folder, the newest first."""
    with compose.reading(data) as connection:
        found = views.listing(connection)
    if as_json:
        click.echo(json.dumps({"batches": found}, ensure_ascii=False))
        return
    if not found:
        click.echo("no batches yet; `scanner-station batch create SLUG --title TEXT` makes one")
    width = max((len(str(one["slug"])) for one in found), default=0)
    for one in found:
        expected = one["expected"] if one["has_manifest"] else "no manifest"
        mark = f"{MARK}  " if one["rehearsal"] else ""
        click.echo(
            f"{one['slug']!s:<{width}}  {one['state']!s:<9}  "
            f"counted {one['counted']} of {expected}  {mark}{one['title']}"
        )


@batch.command()
@click.argument("slug")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@with_data
def show(slug: str, as_json: bool, data: Path) -> None:
    """Show one batch and its counts."""
    with compose.reading(data) as connection:
        found = views.summary(connection, slug)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    if found["rehearsal"]:
        click.echo(MARK)
    click.echo(f"{found['slug']} ({found['state']}): {found['title']}")
    for key in ("expected", "counted", "remaining", "manual", "already_counted"):
        click.echo(f"  {key.replace('_', ' '):<16} {found[key]:>9}")
    for key in ("not_on_manifest", "unreadable", "voided"):
        click.echo(f"  {key.replace('_', ' '):<16} {found[key]:>9}")
    for axis in ("by_category", "by_district"):
        _show_groups(axis, found[axis])


def _show_groups(axis: str, groups: object) -> None:
    if not isinstance(groups, dict) or not groups:
        return
    width = max(len(name) for name in [*groups, "(none)"])
    click.echo(
        f"{axis.replace('_', ' '):<{width + 2}} {'expected':>9} {'counted':>9} {'remaining':>9}"
    )
    for name, group in groups.items():
        click.echo(
            f"  {name or '(none)':<{width}} {group['expected']:>9} {group['counted']:>9} "
            f"{group['remaining']:>9}"
        )


@batch.command()
@click.argument("slug")
@click.option("--by", required=True, help="Who cancels it.")
@click.option("--with", "seconded_by", required=True, help="The second person.")
@click.option("--reason", required=True)
@with_data
def cancel(slug: str, by: str, seconded_by: str, reason: str, data: Path) -> None:
    """Cancel a batch (two people, a reason); its log stays, its counts no longer stand."""
    with compose.writing(data) as station:
        batches.cancel(station, slug, reason=reason, by=by, seconded_by=seconded_by)
    click.echo(f"batch {slug} is cancelled; nothing of its log was lost")


@cli.command("rehearsal-cards")
@click.argument("slug")
@click.option("--output", type=click.Path(path_type=Path), required=True, metavar="FILE.pdf")
@with_data
def rehearsal_cards(slug: str, output: Path, data: Path) -> None:
    """Print the test cards of the rehearsal SLUG as PDF: two strangers and one card twice, too."""
    from scanner_station.exports.rehearsal_sheet import export_sheet  # PDFs are slow to import

    with compose.reading(data) as connection:
        count = export_sheet(connection, slug, output)
    click.echo(f"{count} test cards written to {output}; print them at 100 % and cut them out")
