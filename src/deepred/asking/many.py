"""Many questions put to all addresses of a model at once; each takes the next question when it is free.

An address that fails is left out and what it failed at is asked of the others, so that nothing is lost and nothing is
decided twice; when the last one fails, the work stops with its fault.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AsyncExitStack
from typing import Generic

import httpx

from deepred.asking.endpoint import Endpoint, addresses, is_local
from deepred.asking.replies import DECISIONS, A, Inquiry, Q, Reply, Tally
from deepred.base.errors import FaultError, UserError
from deepred.run.config import Asked

LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=None)
"""Connections are as many as requests under way, which the configuration bounds."""
MOST_HANDED_ON = 10_000
"""Failed questions held in memory for another address; more count as failed and are asked by the next call."""


def ask_all(
    config: Asked,
    inquiry: Inquiry[Q, A],
    questions: Iterable[Q],
    keep: Callable[[Q, Reply[A]], None],
    tally: Tally,
    *,
    first_wait: float = 1.0,
    tell: Callable[[str], None] = lambda line: None,
) -> None:
    """Ask every question, ``config.concurrency`` at a time at each address; ``keep`` is called with each decision.

    ``tell`` hears of an address that is left out. ``FaultError`` when no address can be reached, accepts the key, or
    answers.
    """
    asyncio.run(_ask_all(config, inquiry, questions, _Round(iter(questions), keep, tally, tell), first_wait))


class _Round(Generic[Q, A]):
    """Questions on their way: those not asked yet, and those that another address is to be asked."""

    def __init__(
        self,
        questions: Iterator[Q],
        keep: Callable[[Q, Reply[A]], None],
        tally: Tally,
        tell: Callable[[str], None],
    ) -> None:
        self.questions = questions
        self.keep = keep
        self.tally = tally
        self.tell = tell
        self.again: list[Q] = []
        self.endpoints: list[Endpoint[Q, A]] = []
        self.rounds_left = 0

    def alive(self) -> list[Endpoint[Q, A]]:
        """The addresses that still answer."""
        return [endpoint for endpoint in self.endpoints if endpoint.fault is None]

    async def work(self, endpoint: Endpoint[Q, A]) -> None:
        """Ask one address, one question after the other, until there is none left or it is left out."""
        for question in self.questions:
            try:
                reply = await endpoint.ask(question)
            except FaultError as error:
                self._leave_out(endpoint, error)
                self.again.append(question)
                return
            self._end(endpoint, question, reply)
            try:
                endpoint.note(reply)
            except FaultError as error:
                self._leave_out(endpoint, error)
            if endpoint.fault is not None:
                return

    def _end(self, endpoint: Endpoint[Q, A], question: Q, reply: Reply[A]) -> None:
        """Keep a decision; hand a failure on where another address may do better."""
        failed = reply.outcome not in DECISIONS
        others = any(other is not endpoint for other in self.alive())
        if failed and others and self.rounds_left and len(self.again) < MOST_HANDED_ON:
            self.again.append(question)
            return
        self.tally.add(reply)
        if not failed:
            self.keep(question, reply)

    def _leave_out(self, endpoint: Endpoint[Q, A], error: FaultError) -> None:
        if endpoint.fault is not None:
            return
        endpoint.fault = error
        if not self.alive():
            raise error
        self.tell(f"left out from now on: {error}")


async def _ask_all(
    config: Asked, inquiry: Inquiry[Q, A], questions: Iterable[Q], state: _Round[Q, A], wait: float
) -> None:
    urls, key = addresses(config), _read_key(config)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with AsyncExitStack() as stack:
        for url in urls:
            client = httpx.AsyncClient(headers=headers, timeout=None, trust_env=not is_local(url), limits=LIMITS)
            await stack.enter_async_context(client)
            state.endpoints.append(Endpoint(config, url, inquiry, client, key, wait))
        for rounds_left in reversed(range(len(urls))):
            state.rounds_left = rounds_left
            await _ask_round(config, state)
            state.questions, state.again = iter(state.again), []


async def _ask_round(config: Asked, state: _Round[Q, A]) -> None:
    alive = state.alive()
    sound = [endpoint for endpoint in alive if not endpoint.failed] or alive  # the first round: all of them
    tasks = [asyncio.create_task(state.work(endpoint)) for endpoint in sound for _ in range(config.concurrency)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _read_key(config: Asked) -> str:
    """The key, empty where there is none; one that cannot stand in a header would be quoted by the error it causes."""
    key = os.environ.get(config.key_variable, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise UserError(
            f"the key in {config.key_variable} is no line of plain letters", "set it again, as it was given"
        )
    return key
