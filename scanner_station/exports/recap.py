"""Recapitulation: verifies many bundles one after the other and adds up what they come to.

Only one bundle is in memory at a time, and of it afterwards no more than its sums.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from scanner_station.domain.counter import Verdict
from scanner_station.domain.entry import Body
from scanner_station.domain.errors import VerificationError
from scanner_station.domain.identifier import Scheme
from scanner_station.domain.manifest import Remark
from scanner_station.domain.recapitulation import (
    MOST_CATEGORIES,
    OTHER_CATEGORIES,
    Aside,
    Categories,
    CountedBatch,
    CountedTwice,
    Recapitulation,
    Refused,
    Trust,
    Weight,
    Why,
)
from scanner_station.domain.reconciliation import Figures
from scanner_station.domain.strict import encode_base64
from scanner_station.domain.tally import UNIDENTIFIED
from scanner_station.domain.text import shown
from scanner_station.exports import bundle
from scanner_station.exports.bundle_files import opened
from scanner_station.exports.recap_sources import Openings, Policies, Source
from scanner_station.exports.verification import Asked, Verified, verify
from scanner_station.storage.counted_cards import CountedCards

Progress = Callable[[int, int], None]

MOST_LISTED_TWICE: Final = 10_000
"""How many identifiers that were counted twice are listed; how many there are is always said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecapAsked:
    """What to add up, and what to hold it against.

    `time_zone`: for the day of a batch whose log does not name one.
    """

    bundles: list[Source]
    policies: Policies
    time_zone: ZoneInfo
    offices: list[str] | None = None
    openings: list[Source] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    # A bundle in which nothing is wrong. `has_openings`: they were given and fit.
    place: int
    name: str
    log: str
    key: bytes
    size: int
    root: bytes
    roots: dict[int, bytes]
    opening: Body
    why: Why | None
    has_openings: bool
    batch: CountedBatch


def recapitulate(asked: RecapAsked, *, progress: Progress | None = None) -> Recapitulation:
    """Verify every bundle and return what they come to; `progress` is told bundles.

    What it raises ends the work.

    Raises:
        VerificationError: a file of openings is none. (A bad bundle is listed, not raised.)
        InputError: openings cannot be read.
    """
    told = progress or (lambda _done, _total: None)
    cards = CountedCards()
    try:
        return _Recap(asked, cards).run(told)
    finally:
        cards.close()


