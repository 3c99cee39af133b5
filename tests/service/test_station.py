"""The promise: a green light means on disk, counted once, and never silently uncounted."""

import contextlib
import json
import random
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner_station.domain.counter import Verdict
from scanner_station.domain.entry import card_commitment
from scanner_station.domain.errors import (
    BatchError,
    EntryError,
    FolderInUseError,
    InputError,
    ManifestError,
    StorageError,
)
from scanner_station.domain.events import EntryRecorded, Event
from scanner_station.domain.identifier import Scheme
from scanner_station.service import batches, closing, custody, heads, views
from scanner_station.service.station import Station
from scanner_station.storage import scan_log
from scanner_station.storage.database import Database
from tests.service.stations import load_manifest, nik, show
from tests.service.test_heads import VKEY

LINES = [
    (nik(n), "rusak" if n % 3 else "pindah", "Alak" if n % 2 else "Oebobo", 1) for n in range(9)
]
BATCH = "kupang"


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    one = Station(tmp_path / "data", name="meja-1")
    batches.create(one, BATCH, title="Pemusnahan", by="penyelia")
    load_manifest(one, BATCH, LINES, tmp_path)
    yield one
    one.close()


def summary(station: Station, slug: str = BATCH) -> dict[str, object]:
    reading = views.Views(station.folder)
    with reading.connection() as connection:
        found = views.summary(connection, slug)
    reading.close()
    return found


def test_a_listed_card_is_counted_once_and_its_repeat_points_to_the_first_entry(
    station: Station,
) -> None:
    first = show(station, BATCH, nik(1))
    again = show(station, BATCH, nik(1))
    assert first.body["verdict"] == Verdict.COUNTED
    assert (first.sequence, first.counted, first.expected) == (1, 1, 9)
    assert first.name == f"Nama {nik(1)}"
    assert again.body["verdict"] == Verdict.ALREADY_COUNTED
    assert views.outcome_as_json(again)["first"] == {
        "sequence": 1,
        "at": first.body["at"],
        "station": "meja-1",
        "batch": BATCH,
        "by": "petugas",
    }
    assert summary(station)["counted"] == 1


def test_strangers_and_garbage_are_entries_that_change_no_count(station: Station) -> None:
    assert show(station, BATCH, nik(500)).body["verdict"] == Verdict.NOT_ON_MANIFEST
    assert show(station, BATCH, b"\xff\x00KARTU").body["reason"] == "not_text"
    found = summary(station)
    assert (found["counted"], found["not_on_manifest"], found["unreadable"]) == (0, 1, 1)


def test_no_entry_holds_an_identifier_or_payload_but_its_commitment(station: Station) -> None:
    show(station, BATCH, nik(1))
    show(station, BATCH, "BUKAN NIK")
    with sqlite3.connect(station.folder / "station.sqlite3") as connection:
        bodies = [row[0] for row in connection.execute("select body from entry order by sequence")]
        secret = connection.execute("select secret from batch_secret").fetchone()[0]
        openings = connection.execute(
            "select identifier, payload from entry order by sequence"
        ).fetchall()
    connection.close()
    assert not any(nik(1) in body or "BUKAN" in body for body in bodies)
    assert json.loads(bodies[1])["card"] == card_commitment(secret, nik(1))
    assert openings == [(None, None), (nik(1), nik(1).encode()), (None, b"BUKAN NIK")]
    assert json.loads(bodies[0])["kind"] == "open"


def test_log_entries_can_neither_be_changed_nor_deleted(station: Station) -> None:
    show(station, BATCH, nik(1))
    connection = sqlite3.connect(station.folder / "station.sqlite3")
    for statement in ("update entry set body = '{}'", "delete from entry"):
        with pytest.raises(sqlite3.IntegrityError, match="log entries are never"):
            connection.execute(statement)
    connection.close()


def test_a_void_is_a_new_entry_with_a_reason_and_the_card_can_be_counted_again(
    station: Station,
) -> None:
    show(station, BATCH, nik(1), typed=True)
    void = station.void(BATCH, 1, reason="kartu jatuh dari meja", by="petugas")
    assert (void.counted, void.body["target"]) == (0, 1)
    assert (summary(station)["voided"], summary(station)["manual"]) == (1, 0)
    assert show(station, BATCH, nik(1)).body["verdict"] == Verdict.COUNTED
    assert summary(station)["counted"] == 1


def test_only_a_card_that_is_counted_now_can_be_taken_back(station: Station) -> None:
    show(station, BATCH, nik(1))
    show(station, BATCH, nik(1))
    station.void(BATCH, 1, reason="salah", by="petugas")
    for sequence in (0, 1, 2, 99):
        with pytest.raises(EntryError):
            station.void(BATCH, sequence, reason="salah", by="petugas")
    assert summary(station)["voided"] == 1


@pytest.mark.parametrize("reason", ["", "  ", f"kartu {nik(1)}", "x" * 501, "a\x00b", "a\u202eb"])
def test_a_reason_that_may_not_stand_in_the_log_is_refused(station: Station, reason: str) -> None:
    show(station, BATCH, nik(1))
    with pytest.raises(InputError):
        station.void(BATCH, 1, reason=reason, by="petugas")
    assert summary(station)["counted"] == 1


