"""The real station at work, to be traced: `python -m tests.power.writer FOLDER full|normal|off`.

After everything that a station confirms to people it writes one line of JSON to standard output:
what must be there from now on, whatever happens to the machine.
"""

import hashlib
import json
import os
import sys
from pathlib import Path

from scanner_station.domain.checkpoint import cosignature, witness_key
from scanner_station.domain.findings import What
from scanner_station.exports.bundle import export_bundle
from scanner_station.service import batches, closing, custody, heads
from scanner_station.service.station import Station
from scanner_station.storage import scan_log, station_key
from scanner_station.storage.database import Database
from tests.exports.sealed_logs import WITNESSES
from tests.service.stations import load_manifest, nik, show

SLUG = "listrik"
DATA = "new/data"
BUNDLE = "bundle.zip"
UNPACKED = "bundle"
CARDS = 90
TWO = {"by": "penyelia", "seconded_by": "kepala seksi"}


class Full(Database):
    """The station's own; its write-ahead log goes into the file more often in this short run."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.connection.execute("pragma wal_autocheckpoint = 120")


class Normal(Full):
    """What SQLite calls good enough, and what a station must never use."""

    level = "normal"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.connection.execute(f"pragma synchronous = {self.level}")


class Off(Normal):
    """Nothing is ever synchronised."""

    level = "off"


class Writer:
    """A station that says what it has confirmed."""

    def __init__(self, folder: Path, open_database: type[Database]) -> None:
        self.folder = folder
        self.station = Station(folder / DATA, name="meja-1", open_database=open_database)
        self.confirm(key=digest(folder / DATA / station_key.FILE_NAME))

    def confirm(self, **what: object) -> None:
        """Say what must be there from now on."""
        with self.station.transaction() as connection:
            batch = batches.batches.find(connection, SLUG)
            size = scan_log.next_sequence(connection, batch.id) if batch else -1
        os.write(1, json.dumps({"entries": size} | what).encode() + b"\n")

    def work(self) -> None:
        """Do all that a batch needs, from its creation to the fire."""
        station = self.station
        batches.create(station, SLUG, title="Pemusnahan", by="penyelia")
        self.confirm()
        rows = [(nik(n), "rusak" if n % 3 else "pindah", "Alak", 1) for n in range(CARDS + 5)]
        load_manifest(station, SLUG, rows, self.folder)
        self.confirm(listed=len(rows))
        batches.set_witness_nonce(station, SLUG, "hujan lebat")
        for name, key in WITNESSES.items():
            heads.enrol(station, SLUG, witness_key(name, key).text, witness=name, by="penyelia")
            self.confirm(witness=name)
        for number in range(CARDS):
            self.count(number)
            if number % 40 == 39:
                self.sign()
                self.export()
        self.close_batch()
        station.close()
        os.write(1, b"{}\n")

    def count(self, number: int) -> None:
        """Present a card; some twice, some to be taken back, some that nobody can read."""
        station = self.station
        if number % 30 == 0:
            custody.open_container(station, SLUG, by="petugas")
            self.confirm()
        recorded = show(station, SLUG, nik(number), typed=number % 20 == 0, nonce=f"n{number}")
        self.confirm()
        if number % 9 == 0:
            show(station, SLUG, b"\xff garbage" if number % 2 else nik(number))
            self.confirm()
        if number % 11 == 0:
            station.void(SLUG, recorded.sequence, reason="salah ambil", by="petugas")
            self.confirm()
        if number % 30 == 29:
            custody.agree(station, SLUG, by="penyelia")
            self.confirm()
            sealed = {"seal_number": f"S-{number}", "by": "penyelia"}
            custody.seal_container(station, SLUG, 1 + number // 30, **sealed)
            self.confirm()

    def sign(self) -> None:
        """Sign the head, and have it cosigned."""
        head = heads.sign(self.station, SLUG).checkpoint
        self.confirm(head=head.size)
        for name, key in WITNESSES.items():
            line = cosignature(head, name, key, time_s=1_545_181_200).line
            heads.cosign(self.station, SLUG, head.size, line)
            self.confirm(cosigned=[head.size, name])

    def export(self) -> None:
        """Write the bundle, over an earlier one."""
        path = self.folder / BUNDLE
        with self.station.transaction() as connection:
            export_bundle(connection, SLUG, self.station.key, path)
        self.confirm(file=digest(path))

    def export_unpacked(self) -> None:
        """Write the bundle as a folder."""
        path = self.folder / UNPACKED
        with self.station.transaction() as connection:
            export_bundle(connection, SLUG, self.station.key, path)
        files = (one for one in path.rglob("*") if one.is_file())
        self.confirm(unpacked={str(one.relative_to(self.folder)): digest(one) for one in files})

    def close_batch(self) -> None:
        """Explain what is missing, seal, and burn."""
        closing.explain(self.station, SLUG, what=What.MISSING, reason="dicari", **TWO)
        self.confirm()
        head = closing.seal(self.station, SLUG, **TWO)
        self.confirm(head=head.checkpoint.size, sealed=True)
        custody.burn(self.station, SLUG, method="dibakar", present="saksi-a", by="penyelia")
        self.confirm()
        self.export()
        self.export_unpacked()


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    Writer(Path(sys.argv[1]), {"full": Full, "normal": Normal, "off": Off}[sys.argv[2]]).work()
