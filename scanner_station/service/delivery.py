"""From a device's reading to the active batch, and what a camera may ask about a payload."""

import logging
from collections.abc import Callable

from scanner_station.domain.errors import AccessError, BatchError, StorageError
from scanner_station.domain.events import ReaderNotice
from scanner_station.domain.reading import Reading
from scanner_station.service.station import Station

_log = logging.getLogger(__name__)


class Delivery:
    """Hands the readings of one device to the batch that counts now, or to one fixed batch."""

    def __init__(self, station: Station, *, by: Callable[[], str], slug: str = "") -> None:
        """`by` tells who is at the table, or raises AccessError when nobody is.

        `slug`: count into this batch only; '' for whichever is active.
        """
        self._station = station
        self._by = by
        self._slug = slug

    def __call__(self, reading: Reading) -> None:
        """Count one presentation, or say why it cannot be counted now.

        A stopped station shows its fault itself and refuses until it has recovered; the device
        goes on, so that it works again at once then.
        """
        try:
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
