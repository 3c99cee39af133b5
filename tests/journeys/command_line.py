"""The real command, as a user types it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-m", "scanner_station")


def run(
    data: Path, *arguments: str, stdin: bytes = b"", check: int | None = 0
) -> subprocess.CompletedProcess[bytes]:
    """Run one command on a data folder; `check` is the exit code it must have (None: any)."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        input=stdin,
        capture_output=True,
        timeout=120,
        env=os.environ | {"SCANNER_STATION_DATA": str(data)},
    )
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
