"""The demo: a batch of made-up cards, half shown to a camera and half sent by a scanner."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from scanner_station.domain.rehearsal import cards_of
from scanner_station.readers.simulation import (
    SimulatedCamera,
    SimulatedScanner,
    presented,
)
from scanner_station.service import batches, rehearsal, views
from scanner_station.service.station import Station

DEMO_PREFIX: Final = "demo-"
ODD_SHARE: Final = 0.05
SCANNER_INTERVAL_S: Final = 2.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """One demo batch and the two devices that count into it."""

    slug: str
    camera: SimulatedCamera
    scanner: SimulatedScanner


def may_simulate(slugs: list[str]) -> bool:
    """Return whether a data folder holds nothing but demos: never mix them with real batches."""
    return all(slug.startswith(DEMO_PREFIX) for slug in slugs)


@contextmanager
def simulation(station: Station, slugs: list[str], *, cards: int, by: str) -> Iterator[Simulation]:
    """Make a new demo batch with its manifest, and devices that present its cards."""
    number = len(slugs) + 1
    slug = f"{DEMO_PREFIX}{number}"
    listed = cards_of(slug, cards)
    rehearsal.create(
        station,
        slug,
        title=f"SIMULASI {number}: kartu contoh, bukan kartu penduduk",
        place="Contoh",
        by=by,
        cards=cards,
    )
    batches.activate(station, slug)
    pile = presented(listed, number, odd_share=ODD_SHARE)
    scanner = SimulatedScanner(pile[1::2], SCANNER_INTERVAL_S)
    camera = SimulatedCamera(pile[0::2], seed=number)
    try:
        yield Simulation(slug=slug, camera=camera, scanner=scanner)
    finally:
        camera.release()
        scanner.close()


def known_slugs(station: Station) -> list[str]:
    """Return the slugs of all batches in the station's data folder."""
    reading = views.Views(station.folder)
    try:
        with reading.connection() as connection:
            return [str(one["slug"]) for one in views.listing(connection)]
    finally:
        reading.close()
