"""The real command, as a user types it.

`run` gives each command a process of its own, with its own descriptors, environment and exit code:
the copy of a process that has imported everything and waits (`multiprocessing`'s fork server), for
to import is half a second of each, and the tests run hundreds. `COMMAND` is the command as a shell
starts it: for tests of how it starts, and for one of each module of commands.
"""

import json
import multiprocessing
import os
import pkgutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import DupFd
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import scanner_station
from scanner_station.cli.main import main

COMMAND = (sys.executable, "-m", "scanner_station")
WITHIN_S = 120


class _Copied:
    """A descriptor on its way into another process, where it arrives as a number."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def __reduce__(self) -> tuple[Callable[[Any], int], tuple[Any]]:
        return _arrived, (DupFd(self._stream.fileno()),)


def _arrived(copy: Any) -> int:
    return int(copy.detach())


@cache
def _prepared() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    modules = pkgutil.walk_packages(scanner_station.__path__, "scanner_station.")
    names = [one.name for one in modules if not one.name.endswith("__main__")]
    context.set_forkserver_preload([__name__, *names])
    return context


def started(
    data: Path, arguments: Sequence[str], stdin: IO[bytes], stdout: IO[bytes], stderr: IO[bytes]
) -> BaseProcess:
    """Start one command on a data folder, with copies of these streams."""
    stdin.flush()
    environment = os.environ | {"SCANNER_STATION_DATA": str(data)}
    streams = [_Copied(stream) for stream in (stdin, stdout, stderr)]
    process = _prepared().Process(target=_command, args=(arguments, environment, streams))
    process.start()
    return process


def _command(arguments: Sequence[str], environment: dict[str, str], streams: list[int]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin, sys.stdout = open(0), open(1, "w")  # noqa: SIM115 - as Python itself does
    sys.stderr = open(2, "w", errors="backslashreplace")  # noqa: SIM115
    main(list(arguments))


def run(
    data: Path, *arguments: str, stdin: bytes = b"", check: int | None = 0
) -> subprocess.CompletedProcess[bytes]:
    """Run one command on a data folder; `check` is the exit code it must have (None: any)."""
    with TemporaryFile() as typed, TemporaryFile() as out, TemporaryFile() as said:
        typed.write(stdin)
        typed.seek(0)
        process = started(data, arguments, typed, out, said)
        process.join(WITHIN_S)
        assert process.exitcode is not None, f"{arguments} has not ended within {WITHIN_S} s"
        code = process.exitcode
        process.close()
        out.seek(0)
        said.seek(0)
        done = subprocess.CompletedProcess(arguments, code, out.read(), said.read())
    assert check is None or done.returncode == check, done.stderr.decode()
    return done


def run_json(data: Path, *arguments: str, stdin: bytes = b"", check: int | None = 0) -> Any:
    """Run one command and return the one JSON object it prints."""
    return json.loads(run(data, *arguments, stdin=stdin, check=check).stdout)


def scan(data: Path, slug: str, *payloads: str) -> list[dict[str, Any]]:
    """Scan payloads and return their verdicts."""
    lines = "".join(f"{payload}\n" for payload in payloads).encode()
    done = run(data, "scan", "--batch", slug, stdin=lines)
    return [json.loads(line) for line in done.stdout.splitlines()]
