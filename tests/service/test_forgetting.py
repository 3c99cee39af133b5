"""A closed batch's people are forgotten; its log stays and says the same."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner_station.domain.counter import Verdict
from scanner_station.domain.entry import card_salt
from scanner_station.domain.errors import BatchError, StorageError
from scanner_station.exports.openings import export_openings
from scanner_station.exports.receipts import make_receipt
from scanner_station.exports.verification import Asked, verify
from scanner_station.service import batches, custody, forgetting
from scanner_station.service.station import Station
from scanner_station.storage import batches as batch_rows
from scanner_station.storage import forgetting as erasing
from scanner_station.storage.database import FILE_NAME, open_to_read
from tests.exports.sealed_logs import SLUG, cosign, export, fill, made_station, seal
from tests.fakes import FakeClock
from tests.service.stations import load_manifest, nik, show

CARDS = 60


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    one = made_station(tmp_path / "data", tmp_path, CARDS)
    fill(one, CARDS - 5)
    yield one
    one.close()


def numbers_in(folder: Path) -> list[str]:
    """Return the identity numbers and names that stand in any file of the data folder."""
    data = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    wanted = [nik(n) for n in range(CARDS)] + [nik(900_000 + n) for n in range(0, CARDS, 10)]
    return [text for text in [*wanted, "Nama 9971"] if text.encode() in data]


def close(station: Station) -> None:
    seal(station)
    cosign(station)


def test_nothing_of_the_people_is_left_in_the_data_folder(station: Station) -> None:
    close(station)
    assert numbers_in(station.folder)
    forgetting.forget(station, SLUG, by="penyelia")
    assert numbers_in(station.folder) == []


def test_secret_salts_photographs_and_the_manifests_name_are_gone_too(
    station: Station, tmp_path: Path
) -> None:
    picture = b"\xff\xd8\xff\xe0 what the camera saw \xff\xd9"
    custody.agree(station, SLUG, by="penyelia")
    custody.record_unidentified(
        station, SLUG, category="rusak", reason="hangus", by="petugas", photograph=picture
    )
    load_manifest(other_batch(station), "lain", [(nik(3), "rusak", "Alak", 1)], tmp_path)
    show(station, "lain", nik(3))
    with station.transaction() as connection:
        secret, kept = (batch_rows.secret_of(connection, number) for number in (1, 2))
        sha256 = connection.execute("select sha256 from manifest where id = 1").fetchone()[0]
    close(station)
    traces = [
        secret,
        picture,
        b"kupang.csv",
        sha256.encode(),
        *(card_salt(secret, nik(number)) for number in range(CARDS)),
    ]
    before = b"".join(path.read_bytes() for path in station.folder.rglob("*") if path.is_file())
    assert all(trace in before for trace in traces[:4])
    forgetting.forget(station, SLUG, by="penyelia")
    data = b"".join(path.read_bytes() for path in station.folder.rglob("*") if path.is_file())
    assert [trace for trace in traces if trace in data] == []
    # What another batch knows of the same card is that batch's own.
    assert numbers_in(station.folder) == [nik(3), "Nama 9971"]
    assert kept in data
    again = show(station, "lain", nik(3))
    assert again.body["verdict"] == Verdict.ALREADY_COUNTED


def other_batch(station: Station) -> Station:
    batches.create(station, "lain", title="Lain", by="penyelia")
    return station


def test_the_bundle_is_the_same_before_and_after(station: Station, tmp_path: Path) -> None:
    close(station)
    before = export(station, tmp_path / "before.zip")
    forgetting.forget(station, SLUG, by="penyelia")
    after = export(station, tmp_path / "after.zip")
    assert after.read_bytes() == before.read_bytes()
    assert verify(after, Asked()).closed_by == "seal"


def test_the_station_starts_again_and_knows_what_it_cannot_do(
    station: Station, tmp_path: Path
) -> None:
    close(station)
    forgetting.forget(station, SLUG, by="penyelia")
    forgetting.forget(station, SLUG, by="penyelia")
    station.close()
    again = Station(station.folder, name="meja-1")
    with again.transaction() as connection:
        with pytest.raises(BatchError, match="forgotten"):
            export_openings(connection, SLUG, tmp_path / "openings")
        with pytest.raises(BatchError, match="forgotten"):
            make_receipt(connection, SLUG, again.key, nik(1).encode())
        assert connection.execute(
            "select what, about from station_event where what = 'people forgotten'"
        ).fetchall() == [("people forgotten", SLUG)]
    again.close()


def test_an_open_batch_is_not_forgotten(station: Station) -> None:
    with pytest.raises(BatchError, match="only a sealed"):
        forgetting.forget(station, SLUG, by="penyelia")


def test_people_are_kept_as_long_as_they_must_be(station: Station) -> None:
    close(station)
    clock = station.clock
    assert isinstance(clock, FakeClock)
    with pytest.raises(BatchError, match="2018-12-26"):
        forgetting.forget(station, SLUG, by="penyelia", retention_days=7)
    clock.advance(7 * 24 * 3600)
    forgetting.forget(station, SLUG, by="penyelia", retention_days=7)


@pytest.mark.parametrize("at", ["keep", "erase_secret", "erase_some"])
@pytest.mark.parametrize("persists", [False, True], ids=["lost", "persisted_anyway"])
def test_forgetting_that_was_interrupted_goes_on_when_run_again(
    station: Station, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str, persists: bool
) -> None:
    close(station)
    before = export(station, tmp_path / "before.zip").read_bytes()
    module = forgetting.manifest_commitments if at == "keep" else erasing
    real = getattr(module, at)

    def failing(*arguments: object) -> None:
        real(*arguments)
        if persists:
            arguments[0].execute("commit")  # type: ignore[attr-defined]  # the connection
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(module, at, failing)
        with pytest.raises(StorageError):
            forgetting.forget(station, SLUG, by="penyelia")
    station.recover()
    assert export(station, tmp_path / "between.zip").read_bytes() == before
    forgetting.forget(station, SLUG, by="penyelia")
    assert numbers_in(station.folder) == []
    assert export(station, tmp_path / "after.zip").read_bytes() == before


def test_a_reader_who_holds_the_old_pages_is_told_of(station: Station) -> None:
    close(station)
    reader = open_to_read(station.folder)
    reader.execute("begin")
    reader.execute("select count(*) from piece").fetchone()
    with pytest.raises(StorageError, match="still reading"):
        forgetting.forget(station, SLUG, by="penyelia")
    reader.close()
    forgetting.forget(station, SLUG, by="penyelia")
    assert numbers_in(station.folder) == []
    assert (station.folder / FILE_NAME).is_file()
