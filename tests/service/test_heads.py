"""The tree in the file, the station's key, heads and cosignatures."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pymerkle
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scanner_station.domain import merkle
from scanner_station.domain.checkpoint import (
    check_log_signature,
    cosignature,
    log_key,
    witness_key,
)
from scanner_station.domain.errors import BatchError, InputError, StorageError
from scanner_station.service import batches, heads
from scanner_station.service.station import Station
from scanner_station.storage import batches as batch_rows
from scanner_station.storage import manifest_commitments, scan_log, station_key
from scanner_station.storage.database import FILE_NAME
from tests.fakes import FakeClock
from tests.service.stations import load_manifest, nik, show

BATCH = "kupang"
LINES = [(nik(n), "rusak" if n % 3 else "pindah", "Alak", 1) for n in range(40)]


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    one = Station(tmp_path / "data", name="meja-1", clock=FakeClock())
    batches.create(one, BATCH, title="Pemusnahan", by="penyelia")
    load_manifest(one, BATCH, LINES, tmp_path)
    yield one
    one.close()


def scan(station: Station, count: int) -> None:
    for number in range(count):
        show(station, BATCH, nik(number))


def entries_of(station: Station) -> list[bytes]:
    with station.transaction() as connection:
        rows = connection.execute("select body from entry order by sequence").fetchall()
    return [body.encode() for (body,) in rows]


def damage(station: Station, statement: str) -> None:
    """Change the file behind the station's back, as its owner could."""
    station.close()
    connection = sqlite3.connect(station.folder / FILE_NAME)
    connection.execute("drop trigger entry_is_never_changed")
    connection.execute("drop trigger entry_is_never_deleted")
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_the_signed_root_is_the_one_that_another_implementation_computes(station: Station) -> None:
    scan(station, 25)
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for entry in entries_of(station):
        tree.append_entry(entry)
    head = heads.sign(station, BATCH)
    assert head.checkpoint.size == 26
    assert head.checkpoint.root == tree.get_root()
    assert head.checkpoint.origin == "meja-1/kupang"
    check_log_signature(head, log_key("meja-1/kupang", station.key))


def test_every_entry_keeps_the_tree_up_to_it(station: Station) -> None:
    leaves = merkle.Frontier()
    for number in range(33):
        show(station, BATCH, nik(number))
        leaves = merkle.Frontier()
        for entry in entries_of(station):
            leaves.append(merkle.leaf_hash(entry))
        assert heads.sign(station, BATCH).checkpoint.root == leaves.root()


def test_a_size_has_one_head_for_ever(station: Station) -> None:
    scan(station, 3)
    first = heads.sign(station, BATCH)
    assert bytes(heads.sign(station, BATCH)) == bytes(first)
    show(station, BATCH, nik(3))
    assert heads.sign(station, BATCH).checkpoint.size == 5
    for statement in ("delete from checkpoint", "update checkpoint set note = ''"):
        with (
            pytest.raises(StorageError, match="never"),
            station.transaction() as connection,
        ):
            connection.execute(statement)
        station.recover()


def test_a_log_that_has_not_begun_has_no_head(station: Station) -> None:
    with pytest.raises(BatchError, match="not begun"):
        heads.sign(station, BATCH)


@pytest.mark.parametrize(
    "statement",
    [
        "update entry set body = replace(body, 'Alak', 'Oebo') where sequence = 7",
        "update entry set nodes = zeroblob(length(nodes)) where sequence = 7",
        "update entry set nodes = x'' where sequence = 7",
        "delete from entry where sequence = 7",
    ],
)
def test_a_changed_entry_is_found_at_the_next_start_and_named(
    station: Station, statement: str
) -> None:
    scan(station, 20)
    damage(station, statement)
    with pytest.raises(StorageError, match="entry 7 "):
        Station(station.folder, name="meja-1")


def test_a_log_cut_short_or_rewritten_whole_does_not_fit_its_signed_heads(
    station: Station,
) -> None:
    scan(station, 20)
    heads.sign(station, BATCH)
    damage(station, "delete from entry where sequence >= 15")
    with pytest.raises(StorageError, match="entry 15 "):
        Station(station.folder, name="meja-1")


def test_a_log_rewritten_with_a_fitting_tree_does_not_fit_its_signed_head(
    station: Station,
) -> None:
    scan(station, 5)
    heads.sign(station, BATCH)
    bodies = [entry.replace(b"Alak", b"Oebo") for entry in entries_of(station)]
    damage(station, "delete from entry")
    connection = sqlite3.connect(station.folder / FILE_NAME)
    for sequence, body in enumerate(bodies):
        scan_log.append(connection, 1, _entry(sequence, body))
    connection.commit()
    connection.close()
    with pytest.raises(StorageError, match="entry 5 "):
        Station(station.folder, name="meja-1")


def _entry(sequence: int, body: bytes) -> scan_log.Entry:
    return scan_log.Entry(sequence=sequence, body=json.loads(body))


def test_the_key_is_made_once_and_only_its_owner_may_read_it(station: Station) -> None:
    path = station.folder / station_key.FILE_NAME
    assert path.stat().st_mode & 0o777 == 0o600
    public = station.key.public_key().public_bytes_raw()
    station.close()
    again = Station(station.folder)
    assert again.key.public_key().public_bytes_raw() == public
    again.close()
    path.chmod(0o640)
    with pytest.raises(StorageError, match="read by others"):
        Station(station.folder)


def test_a_key_that_has_signed_is_never_replaced_by_a_new_one(station: Station) -> None:
    scan(station, 1)
    heads.sign(station, BATCH)
    station.close()
    (station.folder / station_key.FILE_NAME).unlink()
    with pytest.raises(StorageError, match="is gone"):
        Station(station.folder)


