"""19 December 2018, closed as it should have been: the figures agree, or the batch stays open.

Sources of the published figures: Okezone, Antara NTT, Antara Bali, Tribun Jateng, Vox NTT and
Warta Sultra, all of December 2018. The cards and the people are made up.
"""

import json
from pathlib import Path

import pytest

from scanner_station.cli.main import main
from scanner_station.domain.declared import Declared
from scanner_station.domain.errors import ClosingError
from scanner_station.domain.findings import What
from scanner_station.domain.manifest_line import MAX_PIECES
from scanner_station.service import batches, closing
from scanner_station.service.reconciliation import reconcile
from scanner_station.service.station import Station
from tests.journeys.command_line import scan
from tests.service.stations import load_manifest, nik

SLUG = "kupang"
TWO = ("--by", "Ana Bria", "--with", "Beni Tefa")

# place, the total that was printed, what the parts are, the parts, how far they are from the total
PUBLISHED: list[tuple[str, int, str, dict[str, int], int]] = [
    ("Kota Kupang (Okezone)", 2629, "category", {"invalid": 2169, "pindah": 500}, 40),
    ("Kota Kupang (Antara NTT)", 2629, "category", {"rusak": 2129, "pindah": 500}, 0),
    ("Buleleng", 23572, "category", {"rusak, pindah, berubah": 23471, "gagal rekam": 101}, 0),
    ("Batang", 31848, "category", {"tahap kedua": 22875, "tahap pertama": 8973}, 0),
    ("Belu", 14300, "category", {"elektronik": 11000, "non-elektronik": 3300}, 0),
    (
        "Sulawesi Tenggara", 153768, "district",
        {
            "Kolaka": 16439, "Konawe": 9665, "Muna": 8545, "Buton": 3836, "Konawe Selatan": 3527,
            "Bombana": 13894, "Wakatobi": 10005, "Kolaka Utara": 4001, "Konawe Utara": 8461,
            "Buton Utara": 7925, "Kolaka Timur": 12546, "Konawe Kepulauan": 9132,
            "Muna Barat": 2318, "Buton Tengah": 9422, "Buton Selatan": 18308, "Kendari": 8313,
            "Bau-Bau": 7429,
        },
        -2,
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("place", "total", "axis", "parts", "difference"), PUBLISHED, ids=[one[0] for one in PUBLISHED]
)
def test_published_figures_are_refused_where_they_do_not_add_up(
    tmp_path: Path, place: str, total: int, axis: str, parts: dict[str, int], difference: int
) -> None:
    # A few lines with many pieces stand for a category or district.
    lines = [
        (name, pieces)
        for name, figure in parts.items()
        for pieces in [MAX_PIECES] * (figure // MAX_PIECES) + [figure % MAX_PIECES]
    ]
    by_category = [(f'"{name}"', "", pieces) for name, pieces in lines]
    by_district = [("rusak", name, pieces) for name, pieces in lines]
    declared = Declared(
        total=total,
        by_category=parts if axis == "category" else {},
        by_district=parts if axis == "district" else {},
    )
    station = Station(tmp_path / "data")
    batches.create(station, SLUG, title=place, by="penyelia", declared=declared)
    rows = by_category if axis == "category" else by_district
    load_manifest(station, SLUG, [(nik(n), *row) for n, row in enumerate(rows)], tmp_path)
    with station.transaction() as connection:
        found = reconcile(connection, SLUG)
    assert found.total.manifest == total + difference
    assert {name: row.manifest for name, row in found.by(axis).items()} == parts
    wrong = [
        (one.axis, one.declared, one.difference)
        for one in found.differences
        if one.what is What.PARTS
    ]
    assert wrong == ([(axis, total + difference, difference)] if difference else [])
    with pytest.raises(ClosingError) as refused:
        closing.seal(station, SLUG, by="Ana Bria", seconded_by="Beni Tefa")
    sits = f"declared add up to {total + difference}, which is {difference:+d}"
    assert (sits in str(refused.value)) == bool(difference)
    station.close()


def test_every_way_to_differ_can_be_explained_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str, code: int = 0) -> str:
        """Run a command in this process and return what it says."""
        with pytest.raises(SystemExit) as ended:
            main(["--data", str(tmp_path), *arguments])
        said = capsys.readouterr()
        assert ended.value.code == code, said.err
        return said.out + said.err

    run("batch", "create", SLUG, "--title", "x", "--declared", "rusak=9")
    manifest = tmp_path / "manifes.csv"
    manifest.write_text(f"nik,kategori\n{nik(1)},rusak\n{nik(2)},rusak\n", encoding="utf-8")
    run("manifest", "import", str(manifest), "--batch", SLUG)
    run("declare", SLUG, "--declared", "rusak=9", "--declared-total", "8")
    scan(tmp_path, SLUG, nik(1), nik(50), nik(51))
    run("unidentified", "--batch", SLUG, "--category", "rusak")
    run("agree", "--batch", SLUG, "--by", "Beni Tefa")
    run(
        "add", "--batch", SLUG, "2", "--category", "rusak", "--reason", "tertinggal",
        *TWO,
    )  # fmt: skip
    run("explain", SLUG, "--what", "strangers", "--entry", "3", "--reason", "x", *TWO)
    run("explain", SLUG, "--what", "missing", "--line", "3", "--reason", "x", *TWO)
    for what in (What.DECLARED, What.PARTS):
        run("explain", SLUG, "--what", what.value, "--reason", "x", *TWO)
    again = run("explain", SLUG, "--what", "missing", "--reason", "x", *TWO, code=2)
    assert "nothing open fits" in again
    run("witness", "object", SLUG, "--witness", "Cici", "--objection", "lambat")
    text = run("reconcile", SLUG)
    assert "the objection of Cici" in text
    number = text.split("objection of Cici (entry ")[1].split(")")[0]
    run("witness", "answer", SLUG, number, "--text", "dicatat")
    run("batch", "pause", SLUG)
    run("batch", "resume", SLUG, "--figure", "4", code=2)
    run("batch", "resume", SLUG, "--figure", "3")
    run("batch", "lot", SLUG, "Alak")
    run("container", "open", SLUG, "--form", "drum")
    run("container", "seal", SLUG, "1", "--seal-number", "1")
    run("container", "break", SLUG, "1", "--reason", "x", *TWO)
    run("container", "seal", SLUG, "1", "--seal-number", "2")
    listed = json.loads(run("container", "list", SLUG, "--json"))
    assert listed["containers"][0]["seals"] == ["1", "2"]
    assert "drum" in run("container", "list", SLUG)
    found = json.loads(run("reconcile", SLUG, "--json"))
    assert found["totals"]["burned"] == 3
    assert [one["state"] for one in found["differences"]] == ["explained"] * 5
    run("batch", "seal", SLUG, *TWO)
    assert "sealed; nothing here changes" in run("reconcile", SLUG)
