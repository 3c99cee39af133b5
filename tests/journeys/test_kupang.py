"""The two stories of Kupang, 19 December 2018, from the manifest to the paper and the file.

2,629 cards were burned. Antara NTT printed 2,129 + 500 = 2,629, Okezone 2,169 + 500, forty more.
The cards and the people are made up.
"""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from tests.journeys.command_line import run, run_json, scan
from tests.service.stations import nik

SLUG = "kupang"
DAMAGED, MOVED, MISSING = 2129, 500, 40
ALL = DAMAGED + MOVED
DISTRICTS = ("Alak", "Kelapa Lima", "Kota Lama", "Kota Raja", "Maulafa", "Oebobo")
TWO = ("--by", "Ana Bria", "--with", "Beni Tefa")

pytestmark = pytest.mark.slow


def district(number: int) -> str:
    return DISTRICTS[number % len(DISTRICTS)]


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A batch with all of Kupang's cards but the last forty counted into a box."""
    data = tmp_path_factory.mktemp("kupang")
    run(
        data, "batch", "create", SLUG, "--title", "Pemusnahan KTP-el Kota Kupang",
        "--declared", "rusak=2169", "--declared", "pindah=500", "--declared-total", "2629",
    )  # fmt: skip
    lines = ["nik,nama,kategori,kecamatan"]
    for number in range(ALL):
        category = "rusak" if number < DAMAGED else "pindah"
        lines.append(f"{nik(number)},Nama {number},{category},{district(number)}")
    manifest = data / "manifes.csv"
    manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    run(data, "manifest", "import", str(manifest), "--batch", SLUG)
    run(data, "batch", "open", SLUG)
    run(data, "container", "open", SLUG, "--label", "Kotak 1")
    scan(data, SLUG, *(nik(number) for number in range(ALL - MISSING)))
    return data


@pytest.fixture
def data(counted: Path, tmp_path: Path) -> Path:
    """The batch again, for one story."""
    return Path(shutil.copytree(counted, tmp_path / "data"))


def reconciled(data: Path, *, is_open: bool) -> dict[str, Any]:
    found: dict[str, Any] = run_json(data, "reconcile", SLUG, "--json", check=int(is_open))
    assert found["complete"] is not is_open
    return found


def refused(data: Path) -> str:
    return run(data, "batch", "seal", SLUG, *TWO, check=1).stderr.decode()


def seal(data: Path) -> None:
    run(data, "container", "seal", SLUG, "1", "--seal-number", "KPG-0001")
    run(data, "batch", "seal", SLUG, "--by", "Ana Bria", "--with", "ana  BRIA", check=2)
    run(data, "batch", "seal", SLUG, *TWO)
    run(data, "batch", "burn", SLUG, "--method", "dibakar", "--present", "Inspektorat, Satpol PP")


def paper_of(data: Path, *options: str) -> str:
    run(data, "minutes", SLUG, "--output", str(data / "minutes.pdf"), *options)
    pages = PdfReader(data / "minutes.pdf").pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def cards_of_the_bundle(data: Path) -> set[str]:
    """Return the numbers of the cards that the bundle counts, as anybody can check them."""
    bundle, openings = data / "bundle", data / "openings.jsonl"
    run(data, "export", SLUG, "--format", "bundle", "--output", str(bundle))
    run(data, "export", SLUG, "--format", "openings", "--output", str(openings))
    said = run(data, "verify", str(bundle), "--openings", str(openings)).stdout.decode()
    assert "each one fits" in said
    known = {
        one["card"]: one["identifier"] for one in map(json.loads, openings.read_text().splitlines())
    }
    entries = b"".join(
        path.read_bytes() for path in sorted(bundle.rglob("tile/entries/*")) if path.is_file()
    ) + b"".join(path.read_bytes() for path in sorted(bundle.rglob("tile/entries/*/*")))
    counted = re.findall(rb'\{"at":[^{}]*"verdict":"counted"\}', entries)
    return {known[json.loads(entry)["card"]] for entry in counted}


