"""A port setting and the device it means."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from scanner_station.readers.port_finder import PortFinder, PortInfo


@dataclass
class Plugged:
    device: str
    vid: int | None = None
    pid: int | None = None
    serial_number: str | None = None


@dataclass
class Bench:
    """What is plugged in: device files in a folder and what the system says about them."""

    folder: Path
    plugged: list[Plugged]

    def plug(self, name: str, vid: int | None = 0x0C2E, serial: str | None = None) -> str:
        path = self.folder / name
        path.touch()
        self.plugged.append(Plugged(str(path), vid, 0x0901 if vid else None, serial))
        return str(path)

    def unplug(self, path: str) -> None:
        Path(path).unlink()
        self.plugged = [one for one in self.plugged if one.device != path]

    def ports(self) -> Iterable[PortInfo]:
        return list(self.plugged)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, [])


def test_nothing_plugged_in_is_no_candidate(bench: Bench) -> None:
    for port in (f"{bench.folder}/ttyACM0", f"{bench.folder}/tty*", "usb:0c2e:0901"):
        assert PortFinder(port, bench.ports).candidates() == []


def test_an_address_is_its_own_candidate(bench: Bench) -> None:
    finder = PortFinder("socket://127.0.0.1:4001", bench.ports)
    finder.remember("socket://127.0.0.1:4001")
    assert finder.candidates() == ["socket://127.0.0.1:4001"]


def test_a_pattern_names_all_its_ports_in_the_order_of_their_numbers(bench: Bench) -> None:
    paths = [bench.plug(name) for name in ("ttyACM10", "ttyACM2", "ttyUSB0")]
    finder = PortFinder(f"{bench.folder}/ttyACM*", bench.ports)
    assert finder.candidates() == [paths[1], paths[0]]


def test_usb_numbers_name_the_scanner_wherever_it_is(bench: Bench) -> None:
    one = bench.plug("ttyACM0", serial="A1")
    two = bench.plug("ttyACM1", serial="B2")
    bench.plug("ttyUSB0", vid=0x1A86)
    assert PortFinder("usb:0c2e:0901", bench.ports).candidates() == [one, two]
    assert PortFinder("usb:0C2E:0901:B2", bench.ports).candidates() == [two]
    assert PortFinder("usb:0c2e:0901:zz", bench.ports).candidates() == []


def test_a_scanner_that_came_back_under_another_name_is_found_by_its_usb_numbers(
    bench: Bench,
) -> None:
    path = bench.plug("ttyACM0", serial="A1")
    finder = PortFinder(path, bench.ports)
    finder.remember(path)
    bench.unplug(path)
    assert finder.candidates() == []
    bench.plug("ttyACM1", serial="B2")
    back = bench.plug("ttyACM2", serial="A1")
    assert finder.candidates() == [back]


def test_another_scanner_under_the_old_name_is_only_second_choice(bench: Bench) -> None:
    path = bench.plug("ttyACM0", serial="A1")
    finder = PortFinder(path, bench.ports)
    finder.remember(path)
    bench.unplug(path)
    bench.plug("ttyACM0", serial="B2")
    assert finder.candidates() == [path]  # deliberately exchanged: the setting still holds
    back = bench.plug("ttyACM1", serial="A1")
    assert finder.candidates() == [back, path]


def test_of_scanners_that_cannot_be_told_apart_the_configured_path_goes_first(
    bench: Bench,
) -> None:
    other, path = bench.plug("ttyACM0"), bench.plug("ttyACM1")
    finder = PortFinder(path, bench.ports)
    finder.remember(path)
    assert finder.candidates() == [path, other]


def test_a_link_is_remembered_as_the_device_behind_it(bench: Bench) -> None:
    path = bench.plug("ttyACM0", serial="A1")
    link = bench.folder / "scanner-gate"
    link.symlink_to(path)
    finder = PortFinder(str(link), bench.ports)
    finder.remember(str(link))
    assert finder.candidates() == [str(link), path]
    link.unlink()
    assert finder.candidates() == [path]


def test_a_port_that_is_not_on_usb_is_known_by_its_path_alone(bench: Bench) -> None:
    path = bench.plug("ttyS0", vid=None)
    bench.plug("ttyS1", vid=None)
    finder = PortFinder(path, bench.ports)
    finder.remember(path)
    assert finder.candidates() == [path]


def test_a_device_that_vanishes_while_ports_are_listed_is_no_accident(bench: Bench) -> None:
    path = bench.plug("ttyACM0")

    def half_gone() -> Iterable[PortInfo]:
        raise TypeError("int() can't convert non-string with explicit base")

    finder = PortFinder(path, half_gone)
    finder.remember(path)
    assert finder.candidates() == [path]
