"""The door before llama.cpp's own server, which trusts whoever reaches its port.

llama.cpp listens on a free port of this machine with a random key that only this process knows; this front takes
requests for the names of this machine alone, from no other site's page, with JSON bodies only, and with the user's key
where there is one (``guard.py``). A page that the user visits can thus neither read the model's answers nor set it to
work. Marks of chats in messages are broken here, since the template of a file that others made does not do so.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from deepred.base.chat_markers import disarm_values
from deepred.serve.guard import Guard, Rules
from deepred.serve.problems import ProblemError, response_of, unavailable

BODY_BYTES = 16_000_000
"""A request at most: a context's worth of text, and more."""
ANSWER_SECONDS = 600.0
PATHS = ("/v1/{rest:path}", "/tokenize", "/detokenize", "/apply-template", "/health")
"""What is passed on: the OpenAI interface, and what tells how a text becomes tokens."""
TEMPLATED = frozenset({"/v1/chat/completions", "/apply-template"})
"""Where messages go through the file's template, which in a file of others' making breaks no marks."""


def build_front(address: str, key: str, rules: Rules) -> ASGIApp:
    """The application that passes requests on to llama.cpp at an address, with its key."""
    client = httpx.AsyncClient(
        base_url=address,
        headers={"Authorization": f"Bearer {key}"},
        timeout=ANSWER_SECONDS,
        trust_env=False,
        limits=httpx.Limits(max_keepalive_connections=0),  # llama.cpp drops connections that wait
    )

    async def forward(request: Request) -> Response:
        if request.method == "POST":
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != "application/json":
                raise ProblemError(415, f"the body is {kind or 'of no stated type'}", "send application/json")
        body = await request.body()
        asked = client.build_request(
            request.method,
            request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            content=_disarmed(body) if request.url.path in TEMPLATED else body,
            headers={"Content-Type": "application/json"},
        )
        try:
            answer = await client.send(asked, stream=True)
        except httpx.HTTPError as error:
            raise unavailable(f"llama.cpp does not answer: {type(error).__name__}") from None
        kept = {name: answer.headers[name] for name in ("content-type", "content-length") if name in answer.headers}
        return StreamingResponse(_pieces(answer), answer.status_code, kept)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        yield
        await client.aclose()

    routes = [Route(path, forward, methods=["GET", "POST"]) for path in PATHS]
    app = Starlette(routes=routes, middleware=[Middleware(_Problems)], lifespan=lifespan)
    app.router.redirect_slashes = False
    return Guard(app, rules)


def _disarmed(body: bytes) -> bytes:
    """A chat request with the marks in its messages broken; what is no such request is llama.cpp's to refuse."""
    try:
        asked: Any = json.loads(body)
        if isinstance(asked, dict) and "messages" in asked:
            asked["messages"] = disarm_values(asked["messages"])
        return json.dumps(asked).encode()
    except ValueError:
        return body
    except RecursionError:
        raise ProblemError(400, "the body is nested too deeply") from None


async def _pieces(answer: httpx.Response) -> AsyncGenerator[bytes]:
    """The body as it comes; where the client goes away, llama.cpp is told so."""
    try:
        async for piece in answer.aiter_raw():
            yield piece
    finally:
        await answer.aclose()


class _Problems:
    """What a request is refused for, as a problem document."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except ProblemError as problem:
            await response_of(problem)(scope, receive, send)
