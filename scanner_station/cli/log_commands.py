"""`verify`, `receipt` and `forget`: what the log proves, to whom, and what is taken out of it."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from scanner_station.cli import compose
from scanner_station.cli.main import cli, with_data
from scanner_station.cli.progress import bar
from scanner_station.clock import SystemClock
from scanner_station.domain.checkpoint import CLOCKS_DIFFER_S
from scanner_station.domain.declared import Declared
from scanner_station.domain.entry import Kind, parse_timestamp
from scanner_station.domain.errors import InputError, VerificationError
from scanner_station.domain.findings import Findings, What, explanation_of
from scanner_station.domain.paper_head import PaperHead
from scanner_station.domain.reconciliation import Difference, Reconciliation, table_of
from scanner_station.domain.rehearsal import MARK
from scanner_station.domain.tally import ADDED, UNIDENTIFIED
from scanner_station.domain.text import shown
from scanner_station.exports.receipts import make_receipt
from scanner_station.exports.verification import Asked, Verified, verify
from scanner_station.service import forgetting
from scanner_station.storage import incoming

_MOST_BYTES = 1024 * 1024
_MOST_SHOWN = 8000
_DAY_S = 86_400
_LATE_S = 2 * _DAY_S
_FILE = click.Path(path_type=Path)


@cli.command("verify")
@click.argument("bundle", type=_FILE)
@click.option("--policy", type=_FILE, help="Keys that you got elsewhere than from the bundle.")
@click.option("--against", type=_FILE, help="A signed head or paper code that somebody kept.")
@click.option("--receipt", type=_FILE, help="A card's receipt; its number on standard input.")
@click.option("--openings", type=_FILE, help="The supervisor's restricted openings.")
def verify_(
    bundle: Path,
    policy: Path | None,
    against: Path | None,
    receipt: Path | None,
    openings: Path | None,
) -> None:
    """Check a BUNDLE (folder or zip); nothing but these files is needed.

    Exit 1 and the first bad place if anything was changed.
    """
    asked = Asked(
        policy=_content(policy),
        against=_content(against),
        receipt=_content(receipt),
        identifier=_typed_identifier() if receipt is not None else "",
        openings=openings,
    )
    with bar("verifying") as progress:
        found = verify(bundle, asked, progress=progress)
    for line in _report(found):
        click.echo(shown(line, most=_MOST_SHOWN))


@cli.command("receipt")
@click.option("--batch", "slug", required=True, metavar="SLUG")
@with_data
def receipt_(slug: str, data: Path) -> None:
    """Write the receipt of one counted card to standard output; its number on standard input."""
    payload = sys.stdin.buffer.readline(4096)
    with compose.reading(data) as connection:
        made = make_receipt(connection, slug, compose.station_key(data), payload)
    sys.stdout.buffer.write(bytes(made))


@cli.command()
@click.argument("slug")
@with_data
def forget(slug: str, data: Path) -> None:
    """Erase the people of the closed batch SLUG for good; its log can still be checked."""
    settings = compose.load_settings(data)
    with compose.writing(data) as station, bar("forgetting") as progress:
        forgetting.forget(
            station,
            slug,
            by=compose.local_account(),
            retention_days=settings.log.retention_days,
            progress=progress,
        )
        incoming.sweep(data)  # lists and openings on their way when a station was killed
    click.echo(f"batch {slug}: numbers, names and codes are erased; its log can still be checked")
    click.echo(f"cannot be made any more: {forgetting.CANNOT_BE_MADE_AGAIN}")
    click.echo("not reached: exports, openings and copies outside the data folder; erase them too")


def _content(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES)
    except OSError as error:
        raise InputError(
            "%(path)s cannot be read (%(why)s)", path=str(path), why=error.strerror or str(error)
        ) from error


def _typed_identifier() -> str:
    if sys.stdin is None or sys.stdin.closed:
        return ""
    if sys.stdin.isatty():
        typed = click.prompt("card number (empty: not checked)", default="", show_default=False)
        return str(typed).strip()
    try:
        return sys.stdin.buffer.readline(4096).decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise VerificationError("the card number on standard input is not text") from error


def _report(found: Verified) -> list[str]:
    checkpoint, tally = found.head.checkpoint, found.audit.tally
    paper = PaperHead.of(checkpoint.size, checkpoint.root).text
    counted = sum(found.totals.counted.values())
    return [
        *_rehearsal(found),
        *_trust(found),
        f"log: {checkpoint.origin}, {checkpoint.size} entries, {_closed(found)}",
        f"head on paper: {paper}",
        *_opening(found),
        f"counted: {counted}" + _expected(found),
        *(
            f"  {category or '-'}: {count}" + _of_category(found, category)
            for category, count in sorted(_with_expected(found).items())
        ),
        f"for the fire: {tally.burned} (counted {counted}, added {tally.total(ADDED)}, "
        f"unidentified {tally.total(UNIDENTIFIED)})",
        f"already counted: {tally.total('already_counted')}, "
        f"not on manifest: {tally.total('not_on_manifest')}, "
        f"unreadable: {tally.total('unreadable')}, voided: {tally.total('voided')}",
        *_declared(found),
        *_explained(found),
        *_said_by_witnesses(found),
        *_extras(found),
    ]


def _trust(found: Verified) -> list[str]:
    if found.is_trusted_from_outside:
        names = ", ".join(key.name for key in found.witnesses) or "none"
        lines = [
            "VERIFIED with the keys of your policy; nothing was changed, no card counted twice",
            f"signed by witnesses you trust: {len(found.witnesses)} ({names})",
        ]
    else:
        lines = [
            "WHOLE IN ITSELF, NOT VERIFIED: the keys come from the bundle itself, and whoever "
            "forges a bundle forges its keys too; bring keys from outside with --policy",
            f"signed by {len(found.witnesses)} of the {found.named} witnesses whom the log names",
        ]
    if not found.witnesses and found.against_size is None:
        lines.append(
            "NO WITNESS is asked: whoever has the station's key can have written this log anew; "
            "hold it against a head that somebody kept (--against)"
        )
    lines += [f"trusted for the log: {found.log.text}"]
    for key in found.witnesses:
        signed_s = found.signed_at_s[key.name]
        lines.append(f"witness: {key.text}")
        lines.append(f"  signed at {_utc(signed_s)}{_doubt(signed_s, found.audit.last_at)}")
    return lines


def _utc(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return "a second after the year 9999"


def _doubt(signed_s: int, last_at: str) -> str:
    # A head has no time of its own; its last entry has, by the station's clock.
    try:
        after_s = signed_s - int(parse_timestamp(last_at).timestamp())
    except ValueError:  # shaped like a time, of a day that no calendar has
        return f": the last entry's own time is none ({last_at})"
    if signed_s > SystemClock().now().timestamp() + CLOCKS_DIFFER_S:
        return ": A TIME THAT HAS NOT COME; a clock was wrong, or the time is made up"
    if after_s < -CLOCKS_DIFFER_S:
        return f": BEFORE the last entry ({last_at}); a clock was wrong, or a time is made up"
    if after_s > _LATE_S:
        return f": {after_s // _DAY_S} days after the last entry ({last_at})"
    return ""


def _rehearsal(found: Verified) -> list[str]:
    if not found.audit.is_rehearsal:
        return []
    return [f"{MARK}: the cards are generated ones, nobody's; this log says nothing of real cards"]


def _closed(found: Verified) -> str:
    return {"seal": "sealed", "cancel": "CANCELLED: its counts do not stand"}.get(
        found.closed_by, "STILL OPEN: more may be counted"
    )


def _opening(found: Verified) -> list[str]:
    # What the log itself says of the day; an office may write there what it likes.
    opening = found.audit.opening
    about = [
        str(opening[name]) for name in ("title", "office", "place", "held_on") if name in opening
    ]
    lines = [f"batch: {', '.join(about)}"] if about else []
    lines.append(
        f"entries made from {opening['at']} to {found.audit.last_at}, by the station's clock"
    )
    if words := opening.get("nonce"):
        lines.append(f"opens with what a witness said: {words}")
    return lines


def _expected(found: Verified) -> str:
    if not found.has_manifest:
        return " (the batch has no manifest)"
    expected, missing = sum(found.totals.expected.values()), sum(found.totals.missing.values())
    return f" of {expected} expected, {missing} missing"


def _with_expected(found: Verified) -> dict[str, int]:
    return dict.fromkeys(found.totals.expected, 0) | found.totals.counted


def _of_category(found: Verified, category: str) -> str:
    if not found.has_manifest:
        return ""
    expected = found.totals.expected.get(category, 0)
    return f" of {expected}, {found.totals.missing.get(category, 0)} missing"


def _declared(found: Verified) -> list[str]:
    # What the office stated elsewhere, beside what the log comes to.
    audit = found.audit
    if audit.declared == Declared():
        return []
    findings = Findings(slug=str(audit.opening["batch"]))
    findings.explanations.extend(map(explanation_of, audit.explanations))
    differences = Reconciliation(
        slug=findings.slug,
        title=found.title,
        state="",
        has_manifest=found.has_manifest,
        table=table_of(audit.tally),
        declared=audit.declared,
        findings=findings,
    ).figures_that_differ
    return [
        f"declared {_figure(one)}: {one.difference:+}"
        + (" (NOT EXPLAINED)" if found.closed_by == Kind.SEAL and one.open else "")
        for one in differences
    ] or ["declared: the same as for the fire"]


def _figure(one: Difference) -> str:
    if one.what is What.PARTS:
        in_total = int(one.declared or 0) - one.difference
        return f"by {one.axis}: {one.declared} together, but {in_total} in total"
    name = "in total" if one.axis == "total" else one.category or one.district or "-"
    return f"{name}: {one.declared}, but {one.burned} for the fire"


def _explained(found: Verified) -> list[str]:
    told = found.audit.explanations
    lines = [
        f"{one['what']} explained by {one['by']} and {one['seconded_by']}: {one['reason']} "
        f"({one['number']})"
        for one in told
    ]
    left = sum(found.totals.missing.values())
    left -= sum(int(one["number"]) for one in told if one["what"] == "missing")
    if found.closed_by == Kind.SEAL and left > 0:
        lines.append(f"NOT EXPLAINED in the log: {left} missing")
    return lines


def _said_by_witnesses(found: Verified) -> list[str]:
    custody = found.audit.custody
    lines = [
        f"objection of {one.witness}: {one.text} "
        + (f"(answered: {one.answer})" if one.answer else "(NOT ANSWERED)")
        for one in custody.objections.values()
    ]
    lines += [f"note of {one.witness}: {one.text}" for one in custody.notes]
    lines += [f"would not sign: {one.witness}: {one.objection}" for one in custody.refusals]
    return lines


def _extras(found: Verified) -> list[str]:
    lines = []
    if found.against_size is not None:
        lines.append(
            f"the log begins with the {found.against_size} entries of the head that you kept"
        )
    if found.receipt_index is not None:
        whose = "the card whose number you gave" if found.receipt_is_of_card else "a card"
        lines.append(f"receipt: entry {found.receipt_index} counted {whose}")
        if not found.receipt_is_of_card:
            lines.append("receipt: WHICH card was not checked: no number was given")
    if found.opened is not None:
        lines.append(f"openings: {found.opened} cards, each one fits")
    return lines
