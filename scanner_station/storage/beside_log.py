"""What is kept beside a log and must agree with it: numbers, keys, heads, state, what was stated.

The tree is for `storage/tree.py`; what can simply be counted again, for `scan_log.rebuild`. Every
function takes a connection inside the caller's transaction; none commits.
"""

from sqlite3 import Connection
from typing import Final

from scanner_station.domain.checkpoint import Checkpoint, check_cosignature
from scanner_station.domain.custody import AFTER_SEALING
from scanner_station.domain.declared import Declared
from scanner_station.domain.entry import Body, Kind, committing
from scanner_station.domain.errors import StorageError, VerificationError
from scanner_station.domain.note import Note, VerifierKey
from scanner_station.storage import batches, custody, manifest_commitments, scan_log
from scanner_station.storage.batches import Batch, BatchState
from scanner_station.storage.entry_key import IN_SPAN, span_of

_CLOSED_BY: Final = {Kind.SEAL: BatchState.SEALED, Kind.CANCEL: BatchState.CANCELLED}


def check_numbers(connection: Connection, batch: Batch) -> None:
    """Compare the number that is kept with each entry with the card that the log names.

    A batch whose people are forgotten has none.

    Raises:
        StorageError: one is of another card; of which entry.
    """
    secret = batches.secret_of(connection, batch.id)
    if not secret:
        return
    commit = committing(secret)
    rows = connection.execute(
        f"select sequence, body ->> 'card' as card, identifier from entry where {IN_SPAN}"  # noqa: S608 - ours
        " and card is not null and body ->> 'kind' is not 'void' order by key",
        span_of(batch.id),
    )
    for sequence, card, identifier in rows:
        if commit(identifier or "") != card:
            raise StorageError(
                "the number kept with entry %(sequence)s of batch %(batch)s is not that of its "
                "card: the file was changed or damaged; count nothing here, keep the file, "
                "restore the last copy of it",
                sequence=sequence,
                batch=batch.slug,
            )


def check_manifest(connection: Connection, batch: Batch) -> None:
    """Compare the manifest that is kept with the one that the log opens with.

    A batch whose people are forgotten has none.

    Raises:
        StorageError: it is another.
    """
    first = scan_log.entry(connection, batch.id, 0)
    stated = first.body.get("manifest_sha256") if first else ""
    secret = batches.secret_of(connection, batch.id)
    if not secret or not stated or batch.manifest_id is None:
        return
    if manifest_commitments.digest(connection, batch.manifest_id, secret) != stated:
        raise manifest_changed(batch.slug)


def manifest_changed(slug: str) -> StorageError:
    """Return what is said of a manifest that is not the one that its log opens with."""
    return StorageError(
        "the manifest of batch %(batch)s is not the one that its log opens with: the file was "
        "changed or damaged; count nothing here, keep the file, restore the last copy of it",
        batch=slug,
    )


def pieces_kept(connection: Connection) -> dict[int, int]:
    """Return how many pieces are kept as counted, by batch."""
    return dict(connection.execute("select batch_id, count(*) from piece group by batch_id"))


def check_state(connection: Connection, batch: Batch) -> None:
    """Compare whether a batch is open, paused or closed with what its log says last.

    Raises:
        StorageError: they differ.
    """
    if _state_in_log(connection, batch) != batch.state:
        raise StorageError(
            "batch %(batch)s is kept as %(state)s, and its log says otherwise: the file was "
            "changed or damaged; count nothing here, keep the file, restore the last copy of it",
            batch=batch.slug,
            state=batch.state,
        )


def _state_in_log(connection: Connection, batch: Batch) -> BatchState:
    last_first = connection.execute(
        f"select body ->> 'kind' from entry where {IN_SPAN} order by key desc",  # noqa: S608 - ours
        span_of(batch.id),
    )
    kind = next((kind for (kind,) in last_first if kind not in AFTER_SEALING), "")
    if kind in _CLOSED_BY:
        return _CLOSED_BY[Kind(kind)]
    told = [
        body["kind"] for body in custody.bodies(connection, batch.id, (Kind.PAUSE, Kind.RESUME))
    ]
    return BatchState.PAUSED if told[-1:] == [Kind.PAUSE] else BatchState.OPEN


