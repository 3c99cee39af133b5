"""What a log must be, card by card, so that none is counted twice or without being expected."""

from collections.abc import Iterable
from enum import IntEnum
from typing import Final, NamedTuple

from scanner_station.domain.errors import VerificationError


class What(IntEnum):
    """What an entry says about its card."""

    COUNTED = 0
    ALREADY_COUNTED = 1
    NOT_ON_MANIFEST = 2
    VOIDED = 3
    ADDED = 4


class CardEvent(NamedTuple):
    """One entry about one card. `points_to`: the entry it repeats, adds or takes back, else -1.

    `piece` of a void: 1 when it takes back a card that was added.
    """

    card: str
    sequence: int
    what: What
    piece: int
    category: str
    district: str
    points_to: int


CARD_CHARACTERS: Final = 44


class Listed(NamedTuple):
    """What the manifest says of one card."""

    category: str
    pieces: int


def check_card(
    listed: Listed | None, *, has_manifest: bool, events: Iterable[CardEvent]
) -> list[CardEvent]:
    """Check one card's whole story and return the entries that count it at the end.

    `listed`: None when it is not on the manifest. `events`: in the order of the log.

    Raises:
        VerificationError: an entry is not what a station would have written; it says which.
    """
    counted: dict[int, CardEvent] = {}
    set_aside: set[int] = set()
    for event in events:
        match event.what:
            case What.COUNTED:
                wrong = _wrong_with_count(event, listed, has_manifest, counted)
                counted[event.sequence] = event
            case What.ADDED:
                is_strange = event.points_to in set_aside and not counted
                wrong = "" if is_strange else "it adds a card that is no stranger"
                counted[event.sequence] = event
            case What.ALREADY_COUNTED:
                is_known = event.points_to < 0 or event.points_to in counted
                wrong = "" if is_known else "it repeats a card that was not counted"
            case What.NOT_ON_MANIFEST:
                is_strange = has_manifest and listed is None
                wrong = "" if is_strange else "it sets a card aside that is expected"
                set_aside.add(event.sequence)
            case What.VOIDED:
                target = counted.pop(event.points_to, None)
                is_same = (
                    target is not None
                    and target[4:6] == event[4:6]
                    and (target.what is What.ADDED) == bool(event.piece)
                )
                wrong = "" if is_same else "it takes back what is not counted"
        if wrong:
            raise VerificationError(
                "entry %(sequence)s: %(why)s", sequence=event.sequence, why=wrong
            )
    return list(counted.values())


def _wrong_with_count(
    event: CardEvent, listed: Listed | None, has_manifest: bool, counted: dict[int, CardEvent]
) -> str:
    pieces = 1
    if has_manifest:
        if listed is None:
            return "it counts a card that is not on the manifest"
        if event.category != listed.category:
            return "its category is not the manifest's"
        pieces = listed.pieces
    if not 1 <= event.piece <= pieces:
        return "it counts more pieces of a card than are expected"
    if any(event.piece == other.piece for other in counted.values()):
        return "it counts a card that is counted already"
    return ""
