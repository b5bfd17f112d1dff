"""The server: REST, MCP and web pages in one application behind one gate, and the process that runs it.

By default it listens on loopback, where it takes requests for this machine's names only. Beyond loopback it demands a
key. It ends cleanly on Ctrl-C and SIGTERM.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from mcp.server.transport_security import TransportSecuritySettings

from deepred import __version__
from deepred.base.errors import FaultError, UserError
from deepred.serve import api, connections, problems
from deepred.serve.api import Service
from deepred.serve.guard import BODY_BYTES, LEAST_CHARACTERS, LOOPBACK, Buckets, Guard, Keys, Rules
from deepred.serve.index_pool import Library
from deepred.serve.mcp import build_mcp
from deepred.serve.model_beside import LocalModel, Speaker
from deepred.serve.web.pages import Pages
from deepred.serve.web.run_state import Run

PORT = 8000
BEYOND_RATE = 50.0
"""Requests a second of one client beyond loopback; on loopback the client is the user."""
BURST_SECONDS = 10.0
"""A client that was quiet may send this many seconds' requests at once."""

DESCRIPTION = """The dated encyclopedia as of a day. Every route takes `as_of`: nothing of that day or later is told. \
The default is the run's cutoff; `cuts=true` is the one way to what was cut. Failures are problem documents \
(RFC 9457)."""


@dataclass(frozen=True)
class Door:
    """Where the server listens and whom it lets in."""

    host: str = "127.0.0.1"
    port: int = PORT
    key: str = ""
    rate: float | None = None
    """Requests a second of one client; None: no limit on loopback, ``BEYOND_RATE`` elsewhere."""
    names: tuple[str, ...] = ()
    """Further Host names to answer to on loopback, for a proxy before the server."""

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return self.host in LOOPBACK

    def check(self) -> None:
        """``UserError`` where others could come in without a key."""
        if not self.is_loopback and not self.key:
            mend = "set DEEPRED_API_KEY or give --api-key, or serve on 127.0.0.1"
            raise UserError(f"{self.host} is reached by others than this machine, and there is no API key", mend)
        if self.key and len(self.key) < LEAST_CHARACTERS:
            raise UserError(
                f"the API key has {len(self.key)} characters; at least {LEAST_CHARACTERS} are needed",
                "for example: openssl rand -hex 16",
            )

    def rules(self) -> Rules:
        """What the gate lets through."""
        rate = self.rate if self.rate is not None else 0.0 if self.is_loopback else BEYOND_RATE
        return Rules(
            hosts=LOOPBACK | {name.lower() for name in self.names} if self.is_loopback else frozenset(),
            keys=Keys(self.key) if self.key else None,
            buckets=Buckets(rate, rate * BURST_SECONDS),
        )


@dataclass
class Parts:
    """What a server is made of."""

    library: Library
    speaker: Speaker = field(default_factory=lambda: Speaker(""))
    model: LocalModel | None = None
    run: Run = field(default_factory=Run)


def build_app(parts: Parts, door: Door | None = None) -> FastAPI:
    """The application, with its gate; loads the model when it starts and frees everything when it ends."""
    door = door or Door()
    server = build_mcp(parts.library, parts.speaker)
    rules = door.rules()
    # the gate has checked Host and Origin already; the SDK's own check knows loopback only
    security = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    tools = server.streamable_http_app(
        stateless_http=True, json_response=True, transport_security=security, max_request_body_size=BODY_BYTES
    )

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        if parts.model is not None:
            parts.model.start()
        async with server.session_manager.run():
            yield
        await parts.speaker.close()
        if parts.model is not None:
            parts.model.stop()
        parts.library.close()

    described: dict[str, Any] = {"title": "Deep Red", "version": __version__, "description": DESCRIPTION}
    # the documentation pages of the framework load scripts from elsewhere
    app = FastAPI(**described, lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    app.router.redirect_slashes = False  # it would send the client to whatever Host it named
    app.state.service = Service(parts.library, parts.speaker)
    app.state.keys = rules.keys
    app.include_router(api.router)
    pages = Pages(parts.run)
    app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "web" / "static"), name="static")
    app.router.routes.extend(tools.routes)
    problems.install(app, pages.render_problem)
    _describe_problems(app)
    app.add_middleware(Guard, rules=rules)
    return app


def _describe_problems(app: FastAPI) -> None:
    """Add the model of problem documents to the OpenAPI document, which the routes refer to."""
    make = app.openapi

    def described() -> dict[str, Any]:
        document = make()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.setdefault("ProblemDocument", problems.ProblemDocument.model_json_schema())
        return document

    app.openapi = described


def listen(door: Door) -> socket.socket:
    """A socket at the address, or a ``UserError`` that says why there is none."""
    try:
        return connections.listen(door.host, door.port)
    except OSError as error:
        raise UserError(
            f"cannot listen on {door.host}:{door.port}: {error.strerror or error}", "choose another --port or --host"
        ) from None


def run_server(app: FastAPI, listener: socket.socket) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    server = connections.make_server(app)
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listener])
    if not server.started:
        raise FaultError("the server could not start", "its messages above say why")
