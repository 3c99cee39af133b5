"""Batches with every kind of entry, counted through the real station, for tests of bundles."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scanner_station.domain.checkpoint import SignedHead, cosignature, log_key, witness_key
from scanner_station.domain.findings import What
from scanner_station.exports.bundle import export_bundle
from scanner_station.service import batches, closing, custody, heads
from scanner_station.service.station import Station
from tests.fakes import FakeClock
from tests.service.stations import load_manifest, nik, show

SLUG = "kupang"
ORIGIN = "meja-1/kupang"
WITNESSES = {
    name: Ed25519PrivateKey.from_private_bytes(name[-1:].encode() * 32)
    for name in ("saksi-a", "saksi-b")
}


def made_station(folder: Path, scratch: Path, cards: int) -> Station:
    """Return a station whose batch lists `cards` lines, every seventh with two pieces."""
    station = Station(folder, name="meja-1", clock=FakeClock())
    batches.create(station, SLUG, title="Pemusnahan Kupang", by="penyelia")
    rows = [
        (
            nik(n),
            "rusak" if n % 3 else "pindah datang",
            "Alak" if n % 2 else "Oebobo",
            1 + (n % 7 == 0),
        )
        for n in range(cards)
    ]
    load_manifest(station, SLUG, rows, scratch)
    return station


def fill(station: Station, cards: int) -> None:
    """Count cards with repeats, strangers, garbage, typed ones, and one that is taken back."""
    for name, key in WITNESSES.items():
        heads.enrol(station, SLUG, witness_key(name, key).text, witness=name, by="penyelia")
    for number in range(cards):
        show(station, SLUG, nik(number), typed=number % 11 == 0)
        if number % 7 == 0:
            show(station, SLUG, nik(number))
        if number % 10 == 0:
            show(station, SLUG, nik(number))
            show(station, SLUG, nik(900_000 + number))
            show(station, SLUG, b"\xff garbage")
    counted = show(station, SLUG, nik(cards))
    station.void(SLUG, counted.sequence, reason="salah ambil", by="petugas")


def seal(station: Station) -> None:
    """Close the batch: two people explain what is missing or strange, and seal it."""
    two = {"by": "penyelia", "seconded_by": "kepala seksi"}
    custody.agree(station, SLUG, by="penyelia")
    for what in (What.MISSING, What.STRANGERS):
        closing.explain(station, SLUG, what=what, reason="dicari", **two)
    closing.seal(station, SLUG, **two)


def cosign(station: Station) -> SignedHead:
    """Sign the head and have both witnesses cosign it."""
    head = heads.sign(station, SLUG)
    for name, key in WITNESSES.items():
        line = cosignature(head.checkpoint, name, key, time_s=1_545_200_000).line
        heads.cosign(station, SLUG, head.checkpoint.size, line)
    return heads.sign(station, SLUG)


def export(station: Station, path: Path) -> Path:
    """Write the bundle of the batch as it is now."""
    with station.transaction() as connection:
        export_bundle(connection, SLUG, station.key, path)
    return path


def office_policy(station: Station, quorum: str = "all saksi-a saksi-b") -> bytes:
    """Return the keys as somebody would have got them in person."""
    lines = [f"log {log_key(ORIGIN, station.key).text}"]
    lines += [f"witness {name} {witness_key(name, key).text}" for name, key in WITNESSES.items()]
    return ("\n".join([*lines, f"group saksi {quorum}", "quorum saksi"]) + "\n").encode()
