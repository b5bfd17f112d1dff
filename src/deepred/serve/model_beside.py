"""The model beside the encyclopedia: any OpenAI-compatible endpoint, or the run's own GGUF file in this process.

Answers are streamed. How many are under way is bounded; a conversation that outgrows the model's context loses its
oldest turns. The persona's system prompt comes from the GGUF file.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from deepred.asking.replies import read_pieces, read_problem
from deepred.base.chat_markers import disarm_values
from deepred.base.days import Day
from deepred.base.errors import DeepRedError, FaultError
from deepred.serve.iso_days import iso_day
from deepred.serve.problems import ProblemError, unavailable

if TYPE_CHECKING:
    from deepred.serve.records import ChatRequest

log = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
SILENT_SECONDS = 120.0
"""Time without a word after which an answer is given up; a long prompt on a CPU takes minutes."""
ANSWER_SECONDS = 600.0
WAIT_SECONDS = 30.0
"""Time to wait for the answers of others to end."""
NO_MODEL = "deepred run RUN.toml builds one; deepred serve RUN.toml --model-url http://127.0.0.1:8080/v1 uses another"


@dataclass
class Speaker:
    """An endpoint, and how it is spoken to."""

    url: str
    """With ``/v1``; empty while there is none."""
    key: str = ""
    model: str = "deepred"
    persona: str = "Deep Red"
    system: str = ""
    cutoff: Day | None = None
    """The model's own: it cannot be asked as of an earlier day."""
    at_once: int = 2
    absent: str = "there is no model beside this server"
    """Why there is none, where ``url`` is empty."""
    transport: httpx.AsyncBaseTransport | None = None
    _places: asyncio.Semaphore | None = field(default=None, repr=False)
    _client: httpx.AsyncClient | None = field(default=None, repr=False)

    def state(self) -> str:
        """``ok``, or why there is no model; whether an endpoint elsewhere answers is seen when it is asked."""
        return "ok" if self.url else self.absent

    async def answer(self, request: ChatRequest, as_of: Day | None = None) -> AsyncIterator[str]:
        """The pieces of an answer; everything that can fail before its first piece has failed when this returns."""
        if not self.url:
            raise unavailable(self.absent, NO_MODEL, seconds=30)
        if as_of is not None and self.cutoff is not None and as_of < self.cutoff:
            known = f"the model knows what was known before {iso_day(self.cutoff)}"
            raise ProblemError(422, f"{known}; it cannot be asked as of an earlier day", "leave as_of out")
        if request.messages[-1].role != "user":
            raise ProblemError(422, "messages: the last turn has to be the user's")
        places = self._places = self._places or asyncio.Semaphore(self.at_once)
        try:
            await asyncio.wait_for(places.acquire(), WAIT_SECONDS)
        except TimeoutError:
            raise unavailable("the model is busy with other conversations", "ask again", seconds=10) from None
        try:
            opened, response = await self._open(request)
        except BaseException:
            places.release()
            raise
        return self._pieces(opened, response, places)

    async def say(self, request: ChatRequest, as_of: Day | None = None) -> str:
        """The whole answer."""
        return "".join([piece async for piece in await self.answer(request, as_of)]).strip()

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _open(self, request: ChatRequest) -> tuple[AbstractAsyncContextManager[httpx.Response], httpx.Response]:
        if self._client is None:
            timeout = httpx.Timeout(SILENT_SECONDS, connect=CONNECT_SECONDS)
            headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
            # llama.cpp drops connections that wait
            limits = httpx.Limits(max_keepalive_connections=0)
            self._client = httpx.AsyncClient(
                timeout=timeout, headers=headers, trust_env=False, limits=limits, transport=self.transport
            )
        turns: Sequence[dict[str, str]] = [turn.model_dump() for turn in request.messages]
        while True:
            opened = self._client.stream("POST", f"{self.url}/chat/completions", json=self._body(request, turns))
            try:
                response = await opened.__aenter__()
            except httpx.HTTPError as error:
                raise unavailable(f"the model does not answer: {type(error).__name__}", NO_MODEL) from None
            if response.status_code == 200:
                return opened, response
            said = read_problem(await response.aread())
            await opened.__aexit__(None, None, None)
            if response.status_code == 400 and "context" in said and len(turns) > 2:
                turns = turns[2:]  # forget the oldest question and its answer
                continue
            if response.status_code == 400:
                raise ProblemError(422, f"the model refused: {said}")
            raise unavailable(f"the model's server answered {response.status_code}: {said}", seconds=10)

    def _body(self, request: ChatRequest, turns: Sequence[dict[str, str]]) -> dict[str, Any]:
        opening = [{"role": "system", "content": self.system}] if self.system else []
        return {
            "model": self.model,
            "messages": disarm_values([*opening, *turns]),
            "stream": True,
            "temperature": request.temperature,
            "max_tokens": request.max_tokens,
        }

    async def _pieces(
        self, opened: AbstractAsyncContextManager[httpx.Response], response: httpx.Response, places: asyncio.Semaphore
    ) -> AsyncIterator[str]:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                async for line in response.aiter_lines():
                    for piece in read_pieces(line, "the model"):
                        yield piece
        except FaultError as error:
            raise unavailable(error.message) from None
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            raise unavailable(f"the answer broke off: {type(error).__name__}") from None
        finally:
            await opened.__aexit__(None, None, None)
            places.release()


def speaker_of(gguf: Path) -> Speaker:
    """A speaker with the persona and cutoff of a GGUF file, without an address yet."""
    from deepred.export.gguf.gguf_header import read_metadata
    from deepred.serve.iso_days import parse_day

    metadata = read_metadata(gguf)
    cutoff = metadata.get("deepred.cutoff")
    return Speaker(
        url="",
        model=gguf.stem,
        persona=str(metadata.get("deepred.persona", gguf.stem)),
        system=str(metadata.get("deepred.system_prompt", "")),
        cutoff=parse_day(str(cutoff)) if cutoff else None,
        at_once=1,
        absent="the model is being loaded",
    )


class LocalModel:
    """A GGUF file under llama.cpp in this process, loaded in a thread of its own: the server is up before it."""

    def __init__(self, gguf: Path, speaker: Speaker, threads: int = 0) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(gguf, speaker, threads), daemon=True)

    def start(self) -> None:
        """Begin to load."""
        self._thread.start()

    def stop(self, seconds: float = 10.0) -> None:
        """Free the model."""
        self._stop.set()
        self._thread.join(seconds)

    def _serve(self, gguf: Path, speaker: Speaker, threads: int) -> None:
        from deepred.export.gguf.gguf_header import read_metadata
        from deepred.export.llama_server import bounded_context, open_llama

        try:
            with open_llama(gguf, context=bounded_context(read_metadata(gguf)), threads=threads) as llama:
                speaker.key = llama.key
                speaker.url = f"{llama.address}/v1"
                self._stop.wait()
                speaker.url, speaker.absent = "", "the model has been stopped"
        except DeepRedError as error:
            speaker.absent = str(error)
            log.warning("no chat: %s", error)