def test_forty_too_many_declared_are_refused_corrected_and_agree_to_the_card(data: Path) -> None:
    scan(data, SLUG, *(nik(number) for number in range(ALL - MISSING, ALL)))
    # --- refused: the category, the difference, and where the figures do not add up
    said = refused(data)
    assert "category rusak: 2169 were declared, 2129 go into the fire (+40)" in said
    assert "the categories declared add up to 2669, which is +40 against the total" in said
    assert "pindah" not in said
    found = run_json(data, "reconcile", SLUG, "--json", check=1)
    assert [(one["what"], one["category"], one["difference"]) for one in found["differences"]] == [
        ("declared", "rusak", 40),
        ("declared_parts", None, 40),
    ]
    # --- corrected; two people seal
    run(
        data, "declare", SLUG, "--declared", "rusak=2129", "--declared", "pindah=500",
        "--declared-total", "2629", "--reason", "ralat siaran pers",
    )  # fmt: skip
    seal(data)
    # --- the paper and the file agree to the card
    paper = paper_of(data)
    assert "adalah 2.629 (dua ribu enam ratus dua puluh sembilan) keping" in paper
    assert "pindah 500 500 0 0 0 500" in paper
    assert "rusak 2.129 2.129 0 0 0 2.129" in paper
    assert "tidak ditemukan 0 (nol) keping" in paper
    assert "ralat siaran pers" in paper
    everybody = {nik(number) for number in range(ALL)}
    assert set(re.findall(r"\b\d{16}\b", paper)) == everybody
    assert cards_of_the_bundle(data) == everybody
    masked = paper_of(data, "--masked")
    assert not re.findall(r"\b\d{16}\b", masked)
    assert "2.629 (dua ribu enam ratus dua puluh sembilan)" in masked


def test_forty_missing_cards_are_listed_explained_seconded_and_stand_in_the_minutes(
    data: Path,
) -> None:
    run(
        data, "declare", SLUG, "--declared", "rusak=2129", "--declared", "pindah=460",
        "--declared-total", "2589", "--reason", "ralat",
    )  # fmt: skip
    missing = range(ALL - MISSING, ALL)
    # --- refused, the forty listed by name and district
    said = refused(data)
    for name in DISTRICTS:
        lost = sum(district(number) == name for number in missing)
        assert f"category pindah, district {name}: the manifest lists" in said
        assert f"{lost} are missing, {lost} of them not explained" in said
    found: dict[str, Any] = run_json(data, "reconcile", SLUG, "--json", check=1)
    assert [(one["name"], one["district"], one["state"]) for one in found["missing"]] == [
        (f"Nama {number}", district(number), "open") for number in missing
    ]
    listed = run(data, "reconcile", SLUG, check=1).stdout.decode()
    assert all(f"Nama {number}" in listed for number in missing)
    assert not set(re.findall(r"\b\d{16}\b", listed))
    # --- explained by one person it stays open; seconded by another it does not
    reason = ("--what", "missing", "--reason", "hilang saat pindah gudang, dilaporkan")
    run(data, "explain", SLUG, *reason, "--by", "Ana Bria", "--with", "ANA BRIA", check=2)
    run_json(data, "reconcile", SLUG, "--json", check=1)
    run(data, "explain", SLUG, *reason, *TWO)
    found = run_json(data, "reconcile", SLUG, "--json")
    assert found["explanations"][0]["number"] == MISSING
    # --- closed, and the minutes say so
    seal(data)
    paper = paper_of(data)
    assert "adalah 2.589 (dua ribu lima ratus delapan puluh sembilan) keping" in paper
    assert "tidak ditemukan 40 (empat puluh) keping" in paper
    assert "hilang saat pindah gudang, dilaporkan" in paper
    assert "Ana Bria" in paper
    assert "Beni Tefa" in paper
    lost_numbers = {nik(number) for number in missing}
    assert all(f"Nama {number}" in paper for number in missing)
    everybody = {nik(number) for number in range(ALL)}
    assert set(re.findall(r"\b\d{16}\b", paper)) == everybody
    assert cards_of_the_bundle(data) == everybody - lost_numbers
    text = run(data, "verify", str(data / "bundle")).stdout.decode()
    assert "counted: 2589 of 2629 expected, 40 missing" in text
    assert "\ndeclared: the same as for the fire\n" in text


