"""A thread for each reader: opens it, hands its readings over, opens it again when it is lost."""

import logging
import threading
import traceback
from collections.abc import Callable
from typing import Final

from scanner_station.domain.errors import StationError, StorageError
from scanner_station.domain.events import Notify, ReaderNotice, ReaderState
from scanner_station.domain.reading import ReaderId, Reading
from scanner_station.readers.protocol import Reader

_log = logging.getLogger(__name__)

RETRY_S: Final = 1.0

_CLOSED: Final = "Reader %(reader)s is closed."
_NOT_RECORDED: Final = (
    "Reader %(reader)s has stopped: a card could not be recorded (%(why)s). It is not counted;"
    " present it again when the station counts again."
)
_CARD_FAILED: Final = (
    "Reader %(reader)s: a card could not be handled (%(kind)s). Present it again; if this stays,"
    " restart the station and show its log to whoever looks after it."
)
_READER_FAILED: Final = (
    "Reader %(reader)s does not work (%(kind)s). It is tried again by itself; if this stays,"
    " restart the station and show its log to whoever looks after it."
)


class ReaderLoop:
    """Keeps one reader at work on a thread of its own until stopped.

    `make_reader` makes a fresh reader for each attempt. `deliver` gets the readings in order, on
    this loop's thread; while it works, the next ones wait in the device's buffer. `notify` is told
    LOST at every failed attempt (see `without_repeats`) and CLOSED once at the end; READY is for
    the reader itself to say.

    When `deliver` raises StorageError the loop ends: no light may be given. Any other failure of
    `deliver` concerns one card; it is reported and the next card is taken.
    """

    def __init__(
        self,
        reader_id: ReaderId,
        make_reader: Callable[[], Reader],
        deliver: Callable[[Reading], None],
        notify: Notify,
        *,
        retry_s: float = RETRY_S,
    ) -> None:
        self.reader_id = reader_id
        self._make_reader = make_reader
        self._deliver = deliver
        self._notify = notify
        self._retry_s = retry_s
        self._stopping = threading.Event()
        # Guards `_reader` between the loop's thread and the one that stops it.
        self._lock = threading.Lock()
        self._reader: Reader | None = None
        self._thread: threading.Thread | None = None
        self._has_failed_to_record = False
        self._last_logged: ReaderNotice | None = None

    def start(self) -> None:
        """Start working; again, too, after the loop has ended."""
        if self.wait(0):
            self._stopping.clear()
            self._has_failed_to_record = False
            self._thread = threading.Thread(target=self._run, name=f"reader {self.reader_id}")
            self._thread.daemon = True  # a driver that hangs must not keep the station from ending
            self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Close the reader and wait for the loop to end; False when it has not after `timeout_s`.

        A reading that is being delivered is finished; later ones are not taken.
        """
        self._stopping.set()
        with self._lock:
            reader = self._reader
        if reader is not None:
            reader.close()
        return self.wait(timeout_s)

    def wait(self, timeout_s: float) -> bool:
        """Wait for the loop to end by itself; whether it has (or was never started)."""
        if self._thread is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while self._attempt() and not self._stopping.wait(self._retry_s):
            pass
        if not self._has_failed_to_record:  # that notice said already that the reader is closed
            self._tell(_CLOSED, ReaderState.CLOSED, {})

    def _attempt(self) -> bool:
        """Read until the reader ends or is lost; whether to try again."""
        try:
            self._read()
        except StationError as error:  # nearly always ReaderError
            self._tell(_template(error), ReaderState.LOST, error.values)
        except Exception as error:  # noqa: BLE001 - a driver may raise anything; say it and go on
            self._tell_surprise(_READER_FAILED, error, ReaderState.LOST)
        else:
            return False
        return True

    def _read(self) -> None:
        reader = self._make_reader()
        with self._lock:
            self._reader = reader
        try:
            if self._stopping.is_set():  # `stop` came before there was a reader to close
                return
            for reading in reader.readings():
                if not self._hand_over(reading) or self._stopping.is_set():
                    return
        finally:
            with self._lock:
                self._reader = None
            reader.close()

    def _hand_over(self, reading: Reading) -> bool:
        """Deliver one reading; whether more may follow."""
        try:
            self._deliver(reading)
        except StorageError as error:
            self._has_failed_to_record = True
            self._tell(_NOT_RECORDED, ReaderState.CLOSED, {"why": error})
            return False
        except StationError as error:  # for instance, no batch is open
            self._tell(_template(error), None, error.values)
        except Exception as error:  # noqa: BLE001 - one card's trouble must not end the reader
            self._tell_surprise(_CARD_FAILED, error)
        return True

    def _tell_surprise(
        self, message: str, error: Exception, state: ReaderState | None = None
    ) -> None:
        # The text of a foreign exception may quote what was read: only its type and place.
        kind = type(error).__name__
        place = "".join(traceback.format_tb(error.__traceback__))
        _log.error("%s at reader %s\n%s", kind, self.reader_id, place)
        self._tell(message, state, {"kind": kind})

    def _tell(self, message: str, state: ReaderState | None, values: dict[str, object]) -> None:
        told = {key: one if isinstance(one, str | int) else str(one) for key, one in values.items()}
        notice = ReaderNotice(
            reader_id=self.reader_id,
            message=message,
            values={**told, "reader": self.reader_id},
            state=state,
        )
        if notice != self._last_logged:  # a lost device says the same at every attempt
            self._last_logged = notice
            level = logging.INFO if state is ReaderState.CLOSED else logging.WARNING
            _log.log(level, "%s", notice.message % notice.values)
        self._notify(notice)


def _template(error: StationError) -> str:
    """Return an error's message as a template, which it is only when it has values."""
    return error.message if error.values else error.message.replace("%", "%%")


def without_repeats(notify: Notify) -> Notify:
    """Return a `Notify` that passes on a reader's notice of its state only when it is news.

    One for all readers and their loops: a device that stays away then is LOST once, however
    often it was tried, and lost again after it was READY. Notices without a state always pass.
    """
    last: dict[ReaderId, ReaderNotice] = {}  # each key is written by its reader's thread alone

    def notify_news(notice: ReaderNotice) -> None:
        if notice.state is not None:
            if last.get(notice.reader_id) == notice:
                return
            last[notice.reader_id] = notice
        notify(notice)

    return notify_news
