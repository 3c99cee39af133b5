"""`manifest check | import` and `export`: files in and out."""

import json
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from scanner_station.cli import compose
from scanner_station.cli.main import EXIT_REFUSED, cli, with_data
from scanner_station.cli.progress import bar
from scanner_station.domain.identifier import Scheme, Schemes
from scanner_station.domain.manifest import ManifestReport
from scanner_station.domain.manifest_problems import Problem
from scanner_station.exports.bundle import export_bundle
from scanner_station.exports.log import FORMATS, export
from scanner_station.exports.openings import export_openings
from scanner_station.exports.problem_list import problem_list
from scanner_station.exports.said import in_english
from scanner_station.service import batches
from scanner_station.storage import checked_manifest
from scanner_station.storage.durable_file import written_durably

BUNDLE = "bundle"
OPENINGS = "openings"


@cli.group()
def manifest() -> None:
    """Check and load the lists of cards that should be destroyed."""


@manifest.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--scheme",
    "schemes",
    type=click.Choice([scheme.value for scheme in Scheme]),
    multiple=True,
    default=[Scheme.NIK.value],
    help="What a card identifier is; may be given more than once.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option(
    "--problems",
    type=click.Path(path_type=Path),
    help="Write all problems to this CSV file, not only the first hundred.",
)
@with_data
def check(
    file: Path, schemes: tuple[str, ...], as_json: bool, problems: Path | None, data: Path
) -> None:
    """Check the manifest FILE (CSV or .xlsx) and report on it; nothing is loaded."""
    pattern = compose.load_settings(data).identifiers.serial_pattern
    wanted = Schemes(tuple(Scheme(name) for name in schemes), pattern)
    with bar("checking", shown=not as_json) as progress:
        checked = checked_manifest.check(file, file.name, wanted, progress=progress)
        checked.close()
    report = checked.report
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        _print_report(report)
    if problems is not None:
        _write_problems(checked_manifest.every_problem(file, file.name, wanted), problems)
    if report.problem_count:
        raise click.exceptions.Exit(EXIT_REFUSED)


@manifest.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--batch", "slug", required=True, metavar="SLUG")
@with_data
def import_(file: Path, slug: str, data: Path) -> None:
    """Load the manifest FILE into a batch: all of it, or nothing."""
    with compose.writing(data) as station:
        with bar("checking") as progress:
            checked = batches.check_manifest(station, slug, file, file.name, progress=progress)
        if checked.report.problem_count:
            _print_report(checked.report)
        with bar("writing") as progress:
            report = batches.import_manifest(
                station, slug, checked, by=compose.local_account(), progress=progress
            )
    click.echo(f"batch {slug} now expects {report.pieces} cards on {report.lines} lines")


@cli.command("export")
@click.argument("slug")
@click.option(
    "--format", "export_format", type=click.Choice([*FORMATS, BUNDLE, OPENINGS]), required=True
)
@click.option("--output", type=click.Path(path_type=Path), required=True)
@with_data
def export_(slug: str, export_format: str, output: Path, data: Path) -> None:
    """Write the whole log of a batch to a file, voids and repeats included.

    A bundle is for anybody to check, without numbers: a folder, or a zip file if OUTPUT ends in
    .zip. The openings say which number stands behind each of its cards: for the supervisor only.
    """
    settings = compose.load_settings(data)
    with compose.reading(data) as connection, bar("exporting") as progress:
        match export_format:
            case "bundle":
                key = compose.station_key(data)
                head = export_bundle(connection, slug, key, output, progress=progress)
                done = f"{head.checkpoint.size} entries"
            case "openings":
                count = export_openings(connection, slug, output, progress=progress)
                done = f"the openings of {count} cards (restricted: whole numbers)"
            case _:
                rows = export(
                    connection,
                    slug,
                    export_format,
                    output,
                    time_zone=ZoneInfo(settings.station.time_zone),
                    progress=progress,
                )
                done = f"{rows} entries"
    click.echo(f"{done} written to {output}")


def _write_problems(found: Iterator[Problem], path: Path) -> None:
    with written_durably(path) as out:
        out.writelines(problem_list(found, in_english))


def _print_report(report: ManifestReport) -> None:
    for line in report.as_text():
        click.echo(line)
