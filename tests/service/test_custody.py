"""Who had the cards: containers, days, and what no machine reads."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner_station.domain.entry import Kind
from scanner_station.domain.errors import BatchError, EntryError, InputError
from scanner_station.domain.reconciliation import Reconciliation
from scanner_station.exports.bundle import export_bundle
from scanner_station.exports.verification import Asked, verify
from scanner_station.service import batches, closing, custody
from scanner_station.service.reconciliation import reconcile
from scanner_station.service.station import Station
from scanner_station.service.table import look_up, table
from scanner_station.storage import custody as custody_rows
from tests.fakes import FakeClock
from tests.service.stations import load_manifest, nik, show

SLUG = "kupang"
TWO = {"by": "Ana Bria", "seconded_by": "Beni Tefa"}
JPEG = b"\xff\xd8 a picture"


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    made = Station(tmp_path / "data", name="meja-1", clock=FakeClock())
    batches.create(made, SLUG, title="Pemusnahan", by="penyelia")
    rows = [(nik(n), "rusak", "Alak" if n % 2 else "Oebobo", 1) for n in range(8)]
    load_manifest(made, SLUG, rows, tmp_path)
    yield made
    made.close()


def found(station: Station) -> Reconciliation:
    with station.transaction() as connection:
        return reconcile(connection, SLUG)


def count(station: Station, *numbers: int, **options: object) -> None:
    for number in numbers:
        show(station, SLUG, nik(number), **options)


def verify_bundle(station: Station, folder: Path) -> None:
    with station.transaction() as connection:
        export_bundle(connection, SLUG, station.key, folder / "bundle")
    verify(folder / "bundle", Asked())


# --- the beginning -----------------------------------------------------------------------------


def test_the_station_shows_and_logs_that_nothing_is_counted(station: Station) -> None:
    report = custody.zero_report(station, SLUG, by="penyelia")
    assert (report["counted"], report["expected"], report["sequence"]) == (0, 8, 0)
    with station.transaction() as connection:
        (first,) = custody_rows.remarkable(connection, 1)
    assert (first.body["kind"], first.body["counted"]) == ("open", 0)
    assert custody.zero_report(station, SLUG, by="penyelia") == report
    count(station, 1)
    with pytest.raises(BatchError, match="begun already"):
        custody.zero_report(station, SLUG, by="penyelia")


# --- containers --------------------------------------------------------------------------------


def test_a_card_is_counted_into_the_open_container_and_sealing_fixes_its_count(
    station: Station, tmp_path: Path
) -> None:
    count(station, 0)
    assert custody.open_container(station, SLUG, by="petugas", label="Kotak Alak").number == 1
    count(station, 1, 2, 2, 3)
    show(station, SLUG, nik(900))
    station.void(SLUG, 2 + 1, reason="salah", by="petugas")
    sealed = custody.seal_container(station, SLUG, 1, seal_number="S-0001", by="petugas")
    assert (sealed.count, sealed.state, sealed.seals) == (2, "sealed", ["S-0001"])
    custody.open_container(station, SLUG, by="petugas", form=custody.Form.SACK)
    count(station, 4)
    assert [one.count for one in found(station).findings.custody.containers.values()] == [2, 1]
    verify_bundle(station, tmp_path)


def test_a_card_from_a_sealed_container_alarms_when_it_is_scanned_again(station: Station) -> None:
    custody.open_container(station, SLUG, by="petugas")
    count(station, 1)
    assert "sealed_container" not in show(station, SLUG, nik(1)).body
    custody.seal_container(station, SLUG, 1, seal_number="S-1", by="petugas")
    count(station, 2)
    assert show(station, SLUG, nik(1)).body["sealed_container"] == 1
    assert "sealed_container" not in show(station, SLUG, nik(2)).body


def test_one_container_at_a_time_and_every_seal_once(station: Station) -> None:
    custody.open_container(station, SLUG, by="petugas")
    with pytest.raises(BatchError, match="container 1 is still open"):
        custody.open_container(station, SLUG, by="petugas")
    custody.seal_container(station, SLUG, 1, seal_number="S-1", by="petugas")
    with pytest.raises(BatchError, match="sealed already"):
        custody.seal_container(station, SLUG, 1, seal_number="S-2", by="petugas")
    with pytest.raises(EntryError, match="no container 9"):
        custody.seal_container(station, SLUG, 9, seal_number="S-2", by="petugas")
    custody.open_container(station, SLUG, by="petugas")
    with pytest.raises(InputError, match="used already"):
        custody.seal_container(station, SLUG, 2, seal_number="S-1", by="petugas")
    with pytest.raises(InputError, match="identity number"):
        custody.seal_container(station, SLUG, 2, seal_number=nik(1), by="petugas")


def test_a_card_under_seal_is_taken_back_only_after_two_people_broke_the_seal(
    station: Station, tmp_path: Path
) -> None:
    custody.open_container(station, SLUG, by="petugas")
    count(station, 1, 2)
    custody.seal_container(station, SLUG, 1, seal_number="S-1", by="petugas")
    with pytest.raises(EntryError, match="under seal S-1"):
        station.void(SLUG, 2, reason="salah", by="petugas")
    custody.break_seal(station, SLUG, 1, reason="salah kartu", **TWO)
    station.void(SLUG, 2, reason="salah", by="petugas")
    count(station, 3)
    with pytest.raises(BatchError, match="not sealed"):
        custody.break_seal(station, SLUG, 1, reason="lagi", **TWO)
    sealed = custody.seal_container(station, SLUG, 1, seal_number="S-2", by="petugas")
    assert (sealed.count, sealed.seals) == (1, ["S-1", "S-2"])
    verify_bundle(station, tmp_path)


def test_the_batch_is_not_sealed_while_a_container_is_open(station: Station) -> None:
    custody.open_container(station, SLUG, by="petugas")
    count(station, *range(8))
    with pytest.raises(InputError, match="container 1 is not sealed"):
        closing.seal(station, SLUG, **TWO)


# --- cards that no machine reads ---------------------------------------------------------------


def test_a_second_person_agrees_once_per_container(station: Station, tmp_path: Path) -> None:
    custody.open_container(station, SLUG, by="petugas")
    count(station, 0, 1, typed=True)
    count(station, 2)
    with pytest.raises(BatchError, match="second person agrees to them: 2"):
        custody.seal_container(station, SLUG, 1, seal_number="S-1", by="petugas")
    with pytest.raises(InputError, match="Petugas typed some"):
        custody.agree(station, SLUG, by="Petugas")
    custody.seal_container(station, SLUG, 1, seal_number="S-1", by="petugas", agreed_by="Beni Tefa")
    one = found(station)
    assert [card.agreed_by for card in one.findings.typed.values()] == ["Beni Tefa"] * 2
    assert (one.total.counted, one.total.manual) == (3, 2)
    with pytest.raises(BatchError, match="no typed card waits"):
        custody.agree(station, SLUG, by="Beni Tefa")
    verify_bundle(station, tmp_path)


def test_typed_cards_that_nobody_else_saw_refuse_the_seal_of_the_batch(station: Station) -> None:
    count(station, *range(7))
    count(station, 7, typed=True)
    with pytest.raises(InputError, match="second person agrees to them: 1"):
        closing.seal(station, SLUG, **TWO)
    custody.agree(station, SLUG, by="Beni Tefa")
    closing.seal(station, SLUG, **TWO)


def test_what_was_typed_and_taken_back_waits_for_nobody(station: Station) -> None:
    sequence = show(station, SLUG, nik(1), typed=True).sequence
    station.void(SLUG, sequence, reason="salah ketik", by="petugas")
    with pytest.raises(BatchError, match="no typed card waits"):
        custody.agree(station, SLUG, by="Beni Tefa")


def test_a_card_on_which_nothing_is_legible_is_kept_by_number_and_photograph(
    station: Station, tmp_path: Path
) -> None:
    count(station, *range(7))
    assert custody.record_unidentified(station, SLUG, by="petugas", photograph=JPEG) == 1
    assert custody.record_unidentified(station, SLUG, by="petugas", category="rusak") == 2
    one = found(station)
    assert one.total.as_json() == {
        "manifest": 8, "counted": 7, "manual": 0, "missing": 1, "added": 0, "unidentified": 2,
        "burned": 9,
    }  # fmt: skip
    cards = list(one.findings.unidentified.values())
    assert [(card.number, card.has_photograph) for card in cards] == [(1, True), (2, False)]
    with station.transaction() as connection:
        assert custody_rows.photograph(connection, 1, cards[0].sequence) == JPEG
    station.void(SLUG, cards[0].sequence, reason="terbaca", by="petugas")
    with pytest.raises(EntryError, match="already taken back"):
        station.void(SLUG, cards[0].sequence, reason="terbaca", by="petugas")
    assert custody.record_unidentified(station, SLUG, by="petugas") == 3
    assert found(station).total.unidentified == 2
    verify_bundle(station, tmp_path)


def test_an_unidentified_card_that_is_sent_twice_is_one_card(station: Station) -> None:
    first = custody.record_unidentified(station, SLUG, by="petugas", nonce="a")
    assert custody.record_unidentified(station, SLUG, by="petugas", nonce="a") == first == 1
    assert custody.record_unidentified(station, SLUG, by="petugas", nonce="b") == 2
    show(station, SLUG, nik(1), nonce="c")
    with pytest.raises(EntryError, match="another card"):
        custody.record_unidentified(station, SLUG, by="petugas", nonce="c")
    custody.pause(station, SLUG, by="petugas", agreed_by="Beni Tefa")
    assert custody.record_unidentified(station, SLUG, by="petugas", nonce="b") == 2
    assert found(station).total.unidentified == 2


def test_the_table_shows_what_waits_and_what_is_strange_and_no_whole_number(
    station: Station,
) -> None:
    with station.transaction() as connection:
        assert table(connection, SLUG)["opened"] is None
    show(station, SLUG, nik(1), typed=True, photograph=JPEG)
    show(station, SLUG, nik(900))
    custody.record_unidentified(station, SLUG, by="petugas")
    with station.transaction() as connection:
        shown = table(connection, SLUG)
    waiting = shown["waiting"]
    assert isinstance(waiting, list)
    assert [(one["name"], one["number"], one["has_photograph"]) for one in waiting] == [
        (f"Nama {nik(1)}", 0, True),
        ("", 1, False),
    ]
    assert [one["sequence"] for one in shown["strangers"]] == [2]  # type: ignore[attr-defined]
    assert (shown["categories"], shown["districts"]) == (["rusak"], ["Alak", "Oebobo"])
    masked = str(shown).replace(f"Nama {nik(1)}", "")  # the name is the test's own
    assert nik(1) not in masked
    assert nik(900) not in masked
    custody.agree(station, SLUG, by="Beni Tefa")
    with station.transaction() as connection:
        assert table(connection, SLUG)["waiting"] == []


def test_only_pictures_are_kept_as_photographs(station: Station) -> None:
    for wrong in (b"<script>", b"\xff\xd8" + b"x" * custody.MOST_PHOTOGRAPH_BYTES):
        with pytest.raises(InputError, match="JPEG"):
            custody.record_unidentified(station, SLUG, by="petugas", photograph=wrong)


def test_a_typed_card_can_keep_its_photograph_and_names_it_in_the_log(station: Station) -> None:
    recorded = show(station, SLUG, nik(1), typed=True, photograph=JPEG)
    assert len(str(recorded.body["photograph"])) == 64
    (card,) = found(station).findings.typed.values()
    assert card.has_photograph
    with station.transaction() as connection:
        assert custody_rows.photograph(connection, 1, recorded.sequence) == JPEG


def test_a_typed_number_is_looked_up_before_it_is_counted(station: Station) -> None:
    with station.transaction() as connection:
        listed = look_up(connection, SLUG, nik(1).encode())
        strange = look_up(connection, SLUG, nik(99).encode())
        wrong = look_up(connection, SLUG, b"12345")
    assert (listed["verdict"], listed["name"]) == ("counted", f"Nama {nik(1)}")
    assert (listed["category"], listed["district"]) == ("rusak", "Alak")
    assert strange["verdict"] == "not_on_manifest"
    assert wrong["verdict"] == "unreadable"
    assert found(station).findings.custody.days == []


# --- days and lots -----------------------------------------------------------------------------


def test_a_day_opens_with_the_figure_the_last_one_closed_with(
    station: Station, tmp_path: Path
) -> None:
    count(station, 0, 1, 2)
    assert custody.pause(station, SLUG, by="petugas") == 3
    with pytest.raises(BatchError, match="paused"):
        show(station, SLUG, nik(3))
    with pytest.raises(BatchError, match="paused"):
        station.void(SLUG, 1, reason="x", by="petugas")
    with pytest.raises(BatchError, match="paused"):
        custody.pause(station, SLUG, by="petugas")
    with pytest.raises(InputError, match="opening figure 4 is not the last closing figure 3"):
        custody.resume(station, SLUG, figure=4, by="petugas")
    custody.resume(station, SLUG, figure=3, by="petugas")
    count(station, *range(3, 8))
    custody.pause(station, SLUG, by="petugas")
    days = found(station).findings.custody.days
    assert [(day.opening_figure, day.closing_figure) for day in days] == [(0, 3), (3, 8)]
    with pytest.raises(InputError, match="paused"):
        closing.seal(station, SLUG, **TWO)
    custody.resume(station, SLUG, figure=8, by="petugas")
    closing.seal(station, SLUG, **TWO)
    verify_bundle(station, tmp_path)


def test_a_pause_outlives_a_restart(station: Station, tmp_path: Path) -> None:
    count(station, 1)
    custody.pause(station, SLUG, by="petugas")
    station.close()
    again = Station(tmp_path / "data", name="meja-1", clock=FakeClock())
    try:
        with pytest.raises(BatchError, match="paused"):
            show(again, SLUG, nik(3))
        custody.resume(again, SLUG, figure=1, by="petugas")
        show(again, SLUG, nik(3))
    finally:
        again.close()


def test_typed_cards_wait_at_a_pause_too(station: Station) -> None:
    count(station, 1, typed=True)
    with pytest.raises(BatchError, match="wait until a second person"):
        custody.pause(station, SLUG, by="petugas")
    assert custody.pause(station, SLUG, by="petugas", agreed_by="Beni Tefa") == 1


def test_lots_stand_in_the_log(station: Station) -> None:
    custody.begin_lot(station, SLUG, "Alak", by="petugas")
    count(station, 1)
    custody.begin_lot(station, SLUG, "Oebobo", by="petugas")
    assert [lot.name for lot in found(station).findings.custody.lots] == ["Alak", "Oebobo"]


def test_what_is_remarkable_is_found_without_reading_the_whole_log(station: Station) -> None:
    count(station, 1, 2, 3)
    asked: list[str] = []
    with station.transaction() as connection:
        connection.set_trace_callback(asked.append)
        list(custody_rows.bodies(connection, 1, [Kind.OBJECT]))
        list(custody_rows.remarkable(connection, 1))
        connection.set_trace_callback(None)
        assert len(asked) == 2
        for query in asked:
            plan = str(connection.execute(f"explain query plan {query}").fetchall())
            assert "USING INDEX entry_remarkable" in plan, plan
