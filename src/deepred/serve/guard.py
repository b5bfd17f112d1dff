"""The gate before every request: who may speak to this server, how much and how often; and what every answer carries.

A plain ASGI middleware, so that streams pass through it. In order: Host (against DNS rebinding), Origin (against
other sites' pages), rate (a token bucket a client), key, size of address and body. What fails gets a problem document.

The key that a server beyond loopback demands comes in a header from programs, and as a signed cookie from browsers.
The cookie holds no key: an expiry and its signature under a secret that lives as long as the process. It is
``HttpOnly`` and ``SameSite=Strict``, so that no script reads it and no other site's page sends it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote_to_bytes, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deepred.serve.problems import ProblemError, response_of, wants_page

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
ADDRESS_BYTES = 8192
"""Path and query together; a question of a thousand characters of any script fits, encoded."""
BODY_BYTES = 1_000_000
DRAINED_BYTES = 64_000_000
"""Of a body too large at most this much is read and thrown away, so that the client can read the answer."""
BODY_SECONDS = 20.0
"""Within this time the body has to be here."""
MOST_CLIENTS = 10_000
"""Token buckets remembered; the one unused for longest goes."""
OPEN_PATHS = ("/api/health", "/login", "/static/")
"""Reached without a key."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

COOKIE = "deepred"
SESSION_SECONDS = 12 * 3600
LEAST_CHARACTERS = 8
"""A shorter key can be guessed over a network."""


