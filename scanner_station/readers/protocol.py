"""The one shape of every reader; the real and the recorded ones have equal rank."""

from collections.abc import Iterator
from typing import Protocol

from scanner_station.domain.reading import ReaderId, Reading


class Reader(Protocol):
    """A device that delivers readings, one for each presentation of a card."""

    reader_id: ReaderId

    def readings(self) -> Iterator[Reading]:
        """Yield readings until closed or, for a file, until its end; blocking in between.

        Raises:
            ReaderError: the device is gone or cannot be opened; the caller may try again with
                a new reader.
        """
        ...

    def close(self) -> None:
        """Make `readings` end; safe twice, and from another thread."""
        ...
