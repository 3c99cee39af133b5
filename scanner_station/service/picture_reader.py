"""Reads the card on a picture that was sent, by the same stages and rules as a camera's frame."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scanner_station.domain.acceptance import Acceptance, Candidate, Evidence
from scanner_station.domain.errors import InputError
from scanner_station.domain.identifier import clean, tail_of
from scanner_station.domain.manifest import ManifestLine
from scanner_station.domain.reading import Symbology
from scanner_station.readers.decoding import stages
from scanner_station.readers.decoding.process import DecoderProcess
from scanner_station.readers.decoding.still import PictureResult
from scanner_station.readers.decoding.symbols import DEFAULT_SYMBOLOGIES, Symbol
from scanner_station.service.delivery import nearest_line
from scanner_station.service.station import Station

_ONE_PICTURE: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRead:
    """What a picture holds: a code that was read, else a card it may be, else neither."""

    payload: bytes = b""
    symbology: Symbology = Symbology.UNKNOWN
    near: ManifestLine | None = None


class PictureReader:
    """Decodes pictures one at a time in a child process, which is started at the first one."""

    def __init__(
        self,
        station: Station,
        *,
        symbologies: frozenset[Symbology] = DEFAULT_SYMBOLOGIES,
        counts: stages.StageCounts | None = None,
    ) -> None:
        """Read nothing yet."""
        self._station = station
        self._counts = counts or stages.StageCounts()
        self._symbologies = symbologies
        self._decoder = DecoderProcess()

    def close(self) -> None:
        """End the child process; safe twice."""
        self._decoder.close()

    def read(self, slug: str, path: Path) -> PictureRead:
        """Read a picture for a batch; nothing is counted.

        Raises:
            InputError: it is no picture, or shows two cards.
        """
        crashes = self._decoder.crashes
        try:
            result = self._decoder.decode_file(path, self._symbologies)
        finally:
            self._counts.add_crashes(self._decoder.crashes - crashes)
        self._counts.add(result.steps)
        evidence = Evidence(
            is_expected=lambda payload: self._station.is_expected(slug, payload),
            fits=lambda payload: self._station.fits(slug, payload),
            trusted_stages=stages.SPEAK_ALONE,
            for_still=True,
        )
        accepted = _accepted(result, evidence)
        if accepted:
            symbol = next(iter(accepted.values()))
            self._counts.accept(next(one.stage for one in result.found if one.symbol == symbol))
        cards = {card: one for card, one in accepted.items() if self._station.fits(slug, card)}
        if len(cards) > 1:
            first, second = (tail_of(card.decode("ascii", "replace")) for card in list(cards)[:2])
            raise InputError(
                "two cards are on the picture (%(first)s and %(second)s): show one at a time",
                first=first,
                second=second,
            )
        for symbol in (cards or accepted).values():
            return PictureRead(payload=symbol.payload, symbology=symbol.symbology)
        return PictureRead(near=self._near(slug, evidence))

    def _near(self, slug: str, evidence: Evidence) -> ManifestLine | None:
        batch = self._station.counter(slug).batch
        with self._station.transaction() as connection:
            for payload in evidence.waiting():
                if line := nearest_line(connection, batch, payload):
                    return line
        return None


def _accepted(result: PictureResult, evidence: Evidence) -> dict[bytes, Symbol]:
    """Return what is accepted: what the manifest expects, else what a still picture is sure of.

    A code that agrees with nothing but itself must also be one that `judge` believes: codes
    without a check digit are read short by both engines alike.
    """
    said = {
        (one.symbol.symbology, one.symbol.payload): evidence.add(
            Candidate(
                payload=one.symbol.payload,
                symbology=one.symbol.symbology,
                stage=one.stage,
                engine=stages.BY_NAME[one.stage].who,
                frame=_ONE_PICTURE,
            )
        )
        for one in result.found
    }
    sure = {(symbol.symbology, symbol.payload) for symbol in result.readings}
    found: dict[bytes, Symbol] = {}
    for one in result.found:
        key = (one.symbol.symbology, one.symbol.payload)
        if said[key] is Acceptance.EXPECTED or (said[key].is_accepted and key in sure):
            found.setdefault(clean(one.symbol.payload), one.symbol)
    return found
