"""People and the certificate from the command line, on the machine itself."""

import json
from pathlib import Path

import pytest

from tests.journeys.command_line import run, run_json, scan
from tests.webapp.running import nik

PHRASE = b"kartu rusak dibakar\n"


def names(data: Path) -> dict[str, bool]:
    known = run_json(data, "user", "list", "--json")["people"]
    return {person["name"]: person["is_active"] for person in known}


def test_people_are_added_with_the_secret_from_standard_input(data_folder: Path) -> None:
    done = run(data_folder, "user", "add", "Sari", "--role", "supervisor", stdin=PHRASE)
    assert PHRASE.strip() not in done.stdout + done.stderr
    again = run(data_folder, "user", "add", "SARI", "--role", "officer", check=2)
    assert b"already somebody named" in again.stderr
    assert names(data_folder) == {"Sari": True}


@pytest.fixture(scope="module")
def nobody_known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("station")
    run(data, "batch", "create", "b", "--title", "T")
    return data


@pytest.mark.parametrize(("role", "word"), [("officer", b"PIN: "), ("supervisor", b"passphrase: ")])
def test_without_one_a_secret_is_made_up_and_told_once(
    data_folder: Path, role: str, word: bytes
) -> None:
    told = [
        run(data_folder, "user", "add", name, "--role", role).stdout.split(word)[1].split()[0]
        for name in ("Ani", "Budi")
    ]
    assert told[0] != told[1]
    assert all(len(secret) >= 6 for secret in told)
    assert told[0] not in (data_folder / "station.sqlite3").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (("add", "Ani", "--role", "officer"), b"12345\n"),
        (("add", "Ani", "--role", "officer", "--nip", "12"), b"713905\n"),
        (("add", "Ani", "--role", "boss"), b""),
        (("add", "Ani"), b""),
        (("add", " ", "--role", "officer"), b"713905\n"),
        (("reset", "Nobody"), b""),
        (("disable", "Nobody"), b""),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence(
    nobody_known: Path, arguments: tuple[str, ...], stdin: bytes
) -> None:
    done = run(nobody_known, "user", *arguments, stdin=stdin, check=2)
    assert done.stderr.startswith(b"scanner-station: ")
    assert done.stderr.count(b"\n") == 1
    assert names(nobody_known) == {}


def test_a_forgotten_passphrase_is_reset_here_and_every_open_log_says_so(
    data_folder: Path, tmp_path: Path
) -> None:
    run(data_folder, "batch", "create", "kupang-1", "--title", "T")
    scan(data_folder, "kupang-1", nik(1))
    run(data_folder, "user", "add", "Sari", "--role", "supervisor", stdin=PHRASE)
    run(data_folder, "user", "reset", "sari", stdin=b"kata sandi baru\n")
    scan(data_folder, "kupang-1", nik(2))
    log = tmp_path / "log.jsonl"
    run(data_folder, "export", "kupang-1", "--format", "jsonl", "--output", str(log))
    entries = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    assert [entry["kind"] for entry in entries] == ["open", "scan", "note", "scan"]
    assert "secret of supervisor Sari reset" in entries[2]["reason"]
    assert run_json(data_folder, "batch", "show", "kupang-1", "--json")["counted"] == 2


def test_somebody_is_shut_out_and_let_in_again_but_never_the_last_supervisor(
    data_folder: Path,
) -> None:
    run(data_folder, "user", "add", "Sari", "--role", "supervisor")
    run(data_folder, "user", "add", "Ani", "--role", "officer")
    run(data_folder, "user", "disable", "Ani")
    assert names(data_folder) == {"Ani": False, "Sari": True}
    run(data_folder, "user", "enable", "Ani")
    done = run(data_folder, "user", "disable", "Sari", check=2)
    assert b"last supervisor" in done.stderr
    assert names(data_folder) == {"Ani": True, "Sari": True}


def test_the_certificate_is_made_once_and_renewed_when_told_to(data_folder: Path) -> None:
    run(data_folder, "user", "add", "Sari", "--role", "supervisor")
    assert b"no certificate yet" in run(data_folder, "certificate", "show", check=2).stderr
    made = run(data_folder, "certificate", "renew").stdout
    assert run(data_folder, "certificate", "show").stdout == made
    assert b"127.0.0.1" in made
    assert run(data_folder, "certificate", "renew").stdout != made
