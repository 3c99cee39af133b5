"""Which device file a serial scanner is behind today, also when it came back under another name."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from serial.tools.list_ports import comports

_USB: Final = re.compile(
    r"usb:(?P<vendor>[0-9a-f]{4}):(?P<product>[0-9a-f]{4})(?::(?P<serial>.+))?", re.IGNORECASE
)
_GLOB: Final = re.compile(r"[*?\[]")


class PortInfo(Protocol):
    """What the system says about one serial port; `vid` is None when it is not on USB."""

    device: str
    vid: int | None
    pid: int | None
    serial_number: str | None


@dataclass(frozen=True, slots=True)
class _UsbIdentity:
    """The numbers a USB device gives of itself; cheap scanners have no serial number."""

    vendor: int
    product: int
    serial_number: str | None


class PortFinder:
    """Finds the device that a port setting means; keep one for as long as the setting holds.

    `port`: a device path, a pattern of paths (`/dev/ttyACM*`), `usb:VVVV:PPPP[:serial number]`
    (vendor and product in hex), or an address such as `socket://192.168.1.5:4001`.

    `remember` keeps the USB identity of the device that was opened, so that it is preferred
    later, under whatever name. Two scanners of one model without serial numbers cannot be
    told apart: then the configured path goes first.
    """

    def __init__(self, port: str, list_ports: Callable[[], Iterable[PortInfo]] = comports) -> None:
        self.port = port
        self._list_ports = list_ports
        self._known: _UsbIdentity | None = None

    def candidates(self) -> list[str]:
        """Return the paths or addresses to try, best first; empty when nothing is there."""
        if "://" in self.port:
            return [self.port]
        infos = self._infos()
        configured = self._configured(infos)
        if self._known is None:
            return configured
        known = [info.device for info in infos if _identity(info) == self._known]
        real = {Path(path).resolve() for path in known}
        preferred = [path for path in configured if Path(path).resolve() in real]
        return list(dict.fromkeys([*preferred, *known, *configured]))

    def remember(self, path: str) -> None:
        """Note which device is behind a path that has just been opened."""
        if "://" in path:
            return
        real = Path(path).resolve()
        for info in self._infos():
            if Path(info.device).resolve() == real:
                self._known = _identity(info)

    def _configured(self, infos: list[PortInfo]) -> list[str]:
        if usb := _USB.fullmatch(self.port):
            vendor, product = int(usb["vendor"], 16), int(usb["product"], 16)
            return [
                info.device
                for info in infos
                if (info.vid, info.pid) == (vendor, product)
                and usb["serial"] in (None, info.serial_number)
            ]
        if _GLOB.search(self.port):
            found = Path("/").glob(self.port.lstrip("/"))
            return sorted((str(path) for path in found), key=lambda path: (len(path), path))
        return [self.port] if Path(self.port).exists() else []

    def _infos(self) -> list[PortInfo]:
        try:
            return sorted(self._list_ports(), key=lambda info: info.device)
        except (OSError, TypeError, ValueError):
            # The list is read from files that go away while a device is being unplugged;
            # pyserial then hands None to int().
            return []


def _identity(info: PortInfo) -> _UsbIdentity | None:
    if info.vid is None or info.pid is None:
        return None
    return _UsbIdentity(info.vid, info.pid, info.serial_number)
