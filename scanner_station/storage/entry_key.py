"""The key of an entry in the file: its batch and its sequence in one whole number.

So a log grows at the end of its pages, and a new entry costs one of them; keyed by two columns, its
row stood in the inner pages, too, and every eighth entry moved some of them.
"""

from typing import Final

_SEQUENCE_BITS: Final = 32
_LAST_SEQUENCE: Final = (1 << _SEQUENCE_BITS) - 1


def key_of(batch_id: int, sequence: int) -> int:
    """Return the key of one entry; of sequence -1, one less than that of the batch's first."""
    return (batch_id << _SEQUENCE_BITS) + sequence


def span_of(batch_id: int, first: int = 0, last: int = _LAST_SEQUENCE) -> dict[str, int]:
    """Return what `IN_SPAN` asks for: the keys of entries `first` to `last`."""
    return {"first_key": key_of(batch_id, first), "last_key": key_of(batch_id, last)}


IN_SPAN: Final = "entry.key between :first_key and :last_key"
