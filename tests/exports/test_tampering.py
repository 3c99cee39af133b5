"""Whatever is changed in a bundle, a receipt or a kept head, the verifier refuses it."""

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scanner_station.domain.errors import StationError, VerificationError
from scanner_station.exports.bundle_files import written
from scanner_station.exports.receipts import make_receipt
from scanner_station.exports.verification import Asked, verify
from scanner_station.service import batches
from scanner_station.service.station import Station
from scanner_station.storage import station_key
from tests.exports.sealed_logs import (
    SLUG,
    cosign,
    export,
    fill,
    made_station,
    office_policy,
    seal,
)
from tests.service.stations import load_manifest, nik, show

CARDS = 200
README = "README.txt"


class Original:
    """A sealed batch's bundle with receipt and kept head, all accepted before they are changed."""

    def __init__(self, folder: Path) -> None:
        self.station = made_station(folder / "data", folder, CARDS + 5)
        fill(self.station, CARDS)
        self.kept_head = bytes(cosign(self.station))
        seal(self.station)
        cosign(self.station)
        self.bundle = export(self.station, folder / "bundle")
        self.archive = export(self.station, folder / "bundle.zip")
        self.policy = office_policy(self.station)
        with self.station.transaction() as connection:
            made = make_receipt(connection, SLUG, self.station.key, nik(8).encode())
        self.receipt = bytes(made)
        self.files = {
            str(path.relative_to(self.bundle)): path.read_bytes()
            for path in sorted(self.bundle.rglob("*"))
            if path.is_file()
        }
        assert len(self.files) == 9

    def accepts(self, **changed: bytes) -> bool:
        asked = Asked(
            policy=self.policy,
            against=changed.get("against", self.kept_head),
            receipt=changed.get("receipt", self.receipt),
            identifier=nik(8),
        )
        return accepted(self.bundle, asked)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Original]:
    one = Original(tmp_path_factory.mktemp("original"))
    assert one.accepts()
    assert accepted(one.archive, Asked(policy=one.policy))
    yield one
    one.station.close()


def accepted(path: Path, asked: Asked) -> bool:
    try:
        verify(path, asked)
    except VerificationError:
        return False
    return True


def flipped(data: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << dice.randrange(8)]) + data[place + 1 :]


@pytest.mark.slow
@pytest.mark.parametrize("with_policy", [True, False], ids=["keys_from_outside", "own_keys"])
def test_no_bit_of_a_bundle_can_be_flipped(
    original: Original, tmp_path: Path, with_policy: bool
) -> None:
    dice = random.Random(5371)
    copy = tmp_path / "copy"
    shutil.copytree(original.bundle, copy)
    asked = Asked(policy=original.policy if with_policy else None)
    names = [name for name in original.files if name != README]
    for number in range(500):
        # Small files as often as large ones: a head has fewer bits than a tile.
        name = names[number % len(names)]
        (copy / name).write_bytes(flipped(original.files[name], dice))
        assert not accepted(copy, asked), f"flip {number} in {name}"
        (copy / name).write_bytes(original.files[name])
    assert accepted(copy, asked)


@pytest.mark.slow
def test_no_bit_of_an_archive_can_be_flipped(original: Original, tmp_path: Path) -> None:
    dice = random.Random(1971)
    data = original.archive.read_bytes()
    # The headers between the files are few bytes among many: flip those on purpose, too.
    headers = [
        at for at in range(len(data)) if data.startswith((b"PK\1\2", b"PK\3\4", b"PK\5\6"), at)
    ]
    path = tmp_path / "copy.zip"
    for number in range(500):
        place = (
            dice.randrange(len(data)) if number % 2 else dice.choice(headers) + dice.randrange(50)
        )
        place = min(place, len(data) - 1)
        changed = data[:place] + bytes([data[place] ^ 1 << dice.randrange(8)]) + data[place + 1 :]
        path.write_bytes(changed)
        assert not accepted(path, Asked(policy=original.policy)), f"bit of byte {place}"


@pytest.mark.slow
@pytest.mark.parametrize("what", ["receipt", "against"])
def test_no_bit_of_a_receipt_or_kept_head_can_be_flipped(original: Original, what: str) -> None:
    dice = random.Random(2629)
    data = original.receipt if what == "receipt" else original.kept_head
    for number in range(250):
        assert not original.accepts(**{what: flipped(data, dice)}), number


