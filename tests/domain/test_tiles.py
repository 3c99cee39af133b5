import pytest

from scanner_station.domain import tiles
from scanner_station.domain.errors import VerificationError


def test_paths_are_those_of_the_specification() -> None:
    assert tiles.path(0, 1_234_067) == "tile/0/x001/x234/067"
    assert tiles.path(2, 0, 17) == "tile/2/000.p/17"
    assert tiles.path("entries", 1000, 1) == "tile/entries/x001/000.p/1"


def test_a_tree_of_70000_has_the_tiles_that_the_specification_counts() -> None:
    assert list(tiles.levels(70_000)) == [0, 1, 2]
    level = [list(tiles.widths(70_000, level)) for level in range(3)]
    assert [len(found) for found in level] == [274, 2, 1]
    assert [found[-1] for found in level] == [(273, 112), (1, 17), (0, 1)]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (1, ["tile/0/000.p/1"]),
        (255, ["tile/0/000.p/255"]),
        (256, ["tile/0/000", "tile/1/000.p/1"]),
        (257, ["tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1"]),
    ],
)
def test_tiles_at_the_edges(size: int, expected: list[str]) -> None:
    found = [
        tiles.path(level, index, width)
        for level in tiles.levels(size)
        for index, width in tiles.widths(size, level)
    ]
    assert found == expected


def test_entries_come_back_from_their_bundle() -> None:
    entries = [b"", b"a", b"b" * 65_535]
    data = tiles.pack_entries(entries)
    assert tiles.unpack_entries(data) == entries
    for cut in (1, 3, 4, len(data) - 1):
        if cut != 2:
            with pytest.raises(VerificationError):
                tiles.unpack_entries(data[:cut])
