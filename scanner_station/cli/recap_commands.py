"""`recap`: totals over many bundles."""

import json
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from scanner_station import assets
from scanner_station.cli import compose
from scanner_station.cli.main import EXIT_REFUSED, cli, with_data
from scanner_station.cli.progress import bar
from scanner_station.domain.recapitulation import Recapitulation, Weight
from scanner_station.exports.recap import RecapAsked, recapitulate
from scanner_station.exports.recap_files import write_recap, writer_for
from scanner_station.exports.recap_rows import (
    FIGURES,
    Row,
    Section,
    as_json,
    remarks,
    reported,
    sections,
)
from scanner_station.exports.recap_sources import Policies, Source, bundles_in, office_list
from scanner_station.webapp.translate import Language

_FILE = click.Path(path_type=Path)
_MOST_LISTED = 1000
_WORDS = {
    "cancelled": "the batch was cancelled",
    "rehearsal": "LATIHAN / REHEARSAL",
    "given_twice": "given twice, counted once",
    "earlier_state": "an earlier state of a log that is in the totals",
}


@cli.command()
@click.argument("bundles", nargs=-1, required=True, type=_FILE, metavar="BUNDLE...")
@click.option("--policy", type=_FILE, help="Keys from elsewhere: a file, or a folder of files.")
@click.option("--offices", type=_FILE, help="The offices that should report, one a line.")
@click.option("--openings", multiple=True, type=_FILE, help="Openings of a batch; repeatable.")
@click.option("--output", type=_FILE, metavar="FILE", help="Also as FILE.csv, .xlsx or .pdf.")
@click.option("--json", "is_json", is_flag=True, help="One JSON object.")
@with_data
def recap(
    bundles: tuple[Path, ...],
    policy: Path | None,
    offices: Path | None,
    openings: tuple[Path, ...],
    output: Path | None,
    is_json: bool,
    data: Path,
) -> None:
    """Add up many BUNDLEs by office, category and month, each verified first.

    A BUNDLE is a folder or zip file, or a folder of them. Needs no station. Exit 1 if a bundle was
    refused, or one piece was counted in two batches.
    """
    if output is not None:
        writer_for(output.suffix)  # refused before the work, not after it
    asked = RecapAsked(
        bundles=bundles_in(bundles),
        policies=Policies.at(policy),
        offices=None if offices is None else office_list(Source.of(offices)),
        openings=[Source.of(path) for path in openings],
        time_zone=ZoneInfo(compose.load_settings(data).station.time_zone),
    )
    with bar("verifying", shown=not is_json) as progress:
        found = recapitulate(asked, progress=progress)
    if output is not None:
        write_recap(found, output, Language("id", assets.folder("web") / "translations").filled)
    if is_json:
        click.echo(json.dumps(as_json(found), ensure_ascii=False))
    else:
        for line in _report(found):
            click.echo(line)
        if output is not None:
            click.echo(f"written to {output}")
    if found.is_alarming:
        click.echo(f"scanner-station: {_alarm(found)}", err=True)
        raise click.exceptions.Exit(EXIT_REFUSED)


def _alarm(found: Recapitulation) -> str:
    said = []
    if found.refused:
        said.append(f"{len(found.refused)} files were refused and are not in the totals")
    if found.alarm_count:
        said.append(f"{found.alarm_count} pieces of plastic were counted in two batches")
    return "; ".join(said) + ": look into them"


def _report(found: Recapitulation) -> Iterator[str]:
    yield f"RECAPITULATION of {len(found.batches)} batches: {reported(found)}"
    for remark in remarks(found):
        yield f"  NOTE {remark}"
    tables = {section.name: section for section in sections(found)}
    for name in ("offices", "categories", "periods"):
        yield ""
        yield from _table(tables[name])
    yield ""
    yield "batches"
    for one in found.batches:
        state = "sealed" if one.is_sealed else "STILL OPEN"
        yield f"  {one.total.burned:>10}  {one.day}  {state}, keys: {one.trust}  {one.log}"
    yield f"  {found.total.burned:>10}  all: {reported(found)}"
    yield from _lists(found)


def _table(section: Section) -> Iterator[str]:
    rows = [*section.rows, *([section.total] if section.total else [])]
    names = [str(row[0]) or "(none)" for row in rows]
    if section.total:
        names[-1] = f"all ({section.total[1]})"
    width = min(60, max(map(len, [section.name, *names])))
    yield f"{section.name:<{width}}" + "".join(f"{name:>13}" for name in FIGURES)
    for name, row in zip(names, rows, strict=True):
        yield f"{name:<{width}}{_figures(row)}"


def _figures(row: Row) -> str:
    return "".join(f"{figure:>13}" for figure in row[-len(FIGURES) :])


def _lists(found: Recapitulation) -> Iterator[str]:
    yield from _list(
        "not in the totals",
        [f"{one.name}: {one.log}, {_WORDS[one.why]}" for one in found.asides],
    )
    yield from _list(
        "REFUSED, not in the totals", [f"{one.name}: {one.why}" for one in found.refused]
    )
    yield from _list("offices missing", found.missing_offices)
    yield from _list("offices that are not on the list", found.unlisted_offices)
    yield from _list(
        "counted in several batches",
        [
            f"{'ALARM, one piece' if one.weight is Weight.ALARM else 'remark, one person'}  "
            f"{one.masked}  {', '.join(one.logs)}"
            for one in found.twice
        ],
        found.twice_count,
    )


def _list(title: str, lines: list[str], total: int | None = None) -> Iterator[str]:
    count = len(lines) if total is None else total
    if not count:
        return
    yield ""
    yield f"{title}: {count}"
    for line in lines[:_MOST_LISTED]:
        yield f"  {line}"
    if count > _MOST_LISTED:
        yield f"  … and {count - _MOST_LISTED} more; --json and --output have them"