def test_no_file_can_be_dropped_emptied_cut_doubled_or_added(
    original: Original, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(original.bundle, copy)
    asked = Asked(policy=original.policy)
    for name, data in original.files.items():
        if name == README:
            continue
        for changed in (None, b"", data[:-1], data + data, data + b"\n", data[1:]):
            if changed is None:
                (copy / name).unlink()
            else:
                (copy / name).write_bytes(changed)
            assert not accepted(copy, asked), name
            (copy / name).write_bytes(data)
    for name in ("notes", "tile/0/002", "openings", "tile/entries/002"):
        (copy / name).write_bytes(b"")
        assert not accepted(copy, asked), name
        (copy / name).unlink()
    for name in ("tile/entries/000.p/1", "tile/3/000"):
        (copy / name).parent.mkdir()
        (copy / name).write_bytes(b"")
        assert not accepted(copy, asked), name
        shutil.rmtree((copy / name).parent)
    assert accepted(copy, asked)
    (copy / "empty").mkdir()
    assert not accepted(copy, asked)
    (copy / "empty").rmdir()
    (copy / "link").symlink_to(copy / "policy")
    assert not accepted(copy, asked)
    (copy / "link").unlink()
    (copy / README).write_text("whatever somebody writes here proves nothing", "utf-8")
    assert accepted(copy, asked)


def test_no_two_files_can_be_swapped(original: Original, tmp_path: Path) -> None:
    names = [name for name in original.files if name != README]
    copy = tmp_path / "copy"
    shutil.copytree(original.bundle, copy)
    for one in names:
        for other in names:
            if one < other:
                (copy / one).write_bytes(original.files[other])
                (copy / other).write_bytes(original.files[one])
                assert not accepted(copy, Asked(policy=original.policy)), (one, other)
                (copy / one).write_bytes(original.files[one])
                (copy / other).write_bytes(original.files[other])


def test_the_files_of_an_archive_stand_in_their_order_once(
    original: Original, tmp_path: Path
) -> None:
    names = list(original.files)
    for number, order in enumerate((names[::-1], [*names, names[-1]], names[1:] + names[:1])):
        path = tmp_path / f"{number}.zip"
        with written(path) as archive:
            for name in order:
                archive.write(name, [original.files[name]])
        assert not accepted(path, Asked(policy=original.policy))


def test_an_archive_cut_anywhere_or_grown_is_refused(original: Original, tmp_path: Path) -> None:
    data = original.archive.read_bytes()
    path = tmp_path / "cut.zip"
    for cut in random.Random(7).sample(range(len(data)), 100):
        path.write_bytes(data[:cut])
        assert not accepted(path, Asked())
    for more in (b"\0", data):
        path.write_bytes(data + more)
        assert not accepted(path, Asked())


def _lines(change: Callable[[list[str]], None]) -> Callable[[bytes], bytes]:
    def changed(data: bytes) -> bytes:
        lines = data.decode().splitlines(keepends=True)
        change(lines)
        return "".join(lines).encode()

    return changed


def test_no_line_of_a_head_can_be_dropped_doubled_or_swapped(
    original: Original, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(original.bundle, copy)
    head = original.files["checkpoint"]
    for number in range(head.count(b"\n")):
        for change in (
            _lines(lambda lines, n=number: lines.pop(n)),  # type: ignore[misc]  # a plain list
            _lines(lambda lines, n=number: lines.insert(n, lines[n])),  # type: ignore[misc]
            _lines(lambda lines, n=number: lines.insert(0, lines.pop(n)) if n else lines.pop()),  # type: ignore[misc]
        ):
            (copy / "checkpoint").write_bytes(change(head))
            # Not even under the policy in the bundle, which knows who had signed.
            assert not accepted(copy, Asked()), number


@pytest.mark.parametrize("what", ["receipt", "against"])
def test_a_receipt_or_kept_head_cannot_be_cut_and_no_line_dropped_doubled_or_swapped(
    original: Original, what: str
) -> None:
    data = original.receipt if what == "receipt" else original.kept_head
    lines = data.splitlines(keepends=True)
    for end in range(0, len(data), 3):
        # What is left may be a head with fewer witnesses, which is a head.
        if not (data[:end].endswith(b"\n") and data[:end].count(b"\xe2\x80\x94") in (1, 2)):
            assert not original.accepts(**{what: data[:end]}), end
    for place, line in enumerate(lines):
        others = lines[:place] + lines[place + 1 :]
        is_witness = line.startswith("— saksi".encode())
        assert original.accepts(**{what: b"".join(others)}) == is_witness, place
        swapped = [*lines[: place - 1], line, lines[place - 1], *lines[place + 1 :]]
        if place and line != lines[place - 1]:
            assert not original.accepts(**{what: b"".join(swapped)}), place
        doubled = lines[: place + 1] + lines[place:]
        assert not original.accepts(**{what: b"".join(doubled)}), place


def test_a_signature_that_is_taken_off_is_missed(original: Original, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(original.bundle, copy)
    lines = original.files["checkpoint"].decode().splitlines(keepends=True)
    (copy / "checkpoint").write_text("".join(lines[:-1]), "utf-8")
    with pytest.raises(VerificationError, match="taken off"):
        verify(copy, Asked())
    one_is_enough = office_policy(original.station, "any saksi-a saksi-b")
    with pytest.raises(VerificationError, match="taken off"):
        verify(copy, Asked(policy=one_is_enough))


def test_a_bundle_forged_whole_with_its_own_keys_is_not_a_verified_one(
    original: Original, tmp_path: Path
) -> None:
    forger = made_station(tmp_path / "data", tmp_path, CARDS + 5)
    fill(forger, CARDS - 50)
    seal(forger)
    cosign(forger)
    forged = export(forger, tmp_path / "forged")
    forger.close()
    assert not verify(forged, Asked()).is_trusted_from_outside
    with pytest.raises(VerificationError, match="not signed by"):
        verify(forged, Asked(policy=original.policy))


def rewritten(original: Original, folder: Path, cards: int) -> Path:
    """Return a log of other cards, made later and signed with the station's real key."""
    folder.mkdir()
    key = (original.station.folder / station_key.FILE_NAME).read_bytes()
    (folder / "data").mkdir()
    (folder / "data" / station_key.FILE_NAME).write_bytes(key)
    (folder / "data" / station_key.FILE_NAME).chmod(0o600)
    station = made_station(folder / "data", folder, CARDS + 5)
    fill(station, cards)
    seal(station)
    bundle = export(station, folder / "bundle")
    station.close()
    return bundle


@pytest.mark.parametrize("cards", [CARDS - 1, CARDS, CARDS + 3])
def test_a_log_rewritten_and_signed_with_the_real_key_fails_against_what_a_witness_saw(
    original: Original, tmp_path: Path, cards: int
) -> None:
    bundle = rewritten(original, tmp_path / "again", cards)
    key_only = office_policy(original.station).split(b"group")[0] + b"quorum none\n"
    verify(bundle, Asked(policy=key_only))
    with pytest.raises(VerificationError):
        verify(bundle, Asked(policy=key_only, against=original.kept_head))
    with pytest.raises(VerificationError, match="more witnesses"):
        verify(bundle, Asked(policy=original.policy))


def test_a_kept_head_of_another_log_or_key_is_refused(original: Original, tmp_path: Path) -> None:
    other = Station(tmp_path / "data", name="meja-1")
    batches.create(other, SLUG, title="Lain", by="penyelia")
    load_manifest(other, SLUG, [(nik(n), "rusak", "Alak", 1) for n in range(3)], tmp_path)
    show(other, SLUG, nik(1))
    bundle = export(other, tmp_path / "other")
    other.close()
    assert not original.accepts(against=(bundle / "checkpoint").read_bytes())
    for text in (b"", b"\n\n", b"nothing of the kind", b"5 AAAA", b"\xff"):
        assert not original.accepts(against=text)
        assert not original.accepts(receipt=text)


def test_what_is_no_bundle_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "text").write_text("PK?", "utf-8")
    for name in ("empty", "file", "text", "nothing"):
        with pytest.raises(StationError):
            verify(tmp_path / name, Asked())
