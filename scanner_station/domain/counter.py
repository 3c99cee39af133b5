"""The verdict on one card: a pure rule over what the station knows about its identifier."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from scanner_station.domain.identifier import Scheme


class Verdict(StrEnum):
    """What we decided about one presentation."""

    COUNTED = "counted"
    ALREADY_COUNTED = "already_counted"
    NOT_ON_MANIFEST = "not_on_manifest"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedPiece:
    """One piece that is counted now: which of the expected pieces, by which entry."""

    batch: str
    piece: int
    sequence: int


class Known(NamedTuple):
    """What the station knows about one identifier before it judges.

    `expected_pieces` is 0 when the manifest does not list it, 1 in a batch without a manifest.
    `counted` are its pieces in this batch, `earlier` its newest piece in an earlier batch.
    """

    expected_pieces: int
    counted: tuple[CountedPiece, ...] = ()
    earlier: CountedPiece | None = None


class Judgement(NamedTuple):
    """A verdict, the piece it counts (0: none) and the entries it points back to.

    `first` is the entry that an `already_counted` repeats; `earlier` the remark that the
    identifier was counted in an earlier batch.
    """

    verdict: Verdict
    piece: int = 0
    first: CountedPiece | None = None
    earlier: CountedPiece | None = None


def judge(scheme: Scheme, known: Known) -> Judgement:
    """Return the verdict on one well-formed identifier.

    A serial number or chip UID names one piece of plastic for ever: counted in an earlier batch,
    it cannot be destroyed again, listed or not. A NIK names a person, who may be here again.
    A stranger that two people have added is counted, though nobody listed it.
    """
    if known.earlier is not None and scheme.names_one_piece and not known.counted:
        return Judgement(verdict=Verdict.ALREADY_COUNTED, first=known.earlier)
    if known.expected_pieces == 0 and not known.counted:
        return Judgement(verdict=Verdict.NOT_ON_MANIFEST, earlier=known.earlier)
    if len(known.counted) >= known.expected_pieces:
        first = min(known.counted, key=lambda counted: counted.sequence)
        return Judgement(verdict=Verdict.ALREADY_COUNTED, first=first, earlier=known.earlier)
    piece = 1
    if known.counted:
        taken = {counted.piece for counted in known.counted}
        piece = next(n for n in range(1, known.expected_pieces + 1) if n not in taken)
    return Judgement(verdict=Verdict.COUNTED, piece=piece, earlier=known.earlier)
