"""Who asks, and whether they may: every request passes here before its route."""

import hmac
import ipaddress
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from flask import Flask, Request, g, redirect, request
from werkzeug.wrappers import Response

from scanner_station.domain.errors import AccessError
from scanner_station.domain.people import Login, Role
from scanner_station.service import views
from scanner_station.service.logins import LONGEST, write_token
from scanner_station.service.people import KIOSK
from scanner_station.webapp.access import ACCESS
from scanner_station.webapp.context import Pages, pages
from scanner_station.webapp.network import PLAIN

COOKIE: Final = "__Host-station"
WRITE_HEADER: Final = "X-Write-Token"

_READING_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_PLAIN_ROUTES: Final = ("static", "certificate.show", "certificate.download")
_BEARER: Final = "Bearer "
_HOMES: Final = {Role.OFFICER: "/", Role.WITNESS: "/witness", Role.SUPERVISOR: "/supervisor"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks. `role` is None for nobody; `login` is None for nobody and for programs.

    `is_open`: nobody has been added yet, so whoever is at the machine may do everything.
    """

    name: str
    role: Role | None
    is_kiosk: bool
    login: Login | None = None
    token: str = ""
    is_open: bool = False

    @property
    def address(self) -> str:
        """What wrong tries are counted for: the kiosk, or a place in the network."""
        return KIOSK if self.is_kiosk else network_place(request.remote_addr or "")

    @property
    def write_token(self) -> str:
        """What the page must say to change anything; '' where no cookie speaks for it."""
        return write_token(self.token) if self.login else ""


def caller() -> Caller:
    """Return who makes this request."""
    if "caller" not in g:
        g.caller = _caller(request, pages())
    found: Caller = g.caller
    return found


def by() -> str:
    """Return the name that stands in entries made by this request."""
    return caller().name


def home_of(role: Role) -> str:
    """Return the page of a role."""
    return _HOMES[role]


def guard(app: Flask) -> None:
    """Let nobody use a route that the table does not give them."""
    app.before_request(_check)

    @app.context_processor
    def of_every_page() -> dict[str, object]:
        return {"caller": caller()}


def _check() -> Response | None:
    if request.environ.get(PLAIN) and request.endpoint not in _PLAIN_ROUTES:
        return redirect("/certificate")
    if request.endpoint is None:  # there is nothing at this address
        return None
    who = caller()
    roles = ACCESS.get(request.endpoint, frozenset())
    if roles is not None and who.role is None:
        return _ask_to_sign_in(request)
    if roles is not None and who.role not in roles:
        raise AccessError("this is not for the role %(role)s", role=who.role)
    if who.login is not None and request.method not in _READING_METHODS:
        _require_write_token(who)
    _touch(who)
    return None


def keep_in_cookie(response: Response, token: str) -> None:
    """Give the browser the token of a login; '' takes it away."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(LONGEST.total_seconds()) if token else 0,
        secure=True,
        httponly=True,
        samesite="Strict",
        path="/",
    )


def is_kiosk(wanted: Request) -> bool:
    """Return whether a request comes from this machine itself."""
    try:
        return ipaddress.ip_address(wanted.remote_addr or "").is_loopback
    except ValueError:
        return False


def network_place(address: str) -> str:
    """Return what one machine in the network cannot change about its address.

    All of an IPv4 address, the first half of an IPv6 one.
    """
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return "?"
    if known.version == 4:
        return str(known)
    mapped = known.ipv4_mapped
    return str(mapped) if mapped else str(ipaddress.ip_network((address, 64), strict=False))


def _caller(wanted: Request, parts: Pages) -> Caller:
    kiosk = is_kiosk(wanted)
    context = parts.context
    if kiosk and _is_own_program(wanted, context.api_token):
        return Caller(name=context.by, role=Role.SUPERVISOR, is_kiosk=True)
    token = wanted.cookies.get(COOKIE, "")
    login = context.logins.find(token, is_kiosk=kiosk) if token else None
    if login is not None:
        return Caller(name=login.name, role=login.role, is_kiosk=kiosk, login=login, token=token)
    if kiosk and context.people.is_empty:
        return Caller(name=context.by, role=Role.SUPERVISOR, is_kiosk=True, is_open=True)
    return Caller(name="", role=None, is_kiosk=kiosk)


def _is_own_program(wanted: Request, api_token: str) -> bool:
    # Whoever can read the token's file could use the commands as well.
    said = wanted.headers.get("Authorization", "")
    if not api_token or not said.startswith(_BEARER):
        return False
    given = said.removeprefix(_BEARER).strip()
    return hmac.compare_digest(given.encode("utf-8", "replace"), api_token.encode())


def _ask_to_sign_in(wanted: Request) -> Response:
    if wanted.method == "GET" and not _is_call(wanted):
        return redirect(f"/login?next={quote(wanted.path, safe='/')}")
    raise AccessError("sign in first")


def _is_call(wanted: Request) -> bool:
    return wanted.path.startswith("/api/") or "." in wanted.path or wanted.path == "/metrics"


def _require_write_token(who: Caller) -> None:
    given = request.headers.get(WRITE_HEADER, "")
    if not hmac.compare_digest(given.encode("utf-8", "replace"), who.write_token.encode()):
        raise AccessError("the request does not come from the station's own page; load it again")


def _touch(who: Caller) -> None:
    if who.login is None:
        return
    # What pages ask for by themselves is no sign that somebody is there; a witness only looks.
    is_done = request.method not in _READING_METHODS or not _is_call(request)
    if is_done or who.role is Role.WITNESS:
        pages().context.logins.touch(who.login)


def has_no_batch() -> bool:
    """Return whether nothing was ever to be counted here."""
    with pages().context.views.connection() as connection:
        return not views.listing(connection)
