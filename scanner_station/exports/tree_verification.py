"""Reads a bundle's entries and computes their tree, many tiles at a time, comparing every hash."""

from collections.abc import Callable, Iterator, Set
from typing import Final, NamedTuple

import numpy as np

from scanner_station.domain import merkle, tiles
from scanner_station.domain.columns import Bytes, Lines, Numbers
from scanner_station.domain.errors import VerificationError
from scanner_station.exports.bundle_files import Reading
from scanner_station.exports.tree_hashing import hashed

_BLOCK_BYTES: Final = 1 << 20
"""Of entries that are looked at together; a tile of long ones may have more."""


class _Tile(NamedTuple):
    data: bytes
    ends: Numbers


class TreeReader:
    """The tree over the entries of a bundle, computed anew.

    `roots`: at each of the watched sizes. `kept_entry`: the one asked for, b'' for none.
    """

    def __init__(
        self,
        files: Reading,
        size: int,
        *,
        watched_sizes: Set[int],
        kept_index: int,
        progress: Callable[[int], None],
    ) -> None:
        """Prepare to read `size` entries; `progress` is told how many were hashed."""
        self._files = files
        self._size = size
        self._watched_sizes = watched_sizes
        self._kept_index = kept_index
        self._progress = progress
        self._frontier = merkle.Frontier()
        self._upper: list[list[bytes]] = [[] for _ in tiles.levels(size)]
        self.roots: dict[int, bytes] = {}
        self.kept_entry = b""

    @property
    def root(self) -> bytes:
        """The root over what was read."""
        return self._frontier.root()

    def read(self) -> Iterator[Lines]:
        """Yield the entries in order, many at a time, their hashes compared.

        Raises:
            VerificationError: a tile or an entry was changed; the first is named. All entries
                that stand before it were yielded.
        """
        blocks = map(_joined, _together(self._tiles()))
        for entries, hashes in hashed(blocks, self._size):
            first, roots = self._frontier.size, map(bytes, hashes.roots)
            try:
                for start in range(0, len(hashes.leaves), tiles.WIDTH):
                    self._take(hashes.leaves[start : start + tiles.WIDTH], roots)
            except VerificationError:
                if before := self._frontier.size - first:
                    yield entries.some(slice(before))
                raise
            if first <= self._kept_index < self._frontier.size:
                self.kept_entry = entries.line(self._kept_index - first)
            yield entries
        for level, nodes in enumerate(self._upper):
            if nodes:
                index = self._size >> tiles.HEIGHT * (level + 1)
                self._compare(level, index, b"".join(nodes))

    def _tiles(self) -> Iterator[_Tile]:
        for index, width in tiles.widths(self._size):
            name = tiles.path(tiles.ENTRIES, index, width)
            data = self._files.read(name)
            try:
                ends = tiles.entry_ends(data)
            except VerificationError as error:
                raise VerificationError("%(name)s: %(why)s", name=name, why=error) from error
            if len(ends) != width:
                raise VerificationError(
                    "%(name)s: it holds %(found)s entries instead of %(width)s",
                    name=name,
                    found=len(ends),
                    width=width,
                )
            yield _Tile(data, np.array(ends, np.int64))

    def _take(self, leaves: Bytes, roots: Iterator[bytes]) -> None:
        start = self._frontier.size
        self._compare(0, start // tiles.WIDTH, leaves.tobytes())
        for size in self._watched_sizes:
            if start < size <= start + len(leaves):
                edge = self._frontier.copy()
                _append(edge, leaves[: size - start])
                self.roots[size] = edge.root()
        if len(leaves) < tiles.WIDTH:
            _append(self._frontier, leaves)
        else:
            subtree = next(roots)
            self._frontier.append(subtree, tiles.HEIGHT)
            self._take_subtree(1, subtree)
        self._progress(self._frontier.size)

    def _take_subtree(self, level: int, subtree: bytes) -> None:
        hashes = self._upper[level]
        hashes.append(subtree)
        if len(hashes) == tiles.WIDTH:
            index = (self._frontier.size >> tiles.HEIGHT * (level + 1)) - 1
            self._compare(level, index, b"".join(hashes))
            self._upper[level] = []
            self._take_subtree(level + 1, merkle.full_root(hashes))

    def _compare(self, level: int, index: int, expected: bytes) -> None:
        width = len(expected) // merkle.HASH_BYTES
        name = tiles.path(level, index, width)
        found = self._files.read(name)
        if found == expected:
            return
        for place in range(width):
            place_bytes = slice(place * merkle.HASH_BYTES, (place + 1) * merkle.HASH_BYTES)
            if found[place_bytes] != expected[place_bytes]:
                raise VerificationError(
                    "%(what)s %(number)s does not have the hash that stands in %(name)s",
                    what="entry" if level == 0 else "tile",
                    number=index * tiles.WIDTH + place,
                    name=name,
                )
        raise VerificationError("%(name)s is longer than its tile", name=name)


def _together(read: Iterator[_Tile]) -> Iterator[list[_Tile]]:
    # What could be read before an error is looked at before it is raised.
    some: list[_Tile] = []
    size_bytes = 0
    try:
        for tile in read:
            some.append(tile)
            size_bytes += len(tile.data)
            if size_bytes >= _BLOCK_BYTES:
                yield some
                some, size_bytes = [], 0
    except VerificationError:
        if some:
            yield some
        raise
    if some:
        yield some


def _joined(some: list[_Tile]) -> Lines:
    # The byte before each entry, the lower one of its length, becomes the one that RFC 6962 has
    # before a leaf: so no entry is copied to be hashed.
    data = np.frombuffer(bytearray().join([tile.data for tile in some]), np.uint8)
    offsets = np.cumsum([0, *(len(tile.data) for tile in some)])
    ends = np.concatenate([tile.ends + offset for tile, offset in zip(some, offsets, strict=False)])
    starts = np.concatenate([[0], ends[:-1]]) + tiles.LENGTH_BYTES
    data[starts - 1] = 0
    return Lines(data, starts, ends)


def _append(edge: merkle.Frontier, leaves: Bytes) -> None:
    for leaf in leaves:
        edge.append(leaf.tobytes())
