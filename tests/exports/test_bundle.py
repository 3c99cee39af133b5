"""A bundle is checked by anybody, and nothing in it can be changed unseen."""

import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner_station.domain.checkpoint import Checkpoint, SignedHead, signed_head
from scanner_station.domain.errors import InputError, VerificationError
from scanner_station.domain.identifier import Scheme
from scanner_station.domain.paper_head import PaperHead
from scanner_station.exports.openings import export_openings
from scanner_station.exports.receipts import make_receipt
from scanner_station.exports.verification import Asked, verify
from scanner_station.service import batches, custody, heads
from scanner_station.service.station import Station
from tests.exports.sealed_logs import (
    SLUG,
    cosign,
    export,
    fill,
    made_station,
    office_policy,
    seal,
)
from tests.service.stations import nik, show

CARDS = 300


class Made:
    """One sealed, cosigned batch and what was exported of it on the way."""

    def __init__(self, folder: Path) -> None:
        self.station = made_station(folder / "data", folder, CARDS + 20)
        fill(self.station, CARDS)
        self.open_bundle = export(self.station, folder / "open")
        self.early_head = bytes(cosign(self.station))
        show(self.station, SLUG, nik(CARDS + 1))
        seal(self.station)
        self.head = cosign(self.station)
        self.bundle = export(self.station, folder / "bundle")
        self.archive = export(self.station, folder / "bundle.zip")
        self.openings = folder / "openings.jsonl"
        with self.station.transaction() as connection:
            export_openings(connection, SLUG, self.openings)
            self.receipt = bytes(make_receipt(connection, SLUG, self.station.key, nik(5).encode()))
        self.policy = office_policy(self.station)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    one = Made(tmp_path_factory.mktemp("bundle"))
    yield one
    one.station.close()


def files_of(bundle: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(bundle)): path.read_bytes()
        for path in sorted(bundle.rglob("*"))
        if path.is_file()
    }


def test_a_bundle_is_whole_and_says_whose_keys_were_trusted(made: Made) -> None:
    found = verify(made.bundle, Asked(policy=made.policy))
    assert found.is_trusted_from_outside
    assert [key.name for key in found.witnesses] == ["saksi-a", "saksi-b"]
    assert found.head.checkpoint == made.head.checkpoint
    assert found.closed_by == "seal"
    tally = made.station.counter(SLUG).tally.as_json()
    by_category = tally["by_category"]
    assert isinstance(by_category, dict)
    assert found.totals.counted == {name: one["counted"] for name, one in by_category.items()}
    assert found.totals.expected == {name: one["expected"] for name, one in by_category.items()}
    assert sum(found.totals.missing.values()) == tally["remaining"]


def test_without_keys_from_outside_nothing_is_trusted(made: Made) -> None:
    found = verify(made.bundle, Asked())
    assert not found.is_trusted_from_outside


def test_folder_and_archive_hold_the_same_files_and_both_are_accepted(made: Made) -> None:
    with zipfile.ZipFile(made.archive) as archive:
        assert archive.testzip() is None
        found = {name: archive.read(name) for name in archive.namelist()}
    assert found == files_of(made.bundle)
    verify(made.archive, Asked(policy=made.policy))


def test_the_same_log_gives_the_same_bytes(made: Made, tmp_path: Path) -> None:
    again = export(made.station, tmp_path / "again.zip")
    assert again.read_bytes() == made.archive.read_bytes()


def test_an_open_batch_is_exported_and_checked_too(made: Made) -> None:
    found = verify(made.open_bundle, Asked())
    assert (found.closed_by, found.witnesses) == ("", ())
    assert found.named == 2


def test_a_folder_that_is_there_is_not_overwritten(made: Made) -> None:
    with pytest.raises(InputError, match="there already"):
        export(made.station, made.bundle)


