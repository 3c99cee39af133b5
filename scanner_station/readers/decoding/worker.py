"""The decoder's child process: takes requests on standard input until it is closed.

One JSON object a line each way; frames come through shared memory (an inherited file
descriptor). JSON, not pickle: a decoder taken over by a crafted code must not be able to
take over the station.
"""

import json
import mmap
import resource
import sys
from pathlib import Path
from typing import Any

from scanner_station.domain.errors import InputError
from scanner_station.domain.reading import Symbology
from scanner_station.readers.decoding import pictures, stages, still
from scanner_station.readers.decoding.messages import pack_look
from scanner_station.readers.decoding.symbols import Grey, Look


def main() -> None:
    """Answer requests until standard input ends."""
    import cv2
    import numpy as np

    cv2.setNumThreads(1)
    memory_bytes = int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    memory_fd = int(sys.argv[1])
    shared: mmap.mmap | None = None
    for line in sys.stdin:
        request = json.loads(line)
        if request["op"] == "file":
            answer = _decode_file(request)
        else:
            size = request["height"] * request["width"]
            if shared is None or len(shared) < size:
                shared = mmap.mmap(memory_fd, request["shared"], prot=mmap.PROT_READ)
            flat = np.frombuffer(shared, np.uint8, size)
            answer = _look(flat.reshape(request["height"], request["width"]), request)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _look(image: Grey, request: dict[str, Any]) -> dict[str, Any]:
    try:
        return pack_look(stages.look(image, _symbologies(request), request["stages"]))
    except MemoryError:
        return {"gone": "it needed too much memory"}


def _decode_file(request: dict[str, Any]) -> dict[str, Any]:
    try:
        image = pictures.load_picture(Path(request["path"]))
        result = still.decode_picture(
            image, symbologies=_symbologies(request), stages=request["stages"]
        )
    except InputError as error:
        values = {key: str(value) for key, value in error.values.items()}
        return {"error": error.message, "values": values}
    except MemoryError:
        return {"error": "%(path)s is too large to be read", "values": {"path": request["path"]}}
    return pack_look(Look(found=result.found, steps=result.steps))


def _symbologies(request: dict[str, Any]) -> frozenset[Symbology]:
    return frozenset(Symbology(name) for name in request["symbologies"])


if __name__ == "__main__":
    main()
