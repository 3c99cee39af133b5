"""What keeps other sites, other names and oversized bodies out."""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Request, Response, abort, request

MAX_BODY_BYTES: Final = 64 * 1024
"""Of every request but a manifest, whose limit is a setting."""

_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_READING_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def protect(app: Flask, *, names: frozenset[str]) -> None:
    """Refuse strange hosts and cross-site writes on every route, and set the headers.

    `names`: the station's own names; any address is accepted beside them.
    """

    @app.before_request
    def refuse_strangers() -> None:
        if not _is_known_host(request.host, names):
            abort(421)
        if request.method not in _READING_METHODS and not _is_own_page(request):
            abort(403)

    @app.after_request
    def set_headers(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if request.endpoint == "static":
            response.headers["Cache-Control"] = "no-cache"
        else:
            response.headers["Cache-Control"] = "no-store"
        return response


def _is_known_host(host: str, known: frozenset[str]) -> bool:
    """Return whether a Host header names this station.

    An address always does: DNS rebinding needs a name that somebody else owns.
    """
    name = (urlsplit(f"//{host}").hostname or "").rstrip(".").lower()
    if name in known:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_own_page(wanted: Request) -> bool:
    """Return whether a writing request comes from our own page, or from no browser at all.

    Browsers say where a writing request comes from; programs such as curl say nothing.

    Source: Fetch Metadata Request Headers (W3C), Fetch Standard, section 3.2.
    """
    site = wanted.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = wanted.headers.get("Origin")
    return origin is None or _is_of(origin, wanted.host)


def _is_of(origin: str, host: str) -> bool:
    try:
        return urlsplit(origin).netloc == host
    except ValueError:  # half an IPv6 address
        return False
