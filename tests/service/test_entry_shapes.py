"""What a station writes and what `verify` asks of an entry is one table; neither knows more."""

import json
from collections import defaultdict
from pathlib import Path

import pytest

from scanner_station.domain.declared import Declared
from scanner_station.domain.entry import Body, Kind
from scanner_station.domain.entry_shapes import SHAPES, check_shape, shape_of
from scanner_station.domain.errors import VerificationError
from scanner_station.domain.findings import What
from scanner_station.domain.identifier import Scheme
from scanner_station.domain.people import Office, Role
from scanner_station.service import batches, closing, custody, heads, rehearsal
from scanner_station.service.people import People
from scanner_station.service.station import Station
from tests.exports.sealed_logs import WITNESSES, witness_key
from tests.fakes import FakeClock
from tests.service.stations import load_manifest, nik, show

SLUG = "kupang"
JPEG = b"\xff\xd8 picture"
TWO = {"by": "penyelia", "seconded_by": "kepala seksi"}
STRANGER, ADDED = nik(900_000), nik(900_001)
Seen = dict[str, list[Body]]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """The entries of a station on which everything was done, by their shapes."""
    folder = tmp_path_factory.mktemp("shapes")
    station = Station(folder / "data", name="meja-1", clock=FakeClock())
    People(station).add("Sari", Role.SUPERVISOR, "kunci utama baru", by="penyelia")
    an_earlier_batch(station)
    everything(station, folder)
    others(station)
    found: Seen = defaultdict(list)
    with station.transaction() as connection:
        for (text,) in connection.execute("select body from entry order by batch_id, sequence"):
            body = json.loads(text)
            found[shape_of(body, Kind(body["kind"]))].append(body)
    station.close()
    return found


def an_earlier_batch(station: Station) -> None:
    batches.create(station, "dulu", title="Dulu", by="penyelia")
    for card in (nik(0), STRANGER):
        show(station, "dulu", card)
    closing.seal(station, "dulu", **TWO)


def everything(station: Station, folder: Path) -> None:
    """Do to one batch whatever can be done to it, each thing also without what can be left out."""
    People(station).set_office(Office(name="Dinas", letterhead=()), by="penyelia")
    batches.create(
        station,
        SLUG,
        title="Pemusnahan",
        by="penyelia",
        place="halaman",
        held_on="2018-12-19",
        supplements="dulu",
        declared=Declared(total=9, by_category={"rusak": 9}, by_district={"Alak": 9}),
    )
    rows = [(nik(n), "rusak", ("Alak", "Oebobo")[n % 2], 1) for n in range(8)]
    load_manifest(station, SLUG, rows, folder)
    batches.set_witness_nonce(station, SLUG, "hujan")
    for name, key in WITNESSES.items():
        heads.enrol(station, SLUG, witness_key(name, key).text, witness=name, by="penyelia")
    cards(station)
    the_table(station)
    what_is_said(station)
    sealed_by_two(station)


def cards(station: Station) -> None:
    for options in ({}, {"typed": True}, {"typed": True, "photograph": JPEG}):
        for card in (nik(0), nik(1), nik(1), STRANGER, ADDED, b"\xff"):
            show(station, SLUG, card, **options)
        custody.open_container(station, SLUG, by="petugas", label="merah")
        for number in (2, 0, 1):
            station.void(SLUG, counted(station, number), reason="salah", by="petugas")
            show(station, SLUG, nik(number), **options)
        agreed = "penyelia" if options else ""
        number = len(custody_of(station).containers)
        seal = f"S-{number}"
        custody.seal_container(station, SLUG, number, seal_number=seal, by="p", agreed_by=agreed)
        show(station, SLUG, nik(1), **options)
        custody.break_seal(station, SLUG, number, reason="salah kotak", **TWO)


def counted(station: Station, number: int) -> int:
    """Return the entry that counts a card, which is counted now if it was not."""
    body = show(station, SLUG, nik(number)).body
    return int(body.get("first_sequence", body["sequence"]))


def custody_of(station: Station) -> custody.Custody:
    with station.transaction() as connection:
        return custody.custody(connection, SLUG)


