"""The picture of the count over time: true at its end, small, and read once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner_station.service.progress import MOST_STEPS, Progress
from scanner_station.storage import scan_log
from tests.fakes import FakeClock
from tests.webapp.running import SLUG, RunningStation, nik


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def running(tmp_path: Path, clock: FakeClock) -> Iterator[RunningStation]:
    with RunningStation(tmp_path / "data", clock=clock) as station:
        station.create()
        yield station


def steps_of(progress: Progress, running: RunningStation) -> list[tuple[str, int]]:
    with running.views.connection() as connection:
        told = progress.of(connection, SLUG)["steps"]
    assert isinstance(told, list)
    return [(one["at"][11:19], one["counted"]) for one in told]


def test_it_grows_with_the_cards_and_shrinks_with_what_is_taken_back(
    running: RunningStation, clock: FakeClock
) -> None:
    progress = Progress()
    assert steps_of(progress, running) == []
    running.scan(nik(1))
    running.scan(nik(1))
    clock.advance(30)
    taken = running.scan(nik(2))
    clock.advance(60)
    running.scan(nik(3))
    assert steps_of(progress, running) == [
        ("01:00:00", 0),
        ("01:00:00", 1),
        ("01:00:30", 2),
        ("01:01:30", 3),
    ]
    clock.advance(60)
    running.station.void(SLUG, taken.sequence, reason="salah", by="petugas")
    assert steps_of(progress, running)[-1] == ("01:02:30", 2)
    assert steps_of(Progress(), running) == steps_of(progress, running)


def test_each_entry_is_read_once(running: RunningStation, monkeypatch: pytest.MonkeyPatch) -> None:
    progress = Progress()
    running.scan(nik(1))
    steps_of(progress, running)
    asked: list[int] = []
    read = scan_log.counted_over_time

    def spy(connection: object, batch_id: int, after: int) -> object:
        asked.append(after)
        return read(connection, batch_id, after)  # type: ignore[arg-type]

    monkeypatch.setattr(scan_log, "counted_over_time", spy)
    steps_of(progress, running)
    assert asked == []
    running.scan(nik(2))
    steps_of(progress, running)
    assert asked == [1]


def test_a_clock_that_is_set_back_loses_no_card(running: RunningStation, clock: FakeClock) -> None:
    progress = Progress()
    first = running.scan(nik(1))
    clock.advance(-3600)
    running.station.void(SLUG, first.sequence, reason="salah", by="petugas")
    running.scan(nik(2))
    running.scan(nik(3))
    steps = steps_of(progress, running)
    assert [counted for _, counted in steps] == [0, 1, 2]


def test_days_of_counting_are_a_small_picture_that_ends_at_the_count(
    running: RunningStation, clock: FakeClock
) -> None:
    for number in range(300):
        running.scan(nik(number))
        clock.advance(61)
    steps = steps_of(Progress(), running)
    assert len(steps) == MOST_STEPS
    assert (steps[0][1], steps[-1][1]) == (0, 300)
