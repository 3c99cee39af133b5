"""Batches with every kind of entry, counted through the real station, for tests of bundles."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scanner_station.domain.checkpoint import SignedHead, cosignature, log_key, witness_key
from scanner_station.domain.declared import Declared
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


def fill_with_every_kind(station: Station, cards: int) -> None:
    """Write at least one entry of every kind that a sealed log can hold; the last is the fire."""
    two = {"by": "penyelia", "seconded_by": "kepala seksi"}
    fill(station, cards)
    custody.agree(station, SLUG, by="penyelia")
    custody.begin_lot(station, SLUG, "Alak", by="petugas")
    custody.open_container(station, SLUG, by="petugas")
    stranger = show(station, SLUG, nik(900_777)).sequence
    custody.add_stranger(station, SLUG, stranger, category="rusak", reason="terlewat", **two)
    custody.record_unidentified(station, SLUG, category="rusak", reason="hangus", by="petugas")
    custody.seal_container(station, SLUG, 1, seal_number="S-1", by="petugas", agreed_by="penyelia")
    custody.break_seal(station, SLUG, 1, reason="salah kotak", **two)
    custody.seal_container(station, SLUG, 1, seal_number="S-2", by="petugas")
    figure = custody.pause(station, SLUG, by="petugas")
    custody.resume(station, SLUG, figure=figure, by="petugas")
    closing.note(station, SLUG, witness="Budi", text="kotak basah", by="Budi")
    objection = closing.object_to(station, SLUG, witness="Ani", objection="hujan", by="Ani")
    closing.answer(station, SLUG, objection, text="ada tenda", by="penyelia")
    closing.record_refusal(station, SLUG, witness="Budi", objection="tidak mau", by="Budi")
    total = station.counter(SLUG).tally.burned
    closing.declare(station, SLUG, Declared(total=total), by="penyelia", reason="pers")
    for what in (What.MISSING, What.STRANGERS):
        closing.explain(station, SLUG, what=what, reason="dicari", **two)
    closing.seal(station, SLUG, **two)
    custody.burn(station, SLUG, method="dibakar", present="Ani", by="penyelia")


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
        line = cosignature(head.checkpoint, name, key, time_s=1_545_181_200).line
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