def the_table(station: Station) -> None:
    custody.begin_lot(station, SLUG, "Alak", by="petugas")
    for category, picture, reason in (("", b"", ""), ("rusak", JPEG, "hangus")):
        about = {"category": category, "photograph": picture, "reason": reason}
        custody.record_unidentified(station, SLUG, by="petugas", **about)
    unidentified = next(iter(custody_of(station).unidentified))
    custody.agree(station, SLUG, by="penyelia")
    station.void(SLUG, unidentified, reason="terbaca", by="petugas")
    stranger = show(station, SLUG, ADDED).sequence
    for _ in range(2):
        added = custody.add_stranger(station, SLUG, stranger, category="rusak", reason="x", **TWO)
        station.void(SLUG, int(added["sequence"]), reason="salah", by="petugas")
        stranger = show(station, SLUG, ADDED).sequence
    figure = custody.pause(station, SLUG, by="petugas")
    custody.resume(station, SLUG, figure=figure, by="petugas")


def what_is_said(station: Station) -> None:
    closing.note(station, SLUG, witness="Budi", text="kotak basah", by="Budi")
    People(station).reset_on_the_machine("Sari", "kunci utama lain", by="root")
    objection = closing.object_to(station, SLUG, witness="Ani", objection="hujan", by="Ani")
    closing.answer(station, SLUG, objection, text="ada tenda", by="penyelia")
    closing.record_refusal(
        station, SLUG, witness="Budi", objection="tidak mau", by="Budi", institution="Polsek"
    )
    closing.declare(station, SLUG, Declared(), by="penyelia")
    figures = Declared(total=9, by_category={"rusak": 7}, by_district={"Alak": 8, "Oebobo": 1})
    closing.declare(station, SLUG, figures, by="penyelia", reason="pers")


def sealed_by_two(station: Station) -> None:
    def explain(what: What, **which: object) -> None:
        closing.explain(station, SLUG, what=what, reason="dicari", **which, **TWO)  # type: ignore[arg-type]

    with station.transaction() as connection:
        found = closing.reconcile(connection, SLUG)
    line = found.missing[0].line
    explain(What.MISSING, category="rusak", district=line.district, lines=(line.line,))
    explain(What.MISSING)
    explain(What.STRANGERS, sequences=(found.strangers[0].first,))
    explain(What.STRANGERS)
    explain(What.DECLARED, category="rusak")
    explain(What.DECLARED, district="Alak")
    explain(What.DECLARED)
    explain(What.PARTS)
    number = len(custody_of(station).containers)
    for one in range(1, number + 1):
        custody.seal_container(station, SLUG, one, seal_number=f"B-{one}", by="petugas")
    closing.seal(station, SLUG, **TWO)
    custody.burn(station, SLUG, method="dibakar", present="Ani", by="penyelia")


def others(station: Station) -> None:
    batches.create(station, "chip", title="Chip", by="p", schemes=(Scheme.UID, Scheme.SERIAL))
    batches.choose_category(station, "chip", "rusak")
    show(station, "chip", b"04A1B2C3")
    show(station, "chip", b"ABC-123456")
    batches.cancel(station, "chip", reason="salah", **TWO)
    rehearsal.create(station, "latihan", title="Latihan", by="p")
    batches.cancel(station, "latihan", reason="selesai", **TWO)
    rehearsal.create(station, "latihan-2", title="Latihan", by="p")
    custody.zero_report(station, "latihan-2", by="p")


def test_a_station_writes_every_shape_with_and_without_what_may_be_left_out(seen: Seen) -> None:
    assert seen.keys() == SHAPES.keys()
    for name, bodies in seen.items():
        shape = SHAPES[name]
        keys = [set(body) for body in bodies]
        assert set.union(*keys) == shape.forms.keys(), name
        assert set.intersection(*keys) - {"counted"} == shape.needed - {"counted"}, name
        for body in bodies:
            check_shape(body, Kind(str(body["kind"])))


def refused(body: Body, why: str) -> None:
    with pytest.raises(VerificationError) as caught:
        check_shape(body, Kind(str(body["kind"])))
    assert why in str(caught.value), (caught.value, why, body)


