"""`export`, `verify`, `receipt` and `forget`, as a journalist or a script calls them."""

import shutil
from pathlib import Path

import pytest

from scanner_station.service import batches, closing
from scanner_station.service.station import Station
from tests.exports.sealed_logs import SLUG, cosign, fill, made_station, office_policy, seal
from tests.journeys.command_line import run
from tests.service.stations import nik

CARDS = 30


def call(*words: str | Path, typed: str = "", code: int = 0) -> tuple[bytes, str]:
    """Run a command; return what it wrote to standard output and standard error."""
    done = run(Path("/nowhere"), *map(str, words), stdin=typed.encode(), check=code)
    return done.stdout, done.stderr.decode()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    station = made_station(tmp_path / "data", tmp_path, CARDS + 2)
    fill(station, CARDS)
    (tmp_path / "policy").write_bytes(office_policy(station))
    (tmp_path / "early").write_bytes(bytes(cosign(station)))
    closing.record_refusal(station, SLUG, witness="Cici", objection="tidak sempat", by="Cici")
    seal(station)
    cosign(station)
    station.close()
    return tmp_path / "data"


def test_a_journalist_checks_a_bundle_on_a_machine_that_never_saw_the_station(
    data: Path, tmp_path: Path
) -> None:
    call("export", SLUG, "--format", "bundle", "--output", tmp_path / "b.zip", "--data", data)
    receipt, _ = call("receipt", "--batch", SLUG, "--data", data, typed=nik(4) + "\n")
    (tmp_path / "r").write_bytes(receipt)
    shutil.rmtree(data)
    asked = ("--policy", tmp_path / "policy", "--against", tmp_path / "early")
    out, _ = call("verify", tmp_path / "b.zip", *asked, "--receipt", tmp_path / "r", typed=nik(4))
    text = out.decode()
    assert text.startswith("VERIFIED with the keys of your policy")
    assert "batch: Pemusnahan Kupang\nentries made from 2018-12-19T" in text
    assert "NO WITNESS" not in text
    assert "witnesses you trust: 2 (saksi-a, saksi-b)" in text
    assert "meja-1/kupang" in text
    # Every seventh has a second piece, which was counted too.
    assert f"counted: {CARDS + 5} of" in text
    assert f"for the fire: {CARDS + 5} (counted {CARDS + 5}, added 0, unidentified 0)" in text
    assert "would not sign: Cici: tidak sempat" in text
    assert "missing explained by penyelia and kepala seksi: dicari" in text
    assert "counted the card whose number you gave" in text
    assert nik(4) not in text


def test_keys_from_the_bundle_itself_verify_nothing(data: Path, tmp_path: Path) -> None:
    call("export", SLUG, "--format", "bundle", "--output", tmp_path / "b", "--data", data)
    out, _ = call("verify", tmp_path / "b")
    assert out.decode().startswith("WHOLE IN ITSELF, NOT VERIFIED")
    assert b"VERIFIED with" not in out
    log = (tmp_path / "b/policy").read_text().splitlines()[0]
    (tmp_path / "keys").write_text(f"{log}\nquorum none\n")
    out, _ = call("verify", tmp_path / "b", "--policy", tmp_path / "keys")
    assert b"\nNO WITNESS is asked: whoever has the station's key" in out


def test_a_changed_bundle_is_exit_1_and_one_sentence(data: Path, tmp_path: Path) -> None:
    call("export", SLUG, "--format", "bundle", "--output", tmp_path / "b", "--data", data)
    tile = next((tmp_path / "b/tile/entries").rglob("*.p/*"))
    tile.write_bytes(tile.read_bytes().replace(b'"sequence":9,', b'"sequence":8,'))
    out, error = call("verify", tmp_path / "b", code=1)
    assert out == b""
    assert error.count("\n") == 1
    assert "entry 9 " in error


