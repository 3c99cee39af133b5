"""The settings: one TOML file, read once, checked whole; every mistake is reported at once.

Defaults live on these dataclasses and nowhere else; `config/station.example.toml` shows them.
"""

import ipaddress
import re
import tomllib
import zoneinfo
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Final, get_args, get_origin, get_type_hints

from scanner_station.domain.errors import SettingsError
from scanner_station.domain.reading import Symbology

Check = Callable[[Any], str]
"""Takes a value of the right type; returns what was expected instead, '' if it can be used."""

LANGUAGES: Final = ("id", "en")
SYMBOLOGIES: Final = tuple(name.value for name in Symbology if name is not Symbology.UNKNOWN)
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_SLUG: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")


def _slug(value: str) -> str:
    return "" if _SLUG.fullmatch(value) else "a short name of a-z, 0-9 and '-'"


def _not_empty(value: str) -> str:
    return "" if value.strip() else "some text"


def _this_machine(value: str) -> str:
    try:
        is_own = value == "localhost" or ipaddress.ip_address(value).is_loopback
    except ValueError:
        is_own = False
    if not value.strip():
        return "some text"
    return "" if is_own else "127.0.0.1 (tablets come by HTTPS, see web.network)"


def _network(value: str) -> str:
    try:
        ipaddress.IPv4Address(value or "0.0.0.0")  # noqa: S104 - only looked at
    except ValueError:
        return "an address of this machine, 0.0.0.0 for all of them, or '' for none"
    return ""


def _host_names(value: tuple[str, ...]) -> str:
    return "" if all(_HOST.fullmatch(name) for name in value) else "host names or addresses"


def _language(value: str) -> str:
    return "" if value in LANGUAGES else f"one of {', '.join(LANGUAGES)}"


def _time_zone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return "a time zone such as Asia/Jakarta, Asia/Makassar or Asia/Jayapura"
    return ""


def _pattern(value: str) -> str:
    try:
        matches_nothing = re.compile(value).fullmatch("") is not None
    except re.error as error:
        return f"a regular expression ({error})"
    return "a pattern that an empty code does not match" if matches_nothing else ""


def _symbologies(value: tuple[str, ...]) -> str:
    return "" if value and set(value) <= set(SYMBOLOGIES) else f"some of {', '.join(SYMBOLOGIES)}"


def _between(least: int, most: int) -> Check:
    return lambda value: "" if least <= value <= most else f"{least} to {most}"


def _silence(value: int) -> str:
    return "" if value == 0 or 10 <= value <= 10_000 else "0, or 10 to 10000"


def _checked(check: Check) -> dict[str, Check]:
    return {"check": check}


@dataclass(frozen=True, slots=True, kw_only=True)
class StationSettings:
    """Which station this is; its name is part of its log's name."""

    name: str = field(default="station-1", metadata=_checked(_slug))
    language: str = field(default="id", metadata=_checked(_language))
    time_zone: str = field(default="Asia/Makassar", metadata=_checked(_time_zone))


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """Where the pages are: unencrypted on this machine, by HTTPS in the local network.

    Ports: 0 takes any free one. `network` '' lets no tablet in; `names` are further names and
    addresses for the certificate; `stream_slots` is how many pages may follow live at once.
    """

    host: str = field(default="127.0.0.1", metadata=_checked(_this_machine))
    port: int = field(default=8080, metadata=_checked(_between(0, 65535)))
    network: str = field(default="0.0.0.0", metadata=_checked(_network))  # noqa: S104 - HTTPS
    https_port: int = field(default=8443, metadata=_checked(_between(0, 65535)))
    certificate_port: int = field(default=8081, metadata=_checked(_between(0, 65535)))
    names: tuple[str, ...] = field(default=(), metadata=_checked(_host_names))
    stream_slots: int = field(default=60, metadata=_checked(_between(1, 200)))
    max_upload_mb: int = field(default=256, metadata=_checked(_between(1, 4096)))


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleSettings:
    """How long officers and supervisors may do nothing before they must sign in again."""

    idle_minutes: int = field(default=15, metadata=_checked(_between(1, 720)))


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """When the head of a log is signed, and how long a closed batch's people must be kept."""

    head_entries: int = field(default=100, metadata=_checked(_between(1, 100_000)))
    head_seconds: int = field(default=60, metadata=_checked(_between(1, 86_400)))
    retention_days: int = field(default=0, metadata=_checked(_between(0, 36_500)))


