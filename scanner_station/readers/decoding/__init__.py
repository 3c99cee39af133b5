"""From a picture to the codes in it: engines, stages, the order they are tried in.

`symbols` says what is found, `engines` calls the two decoding libraries, `stages` names the
pictures they are given. Three readers of our own read damaged codes that no engine can:
`likely_bars` (with `upright`, `bar_grid`, `code128`), `likely_squares` (with `qr_grid`,
`qr_symbol`, `reed_solomon`) and, for bent codes, `likely_curved`. `pictures` loads files,
`still` judges a picture that comes once, `process` runs all of it in a child process that may
crash.
"""

from scanner_station.readers.decoding.process import DecoderProcess, decode_file
from scanner_station.readers.decoding.still import (
    NOTHING_READ,
    PictureResult,
    decode_picture,
    explain_lines,
)

__all__ = [
    "NOTHING_READ",
    "DecoderProcess",
    "PictureResult",
    "decode_file",
    "decode_picture",
    "explain_lines",
]
