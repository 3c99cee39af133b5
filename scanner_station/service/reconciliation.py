"""Reads one batch's reconciliation from its log, manifest and declared figures."""

from dataclasses import replace
from sqlite3 import Connection

from scanner_station.domain.entry import card_commitment
from scanner_station.domain.errors import StorageError
from scanner_station.domain.findings import Findings, Missing, Stranger
from scanner_station.domain.reconciliation import Reconciliation, table_of
from scanner_station.service.counter import line_of, load_tally, require_batch
from scanner_station.storage import batches, custody, manifests
from scanner_station.storage.batches import Batch


def reconcile(connection: Connection, slug: str) -> Reconciliation:
    """Return what stands against each other in a batch, in lists and sums, as of one moment.

    `connection`: in a transaction.

    Raises:
        BatchError: there is no such batch.
        StorageError: the lists and the sums are not the same.
    """
    batch = require_batch(connection, slug)
    findings = findings_of(connection, batch)
    found = Reconciliation(
        slug=batch.slug,
        title=batch.title,
        state=batch.state,
        has_manifest=batch.manifest_id is not None,
        table=table_of(load_tally(connection, batch)),
        declared=custody.declared(connection, batch.id),
        findings=findings,
        strangers=strangers_of(connection, batch, findings),
        supplements=batch.supplements,
        is_rehearsal=batch.is_rehearsal,
    )
    secret = batches.secret_of(connection, batch.id)
    if not secret:
        found.is_forgotten = True
    elif batch.manifest_id is not None:
        found.missing = _missing(connection, batch, batch.manifest_id, secret, findings)
        _require_agreement(found)
    return found


def findings_of(connection: Connection, batch: Batch) -> Findings:
    """Return what the log of a batch holds beside plain counted cards."""
    findings = Findings(slug=batch.slug)
    for entry in custody.remarkable(connection, batch.id):
        findings.take(entry.body, entry.identifier)
    findings.explain_strangers()
    if (container := findings.custody.open_container) is not None:
        container.count = custody.cards_since(connection, batch.id, container.opened)
    findings.unreadable = [
        replace(one, settled_by=custody.settled_by(connection, batch.id, one.sequence))
        for one in findings.unreadable
    ]
    agreed = findings.custody.agreed
    for cards in (findings.typed, findings.unidentified):
        for sequence, card in cards.items():
            cards[sequence] = replace(card, agreed_by=agreed.get(sequence, ""))
    return findings


def strangers_of(connection: Connection, batch: Batch, findings: Findings) -> list[Stranger]:
    """Return the cards set aside that nobody listed, explained or not."""
    # A listed card that another batch counted is missing here; it is not strange as well.
    return [
        one
        for one in findings.strangers.values()
        if not one.earlier_batch or line_of(connection, batch, one.identifier) is None
    ]


def _missing(
    connection: Connection, batch: Batch, manifest_id: int, secret: bytes, findings: Findings
) -> list[Missing]:
    is_explained = bool(findings.explanations)
    return [
        Missing(
            line=line,
            lacking=lacking,
            explained_by=findings.explained_missing(card_commitment(secret, line.identifier), line)
            if is_explained
            else None,
        )
        for line, lacking in manifests.missing(connection, manifest_id, batch.id)
    ]


def _require_agreement(found: Reconciliation) -> None:
    total = found.total
    sums = (
        (sum(one.lacking for one in found.missing), total.missing),
        (len(found.findings.typed), total.manual),
        (len(found.findings.added), total.added),
        (len(found.findings.unidentified), total.unidentified),
    )
    if any(listed != counted for listed, counted in sums):
        raise StorageError(
            "the lists of batch %(slug)s and its sums are not the same; restart the station, "
            "which counts the log again",
            slug=found.slug,
        )
