"""A batch of 25,000 cards: how large a receipt is, and how long it takes to check the whole."""

import importlib
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scanner_station.domain.checkpoint import cosignature, witness_key
from scanner_station.exports.bundle import export_bundle
from scanner_station.exports.receipts import make_receipt
from scanner_station.exports.verification import Asked, verify
from scanner_station.service import heads
from scanner_station.service.station import Station

BENCH = Path(__file__).parents[2] / "bench"
CARDS = 25_000
WITNESSES = {
    f"{name}-inspektorat-kota-kupang-{number:04x}": Ed25519PrivateKey.generate()
    for number, name in enumerate(("wati", "budi"), start=0xA1B2)
}


@pytest.mark.slow
def test_a_receipt_of_25000_cards_fits_on_paper_and_the_bundle_is_checked_within_two_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(BENCH)
    filled = importlib.import_module("filled_station")
    filled.fill(tmp_path / "data", CARDS, further=100)
    station = Station(tmp_path / "data", name="station-1")
    for name, key in WITNESSES.items():
        text = witness_key(name, key).text
        heads.enrol(station, filled.SLUG, text, witness=name, by="penyelia")
    head = heads.sign(station, filled.SLUG).checkpoint
    for name, key in WITNESSES.items():
        line = cosignature(head, name, key, time_s=1_545_181_200).line
        heads.cosign(station, filled.SLUG, head.size, line)
    identifier = filled.identifier(0)
    with station.transaction() as connection:
        receipt = make_receipt(connection, filled.SLUG, station.key, identifier.encode())
        export_bundle(connection, filled.SLUG, station.key, tmp_path / "bundle.zip")
    station.close()
    assert len(receipt.head.note.signatures) == 3
    assert len(receipt.path) >= 14
    assert len(bytes(receipt)) <= 1500
    asked = Asked(receipt=bytes(receipt), identifier=identifier)
    told: list[tuple[int, int]] = []
    # Of this process alone: a build machine may be busy with other things.
    began = time.process_time()
    found = verify(tmp_path / "bundle.zip", asked, progress=lambda *one: told.append(one))
    took_s = time.process_time() - began
    assert found.receipt_is_of_card
    assert found.audit.tally.counted == CARDS
    assert took_s < 2
    shares = [done / total for done, total in told]
    assert len(shares) > 50
    assert shares == sorted(shares)
    assert shares[-1] == 1
