import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from sqlite3 import Connection

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, settings

from scanner_station.domain.entry import Entry, Kind
from scanner_station.domain.entry_shapes import check_shape
from scanner_station.domain.errors import VerificationError
from scanner_station.domain.merkle import Frontier
from scanner_station.storage import scan_log

# How long an example takes says more of the machine's other work than of the product.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

IN_MEMORY = Path("/dev/shm")
ROOM_BYTES = 2 << 30

# A station synchronises each card to the disk; on a disk in memory the same calls wait for nobody.
# That what was synchronised stays is shown by tests/power, which follows the calls themselves.
if (
    "TMPDIR" not in os.environ
    and os.access(IN_MEMORY, os.W_OK)
    and shutil.disk_usage(IN_MEMORY).free > ROOM_BYTES
):
    os.environ["TMPDIR"] = tempfile.tempdir = str(IN_MEMORY)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no worker is left alone with it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(autouse=True, scope="session")
def _cheap_secrets() -> Iterator[None]:
    """Hash PINs fast: what it costs on purpose would be most of the time of these tests."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scanner_station.service.people._HASHER", cheap)
        yield


@pytest.fixture(autouse=True, scope="session")
def _entries_have_their_shape() -> Iterator[None]:
    """Hold every entry that any test's station writes against what `verify` asks of it."""
    append = scan_log.append

    def checked(
        connection: Connection, batch_id: int, entry: Entry, edge: Frontier | None = None
    ) -> None:
        try:
            check_shape(entry.body, Kind(str(entry.body["kind"])))
        except VerificationError as error:
            pytest.fail(f"{error}: {entry.body}")
        append(connection, batch_id, entry, edge)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan_log, "append", checked)
        yield
