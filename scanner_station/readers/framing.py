"""Where one payload ends and the next begins in a scanner's bytes; pure, no port and no clock.

A scanner either ends its lines with a byte (CR, LF, TAB, ETX, or several of them) or sends no
suffix at all, and then only silence tells one card from the next. Half a line followed by
silence looks exactly like a whole line without a suffix, and a wrong number is worse than an
unread card. So silence completes a line only until the device has shown that it ends its lines.
From then on a line that pauses too long is never used: not its first half, and not what comes
next up to the following end, which may be its late second half.
"""

import re
from typing import Final

from scanner_station.domain.identifier import MAX_PAYLOAD_BYTES

SILENCE_MS: Final = 100
HALF_LINE_MS: Final = 1000
"""A line that pauses this long (or `silence_ms`, if longer) is given up. The longest pause found
in a scanner's settings is 990 ms between two characters; a serial server on a network pauses for
some hundred when a packet is lost.

Source: Datalogic PowerScan 9600 reference manual, "Intercharacter Delay".
"""

_END: Final = re.compile(rb"[\r\n\t\x03]")


class Framer:
    """Cuts the bytes of one opened device into payloads.

    Payloads are never empty; CRLF is one end because the empty line between is skipped. STX and
    the AIM identifier stay in the payload. A line of more than 256 bytes is delivered once, cut
    at 257 bytes so that it is judged too long, and its remainder is dropped.

    `silence_ms`: silence that ends a line of a device which has not sent an end yet; 0 for a
    device known to end its lines. `in_step`: False when the first bytes may be the second
    half of a line, as on a port just opened; they are dropped up to an end or to silence.
    """

    def __init__(self, *, silence_ms: int = SILENCE_MS, in_step: bool = True) -> None:
        self._silence_ms = silence_ms
        self._half_line_ms = max(HALF_LINE_MS, silence_ms)
        self._line = bytearray()
        self._is_skipping = not in_step
        self._is_skip_answered = False
        self._ends_by_silence = silence_ms > 0 or not in_step
        self._lost_bytes = 0

    @property
    def is_in_step(self) -> bool:
        """Whether the next byte belongs to a line whose beginning is known."""
        return not self._is_skipping

    @property
    def ends_by_silence(self) -> bool:
        """Whether silence ends a line now: no end has come from this device yet."""
        return self._ends_by_silence

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the payloads that these bytes complete, in order."""
        payloads: list[bytes] = []
        start = 0
        for end in _END.finditer(chunk):
            payloads += self._add(chunk[start : end.start()])
            payloads += self._finish()
            self._ends_by_silence = False
            start = end.end()
        return payloads + self._add(chunk[start:])

    def quiet(self, silent_ms: int) -> list[bytes]:
        """Return what silence completes; at most one payload.

        `silent_ms`: how long nothing has come, counted from the last byte.
        """
        if self._ends_by_silence and silent_ms >= self._enough_silence_ms():
            self._ends_by_silence = self._silence_ms > 0
            return self._finish()
        if self._line and silent_ms >= self._half_line_ms:
            self.lose_step()
        return []

    def lose_step(self) -> None:
        """Drop the unfinished line and what follows it up to the next end (or silence)."""
        self._lost_bytes += len(self._line)
        self._line.clear()
        self._is_skipping, self._is_skip_answered = True, False

    def take_lost_bytes(self) -> int:
        """Return how many bytes were dropped unanswered since last asked.

        The remainder of an overlong line is not among them: the line was delivered.
        """
        lost_bytes, self._lost_bytes = self._lost_bytes, 0
        return lost_bytes

    def _add(self, part: bytes) -> list[bytes]:
        if self._is_skipping:
            self._lost_bytes += 0 if self._is_skip_answered else len(part)
            return []
        self._line += part
        if len(self._line) <= MAX_PAYLOAD_BYTES:
            return []
        overlong = bytes(self._line[: MAX_PAYLOAD_BYTES + 1])
        self._line.clear()
        self._is_skipping = self._is_skip_answered = True
        return [overlong]

    def _enough_silence_ms(self) -> int:
        if self._is_skipping:  # getting into step: a device that pauses longer is not waited for
            return min(self._silence_ms or SILENCE_MS, HALF_LINE_MS)
        return self._silence_ms

    def _finish(self) -> list[bytes]:
        payload = bytes(self._line)
        self._line.clear()
        self._is_skipping = self._is_skip_answered = False
        return [payload] if payload else []
