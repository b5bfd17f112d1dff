"""A model as an OpenAI-compatible server: llama.cpp's own behind a door, on loopback, with an optional key.

Any client that speaks ``/v1/chat/completions`` works. Other origins' web pages may not call it (``model_front.py``).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from deepred.base.errors import FaultError, UserError
from deepred.export.gguf.gguf_header import read_metadata
from deepred.export.llama_server import bounded_context, open_llama
from deepred.serve.connections import STOP_SECONDS, listen, make_server
from deepred.serve.guard import LOOPBACK, Keys, Rules
from deepred.serve.model_front import BODY_BYTES, build_front

PORT = 8080


def serve_model(
    gguf: Path,
    host: str = "127.0.0.1",
    port: int = PORT,
    key: str = "",
    threads: int = 0,
    ready: Callable[[str], None] | None = None,
    until: threading.Event | None = None,
) -> None:
    """Serve a GGUF file until Ctrl-C, or until an event is set; ``ready`` is told the address.

    An address beyond this machine needs a key: ``UserError`` without one. ``port`` 0 takes a free port.
    """
    is_loopback = host in LOOPBACK
    if not is_loopback and not key:
        raise UserError(f"{host} is reached by others than this machine", "give an API key, or serve on 127.0.0.1")
    try:
        listener = listen(host, port)
    except OSError as error:
        raise UserError(
            f"{host}:{port} cannot be served on: {error.strerror}", "name another --port (0: any)"
        ) from None
    until = until or threading.Event()
    context = bounded_context(read_metadata(gguf)) if gguf.is_file() else 0
    rules = Rules(
        hosts=LOOPBACK if is_loopback else frozenset(),
        keys=Keys(key) if key else None,
        body_bytes=BODY_BYTES,
        has_pages=False,
    )
    with listener, open_llama(gguf, context=context, threads=threads) as llama:
        server = make_server(build_front(llama.address, llama.key, rules))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        with suppress(KeyboardInterrupt):
            # short waits: one without an end is deaf to Ctrl-C on some systems
            while not server.started and thread.is_alive():
                until.wait(0.02)
            if ready and server.started:
                shown = f"[{host}]" if ":" in host else host
                ready(f"http://{shown}:{listener.getsockname()[1]}/v1")
            while thread.is_alive() and not until.wait(0.5):
                pass
        failed = not server.started
        server.should_exit = True
        thread.join(STOP_SECONDS + 5)
        if failed:
            raise FaultError("the server could not start", "its messages above say why")
