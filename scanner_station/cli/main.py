"""The `scanner-station` command: its options, its exit codes, and how it says what went wrong."""

import os
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from scanner_station import __version__
from scanner_station.domain.errors import (
    ClosingError,
    InputError,
    ManifestError,
    ReaderError,
    StationError,
    VerificationError,
)
from scanner_station.domain.text import shown

_MOST_SHOWN: Final = 8000
EXIT_REFUSED: Final = 1
EXIT_USAGE: Final = 2
EXIT_CANNOT_WORK: Final = 3
EXIT_INTERRUPTED: Final = 130

DATA_VARIABLE: Final = "SCANNER_STATION_DATA"
DEFAULT_DATA: Final = "data"

# The modules that add commands to `cli` when they are imported, and to which of its commands.
_MODULES: Final = {
    "batch_commands": ("batch", "rehearsal-cards"),
    "card_commands": ("decode", "scan", "void"),
    "closing_commands": ("batch", "declare", "explain", "reconcile", "witness"),
    "custody_commands": ("add", "agree", "batch", "container", "unidentified"),
    "daemon_commands": ("demo", "run"),
    "file_commands": ("export", "manifest"),
    "guide_commands": ("guide",),
    "log_commands": ("forget", "receipt", "verify"),
    "minutes_commands": ("minutes", "particulars"),
    "recap_commands": ("recap",),
    "user_commands": ("certificate", "user"),
}

Command = TypeVar("Command", bound=Callable[..., Any])


class _Commands(click.Group):
    """Imports what the command that is run needs: all of it would take a Raspberry Pi seconds."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in alphabetical order."""
        _import(_MODULES)
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of this name, if there is one."""
        of_it = [module for module, commands in _MODULES.items() if cmd_name in commands]
        _import(of_it or _MODULES)
        return super().get_command(ctx, cmd_name)


def _import(modules: Iterable[str]) -> None:
    for module in modules:
        import_module(f"scanner_station.cli.{module}")


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
@click.option(
    "--data", "data", type=click.Path(file_okay=False, path_type=Path), help="Data folder."
)
@click.pass_context
def cli(context: click.Context, data: Path | None) -> None:
    """Count identity cards, once each and in front of witnesses, before they are destroyed.

    The data folder is the one named by --data, else by SCANNER_STATION_DATA, else ./data.
    """
    context.obj = data


def with_data(command: Command) -> Command:
    """Give a command the data folder as `data`, named before or after the command."""

    def remember(context: click.Context, _: click.Parameter, value: Path | None) -> Path:
        named = value or context.find_root().obj or os.environ.get(DATA_VARIABLE) or DEFAULT_DATA
        return Path(named)

    option = click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        callback=remember,
        help=f"Data folder (else {DATA_VARIABLE}, else ./{DEFAULT_DATA}).",
    )
    return option(command)


def exit_code_for(error: StationError) -> int:
    """Return 1 for what was refused, 2 for wrong usage, 3 when the station cannot work."""
    match error:
        case ManifestError() | VerificationError() | ClosingError():
            return EXIT_REFUSED
        case InputError():
            return EXIT_USAGE
        case ReaderError() | _:
            return EXIT_CANNOT_WORK


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit; every error is one sentence on standard error."""
    try:
        result = cli.main(args=arguments, prog_name="scanner-station", standalone_mode=False)
        sys.stdout.flush()
        code = result if isinstance(result, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        code = EXIT_USAGE
    except click.ClickException as error:
        code = _say(error.format_message(), EXIT_USAGE)
    except StationError as error:
        code = _say(str(error), exit_code_for(error))
    except (KeyboardInterrupt, click.exceptions.Abort):
        code = _say("interrupted; nothing half-done was left behind", EXIT_INTERRUPTED)
    sys.exit(code)


def forget_output() -> None:
    """Write standard output nowhere from now on: whoever read it has gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(sentence: str, code: int) -> int:
    click.echo("scanner-station: " + shown(" ".join(sentence.split()), most=_MOST_SHOWN), err=True)
    return code
