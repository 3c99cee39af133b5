"""What a program asked the operating system to do with files, recorded by strace."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

_CALLS: Final = (
    "open,openat,close,read,lseek,write,pwrite64,writev,pwritev,ftruncate,truncate,fallocate,"
    "fsync,fdatasync,sync_file_range,mkdir,mkdirat,rmdir,unlink,unlinkat,link,linkat,symlink,"
    "symlinkat,rename,renameat,renameat2,dup,dup2,dup3,copy_file_range,sendfile"
)
# A call this machine's processor does not have is passed over ("?").
_FILTER: Final = "trace=" + ",".join(f"?{name}" for name in _CALLS.split(","))
_LINE: Final = re.compile(r"^(\w+)\((.*)\)\s+= (-?\d+)")


class Call(NamedTuple):
    """One system call that succeeded. Strings of `arguments` are bytes, the rest is as written."""

    name: str
    arguments: list[bytes | str]
    result: int


def record(command: list[str | Path], scratch: Path, environment: dict[str, str]) -> list[Call]:
    """Run a program with one thread to its end and return its calls."""
    path = scratch / "trace"
    asked = ["strace", "--seccomp-bpf", "-f", "-qq", "-xx", "-s", "100000000", "-e", _FILTER]
    done = subprocess.run(
        [*asked, "-e", "signal=none", "-o", path, *command],
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return list(_calls(path))


def _calls(path: Path) -> Iterator[Call]:
    process = ""
    with path.open(encoding="ascii") as file:
        for line in file:
            number, _, said = line.partition(" ")
            process = process or number
            assert number == process, "the traced program must have one thread"
            match = _LINE.match(said.lstrip())
            if match is not None and int(match[3]) >= 0:
                yield Call(match[1], list(_arguments(match[2])), int(match[3]))


def _arguments(text: str) -> Iterator[bytes | str]:
    place = 0
    while place < len(text):
        if text[place] == '"':
            end = text.index('"', place + 1)
            assert text[end + 1 : end + 4] != "...", "strace has cut a string short"
            yield bytes.fromhex(text[place + 1 : end].replace("\\x", ""))
            place = end + 1
        else:
            end = text.find(", ", place)
            end = len(text) if end < 0 else end
            yield text[place:end]
            place = end
        place += 2
