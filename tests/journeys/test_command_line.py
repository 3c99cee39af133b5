"""The command line that others script against."""

import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
import segno

from scanner_station.service.station import Station
from tests.journeys.command_line import COMMAND, run, run_json, scan
from tests.service.stations import nik


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("station") / "data"
    manifest = folder.parent / "manifes.csv"
    rows = [f"{nik(n)};{'rusak' if n < 3 else 'pindah'};Oebobo;Warga {n}" for n in range(5)]
    manifest.write_text("NIK;Kategori;Kecamatan;Nama\n" + "\n".join(rows) + "\n")
    run(
        folder, "batch", "create", "kupang", "--title", "Pemusnahan KTP-el", "--place", "Kupang",
        "--date", "2018-12-19", "--declared", "rusak=3", "--declared", "pindah=2",
    )  # fmt: skip
    run(folder, "manifest", "import", str(manifest), "--batch", "kupang")
    return folder


@pytest.fixture
def data(prepared: Path, tmp_path: Path) -> Path:
    """Its own copy for each test: the commands that make it take longer than most tests."""
    return Path(shutil.copytree(prepared, tmp_path / "data"))


def test_a_batch_is_created_scanned_and_shown(data: Path) -> None:
    verdicts = scan(data, "kupang", nik(0), nik(0), nik(77), "x", nik(4))
    assert [one["verdict"] for one in verdicts] == [
        "counted",
        "already_counted",
        "not_on_manifest",
        "unreadable",
        "counted",
    ]
    assert [one["sequence"] for one in verdicts] == [1, 2, 3, 4, 5]
    assert verdicts[1]["first"]["sequence"] == 1
    assert {"sequence", "at", "station", "batch"} <= verdicts[1]["first"].keys()
    assert (verdicts[-1]["counted"], verdicts[-1]["expected"]) == (2, 5)
    shown = run_json(data, "batch", "show", "kupang", "--json")
    assert shown["by_category"] == {
        "pindah": {"expected": 2, "counted": 1, "remaining": 1},
        "rusak": {"expected": 3, "counted": 1, "remaining": 2},
    }
    keys = ("state", "expected", "counted", "remaining", "voided", "manual", "unreadable")
    assert [shown[key] for key in keys] == ["open", 5, 2, 3, 0, 0, 1]


def test_each_verdict_is_printed_at_once_and_not_at_the_end(data: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "scan", "--batch", "kupang", "--data", str(data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    for number in range(3):
        process.stdin.write(f"{nik(number)}\r\n".encode())
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["counted"] == number + 1
    process.stdin.close()
    assert process.wait(30) == 0
    process.stdout.close()


def test_lines_without_bytes_are_skipped_and_lines_that_cleaning_empties_are_unreadable(
    data: Path,
) -> None:
    done = run(data, "scan", "--batch", "kupang", stdin=b"\n\r\n  \n]C0\r\n" + nik(1).encode())
    verdicts = [json.loads(line)["verdict"] for line in done.stdout.splitlines()]
    assert verdicts == ["unreadable", "unreadable", "counted"]


def test_a_void_from_the_command_line_carries_the_local_account(data: Path) -> None:
    scan(data, "kupang", nik(0))
    done = run(data, "void", "--batch", "kupang", "1", "--reason", "jatuh")
    assert b"counted 0 of 5" in done.stdout
    output = data.parent / "log.jsonl"
    run(data, "export", "kupang", "--format", "jsonl", "--output", str(output))
    void = json.loads(output.read_text().splitlines()[-1])
    assert (void["kind"], void["target"], void["reason"]) == ("void", 1, "jatuh")
    assert void["by"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["batch", "show", "lain"], 2, "no batch lain"),
        (["batch", "create", "kupang", "--title", "x"], 2, "already a batch"),
        (["batch", "create", "A b", "--title", "x"], 2, "short name"),
        (["batch", "create", "9971-0401-1290-0001", "--title", "x"], 2, "an identity number"),
        (["batch", "create", "b", "--title", f"kartu {nik(1)}"], 2, "identity number"),
        (["batch", "create", "b", "--title", "x", "--date", "19/12/2018"], 2, "YYYY-MM-DD"),
        (["batch", "create", "b", "--title", "x", "--declared", "rusak"], 2, "CATEGORY=NUMBER"),
        (["batch", "create", "b"], 2, "--title"),
        (["scan"], 2, "--batch"),
        (["scan", "--batch", "lain"], 2, "no batch lain"),
        (["void", "--batch", "kupang", "9", "--reason", "x"], 2, "did not count"),
        (["nonsense"], 2, "nonsense"),
        (["manifest", "import", "/nowhere.csv", "--batch", "kupang"], 1, "nowhere.csv"),
        (["manifest", "check", "/nowhere.csv"], 1, "nowhere.csv"),
        (["export", "lain", "--format", "csv", "--output", "/tmp/x"], 2, "no batch lain"),
        (["decode", "/nowhere.png"], 1, "/nowhere.png"),
        (["decode", "--symbologies", "morse", "x.png"], 2, "morse"),
    ],
)
def test_an_error_is_one_sentence_on_standard_error_with_its_exit_code(
    data: Path, arguments: list[str], code: int, words: str
) -> None:
    done = run(data, *arguments, check=code)
    assert done.stderr.decode().count("\n") == 1
    assert words in done.stderr.decode()


