"""From a device's reading to the active batch, and what a camera may ask about a payload."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from sqlite3 import Connection
from typing import Final

from scanner_station.domain.errors import AccessError, BatchError, StorageError
from scanner_station.domain.events import ReaderNotice
from scanner_station.domain.identifier import Unreadable, masked
from scanner_station.domain.manifest import ManifestLine
from scanner_station.domain.note import VerifierKey
from scanner_station.domain.reading import ReaderId, Reading
from scanner_station.service.station import Station
from scanner_station.service.witness_keys import key_in
from scanner_station.storage import manifests
from scanner_station.storage.batches import Batch

_log = logging.getLogger(__name__)

_DIGITS: Final = "0123456789"

KEY_SHOWN: Final = "the key of a witness was shown: %(name)s; it counts as no card"
UNSURE: Final = (
    "a code was read unsurely; it may be the card %(card)s: compare it and confirm it, or put the "
    "card before the camera again"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A manifest line that is one digit away from what a camera read unsurely, to be confirmed."""

    batch: str
    reader_id: ReaderId
    line: ManifestLine
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyOffer:
    """A witness's key that was shown to a reader, for the officer to name in the log."""

    batch: str
    reader_id: ReaderId
    key: VerifierKey
    at: datetime


class Delivery:
    """Hands the readings of one device to the batch that counts now, or to one fixed batch."""

    def __init__(self, station: Station, *, by: Callable[[], str], slug: str = "") -> None:
        """`by` tells who is at the table, or raises AccessError when nobody is.

        `slug`: count into this batch only; '' for whichever is active.
        """
        self._station = station
        self._by = by
        self._slug = slug
        self.offer: Offer | KeyOffer | None = None

    def __call__(self, reading: Reading) -> None:
        """Count one presentation, or say why it cannot be counted now.

        The key of a witness, which a tablet shows as a QR code, is offered to the officer.

        A stopped station shows its fault itself and refuses until it has recovered; the device
        goes on, so that it works again at once then.
        """
        try:
            if (key := key_in(reading.payload)) is not None:
                self._offer_key(reading.reader_id, key)
            else:
                self._station.handle(self._open_slug(), reading, by=self._by())
        except (AccessError, BatchError) as error:
            values: dict[str, str | int] = {key: str(value) for key, value in error.values.items()}
            self._station.bus.publish(
                ReaderNotice(reader_id=reading.reader_id, message=error.message, values=values)
            )
        except StorageError:
            _log.error("%s: a card was not counted; the station has stopped", reading.reader_id)

    def _open_slug(self) -> str:
        if slug := self._slug or self._station.active_slug():
            return slug
        raise BatchError(
            "a card was shown but no batch is open, so it was not counted; open a batch and show "
            "the card again"
        )

    def fits(self, payload: bytes) -> bool:
        """Return whether a payload is a well-formed identifier of the batch that counts now."""
        try:
            return self._station.fits(self._open_slug(), payload)
        except (BatchError, StorageError):
            return False

    def is_expected(self, payload: bytes) -> bool:
        """Return whether a payload is on the manifest of the batch that counts now."""
        try:
            return self._station.is_expected(self._open_slug(), payload)
        except (BatchError, StorageError):
            return False

    def is_near_expected(self, payload: bytes) -> bool:
        """Return whether exactly one manifest line is one digit away from a payload."""
        return self._nearest(payload) is not None

    def offer_candidate(self, reader_id: ReaderId, payload: bytes) -> None:
        """Show the officer the manifest line near a payload; only their word counts the card."""
        line = self._nearest(payload)
        if line is None:
            return
        station = self._station
        self.offer = Offer(
            batch=self._open_slug(), reader_id=reader_id, line=line, at=station.clock.now()
        )
        station.bus.publish(
            ReaderNotice(
                reader_id=reader_id, message=UNSURE, values={"card": masked(line.identifier)}
            )
        )

    def _offer_key(self, reader_id: ReaderId, key: VerifierKey) -> None:
        station = self._station
        self.offer = KeyOffer(
            batch=self._open_slug(), reader_id=reader_id, key=key, at=station.clock.now()
        )
        station.bus.publish(
            ReaderNotice(reader_id=reader_id, message=KEY_SHOWN, values={"name": key.name})
        )

    def _nearest(self, payload: bytes) -> ManifestLine | None:
        try:
            batch = self._station.counter(self._open_slug()).batch
        except (BatchError, StorageError):
            return None
        with self._station.transaction() as connection:
            return nearest_line(connection, batch, payload)


def nearest_line(connection: Connection, batch: Batch, payload: bytes) -> ManifestLine | None:
    """Return the one manifest line that is one digit away from a payload; None if not just one."""
    identified = batch.schemes.identify(payload)
    if batch.manifest_id is None or isinstance(identified, Unreadable):
        return None
    found = [
        line
        for other in _one_digit_away(identified.identifier)
        if (line := manifests.lookup(connection, batch.manifest_id, other))
    ]
    return found[0] if len(found) == 1 else None


def _one_digit_away(identifier: str) -> Iterator[str]:
    for place, digit in enumerate(identifier):
        if digit in _DIGITS:
            for other in _DIGITS.replace(digit, ""):
                yield identifier[:place] + other + identifier[place + 1 :]