def test_openings_are_checked_with_the_bundle(data: Path, tmp_path: Path) -> None:
    call("export", SLUG, "--format", "bundle", "--output", tmp_path / "b", "--data", data)
    call("export", SLUG, "--format", "openings", "--output", tmp_path / "o", "--data", data)
    out, _ = call("verify", tmp_path / "b", "--openings", tmp_path / "o")
    assert b"each one fits" in out
    (tmp_path / "o").write_bytes((tmp_path / "o").read_bytes().replace(b'"99', b'"98', 1))
    call("verify", tmp_path / "b", "--openings", tmp_path / "o", code=1)


def test_the_receipt_of_another_card_is_refused_without_showing_its_number(
    data: Path, tmp_path: Path
) -> None:
    call("export", SLUG, "--format", "bundle", "--output", tmp_path / "b", "--data", data)
    receipt, _ = call("receipt", "--batch", SLUG, "--data", data, typed=nik(4))
    (tmp_path / "r").write_bytes(receipt)
    for words in ((nik(5), 1), ("", 0)):
        out, error = call(
            "verify", tmp_path / "b", "--receipt", tmp_path / "r", typed=words[0], code=words[1]
        )
        assert nik(5) not in out.decode() + error
    assert b"WHICH card was not checked" in out
    _, error = call("receipt", "--batch", SLUG, "--data", data, typed=nik(CARDS + 1), code=2)
    assert "has not counted" in error
    call("receipt", "--batch", SLUG, "--data", data, typed="x\n", code=2)


def test_a_bundle_is_exported_beside_a_running_station(tmp_path: Path) -> None:
    station = made_station(tmp_path / "data", tmp_path, 5)
    try:
        station.begin_log(SLUG, by="petugas")
        words = ("export", SLUG, "--format", "bundle", "--output", tmp_path / "b")
        call(*words, "--data", tmp_path / "data")
        call("forget", SLUG, "--data", tmp_path / "data", code=3)
    finally:
        station.close()
    call("verify", tmp_path / "b")


def test_people_are_forgotten_and_what_cannot_be_made_any_more_is_said(
    data: Path, tmp_path: Path
) -> None:
    (data / "incoming/tmp").mkdir(parents=True)
    for name in ("upload", "tmp/openings"):
        (data / "incoming" / name).write_text(nik(4), "utf-8")
    out, _ = call("forget", SLUG, "--data", data)
    assert b"cannot be made any more: minutes with names" in out
    assert not any(
        nik(4).encode() in path.read_bytes() for path in data.rglob("*") if path.is_file()
    )
    call("export", SLUG, "--format", "openings", "--output", tmp_path / "o", "--data", data, code=2)
    call("export", SLUG, "--format", "bundle", "--output", tmp_path / "b", "--data", data)
    call("verify", tmp_path / "b", "--policy", tmp_path / "policy")


def test_a_witness_without_a_tablet_has_a_word_and_a_note_written_down(
    tmp_path: Path,
) -> None:
    made_station(tmp_path / "data", tmp_path, 5).close()
    data = ("--data", tmp_path / "data")
    call("witness", "word", SLUG, "--text", "hujan lebat", *data)
    said = ("--note", "kotak 3 basah")
    out, _ = call("witness", "note", SLUG, "--witness", "Wati", *said, *data)
    assert out == b"entry 1 holds the note\n"
    _, error = call("witness", "word", SLUG, "--text", "terlambat", *data, code=2)
    assert "only a note can be added" in error
    call("export", SLUG, "--format", "jsonl", "--output", tmp_path / "log", *data)
    lines = (tmp_path / "log").read_text("utf-8").splitlines()
    assert "hujan lebat" in lines[0]
    assert "kotak 3 basah" in lines[1]
    call("export", SLUG, "--format", "bundle", "--output", tmp_path / "b", *data)
    call("verify", tmp_path / "b")


def test_a_log_that_has_not_begun_is_refused_in_words(tmp_path: Path) -> None:
    station = Station(tmp_path / "data")
    batches.create(station, "kosong", title="Kosong", by="penyelia")
    station.close()
    words = ("export", "kosong", "--format", "bundle", "--output", tmp_path / "b")
    _, error = call(*words, "--data", tmp_path / "data", code=2)
    assert "has not begun" in error
    assert not (tmp_path / "b").exists()
    call("verify", tmp_path / "nothing", code=1)
    call("verify", code=2)
