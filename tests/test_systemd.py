"""The service unit: understood by systemd without a complaint, and what the station relies on."""

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from scanner_station.cli.main import cli

FOLDER = Path(__file__).parent.parent / "systemd"
UNIT = FOLDER / "scanner-station.service"


@pytest.fixture
def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=True, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's keys have capitals
    parser.read_string(UNIT.read_text(encoding="utf-8"))
    return parser


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_has_nothing_to_say_about_the_unit(tmp_path: Path) -> None:
    installed = tmp_path / UNIT.name
    text = UNIT.read_text(encoding="utf-8")
    program = shutil.which("true")
    installed.write_text(re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={program}", text))

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", installed],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr + done.stdout) == (0, "")


@pytest.mark.skipif(
    shutil.which("systemd-sysusers") is None or os.getuid() != 0,
    reason="systemd is not installed, or this is not root",
)
def test_the_account_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    done = subprocess.run(
        ["systemd-sysusers", f"--root={tmp_path}", FOLDER / "scanner-station.sysusers.conf"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "scanner-station:" in (tmp_path / "etc" / "passwd").read_text()


def test_the_service_has_an_account_and_a_folder_of_its_own(
    unit: configparser.ConfigParser,
) -> None:
    service = unit["Service"]

    assert service["User"] == "scanner-station"
    assert f"/var/lib/{service['StateDirectory']}" in service["ExecStart"].split()
    assert set(service["SupplementaryGroups"].split()) == {"video", "dialout"}
    account = (FOLDER / "scanner-station.sysusers.conf").read_text(encoding="utf-8")
    assert re.search(r"(?m)^u scanner-station ", account)


def test_systemd_waits_for_the_station_and_starts_it_again(
    unit: configparser.ConfigParser,
) -> None:
    service = unit["Service"]

    assert service["Type"] == "notify"
    assert int(service["WatchdogSec"]) > 0
    assert service["Restart"] == "on-failure"
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"


def test_cameras_and_serial_ports_stay_in_reach(unit: configparser.ConfigParser) -> None:
    assert not {"PrivateDevices", "DevicePolicy", "PrivateNetwork"} & set(unit["Service"])


def test_the_command_in_the_unit_exists(unit: configparser.ConfigParser) -> None:
    _, command, *options = unit["Service"]["ExecStart"].split()

    found = cli.get_command(click.Context(cli), command)
    assert found is not None
    known = {name for option in found.params for name in option.opts}
    assert {option for option in options if option.startswith("--")} <= known