def test_the_head_that_a_witness_kept_is_the_beginning_of_the_log(made: Made) -> None:
    found = verify(made.bundle, Asked(policy=made.policy, against=made.early_head))
    early = SignedHead.parse(made.early_head).checkpoint
    assert found.against_size == early.size < found.head.checkpoint.size
    paper = PaperHead.of(early.size, early.root).text
    for typed in (
        paper.encode(),
        f"\n {paper}\r\n\r\n".encode(),
        paper.encode("utf-8-sig"),
        paper.encode("utf-16"),
        paper.replace("-", "\N{EN DASH}").encode(),
    ):
        assert verify(made.bundle, Asked(against=typed)).against_size == early.size
    for asked in (
        Asked(against=made.early_head.replace(b"\n", b"\r\n")),
        Asked(policy=made.policy.replace(b"\n", b"\r\n")),
    ):
        with pytest.raises(VerificationError, match="as on Windows"):
            verify(made.bundle, asked)


def test_a_head_of_later_or_of_another_log_is_refused(made: Made) -> None:
    with pytest.raises(VerificationError, match="ask for the bundle"):
        verify(made.open_bundle, Asked(against=bytes(made.head)))
    early = SignedHead.parse(made.early_head).checkpoint
    other = PaperHead.of(early.size, hashlib.sha256(b"other").digest()).text
    with pytest.raises(VerificationError, match="rewritten"):
        verify(made.bundle, Asked(against=other.encode()))
    later = PaperHead.of(early.size + 9000, early.root).text
    with pytest.raises(VerificationError, match="the earlier head: it is of 9"):
        verify(made.bundle, Asked(against=later.encode()))
    elsewhere = Checkpoint(origin="meja-1/lain", size=early.size, root=early.root)
    head = bytes(signed_head(elsewhere, made.station.key))
    with pytest.raises(VerificationError, match="of the log meja-1/lain, and the bundle is of"):
        verify(made.bundle, Asked(against=head))
    for nothing in (made.policy, b"", b"\xff\xfe", b"catatan"):
        with pytest.raises(VerificationError, match="neither a signed head nor a paper code"):
            verify(made.bundle, Asked(against=nothing))


def test_a_receipt_proves_its_card_to_whoever_knows_its_number(made: Made) -> None:
    found = verify(made.bundle, Asked(receipt=made.receipt, identifier=nik(5)))
    assert found.receipt_index is not None
    assert found.receipt_is_of_card
    assert not verify(made.bundle, Asked(receipt=made.receipt)).receipt_is_of_card
    with pytest.raises(VerificationError, match="another card"):
        verify(made.bundle, Asked(receipt=made.receipt, identifier=nik(6)))
    assert nik(5).encode() not in made.receipt


def receipt_of(station: Station, number: int) -> bytes:
    with station.transaction() as connection:
        return bytes(make_receipt(connection, SLUG, station.key, nik(number).encode()))


def test_a_receipt_holds_for_an_added_card_and_not_for_one_taken_back(tmp_path: Path) -> None:
    station, two = made_station(tmp_path / "data", tmp_path, 5), {"by": "a", "seconded_by": "b"}
    first = show(station, SLUG, nik(1)).sequence
    stranger = show(station, SLUG, nik(900)).sequence
    custody.add_stranger(station, SLUG, stranger, category="rusak", reason="terlewat", **two)
    counted, added = receipt_of(station, 1), receipt_of(station, 900)
    bundle = export(station, tmp_path / "before")
    for receipt, number in ((counted, 1), (added, 900)):
        found = verify(bundle, Asked(receipt=receipt, identifier=nik(number)))
        assert found.receipt_is_of_card
    station.void(SLUG, first, reason="salah ambil", by="petugas")
    bundle = export(station, tmp_path / "after")
    verify(bundle, Asked(receipt=added, identifier=nik(900)))
    with pytest.raises(VerificationError, match="taken back later and is not counted"):
        verify(bundle, Asked(receipt=counted, identifier=nik(1)))
    batches.cancel(station, SLUG, reason="salah daftar", **two)
    with pytest.raises(VerificationError, match="the receipt: the batch was cancelled"):
        verify(export(station, tmp_path / "cancelled"), Asked(receipt=added))
    with pytest.raises(InputError, match="gives no receipts"):
        receipt_of(station, 900)
    station.close()


