"""A model as an OpenAI-compatible server: llama.cpp's own, on loopback, with an optional key.

Any client that speaks ``/v1/chat/completions`` works. Other origins' web pages may not call it.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from deepred.base.errors import UserError
from deepred.export.gguf.gguf import read_metadata
from deepred.export.llama_server import bounded_context, open_llama

LOOPBACK = "127.0.0.1"
PORT = 8080


def serve_model(
    gguf: Path,
    host: str = LOOPBACK,
    port: int = PORT,
    key: str = "",
    threads: int = 0,
    ready: Callable[[str], None] | None = None,
    until: threading.Event | None = None,
) -> None:
    """Serve a GGUF file until Ctrl-C, or until an event is set; ``ready`` is told the address.

    An address beyond this machine needs a key: ``UserError`` without one. ``port`` 0 takes a free port.
    """
    if host not in {LOOPBACK, "localhost", "::1"} and not key:
        raise UserError(f"{host} is reached by others than this machine", "give an API key, or serve on 127.0.0.1")
    if port:
        _check_free(host, port)
    until = until or threading.Event()
    context = bounded_context(read_metadata(gguf)) if gguf.is_file() else 0
    with open_llama(gguf, context=context, threads=threads, host=host, port=port, key=key) as llama:
        if ready:
            ready(f"{llama.address}/v1")
        with suppress(KeyboardInterrupt):
            # short waits: one without an end is deaf to Ctrl-C on some systems
            while not until.wait(0.5):
                pass


def _check_free(host: str, port: int) -> None:
    """``UserError`` where another program listens on a port, or the address is not this machine's."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except OSError as error:
        raise UserError(
            f"{host}:{port} cannot be served on: {error.strerror}", "name another --port (0: any)"
        ) from None
