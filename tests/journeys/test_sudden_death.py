"""SIGKILL in the middle of scanning: nothing acknowledged is lost, nothing is doubled."""

import json
import os
import random
import signal
from pathlib import Path

import pytest

from scanner_station.domain.counter import Verdict
from scanner_station.service import views
from tests.journeys.command_line import run, run_json, started
from tests.service.stations import nik

KILLS = 100


@pytest.mark.slow
def test_every_acknowledged_card_is_there_once_after_a_hundred_kills(tmp_path: Path) -> None:
    data = tmp_path / "data"
    run(data, "batch", "create", "mati", "--title", "Mati mendadak")
    chance = random.Random(2018)
    acknowledged: dict[int, tuple[str, str]] = {}
    sent: list[str] = []
    for _ in range(KILLS):
        cards = [nik(chance.randrange(4000)) for _ in range(400)]
        acknowledged |= _scan_and_kill(data, cards, kill_after=chance.randrange(1, 25))
        sent += cards
    reading = views.Views(data)
    with reading.connection() as connection:
        entries = list(views.entries(connection, "mati"))[1:]
    reading.close()
    by_sequence = {entry.sequence: entry for entry in entries}
    for sequence, (payload, verdict) in acknowledged.items():
        assert by_sequence[sequence].identifier == payload
        assert by_sequence[sequence].body["verdict"] == verdict
    counted = [e.identifier for e in entries if e.body["verdict"] == Verdict.COUNTED]
    assert len(counted) == len(set(counted))
    assert {entry.identifier for entry in entries} <= set(sent)
    assert len(acknowledged) >= KILLS
    shown = run_json(data, "batch", "show", "mati", "--json")
    assert shown["counted"] == len(counted)
    # A process may die between the disk and its answer: some entries were never acknowledged.
    print(f"{len(acknowledged)} acknowledged, {len(entries) - len(acknowledged)} unconfirmed")


def _scan_and_kill(data: Path, cards: list[str], kill_after: int) -> dict[int, tuple[str, str]]:
    (typed, typing), (reading, printed) = os.pipe(), os.pipe()
    with (
        os.fdopen(typing, "wb") as keyboard,
        os.fdopen(reading, "rb") as screen,
    ):
        with os.fdopen(typed, "rb") as stdin, os.fdopen(printed, "wb") as stdout:
            process = started(data, ["scan", "--batch", "mati"], stdin, stdout, stdout)
        keyboard.write("".join(f"{card}\n" for card in cards).encode())
        keyboard.flush()
        answers = [screen.readline() for _ in range(kill_after)]
        process.kill()
        # What it had already printed when it died was acknowledged too.
        answers += screen.read().splitlines(keepends=True)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    process.close()
    whole = [json.loads(answer) for answer in answers if answer.endswith(b"\n")]
    return {
        verdict["sequence"]: (card, verdict["verdict"])
        for card, verdict in zip(cards, whole, strict=False)
    }
