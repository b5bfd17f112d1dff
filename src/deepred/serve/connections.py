"""uvicorn as every server here runs it: connections that send no whole request in time are closed."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_SECONDS = 10.0
"""A connection without a whole request for this long, or twice as long at most, is closed; bodies are the gate's."""
KEEP_ALIVE_SECONDS = 30
STOP_SECONDS = 5
"""Time for answers under way when the server ends."""


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 whose clients have to send the headers of a request in time."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to look whether a request comes."""
        super().connection_made(transport)
        self._seen: Any = self
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more."""
        self._timer.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        cycle: Any = self.cycle  # of the last request; None before the first
        waits = cycle is None or cycle.response_complete
        if waits and self._seen is cycle:
            self.transport.close()
            return
        self._seen = cycle if waits else self
        self._timer = self.loop.call_later(HEADER_SECONDS, self._look)


def make_server(app: ASGIApp) -> uvicorn.Server:
    """A server for an application, not started yet."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=BoundedProtocol,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=STOP_SECONDS,
            limit_concurrency=2000,
            ws="none",
        )
    )


def listen(host: str, port: int) -> socket.socket:
    """A socket at an address; OSError where it cannot be had."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener
