"""The way from a clone to a counting page: Makefile, README and what they promise."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKE = shutil.which("make")

pytestmark = pytest.mark.skipif(MAKE is None, reason="make is not installed")


def make(
    *arguments: str, folder: Path, path: str | None = None, makefile: Path = ROOT / "Makefile"
) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        [str(MAKE), "-f", str(makefile), "-C", str(folder), *arguments],
        env=kept | ({"PATH": path} if path else {}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def written_program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/bash\n{text}\n", encoding="utf-8")
    program.chmod(0o755)


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with the few programs a bare machine has, a stand-in apt, and no sudo."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("bash", "flock", "cat", "cmp", "cp", "rm", "mkdir", "touch", "grep", "env", "sed"):
        (folder / name).symlink_to(str(shutil.which(name)))
    written_program(folder, "id", "echo 0")
    written_program(folder, "ldconfig", "echo libzbar.so.0")
    written_program(folder, "apt-get", f'echo "$@" >>{tmp_path}/asked-of-apt')
    return folder


@pytest.fixture
def project(tmp_path: Path, programs: Path) -> Path:
    """A project folder with a stand-in Python that notes what is asked of it."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    written_program(
        programs,
        "python3",
        f"""
        echo "$@" >>{tmp_path}/asked-of-python
        case "$*" in
            *ensurepip*) echo {programs}/python3 ;;
            "-m venv .venv") mkdir -p .venv/bin; cp {programs}/python3 .venv/bin/python ;;
            *"pip install"*) [ ! -e {tmp_path}/no-network ] ;;
        esac""",
    )
    return folder


def asked(project: Path, of: str) -> list[str]:
    """Return what was asked of apt or Python since the last time."""
    notes = project.parent / f"asked-of-{of}"
    lines = notes.read_text().splitlines() if notes.exists() else []
    notes.unlink(missing_ok=True)
    return [line for line in lines if "ensurepip" not in line and line != "-c "]


def test_the_first_screen_gives_the_two_commands() -> None:
    first_screen = "\n".join(README.splitlines()[:24])

    assert "make run" in first_screen
    assert "make test" in first_screen


@pytest.mark.parametrize("target", ["install", "run", "test", "lint", "check"])
def test_every_make_command_that_the_documents_name_exists(target: str) -> None:
    done = make("--dry-run", target, folder=ROOT)

    assert done.returncode == 0, done.stderr


def test_make_alone_says_what_there_is_to_do() -> None:
    done = make(folder=ROOT)

    assert "make run" in done.stdout
    assert "make test" in done.stdout


def test_every_document_that_is_linked_exists() -> None:
    for document in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        links = re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8"))
        assert [link for link in links if not (document.parent / link).exists()] == []


def test_the_readmes_figures_add_up() -> None:
    assert all(figure in README for figure in ("2,629", "2,169", "2,669", "2,129"))
    assert (2169 + 500, 2129 + 500) == (2669, 2629)


def test_the_build_machine_runs_the_readmes_own_test_command() -> None:
    script = ROOT / ".ci" / "run"

    assert "make test" in script.read_text(encoding="utf-8").splitlines()
    assert os.access(script, os.X_OK)


def test_a_missing_library_is_asked_of_apt_and_nothing_else(project: Path, programs: Path) -> None:
    written_program(programs, "ldconfig", "echo libc.so.6")

    done = make("install", folder=project, path=str(programs))

    assert done.returncode == 0, done.stderr
    update, install = asked(project, "apt")
    assert update.endswith("update")
    assert install.endswith("install --yes --no-install-recommends libzbar0")


def test_a_second_installation_asks_neither_apt_nor_pip(project: Path, programs: Path) -> None:
    make("install", folder=project, path=str(programs))
    first = asked(project, "python")
    done = make("install", folder=project, path=str(programs))

    assert done.returncode == 0, done.stderr
    assert [line for line in first if "pip install" in line]
    assert asked(project, "python") == []
    assert asked(project, "apt") == []


def test_new_dependencies_are_installed_into_the_same_environment(
    project: Path, programs: Path
) -> None:
    make("install", folder=project, path=str(programs))
    asked(project, "python")
    (project / "pyproject.toml").write_text("[project]\nversion = '2'\n", encoding="utf-8")
    make("install", folder=project, path=str(programs))

    (line,) = asked(project, "python")
    assert line.startswith("-m pip install ")


@pytest.mark.parametrize("damage", ["cut_short", "moved", "python_gone"])
def test_a_damaged_environment_is_made_anew(project: Path, programs: Path, damage: str) -> None:
    make("install", folder=project, path=str(programs))
    asked(project, "python")
    match damage:
        case "cut_short":
            (project / ".venv" / ".unfinished").touch()
        case "moved":
            project = project.rename(project.parent / "elsewhere")
        case "python_gone":
            (project / ".venv" / "bin" / "python").unlink()
    done = make("install", folder=project, path=str(programs))

    assert done.returncode == 0, done.stderr
    created, installed = asked(project, "python")
    assert created == "-m venv .venv"
    assert "pip install" in installed
    assert not (project / ".venv" / ".unfinished").exists()


def test_a_network_that_fails_leaves_the_environment_usable(project: Path, programs: Path) -> None:
    make("install", folder=project, path=str(programs))
    (project / "pyproject.toml").write_text("[project]\nversion = '2'\n", encoding="utf-8")
    (project.parent / "no-network").touch()
    failed = make("install", folder=project, path=str(programs))
    (project.parent / "no-network").unlink()
    asked(project, "python")
    again = make("install", folder=project, path=str(programs))

    assert failed.returncode != 0
    assert "pip could not install" in failed.stderr
    assert again.returncode == 0
    (line,) = asked(project, "python")
    assert "pip install" in line


def test_without_root_and_sudo_the_user_is_told_the_line_to_run(
    project: Path, programs: Path
) -> None:
    written_program(programs, "ldconfig", "echo libc.so.6")
    written_program(programs, "id", "echo 1000")
    done = make("install", folder=project, path=str(programs))

    assert done.returncode != 0
    assert "As root, run: apt-get install libzbar0" in done.stderr
    assert asked(project, "apt") == []


def test_an_account_with_sudo_installs_through_it(project: Path, programs: Path) -> None:
    written_program(programs, "ldconfig", "echo libc.so.6")
    written_program(programs, "id", "echo 1000")
    written_program(programs, "sudo", f'echo sudo >>{project.parent}/asked-of-apt; exec "$@"')
    done = make("install", folder=project, path=str(programs))

    assert done.returncode == 0, done.stderr
    assert asked(project, "apt")[0] == "sudo"


def test_a_system_without_a_usable_python_is_told_so(project: Path, programs: Path) -> None:
    (programs / "python3").unlink()
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    bare = project / "Makefile"
    bare.write_text(makefile.replace(" /usr/bin/python3;", ";"), encoding="utf-8")
    done = make("install", folder=project, path=str(programs), makefile=bare)

    assert done.returncode != 0
    assert "64-bit Python 3.11, 3.12 or 3.13" in done.stderr
    assert asked(project, "apt")[1].endswith("python3 python3-venv")


def test_the_python_that_runs_these_tests_is_one_the_station_supports() -> None:
    assert (3, 11) <= sys.version_info[:2] <= (3, 13)
