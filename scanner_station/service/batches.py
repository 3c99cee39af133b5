"""What is done to a whole batch: create, give it its manifest, choose, cancel."""

import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from sqlite3 import Connection
from typing import Final

from scanner_station.domain.custody import require_two
from scanner_station.domain.declared import Declared
from scanner_station.domain.entry import Body, Entry, Kind, timestamp
from scanner_station.domain.errors import BatchError, InputError, ManifestError
from scanner_station.domain.events import BatchChanged
from scanner_station.domain.identifier import Scheme, Schemes
from scanner_station.domain.manifest import ManifestReport
from scanner_station.domain.manifest_problems import Problem
from scanner_station.domain.text import checked_text
from scanner_station.service.counter import require_batch, require_open
from scanner_station.service.station import Station
from scanner_station.storage import (
    batches,
    checked_manifest,
    custody,
    manifest_commitments,
    manifests,
    scan_log,
)
from scanner_station.storage.batches import STILL_OPEN, Batch, BatchState
from scanner_station.storage.database import open_to_read

Progress = Callable[[int, int], None]

_SLUG: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")


def create(
    station: Station,
    slug: str,
    *,
    title: str,
    by: str,
    place: str = "",
    held_on: str = "",
    schemes: tuple[Scheme, ...] = (Scheme.NIK,),
    serial_pattern: str = Schemes().serial_pattern,
    declared: Declared | None = None,
    supplements: str = "",
    is_rehearsal: bool = False,
) -> Batch:
    """Create a batch that takes cards at once; it becomes the active one if none is.

    `held_on`: YYYY-MM-DD or ''. `declared`: the figures stated elsewhere. `supplements`: the
    sealed batch that this one adds to. `is_rehearsal`: for ever; `rehearsal.create` loads its
    cards, too.

    Raises:
        InputError: a value is not usable, the slug is taken, or there is no such sealed batch.
    """
    _check_slug(slug)
    batch = Batch(
        id=0,
        slug=slug,
        title=checked_text(title, "title"),
        place=checked_text(place, "place") if place.strip() else "",
        held_on=_checked_date(held_on),
        schemes=Schemes(tuple(dict.fromkeys(schemes)), serial_pattern),
        state=BatchState.OPEN,
        manifest_id=None,
        category="",
        created_at=timestamp(station.clock.now()),
        created_by=by,
        supplements=supplements,
        is_rehearsal=is_rehearsal,
    )
    stated = (declared or Declared()).checked()
    with station.transaction() as connection:
        if batches.find(connection, slug) is not None:
            raise BatchError(
                "there is already a batch %(slug)s; choose another short name", slug=slug
            )
        if supplements:
            _require_sealed(connection, supplements, is_rehearsal=is_rehearsal)
        custody.set_declared(connection, batches.insert(connection, batch), stated)
        if not batches.setting(connection, batches.ACTIVE_BATCH):
            batches.set_setting(connection, batches.ACTIVE_BATCH, slug)
        created = require_batch(connection, slug)
    station.bus.publish(BatchChanged(batch=slug))
    return created


def activate(station: Station, slug: str) -> None:
    """Make a batch the one that cameras and scanners count into.

    Raises:
        BatchError: there is no such batch, or it is closed.
    """
    with station.transaction() as connection:
        batch = require_batch(connection, slug)
        if batch.state is not BatchState.PAUSED:
            require_open(batch)
        batches.set_setting(connection, batches.ACTIVE_BATCH, slug)
    station.bus.publish(BatchChanged(batch=slug))


def choose_category(station: Station, slug: str, category: str) -> None:
    """Remember the category for the next cards of a batch without a manifest.

    Raises:
        InputError: the category is not plain text.
        BatchError: there is no such batch, or its manifest gives the categories.
    """
    category = checked_text(category, "category")
    with station.transaction() as connection:
        batch = require_batch(connection, slug)
        if batch.manifest_id is not None:
            raise BatchError(
                "batch %(slug)s has a manifest, which gives each card its category", slug=slug
            )
        batches.set_category(connection, batch.id, category)
        station.forget_counter(slug)


