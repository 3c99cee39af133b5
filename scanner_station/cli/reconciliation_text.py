"""A reconciliation as text that somebody understands who sees it for the first time."""

from collections.abc import Iterable, Iterator
from typing import Final

from scanner_station.domain.findings import ByHand, Statement
from scanner_station.domain.identifier import masked
from scanner_station.domain.reconciliation import Figures, Reconciliation, State
from scanner_station.domain.rehearsal import MARK
from scanner_station.service.closing import said

_COLUMNS: Final = ("manifest", "counted", "missing", "added", "unidentified", "burned", "declared")
_NONE: Final = "(none)"


def lines_of(found: Reconciliation, hindrances: Iterable[str]) -> Iterator[str]:
    """Yield the whole reconciliation, every list complete."""
    if found.is_rehearsal:
        yield MARK
    yield f"{found.slug} ({found.state}): {found.title}"
    yield ""
    yield from _table("category", found.by("category"), found.declared.by_category, found)
    yield ""
    yield from _table("district", found.by("district"), found.declared.by_district, found)
    yield ""
    yield (
        "  burned = counted + added (nobody listed them, two people put them in) + unidentified "
        "(nothing legible)"
    )
    yield from _differences(found)
    yield from _missing(found)
    yield from _set_aside(found)
    yield from _other_lists(found)
    yield from _verdict(found, list(hindrances))


def _table(
    axis: str, groups: dict[str, Figures], declared: dict[str, int], found: Reconciliation
) -> Iterator[str]:
    names = [*groups, *(name for name in declared if name not in groups)]
    width = max(len(name or _NONE) for name in [axis, *names, "all"])
    yield f"  {axis:<{width}}" + "".join(f"{name:>13}" for name in _COLUMNS)
    for name in names:
        yield _row(name or _NONE, width, groups.get(name, Figures()), declared.get(name))
    yield _row("all", width, found.total, found.declared.total)


def _row(name: str, width: int, row: Figures, declared: int | None) -> str:
    figures = row.as_json()
    cells = "".join(f"{figures[column]:>13}" for column in _COLUMNS[:-1])
    if declared is None:
        return f"  {name:<{width}}{cells}{'-':>13}"
    differs = f"  <- {declared - row.burned:+d}" if declared != row.burned else ""
    return f"  {name:<{width}}{cells}{declared:>13}{differs}"


def _differences(found: Reconciliation) -> Iterator[str]:
    if not found.differences:
        return
    reasons = {one.sequence: one for one in found.findings.explanations}
    yield ""
    yield "What differs:"
    for one in found.differences:
        yield f"  {one.state:<9} {said(one)}"
        for sequence in one.explained_by:
            why = reasons[sequence]
            yield f"            entry {sequence}: {why.reason} ({why.by}, {why.seconded_by})"


def _missing(found: Reconciliation) -> Iterator[str]:
    if not found.missing:
        return
    yield ""
    yield f"Missing cards ({found.total.missing}), on the manifest but not counted:"
    for one in found.missing:
        line = one.line
        pieces = f"  {one.lacking} pieces" if one.lacking > 1 else ""
        yield (
            f"  {_state(one.explained_by):<9} line {line.line}  {masked(line.identifier)}  "
            f"{line.name or '-'}  {line.category or _NONE}  {line.district or _NONE}{pieces}"
        )


def _set_aside(found: Reconciliation) -> Iterator[str]:
    if not found.strangers:
        return
    yield ""
    yield f"Cards that nobody listed ({len(found.strangers)}), set aside:"
    for one in found.strangers:
        earlier = f"  counted in batch {one.earlier_batch}" if one.earlier_batch else ""
        yield (
            f"  {_state(one.explained_by):<9} entry {one.first}  {masked(one.identifier)}  "
            f"shown {one.presentations} times{earlier}"
        )


def _other_lists(found: Reconciliation) -> Iterator[str]:
    findings = found.findings
    lists = (
        ("Added by two people", [_by_hand(one) for one in findings.added.values()]),
        ("Typed", [_by_hand(one) for one in findings.typed.values()]),
        ("Unidentified", [_by_hand(one) for one in findings.unidentified.values()]),
        (
            "Taken back",
            [
                f"entry {one.sequence} takes back entry {one.target}: {one.reason} ({one.by})"
                for one in findings.voids
            ],
        ),
        (
            "Counted in an earlier batch",
            [
                f"entry {one.sequence}  {_masked(one.identifier)}  batch {one.batch}, entry "
                f"{one.earlier_sequence}  {one.verdict}"
                for one in findings.earlier.values()
            ],
        ),
        (
            "Unreadable presentations (these hinder nothing)",
            [
                f"entry {one.sequence}  {one.reader}  {one.reason}  "
                + (f"then entry {one.settled_by}" if one.settled_by else "nothing counted since")
                for one in findings.unreadable
            ],
        ),
        (
            "Figures declared, the last ones hold",
            [_stated(one) for one in findings.declared if len(findings.declared) > 1],
        ),
        (
            "Witnesses who refused to sign",
            [
                f"entry {one.sequence}  {one.witness} {one.institution}: {one.objection}"
                for one in findings.custody.refusals
            ],
        ),
    )
    for title, lines in lists:
        if lines:
            yield ""
            yield f"{title} ({len(lines)}):"
            yield from (f"  {line}" for line in lines)


def _stated(one: Statement) -> str:
    told = [
        f"{name} {figure}" for _, parts in one.figures.parts() for name, figure in parts.items()
    ]
    if one.figures.total is not None:
        told.append(f"in total {one.figures.total}")
    return f"entry {one.sequence}  {', '.join(told) or 'none'}  {one.reason or '-'} ({one.by})"


def _by_hand(one: ByHand) -> str:
    parts = [f"entry {one.sequence}", _masked(one.identifier) or f"number {one.number}"]
    parts.append(one.category or _NONE)
    if one.reason:
        parts.append(one.reason)
    parts.append(f"({one.by}, {one.agreed_by or 'nobody else yet'})")
    return "  ".join(parts)


def _verdict(found: Reconciliation, hindrances: list[str]) -> Iterator[str]:
    yield ""
    if found.state not in ("open", "paused"):
        yield f"The batch is {found.state}; nothing here changes any more."
        return
    if not hindrances:
        yield "Nothing is open; two people can seal the batch."
        return
    open_ones = sum(one.state is State.OPEN for one in found.differences)
    if open_ones:
        yield (
            f"OPEN: {open_ones} of these differences. Find the cards, correct the figures "
            f"(`declare {found.slug} ...`), or have two people say why "
            f"(`explain {found.slug} ...`)."
        )
    if others := hindrances[open_ones:]:
        yield "Before the batch can be sealed:"
        yield from (f"  - {one}" for one in others)


def _state(explained_by: int | None) -> State:
    return State.OPEN if explained_by is None else State.EXPLAINED


def _masked(identifier: str) -> str:
    return masked(identifier) if identifier else ""
