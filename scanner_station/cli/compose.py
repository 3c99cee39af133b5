"""The one place that joins the parts: settings, station, readers, pages."""

import os
import pwd
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scanner_station import config
from scanner_station.config import Settings
from scanner_station.domain.errors import InputError, StorageError
from scanner_station.domain.people import checked_name
from scanner_station.service.station import Station
from scanner_station.service.views import Views
from scanner_station.storage import station_key as key_file
from scanner_station.storage.durable_file import written_durably

SETTINGS_VARIABLE: Final = "SCANNER_STATION_CONFIG"
SETTINGS_FILE: Final = "station.toml"
API_FILE: Final = "api-token"


def local_account() -> str:
    """Return the name of the account that runs this command, as it stands in entries.

    Its own, whatever the environment says. One without a name that a log may hold is its number.
    """
    try:
        return checked_name(pwd.getpwuid(os.getuid()).pw_name)
    except (KeyError, InputError):
        return f"uid-{os.getuid()}"


def new_api_token(data: Path) -> str:
    """Return a new secret for programs on this machine, kept where only this account reads it.

    Raises:
        StorageError: the file cannot be written.
    """
    token = secrets.token_urlsafe(32)
    with written_durably(data / API_FILE) as file:
        file.write(token.encode())
    return token


def load_settings(data: Path, named: Path | None = None) -> Settings:
    """Return the settings: of the named file, else the variable's, else the data folder's.

    Raises:
        SettingsError: the file has mistakes.
    """
    if named is None and (variable := os.environ.get(SETTINGS_VARIABLE)):
        named = Path(variable)
    beside = data / SETTINGS_FILE
    return config.load(named or (beside if beside.is_file() else None))


def station_key(data: Path) -> Ed25519PrivateKey:
    """Return the key with which the station in a data folder signs its logs.

    Raises:
        StorageError: there is none, or it cannot be used.
    """
    key = key_file.load(data)
    if key is None:
        raise StorageError(
            "the data folder %(folder)s has no key; it is made when the station starts there",
            folder=str(data),
        )
    return key


@contextmanager
def writing(data: Path) -> Iterator[Station]:
    """Open the station as the one writer of a data folder, for one command.

    Raises:
        FolderInUseError: the daemon or another command writes it.
    """
    station = Station(data, name=load_settings(data).station.name)
    try:
        yield station
    finally:
        station.close()


@contextmanager
def reading(data: Path) -> Iterator[Connection]:
    """Open a data folder to read it, beside a running station."""
    views = Views(data)
    try:
        with views.connection() as connection:
            yield connection
    finally:
        views.close()
