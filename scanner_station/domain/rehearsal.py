"""What makes a batch a rehearsal: its mark, and generated cards that are nobody's.

Every number starts with 99, which no Indonesian province has.
"""

import random
import zlib
from dataclasses import dataclass, replace
from typing import Final

from scanner_station.domain.counter import Verdict
from scanner_station.domain.reading import Symbology

MARK: Final = "LATIHAN / REHEARSAL"
"""What a rehearsal says of itself on every page, in every file."""

MOST_CARDS: Final = 9999
USUAL_CARDS: Final = 17
"""Listed cards of a rehearsal: with its strangers and its duplicate they fill two sheets."""

CATEGORIES: Final = ("rusak", "rusak", "rusak", "invalid", "pindah datang", "meninggal")
DISTRICTS: Final = ("Alak", "Kelapa Lima", "Kota Lama", "Kota Raja", "Maulafa", "Oebobo")

_LISTED: Final = "9971"
_NOBODYS: Final = "9972"
_STRANGERS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeCard:
    """What a generated card's code says, and the line a manifest has for it ('' category: none)."""

    payload: str
    symbology: Symbology
    name: str = ""
    category: str = ""
    district: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedCard:
    """A card on the sheet of a rehearsal, and what the station should say of it."""

    card: PracticeCard
    verdict: Verdict


def generated_cards(count: int, seed: int) -> list[PracticeCard]:
    """Return cards with different, well-formed, made-up NIK; the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - cards to practise with, no secret
    cards = []
    for number in range(count):
        day, month, year = chance.randint(1, 28), chance.randint(1, 12), chance.randint(50, 98)
        district = chance.randrange(len(DISTRICTS))
        day += 40 * chance.randint(0, 1)  # a woman's birth day
        born = f"{day:02}{month:02}{year:02}"
        cards.append(
            PracticeCard(
                payload=f"{_LISTED}{district + 1:02}{born}{number % MOST_CARDS + 1:04}",
                symbology=Symbology.CODE128 if chance.random() < 0.5 else Symbology.QR,
                name=f"Warga Contoh {number + 1}",
                category=CATEGORIES[chance.randrange(len(CATEGORIES))],
                district=DISTRICTS[district],
            )
        )
    return cards


def strangers(count: int, seed: int, *, first: int = 1) -> list[PracticeCard]:
    """Return made-up cards that no manifest of `generated_cards` lists, named from `first` on."""
    return [
        replace(card, payload=_NOBODYS + card.payload[4:], name=f"Warga Contoh {first + number}")
        for number, card in enumerate(generated_cards(count, seed))
    ]


def seed_of(slug: str) -> int:
    """Return the seed of a rehearsal's cards, which its name alone decides."""
    return zlib.crc32(slug.encode())


def cards_of(slug: str, count: int) -> list[PracticeCard]:
    """Return the cards that the manifest of a rehearsal lists."""
    return generated_cards(count, seed_of(slug))


def printed_cards(slug: str, count: int) -> list[PrintedCard]:
    """Return the cards on a rehearsal's sheet in their order: two strangers, one card twice.

    Presented in this order, each gets the verdict named.
    """
    listed = cards_of(slug, count)
    cards = [PrintedCard(card=card, verdict=Verdict.COUNTED) for card in listed]
    chance = random.Random(seed_of(slug))  # noqa: S311 - as above
    chance.shuffle(cards)
    for card in strangers(_STRANGERS, seed_of(slug) + 1, first=count + 1):
        stranger = PrintedCard(card=card, verdict=Verdict.NOT_ON_MANIFEST)
        cards.insert(chance.randint(1, len(cards)), stranger)
    again = next(one.card for one in cards if one.verdict is Verdict.COUNTED)
    cards.insert(
        chance.randint(len(cards) * 2 // 3, len(cards)),
        PrintedCard(card=again, verdict=Verdict.ALREADY_COUNTED),
    )
    return cards
