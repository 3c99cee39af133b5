"""What the document on manifests says is what the station says."""

import re
from pathlib import Path

import pytest

from scanner_station.domain.manifest_problems import TEXTS, Code
from scanner_station.service import batches
from scanner_station.service.station import Station

DOCUMENT = (Path(__file__).parent.parent / "docs" / "manifest.md").read_text("utf-8")


@pytest.mark.parametrize("code", Code)
def test_every_refusal_and_its_remedy_stand_in_the_document(code: Code) -> None:
    for template in TEXTS[code]:
        assert re.sub(r"%\(\w+\)s", "…", template) in DOCUMENT


def test_the_example_of_the_document_is_accepted(tmp_path: Path) -> None:
    (example,) = re.findall(r"```csv\n(.*?)```", DOCUMENT, re.DOTALL)
    path = tmp_path / "example.csv"
    path.write_text(example, "utf-8")
    station = Station(tmp_path / "data")
    batches.create(station, "contoh", title="Contoh", by="penyelia")
    checked = batches.check_manifest(station, "contoh", path, path.name)
    batches.import_manifest(station, "contoh", checked, by="penyelia")
    assert station.counter("contoh").tally.expected_total == 3
    station.close()
