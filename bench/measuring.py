"""What every measurement here needs: a process of its own, its peak memory, the disk's name."""

import multiprocessing
import resource
import subprocess
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def alone(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function in a fresh process, so that peak memory is its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(function, *args, **kwargs).result()


def peak_rss_mb(*, children: bool = False) -> float:
    """Return the most memory that this process, or one it waited for, has held: in 10^6 bytes."""
    who = resource.RUSAGE_CHILDREN if children else resource.RUSAGE_SELF
    return resource.getrusage(who).ru_maxrss * 1024 / 1e6


def disk_of(folder: Path) -> str:
    """Return device and file system type of a folder, and refuse one that is only memory."""
    listing = subprocess.run(
        ["df", "--output=source,fstype", folder], check=True, capture_output=True, text=True
    )
    device, kind = listing.stdout.splitlines()[1].split()
    if kind in ("tmpfs", "ramfs"):
        raise SystemExit(f"{folder} is in memory ({kind}), not on a disk; use --data")
    return f"{device} ({kind})"
