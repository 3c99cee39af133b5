import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner_station.domain import merkle
from scanner_station.domain.errors import VerificationError

# RFC 6962 test entries and roots, as published with Google's Certificate Transparency code.
ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def tree(entries: list[bytes]) -> list[bytes]:
    """Return the packed nodes of each leaf, as a log keeps them."""
    edge = merkle.Frontier()
    return [edge.append(merkle.leaf_hash(entry)) for entry in entries]


def nodes_of(packed: list[bytes]) -> merkle.Nodes:
    def nodes(height: int, index: int) -> bytes:
        leaf, part = merkle.packed_place(height, index)
        found = packed[leaf][part]
        assert len(found) == 32
        return found

    return nodes


def plain_root(entries: list[bytes]) -> bytes:
    """Return the root straight from the definition."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\0" + entries[0]).digest()
    k = 1
    while k * 2 < len(entries):
        k *= 2
    return hashlib.sha256(b"\1" + plain_root(entries[:k]) + plain_root(entries[k:])).digest()


def many(count: int) -> list[bytes]:
    return [b"entry %d" % number for number in range(count)]


def test_the_roots_are_those_that_were_published() -> None:
    nodes = nodes_of(tree(ENTRIES))
    assert [merkle.root_of(size, nodes).hex() for size in range(1, 9)] == ROOTS


def test_every_root_is_what_the_definition_says() -> None:
    entries = many(70)
    nodes, frontier = nodes_of(tree(entries)), merkle.Frontier()
    for size in range(71):
        assert merkle.root_of(size, nodes) == plain_root(entries[:size]) == frontier.root()
        if size < 70:
            frontier.append(merkle.leaf_hash(entries[size]))


def test_a_frontier_takes_whole_subtrees() -> None:
    entries = many(75)
    leaves = [merkle.leaf_hash(entry) for entry in entries]
    frontier = merkle.Frontier()
    frontier.append(merkle.full_root(leaves[:64]), 6)
    for leaf in leaves[64:]:
        frontier.append(leaf)
    assert (frontier.size, frontier.root()) == (75, plain_root(entries))
    with pytest.raises(ValueError, match="can follow"):
        frontier.append(leaves[0], 6)


def test_every_inclusion_is_proved_and_no_other_entry_or_place() -> None:
    entries = many(33)
    nodes = nodes_of(tree(entries))
    for size in range(1, 34):
        root = plain_root(entries[:size])
        for index in range(size):
            path = merkle.inclusion_proof(index, size, nodes)
            leaf = merkle.leaf_hash(entries[index])
            assert merkle.root_from_inclusion(index, size, leaf, path) == root
            other = merkle.leaf_hash(b"another")
            assert merkle.root_from_inclusion(index, size, other, path) != root
            for wrong in ([*path, root], path[:-1]):
                if wrong != path:
                    with pytest.raises(VerificationError):
                        merkle.root_from_inclusion(index, size, leaf, wrong)


def test_every_consistency_is_proved_and_no_rewritten_log() -> None:
    entries = many(33)
    nodes = nodes_of(tree(entries))
    for new in range(1, 34):
        for old in range(1, new + 1):
            proof = merkle.consistency_proof(old, new, nodes)
            roots = plain_root(entries[:old]), plain_root(entries[:new])
            merkle.check_consistency(old, new, *roots, proof)
            for changed in (
                (plain_root([b"x", *entries[1:old]]), roots[1], proof),
                (roots[0], plain_root([b"x", *entries[1:new]]), proof),
                (*roots, [*proof, roots[0]]),
                (*roots, proof[:-1] if proof else [roots[0]]),
            ):
                with pytest.raises(VerificationError):
                    merkle.check_consistency(old, new, *changed)


def test_the_empty_log_is_the_beginning_of_every_log() -> None:
    merkle.check_consistency(0, 3, merkle.EMPTY_ROOT, plain_root(many(3)), [])
    with pytest.raises(VerificationError):
        merkle.check_consistency(0, 3, b"\0" * 32, plain_root(many(3)), [])
    with pytest.raises(VerificationError, match="fewer"):
        merkle.check_consistency(3, 2, plain_root(many(3)), plain_root(many(2)), [])


@given(st.integers(1, 300), st.data())
def test_a_proof_with_one_bit_changed_proves_nothing(size: int, data: st.DataObject) -> None:
    entries = many(size)
    nodes = nodes_of(tree(entries))
    index = data.draw(st.integers(0, size - 1))
    path = merkle.inclusion_proof(index, size, nodes)
    if not path:
        return
    at = data.draw(st.integers(0, len(path) - 1))
    bit = data.draw(st.integers(0, 255))
    flipped = (int.from_bytes(path[at], "big") ^ 1 << bit).to_bytes(32, "big")
    path[at] = flipped
    leaf = merkle.leaf_hash(entries[index])
    assert merkle.root_from_inclusion(index, size, leaf, path) != merkle.root_of(size, nodes)