def test_a_receipt_knows_its_number_as_any_scanner_reads_it(tmp_path: Path) -> None:
    station = Station(tmp_path / "data", name="meja-1")
    schemes = (Scheme.SERIAL, Scheme.UID)
    batches.create(station, SLUG, title="Kartu", by="penyelia", schemes=schemes)
    show(station, SLUG, b"04a1b2c3d4e5f6")
    with station.transaction() as connection:
        receipt = bytes(make_receipt(connection, SLUG, station.key, b"04A1B2C3D4E5F6"))
    bundle = export(station, tmp_path / "bundle")
    station.close()
    for typed in ("04A1B2C3D4E5F6", "04a1b2c3d4e5f6", "]C004a1b2c3d4e5f6\t"):
        assert verify(bundle, Asked(receipt=receipt, identifier=typed)).receipt_is_of_card
    with pytest.raises(VerificationError, match="another card"):
        verify(bundle, Asked(receipt=receipt, identifier="04A1B2C3D4E5F7"))


def test_openings_show_who_stands_behind_every_card(made: Made) -> None:
    found = verify(made.bundle, Asked(openings=made.openings))
    lines = made.openings.read_bytes().splitlines()
    assert found.opened == len(lines)
    assert nik(CARDS + 19).encode() in made.openings.read_bytes()
    assert made.openings.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("change", ["dropped", "doubled", "swapped", "foreign", "salt"])
def test_openings_that_were_changed_are_refused(made: Made, change: str, tmp_path: Path) -> None:
    lines = made.openings.read_bytes().splitlines(keepends=True)
    match change:
        case "dropped":
            del lines[7]
        case "doubled":
            lines.insert(7, lines[7])
        case "swapped":
            lines[7], lines[8] = lines[8], lines[7]
        case "foreign":
            lines[7] = lines[7].replace(b'"99', b'"98')
        case "salt":
            lines[7] = lines[7].replace(b'"salt":"', b'"salt":"A')[:-1] + b"\n"
    path = tmp_path / "openings"
    path.write_bytes(b"".join(lines))
    with pytest.raises(VerificationError, match="openings"):
        verify(made.bundle, Asked(openings=path))


def test_no_identity_number_is_in_a_bundle(made: Made) -> None:
    for name, data in files_of(made.bundle).items():
        for number in range(0, CARDS, 17):
            assert nik(number).encode() not in data, name


def test_signing_the_head_later_gives_the_head_of_the_bundle(tmp_path: Path) -> None:
    station = made_station(tmp_path / "data", tmp_path, 20)
    for number in range(5):
        show(station, SLUG, nik(number))
    bundle = export(station, tmp_path / "bundle")
    assert bytes(heads.sign(station, SLUG)) == (bundle / "checkpoint").read_bytes()
    station.close()


def test_a_batch_without_a_manifest_has_no_manifest_file(tmp_path: Path) -> None:
    station = Station(tmp_path / "data", name="meja-1")
    batches.create(station, SLUG, title="Tanpa daftar", by="penyelia")
    batches.choose_category(station, SLUG, "rusak")
    for number in (1, 2, 2, 3):
        show(station, SLUG, nik(number))
    found = verify(export(station, tmp_path / "bundle"), Asked())
    assert not found.has_manifest
    assert found.totals.counted == {"rusak": 3}
    station.close()


@pytest.mark.parametrize(("name", "entries"), [("first-version", 14), ("first-sealed", 34)])
def test_a_log_that_the_first_versions_wrote_is_still_verified(name: str, entries: int) -> None:
    found = verify(Path(__file__).parents[1] / "data" / f"{name}.zip", Asked())
    assert (found.head.checkpoint.size, len(found.witnesses)) == (entries, 2)
