"""A closed batch's people are forgotten; its log stays and says the same."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner_station.domain.errors import BatchError, StorageError
from scanner_station.exports.openings import export_openings
from scanner_station.exports.receipts import make_receipt
from scanner_station.exports.verification import Asked, verify
from scanner_station.service import forgetting
from scanner_station.service.station import Station
from scanner_station.storage import forgetting as erasing
from scanner_station.storage.database import FILE_NAME, open_to_read
from tests.exports.sealed_logs import SLUG, cosign, export, fill, made_station, seal
from tests.fakes import FakeClock
from tests.service.stations import nik

CARDS = 60


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    one = made_station(tmp_path / "data", tmp_path, CARDS)
    fill(one, CARDS - 5)
    yield one
    one.close()


def numbers_in(folder: Path) -> list[str]:
    """Return the identity numbers and names that stand in any file of the data folder."""
    data = b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
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
    reader.execute("select count(*) from opening").fetchone()
    with pytest.raises(StorageError, match="still reading"):
        forgetting.forget(station, SLUG, by="penyelia")
    reader.close()
    forgetting.forget(station, SLUG, by="penyelia")
    assert numbers_in(station.folder) == []
    assert (station.folder / FILE_NAME).is_file()
