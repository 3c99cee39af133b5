"""A file is there whole and on disk, or not at all."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from scanner_station.domain.errors import InputError, StorageError
from scanner_station.storage.durable_file import written_durably


@pytest.fixture(params=["nameless", "named"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose file system knows nameless files, and one that does not (a USB stick)."""
    if request.param == "named":
        real_open = os.open

        def open_without_nameless(path: Path, flags: int, mode: int = 0o777) -> int:
            if flags & os.O_TMPFILE == os.O_TMPFILE:
                raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
            return real_open(path, flags, mode)

        monkeypatch.setattr(os, "open", open_without_nameless)
    return tmp_path


def test_the_name_appears_only_when_everything_is_written(folder: Path) -> None:
    path = folder / "log.csv"
    with written_durably(path) as file:
        file.write(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert list(folder.iterdir()) == [path]


def test_a_file_of_the_same_name_is_replaced_in_one_step(folder: Path) -> None:
    path = folder / "log.csv"
    path.write_bytes(b"earlier")
    with written_durably(path) as file:
        file.write(b"later")
        file.flush()
        assert path.read_bytes() == b"earlier"
    assert path.read_bytes() == b"later"
    assert list(folder.iterdir()) == [path]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, ValueError, OSError])
def test_an_interrupted_file_leaves_nothing_behind(
    folder: Path, interruption: type[BaseException]
) -> None:
    path = folder / "log.csv"
    path.write_bytes(b"earlier")

    def write_half() -> None:
        with written_durably(path) as file:
            file.write(b"half")
            raise interruption

    with pytest.raises((interruption, StorageError)):
        write_half()
    assert path.read_bytes() == b"earlier"
    assert list(folder.iterdir()) == [path]


def test_a_full_disk_is_said_and_leaves_nothing_behind(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with (
        pytest.raises(StorageError, match="No space left on device"),
        written_durably(folder / "log.csv") as file,
    ):
        file.write(b"whole")
    assert list(folder.iterdir()) == []


def test_the_file_is_synchronised_before_its_name_and_the_folder_after(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, real_fsync, seen = folder / "log.csv", os.fsync, []

    def fsync(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        seen.append(("folder" if is_folder else "file", path.exists()))
        real_fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with written_durably(path) as file:
        file.write(b"whole")
    assert seen == [("file", False), ("folder", True)]


def test_only_the_owner_may_read_it(folder: Path) -> None:
    path = folder / "log.csv"
    with written_durably(path) as file:
        file.write(b"whole")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_through_a_link_the_file_behind_it_is_replaced(folder: Path) -> None:
    link, target = folder / "link.csv", folder / "target.csv"
    link.symlink_to(target)
    with written_durably(link) as file:
        file.write(b"whole")
    assert link.is_symlink()
    assert target.read_bytes() == b"whole"


def test_a_missing_folder_and_a_name_that_is_no_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"), written_durably(tmp_path / "no" / "x"):
        pass
    with pytest.raises(InputError, match="is not a file"), written_durably(tmp_path):
        pass
    with pytest.raises(InputError, match="is not a file"), written_durably(Path("/dev/null")):
        pass


def test_a_killed_process_leaves_nothing_behind(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, sys; from scanner_station.storage.durable_file import *\n"
        "with written_durably(pathlib.Path(sys.argv[1])) as file:\n"
        "    file.write(b'half'); file.flush(); os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program, tmp_path / "log.csv"], check=False)
    assert killed.returncode == -9
    assert list(tmp_path.iterdir()) == []
