"""The running station, its own camera and the seal: a card that is held keeps the batch open."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.journeys.command_line import COMMAND
from tests.webapp.running import free_port

WITHIN_S = 60.0


def ask(address: str, data: dict[str, Any] | None = None) -> Any:
    body = None if data is None else json.dumps(data).encode()
    request = Request(address, body, {"Content-Type": "application/json", "Accept-Language": "en"})
    try:
        with urlopen(request, timeout=WITHIN_S) as answer:
            return json.load(answer)
    except HTTPError as refused:
        return json.load(refused)


@pytest.mark.slow
def test_a_card_before_the_running_stations_camera_refuses_the_seal(tmp_path: Path) -> None:
    port = free_port()
    settings = tmp_path / "station.toml"
    settings.write_text(f"[web]\nport = {port}\nnetwork = ''\n", "utf-8")
    process = subprocess.Popen(
        [*COMMAND, "run", "--config", str(settings)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"SCANNER_STATION_DATA": str(tmp_path / "data")},
    )
    assert process.stdout is not None
    try:
        assert b"http" in process.stdout.readline()
        site = f"http://127.0.0.1:{port}/api/batches"
        slug = ask(site)["batches"][0]["slug"]
        held = "reader kamera-simulasi"
        until = time.monotonic() + WITHIN_S
        while time.monotonic() < until:
            refused = ask(f"{site}/{slug}/seal", {"by": "Ana Bria", "seconded_by": "Beni Tefa"})
            if any(held in one for one in refused.get("hindrances", [])):
                break
        assert any(held in one for one in refused["hindrances"]), refused
        assert ask(f"{site}/{slug}")["state"] == "open"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
