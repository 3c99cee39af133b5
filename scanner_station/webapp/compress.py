"""Pages, styles and scripts are sent packed: a cheap tablet far from the router opens them sooner.

A page holds its write token beside what others wrote, which would let a foreign site learn it from
the packed length; but a foreign site's requests carry no cookie (SameSite=Strict), so no token.
"""

import gzip
from typing import Final

from flask import Flask, Response, request

_KINDS: Final = frozenset({"text/html", "text/css", "text/javascript", "application/javascript"})
_LEAST_BYTES: Final = 1500  # what fits into one packet gains nothing
_LEVEL: Final = 4


def compress(app: Flask) -> None:
    """Pack the answers that gain by it for browsers that can unpack them."""

    @app.after_request
    def pack(response: Response) -> Response:
        if response.mimetype not in _KINDS or response.status_code != 200:
            return response
        response.vary.add("Accept-Encoding")
        if not request.accept_encodings["gzip"] or request.method == "HEAD":
            return response
        response.direct_passthrough = False
        data = response.get_data()
        if len(data) < _LEAST_BYTES:
            return response
        response.set_data(gzip.compress(data, _LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
        if tag := response.get_etag()[0]:
            response.set_etag(tag, weak=True)  # the same content in another form
        return response