def check_manifest(
    station: Station,
    slug: str,
    path: Path,
    file_name: str,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> checked_manifest.CheckedManifest:
    """Check a manifest file against one batch's schemes; nothing is written.

    Raises:
        ManifestError: the batch's manifest is fixed already.
    """
    with station.transaction() as connection:
        batch = require_batch(connection, slug)
        _require_replaceable(connection, batch)
    return checked_manifest.check(
        path, file_name, batch.schemes, progress=progress, cancelled=cancelled
    )


def problems_of_manifest(
    station: Station, slug: str, path: Path, file_name: str
) -> Iterator[Problem]:
    """Yield every problem of a manifest file by one batch's schemes, in bounded memory.

    Raises:
        BatchError: there is no such batch.
        ManifestError: the file cannot be read.
    """
    with station.transaction() as connection:
        schemes = require_batch(connection, slug).schemes
    yield from checked_manifest.every_problem(path, file_name, schemes)


def import_manifest(
    station: Station,
    slug: str,
    checked: checked_manifest.CheckedManifest,
    *,
    by: str,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ManifestReport:
    """Write a checked manifest and point the batch at it: all of it, or nothing.

    Cards of other batches go on being counted meanwhile.

    Raises:
        ManifestError: the file has problems, or the batch's manifest is fixed meanwhile.
    """
    report = checked.report
    if report.problem_count:
        raise ManifestError(
            "%(file)s was refused, problems found: %(count)s; mend them and load it again",
            file=report.file_name,
            count=report.problem_count,
        )

    # Committing to the cards takes about as long as writing them: each is half of the way.
    def tell_written(done: int, _total: int) -> None:
        checked_manifest.tell(progress, cancelled, done, 2 * report.lines)

    def tell_committed(done: int, _total: int) -> None:
        checked_manifest.tell(progress, cancelled, report.lines + done, 2 * report.lines)

    manifest_id = manifests.write(
        station.transaction,
        checked,
        imported_at=timestamp(station.clock.now()),
        imported_by=by,
        progress=tell_written,
    )
    try:
        sha256 = _commitments_digest(station, slug, manifest_id, tell_committed)
        tell_committed(report.lines, report.lines)
        with station.transaction() as connection:
            batch = require_batch(connection, slug)
            _require_replaceable(connection, batch)
            manifest_commitments.keep_digest(connection, manifest_id, sha256)
            batches.set_manifest(connection, batch.id, manifest_id)
            station.forget_counter(slug)
    except BaseException:
        manifests.remove(station.transaction, manifest_id)
        raise
    if batch.manifest_id is not None:
        manifests.remove(station.transaction, batch.manifest_id)
    return report


def set_witness_nonce(station: Station, slug: str, nonce: str) -> None:
    """Remember what a witness typed; the log opens with it, so it cannot have been made before.

    What another witness typed earlier stays before it.

    Raises:
        InputError: it is not plain text, or longer than fits.
        BatchError: there is no such batch, or its log has begun.
    """
    nonce = checked_text(nonce, "witness's text")
    with station.transaction() as connection:
        batch = require_batch(connection, slug)
        if scan_log.next_sequence(connection, batch.id):
            raise BatchError(
                "the log of batch %(slug)s has begun; only a note can be added to it", slug=slug
            )
        earlier = batches.witness_nonce(connection, batch.id)
        both = checked_text(f"{earlier} {nonce}", "witness's text")
        batches.set_witness_nonce(connection, batch.id, both)


def witness_nonce(connection: Connection, slug: str) -> str:
    """Return what witnesses typed for the log of a batch to open with, '' for nothing."""
    return batches.witness_nonce(connection, require_batch(connection, slug).id)


def cancel(station: Station, slug: str, *, reason: str, by: str, seconded_by: str) -> None:
    """Cancel a batch: nothing is lost, it takes no more cards, its counts no longer stand.

    Raises:
        BatchError: there is no such batch, or it is closed already.
        InputError: the same person twice, or no reason.
    """
    reason = checked_text(reason, "reason")
    by, seconded_by = checked_text(by, "name"), checked_text(seconded_by, "name")
    require_two(by, seconded_by)
    with station.transaction() as connection:
        batch = require_batch(connection, slug)
        if batch.state in (BatchState.SEALED, BatchState.CANCELLED):
            raise BatchError(
                "batch %(slug)s is already %(state)s; nothing was changed",
                slug=slug,
                state=batch.state,
            )
        sequence = scan_log.next_sequence(connection, batch.id)
        body: Body = {
            "at": timestamp(station.clock.now()),
            "batch": slug,
            "by": by,
            "kind": Kind.CANCEL,
            "reason": reason,
            "seconded_by": seconded_by,
            "sequence": sequence,
            "station": station.name,
        }
        if batch.is_rehearsal and not sequence:
            body["rehearsal"] = 1
        scan_log.append(connection, batch.id, Entry(sequence=sequence, body=body))
        batches.set_state(connection, batch.id, BatchState.CANCELLED)
        if batches.setting(connection, batches.ACTIVE_BATCH) == slug:
            batches.set_setting(connection, batches.ACTIVE_BATCH, "")
        station.forget_counter(slug)


def _commitments_digest(station: Station, slug: str, manifest_id: int, progress: Progress) -> str:
    # Read beside the writer: other batches are counted meanwhile.
    connection = open_to_read(station.folder)
    try:
        secret = batches.secret_of(connection, require_batch(connection, slug).id)
        return manifest_commitments.digest(connection, manifest_id, secret, progress)
    finally:
        connection.close()


def _require_sealed(connection: Connection, slug: str, *, is_rehearsal: bool) -> None:
    sealed = require_batch(connection, slug)
    if sealed.is_rehearsal is not is_rehearsal:
        raise BatchError(
            "batch %(slug)s cannot have this supplement: a rehearsal and a real batch never mix",
            slug=slug,
        )
    if sealed.state is not BatchState.SEALED:
        raise BatchError(
            "batch %(slug)s is not sealed, so it needs no supplement; put the cards into it",
            slug=slug,
        )


def _require_replaceable(connection: Connection, batch: Batch) -> None:
    if batch.state not in STILL_OPEN:
        raise ManifestError(
            "batch %(slug)s is %(state)s, so its manifest stays; create a new batch",
            slug=batch.slug,
            state=batch.state,
        )
    if scan_log.next_sequence(connection, batch.id):
        raise ManifestError(
            "batch %(slug)s has counted cards, so its manifest is fixed; cancel the batch and "
            "create a new one with the right manifest",
            slug=batch.slug,
        )


def _check_slug(slug: str) -> None:
    if not _SLUG.fullmatch(slug):
        raise InputError(
            "%(slug)r is not a short name; use small letters, digits and hyphens, at most 64",
            slug=slug[:80],
        )
    checked_text(slug, "short name")


def _checked_date(text: str) -> str:
    if not text:
        return ""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise InputError(
            "%(text)r is not a date; write it as YYYY-MM-DD, such as 2018-12-19", text=text[:40]
        ) from error
