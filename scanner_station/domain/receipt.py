"""A card's receipt: that one entry is in a log, provable years later without asking anybody.

Source: c2sp.org/tlog-proof.
"""

from dataclasses import dataclass
from typing import Final

from scanner_station.domain.checkpoint import SignedHead
from scanner_station.domain.errors import VerificationError
from scanner_station.domain.merkle import HASH_BYTES, leaf_hash, root_from_inclusion
from scanner_station.domain.strict import (
    decode_base64,
    decode_decimal,
    decode_text,
    encode_base64,
)

_FIRST_LINE: Final = "c2sp.org/tlog-proof@v1"
_MOST_HASHES: Final = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """An entry's place, its audit path and the signed head it leads to.

    `salt` is what, with the card's identifier, makes the commitment in the entry.
    """

    salt: bytes
    index: int
    path: tuple[bytes, ...]
    head: SignedHead

    def __bytes__(self) -> bytes:
        lines = [_FIRST_LINE]
        if self.salt:
            lines.append(f"extra {encode_base64(self.salt)}")
        lines += [f"index {self.index}", *(encode_base64(one) for one in self.path), "", ""]
        return "\n".join(lines).encode() + bytes(self.head)

    @classmethod
    def parse(cls, data: bytes) -> "Receipt":
        """Return the receipt in a file; no signature is checked.

        Raises:
            VerificationError: it is not one, to the byte.
        """
        start, blank, rest = data.partition(b"\n\n")
        lines = decode_text(start).split("\n")
        if not blank or lines.pop(0) != _FIRST_LINE or not lines:
            raise VerificationError("the receipt does not begin as a tlog-proof does")
        salt = b""
        if lines[0].startswith("extra "):
            salt = decode_base64(lines.pop(0).removeprefix("extra "))
        if not lines or not lines[0].startswith("index ") or len(lines) > 1 + _MOST_HASHES:
            raise VerificationError("the receipt does not say which entry it is for")
        receipt = cls(
            salt=salt,
            index=decode_decimal(lines.pop(0).removeprefix("index ")),
            path=tuple(decode_base64(line, length=HASH_BYTES) for line in lines),
            head=SignedHead.parse(rest),
        )
        if bytes(receipt) != data:
            raise VerificationError("the receipt is not written as a tlog-proof is")
        return receipt

    def check_entry(self, entry: bytes) -> None:
        """Check that the entry is in the log that the receipt's head stands for.

        Raises:
            VerificationError: it is not, at that place.
        """
        head = self.head.checkpoint
        root = root_from_inclusion(self.index, head.size, leaf_hash(entry), self.path)
        if root != head.root:
            raise VerificationError(
                "the receipt does not prove entry %(index)s: it was changed, or is of another log",
                index=self.index,
            )
