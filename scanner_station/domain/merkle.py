"""The tree over a log's entries: its hashes, its root, and proofs about it.

A complete subtree of 2**height leaves is named by (height, index): it stands over the leaves
index * 2**height to (index + 1) * 2**height - 1. A `Nodes` gives its hash.

Source: RFC 6962, section 2.1.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from scanner_station.domain.errors import VerificationError

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

Nodes = Callable[[int, int], bytes]
"""Gives the hash of the complete subtree (height, index)."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two subtrees that stand side by side."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def packed_place(height: int, index: int) -> tuple[int, slice]:
    """Return where `Frontier.append` put a subtree: the leaf it ends with, and its bytes there."""
    start = height * HASH_BYTES
    return ((index + 1) << height) - 1, slice(start, start + HASH_BYTES)


def root_of(size: int, nodes: Nodes) -> bytes:
    """Return the root over the first `size` leaves."""
    return _range_hash(0, size, nodes) if size else EMPTY_ROOT


def full_root(hashes: Sequence[bytes]) -> bytes:
    """Return the root over a number of hashes that is a power of two."""
    level, sha256 = list(hashes), hashlib.sha256
    while len(level) > 1:
        pairs = iter(level)
        level = [
            sha256(b"\x01" + left + right).digest()
            for left, right in zip(pairs, pairs, strict=True)
        ]
    return level[0]


class Frontier:
    """The right edge of a growing tree: enough to know its root at every size."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[tuple[int, bytes]] = []

    def append(self, subtree: bytes, height: int = 0) -> bytes:
        """Add a complete subtree of 2**height leaves; the size must be a multiple of that.

        Returns the hashes of all complete subtrees that end with it, itself first, lowest first,
        packed: 32 bytes a hash.

        Raises:
            ValueError: a subtree of that height cannot stand there.
        """
        if self.size % (1 << height):
            raise ValueError(f"no subtree of height {height} can follow {self.size} leaves")
        self.size += 1 << height
        packed, edge = subtree, self._edge
        while edge and edge[-1][0] == height:
            subtree = node_hash(edge.pop()[1], subtree)
            packed += subtree
            height += 1
        edge.append((height, subtree))
        return packed

    def copy(self) -> "Frontier":
        """Return another one that grows by itself."""
        other = Frontier()
        other.size, other._edge = self.size, list(self._edge)
        return other

    def root(self) -> bytes:
        """Return the root at this size."""
        if not self._edge:
            return EMPTY_ROOT
        root = self._edge[-1][1]
        for _, left in reversed(self._edge[:-1]):
            root = node_hash(left, root)
        return root


def inclusion_proof(index: int, size: int, nodes: Nodes) -> list[bytes]:
    """Return the audit path of leaf `index` in the tree of `size` leaves, the leaf's sibling first.

    Raises:
        ValueError: there is no such leaf.

    Source: RFC 6962, section 2.1.1.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    siblings, _ = _siblings(index, size)
    return [_range_hash(low, high, nodes) for low, high in siblings]


def consistency_proof(old: int, new: int, nodes: Nodes) -> list[bytes]:
    """Return the proof that the tree of `new` leaves begins with the tree of `old` leaves.

    Raises:
        ValueError: not 0 < old <= new.

    Source: RFC 6962, section 2.1.2.
    """
    if not 0 < old <= new:
        raise ValueError(f"no proof leads from {old} leaves to {new}")
    siblings, reached = _siblings(old - 1, new, ends_at=old)
    ranges = siblings if reached == 0 else [(reached, old), *siblings]
    return [_range_hash(low, high, nodes) for low, high in ranges]


def root_from_inclusion(index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes:
    """Return the root that an audit path leads to from a leaf's hash.

    Raises:
        VerificationError: the path has another length than such a tree's, or there is no leaf.
    """
    if not 0 <= index < size:
        raise VerificationError(
            "the proof is for entry %(index)s of a log of %(size)s entries", index=index, size=size
        )
    siblings, _ = _siblings(index, size)
    _require_length(path, len(siblings))
    root = leaf
    for (low, _), sibling in zip(siblings, path, strict=True):
        root = node_hash(sibling, root) if low <= index else node_hash(root, sibling)
    return root


def check_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree with `new_root` begins with the tree with `old_root`.

    Every tree begins with the empty one, and with itself; then the proof is empty.

    Raises:
        VerificationError: it does not, or the proof is not one.
    """
    if old > new:
        raise VerificationError(
            "the log has %(new)s entries, fewer than the %(old)s it had", new=new, old=old
        )
    if old == 0:
        _require_length(proof, 0)
        _require_equal(old_root, EMPTY_ROOT, old, new)
        return
    siblings, reached = _siblings(old - 1, new, ends_at=old)
    # Where the old tree is one complete subtree of the new one, its root is known already.
    known = [old_root, *proof] if reached == 0 else list(proof)
    _require_length(known, len(siblings) + 1)
    old_found = new_found = known[0]
    for (low, _), sibling in zip(siblings, known[1:], strict=True):
        if low < old:
            old_found = node_hash(sibling, old_found)
            new_found = node_hash(sibling, new_found)
        else:
            new_found = node_hash(new_found, sibling)
    _require_equal(old_found, old_root, old, new)
    _require_equal(new_found, new_root, old, new)


def _siblings(
    leaf: int, size: int, ends_at: int | None = None
) -> tuple[list[tuple[int, int]], int]:
    # From the root down to `leaf`, or to the first subtree above it that ends at `ends_at`: the
    # ranges of leaves left aside on the way, the lowest first, and where that subtree begins.
    aside = []
    low, high = 0, size
    while high - low > 1 and high != ends_at:
        middle = low + _largest_power_below(high - low)
        if leaf < middle:
            aside.append((middle, high))
            high = middle
        else:
            aside.append((low, middle))
            low = middle
    return aside[::-1], low


def _require_equal(found: bytes, wanted: bytes, old: int, new: int) -> None:
    if found != wanted:
        raise VerificationError(
            "the log at %(new)s entries does not begin with the log at %(old)s entries: it was "
            "rewritten, or this is another log",
            old=old,
            new=new,
        )


def _require_length(hashes: Sequence[bytes], length: int) -> None:
    if len(hashes) != length:
        raise VerificationError("the proof does not have the length that this tree needs")


def _largest_power_below(count: int) -> int:
    return 1 << (count - 1).bit_length() - 1


def _complete_subtrees(low: int, high: int) -> Iterator[tuple[int, int]]:
    # `low` is a multiple of every power of two up to the length of the range.
    while low < high:
        height = (high - low).bit_length() - 1
        yield height, low >> height
        low += 1 << height


def _range_hash(low: int, high: int, nodes: Nodes) -> bytes:
    hashes = [nodes(height, index) for height, index in _complete_subtrees(low, high)]
    root = hashes.pop()
    while hashes:
        root = node_hash(hashes.pop(), root)
    return root