def test_kupang_is_refused_explained_corrected_found_and_sealed(data: Path) -> None:
    # --- forty cards are missing, and the figures given to the press do not add up
    found = reconciled(data, is_open=True)
    assert found["totals"]["missing"] == len(found["missing"]) == 40
    assert found["totals"]["manifest"] == 2629
    first = found["missing"][0]
    assert (first["name"], first["district"]) == ("Nama 2589", "Kota Raja")
    assert first["identifier"].startswith("997104••••••")
    assert nik(2589) not in json.dumps(found)
    declared = [one for one in found["differences"] if one["what"] == "declared"]
    assert [(one["category"], one["difference"]) for one in declared] == [
        ("pindah", 40), ("rusak", 40), (None, 40),
    ]  # fmt: skip
    refused = run(data, "batch", "seal", SLUG, *TWO, check=1).stderr.decode()
    assert "category rusak: 2169 were declared, 2129 go into the fire (+40)" in refused
    assert "the categories declared add up to 2669, which is +40" in refused
    assert "category pindah, district Alak: the manifest lists" in refused
    table = run(data, "reconcile", SLUG, check=1).stdout.decode()
    assert "line 2591" in table
    assert "Kota Raja" in table

    # --- the forty are explained by two people, district by district and then the rest
    run(
        data, "explain", SLUG, "--what", "missing", "--category", "pindah", "--district", "Alak",
        "--reason", "dipinjam kecamatan", *TWO,
    )  # fmt: skip
    run(data, "explain", SLUG, "--what", "missing", "--reason", "hilang, dilaporkan", *TWO)
    found = reconciled(data, is_open=True)
    assert {one["state"] for one in found["missing"]} == {"explained"}
    assert [one["state"] for one in found["differences"] if one["what"] == "missing"] == (
        ["explained"] * 6
    )

    # --- a reader of the bundle sees the figures given to the press beside the log's own
    run(data, "export", SLUG, "--format", "bundle", "--output", str(data / "open"))
    text = run(data, "verify", str(data / "open")).stdout.decode()
    assert "\ndeclared rusak: 2169, but 2129 for the fire: +40\n" in text
    assert "\ndeclared by category: 2669 together, but 2629 in total: +40\n" in text

    # --- thirty-nine of them turn up after all; the press figures are corrected
    scan(data, SLUG, *(nik(number) for number in range(2589, 2628)))
    run(
        data, "declare", SLUG, "--declared", "rusak=2129", "--declared", "pindah=499",
        "--declared-total", "2628", "--reason", "ralat",
    )  # fmt: skip
    found = reconciled(data, is_open=False)
    assert (found["totals"]["counted"], found["totals"]["missing"]) == (2628, 1)
    assert [(one["what"], one["difference"]) for one in found["differences"]] == [("missing", -1)]
    assert [one["number"] for one in found["explanations"]] == [7, 33]

    # --- still not sealed: a container is open
    refused = run(data, "batch", "seal", SLUG, *TWO, check=1).stderr.decode()
    assert "container 1 is not sealed" in refused
    run(data, "container", "seal", SLUG, "1", "--seal-number", "KPG-0001")
    run(data, "container", "label", SLUG, "1", "--output", str(data / "label.pdf"))
    label = PdfReader(data / "label.pdf").pages[0].extract_text()
    assert "2.628 keping" in label
    assert "Segel KPG-0001" in label
    assert re.search(r" 20\d\d pukul \d\d\.\d\d WITA", label)
    alarm = scan(data, SLUG, nik(5))[0]
    assert (alarm["verdict"], alarm["sealed_container"]) == ("already_counted", 1)

    # --- two people seal; the bundle agrees to the card
    run(data, "batch", "seal", SLUG, "--by", "Ana Bria", "--with", "ana bria", check=2)
    sealed = run(data, "batch", "seal", SLUG, *TWO).stdout.decode()
    assert f"/{SLUG}\n" in sealed
    shown = run_json(data, "batch", "show", SLUG, "--json")
    assert (shown["state"], shown["counted"], shown["burned"]) == ("sealed", 2628, 2628)
    run(data, "export", SLUG, "--format", "bundle", "--output", str(data / "bundle"))
    verified = run(data, "verify", str(data / "bundle")).stdout.decode()
    assert "sealed" in verified
    assert "2628" in verified
    run(data, "batch", "burn", SLUG, "--method", "dibakar", "--present", "Inspektorat, Satpol PP")
    run(data, "minutes", SLUG, "--output", str(data / "minutes.pdf"))
    paper = " ".join(
        " ".join(page.extract_text() for page in PdfReader(data / "minutes.pdf").pages).split()
    )
    assert "yang dimusnahkan adalah 2.628 (dua ribu enam ratus dua puluh delapan) keping" in paper
    assert "tidak ditemukan 1 (satu) keping" in paper
    assert "hilang, dilaporkan" in paper
    assert "Nama 2628" in paper
    run(data, "witness", "refuse", SLUG, "--witness", "Cici", "--objection", "satu kartu hilang")
    found = reconciled(data, is_open=False)
    assert found["burning"]["method"] == "dibakar"
    assert found["refusals"][0]["witness"] == "Cici"
    assert found["hindrances"] == []

    # --- the last card turns up a week later: a supplement that refers to the sealed batch
    run(data, "batch", "create", "susulan", "--title", "Susulan", "--supplements", SLUG)
    assert scan(data, "susulan", nik(2628))[0]["verdict"] == "counted"
    assert run_json(data, "batch", "show", "susulan", "--json")["supplements"] == SLUG
