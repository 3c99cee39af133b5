"""A simulated camera and scanner, for the demo and for tests.

They stand in for the device only: frames and bytes go through the same readers, decoder and
station as real ones. The cards are those of a rehearsal (domain/rehearsal.py).
"""

import os
import threading
import tty
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
import segno
import zxingcpp

from scanner_station.domain.reading import Symbology
from scanner_station.domain.rehearsal import PracticeCard, strangers

Frame = npt.NDArray[np.uint8]

FRAME_SHAPE: Final = (720, 1280, 3)
FRAMES_PER_S: Final = 12
SHOWN_S: Final = 0.9
EMPTY_S: Final = 0.5

_CARD_WIDTH_PX: Final = 685  # an ID-1 card, 85.60 x 53.98 mm, at 8 px a millimetre
_CARD_HEIGHT_PX: Final = 432
_TABLE: Final = (96, 104, 112)


def presented(cards: Sequence[PracticeCard], seed: int, *, odd_share: float) -> list[PracticeCard]:
    """Return the cards in shuffled order, with repeats, strangers and garbage among them.

    `odd_share`: how many of each kind are put in, as a share of the cards.
    """
    chance = np.random.default_rng([seed, 1])
    pile = [cards[index] for index in chance.permutation(len(cards))]
    odd = max(1, round(len(cards) * odd_share))
    unlisted = strangers(odd, seed + 1)
    for number in range(odd):
        where = int(chance.integers(len(pile) // 2, len(pile)))
        pile.insert(where, pile[int(chance.integers(0, max(1, where // 2)))])
        _insert(pile, chance, unlisted[number])
        garbage = f"KARTU-{chance.integers(0, 10**9)}"
        _insert(pile, chance, PracticeCard(payload=garbage, symbology=Symbology.QR))
    return pile


def _insert(pile: list[PracticeCard], chance: np.random.Generator, card: PracticeCard) -> None:
    pile.insert(int(chance.integers(0, len(pile))), card)


def code_picture(text: str, symbology: Symbology) -> Frame:
    """Return a code as dark and light pixels: uint8, shape (height, width), 8 px or so a module.

    Raises:
        ValueError: only QR Code and Code 128 are drawn.
    """
    if symbology is Symbology.QR:
        matrix = np.array([list(row) for row in segno.make_qr(text).matrix], np.uint8)
        modules = np.pad(matrix, 4)
        return np.kron(255 * (1 - modules), np.ones((7, 7), np.uint8)).astype(np.uint8)
    if symbology is not Symbology.CODE128:
        raise ValueError(f"cannot draw {symbology}")
    barcode = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128)
    row = np.array(barcode.to_image(scale=1))[0]
    bars = np.kron(np.pad(row, 10, constant_values=255), np.ones((110, 3), np.uint8))
    return bars.astype(np.uint8)


def empty_table() -> Frame:
    """Return the frame that the camera sees without a card."""
    return np.full(FRAME_SHAPE, _TABLE, np.uint8)


def card_frame(card: PracticeCard, turn_degrees: float = 0.0) -> Frame:
    """Return one camera frame with a card lying on the table: uint8, BGR, 1280 x 720."""
    plastic = np.full((_CARD_HEIGHT_PX, _CARD_WIDTH_PX, 3), (225, 205, 170), np.uint8)
    for line, text in enumerate(("PROVINSI CONTOH", "KARTU CONTOH", card.name.upper())):
        place = (24, 44 + 40 * line)
        cv2.putText(plastic, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.9, (30, 30, 30), 2)
    code = code_picture(card.payload, card.symbology)
    code = code[: _CARD_HEIGHT_PX - 150]
    top, left = _CARD_HEIGHT_PX - code.shape[0] - 12, (_CARD_WIDTH_PX - code.shape[1]) // 2
    plastic[top : top + code.shape[0], left : left + code.shape[1]] = code[..., None]
    height, width = FRAME_SHAPE[:2]
    turn = cv2.getRotationMatrix2D((_CARD_WIDTH_PX / 2, _CARD_HEIGHT_PX / 2), turn_degrees, 1.0)
    turn[0, 2] += (width - _CARD_WIDTH_PX) / 2
    turn[1, 2] += (height - _CARD_HEIGHT_PX) / 2
    frame = cv2.warpAffine(plastic, turn, (width, height), borderValue=_TABLE)
    return np.asarray(frame, np.uint8)


class SimulatedCamera:
    """A live source of frames: each card lies there for a moment, then the table is empty.

    Has the two methods of `cv2.VideoCapture` that the camera reader uses. After the last card
    it shows the empty table until released.
    """

    def __init__(self, cards: Sequence[PracticeCard], seed: int = 0) -> None:
        """Prepare to show the cards in order."""
        self._cards = list(cards)
        self._chance = np.random.default_rng(seed)
        self._released = threading.Event()
        self._shown = 0
        self._frame = empty_table()

    def read(self) -> tuple[bool, Frame | None]:
        """Wait for the next frame; (False, None) once released."""
        if self._released.wait(1 / FRAMES_PER_S):
            return False, None
        period = round((SHOWN_S + EMPTY_S) * FRAMES_PER_S)
        number, step = divmod(self._shown, period)
        self._shown += 1
        if number >= len(self._cards) or step >= round(SHOWN_S * FRAMES_PER_S):
            self._frame = empty_table()
        elif step == 0:
            self._frame = card_frame(self._cards[number], float(self._chance.uniform(-6, 6)))
        noise = self._chance.integers(-3, 4, FRAME_SHAPE[:2], np.int16)[..., None]
        return True, np.clip(self._frame + noise, 0, 255).astype(np.uint8)

    def release(self) -> None:
        """Make `read` end; safe twice, and from another thread."""
        self._released.set()


class SimulatedScanner:
    """A hand scanner on a pseudo-terminal: `port` is what a serial reader opens."""

    def __init__(self, cards: Sequence[PracticeCard], interval_s: float) -> None:
        """Make the pseudo-terminal; nothing is sent before `start`."""
        self._cards = list(cards)
        self._interval_s = interval_s
        self._stopped = threading.Event()
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._thread = threading.Thread(target=self._send, name="simulated-scanner", daemon=True)

    def start(self) -> None:
        """Begin to send one card each interval."""
        self._thread.start()

    def _send(self) -> None:
        for card in self._cards:
            if self._stopped.wait(self._interval_s):
                return
            aim = "]Q3" if card.symbology is Symbology.QR else "]C0"
            os.write(self._master, f"{aim}{card.payload}\r".encode())

    def close(self) -> None:
        """Stop sending and take the pseudo-terminal away."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        os.close(self._master)
        os.close(self._slave)
