"""The key that a server beyond loopback demands: in a header from programs, by a signed cookie from browsers.

The cookie holds no key: an expiry and its signature under a secret that lives as long as the process. It is
``HttpOnly`` and ``SameSite=Strict``, so that no script reads it and no other site's page sends it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

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
        return is_signed and expiry.isdigit() and int(expiry) > time.time()

    def _sign(self, expiry: str) -> str:
        return hmac.new(self.secret, expiry.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _digest(value: bytes) -> bytes:
    return hashlib.sha256(value).digest()


def close_session(response: Response) -> None:
    """Take the cookie back."""
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