@dataclass(frozen=True)
class Keys:
    """The key of a server, and the secret that signs its sessions."""

    key: str
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def fits(self, given: str) -> bool:
        """Whether what was given is the key; takes as long whatever was given."""
        # digests of equal length: comparing the texts would tell how long the key is
        return hmac.compare_digest(_digest(given.encode("utf-8", "replace")), _digest(self.key.encode("utf-8")))

    def admit(self, request: Request) -> bool:
        """Whether a request carries the key, or the cookie of a session."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        given = token.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
        if given:
            return self.fits(given)
        return self._is_session(request.cookies.get(COOKIE, ""))

    def open_session(self, request: Request, response: Response) -> None:
        """Give a browser that has shown the key a session."""
        expiry = str(int(time.time()) + SESSION_SECONDS)
        secure = request.url.scheme == "https"
        value = f"{expiry}.{self._sign(expiry)}"
        response.set_cookie(COOKIE, value, SESSION_SECONDS, httponly=True, samesite="strict", secure=secure)

    def _is_session(self, cookie: str) -> bool:
        expiry, _, signature = cookie.partition(".")
        is_signed = hmac.compare_digest(signature.encode("utf-8", "replace"), self._sign(expiry).encode())
        return is_signed and expiry.isdecimal() and int(expiry) > time.time()

    def _sign(self, expiry: str) -> str:
        return hmac.new(self.secret, expiry.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _digest(value: bytes) -> bytes:
    return hashlib.sha256(value).digest()


def close_session(response: Response) -> None:
    """Take the cookie back."""
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")


@dataclass
class Buckets:
    """A token bucket a client: ``rate`` requests a second on the long run, ``burst`` at once; rate 0: no limit."""

    rate: float
    burst: float
    _levels: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict[str, tuple[float, float]])

    def take(self, client: str, now: float | None = None) -> float:
        """Take a token; 0 where there was one, else the seconds until there is one again."""
        if self.rate <= 0:
            return 0.0
        now = time.monotonic() if now is None else now
        level, since = self._levels.pop(client, (self.burst, now))
        level = min(self.burst, level + (now - since) * self.rate)
        wait = 0.0 if level >= 1 else (1 - level) / self.rate
        self._levels[client] = (level - 1 if level >= 1 else level, now)
        if len(self._levels) > MOST_CLIENTS:
            self._levels.popitem(last=False)
        return wait


@dataclass(frozen=True)
class Rules:
    """What the gate lets through; ``hosts`` empty: any Host header (a server with a key, under any name)."""

    hosts: frozenset[str] = LOOPBACK
    keys: Keys | None = None
    buckets: Buckets = field(default_factory=lambda: Buckets(0, 0))
    body_bytes: int = BODY_BYTES
    has_pages: bool = True
    """Whether there is a page that takes the key, to which a browser without it is sent."""


class Guard:
    """The middleware."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self.app = app
        self.rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with what is wrong with it."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        if scope["method"] == "HEAD":  # answered as GET is; the server leaves the body out
            scope = {**scope, "method": "GET"}

        async def send_hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                message["headers"] = headers.raw
            await send(message)

        try:
            self._check(Request(scope))
            receive = await self._bounded(Headers(scope=scope), receive)
        except ProblemError as problem:
            await _refuse(problem, scope, receive, send_hardened, self.rules.has_pages)
            return
        await self.app(scope, receive, send_hardened)

    def _check(self, request: Request) -> None:
        host = request.headers.get("host", "")
        if self.rules.hosts and host_name(host) not in self.rules.hosts:
            raise ProblemError(421, "this server does not answer to that Host name", "--allow-host NAME adds one")
        origin = request.headers.get("origin")
        if origin is not None and request.method not in SAFE_METHODS and urlsplit(origin).netloc != host:
            raise ProblemError(403, "pages of other sites may not use this server")
        client = request.client.host if request.client else ""
        if (wait := self.rules.buckets.take(client)) > 0:
            raise ProblemError(429, "too many requests from this client", headers={"Retry-After": str(int(wait) + 1)})
        target = len(request.scope.get("raw_path") or b"") + len(request.scope.get("query_string") or b"")
        if target > ADDRESS_BYTES:
            raise ProblemError(414, f"the address has {target:,} bytes; {ADDRESS_BYTES:,} are read")
        if not _is_text(request.scope):
            raise ProblemError(400, "the address is not UTF-8, or holds control characters")
        keys, path = self.rules.keys, request.url.path
        if keys is not None and not path.startswith(OPEN_PATHS) and not keys.admit(request):
            challenge = {"WWW-Authenticate": 'Bearer realm="deepred"'}
            mend = "send Authorization: Bearer KEY, or X-API-Key"
            raise ProblemError(401, "this server asks for a key", mend, challenge)

    async def _bounded(self, headers: Headers, receive: Receive) -> Receive:
        """The request's body read whole, so that no handler waits for it; a receive that hands it over."""
        if "content-length" not in headers and "transfer-encoding" not in headers:
            return receive
        declared = headers.get("content-length", "0")
        most = self.rules.body_bytes
        too_large = declared.isdecimal() and int(declared[:19]) > most
        body, seen = bytearray(), 0
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        return _handing([message], receive)
                    seen += len(message.get("body", b""))
                    too_large = too_large or seen > most
                    if not too_large:
                        body += message.get("body", b"")
                    if not message.get("more_body", False) or seen > DRAINED_BYTES:
                        break
        except TimeoutError:
            raise ProblemError(408, "the body did not arrive in time", headers={"Connection": "close"}) from None
        if too_large:
            raise ProblemError(413, f"the body has more than {most:,} bytes", headers={"Connection": "close"})
        return _handing([{"type": "http.request", "body": bytes(body), "more_body": False}], receive)


def _is_text(scope: Scope) -> bool:
    """Whether path and query decode; what does not would reach handlers as replacement characters."""
    raw = (scope.get("raw_path") or b"") + b"?" + (scope.get("query_string") or b"")
    try:
        text = unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return "\0" not in text


def _handing(messages: list[Message], receive: Receive) -> Receive:
    async def hand() -> Message:
        return messages.pop(0) if messages else await receive()

    return hand


async def _refuse(problem: ProblemError, scope: Scope, receive: Receive, send: Send, has_pages: bool) -> None:
    """The problem as JSON; for a browser that lacks the key, the way to the page that takes it."""
    request = Request(scope)
    if problem.status == 401 and has_pages and wants_page(request):
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        response = RedirectResponse(f"/login?next={quote(asked, safe='')}", 303)
        await response(scope, receive, send)
        return
    await response_of(problem)(scope, receive, send)


def host_name(host: str) -> str:
    """The name in a Host header, without its port: ``host_name("[::1]:8000") == "::1"``."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()
