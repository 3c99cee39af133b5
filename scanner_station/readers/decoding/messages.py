"""What the decoder's two processes say to each other, as plain JSON values."""

import base64
from typing import Any

from scanner_station.domain.reading import Symbology
from scanner_station.readers.decoding.symbols import Found, Look, Step, Symbol


def pack_look(look: Look) -> dict[str, Any]:
    """Return a look as plain JSON values."""
    return {
        "found": [
            {
                "payload": base64.b64encode(one.symbol.payload).decode(),
                "text": one.symbol.text,
                "symbology": one.symbol.symbology.value,
                "outline": one.symbol.outline,
                "stage": one.stage,
            }
            for one in look.found
        ],
        "steps": [[step.stage, step.ms, step.found] for step in look.steps],
    }


def unpack_look(answer: dict[str, Any]) -> Look:
    """Return the look that `pack_look` packed.

    Raises:
        KeyError, TypeError, ValueError: it is not one.
    """
    return Look(
        found=tuple(
            Found(
                symbol=Symbol(
                    payload=base64.b64decode(one["payload"]),
                    text=str(one["text"]),
                    symbology=Symbology(one["symbology"]),
                    outline=tuple((float(x), float(y)) for x, y in one["outline"]),
                ),
                stage=str(one["stage"]),
            )
            for one in answer["found"]
        ),
        steps=tuple(
            Step(stage=str(stage), ms=float(ms), found=int(found))
            for stage, ms, found in answer["steps"]
        ),
    )