@dataclass(frozen=True, slots=True, kw_only=True)
class MinutesSettings:
    """How the minutes look; `logo` is a PNG or JPEG picture beside the letterhead, '' for none."""

    logo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierSettings:
    """What identifiers look like; `serial_pattern` matches a whole serial number."""

    serial_pattern: str = field(default="[A-Z0-9-]{6,32}", metadata=_checked(_pattern))


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraSettings:
    """One camera: `source` is an index, a device path, a file, a folder of images or a URL.

    `fixed_length`: an ITF or Codabar of any other length is a part of one, and not taken.
    `stages_off` names stages of decoding that are not tried; the camera refuses unknown names.
    """

    id: str = field(metadata=_checked(_slug))
    source: str = field(metadata=_checked(_not_empty))
    symbologies: tuple[str, ...] = field(
        default=("qr", "code128", "code39"), metadata=_checked(_symbologies)
    )
    fixed_length: int = field(default=16, metadata=_checked(_between(6, 80)))
    stages_off: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialSettings:
    """One serial scanner: `port` is a device path or `socket://` address, `baud` in bit/s.

    `silence_ms` without a byte ends a line of a scanner that sends no suffix; with 0 nothing
    but a suffix does.
    """

    id: str = field(metadata=_checked(_slug))
    port: str = field(metadata=_checked(_not_empty))
    baud: int = field(default=9600, metadata=_checked(_between(300, 4_000_000)))
    silence_ms: int = field(default=100, metadata=_checked(_silence))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a station can be told; the readers are `[[camera]]` and `[[serial]]` tables."""

    station: StationSettings = field(default_factory=StationSettings)
    web: WebSettings = field(default_factory=WebSettings)
    people: PeopleSettings = field(default_factory=PeopleSettings)
    log: LogSettings = field(default_factory=LogSettings)
    minutes: MinutesSettings = field(default_factory=MinutesSettings)
    identifiers: IdentifierSettings = field(default_factory=IdentifierSettings)
    cameras: tuple[CameraSettings, ...] = field(default=(), metadata={"key": "camera"})
    serials: tuple[SerialSettings, ...] = field(default=(), metadata={"key": "serial"})


def load(path: Path | None) -> Settings:
    """Return the settings in a TOML file; the defaults for None.

    Raises:
        SettingsError: the file cannot be read or is not TOML, or has mistakes: all of them,
            each by its full key (`web.port: expected int, got '80'`).
    """
    if path is None:
        return Settings()
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(
            "The settings file %(path)s cannot be read (%(reason)s); check its path and rights.",
            path=path,
            reason=error.strerror,
        ) from error
    except ValueError as error:  # not TOML (the message names the line) or not UTF-8
        raise SettingsError(
            "The settings file %(path)s is not valid TOML: %(reason)s.", path=path, reason=error
        ) from error
    mistakes: list[str] = []
    settings: Settings = _table(Settings, raw, "", mistakes)
    mistakes += _repeated_ids(raw)
    if mistakes:
        raise SettingsError(
            "The settings file %(path)s has mistakes (%(count)d): %(mistakes)s",
            path=path,
            count=len(mistakes),
            mistakes="; ".join(mistakes),
        )
    return settings


def known_keys(table: Any = Settings) -> list[str]:
    """Return every key that a settings file may have: `web.port`, `camera.source`, ..."""
    found: list[str] = []
    for item in fields(table):
        inner = _item_type(get_type_hints(table)[item.name])
        nested = known_keys(inner) if is_dataclass(inner) else []
        found += [f"{_key(item)}.{key}" for key in nested] or [_key(item)]
    return found


def _table(table: Any, raw: object, key: str, mistakes: list[str]) -> Any:
    """Return a TOML table as the dataclass `table`; None if it has mistakes, which are added."""
    if not isinstance(raw, dict):
        mistakes.append(f"{key}: expected a table, got {raw!r}")
        return None
    known = {_key(item): item for item in fields(table)}
    hints = get_type_hints(table)
    prefix = f"{key}." if key else ""
    found = [f"{prefix}{name}: unknown setting" for name in raw if name not in known]
    values: dict[str, Any] = {}
    for name, item in known.items():
        if name in raw:
            hint, check = hints[item.name], item.metadata.get("check")
            values[item.name] = _value(hint, raw[name], prefix + name, found, check)
        elif item.default is MISSING and item.default_factory is MISSING:
            found.append(f"{prefix}{name}: missing")
    mistakes += found
    return None if found else table(**values)


def _value(hint: Any, raw: Any, key: str, mistakes: list[str], check: Check | None = None) -> Any:
    """Return a TOML value as the type `hint`; what is wrong with it is added to `mistakes`."""
    if is_dataclass(hint):
        return _table(hint, raw, key, mistakes)
    before = len(mistakes)
    value, expected = raw, ""
    if get_origin(hint) is tuple and isinstance(raw, list):
        items = enumerate(raw, start=1)
        value = tuple(_value(_item_type(hint), one, f"{key}[{n}]", mistakes) for n, one in items)
    elif get_origin(hint) is tuple:
        expected = f"[[{key}]]" if is_dataclass(_item_type(hint)) else "a list"
    elif type(raw) is not hint:  # not isinstance: `true` is no int
        expected = str(hint.__name__)
    if not expected and check and len(mistakes) == before:
        expected = check(value)
    if expected:
        mistakes.append(f"{key}: expected {expected}, got {raw!r}")
    return value


def _item_type(hint: Any) -> Any:
    """Return the type of a tuple's items, or the type itself."""
    return get_args(hint)[0] if get_origin(hint) is tuple else hint


def _key(item: "Field[Any]") -> str:
    """Return a field's key in the file."""
    return str(item.metadata.get("key", item.name))


def _repeated_ids(raw: dict[str, Any]) -> list[str]:
    """Return a mistake for each reader whose id another one has."""
    owners: dict[str, str] = {}
    found = []
    for table in ("camera", "serial"):
        readers = raw.get(table)
        for number, reader in enumerate(readers if isinstance(readers, list) else (), start=1):
            if not isinstance(reader, dict) or not isinstance(reader.get("id"), str):
                continue
            key, name = f"{table}[{number}].id", reader["id"]
            if owners.setdefault(name, key) != key:
                found.append(f"{key}: {name!r} is already the id of {owners[name]}")
    return found