def check_stated(connection: Connection, batch: Batch) -> None:
    """Compare what is kept of a batch with what its log opens with, and its figures with the last.

    What a log does not state, as the first versions' do not state everything, is not looked at.

    Raises:
        StorageError: they differ; in what.
    """
    first = scan_log.entry(connection, batch.id, 0)
    if first is None:
        return
    kept: Body = {
        "batch": batch.slug,
        "title": batch.title,
        "place": batch.place,
        "held_on": batch.held_on,
        "nonce": batches.witness_nonce(connection, batch.id),
        "schemes": ",".join(batch.schemes.schemes),
    }
    stated = first.body
    wrong = [name for name in kept if stated.get(name, kept[name]) != kept[name]]
    wrong += ["rehearsal"] * (batch.is_rehearsal != bool(stated.get("rehearsal")))
    if stated["kind"] == Kind.OPEN:
        wrong += ["supplements"] * (batch.supplements != stated.get("supplements", ""))
    if "counted" in stated:  # which stands there for as long as declared figures do
        last = [stated, *custody.bodies(connection, batch.id, (Kind.DECLARE,))][-1]
        declared = custody.declared(connection, batch.id).as_body()
        wrong += ["declared"] * (declared != Declared.of_body(last).as_body())
    if wrong:
        raise StorageError(
            "what is kept of batch %(batch)s (%(what)s) is not what its log says: the file was "
            "changed or damaged; count nothing here, keep the file, restore the last copy of it",
            batch=batch.slug,
            what=f'"{wrong[0]}"',
        )


def check_witnesses(connection: Connection, batch: Batch) -> None:
    """Compare witnesses' keys with the entries that name them, and signatures with the heads.

    The log's own signatures are for who has the station's key.

    Raises:
        StorageError: one is not as it was written; which.
    """
    named = {
        body["key"]: body["sequence"]
        for body in custody.bodies(connection, batch.id, (Kind.WITNESS,))
    }
    kept = connection.execute(
        "select vkey, sequence, name from witness_key where batch_id = ?", (batch.id,)
    ).fetchall()
    if {vkey: sequence for vkey, sequence, _ in kept} != named:
        raise StorageError(
            "the keys of the witnesses of batch %(batch)s are not those that its log names: the "
            "file was changed or damaged; count nothing here, keep the file, restore the last "
            "copy of it",
            batch=batch.slug,
        )
    keys = {name: VerifierKey.parse(vkey) for vkey, _, name in kept}
    first = scan_log.entry(connection, batch.id, 0)
    origin = f"{first.body['station']}/{first.body['batch']}" if first else ""
    heads = connection.execute(
        "select size, root, note from checkpoint where batch_id = ? order by size", (batch.id,)
    )
    for size, root, note in heads:
        stated = Checkpoint(origin=origin, size=size, root=root)
        lines = connection.execute(
            "select name, line from cosignature where batch_id = ? and size = ?", (batch.id, size)
        )
        if not _is_whole(stated, note, dict(lines), keys):
            raise StorageError(
                "the head of %(size)s entries of batch %(batch)s is not as it was signed: the "
                "file was changed or damaged; count nothing here, keep the file, restore the last "
                "copy of it",
                size=size,
                batch=batch.slug,
            )


def _is_whole(
    stated: Checkpoint, note: str, lines: dict[str, str], keys: dict[str, VerifierKey]
) -> bool:
    try:
        if Note.parse(note.encode()).text != stated.text:
            return False
        for name, line in lines.items():
            signature = Note.parse(f"{stated.text}\n{line}".encode()).signatures[0]
            check_cosignature(stated, signature, keys[name])
    except (VerificationError, KeyError):
        return False
    return True
