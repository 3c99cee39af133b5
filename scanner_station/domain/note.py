"""Signed notes: a text with the signatures of one or more Ed25519 keys under it.

Source: c2sp.org/signed-note, c2sp.org/tlog-cosignature.
"""

import hashlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from scanner_station.domain.errors import VerificationError
from scanner_station.domain.strict import decode_base64, decode_text, encode_base64

MOST_BYTES: Final = 64 * 1024
_KEY_ID_BYTES: Final = 4
_PUBLIC_KEY_BYTES: Final = 32
_SIGNATURE_LINE: Final = "— "


class SignatureType(IntEnum):
    """What a key signs: the note's text itself, or a witness's statement about it."""

    ED25519 = 0x01
    COSIGNATURE_V1 = 0x04


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A public key with its name and what it signs.

    `text` is the one line in which it is handed on: name+key id in hex+base64 of type and key.
    """

    name: str
    type: SignatureType
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes that, with the name, say which key made a signature."""
        named = self.name.encode() + b"\n" + bytes([self.type]) + self.public_key
        return hashlib.sha256(named).digest()[:_KEY_ID_BYTES]

    @property
    def text(self) -> str:
        """The key as one line of text."""
        material = encode_base64(bytes([self.type]) + self.public_key)
        return f"{self.name}+{self.key_id.hex()}+{material}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Return the key that `text` hands on.

        Raises:
            VerificationError: it is not such a line, to the byte.
        """
        name, _, rest = text.partition("+")
        key_id, _, material = rest.partition("+")
        data = decode_base64(material, length=1 + _PUBLIC_KEY_BYTES)
        if data[0] not in set(SignatureType) or not is_key_name(name):
            raise VerificationError(
                "%(name)r is not the name of an Ed25519 key with its kind", name=name[:64]
            )
        key = cls(name=name, type=SignatureType(data[0]), public_key=data[1:])
        if key.key_id.hex() != key_id:
            raise VerificationError(
                "the key of %(name)s does not belong to its key id %(key_id)s",
                name=name,
                key_id=key_id[:16],
            )
        return key

    def check(self, message: bytes, signature: bytes) -> None:
        """Check an Ed25519 signature.

        Raises:
            VerificationError: this key did not make it over this message.
        """
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, message)
        except (InvalidSignature, ValueError) as error:
            raise VerificationError(
                "the signature of %(name)s is wrong: the text was changed, or was never signed "
                "with this key",
                name=self.name,
            ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One signature line: who says to have made it, and the bytes."""

    name: str
    key_id: bytes
    data: bytes

    @property
    def line(self) -> str:
        """The line as it stands in a note, with its line end."""
        return f"{_SIGNATURE_LINE}{self.name} {encode_base64(self.key_id + self.data)}\n"

    def is_by(self, key: VerifierKey) -> bool:
        """Whether the line names this key; the signature itself is not looked at."""
        return (self.name, self.key_id) == (key.name, key.key_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A text (with its last line end) and its signature lines, in order."""

    text: str
    signatures: tuple[Signature, ...]

    def __bytes__(self) -> bytes:
        lines = "".join(signature.line for signature in self.signatures)
        return f"{self.text}\n{lines}".encode()

    @classmethod
    def parse(cls, data: bytes) -> "Note":
        """Return the note; no signature is checked.

        Raises:
            VerificationError: it is not a note, to the byte, or one key signed it twice.
        """
        if len(data) > MOST_BYTES:
            raise VerificationError("it is longer than any signed head")
        text, blank, lines = decode_text(data).rpartition("\n\n")
        if not blank or not lines:
            raise VerificationError("it has no signatures under its text")
        if not lines.endswith("\n"):
            raise VerificationError(
                "its last line has no end: it was cut off, or copied without its last line end"
            )
        signatures = tuple(_signature(line) for line in lines.removesuffix("\n").split("\n"))
        note = cls(text=text + "\n", signatures=signatures)
        if len({(one.name, one.key_id) for one in signatures}) != len(signatures):
            raise VerificationError("one key signed it twice")
        if bytes(note) != data:
            raise VerificationError("it is not written as a signed note is")
        return note


def signed_by(text: str, name: str, key: Ed25519PrivateKey) -> Signature:
    """Return the signature of a key of type `ED25519` over a note's text."""
    public = VerifierKey(
        name=name,
        type=SignatureType.ED25519,
        public_key=key.public_key().public_bytes_raw(),
    )
    return Signature(name=name, key_id=public.key_id, data=key.sign(text.encode()))


def is_key_name(name: str) -> bool:
    """Whether a key may have this name: not empty, no spaces, no plus, no control characters."""
    return bool(name) and not any(
        character.isspace() or character == "+" or character < " " or _is_half(character)
        for character in name
    )


def _is_half(character: str) -> bool:
    # Half of a surrogate pair, which stands for a byte that is not UTF-8.
    return "\ud800" <= character <= "\udfff"


def _signature(line: str) -> Signature:
    name, space, encoded = line.removeprefix(_SIGNATURE_LINE).partition(" ")
    if not line.startswith(_SIGNATURE_LINE) or not space or not is_key_name(name):
        raise VerificationError("%(line)r is not a signature line", line=line[:64])
    data = decode_base64(encoded)
    if len(data) <= _KEY_ID_BYTES:
        raise VerificationError("the signature of %(name)s is too short", name=name[:64])
    return Signature(name=name, key_id=data[:_KEY_ID_BYTES], data=data[_KEY_ID_BYTES:])