class _Recap:
    def __init__(self, asked: RecapAsked, cards: CountedCards) -> None:
        self._asked = asked
        self._cards = cards
        self._openings = Openings(asked.openings)
        self._categories = Categories()
        self._result = Recapitulation(listed_offices=asked.offices)

    def run(self, told: Progress) -> Recapitulation:
        sizes = self._sizes()
        found: list[_Found] = []
        total = len(self._asked.bundles)
        for place, source in enumerate(self._asked.bundles):
            told(place, total)
            try:
                found.append(self._verified(place, source, sizes))
            except VerificationError as error:
                self._refuse(source.name, error)
        told(total, total)
        kept = self._settled(found)
        kept = [one for one in kept if self._is_counted(one)]
        self._result.batches = sorted(
            (one.batch for one in kept), key=lambda one: (one.office, one.day, one.log, one.name)
        )
        self._check_supplements(kept)
        self._find_twice(kept)
        self._remark()
        return self._result

    # --- one bundle ------------------------------------------------------------------------

    def _sizes(self) -> dict[str, frozenset[int]]:
        # Of each log: where its bundles end. Nothing of it is believed before it is verified.
        sizes: dict[str, set[int]] = {}
        for source in self._asked.bundles:
            try:
                with opened(source.path) as files:
                    head = bundle.head_of(files)
            except VerificationError:
                continue
            sizes.setdefault(head.checkpoint.origin, set()).add(head.checkpoint.size)
        return {origin: frozenset(some) for origin, some in sizes.items()}

    def _verified(self, place: int, source: Source, sizes: dict[str, frozenset[int]]) -> _Found:
        with opened(source.path) as files:
            head = bundle.head_of(files)
        asked = Asked(
            policy=self._asked.policies.of(head),
            openings=self._openings.find,
            counted=lambda identifier: self._cards.add(place, identifier),
            sizes=sizes.get(head.checkpoint.origin, frozenset()),
        )
        return self._of(place, source, self._with_openings(source, asked))

    def _with_openings(self, source: Source, asked: Asked) -> Verified:
        try:
            return verify(source.path, asked)
        except VerificationError as error:
            if not str(error).startswith("the openings"):
                raise
            self._refuse(f"{source.name}, openings", error)
        # The bundle itself may still be whole.
        return verify(source.path, Asked(policy=asked.policy, sizes=asked.sizes))

    def _of(self, place: int, source: Source, found: Verified) -> _Found:
        opening = found.audit.opening
        checkpoint = found.head.checkpoint
        supplements = str(opening.get("supplements", ""))
        return _Found(
            place=place,
            name=source.name,
            log=checkpoint.origin,
            key=found.log.public_key,
            size=checkpoint.size,
            root=checkpoint.root,
            roots=found.roots,
            opening=opening,
            why=_why_not(found),
            has_openings=found.opened is not None,
            batch=CountedBatch(
                name=shown(source.name),
                log=shown(checkpoint.origin),
                office=shown(opening.get("office") or opening["station"]),
                title=shown(opening.get("title", "")),
                day=_day_of(opening, self._asked.time_zone),
                is_sealed=found.closed_by == "seal",
                trust=Trust.KEYS if found.is_trusted_from_outside else Trust.ITSELF,
                witnesses=len(found.witnesses),
                supplements=shown(supplements),
                by_category=self._categories.rows(_figures(found)),
            ),
        )

    # --- several of one log ----------------------------------------------------------------

    def _settled(self, found: list[_Found]) -> list[_Found]:
        # A log is named by its origin and its key: offices may have given stations the same name.
        def identity(one: _Found) -> tuple[str, bytes]:
            return one.log, one.key

        kept = []
        for _, several in groupby(sorted(found, key=identity), key=identity):
            states = sorted(several, key=lambda one: (-one.size, one.place))
            if all(states[0].roots.get(one.size) == one.root for one in states):
                kept.append(states[0])
                self._set_aside(states)
            else:
                for one in states:
                    self._refuse(
                        one.name,
                        VerificationError(
                            "two logs called %(log)s with the same key do not begin alike: one was "
                            "rewritten; ask the office, and compare with a witness's head",
                            log=one.log,
                        ),
                    )
        return self._without_rivals(kept)

    def _set_aside(self, states: list[_Found]) -> None:
        for one in states[1:]:
            why = Why.TWICE if one.size == states[0].size else Why.SMALLER
            self._aside(one, why)

    def _without_rivals(self, kept: list[_Found]) -> list[_Found]:
        # Same name and office, other key, and nobody vouches for both: one may be forged.
        by_name: dict[tuple[str, str], list[_Found]] = {}
        for one in kept:
            by_name.setdefault((one.log, one.batch.office), []).append(one)
        rivals = {
            id(one)
            for several in by_name.values()
            if len(several) > 1 and any(one.batch.trust is Trust.ITSELF for one in several)
            for one in several
        }
        for one in kept:
            if id(one) in rivals:
                self._refuse(
                    one.name,
                    VerificationError(
                        "two logs are called %(log)s, with different keys: one may be forged; "
                        "bring the keys of both with --policy",
                        log=one.log,
                    ),
                )
        return [one for one in kept if id(one) not in rivals]

    def _is_counted(self, one: _Found) -> bool:
        if one.why is not None:
            self._aside(one, one.why)
        return one.why is None

    def _check_supplements(self, kept: list[_Found]) -> None:
        known = {(one.log, one.key): one for one in kept}
        for one in kept:
            slug = one.opening.get("supplements")
            if not slug:
                continue
            base = known.get((f"{one.opening['station']}/{slug}", one.key))
            if base is None:
                self._remark_on(
                    one,
                    message="%(name)s (%(log)s) adds to %(slug)s, which is not among these bundles",
                )
                continue
            root = self._root_of(base, one.opening.get("supplements_size"))
            if root is None:
                self._remark_on(
                    one,
                    message="%(name)s (%(log)s) adds to a later state of %(slug)s than the one "
                    "given",
                )
            elif encode_base64(root) != one.opening.get("supplements_root"):
                self._refuse(
                    one.name,
                    VerificationError(
                        "it adds to another log %(slug)s than the one given", slug=slug
                    ),
                )
                self._result.batches.remove(one.batch)

    def _root_of(self, base: _Found, size: object) -> bytes | None:
        # A sealed log still takes the fire and refusals, so it may have grown since.
        if size == base.size:
            return base.root
        if not isinstance(size, int) or not 0 < size < base.size:
            return None
        source = self._asked.bundles[base.place]
        return verify(source.path, Asked(sizes=frozenset({size}))).roots[size]

    # --- cards -----------------------------------------------------------------------------

    def _find_twice(self, kept: list[_Found]) -> None:
        logs = {one.place: one.batch.log for one in kept if one.has_openings}
        seen, count, alarms = self._cards.seen_twice(
            {one.place: _names_people(one.opening) for one in kept if one.has_openings},
            most=MOST_LISTED_TWICE,
        )
        self._result.opened = len(logs)
        self._result.twice_count, self._result.alarm_count = count, alarms
        self._result.twice = [
            CountedTwice(
                masked=one.masked,
                weight=Weight.ALARM if one.is_piece else Weight.REMARK,
                logs=tuple(logs[place] for place in one.bundles),
            )
            for one in seen
        ]
        for name in self._openings.unused:
            self._refuse(name, VerificationError("these openings fit none of the bundles"))

    # --- what is said ----------------------------------------------------------------------

    def _remark(self) -> None:
        if others := self._result.by_category.get(OTHER_CATEGORIES):
            self._result.remarks.append(
                Remark(
                    message="there are more than %(most)s names of categories; %(burned)s cards "
                    "under further ones are put together under %(other)s",
                    values={
                        "most": MOST_CATEGORIES,
                        "burned": others.burned,
                        "other": OTHER_CATEGORIES,
                    },
                )
            )

    def _remark_on(self, one: _Found, *, message: str) -> None:
        slug = shown(one.batch.supplements)
        values: dict[str, str | int] = {"name": one.batch.name, "log": one.batch.log, "slug": slug}
        self._result.remarks.append(Remark(message=message, values=values))

    def _aside(self, one: _Found, why: Why) -> None:
        self._result.asides.append(Aside(name=one.batch.name, log=one.batch.log, why=why))

    def _refuse(self, name: str, error: VerificationError) -> None:
        self._result.refused.append(Refused(name=shown(name), error=error))


def _names_people(opening: Body) -> bool:
    return Scheme.NIK in str(opening.get("schemes", "")).split(",")


def _why_not(found: Verified) -> Why | None:
    if found.audit.is_rehearsal:
        return Why.REHEARSAL
    return Why.CANCELLED if found.closed_by == "cancel" else None


def _day_of(opening: Body, zone: ZoneInfo) -> date:
    if held_on := opening.get("held_on"):
        return date.fromisoformat(str(held_on))
    return datetime.fromisoformat(str(opening["at"])).astimezone(zone).date()


def _figures(found: Verified) -> Iterator[tuple[str, Figures]]:
    totals, rows = found.totals, found.audit.tally.rows
    for category, expected in totals.expected.items():
        yield shown(category), Figures(manifest=expected, missing=totals.missing[category])
    for category, counted in totals.counted.items():
        yield shown(category), Figures(counted=counted)
    for category, added in totals.added.items():
        yield shown(category), Figures(added=added)
    for (verdict, category, _), (count, manual) in rows.items():
        if verdict == UNIDENTIFIED:
            yield shown(category), Figures(unidentified=count)
        elif verdict == Verdict.COUNTED:
            yield shown(category), Figures(manual=manual)
