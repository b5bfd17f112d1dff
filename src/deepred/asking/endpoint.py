"""One OpenAI-compatible endpoint, asked questions side by side up to a bound, and patient with a busy server.

What a busy or failing server answers is tried again, ever later; what a model decides (an answer, a refusal, a reply
that breaks the schema) is final. A wait that the server asks for holds for all its questions. The key comes from an
environment variable and is in no message and no record.

A model is asked at the configured address, at further ones that serve it too, and at a second machine's.
``REMOTE_HOST`` names that machine, as ``host``, ``host:port`` or a whole address; what it leaves out is taken from the
configured one. It says where a question is answered, not what is asked, and so is a variable and no configuration.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any, Generic

import httpx

from deepred.asking.replies import (
    ANSWERED,
    CONNECTION,
    MALFORMED,
    REFUSED,
    SCHEMA,
    TIMEOUT,
    A,
    Inquiry,
    Q,
    Reply,
    read_problem,
)
from deepred.base.errors import FaultError, UserError
from deepred.run.config import Asked

REMOTE_HOST = "REMOTE_HOST"
LOCAL = ("localhost", "127.0.0.1", "::1")
EXAMPLE = "for example http://127.0.0.1:1234/v1"

FAILURES_IN_A_ROW = 10
"""Questions that fail one after the other before the endpoint counts as broken: several times ``concurrency``."""
LONGEST_WAIT = 60.0
"""Seconds between two attempts at most, also where the server asks for more."""
BUSY = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""HTTP statuses after which the same request may succeed."""
HOPELESS = {401: "the key is refused", 403: "the key may not do this", 404: "there is no such address or model"}
"""HTTP statuses that no other question and no later time will mend."""


def addresses(config: Asked) -> list[httpx.URL]:
    """Every address that is asked, each once, the configured one first; ``UserError`` where one is none."""
    found = [_checked(config.url, f"{config.section}.url", config)]
    found += [_checked(url, f"{config.section}.further", config) for url in config.further]
    if remote := os.environ.get(REMOTE_HOST, "").strip():
        found.append(remote_address(remote, found[0], config))
    return list(dict.fromkeys(found))


def remote_address(remote: str, own: httpx.URL, config: Asked) -> httpx.URL:
    """The second machine's address.

    >>> own = httpx.URL("http://127.0.0.1:1234/v1")
    >>> config = Asked.model_construct(section="llm", key_variable="KEY")
    >>> str(remote_address("gpu-box", own, config)), str(remote_address("gpu-box:8080", own, config))
    ('http://gpu-box:1234/v1', 'http://gpu-box:8080/v1')
    """
    if "://" in remote:
        return _checked(remote, REMOTE_HOST, config)
    host = _checked(f"{own.scheme}://{remote}", REMOTE_HOST, config)
    return own.copy_with(host=host.host, port=host.port if host.port is not None else own.port)


def is_local(url: httpx.URL) -> bool:
    """Whether an address is this machine's: no proxy leads there."""
    return url.host in LOCAL


def _checked(text: str, place: str, config: Asked) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise UserError(f"{place} is no address: {error}", EXAMPLE) from None
    if url.userinfo:
        raise UserError(f"{place} holds a name or a password", f"put a key into the variable {config.key_variable}")
    if url.scheme not in ("http", "https") or not url.host:
        raise UserError(f"{place} = {text!r} is no address", EXAMPLE)
    return url


