"""Which modules a command needs, and that it is told so."""

import subprocess
import sys

import click

from scanner_station.cli.main import _MODULES, cli


def test_each_command_imports_every_module_that_adds_to_it() -> None:
    context = click.Context(cli)
    names = cli.list_commands(context)
    for name in names:
        command = cli.get_command(context, name)
        assert command is not None
        parts = [command, *getattr(command, "commands", {}).values()]
        needed = {part.callback.__module__.removeprefix("scanner_station.cli.") for part in parts}
        assert needed == {module for module, added in _MODULES.items() if name in added}, name
    assert set(names) == {name for added in _MODULES.values() for name in added}


def test_each_module_of_commands_needs_no_other_to_be_imported_first() -> None:
    program = f"""
import os, sys
from importlib import import_module
import scanner_station.cli.main
for module in {list(_MODULES)}:
    if not os.fork():
        import_module(f"scanner_station.cli.{{module}}")
        os._exit(0)
    assert os.wait()[1] == 0, module
"""
    subprocess.run([sys.executable, "-c", program], check=True)
