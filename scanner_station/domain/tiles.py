"""How a log is cut into files: tiles of 256 hashes, and bundles of 256 entries.

Source: c2sp.org/tlog-tiles.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from scanner_station.domain.errors import VerificationError

HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT
ENTRIES: Final = "entries"
MOST_ENTRY_BYTES: Final = 0xFFFF
LENGTH_BYTES: Final = 2
_BEHIND: Final = [LENGTH_BYTES + (high << 8) for high in range(256)]
"""By the higher byte of its length: where an entry ends, but for the lower one."""


def path(level: int | str, index: int, width: int = WIDTH) -> str:
    """Return a tile's path: `tile/0/x001/234`, and `.p/<width>` for one that is not full."""
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03d}")
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(reversed(groups))}{partial}"


def widths(size: int, level: int = 0) -> Iterator[tuple[int, int]]:
    """Yield (index, width) of every tile that a level of a tree of `size` leaves has."""
    full, rest = divmod(size >> HEIGHT * level, WIDTH)
    for index in range(full):
        yield index, WIDTH
    if rest:
        yield full, rest


def levels(size: int) -> range:
    """Return the levels that have tiles in a tree of `size` leaves."""
    count = 0
    while size >> HEIGHT * count:
        count += 1
    return range(count)


def pack_entries(entries: Sequence[bytes]) -> bytes:
    """Return entries as one bundle, each after its length in two bytes."""
    return b"".join([len(entry).to_bytes(LENGTH_BYTES, "big") + entry for entry in entries])


def entry_ends(data: bytes) -> list[int]:
    """Return where each entry of a bundle ends; it starts `LENGTH_BYTES` behind the one before.

    Raises:
        VerificationError: it ends in the middle of one.
    """
    ends, place, end = [], 0, len(data)
    try:
        while place < end:
            place += _BEHIND[data[place]] + data[place + 1]
            ends.append(place)
    except IndexError:
        place = -1
    if place != end:
        raise VerificationError("it ends in the middle of an entry")
    return ends


def unpack_entries(data: bytes) -> list[bytes]:
    """Return the entries of a bundle.

    Raises:
        VerificationError: it ends in the middle of one.
    """
    ends = entry_ends(data)
    places = zip([0, *ends], ends, strict=False)
    return [data[place + LENGTH_BYTES : end] for place, end in places]
