"""The index for a server's event loop: calls in a bounded pool of threads, each within its time, failures as problems.

What waits is bounded too: where too many wait, the next is told so at once. A call that outlasts its time is answered
504 and keeps its thread until it ends, so that a slow backend cannot be flooded. Health has a thread of its own.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, ParamSpec, TypeVar, Unpack

from deepred.base.days import Day
from deepred.base.errors import DeepRedError
from deepred.serve.index.contract import BadQueryError, Index, Narrowed, NotFoundError, UnavailableError
from deepred.serve.index.index_records import Article, Health, SearchAnswer, WhyAnswer, YearAnswer
from deepred.serve.problems import ProblemError, unavailable

P = ParamSpec("P")
T = TypeVar("T")

CUTOFF_SECONDS = 1.0
"""A new index of the same run may have another cutoff."""


@dataclass(frozen=True)
class Limits:
    """How much of the machine the index may take."""

    threads: int = max(4, (os.cpu_count() or 2) * 2)
    waiting: int = 512
    """Calls under way or waiting at most."""
    seconds: float = 10.0
    """Time of a call, waiting included."""
    health_seconds: float = 2.0


class Library:
    """An index, asked from an event loop."""

    def __init__(self, index: Index, limits: Limits | None = None) -> None:
        self._index = index
        self.limits = limits or Limits()
        self._pool = ThreadPoolExecutor(self.limits.threads, "index")
        self._health_pool = ThreadPoolExecutor(1, "health")
        self._under_way = 0
        self._health: Health | None = None
        self._health_at = -1e9
        self._cutoff: Day | None = None
        self._cutoff_at = -1e9
        self._asking: asyncio.Future[Health] | None = None

    async def cutoff(self) -> Day:
        """The run's cutoff, which no ``as_of`` goes beyond; looked up anew every second, in nobody's way."""
        if self._cutoff is None:
            self._cutoff = await self._call(lambda: self._index.cutoff)
        elif time.monotonic() - self._cutoff_at > CUTOFF_SECONDS:
            self._cutoff_at = time.monotonic()  # whoever asks meanwhile is told the last one
            self._cutoff = await self._call(lambda: self._index.cutoff)
        return self._cutoff

    async def as_of(self, asked: Day | None) -> Day:
        """The day that is applied where one was asked for: the run's cutoff at the latest."""
        cutoff = await self.cutoff()
        return cutoff if asked is None else min(asked, cutoff)

    async def search(self, query: str, **narrowed: Unpack[Narrowed]) -> SearchAnswer:
        """A page of results."""
        return await self._call(self._index.search, query, **narrowed)

    async def article(self, page: int | str, as_of: Day | None = None, cut: bool = False) -> Article:
        """An article by id, title or redirect."""
        return await self._call(self._index.article, page, as_of=as_of, cut=cut)

    async def why(self, page: int | str, as_of: Day | None = None, cut: bool = False) -> WhyAnswer:
        """A subject's dates and evidence."""
        return await self._call(self._index.why, page, as_of=as_of, cut=cut)

    async def year(self, year: int, as_of: Day | None = None, page: int = 1, size: int = 100) -> YearAnswer:
        """A year's events."""
        return await self._call(self._index.year, year, as_of=as_of, page=page, size=size)

    async def random(self, as_of: Day | None = None, seed: int | None = None) -> Article:
        """Any article."""
        return await self._call(self._index.random, as_of=as_of, seed=seed)

    async def health(self) -> Health:
        """Whether the index answers, as of a second ago at most, or as of before where it takes long to say."""
        if time.monotonic() - self._health_at < 1.0 and self._health is not None:
            return self._health
        if self._asking is None or self._asking.done():
            self._asking = asyncio.wrap_future(self._health_pool.submit(self._index.health))
        try:
            health = await asyncio.wait_for(asyncio.shield(self._asking), self.limits.health_seconds)
        except TimeoutError:
            health = Health(ready=False, parts={"index": f"no answer within {self.limits.health_seconds:g} s"})
        self._health, self._health_at = health, time.monotonic()
        return health

    def close(self) -> None:
        """End the threads, waiting for none, and close the index."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._health_pool.shutdown(wait=False, cancel_futures=True)
        self._index.close()

    async def _call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._under_way >= self.limits.waiting:
            raise unavailable("the server has more questions than it can answer at once", "ask again in a moment")
        self._under_way += 1
        loop = asyncio.get_running_loop()
        future = self._pool.submit(partial(function, *args, **kwargs))
        future.add_done_callback(partial(self._ended, loop))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self.limits.seconds)
        except TimeoutError:
            raise ProblemError(504, f"the index did not answer within {self.limits.seconds:g} s") from None
        except NotFoundError as error:
            raise ProblemError(404, error.message, error.mend) from None
        except BadQueryError as error:
            raise ProblemError(400, error.message, error.mend) from None
        except UnavailableError as error:
            raise unavailable(error.message, error.mend) from None
        except DeepRedError as error:
            raise unavailable(error.message, error.mend, seconds=30) from error

    def _ended(self, loop: asyncio.AbstractEventLoop, future: Future[Any]) -> None:
        """One fewer under way; counted on the loop, where it was counted up."""
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._less)

    def _less(self) -> None:
        self._under_way -= 1
