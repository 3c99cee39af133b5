"""Checkpoints: how long a log is and what its root is, signed; and what witnesses sign of them.

Source: c2sp.org/tlog-checkpoint, c2sp.org/tlog-cosignature.
"""

import struct
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scanner_station.domain.errors import VerificationError
from scanner_station.domain.merkle import HASH_BYTES
from scanner_station.domain.note import (
    Note,
    Signature,
    SignatureType,
    VerifierKey,
    is_key_name,
    signed_by,
)
from scanner_station.domain.strict import decode_base64, decode_decimal, encode_base64

CLOCKS_DIFFER_S: Final = 600
"""How far a tablet's clock and the station's may be apart (c2sp.org/tlog-cosignature lets a
verifier refuse a time that has not come)."""
_TIMESTAMP: Final = struct.Struct(">Q")
_ED25519_BYTES: Final = 64
_MOST_CODE_BYTES: Final = 1000
"""A QR code holds 2,953 at most, and a telephone reads few that are so dense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The head of one log: which log, how many entries, the root over them."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed: three lines."""
        return f"{self.origin}\n{self.size}\n{encode_base64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Return the head that a note's text states; no further lines are taken.

        Raises:
            VerificationError: it is not such a text, to the byte.
        """
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not is_key_name(lines[0]):
            raise VerificationError("it does not have the three lines of a signed head")
        return cls(
            origin=lines[0],
            size=decode_decimal(lines[1]),
            root=decode_base64(lines[2], length=HASH_BYTES),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedHead:
    """A checkpoint with its signatures: the log's first, then those of witnesses."""

    checkpoint: Checkpoint
    note: Note

    def __bytes__(self) -> bytes:
        return bytes(self.note)

    @classmethod
    def parse(cls, data: bytes) -> "SignedHead":
        """Return a signed head; no signature is checked.

        Raises:
            VerificationError: it is not one, to the byte, or its first signature does not bear
                the log's name.
        """
        note = Note.parse(data)
        head = cls(checkpoint=Checkpoint.parse(note.text), note=note)
        if note.signatures[0].name != head.checkpoint.origin:
            raise VerificationError(
                "the first signature is not by the log %(origin)s itself",
                origin=head.checkpoint.origin,
            )
        return head

    def for_code(self) -> str:
        """Return the head as it stands in a QR code that can still be scanned.

        The log's signature is always there; of the witnesses' as many as fit, in their order. It
        is a signed head like the whole one.
        """
        found = Note(text=self.note.text, signatures=self.note.signatures[:1])
        for signature in self.note.signatures[1:]:
            longer = Note(text=found.text, signatures=(*found.signatures, signature))
            if len(bytes(longer)) > _MOST_CODE_BYTES:
                break
            found = longer
        return bytes(found).decode()

    def with_signature(self, signature: Signature) -> "SignedHead":
        """Return the head with one more line under it."""
        note = Note(text=self.note.text, signatures=(*self.note.signatures, signature))
        return SignedHead(checkpoint=self.checkpoint, note=note)


def signed_head(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> SignedHead:
    """Return the head signed with the log's key: always the same bytes for the same head."""
    signature = signed_by(checkpoint.text, checkpoint.origin, key)
    return SignedHead(
        checkpoint=checkpoint, note=Note(text=checkpoint.text, signatures=(signature,))
    )


def log_key(origin: str, key: Ed25519PrivateKey) -> VerifierKey:
    """Return the public half of the station's key under the name of one of its logs."""
    return VerifierKey(
        name=origin,
        type=SignatureType.ED25519,
        public_key=key.public_key().public_bytes_raw(),
    )


def witness_key(name: str, key: Ed25519PrivateKey) -> VerifierKey:
    """Return the public half of a witness's key."""
    return VerifierKey(
        name=name,
        type=SignatureType.COSIGNATURE_V1,
        public_key=key.public_key().public_bytes_raw(),
    )


def cosigned_message(checkpoint: Checkpoint, time_s: int) -> bytes:
    """Return what a witness signs: that it saw this head at this time (seconds since 1970)."""
    return f"cosignature/v1\ntime {time_s}\n{checkpoint.text}".encode()


def cosignature(
    checkpoint: Checkpoint, name: str, key: Ed25519PrivateKey, *, time_s: int
) -> Signature:
    """Return a witness's signature line on a head."""
    data = _TIMESTAMP.pack(time_s) + key.sign(cosigned_message(checkpoint, time_s))
    return Signature(name=name, key_id=witness_key(name, key).key_id, data=data)


def check_cosignature(checkpoint: Checkpoint, signature: Signature, key: VerifierKey) -> int:
    """Check a witness's signature on a head; return when it says it was made, in seconds.

    Raises:
        VerificationError: this key did not make it over this head.
    """
    if (
        key.type is not SignatureType.COSIGNATURE_V1
        or not signature.is_by(key)
        or len(signature.data) != _TIMESTAMP.size + _ED25519_BYTES
    ):
        raise VerificationError(
            "the line of %(name)s is not the cosignature of a witness", name=signature.name
        )
    (time_s,) = _TIMESTAMP.unpack_from(signature.data)
    if time_s >= 1 << 63:
        raise VerificationError("the cosignature of %(name)s has no time", name=signature.name)
    key.check(cosigned_message(checkpoint, time_s), signature.data[_TIMESTAMP.size :])
    return int(time_s)


def check_log_signature(head: SignedHead, key: VerifierKey) -> None:
    """Check the log's own signature, the first under a head.

    Raises:
        VerificationError: this key did not make it, or is not a log's key.
    """
    signature = head.note.signatures[0]
    if key.type is not SignatureType.ED25519 or not signature.is_by(key):
        raise VerificationError(
            "the head is not signed by %(name)s with the key that is trusted for it",
            name=key.name,
        )
    key.check(head.note.text.encode(), signature.data)
