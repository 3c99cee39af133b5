"""Which candidates of the decoder are accepted as the code of a card.

Decoding and accepting are two things. Enhanced pictures give Code 128 misreads with a valid
check digit, and two engines can agree on the same wrong short read, so what a stage reads is
a candidate. It is accepted when it fits the batch's scheme and is on the manifest, or when at
least two frames and at least two stages of the cascade agree on it. Codes with no check character
or a weak one become other valid codes by one scratch down all their bars: there two engines must
agree.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from scanner_station.domain.reading import Symbology

AGREEING_FRAMES: Final = 2
AGREEING_STAGES: Final = 2
AGREEING_ENGINES: Final = 2
WEAKLY_CHECKED: Final = frozenset({
    Symbology.CODE39, Symbology.ITF, Symbology.CODABAR,
    Symbology.EAN13, Symbology.EAN8, Symbology.UPCA,
})  # fmt: skip
"""What one engine reads of these is never believed, whatever the picture."""


class Acceptance(StrEnum):
    """What became of a candidate."""

    EXPECTED = "expected"
    """It fits the scheme and is on the manifest."""
    AGREED = "agreed"
    """Enough frames and stages agree on it, and on nothing else as much."""
    WAITING = "waiting"
    """Not yet; a further frame or stage may agree."""

    @property
    def is_accepted(self) -> bool:
        """Whether the candidate counts as read."""
        return self is not Acceptance.WAITING


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What one stage read in one frame. `engine` reads for it; `frame` is a running number."""

    payload: bytes
    symbology: Symbology
    stage: str
    engine: str
    frame: int


@dataclass(slots=True)
class _Support:
    frames: set[int] = field(default_factory=set)
    stages: set[str] = field(default_factory=set)
    engines: set[str] = field(default_factory=set)

    @property
    def agrees(self) -> bool:
        return len(self.frames) >= AGREEING_FRAMES and len(self.stages) >= AGREEING_STAGES


class Evidence:
    """What was read while one card, or several, were in view.

    `fits` says whether a payload is an identifier of the batch, `is_expected` whether it is
    on the manifest; both are asked for candidates only, so they may be slow. `for_still` is
    the rule for pictures that come once (an image folder): there is no second frame, so what
    one of `trusted_stages` gave counts (those that read the unenhanced picture), or what two
    stages agree on.
    """

    def __init__(
        self,
        *,
        is_expected: Callable[[bytes], bool],
        fits: Callable[[bytes], bool],
        trusted_stages: frozenset[str],
        for_still: bool = False,
    ) -> None:
        self._is_expected = is_expected
        self._fits = fits
        self._trusted_stages = trusted_stages
        self._for_still = for_still
        self._support: dict[tuple[Symbology, bytes], _Support] = {}
        self._accepted: set[tuple[Symbology, bytes]] = set()

    def add(self, candidate: Candidate) -> Acceptance:
        """Take one candidate in and return what is known of it now."""
        key = (candidate.symbology, candidate.payload)
        support = self._support.setdefault(key, _Support())
        support.frames.add(candidate.frame)
        support.stages.add(candidate.stage)
        support.engines.add(candidate.engine)
        if self._fits(candidate.payload) and self._is_expected(candidate.payload):
            self._accepted.add(key)
            return Acceptance.EXPECTED
        if key in self._accepted or (self._is_agreed(key) and not self._has_rival(key)):
            self._accepted.add(key)
            return Acceptance.AGREED
        return Acceptance.WAITING

    def forget(self) -> None:
        """Start afresh: the cards that were in view have left."""
        self._support.clear()
        self._accepted.clear()

    def waiting(self) -> tuple[bytes, ...]:
        """Return the candidates that were not accepted, the best supported first."""
        open_keys = [key for key in self._support if key not in self._accepted]
        open_keys.sort(key=lambda key: -len(self._support[key].frames))
        return tuple(payload for _, payload in open_keys)

    def _is_agreed(self, key: tuple[Symbology, bytes]) -> bool:
        support = self._support[key]
        if key[0] in WEAKLY_CHECKED and len(support.engines) < AGREEING_ENGINES:
            return False
        if self._for_still:
            is_trusted = bool(support.stages & self._trusted_stages)
            return is_trusted or len(support.stages) >= AGREEING_STAGES
        return support.agrees

    def _has_rival(self, key: tuple[Symbology, bytes]) -> bool:
        """Whether another unaccepted payload of the same symbology has as much behind it."""
        mine = len(self._support[key].frames)
        return any(
            other[0] is key[0] and other != key and other not in self._accepted
            and len(support.frames) >= mine
            for other, support in self._support.items()
        )  # fmt: skip
