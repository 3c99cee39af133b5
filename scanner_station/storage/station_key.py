"""The station's key, which signs the heads of its logs: made once, only its owner may read it."""

import os
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scanner_station.domain.errors import StorageError
from scanner_station.storage.durable_file import written_durably

FILE_NAME: Final = "log-key.pem"


def make(folder: Path) -> Ed25519PrivateKey:
    """Make the key and write it durably.

    Raises:
        StorageError: it could not be written.
    """
    key = Ed25519PrivateKey.generate()
    with written_durably(folder / FILE_NAME) as file:
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    return key


def load(folder: Path) -> Ed25519PrivateKey | None:
    """Return the key, or None when none was made yet.

    Raises:
        StorageError: it cannot be read, is no such key, or others may read it.
    """
    path = folder / FILE_NAME
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise StorageError(
                    "%(path)s, the station's key, may be read by others; take that right away "
                    "(chmod 600) and ask whether it was copied",
                    path=str(path),
                )
            key = serialization.load_pem_private_key(file.read(), password=None)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _unusable(path, str(error)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _unusable(path, "it is of another kind")
    return key


def _unusable(path: Path, why: str) -> StorageError:
    return StorageError(
        "%(path)s, the station's key, cannot be used (%(why)s); restore the file from a copy",
        path=str(path),
        why=why,
    )
