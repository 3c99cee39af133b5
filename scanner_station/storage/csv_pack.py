"""Plain CSV turned into packed rows by whole megabytes, without a Python object for each cell.

Almost every line of almost every file is plain: its quotes stand at both ends of a field and hold
no quotes and no line ends. Whatever is not plain is left to the csv module.
"""

from typing import Final

import numpy as np

FIELD: Final = b"\x1f"
ROW: Final = b"\x1e"
"""ASCII's own separators of fields and rows: packed text holds no other control character."""

_QUOTE: Final = ord('"')
_LINE_END: Final = ord("\n")
_FIRST_PRINTABLE: Final = 0x20


def pack(chunk: bytes, delimiter: str) -> bytes | None:
    """Return whole lines of CSV as rows ended by `ROW`, fields joined by `FIELD`, or None.

    `chunk`: text in an encoding that agrees with ASCII, up to and with a line end. None means
    that it is not plain: the csv module must decide.
    """
    if b"\r" in chunk:
        chunk = chunk.replace(b"\r\n", b"\n")
    data = np.frombuffer(chunk, np.uint8)
    line_ends = np.flatnonzero(data == _LINE_END)
    separators = np.flatnonzero(data == ord(delimiter))
    known = len(line_ends) + (len(separators) if ord(delimiter) < _FIRST_PRINTABLE else 0)
    if np.count_nonzero(data < _FIRST_PRINTABLE) != known:
        return None
    quotes = np.flatnonzero(data == _QUOTE)
    if len(quotes):
        opening, closing = quotes[0::2], quotes[1::2]
        # The byte before the first one wraps round to the last, which is a line end.
        around = np.concatenate([data[opening - 1], data[closing + 1]])
        if len(quotes) % 2 or not np.isin(around, (ord(delimiter), _LINE_END)).all():
            return None
        # Within quotes is what has an odd number of them before it.
        if (np.searchsorted(quotes, line_ends) & 1).any():
            return None
        separators = separators[np.searchsorted(quotes, separators) & 1 == 0]
    packed = data.copy()
    packed[separators] = FIELD[0]
    packed[line_ends] = ROW[0]
    return packed.tobytes().translate(None, b'"' if len(quotes) else b"")