class Endpoint(Generic[Q, A]):
    """An OpenAI-compatible endpoint that is asked questions, several at a time."""

    def __init__(
        self,
        config: Asked,
        url: httpx.URL,
        inquiry: Inquiry[Q, A],
        client: httpx.AsyncClient,
        key: str,
        first_wait: float = 1.0,
    ) -> None:
        self.config = config
        self.url = str(url).rstrip("/")
        self.inquiry = inquiry
        self.client = client
        self.key = key
        self.first_wait = first_wait
        """Seconds before the second attempt; each further one waits twice as long."""
        self.reached = False
        self.free_at = 0.0
        """When the server may be asked again, by the monotonic clock."""
        self.failed: list[Reply[A]] = []
        """Since its last answer."""
        self.fault: FaultError | None = None
        """Why it is asked no more."""

    async def ask(self, question: Q) -> Reply[A]:
        """The model's reply, after as many attempts as the configuration allows.

        ``FaultError`` for what no attempt can mend: a refused key, a wrong address.
        """
        body = self.inquiry.body(question)
        attempts, wait = 0, self.first_wait
        while True:
            while (held := self.free_at - time.monotonic()) > 0:
                await asyncio.sleep(held)
            started = time.monotonic()
            reply, asked_wait = await self._attempt(body)
            attempts += 1
            if asked_wait is None or attempts > self.config.retries:
                return replace(reply, seconds=time.monotonic() - started, address=self.url)
            self.free_at = max(self.free_at, time.monotonic() + min(asked_wait, LONGEST_WAIT))
            await asyncio.sleep(min(wait, LONGEST_WAIT))
            wait *= 2

    async def _attempt(self, body: dict[str, Any]) -> tuple[Reply[A], float | None]:
        """A reply, with None where it is final, else the seconds that the server asks to wait before the next."""
        try:
            async with asyncio.timeout(self.config.timeout):  # the client's own limit is one between two bytes
                response = await self.client.post(f"{self.url}/chat/completions", json=body)
        except (TimeoutError, httpx.TimeoutException):
            return Reply(TIMEOUT, detail=f"no reply within {self.config.timeout:g} s"), 0.0
        except httpx.TransportError as error:
            if not self.reached:  # most often no server is there: better said at once than after a minute
                raise FaultError(f"cannot reach {self.url}: {error}", "is the server running?") from None
            return Reply(CONNECTION, detail=str(error) or type(error).__name__), 0.0
        self.reached = True
        status = response.status_code
        if status == 200:
            return self.inquiry.read(response.content), None
        said = read_problem(response.content)
        if self.key:
            said = said.replace(self.key, "***")  # some servers quote what they refuse
        if status in HOPELESS:
            place = self.config.section
            mend = f"check {place}.url, {place}.model and the key in {self.config.key_variable}"
            raise FaultError(f"{self.url} answers HTTP {status}, {HOPELESS[status]}: {said}", mend)
        wait = _seconds(response.headers.get("retry-after", "")) if status in BUSY else None
        return Reply(f"http {status}", detail=said), wait

    def note(self, reply: Reply[A]) -> None:
        """Remember how a question ended; ``FaultError`` where so many failed in a row that the endpoint is broken."""
        if reply.outcome in (ANSWERED, REFUSED):
            self.failed.clear()
            return
        self.failed.append(reply)
        if len(self.failed) >= max(FAILURES_IN_A_ROW, 2 * self.config.concurrency):
            raise _broken(self.config, self.url, self.failed)


def _seconds(text: str) -> float:
    """The seconds of a Retry-After header, which is a number or a date; 0 where it is missing or neither."""
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return 0.0


def _broken(config: Asked, url: str, failed: list[Reply[Any]]) -> FaultError:
    """What to tell of an endpoint that has only failed for a while."""
    reasons = Counter(reply.outcome for reply in failed)
    said = ", ".join(f"{outcome} {count}" for outcome, count in reasons.most_common())
    place = config.section
    mends = {
        CONNECTION: f"is the server running at {place}.url?",
        TIMEOUT: f"raise {place}.timeout, or lower {place}.concurrency",
        MALFORMED: f"does the model follow response_format json_schema? is max_tokens in {place}.options large enough?",
        SCHEMA: "does the endpoint follow response_format json_schema? use a stronger model",
    }
    mend = mends.get(reasons.most_common(1)[0][0], "the same command goes on where it stopped")
    return FaultError(f"{url} failed {len(failed)} times in a row ({said}); the last: {failed[-1].detail}", mend)