def test_several_pieces_of_one_identifier_are_each_counted_once(
    station: Station, tmp_path: Path
) -> None:
    batches.create(station, "dua", title="Dua keping", by="penyelia")
    load_manifest(station, "dua", [(nik(1), "rusak", "Alak", 2)], tmp_path)
    verdicts = [show(station, "dua", nik(1)).body["verdict"] for _ in range(3)]
    assert verdicts == [Verdict.COUNTED, Verdict.COUNTED, Verdict.ALREADY_COUNTED]


def test_a_batch_without_a_manifest_builds_the_register_with_the_chosen_category(
    station: Station,
) -> None:
    batches.create(station, "register", title="Kulon Progo", by="penyelia")
    for number, category in enumerate(["rusak", "invalid", "invalid"]):
        batches.choose_category(station, "register", category)
        show(station, "register", nik(number))
    found = summary(station, "register")
    assert (found["counted"], found["expected"], found["remaining"]) == (3, 0, 0)
    groups = found["by_category"]
    assert isinstance(groups, dict)
    assert {name: group["counted"] for name, group in groups.items()} == {"invalid": 2, "rusak": 1}


def test_a_serial_number_burned_in_an_earlier_batch_is_already_counted_in_the_next(
    station: Station,
) -> None:
    for slug in ("lama", "baru"):
        batches.create(station, slug, title=slug, by="penyelia", schemes=(Scheme.SERIAL,))
    first = show(station, "lama", "KPG000123")
    again = show(station, "baru", "KPG000123")
    assert again.body["verdict"] == Verdict.ALREADY_COUNTED
    assert (again.body["first_batch"], again.body["first_sequence"]) == ("lama", first.sequence)


def test_a_nik_of_an_earlier_batch_counts_with_a_remark_and_of_a_cancelled_one_without(
    station: Station,
) -> None:
    for slug in ("batal", "lama", "baru"):
        batches.create(station, slug, title=slug, by="penyelia")
    show(station, "batal", nik(2))
    batches.cancel(station, "batal", reason="manifes salah", by="A", seconded_by="B")
    assert "earlier_batch" not in show(station, "lama", nik(2)).body
    remark = show(station, "baru", nik(2)).body
    assert (remark["verdict"], remark["earlier_batch"]) == (Verdict.COUNTED, "lama")


def test_a_wrong_manifest_is_replaced_before_the_first_card_and_refused_after_it(
    station: Station, tmp_path: Path
) -> None:
    load_manifest(station, BATCH, [(nik(50), "rusak", "Alak", 3)], tmp_path)
    assert summary(station)["expected"] == 3
    show(station, BATCH, nik(50))
    with pytest.raises(ManifestError, match="cancel the batch"):
        load_manifest(station, BATCH, LINES, tmp_path)
    assert summary(station)["expected"] == 3


def test_a_cancelled_batch_takes_no_cards_and_keeps_its_log(station: Station) -> None:
    show(station, BATCH, nik(1))
    with pytest.raises(InputError, match="two different people"):
        batches.cancel(station, BATCH, reason="salah", by="Ani", seconded_by=" ani ")
    batches.cancel(station, BATCH, reason="manifes salah", by="Ani", seconded_by="Budi")
    with pytest.raises(BatchError, match="cancelled"):
        show(station, BATCH, nik(2))
    assert summary(station)["counted"] == 1


def test_the_same_nonce_gives_the_same_entry_and_counts_once(station: Station) -> None:
    first = show(station, BATCH, nik(1), nonce="a1")
    again = show(station, BATCH, nik(1), nonce="a1")
    assert again == first
    with pytest.raises(InputError, match="nonce"):
        show(station, BATCH, nik(2), nonce="a1")
    assert summary(station)["entries"] == 2


def test_a_second_process_cannot_write_the_same_folder(station: Station) -> None:
    with pytest.raises(FolderInUseError, match="in use by a running station"):
        Station(station.folder)