def test_decode_prints_one_line_a_picture_in_their_order_whatever_they_hold(
    data: Path,
) -> None:
    card, torn = data.parent / "kartu #1.png", data.parent / "torn.png"
    segno.make_qr(nik(1)).save(str(card), scale=5, border=4)
    torn.write_bytes(card.read_bytes()[:40])
    paths = [str(torn), str(card), str(data.parent / "none.png"), str(card)]
    done = run(data, "decode", *paths, "--json", check=1)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    read = {"readings": [{"text": nik(1), "symbology": "qr"}], "candidates": []}
    empty: dict[str, object] = {"readings": [], "candidates": []}
    assert lines == [
        {"path": path, **what} for path, what in zip(paths, [empty, read, empty, read], strict=True)
    ]
    assert done.stderr.decode().count("\n") == 2


def test_reading_a_folder_without_a_station_says_so_and_makes_nothing(tmp_path: Path) -> None:
    done = run(tmp_path / "none", "batch", "list", check=3)
    assert b"no station" in done.stderr
    assert not (tmp_path / "none").exists()


def test_a_writing_command_beside_a_running_station_is_refused_and_a_reading_one_works(
    data: Path,
) -> None:
    station = Station(data)
    try:
        for arguments in (["scan", "--batch", "kupang"], ["batch", "create", "b", "--title", "x"]):
            done = run(data, *arguments, check=3)
            assert b"in use" in done.stderr
        assert run_json(data, "batch", "show", "kupang", "--json")["expected"] == 5
        assert len(run_json(data, "batch", "list", "--json")["batches"]) == 1
    finally:
        station.close()


def test_a_second_manifest_after_the_first_card_is_refused_with_exit_code_1(data: Path) -> None:
    scan(data, "kupang", nik(0))
    again = data.parent / "lagi.csv"
    again.write_text(f"nik\n{nik(9)}\n")
    done = run(data, "manifest", "import", str(again), "--batch", "kupang", check=1)
    assert b"cancel the batch" in done.stderr
    assert run_json(data, "batch", "show", "kupang", "--json")["expected"] == 5


def test_all_problems_of_a_manifest_can_be_written_to_a_file(data: Path) -> None:
    wrong, problems = data.parent / "salah.csv", data.parent / "masalah.csv"
    wrong.write_text("nik\n" + "12\n" * 150)
    done = run(data, "manifest", "check", str(wrong), "--problems", str(problems), check=1)
    assert b"problems found: 150" in done.stdout
    header, *lines = problems.read_text("utf-8-sig").splitlines()
    assert (header, len(lines)) == ("Line;Cell;Column;Value;What is wrong;What to do", 150)
    assert lines[-1].startswith("151;;nik;")


def test_the_data_folder_may_be_named_before_the_command_after_it_or_by_the_environment(
    data: Path,
) -> None:
    environment = {key: value for key, value in os.environ.items() if "STATION" not in key}
    for arguments in (
        ["--data", str(data), "batch", "show", "kupang", "--json"],
        ["batch", "show", "kupang", "--json", "--data", str(data)],
    ):
        done = subprocess.run([*COMMAND, *arguments], capture_output=True, env=environment)
        assert json.loads(done.stdout)["expected"] == 5


def test_a_reader_of_our_output_that_goes_away_is_no_failure(data: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "scan", "--batch", "kupang", "--data", str(data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdin.write(f"{nik(0)}\n".encode())
    process.stdin.flush()
    process.stdout.readline()
    process.stdout.close()
    writer = threading.Thread(target=_write_and_close, args=(process.stdin, nik(1)))
    writer.start()
    writer.join()
    assert process.wait(30) == 0
    assert process.stderr.read() == b""
    process.stderr.close()


def _write_and_close(stream: object, payload: str) -> None:
    stream.write(f"{payload}\n".encode())  # type: ignore[attr-defined]
    stream.close()  # type: ignore[attr-defined]
