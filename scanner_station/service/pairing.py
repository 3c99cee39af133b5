"""How a tablet comes in without typing an address: a mark that works once, for minutes."""

import hmac
import secrets
import threading
from typing import Final

from scanner_station.clock import Clock

LASTS_S: Final = 600
_MOST_OPEN: Final = 50
_TOKEN_BYTES: Final = 16


class Pairing:
    """The marks that are shown as QR codes now; a restart forgets them."""

    def __init__(self, clock: Clock) -> None:
        """Begin with none."""
        self._clock = clock
        # Guards `_ends_s`.
        self._lock = threading.Lock()
        self._ends_s: dict[str, float] = {}

    def issue(self) -> str:
        """Return a new mark, good for one tablet within ten minutes."""
        mark = secrets.token_urlsafe(_TOKEN_BYTES)
        with self._lock:
            self._forget_old()
            while len(self._ends_s) >= _MOST_OPEN:
                del self._ends_s[next(iter(self._ends_s))]
            self._ends_s[mark] = self._clock.steady_s() + LASTS_S
        return mark

    def is_open(self, mark: str) -> bool:
        """Return whether a mark can still be used."""
        with self._lock:
            self._forget_old()
            return self._known(mark) is not None

    def take(self, mark: str) -> bool:
        """Use a mark up; False when it was used already, or is too old."""
        with self._lock:
            self._forget_old()
            known = self._known(mark)
            if known is None:
                return False
            del self._ends_s[known]
            return True

    def _known(self, mark: str) -> str | None:
        given = mark.encode("utf-8", "replace")
        found = [one for one in self._ends_s if hmac.compare_digest(one.encode(), given)]
        return found[0] if found else None

    def _forget_old(self) -> None:
        now_s = self._clock.steady_s()
        self._ends_s = {mark: end for mark, end in self._ends_s.items() if end > now_s}
