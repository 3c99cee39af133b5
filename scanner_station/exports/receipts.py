"""A card's receipt: made by the station, checked by anybody who has the bundle."""

import json
from sqlite3 import Connection

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scanner_station.domain import merkle
from scanner_station.domain.counter import Verdict
from scanner_station.domain.entry import Kind, card_salt, commitment_of
from scanner_station.domain.errors import (
    BatchError,
    EntryError,
    VerificationError,
)
from scanner_station.domain.identifier import Unreadable, clean, tail_of
from scanner_station.domain.receipt import Receipt
from scanner_station.service.counter import require_batch
from scanner_station.service.heads import head_now
from scanner_station.storage import batches, scan_log, tree
from scanner_station.storage.batches import BatchState


def make_receipt(
    connection: Connection, slug: str, key: Ed25519PrivateKey, payload: bytes
) -> Receipt:
    """Return the receipt of the card with this identifier, against the head as it is now.

    Of several pieces it is the one counted first.

    Raises:
        BatchError: there is no such batch, it gives no receipts, or its people are forgotten.
        EntryError: the batch has not counted this card.
    """
    batch = require_batch(connection, slug)
    if batch.is_rehearsal:
        raise BatchError(
            "batch %(slug)s is a rehearsal, and nobody's card was counted in it, so it gives no "
            "receipts",
            slug=slug,
        )
    if batch.state is BatchState.CANCELLED:
        raise BatchError(
            "batch %(slug)s was cancelled and its counts do not stand, so it gives no receipts",
            slug=slug,
        )
    secret = batches.secret_of(connection, batch.id)
    if not secret:
        raise BatchError(
            "the people of batch %(slug)s are forgotten; no receipt can be made any more",
            slug=slug,
        )
    identified = batch.schemes.identify(payload)
    if isinstance(identified, Unreadable):
        raise EntryError(
            "this is no identifier of batch %(slug)s (%(reason)s)",
            slug=slug,
            reason=identified.reason,
        )
    identifier = identified.identifier
    pieces = [
        piece.sequence
        for batch_id, _, piece in scan_log.pieces_of(connection, identifier, batch.id)
        if batch_id == batch.id
    ]
    if not pieces:
        raise EntryError(
            "batch %(slug)s has not counted the card %(tail)s",
            slug=slug,
            tail=tail_of(identifier),
        )
    head = head_now(connection, slug, key)
    nodes = tree.nodes_of(connection, batch.id)
    path = merkle.inclusion_proof(min(pieces), head.checkpoint.size, nodes)
    return Receipt(
        salt=card_salt(secret, identifier), index=min(pieces), path=tuple(path), head=head
    )


def check_receipt(receipt: Receipt, entry: bytes, identifier: str) -> str:
    """Check a receipt against the entry that a bundle has in its place; return the card's code.

    `identifier`: of the card that it should be for, '' when it is not known.

    Raises:
        VerificationError: it does not prove that entry, which must count a card, or is for
            another card.
    """
    receipt.check_entry(entry)
    body = json.loads(entry)
    if body.get("verdict") != Verdict.COUNTED and body.get("kind") != Kind.ADD:
        raise VerificationError(
            "entry %(index)s does not count a card, so there is no receipt for it",
            index=receipt.index,
        )
    if identifier and not any(
        commitment_of(receipt.salt, one) == body["card"] for one in _spellings(identifier)
    ):
        raise VerificationError(
            "it is the receipt of another card than %(tail)s, or its salt was changed",
            tail=tail_of(identifier),
        )
    return str(body["card"])


def _spellings(typed: str) -> set[str]:
    # A chip's UID is kept in capitals; a number may come from a scanner, with what it wraps around.
    cleaned = clean(typed.encode()).decode()
    return {typed, cleaned, cleaned.upper()}
