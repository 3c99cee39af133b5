"""Where uploads and downloads of a running station wait; what a killed one left is swept away."""

import shutil
from pathlib import Path
from typing import Final

FOLDER_NAME: Final = "incoming"


def sweep(folder: Path) -> Path:
    """Empty the place in a data folder, made if need be, and return it; nobody may be using it."""
    place = folder / FOLDER_NAME
    if place.exists():
        shutil.rmtree(place)
    place.mkdir(mode=0o700)
    return place
