"""What a bundle holds is accepted by implementations that are not ours."""

import os
import shutil
import subprocess
from pathlib import Path

import pymerkle
import pytest

from scanner_station.domain import tiles
from scanner_station.domain.checkpoint import SignedHead, cosignature, witness_key
from scanner_station.exports.receipts import make_receipt
from scanner_station.service import custody, heads
from tests.exports.sealed_logs import SLUG, WITNESSES, cosign, export, fill, made_station
from tests.service.stations import nik, show

CHECK = Path(__file__).with_name("check.go")
GO_LIBRARIES = Path("/usr/share/gocode")
"""Where Debian's golang-golang-x-mod-dev puts golang.org/x/mod."""


class Exported:
    """A bundle over more than one tile, a receipt and an earlier head, in one folder."""

    def __init__(self, folder: Path) -> None:
        station = made_station(folder / "data", folder, 420)
        fill(station, 200)
        self.early = folder / "early"
        self.early.write_bytes(bytes(cosign(station)))
        for number in range(201, 420):
            show(station, SLUG, nik(number))
        cosign(station)
        self.bundle = export(station, folder / "bundle")
        self.receipt = folder / "card.tlog-proof"
        with station.transaction() as connection:
            receipt = make_receipt(connection, SLUG, station.key, nik(7).encode())
        self.receipt.write_bytes(bytes(receipt))
        station.close()


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return Exported(tmp_path_factory.mktemp("exported"))


def test_pymerkle_computes_the_root_that_was_signed(exported: Exported) -> None:
    head = SignedHead.parse((exported.bundle / "checkpoint").read_bytes()).checkpoint
    assert head.size > 2 * tiles.WIDTH
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for index, width in tiles.widths(head.size):
        data = (exported.bundle / tiles.path(tiles.ENTRIES, index, width)).read_bytes()
        for entry in tiles.unpack_entries(data):
            tree.append_entry(entry)
    assert tree.get_root() == head.root


SIZES = (1, 2, 255, 256, 257, 511, 512, 513)
"""Of a log: less, as much and more than one tile and two tiles hold."""


@pytest.fixture(scope="module")
def at_sizes(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """The bundles of one log as it grew, the first without any witness, the second with one."""
    folder = tmp_path_factory.mktemp("sizes")
    station = made_station(folder / "data", folder, 600)
    found, names = {}, iter(WITNESSES)
    custody.zero_report(station, SLUG, by="petugas")
    for size in SIZES:
        while (sequence := heads.sign(station, SLUG).checkpoint.size) < size:
            if name := next(names, ""):
                key = witness_key(name, WITNESSES[name]).text
                heads.enrol(station, SLUG, key, witness=name, by="petugas")
            else:
                show(station, SLUG, nik(sequence))
        head = heads.sign(station, SLUG).checkpoint
        for name in list(WITNESSES)[: size - 1]:
            line = cosignature(head, name, WITNESSES[name], time_s=1_545_181_200).line
            heads.cosign(station, SLUG, size, line)
        found[size] = export(station, folder / str(size))
    station.close()
    return found


def test_pymerkle_computes_every_tile_of_a_log_of_any_size(at_sizes: dict[int, Path]) -> None:
    for size, bundle in at_sizes.items():
        head = SignedHead.parse((bundle / "checkpoint").read_bytes()).checkpoint
        tree = pymerkle.InmemoryTree(algorithm="sha256")
        files = {str(one.relative_to(bundle)) for one in bundle.rglob("*") if one.is_file()}
        for index, width in tiles.widths(size):
            data = (bundle / tiles.path(tiles.ENTRIES, index, width)).read_bytes()
            for entry in tiles.unpack_entries(data):
                tree.append_entry(entry)
        assert (head.size, head.root) == (size, tree.get_root())
        tile = (bundle / ("tile/0/000" if size >= 256 else f"tile/0/000.p/{size}")).read_bytes()
        assert tile == b"".join(tree.get_leaf(n + 1) for n in range(min(size, 256)))
        full = size // 256
        assert (f"tile/1/000.p/{full}" in files) == bool(full)
        if full:
            assert (bundle / f"tile/1/000.p/{full}").read_bytes()[:32] == tree.get_root(256)


@pytest.fixture(scope="module")
def go_check(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("go") is None or not (GO_LIBRARIES / "src/golang.org/x/mod").is_dir():
        pytest.skip("needs Go: apt install golang-go golang-golang-x-mod-dev")
    folder = tmp_path_factory.mktemp("go")
    environment = os.environ | {
        "GO111MODULE": "off",
        "GOPATH": str(GO_LIBRARIES),
        "GOCACHE": str(folder / "cache"),
        "GOFLAGS": "",
    }
    program = folder / "check"
    subprocess.run(["go", "build", "-o", program, CHECK], check=True, env=environment)
    return program


def test_go_accepts_a_log_of_any_size(at_sizes: dict[int, Path], go_check: Path) -> None:
    for size, bundle in at_sizes.items():
        done = subprocess.run([go_check, bundle], capture_output=True, text=True)
        assert done.returncode == 0, (size, done.stderr)
        assert done.stdout.endswith(f"tlog: {size} entries\n")


@pytest.mark.slow
def test_go_accepts_signatures_tiles_entries_receipt_and_consistency(
    exported: Exported, go_check: Path
) -> None:
    done = subprocess.run(
        [go_check, exported.bundle, exported.receipt, exported.early],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    head = SignedHead.parse((exported.bundle / "checkpoint").read_bytes()).checkpoint
    early = SignedHead.parse(exported.early.read_bytes()).checkpoint
    receipt = exported.receipt.read_text().split("index ")[1].split("\n")[0]
    assert done.stdout.splitlines() == [
        "note: 3 signatures",
        f"tlog: {head.size} entries",
        "note: 3 signatures",
        f"tlog: the receipt proves entry {receipt}",
        "note: 3 signatures",
        f"tlog: {early.size} entries are the beginning",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["checkpoint", "policy", "tile/0/000", "tile/entries/000"])
def test_go_refuses_what_was_changed(
    exported: Exported, go_check: Path, tmp_path: Path, name: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(exported.bundle, copy)
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(data)
    done = subprocess.run([go_check, copy], capture_output=True)
    assert done.returncode != 0
