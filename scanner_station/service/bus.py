"""Tells listeners what is already on disk; a listener that fails never stops a card."""

import logging
import threading
from collections.abc import Callable

from scanner_station.domain.events import Event

Listener = Callable[[Event], None]

_log = logging.getLogger(__name__)


class Bus:
    """Hands every event to every listener, in order, on the thread that published it."""

    def __init__(self) -> None:
        # Guards `_listeners`; never held while a listener runs.
        self._lock = threading.Lock()
        self._listeners: tuple[Listener, ...] = ()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener, which must return at once; call the result to remove it."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            with self._lock:
                self._listeners = tuple(one for one in self._listeners if one is not listener)

        return unsubscribe

    def publish(self, event: Event) -> None:
        """Tell all listeners."""
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:  # noqa: BLE001 - the entry is durable; a screen may fail, not a count
                _log.exception("a listener failed on %s", type(event).__name__)