def test_every_key_is_held_to_its_place_and_type(seen: Seen) -> None:
    for name, bodies in seen.items():
        for body in bodies:
            refused(body | {"catatan": "x"}, '"catatan", which has no place')
            for key, value in body.items():
                if key == "kind":  # by which the shape is looked up
                    continue
                for wrong in [7, "\x1b[2J"] if isinstance(value, str) else ["7", -1, True, 1 << 53]:
                    refused(body | {key: wrong}, f'"{key}"')
                without = {other: body[other] for other in body if other != key}
                if key in SHAPES[name].needed and key != "takes_back":
                    refused(without, f'"{key}"')


@pytest.mark.parametrize(
    ("shape", "key", "wrong"),
    [
        ("open", "at", ["2018-13-19T01:00:00.000Z", "2018-02-31T01:00:00.000Z", ""]),
        ("open", "at", ["2018-12-19T24:00:00.000Z", "0000-12-19T01:00:00.000Z"]),
        ("open", "at", ["2018-12-19T01:00:00Z", "2018-12-19 01:00:00.000Z", "2018-12-19T01:00Z"]),
        ("burn", "burned_at", ["2018-12-19", "2019-02-29T01:00:00.000Z"]),
        ("open", "held_on", ["2018-02-31", "2018-12-19T01:00:00.000Z", "20181219", ""]),
        ("open", "expected", [1 << 63, 10**30]),
        ("open", "expected_by_category", ['{"a": 1}', '{"a":true}', '{"a":1.0}', '{"a":-1}', ""]),
        ("open", "expected_by_category", ['{"b":1,"a":1}', '{"a":1,"a":1}', "[]", "[" * 9000]),
        ("open", "expected_by_category", ['{"9971044107900001":1}', '{"a\\u0007":1}']),
        ("open", "schemes", ["", "nik,nik", "nik ", "NIK", "ktp"]),
        ("open", "manifest_sha256", ["0" * 63, "A" * 64, "x"]),
        ("open", "supplements_root", ["A" * 42 + "B=", "A" * 44, ""]),
        ("open", "batch", ["", "Kupang", "-a", "a b", "a\n", "a" * 65]),
        ("open", "counted", [1]),
        ("open", "rehearsal", [0, 2]),
        ("open", "title", ["", " ", "\u3000", "a\u202eb", "NIK 9971044107900001"]),
        ("scan counted", "piece", [0]),
        ("scan counted", "symbology", ["", "aztec", "QR"]),
        ("scan counted", "card", ["A" * 42 + "B=", "", "A" * 43, "A" * 42 + "A=\n"]),
        ("scan not_on_manifest", "category", ["rusak"]),
        ("manual unreadable", "reason", ["", "dirty"]),
        ("manual counted", "photograph", ["", "0" * 63]),
        ("void", "reason", ["", "  "]),
        ("add", "category", [""]),
        ("add", "piece", [2]),
        ("agree", "number", [0]),
        ("container_open", "form", ["", "karung"]),
        ("witness", "key", ["", "saksi-a+00000000+AAAA", "x"]),
        ("explain missing", "cards", ["", "A", "A" * 42 + "A= " + "A" * 42 + "A="]),
        ("explain declared", "figures", ["", "category 03 rusak", "kecamatan 3 rusak", "category"]),
        ("explain declared", "figures", ["total 1 \ncategory 1 rusak", "total 1 \ntotal 1 "]),
    ],
)  # fmt: skip
def test_values_that_no_station_writes_are_refused_by_name(
    seen: Seen, shape: str, key: str, wrong: list[int | str]
) -> None:
    body = next(one for one in seen[shape] if key in one)
    for value in wrong:
        refused(body | {key: value}, f'its "{key}" is not ')


@pytest.mark.parametrize(
    ("kind", "key"),
    [(Kind.SCAN, "verdict"), (Kind.VOID, "takes_back"), (Kind.EXPLAIN, "what")],
)
def test_an_entry_that_says_of_nothing_known_what_it_is_about_is_refused(
    seen: Seen, kind: Kind, key: str
) -> None:
    body = next(one for bodies in seen.values() for one in bodies if one["kind"] == kind)
    for value in ("", "counted " if kind is Kind.SCAN else "counted", 3):
        refused(body | {key: value}, f'"{key}"')


def test_what_belongs_together_is_all_there_or_nothing(seen: Seen) -> None:
    for name, shape in SHAPES.items():
        for group in shape.together:
            whole = next(body for body in seen[name] if group <= body.keys())
            for key in group:
                refused({one: whole[one] for one in whole if one != key}, f'no "{key}"')
