"""The level above totals what offices sent: every bundle checked, every total beside its parts."""

import csv
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from scanner_station.domain.checkpoint import log_key
from scanner_station.domain.identifier import Scheme, masked
from scanner_station.domain.people import Office
from scanner_station.domain.recapitulation import MOST_CATEGORIES, OTHER_CATEGORIES
from scanner_station.exports.bundle import export_bundle
from scanner_station.exports.openings import export_openings
from scanner_station.service import batches, closing, custody, rehearsal
from scanner_station.service.people import People
from scanner_station.service.station import Station
from tests.fakes import FakeClock
from tests.journeys.command_line import run
from tests.service.stations import load_manifest, nik, show

TWO = {"by": "Sari", "seconded_by": "Budi"}
KUPANG, ALOR, BELU = (
    f"Disdukcapil {name}" for name in ("Kota Kupang", "Kabupaten Alor", "Kabupaten Belu")
)


class Offices:
    """Offices that each have a station, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stations: dict[str, Station] = {}

    def close(self) -> None:
        for station in self.stations.values():
            station.close()

    def open(self, name: str, office: str = "") -> Station:
        station = Station(self.folder / f"data-{name}", name=name, clock=FakeClock())
        if office:
            People(station).first_start(
                name="Sari",
                nip="",
                position="Kepala",
                passphrase="kartu rusak dibakar",
                office=Office(name=office, letterhead=()),
            )
        self.stations[name] = station
        return station

    def burn(
        self,
        name: str,
        slug: str,
        cards: range,
        *,
        categories: tuple[str, ...] = ("rusak",),
        seal: bool = True,
        **more: Any,
    ) -> None:
        """Have a station list cards, count them all and seal."""
        station = self.stations[name]
        batches.create(station, slug, title=f"Pemusnahan {slug}", by="Sari", **more)
        rows = [(nik(n), categories[n % len(categories)], "Alak", 1) for n in cards]
        load_manifest(station, slug, rows, self.folder)
        for number in cards:
            show(station, slug, nik(number))
        if seal:
            closing.seal(station, slug, **TWO)

    def bundle(self, name: str, slug: str, as_name: str = "") -> Path:
        station, path = self.stations[name], self.folder / f"{as_name or slug}.zip"
        with station.transaction() as connection:
            export_bundle(connection, slug, station.key, path)
        return path

    def openings(self, name: str, slug: str) -> Path:
        path = self.folder / f"{slug}.jsonl"
        with self.stations[name].transaction() as connection:
            export_openings(connection, slug, path)
        return path

    def policy(self, name: str, slug: str) -> str:
        return f"log {log_key(f'{name}/{slug}', self.stations[name].key).text}\nquorum none\n"


@pytest.fixture
def offices(tmp_path: Path) -> Iterator[Offices]:
    made = Offices(tmp_path)
    made.open("meja-1", KUPANG)
    made.open("meja-2", ALOR)
    made.burn("meja-1", "kupang", range(30), categories=("rusak", "invalid"), held_on="2018-12-19")
    made.burn("meja-2", "alor", range(30, 50), categories=("rusak",), held_on="2019-01-04")
    yield made
    made.close()


def recap(*arguments: object, check: int = 0) -> Any:
    """Run `recap --json` in a folder without a station."""
    done = run(Path("/nowhere"), "recap", *map(str, arguments), "--json", check=check)
    return json.loads(done.stdout)


def said(*arguments: object, check: int = 0) -> str:
    return run(Path("/nowhere"), "recap", *map(str, arguments), check=check).stdout.decode()


def test_every_total_stands_under_its_parts_and_says_of_how_many_offices(
    offices: Offices, tmp_path: Path
) -> None:
    bundles = (offices.bundle("meja-1", "kupang"), offices.bundle("meja-2", "alor"))
    listed = tmp_path / "kantor.txt"
    listed.write_text(f"{KUPANG}\n{ALOR.upper()}\n\n{BELU}\n")
    found = recap(*bundles, "--offices", listed)
    assert (found["total"]["burned"], found["total"]["offices"]) == (50, 2)
    assert found["total"]["offices_listed"] == 3
    assert found["missing_offices"] == [BELU]
    assert not found["complete"]
    assert {name: row["burned"] for name, row in found["by_office"].items()} == {
        KUPANG: 30,
        ALOR: 20,
    }
    assert {name: row["burned"] for name, row in found["by_category"].items()} == {
        "rusak": 35,
        "invalid": 15,
    }
    assert {name: row["burned"] for name, row in found["by_period"].items()} == {
        "2018-12": 30,
        "2019-01": 20,
    }
    text = said(*bundles, "--offices", listed)
    assert text.count("2 of 3 offices") >= 4  # beside every total
    assert "2 of 2 batches (50 of 50 cards) are only whole in themselves" in text
    assert BELU in text.split("offices missing: 1")[1]


def test_a_bad_bundle_is_named_with_its_first_bad_place_and_not_in_the_totals(
    offices: Offices, tmp_path: Path
) -> None:
    good, other = offices.bundle("meja-1", "kupang"), offices.bundle("meja-2", "alor")
    forged = tmp_path / "forged.zip"
    data = other.read_bytes()
    forged.write_bytes(data.replace(b'"verdict":"counted"', b'"verdict":"uncount"', 1))
    found = recap(good, forged, check=1)
    assert found["total"]["burned"] == 30
    (refused,) = found["refused"]
    assert refused["name"] == str(forged)
    assert "tile/entries/" in refused["why"]
    assert "REFUSED" in said(good, forged, check=1)


def test_one_log_is_never_counted_twice(offices: Offices, tmp_path: Path) -> None:
    offices.burn("meja-1", "lagi", range(60, 70), seal=False)
    early = offices.bundle("meja-1", "lagi", "early")
    show(offices.stations["meja-1"], "lagi", b"\xff noise")
    late = offices.bundle("meja-1", "lagi", "late")
    copy = tmp_path / "copy.zip"
    shutil.copy(late, copy)
    found = recap(early, late, copy)
    assert found["total"]["burned"] == 10
    assert {one["name"]: one["why"] for one in found["not_totalled"]} == {
        str(early): "earlier_state",
        str(copy): "given_twice",
    }
    assert found["batches"][0]["bundle"] == str(late)
    assert found["batches"][0]["state"] == "open"
    assert "STILL OPEN" in said(early, late, copy)


def test_two_histories_of_one_log_are_both_refused(offices: Offices, tmp_path: Path) -> None:
    station = offices.stations["meja-1"]
    batches.create(station, "lagi", title="Lagi", by="Sari")
    station.begin_log("lagi", by="Sari")
    copied = tmp_path / "data-copy"
    shutil.copytree(station.folder, copied)
    rewritten = Station(copied, name="meja-1", clock=FakeClock())
    offices.stations["copy"] = rewritten
    for number in range(3):
        show(station, "lagi", nik(200 + number))
        show(rewritten, "lagi", nik(300 + number))
    show(station, "lagi", nik(204))
    one, two = offices.bundle("meja-1", "lagi", "one"), offices.bundle("copy", "lagi", "two")
    found = recap(one, two, offices.bundle("meja-2", "alor"), check=1)
    assert found["total"]["burned"] == 20
    assert {refused["name"] for refused in found["refused"]} == {str(one), str(two)}
    assert "do not begin alike" in found["refused"][0]["why"]


def test_a_forger_with_a_key_of_his_own_takes_no_place_in_the_totals(
    offices: Offices, tmp_path: Path
) -> None:
    real = offices.bundle("meja-1", "kupang")
    forger = Offices(tmp_path / "forger")
    forger.folder.mkdir()
    forger.open("meja-1", KUPANG)
    forger.burn("meja-1", "kupang", range(10))
    forged = forger.bundle("meja-1", "kupang")
    forger.close()
    found = recap(real, forged, check=1)  # without keys nobody knows which is real
    assert found["total"]["burned"] == 0
    assert all("different keys" in one["why"] for one in found["refused"])
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "kupang").write_text(offices.policy("meja-1", "kupang"))
    found = recap(real, forged, "--policy", keys, check=1)
    assert found["total"]["burned"] == 30
    assert [one["name"] for one in found["refused"]] == [str(forged)]


def test_it_says_which_batches_were_verified_with_keys_from_elsewhere(
    offices: Offices, tmp_path: Path
) -> None:
    bundles = (offices.bundle("meja-1", "kupang"), offices.bundle("meja-2", "alor"))
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "kupang").write_text(offices.policy("meja-1", "kupang"))
    found = recap(*bundles, "--policy", keys)
    assert {one["log"]: one["keys"] for one in found["batches"]} == {
        "meja-1/kupang": "keys",
        "meja-2/alor": "itself",
    }
    assert found["total"]["whole_in_itself"] == 1
    # One file is for every log: a log that it does not name is refused, as `verify` does.
    found = recap(*bundles, "--policy", keys / "kupang", check=1)
    assert [one["log"] for one in found["batches"]] == ["meja-1/kupang"]


def test_rehearsals_and_cancelled_batches_are_kept_apart(offices: Offices) -> None:
    station = offices.stations["meja-1"]
    rehearsal.create(station, "latihan", title="Latihan", by="Sari")
    station.begin_log("latihan", by="Sari")
    offices.burn("meja-1", "batal", range(80, 90), seal=False)
    batches.cancel(station, "batal", reason="salah daftar", **TWO)
    found = recap(
        offices.bundle("meja-1", "kupang"),
        offices.bundle("meja-1", "latihan"),
        offices.bundle("meja-1", "batal"),
    )
    assert found["total"]["burned"] == 30
    assert {one["log"]: one["why"] for one in found["not_totalled"]} == {
        "meja-1/latihan": "rehearsal",
        "meja-1/batal": "cancelled",
    }


def test_a_supplement_adds_to_its_batch_and_is_no_second_count_of_it(offices: Offices) -> None:
    offices.burn("meja-1", "tambahan", range(90, 95), supplements="kupang")
    base, more = offices.bundle("meja-1", "kupang"), offices.bundle("meja-1", "tambahan")
    found = recap(base, more)
    assert found["total"]["burned"] == 35
    assert found["by_office"][KUPANG]["logs"] == ["meja-1/kupang", "meja-1/tambahan"]
    assert not any("adds to" in remark for remark in found["remarks"])
    custody.burn(offices.stations["meja-1"], "kupang", method="dibakar", present="Budi", by="Sari")
    grown = recap(offices.bundle("meja-1", "kupang", "grown"), more)  # the fire came later
    assert grown["total"]["burned"] == 35
    assert not any("adds to" in remark for remark in grown["remarks"])
    alone = recap(more)
    assert any("kupang, which is not among these bundles" in one for one in alone["remarks"])


def test_a_card_counted_in_two_batches_is_a_remark_for_a_person_an_alarm_for_a_piece(
    offices: Offices,
) -> None:
    offices.burn("meja-2", "lain", range(28, 33))
    for name, serials in (("meja-1", (1, 2, 3)), ("meja-2", (3, 4))):
        slug = f"seri-{name}"
        batches.create(
            offices.stations[name], slug, title="Seri", by="Sari", schemes=(Scheme.SERIAL,)
        )
        for serial in serials:
            show(offices.stations[name], slug, f"KTP-00000{serial}")
    show(offices.stations["meja-2"], "seri-meja-2", "KTP-000002")
    taken_back = show(offices.stations["meja-2"], "seri-meja-2", "KTP-000001")
    offices.stations["meja-2"].void(
        "seri-meja-2", taken_back.sequence, reason="salah", by="petugas"
    )
    made = [("meja-1", "kupang"), ("meja-2", "lain"), ("meja-1", "seri-meja-1")]
    made.append(("meja-2", "seri-meja-2"))
    bundles = [offices.bundle(*one) for one in made]
    openings = [part for one in made for part in ("--openings", offices.openings(*one))]
    found = recap(*bundles, *openings, check=1)
    assert found["counted_twice"] == [
        {
            "identifier": masked(f"KTP-00000{serial}"),
            "weight": "alarm",
            "logs": ["meja-1/seri-meja-1", "meja-2/seri-meja-2"],
        }
        for serial in (2, 3)
    ] + [
        {
            "identifier": masked(nik(n)),
            "weight": "remark",
            "logs": ["meja-1/kupang", "meja-2/lain"],
        }
        for n in (28, 29)
    ]
    persons = recap(*bundles[:2], *openings[:4])  # a remark alone is no reason to fail
    assert (persons["alarms"], persons["counted_twice_total"]) == (0, 2)
    assert persons["total"]["burned"] == 35
    wrong = recap(bundles[0], *openings[2:4], check=1)
    assert "fit none of the bundles" in wrong["refused"][0]["why"]


def test_files_hold_the_same_totals_and_no_text_of_theirs_is_run(
    offices: Offices, tmp_path: Path
) -> None:
    evil = ("=cmd|' /C calc'!A1", "<script>alert(1)</script>")
    offices.burn("meja-2", "jahat", range(100, 110), categories=evil, held_on="2018-12-20")
    bundles = (offices.bundle("meja-1", "kupang"), offices.bundle("meja-2", "jahat"))
    paths = {ending: tmp_path / f"recap.{ending}" for ending in ("csv", "xlsx", "pdf")}
    for path in paths.values():
        assert "written to" in said(*bundles, "--output", path)
    with paths["csv"].open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for section in ("batch_categories", "batches", "offices", "periods", "categories"):
        parts = [row for row in rows if row["section"] == section and row["is_total"] == "0"]
        (total,) = (row for row in rows if row["section"] == section and row["is_total"] == "1")
        assert sum(int(row["burned"]) for row in parts) == int(total["burned"]) == 40
    assert f"'{evil[0]}" in {row["category"] for row in rows}
    workbook = CalamineWorkbook.from_path(paths["xlsx"])
    categories = workbook.get_sheet_by_name("categories").to_python()
    assert evil[0] in {row[0] for row in categories}
    assert categories[-1][-1] == 40
    text = " ".join(page.extract_text() for page in PdfReader(paths["pdf"]).pages)
    assert "40 (empat puluh)" in text
    assert evil[1] in text.replace("\n", "")
    again = tmp_path / "again.pdf"
    said(*bundles, "--output", again)
    assert again.read_bytes() == paths["pdf"].read_bytes()


def test_a_folder_of_bundles_stands_for_them(offices: Offices, tmp_path: Path) -> None:
    inbox = tmp_path / "masuk"
    inbox.mkdir()
    for name, slug in (("meja-1", "kupang"), ("meja-2", "alor")):
        shutil.move(offices.bundle(name, slug), inbox)
    assert recap(inbox)["total"]["burned"] == 50


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"garbage", bytes(100_000)])
def test_what_is_no_bundle_is_refused_and_the_others_totalled(
    offices: Offices, tmp_path: Path, content: bytes
) -> None:
    bad = tmp_path / "bad.zip"
    bad.write_bytes(content)
    found = recap(offices.bundle("meja-1", "kupang"), bad, tmp_path / "absent.zip", check=1)
    assert found["total"]["burned"] == 30
    assert [one["name"] for one in found["refused"]] == [str(bad), str(tmp_path / "absent.zip")]


def test_a_bundle_packed_anew_is_refused_with_what_to_do_and_its_folder_is_taken(
    offices: Offices, tmp_path: Path
) -> None:
    folder, packed = tmp_path / "unpacked", tmp_path / "packed.zip"
    with zipfile.ZipFile(offices.bundle("meja-1", "kupang")) as archive:
        archive.extractall(folder)
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as anew:
            for name in archive.namelist():
                anew.writestr(name, archive.read(name))
    (refused,) = recap(packed, check=1)["refused"]
    assert "unpack it and name the folder" in refused["why"]
    assert recap(folder)["total"]["burned"] == 30


def test_what_would_exhaust_a_machine_gets_a_sentence(tmp_path: Path) -> None:
    bomb, sparse, pipe = (tmp_path / f"{name}.zip" for name in ("bomb", "sparse", "pipe"))
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("checkpoint", bytes(100_000_000))
    with sparse.open("wb") as file:
        file.truncate(200 << 30)
    os.mkfifo(pipe)
    found = recap(bomb, sparse, pipe, check=1)
    assert [one["name"] for one in found["refused"]] == [str(bomb), str(sparse), str(pipe)]
    assert found["total"]["burned"] == 0


def test_names_of_categories_without_end_are_put_together_and_it_says_so(
    offices: Offices,
) -> None:
    categories = tuple(f"kategori {n}" for n in range(MOST_CATEGORIES + 20))
    offices.open("meja-3", BELU)
    offices.burn("meja-3", "banyak", range(1000, 1000 + len(categories)), categories=categories)
    found = recap(offices.bundle("meja-3", "banyak"))
    assert len(found["by_category"]) == MOST_CATEGORIES + 1
    assert found["by_category"][OTHER_CATEGORIES]["burned"] == 20
    assert sum(row["burned"] for row in found["by_category"].values()) == len(categories)
    assert any("20 cards under further ones" in remark for remark in found["remarks"])


def test_wrong_calls_are_said_in_one_sentence(offices: Offices, tmp_path: Path) -> None:
    bundle = str(offices.bundle("meja-1", "kupang"))
    empty = tmp_path / "empty"
    empty.mkdir()
    twice = tmp_path / "twice.csv"
    twice.write_text("Kantor;Kode\nA;1\na;2\n")
    for arguments, expected in (
        ((), b"Missing argument"),
        ((str(empty),), b"is no bundle and holds none"),
        ((bundle, "--output", "recap.doc"), b"choose a name that ends in"),
        ((bundle, "--offices", str(twice)), b"names a twice"),
        ((bundle, "--offices", str(tmp_path / "absent")), b"cannot be read"),
    ):
        done = run(Path("/nowhere"), "recap", *arguments, check=2)
        assert expected in done.stderr
        assert done.stderr.count(b"\n") <= 5
        assert not done.stdout
