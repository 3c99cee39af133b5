"""Which modules a command needs, and that it is told so."""

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
