"""Checked rows on their way to the database: sorted in bounded memory.

Lines are inserted in the order of their identifiers, so that each page of the table's tree is
written once, whatever the order of the file. Every block is sorted by itself and written to a
temporary file without a name (nothing of it is left when the process dies); a chunk of the final
order is then one stretch of each block.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scanner_station.storage.csv_pack import ROW

Order = npt.NDArray[np.int64]


class Spool:
    """Packed rows (see csv_pack), appended block by block and read back in chunks of one order."""

    def __init__(self, folder: Path | None = None) -> None:
        """Make the temporary file, in the system's folder for them unless told."""
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  closed by close()
        self._ends: list[npt.NDArray[np.int64]] = []
        self._rows_of: list[int] = []
        self._size = 0

    def append(self, rows: list[bytes]) -> None:
        """Add one block of sorted rows."""
        packed = ROW.join([*rows, b""])
        ends = np.flatnonzero(np.frombuffer(packed, np.uint8) == ROW[0]).astype(np.int64) + 1
        self._ends.append(ends + self._size)
        self._rows_of.append(len(ends))
        self._file.write(packed)
        self._size += len(packed)

    def chunks(self, order: Order, rows: int) -> Iterator[list[bytes]]:
        """Yield the rows, `rows` of the order at a time.

        `order`: row numbers as appended, from 0, such that within each block they rise.
        """
        self._file.flush()
        ends = np.concatenate([np.zeros(1, np.int64), *self._ends])
        first_of_block = np.cumsum([0, *self._rows_of])
        for start in range(0, len(order), rows):
            wanted = order[start : start + rows]
            rising = np.sort(wanted)
            texts = self._read(rising, ends, first_of_block)
            places = np.searchsorted(rising, wanted)
            yield [texts[place] for place in places.tolist()]

    def _read(self, rising: Order, ends: Order, first_of_block: Order) -> list[bytes]:
        """Read rows in the order of the file: one stretch of it for each block."""
        cuts = np.searchsorted(rising, first_of_block)
        texts: list[bytes] = []
        for low, high in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
            if low < high:
                start, end = int(ends[rising[low]]), int(ends[rising[high - 1] + 1])
                stretch = os.pread(self._file.fileno(), end - start, start)
                texts += stretch.split(ROW)[:-1]
        return texts

    def close(self) -> None:
        """Give the temporary file back; safe twice."""
        self._file.close()
