"""One OpenAI-compatible endpoint, asked questions side by side up to a bound, and patient with a busy server.

What a busy or failing server answers is tried again, ever later; what a model decides (an answer, a refusal, a reply
that breaks the schema) is final. A wait that the server asks for holds for all its questions. The key comes from an
environment variable and is in no message and no record.
"""

from __future__ import annotations

import asyncio
import json
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
)
from deepred.base.errors import FaultError
from deepred.run.config import Asked

FAILURES_IN_A_ROW = 10
"""Questions that fail one after the other before the endpoint counts as broken: several times ``concurrency``."""
LONGEST_WAIT = 60.0
"""Seconds between two attempts at most, also where the server asks for more."""
BUSY = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""HTTP statuses after which the same request may succeed."""
HOPELESS = {401: "the key is refused", 403: "the key may not do this", 404: "there is no such address or model"}
"""HTTP statuses that no other question and no later time will mend."""


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
        said = _problem(response.content)
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


def _problem(body: bytes) -> str:
    """What an error's body says, short: the message of OpenAI's form, or its beginning."""
    try:
        values = json.loads(body)
        said = values["error"]["message"] if isinstance(values["error"], dict) else values["error"]
    except (ValueError, KeyError, TypeError):
        said = body.decode("utf-8", "replace")
    return " ".join(str(said).split())[:200] or "no explanation"


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
