"""Reads a bundle's entries and computes their tree, tile by tile, comparing every hash."""

from collections.abc import Iterator, Set

from scanner_station.domain import merkle, tiles
from scanner_station.domain.errors import VerificationError
from scanner_station.exports.bundle_files import Reading


class TreeReader:
    """The tree over the entries of a bundle, computed anew.

    `roots`: at each of the watched sizes. `kept_entry`: the one asked for, b'' for none.
    """

    def __init__(
        self, files: Reading, size: int, *, watched_sizes: Set[int], kept_index: int
    ) -> None:
        """Prepare to read `size` entries."""
        self._files = files
        self._size = size
        self._watched_sizes = watched_sizes
        self._kept_index = kept_index
        self._frontier = merkle.Frontier()
        self._upper: list[list[bytes]] = [[] for _ in tiles.levels(size)]
        self.roots: dict[int, bytes] = {}
        self.kept_entry = b""

    @property
    def root(self) -> bytes:
        """The root over what was read."""
        return self._frontier.root()

    def read(self) -> Iterator[tuple[int, list[bytes]]]:
        """Yield (number of the first, entries) for each 256 entries, their hashes compared.

        Raises:
            VerificationError: a tile or an entry was changed; the first is named.
        """
        for index, width in tiles.widths(self._size):
            start = index * tiles.WIDTH
            entries = self._entries(index, width)
            leaves = merkle.leaf_hashes(entries)
            self._compare(0, index, leaves)
            self._note_roots(start, leaves)
            if start <= self._kept_index < start + width:
                self.kept_entry = entries[self._kept_index - start]
            self._grow(leaves)
            yield start, entries
        for level, hashes in enumerate(self._upper):
            if hashes:
                self._compare(level, self._size >> tiles.HEIGHT * (level + 1), hashes)

    def _entries(self, index: int, width: int) -> list[bytes]:
        name = tiles.path(tiles.ENTRIES, index, width)
        data = self._files.read(name)
        try:
            entries = tiles.unpack_entries(data)
        except VerificationError as error:
            raise VerificationError("%(name)s: %(why)s", name=name, why=error) from error
        if len(entries) != width:
            raise VerificationError(
                "%(name)s: it holds %(found)s entries instead of %(width)s",
                name=name,
                found=len(entries),
                width=width,
            )
        return entries

    def _note_roots(self, start: int, leaves: list[bytes]) -> None:
        for size in self._watched_sizes:
            if start < size <= start + len(leaves):
                edge = self._frontier.copy()
                for leaf in leaves[: size - start]:
                    edge.append(leaf)
                self.roots[size] = edge.root()

    def _grow(self, leaves: list[bytes]) -> None:
        if len(leaves) < tiles.WIDTH:
            for leaf in leaves:
                self._frontier.append(leaf)
            return
        subtree = merkle.full_root(leaves)
        self._frontier.append(subtree, tiles.HEIGHT)
        self._take_subtree(1, subtree)

    def _take_subtree(self, level: int, subtree: bytes) -> None:
        hashes = self._upper[level]
        hashes.append(subtree)
        if len(hashes) == tiles.WIDTH:
            index = (self._frontier.size >> tiles.HEIGHT * (level + 1)) - 1
            self._compare(level, index, hashes)
            self._upper[level] = []
            self._take_subtree(level + 1, merkle.full_root(hashes))

    def _compare(self, level: int, index: int, hashes: list[bytes]) -> None:
        name = tiles.path(level, index, len(hashes))
        found = self._files.read(name)
        if found == b"".join(hashes):
            return
        for place, expected in enumerate(hashes):
            start = place * merkle.HASH_BYTES
            if found[start : start + merkle.HASH_BYTES] != expected:
                raise VerificationError(
                    "%(what)s %(number)s does not have the hash that stands in %(name)s",
                    what="entry" if level == 0 else "tile",
                    number=index * tiles.WIDTH + place,
                    name=name,
                )
        raise VerificationError("%(name)s is longer than its tile", name=name)