def test_a_log_opens_with_what_will_be_counted(station: Station) -> None:
    batches.set_witness_nonce(station, BATCH, "hujan lebat pukul delapan")
    scan(station, 1)
    opening = json.loads(entries_of(station)[0])
    assert opening["nonce"] == "hujan lebat pukul delapan"
    assert opening["expected_by_category"] == '{"pindah":14,"rusak":26}'
    with station.transaction() as connection:
        secret = batch_rows.secret_of(connection, 1)
        lines = b"".join(manifest_commitments.lines(connection, 1, secret))
    assert opening["manifest_sha256"] == hashlib.sha256(lines).hexdigest()
    assert lines.count(b"\n") == 40
    assert lines == b"".join(sorted(lines.splitlines(keepends=True)))
    with pytest.raises(BatchError, match="has begun"):
        batches.set_witness_nonce(station, BATCH, "terlambat")


def test_what_two_witnesses_typed_before_the_first_card_is_both_kept(station: Station) -> None:
    batches.set_witness_nonce(station, BATCH, "hujan lebat")
    batches.set_witness_nonce(station, BATCH, "  tiga\tayam ")
    with pytest.raises(InputError, match="identity number"):
        batches.set_witness_nonce(station, BATCH, nik(1))
    with pytest.raises(InputError, match="at most"):
        batches.set_witness_nonce(station, BATCH, "x" * 490)
    scan(station, 1)
    assert json.loads(entries_of(station)[0])["nonce"] == "hujan lebat tiga ayam"


WITNESS = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
VKEY = witness_key("saksi-ani", WITNESS).text


def test_a_witness_is_named_in_the_log_and_cosigns_its_head(station: Station) -> None:
    heads.enrol(station, BATCH, VKEY, witness="Ani", by="penyelia")
    scan(station, 3)
    head = heads.sign(station, BATCH)
    line = cosignature(head.checkpoint, "saksi-ani", WITNESS, time_s=1_545_181_200).line
    assert heads.cosign(station, BATCH, 5, line) == 1_545_181_200
    cosigned = heads.sign(station, BATCH)
    assert cosigned.note.signatures[1].line == line
    assert heads.cosign(station, BATCH, 5, line) == 1_545_181_200
    entry = json.loads(entries_of(station)[1])
    assert (entry["kind"], entry["key"], entry["witness"]) == ("witness", VKEY, "Ani")


def test_a_cosignature_that_is_none_is_refused(station: Station) -> None:
    heads.enrol(station, BATCH, VKEY, witness="Ani", by="penyelia")
    scan(station, 3)
    checkpoint = heads.sign(station, BATCH).checkpoint
    good = cosignature(checkpoint, "saksi-ani", WITNESS, time_s=1).line
    stranger = cosignature(checkpoint, "saksi-budi", WITNESS, time_s=1).line
    for line in (good[:-3] + "A=\n", stranger, "", good + good, good.rstrip()):
        with pytest.raises(InputError):
            heads.cosign(station, BATCH, 5, line)
    with pytest.raises(InputError, match="no signed head"):
        heads.cosign(station, BATCH, 4, good)


@pytest.mark.parametrize(
    "text", [VKEY[:-1], "", log_key("saksi-ani", WITNESS).text, VKEY.replace("ani", "budi")]
)
def test_what_is_no_witness_key_is_not_enrolled(station: Station, text: str) -> None:
    with pytest.raises(InputError):
        heads.enrol(station, BATCH, text, witness="Ani", by="penyelia")


def test_a_key_is_enrolled_once(station: Station) -> None:
    heads.enrol(station, BATCH, VKEY, witness="Ani", by="penyelia")
    for text in (VKEY, witness_key("saksi-lain", WITNESS).text):
        with pytest.raises(InputError, match="named in the log already"):
            heads.enrol(station, BATCH, text, witness="Ani", by="penyelia")


def test_heads_are_signed_after_so_many_cards_or_seconds_and_at_the_end(
    station: Station,
) -> None:
    clock = station.clock
    assert isinstance(clock, FakeClock)
    keeper = heads.HeadKeeper(station, entries=5, seconds=60)
    keeper.start()
    scan(station, 4)
    assert keeper.sign_due() == []
    show(station, BATCH, nik(4))
    assert keeper.sign_due() == [BATCH]
    show(station, BATCH, nik(5))
    clock.advance(59)
    assert keeper.sign_due() == []
    clock.advance(1)
    assert keeper.sign_due() == [BATCH]
    show(station, BATCH, nik(6))
    keeper.stop()
    with station.transaction() as connection:
        sizes = [size for (size,) in connection.execute("select size from checkpoint")]
    assert sizes == [6, 7, 8]


def test_what_an_earlier_run_left_unsigned_is_signed_at_the_start(station: Station) -> None:
    scan(station, 2)
    keeper = heads.HeadKeeper(station)
    keeper.start()
    keeper.stop()
    with station.transaction() as connection:
        assert [size for (size,) in connection.execute("select size from checkpoint")] == [3]


def test_two_heads_are_proved_to_be_of_one_log(station: Station) -> None:
    scan(station, 3)
    old = heads.sign(station, BATCH).checkpoint
    for number in range(3, 17):
        show(station, BATCH, nik(number))
    new = heads.sign(station, BATCH).checkpoint
    with station.transaction() as connection:
        proof = heads.consistency(connection, BATCH, old.size, new.size)
    merkle.check_consistency(old.size, new.size, old.root, new.root, proof)
    with station.transaction() as connection, pytest.raises(InputError):
        heads.consistency(connection, BATCH, 0, new.size + 1)
