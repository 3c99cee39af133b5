"""Who an entry from the command line names."""

import os
import pwd

import pytest

from scanner_station.cli.compose import local_account


def test_an_entry_names_the_account_that_runs_a_command_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOGNAME", "kepala seksi")
    assert local_account() == pwd.getpwuid(os.getuid()).pw_name
    # An account may be called anything; no NIK comes into the log by its name.
    monkeypatch.setattr(pwd, "getpwuid", lambda _: pwd.struct_passwd(("9971044107900001",) * 7))
    assert local_account() == f"uid-{os.getuid()}"
