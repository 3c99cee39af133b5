"""The one tree of errors.

StationError
├── InputError            what somebody gave us cannot be used; nothing was changed
│   ├── ManifestError     a manifest file has problems (they are listed)
│   ├── BatchError        the batch does not exist, or its state does not allow this
│   ├── ClosingError      the batch cannot be sealed yet; what stands in the way is listed
│   ├── EntryError        there is no such entry, or it cannot be taken back
│   └── SettingsError     the settings file has mistakes (all of them are listed)
├── AccessError           who asks is not known here, or may not do this
│   └── LockedOutError    too many wrong tries; `wait_s` says how long to wait
├── VerificationError     a bundle, receipt or head was changed, or is not what it should be
├── ReaderError           a device is gone or cannot be opened; it may come back
└── StorageError          the disk or the database failed; the station stops counting
    └── FolderInUseError    another process holds the data folder

A message is a sentence for the operator: what, which, what to do. It is written as a
`%(name)s` template so that a page can show it in the user's language.
"""


class StationError(Exception):
    """Any failure this program names.

    `message` is the English template and the key for its translation; `values` fill it.
    """

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message % values if values else message)
        self.message = message
        self.values = values


class InputError(StationError):
    """What somebody gave us cannot be used; nothing was changed."""


class ManifestError(InputError):
    """A manifest file has problems; nothing of it was written."""


class BatchError(InputError):
    """The batch does not exist, or its state does not allow this."""


class ClosingError(InputError):
    """The batch cannot be sealed yet; `hindrances` says all that stands in the way."""

    def __init__(self, slug: str, hindrances: "list[StationError]") -> None:
        super().__init__(
            "batch %(slug)s cannot be sealed yet: %(why)s",
            slug=slug,
            why="; ".join(str(one) for one in hindrances),
        )
        self.hindrances = hindrances


class EntryError(InputError):
    """There is no such entry, or it cannot be taken back."""


class SettingsError(InputError):
    """The settings file has mistakes; the message lists all of them."""


class AccessError(StationError):
    """Who asks is not known here, or may not do this; nothing was changed."""


class LockedOutError(AccessError):
    """Too many wrong tries; `values["wait_s"]` is how many seconds are left."""


class VerificationError(StationError):
    """A bundle, a receipt or a head was changed, or is not what it should be.

    The message names the first bad place.
    """


class ReaderError(StationError):
    """A device is gone or cannot be opened; it may come back."""


class StorageError(StationError):
    """The disk or the database failed; the station stops counting."""


class FolderInUseError(StorageError):
    """Another process holds the data folder."""
