from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.webapp.running import RunningStation


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningStation]:
    with RunningStation(tmp_path / "data") as station:
        station.create()
        yield station


@pytest.fixture
def client(running: RunningStation) -> FlaskClient:
    return running.app.test_client()
