"""Nothing is closed unless it adds up or two people have said why not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner_station.domain.declared import Declared
from scanner_station.domain.errors import BatchError, ClosingError, EntryError, InputError
from scanner_station.domain.findings import What
from scanner_station.domain.reconciliation import Reconciliation, State
from scanner_station.exports.bundle import export_bundle
from scanner_station.exports.verification import Asked, verify
from scanner_station.service import batches, closing, custody, heads
from scanner_station.service.reconciliation import reconcile
from scanner_station.service.station import Station
from scanner_station.service.views import Views, summary
from tests.fakes import FakeClock
from tests.service.stations import load_manifest, nik, show

SLUG = "kupang"
TWO = {"by": "Ana Bria", "seconded_by": "Beni Tefa"}


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    made = Station(tmp_path / "data", name="meja-1", clock=FakeClock())
    batches.create(made, SLUG, title="Pemusnahan", by="penyelia")
    rows = [
        (nik(n), "rusak" if n < 6 else "pindah", "Alak" if n % 2 else "Oebobo", 1) for n in range(8)
    ]
    load_manifest(made, SLUG, rows, tmp_path)
    yield made
    made.close()


def found(station: Station) -> Reconciliation:
    with station.transaction() as connection:
        return reconcile(connection, SLUG)


def states(station: Station) -> list[tuple[What, State]]:
    return [(one.what, one.state) for one in found(station).differences]


def reasons(station: Station, **options: object) -> list[str]:
    """What sealing is refused for; [] when it was sealed."""
    try:
        closing.seal(station, SLUG, **(TWO | options))  # type: ignore[arg-type]
    except ClosingError as error:
        return [str(one) for one in error.hindrances]
    return []


def count(station: Station, *numbers: int) -> None:
    for number in numbers:
        show(station, SLUG, nik(number))


def verified(station: Station, folder: Path) -> str:
    with station.transaction() as connection:
        export_bundle(connection, SLUG, station.key, folder / "bundle")
    return verify(folder / "bundle", Asked()).closed_by


def test_a_batch_that_adds_up_is_sealed_by_two_people_and_its_head_is_signed(
    station: Station, tmp_path: Path
) -> None:
    count(station, *range(8))
    assert found(station).is_complete
    head = closing.seal(station, SLUG, **TWO)
    assert head.checkpoint.size == 10
    assert verified(station, tmp_path) == "seal"
    with pytest.raises(BatchError, match="takes no cards"):
        show(station, SLUG, nik(1))


def test_an_empty_batch_can_be_sealed_too(station: Station, tmp_path: Path) -> None:
    batches.create(station, "kosong", title="Tidak ada", by="penyelia")
    head = closing.seal(station, "kosong", **TWO)
    assert head.checkpoint.size == 2


@pytest.mark.parametrize("second", ["Ana Bria", "ANA  bria", " ana bria "])
def test_one_person_cannot_act_as_two(station: Station, second: str) -> None:
    count(station, *range(8))
    with pytest.raises(InputError, match="two different people"):
        closing.seal(station, SLUG, by="Ana Bria", seconded_by=second)


def test_missing_cards_refuse_the_seal_by_category_and_district(station: Station) -> None:
    count(station, 0, 1, 2, 3, 6)
    assert reasons(station) == [
        "category pindah, district Alak: the manifest lists 1, 0 were counted, 1 are missing, "
        "1 of them not explained",
        "category rusak, district Alak: the manifest lists 3, 2 were counted, 1 are missing, "
        "1 of them not explained",
        "category rusak, district Oebobo: the manifest lists 3, 2 were counted, 1 are missing, "
        "1 of them not explained",
    ]


def test_one_explanation_covers_a_group_and_only_what_was_missing_then(station: Station) -> None:
    count(station, 0, 1, 2, 3, 6, 7)
    body = closing.explain(
        station, SLUG, what=What.MISSING, reason="hilang", category="rusak", **TWO
    )
    assert body["number"] == 2
    assert found(station).is_complete
    sequence = show(station, SLUG, nik(4)).sequence
    assert found(station).is_complete
    station.void(SLUG, sequence, reason="salah", by="petugas")
    # It lay on the table meanwhile, so what was said of it no longer holds.
    assert [one.open for one in found(station).differences] == [0, 1]
    closing.explain(station, SLUG, what=What.MISSING, reason="benar hilang", **TWO)
    assert reasons(station) == []


def test_single_cards_can_be_explained_by_their_line(station: Station) -> None:
    count(station, 0, 1, 2, 3, 6, 7)
    lines = [one.line.line for one in found(station).missing]
    closing.explain(station, SLUG, what=What.MISSING, reason="x", lines=(lines[0],), **TWO)
    assert [one.explained_by is None for one in found(station).missing] == [False, True]
    with pytest.raises(InputError, match="nothing open fits"):
        closing.explain(station, SLUG, what=What.MISSING, reason="x", lines=(lines[0],), **TWO)


def test_what_is_explained_needs_a_second_person(station: Station) -> None:
    count(station, 0)
    with pytest.raises(InputError, match="two different people"):
        closing.explain(
            station, SLUG, what=What.MISSING, reason="x", by="Ana Bria", seconded_by="ana bria"
        )
    assert not found(station).findings.explanations


def test_declared_figures_are_open_until_corrected_or_explained(station: Station) -> None:
    count(station, *range(8))
    wrong = Declared(total=8, by_category={"rusak": 7, "pindah": 2})
    closing.declare(station, SLUG, wrong, by="penyelia", reason="siaran pers")
    assert [(one.what, one.category, one.difference) for one in found(station).differences] == [
        (What.DECLARED, "rusak", 1),
        (What.PARTS, None, 1),
    ]
    assert reasons(station) == [
        "category rusak: 7 were declared, 6 go into the fire (+1)",
        "the categories declared add up to 9, which is +1 against the total declared",
    ]
    closing.explain(station, SLUG, what=What.DECLARED, reason="salah ketik", **TWO)
    closing.explain(station, SLUG, what=What.PARTS, reason="salah ketik", **TWO)
    assert found(station).is_complete
    # Another figure is another difference.
    closing.declare(station, SLUG, Declared(by_category={"rusak": 5}), by="penyelia")
    assert states(station) == [(What.DECLARED, State.OPEN)]
    closing.declare(station, SLUG, Declared(total=8, by_district={"Alak": 4}), by="penyelia")
    assert states(station) == [(What.PARTS, State.OPEN)]
    stated = found(station).findings.declared
    assert [one.figures.total for one in stated] == [8, None, 8]
    assert [one.reason for one in stated] == ["siaran pers", "", ""]
    closing.declare(station, SLUG, Declared(), by="penyelia", reason="ditarik")
    assert found(station).findings.declared[-1].figures == Declared()


def test_figures_declared_before_the_first_card_stand_in_the_opening_entry(
    station: Station,
) -> None:
    closing.declare(station, SLUG, Declared(by_category={"rusak": 6}), by="penyelia")
    with station.transaction() as connection:
        assert summary(connection, SLUG)["entries"] == 0
    count(station, 0)
    (stated,) = found(station).findings.declared
    assert stated.figures.by_category == {"rusak": 6}


def test_a_stranger_is_open_until_explained_or_added_by_two(
    station: Station, tmp_path: Path
) -> None:
    count(station, *range(8))
    strange = [show(station, SLUG, nik(900 + n)).sequence for n in range(2)]
    assert reasons(station) == [
        "2 cards that nobody listed were set aside, 2 of them not explained"
    ]
    closing.explain(
        station, SLUG, what=What.STRANGERS, reason="kembali", sequences=(strange[0],), **TWO
    )
    with pytest.raises(InputError, match="two different people"):
        custody.add_stranger(
            station, SLUG, strange[1], category="rusak", reason="x", by="A", seconded_by="a"
        )
    custody.add_stranger(
        station, SLUG, strange[1], category="rusak", district="Alak", reason="tertinggal", **TWO
    )
    one = found(station)
    assert one.is_complete
    assert (one.total.counted, one.total.added, one.total.burned) == (8, 1, 9)
    assert one.by("category")["rusak"].added == 1
    again = show(station, SLUG, nik(901))
    assert again.body["verdict"] == "already_counted"
    with pytest.raises(EntryError, match="no stranger"):
        custody.add_stranger(station, SLUG, strange[1], category="rusak", reason="x", **TWO)
    assert reasons(station) == []
    assert verified(station, tmp_path) == "seal"


def test_an_added_card_can_be_taken_back_and_is_strange_again(station: Station) -> None:
    count(station, *range(8))
    strange = show(station, SLUG, nik(900)).sequence
    added = custody.add_stranger(station, SLUG, strange, category="rusak", reason="x", **TWO)
    voided = station.void(SLUG, int(added["sequence"]), reason="keliru", by="petugas")
    assert voided.body["takes_back"] == "added"
    assert found(station).total.burned == 8
    assert states(station) == [(What.STRANGERS, State.OPEN)]
    assert show(station, SLUG, nik(900)).body["verdict"] == "not_on_manifest"
    custody.add_stranger(station, SLUG, strange, category="rusak", reason="benar", **TWO)
    assert found(station).total.burned == 9


def test_repeats_and_unreadable_presentations_never_stand_in_the_way(station: Station) -> None:
    count(station, 0, 0)
    show(station, SLUG, b"\xff")
    count(station, *range(1, 8))
    show(station, SLUG, b"KARTU")
    one = found(station)
    assert [unreadable.settled_by for unreadable in one.findings.unreadable] == [4, None]
    assert (one.findings.repeats, one.is_complete) == (1, True)
    assert reasons(station) == []


def test_a_card_before_a_reader_refuses_the_seal(station: Station) -> None:
    count(station, *range(8))
    assert reasons(station, busy=lambda: ["kamera"]) == [
        "a card is held before reader kamera; take it away first"
    ]


def test_an_objection_must_be_answered_and_a_refusal_is_only_recorded(
    station: Station, tmp_path: Path
) -> None:
    count(station, *range(8))
    said = closing.object_to(
        station, SLUG, witness="Cici", institution="Inspektorat", objection="kotak 2", by="petugas"
    )
    assert reasons(station) == ["the objection of Cici (entry 9) is not answered"]
    closing.answer(station, SLUG, said, text="dihitung ulang", by="penyelia")
    with pytest.raises(EntryError, match="no objection"):
        closing.answer(station, SLUG, said, text="lagi", by="penyelia")
    closing.record_refusal(station, SLUG, witness="Cici", objection="tetap", by="petugas")
    assert reasons(station) == []
    closing.record_refusal(station, SLUG, witness="Dodi", objection="terlambat", by="petugas")
    refusals = found(station).findings.custody.refusals
    assert [(one.witness, one.objection) for one in refusals] == [
        ("Cici", "tetap"),
        ("Dodi", "terlambat"),
    ]
    assert verified(station, tmp_path) == "seal"


def test_after_the_seal_only_the_fire_is_written_down(station: Station, tmp_path: Path) -> None:
    count(station, *range(8))
    with pytest.raises(BatchError, match="not sealed yet"):
        custody.burn(station, SLUG, method="dibakar", present="Inspektorat", by="penyelia")
    final = closing.seal(station, SLUG, **TWO)
    refused = (
        lambda: closing.seal(station, SLUG, **TWO),
        lambda: closing.declare(station, SLUG, Declared(total=1), by="penyelia"),
        lambda: closing.object_to(station, SLUG, witness="C", objection="x", by="p"),
        lambda: custody.pause(station, SLUG, by="penyelia"),
        lambda: custody.record_unidentified(station, SLUG, by="petugas"),
        lambda: batches.cancel(station, SLUG, reason="x", **TWO),
        lambda: station.void(SLUG, 1, reason="x", by="petugas"),
    )
    for attempt in refused:
        with pytest.raises(InputError):
            attempt()
    custody.burn(station, SLUG, method="dibakar", present="Inspektorat, Satpol PP", by="penyelia")
    with pytest.raises(BatchError, match="already"):
        custody.burn(station, SLUG, method="dibakar", present="x", by="penyelia")
    with station.transaction() as connection:
        export_bundle(connection, SLUG, station.key, tmp_path / "bundle")
    against = verify(tmp_path / "bundle", Asked(against=bytes(final)))
    assert (against.closed_by, against.against_size) == ("seal", 10)
    burning = found(station).findings.custody.burning
    assert burning is not None
    assert burning.method == "dibakar"


def test_a_correction_is_a_supplement_that_refers_to_the_sealed_batch(
    station: Station, tmp_path: Path
) -> None:
    with pytest.raises(BatchError, match="not sealed"):
        batches.create(station, "susulan", title="Susulan", by="p", supplements=SLUG)
    count(station, *range(8))
    final = closing.seal(station, SLUG, **TWO)
    batches.create(station, "susulan", title="Susulan", by="p", supplements=SLUG)
    show(station, "susulan", nik(70))
    with station.transaction() as connection:
        first = next(iter(batches_log(connection)))
    assert first["supplements"] == SLUG
    assert first["supplements_size"] == final.checkpoint.size
    assert first["supplements_root"] == final.checkpoint.text.splitlines()[2]


def batches_log(connection: object) -> Iterator[dict[str, object]]:
    from scanner_station.service import views

    for entry in views.entries(connection, "susulan"):  # type: ignore[arg-type]
        yield dict(entry.body)


def test_cancelling_takes_two_people_and_a_reason(station: Station) -> None:
    count(station, 1)
    with pytest.raises(InputError, match="two different people"):
        batches.cancel(station, SLUG, reason="salah", by="Ana", seconded_by="ana")
    with pytest.raises(InputError, match="reason"):
        batches.cancel(station, SLUG, reason=" ", **TWO)
    batches.cancel(station, SLUG, reason="salah daftar", **TWO)
    with pytest.raises(BatchError):
        closing.seal(station, SLUG, **TWO)


def test_lists_and_sums_are_read_beside_the_writer(station: Station) -> None:
    count(station, 1, 2)
    views = Views(station.folder)
    with views.connection() as connection:
        one = reconcile(connection, SLUG)
    views.close()
    assert (one.total.manifest, one.total.counted, one.total.missing) == (8, 2, 6)
    assert heads.sign(station, SLUG).checkpoint.size == 3