def test_two_readers_at_the_same_moment_give_two_right_entries(station: Station) -> None:
    threads = [
        threading.Thread(target=lambda n=n: [show(station, BATCH, nik(i)) for i in range(n, 9, 3)])
        for n in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert summary(station)["counted"] == 9
    assert summary(station)["entries"] == 10


class HandedOverLock:
    """The station's lock; whoever waits for it gets it as soon as it is free."""

    def __init__(self, station: Station) -> None:
        self.lock, self.depth = station._lock, 0
        self.waiting: Callable[[], object] | None = None
        self.outcome: object = "nobody waited"

    def acquire(self) -> bool:
        self.lock.acquire()
        self.depth += 1
        return True

    def release(self) -> None:
        self.depth -= 1
        is_free = not self.depth
        self.lock.release()
        if is_free and self.waiting:
            next_one, self.waiting = self.waiting, None
            self.outcome = next_one()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


@pytest.mark.parametrize(
    ("change", "numbered"),
    [
        (lambda one: closing.note(one, BATCH, witness="Ana", text="Hujan.", by="petugas"), 3),
        (lambda one: heads.enrol(one, BATCH, VKEY, witness="Ana", by="petugas"), 3),
        (lambda one: custody.pause(one, BATCH, by="petugas"), None),
        (lambda one: batches.cancel(one, BATCH, reason="salah", by="A", seconded_by="B"), None),
    ],
    ids=["note", "witness", "pause", "cancel"],
)
def test_a_card_that_waits_while_the_log_is_written_is_judged_by_what_was_written(
    station: Station, change: Callable[[Station], object], numbered: int | None
) -> None:
    show(station, BATCH, nik(0))

    def card() -> int | None:
        try:
            return show(station, BATCH, nik(1)).sequence
        except BatchError:
            return None

    lock = HandedOverLock(station)
    station._lock = lock  # type: ignore[assignment]

    def wait(*_: object) -> object:
        appended.side_effect = None
        lock.waiting = card
        return mock.DEFAULT

    with mock.patch.object(scan_log, "append", wraps=scan_log.append) as appended:
        appended.side_effect = wait
        change(station)
    assert lock.outcome == numbered
    assert station.fault is None


def test_what_is_told_is_already_on_disk(station: Station) -> None:
    seen: list[int] = []

    def look(event: Event) -> None:
        if isinstance(event, EntryRecorded):
            seen.append(int(str(summary(station)["entries"])) - 1 - event.sequence)

    station.bus.subscribe(look)
    for number in range(5):
        show(station, BATCH, nik(number))
    assert seen == [0] * 5


class FailingDatabase(Database):
    """Loses the commit, or makes it and loses its confirmation."""

    fail_next: str = ""

    def _commit(self) -> None:
        kind, FailingDatabase.fail_next = FailingDatabase.fail_next, ""
        if kind == "persisted_anyway":
            super()._commit()
        if kind:
            raise sqlite3.OperationalError("disk I/O error")
        super()._commit()


@pytest.mark.parametrize("kind", ["lost", "persisted_anyway"])
@pytest.mark.parametrize("step", ["scan", "void"])
def test_nothing_is_shown_or_counted_when_the_write_is_not_confirmed(
    tmp_path: Path, kind: str, step: str
) -> None:
    station = Station(tmp_path / "data", open_database=FailingDatabase)
    batches.create(station, BATCH, title="Pemusnahan", by="penyelia")
    load_manifest(station, BATCH, LINES, tmp_path)
    show(station, BATCH, nik(0))
    told: list[Event] = []
    station.bus.subscribe(told.append)
    FailingDatabase.fail_next = kind
    steps: dict[str, Callable[[], object]] = {
        "scan": lambda: show(station, BATCH, nik(1)),
        "void": lambda: station.void(BATCH, 1, reason="salah", by="petugas"),
    }
    with pytest.raises(StorageError, match="counting has stopped"):
        steps[step]()
    assert not any(isinstance(event, EntryRecorded) for event in told)
    with pytest.raises(StorageError):
        show(station, BATCH, nik(2))
    station.recover()
    landed = kind == "persisted_anyway"
    expected = {("scan", True): 2, ("scan", False): 1, ("void", True): 0, ("void", False): 1}
    assert summary(station)["counted"] == expected[step, landed]
    again = show(station, BATCH, nik(1))
    assert (again.body["verdict"] == Verdict.ALREADY_COUNTED) == (step == "scan" and landed)
    station.close()


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.sampled_from(["card", "stranger", "garbage", "void"]), st.integers(0, 12)),
        max_size=40,
    )
)
def test_the_kept_tally_is_always_what_the_log_says(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("property")
    station = Station(folder / "data")
    batches.create(station, BATCH, title="Pemusnahan", by="penyelia")
    load_manifest(station, BATCH, LINES, folder)
    with mock.patch("scanner_station.service.station._ENTRIES_PER_KEPT_TALLY", 7):
        for step, number in steps:
            if step == "void":
                with contextlib.suppress(EntryError):
                    station.void(BATCH, number, reason="salah", by="petugas")
            else:
                offset = {"card": 0, "stranger": 1000, "garbage": 0}[step]
                show(station, BATCH, nik(number + offset) + ("X" if step == "garbage" else ""))
    found = summary(station)
    with station.transaction() as connection:
        assert scan_log.rebuild(connection, 1)
    station.close()
    reopened = Station(folder / "data")
    assert summary(reopened) == found
    groups = found["by_category"]
    assert isinstance(groups, dict)
    assert sum(group["counted"] for group in groups.values()) == found["counted"]
    reopened.close()


def test_a_projection_that_disagrees_with_the_log_is_rebuilt_from_it(station: Station) -> None:
    for number in random.Random(1).sample(range(9), 6):
        show(station, BATCH, nik(number))
    folder = station.folder
    before = summary(station)
    station.close()
    connection = sqlite3.connect(folder / "station.sqlite3")
    connection.execute("update tally set total = total + 40")
    connection.execute("delete from piece where sequence = 3")
    connection.commit()
    connection.close()
    reopened = Station(folder, name="meja-1")
    assert summary(reopened) == before
    reopened.close()
