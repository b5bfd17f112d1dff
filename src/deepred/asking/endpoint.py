"""Any OpenAI-compatible endpoint, asked many questions: side by side up to a bound, patient with a busy server.

What a busy or failing server answers is tried again, ever later; what a model decides (an answer, a refusal, a reply
that breaks the schema) is final and handed on at once. The key comes from an environment variable and is in no message
and no record.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, Generic

import httpx

from deepred.asking.replies import (
    ANSWERED,
    CONNECTION,
    DECISIONS,
    MALFORMED,
    REFUSED,
    SCHEMA,
    TIMEOUT,
    A,
    Inquiry,
    Q,
    Reply,
    Tally,
)
from deepred.config import Asked
from deepred.errors import FaultError, UserError

FAILURES_IN_A_ROW = 10
"""Questions that fail one after the other before the endpoint counts as broken: several times ``concurrency``."""
LONGEST_WAIT = 60.0
"""Seconds between two attempts at most, also where the server asks for more."""
LOCAL = ("localhost", "127.0.0.1", "::1")
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=None)
"""Connections are as many as requests under way, which the configuration bounds."""
BUSY = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""HTTP statuses after which the same request may succeed."""
HOPELESS = {401: "the key is refused", 403: "the key may not do this", 404: "there is no such address or model"}
"""HTTP statuses that no other question and no later time will mend."""


class Endpoint(Generic[Q, A]):
    """An OpenAI-compatible endpoint that is asked questions, several at a time."""

    def __init__(
        self, config: Asked, inquiry: Inquiry[Q, A], client: httpx.AsyncClient, key: str, first_wait: float = 1.0
    ) -> None:
        self.config = config
        self.inquiry = inquiry
        self.client = client
        self.key = key
        self.first_wait = first_wait
        """Seconds before the second attempt; each further one waits twice as long."""
        self.reached = False

    async def ask(self, question: Q) -> Reply[A]:
        """The model's reply, after as many attempts as the configuration allows.

        ``FaultError`` for what no attempt can mend: a refused key, a wrong address.
        """
        body = self.inquiry.body(question)
        attempts, wait = 0, self.first_wait
        while True:
            started = time.monotonic()
            reply, asked_wait = await self._attempt(body)
            attempts += 1
            if asked_wait is None or attempts > self.config.retries:
                return replace(reply, seconds=time.monotonic() - started)
            await asyncio.sleep(min(max(wait, asked_wait), LONGEST_WAIT))
            wait *= 2

    async def _attempt(self, body: dict[str, Any]) -> tuple[Reply[A], float | None]:
        """A reply, with None where it is final, else the seconds that the server asks to wait before the next."""
        try:
            async with asyncio.timeout(self.config.timeout):  # the client's own limit is one between two bytes
                response = await self.client.post(f"{self.config.url.rstrip('/')}/chat/completions", json=body)
        except (TimeoutError, httpx.TimeoutException):
            return Reply(TIMEOUT, detail=f"no reply within {self.config.timeout:g} s"), 0.0
        except httpx.TransportError as error:
            if not self.reached:  # most often no server is there: better said at once than after a minute
                raise FaultError(f"cannot reach {self.config.url}: {error}", "is the server running?") from None
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
            raise FaultError(f"{self.config.url} answers HTTP {status}, {HOPELESS[status]}: {said}", mend)
        wait = _seconds(response.headers.get("retry-after", "")) if status in BUSY else None
        return Reply(f"http {status}", detail=said), wait


def _problem(body: bytes) -> str:
    """What an error's body says, short: the message of OpenAI's form, or its beginning."""
    try:
        values = json.loads(body)
        said = values["error"]["message"] if isinstance(values["error"], dict) else values["error"]
    except (ValueError, KeyError, TypeError):
        said = body.decode("utf-8", "replace")
    return " ".join(str(said).split())[:200] or "no explanation"


def _seconds(text: str) -> float:
    """The seconds of a Retry-After header; 0 where it is missing or a date."""
    try:
        return max(0.0, float(text))
    except ValueError:
        return 0.0


def ask_all(
    config: Asked,
    inquiry: Inquiry[Q, A],
    questions: Iterable[Q],
    keep: Callable[[Q, Reply[A]], None],
    tally: Tally,
    *,
    first_wait: float = 1.0,
) -> None:
    """Ask every question, ``config.concurrency`` at a time; ``keep`` is called with each decision as it comes.

    ``FaultError`` when the endpoint cannot be reached, refuses the key, or fails ``FAILURES_IN_A_ROW`` times.
    """
    asyncio.run(_ask_all(config, inquiry, iter(questions), keep, tally, first_wait))


async def _ask_all(
    config: Asked,
    inquiry: Inquiry[Q, A],
    questions: Iterator[Q],
    keep: Callable[[Q, Reply[A]], None],
    tally: Tally,
    wait: float,
) -> None:
    failed: list[Reply[A]] = []  # since the last answer

    async def work() -> None:
        for question in questions:  # one iterator for all: each takes the next question when it is free
            reply = await endpoint.ask(question)
            tally.add(reply)
            if reply.outcome in DECISIONS:
                keep(question, reply)
            if reply.outcome in (ANSWERED, REFUSED):
                failed.clear()
                continue
            failed.append(reply)
            if len(failed) >= max(FAILURES_IN_A_ROW, 2 * config.concurrency):
                raise _broken(config, failed)

    local = _checked_url(config).host in LOCAL  # no proxy leads to this machine
    key = _read_key(config)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with httpx.AsyncClient(headers=headers, timeout=None, trust_env=not local, limits=LIMITS) as client:
        endpoint = Endpoint(config, inquiry, client, key, wait)
        tasks = [asyncio.create_task(work()) for _ in range(config.concurrency)]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _checked_url(config: Asked) -> httpx.URL:
    place, example = f"{config.section}.url", "for example http://127.0.0.1:1234/v1"
    try:
        url = httpx.URL(config.url)
    except httpx.InvalidURL as error:
        raise UserError(f"{place} is no address: {error}", example) from None
    if url.userinfo:
        raise UserError(f"{place} holds a name or a password", f"put a key into the variable {config.key_variable}")
    if url.scheme not in ("http", "https") or not url.host:
        raise UserError(f"{place} = {config.url!r} is no address", example)
    return url


def _read_key(config: Asked) -> str:
    """The key, empty where there is none; one that cannot stand in a header would be quoted by the error it causes."""
    key = os.environ.get(config.key_variable, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise UserError(
            f"the key in {config.key_variable} is no line of plain letters", "set it again, as it was given"
        )
    return key


def _broken(config: Asked, failed: list[Reply[Any]]) -> FaultError:
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
    return FaultError(f"{config.url} failed {len(failed)} times in a row ({said}); the last: {failed[-1].detail}", mend)
