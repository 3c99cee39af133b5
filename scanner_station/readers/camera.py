"""The camera as a reader: frames in, one reading for each presentation of a card out."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import cv2
import numpy as np

from scanner_station.clock import Clock
from scanner_station.domain.acceptance import Acceptance, Candidate, Evidence
from scanner_station.domain.events import Notify, ReaderNotice, ReaderState
from scanner_station.domain.identifier import clean, tail_of
from scanner_station.domain.presentation import FOLDER, LIVE, Outcome, Presentations, Scene, Sighted
from scanner_station.domain.reading import ReaderId, Reading, Symbology
from scanner_station.readers.camera_scene import SceneWatch, View
from scanner_station.readers.camera_source import Capture, Frame, Frames, Image, open_source, paced
from scanner_station.readers.decoding import engines, stages
from scanner_station.readers.decoding.process import Decoder, DecoderProcess
from scanner_station.readers.decoding.symbols import Found, Grey, Outline, Symbol

CONFIRM_EVERY_S: Final = 0.2
"""A card that was counted and lies still is looked for this often."""
EMPTY_EVERY_S: Final = 1.0
"""An empty table is searched this often, in case it is not empty."""
SLOW_AFTER_S: Final = 0.3
"""A card unread for this long gets the slow stages, a few a frame."""
FRAME_BUDGET_MS: Final = 120.0
"""No further stage is begun on a frame that took this long, so that no card waits for another."""
CONFIRM_BUDGET_MS: Final = 300.0
"""The same while something was read that a second frame or stage must confirm."""
FIXED_LENGTH: Final = 16
"""Digits of an ITF or Codabar, when such are asked for."""
HINT_AFTER_S: Final = 1.0
UNREAD_AFTER_S: Final = 2.0
HOPELESS_AFTER_S: Final = 6.0
HOPELESS_EVERY_S: Final = 0.5
EVIDENCE_FOR_S: Final = 3.0
HINT_EVERY_S: Final = 3.0
PREVIEW_WIDTH_PX: Final = 480
OUTLINED_FOR_S: Final = 0.6
"""A code that was found stays outlined until it is looked for again, and as long once more."""
STILL_WIDTH_PX: Final = 1600

UNREAD: Final = "This card cannot be read: type its number, or set it aside"
TOGETHER: Final = "Two cards in view (%(first)s and %(second)s): show one at a time"


class CameraReader:
    """Reads cards from anything OpenCV opens, or from a capture object with read and release.

    `is_expected` says whether a payload is on the batch's manifest, `fits` whether it is an
    identifier of its schemes; both are asked for candidates only. `near_expected`, when
    given, says whether a payload is one digit away from a manifest line: such a candidate is
    never accepted, it goes to `on_candidate` for the officer to confirm. `fixed_length`: how many
    digits a code has of which a part looks like a whole. `stages_off`: names
    of stages that are not to be tried.
    """

    def __init__(
        self,
        reader_id: ReaderId,
        source: str | Capture | Frames,
        *,
        symbologies: frozenset[Symbology],
        is_expected: Callable[[bytes], bool],
        fits: Callable[[bytes], bool],
        clock: Clock,
        notify: Notify,
        near_expected: Callable[[bytes], bool] | None = None,
        on_candidate: Callable[[bytes], None] | None = None,
        decoder: Decoder | None = None,
        counts: stages.StageCounts | None = None,
        fixed_length: int = FIXED_LENGTH,
        stages_off: frozenset[str] = frozenset(),
        loop: bool = False,
        keep_pace: bool = False,
    ) -> None:
        self.reader_id = reader_id
        self.counts = counts or stages.StageCounts()
        self._source = source
        self._symbologies = symbologies
        self._is_expected = is_expected
        self._fits = fits
        self._clock = clock
        self._notify = notify
        self._near_expected = near_expected
        self._on_candidate = on_candidate
        self._fixed_length = fixed_length
        self._groups = stages.groups(stages_off)
        self._decoder: Decoder = decoder or DecoderProcess()
        self._crashes_counted = 0
        self._loop = loop
        self._keep_pace = keep_pace
        self._closed = threading.Event()
        self._frames: Frames | None = None
        self._preview: tuple[Image, tuple[Outline, ...]] | None = None
        self._begin(is_folder=False)

    def _begin(self, *, is_folder: bool) -> None:
        self._is_folder = is_folder
        self._presentations = Presentations(FOLDER if is_folder else LIVE)
        self._evidence = Evidence(
            is_expected=self._is_expected,
            fits=self._fits,
            trusted_stages=stages.SPEAK_ALONE,
            for_still=is_folder,
        )
        self._scene = SceneWatch()
        self._symbols: dict[bytes, Symbol] = {}
        self._frame_number = 0
        self._turn = 0
        self._slow_turn = 0
        self._last_decoded_s = -1e9
        self._last_candidate_s = -1e9
        self._unread_since_s: float | None = None
        self._said: set[str] = set()
        self._last_hint_s = -1e9
        self._outlines: tuple[Outline, ...] = ()
        self._outlined_s = -1e9

    def readings(self) -> Iterator[Reading]:
        """Yield one reading for each presentation until closed or the end of a file.

        Raises:
            ReaderError: the camera cannot be opened, or gives no pictures any more.
        """
        frames = open_source(self._source, steady_s=self._clock.steady_s, loop=self._loop)
        self._frames = frames
        self._begin(is_folder=frames.is_folder)
        if not engines.has_zbar():
            self._say(engines.ZBAR_MISSING)
        self._say("Camera %(reader)s is ready.", state=ReaderState.READY)
        try:
            for frame in paced(frames) if self._keep_pace else frames:
                if self._closed.is_set():
                    break
                yield from self._readings_of(self._take(frame))
            if not self._closed.is_set():
                yield from self._readings_of(self._presentations.finish())
        finally:
            self._presentations.finish()
            frames.close()
            self._decoder.close()

    def close(self) -> None:
        """Make `readings` end; safe twice, and from another thread."""
        self._closed.set()
        if self._frames is not None:
            self._frames.close()

    @property
    def is_presenting(self) -> bool:
        """Whether a card is held in view now; safe from another thread."""
        return bool(self._presentations.cards)

    @property
    def sees_unread(self) -> bool:
        """Whether something lies in view that is not read; safe from another thread."""
        return self._unread_since_s is not None

    def latest_jpeg(self) -> bytes | None:
        """Return a small preview of the newest frame, the codes in it outlined."""
        preview = self._preview
        if preview is None:
            return None
        image, outlines = preview
        factor = min(1.0, PREVIEW_WIDTH_PX / image.shape[1])
        small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        if small.ndim == 2:
            small = cv2.cvtColor(small, cv2.COLOR_GRAY2BGR)
        for outline in outlines:
            points = (np.array(outline) * factor).astype(np.int32)
            cv2.polylines(small, [points], isClosed=True, color=(60, 200, 60), thickness=3)
        is_done, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 70])
        return jpeg.tobytes() if is_done else None

    def latest_still(self) -> bytes | None:
        """Return the newest frame as a photograph that a person can read, nothing drawn on it."""
        preview = self._preview
        if preview is None:
            return None
        image = preview[0]
        factor = min(1.0, STILL_WIDTH_PX / image.shape[1])
        still = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        is_done, jpeg = cv2.imencode(".jpg", still, [cv2.IMWRITE_JPEG_QUALITY, 85])
        return jpeg.tobytes() if is_done else None

    def _take(self, frame: Frame) -> Outcome:
        """Look at one frame: gate, decode, accept, follow the presentations."""
        self._frame_number += 1
        self.counts.add_frame()
        view = self._scene.look(frame.image, frame.at_s)
        accepted = self._decode(frame, view) if self._is_due(view, frame.at_s) else []
        outcome = self._follow(frame, view, accepted)
        self._help(frame, view, is_read=bool(accepted))
        self._outline(frame, view, accepted)
        return outcome

    def _outline(self, frame: Frame, view: View, accepted: Sequence[Symbol]) -> None:
        """Keep the picture for the preview; outlines outlast the frames that are not decoded."""
        if accepted:
            self._outlines = tuple(one.outline for one in accepted)
            self._outlined_s = frame.at_s
        elif not view.is_still or frame.at_s - self._outlined_s > OUTLINED_FOR_S:
            self._outlines = ()
        self._preview = (frame.image, self._outlines)

    def _is_due(self, view: View, at_s: float) -> bool:
        """Whether this frame is worth decoding."""
        if self._is_folder:
            return True
        since_s = at_s - self._last_decoded_s
        if view.is_empty:
            return since_s >= EMPTY_EVERY_S
        if self._presentations.cards and self._presentations.is_settled and view.is_still:
            return since_s >= CONFIRM_EVERY_S
        return not self._is_hopeless(at_s) or since_s >= HOPELESS_EVERY_S

    def _is_hopeless(self, at_s: float) -> bool:
        since_s = self._unread_since_s
        return since_s is not None and at_s - since_s >= HOPELESS_AFTER_S

    def _decode(self, frame: Frame, view: View) -> list[Symbol]:
        """Run the stages that are due, in order of cost, until one gives an accepted read."""
        self._last_decoded_s = frame.at_s
        if frame.at_s - self._last_candidate_s > EVIDENCE_FOR_S or self._is_folder:
            self._evidence.forget()
        grey = _grey(frame.image)
        accepted: dict[bytes, Symbol] = {}
        spent_ms = 0.0
        for name in self._stages_due(view, frame.at_s):
            if spent_ms >= self._budget_ms():
                break
            look = self._decoder.look(grey, self._symbologies, [name])
            self.counts.add(look.steps)
            spent_ms += sum(step.ms for step in look.steps)
            self._slow_turn += name in self._groups[2]
            for found in filter(self._is_whole, look.found):
                self._last_candidate_s = frame.at_s
                if self._judge(found).is_accepted:
                    if not accepted:
                        self.counts.accept(name)
                    accepted.setdefault(clean(found.symbol.payload), found.symbol)
            if accepted:
                break
        crashes = self._decoder.crashes
        self.counts.add_crashes(crashes - self._crashes_counted)
        self._crashes_counted = crashes
        return list(accepted.values())

    def _budget_ms(self) -> float:
        """Return how long the stages of this frame may take before no further one is begun."""
        if self._is_folder:
            return float("inf")
        return CONFIRM_BUDGET_MS if self._evidence.waiting() else FRAME_BUDGET_MS

    def _stages_due(self, view: View, at_s: float) -> Sequence[str]:
        """Return the cheap stages and one more in turn; all for a card that stays unread.

        The slow ones go on each time where the budget of the frame before ended, so that each
        has its turn and a hopeless card never holds the next one up for long.
        """
        names, quick, slow, once = self._groups
        if self._is_folder:
            return [*names, *quick, *slow, *once]
        if view.is_empty:
            return names
        self._turn += 1
        since_s = self._unread_since_s
        is_new = since_s is None or at_s - since_s < SLOW_AFTER_S
        if is_new and not self._evidence.waiting():
            return [*names, *_in_turn(quick, self._turn)[:1]]
        return [*names, *quick, *_in_turn(slow, self._slow_turn)]

    def _is_whole(self, found: Found) -> bool:
        """Whether a code is not a part of one, as those without a check digit may be."""
        if found.symbol.symbology not in engines.SHORT_READ:
            return True
        return len(found.symbol.payload.strip(b"ABCD")) == self._fixed_length

    def _judge(self, found: Found) -> Acceptance:
        return self._evidence.add(
            Candidate(
                payload=found.symbol.payload,
                symbology=found.symbol.symbology,
                stage=found.stage,
                engine=stages.BY_NAME[found.stage].who,
                frame=self._frame_number,
            )
        )

    def _follow(self, frame: Frame, view: View, accepted: Sequence[Symbol]) -> Outcome:
        sighted = []
        for symbol in accepted:
            card = clean(symbol.payload)
            self._symbols[card] = symbol
            self._scene.code_seen(card, symbol.place)
            sighted.append(
                Sighted(card=card, place=symbol.place, is_identifier=self._fits(symbol.payload))
            )
        names = {one.card for one in sighted}
        looks: dict[bytes, bool] = {}
        for card in self._presentations.cards:
            same = self._scene.looks_the_same(card, is_still=view.is_still)
            if card not in names and same is not None:
                looks[card] = same
        is_empty = view.is_empty and not self._scene.may_hide(looks)
        scene = Scene.EMPTY if is_empty else Scene.OCCUPIED
        outcome = self._presentations.see(frame.at_s, sighted, scene, looks)
        if len(outcome.together) > 1:
            self._say_together(outcome.together)
        return outcome

    def _say_together(self, cards: Sequence[bytes]) -> None:
        key = TOGETHER + repr(cards)
        if key in self._said:
            return
        self._said.add(key)
        first, second = (tail_of(card.decode("ascii", "replace")) for card in cards[:2])
        self._notify(
            ReaderNotice(
                reader_id=self.reader_id,
                message=TOGETHER,
                values={"first": first, "second": second},
            )
        )

    def _readings_of(self, outcome: Outcome) -> Iterator[Reading]:
        for card in outcome.started:
            symbol = self._symbols[card]
            yield Reading(
                payload=symbol.payload,
                symbology=symbol.symbology,
                reader_id=self.reader_id,
                at=self._clock.now(),
            )

    def _help(self, frame: Frame, view: View, *, is_read: bool) -> None:
        """Keep the books of what is in view and say what hinders a card from being read."""
        cards = set(self._presentations.cards)
        if view.is_empty or is_read or cards or self._is_folder:
            self._unread_since_s = None
            if view.is_empty and not is_read:
                self._evidence.forget()
            if not cards:
                self._said.clear()
                self._last_hint_s = -1e9  # the next card gets its own in time
            self._symbols = {card: s for card, s in self._symbols.items() if card in cards}
            self._scene.forget(cards)
            return
        if self._unread_since_s is None:
            self._unread_since_s = frame.at_s
        unread_s = frame.at_s - self._unread_since_s
        # One sentence at a time, this one first: a slow computer may see the card again only now.
        if unread_s >= HINT_AFTER_S and frame.at_s - self._last_hint_s >= HINT_EVERY_S:
            hint = self._scene.hint(frame.image)
            if hint is not None:
                self._last_hint_s = frame.at_s
                self._say_once(hint.value)
        is_said = frame.at_s - self._last_hint_s < HINT_AFTER_S
        if unread_s >= UNREAD_AFTER_S and view.is_still and not is_said:
            self._offer_candidate()
            self._say_once(UNREAD)

    def _offer_candidate(self) -> None:
        """Show the officer a candidate that is one digit away from a manifest line."""
        if self._near_expected is None or self._on_candidate is None or "offer" in self._said:
            return
        for payload in self._evidence.waiting():
            if self._fits(payload) and self._near_expected(payload):
                self._said.add("offer")
                self._on_candidate(payload)
                return

    def _say_once(self, message: str) -> None:
        if message not in self._said:
            self._said.add(message)
            self._say(message)

    def _say(self, message: str, state: ReaderState | None = None) -> None:
        self._notify(
            ReaderNotice(
                reader_id=self.reader_id,
                message=message,
                values={"reader": self.reader_id},
                state=state,
            )
        )


def _in_turn(names: Sequence[str], turn: int) -> Sequence[str]:
    """Return the names, beginning with another one each turn."""
    first = turn % len(names) if names else 0
    return [*names[first:], *names[:first]]


def _grey(image: Image) -> Grey:
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if image.ndim == 3 else image
    return np.ascontiguousarray(grey, dtype=np.uint8)
