"""llama.cpp in this process (``xllamacpp``): load a GGUF file, tokenize, read log-probabilities, stream a chat.

Everything goes over a loopback HTTP server with a port of its own, the interface that llama.cpp keeps stable.
llama.cpp writes its log straight to the process's standard error; it is silenced here.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deepred.asking.replies import read_pieces, read_problem
from deepred.base.errors import FaultError
from deepred.export.gguf.gguf_header import read_metadata
from deepred.export.gguf.llama_library import import_xllamacpp

MOST_CONTEXT = 4096
"""Tokens of context at most, to keep the memory of a large model's cache in bounds."""
NO_ORIGIN = "https://no-origin.invalid"
"""No page has this origin; "null" would be that of every sandboxed frame, and the default lets in all."""
TIMEOUT = 600.0
"""Seconds for one answer of the server; a large model on a CPU takes minutes for a long prompt."""


class Llama:
    """A loaded GGUF file; made by ``open_llama``."""

    def __init__(self, path: Path, address: str, key: str) -> None:
        import httpx

        self.path = path
        self.address = address
        self.key = key
        # a connection of its own for each request: the server drops those that wait
        limits = httpx.Limits(max_keepalive_connections=0)
        headers = {"Authorization": f"Bearer {key}"}
        self._client = httpx.Client(base_url=address, timeout=TIMEOUT, trust_env=False, limits=limits, headers=headers)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def tokenize(self, text: str, special: bool = False) -> list[int]:
        """Token ids of a text without BOS; with ``special``, control tokens in the text are recognised."""
        answer = self._post("/tokenize", {"content": text, "add_special": False, "parse_special": special})
        return [int(token) for token in answer["tokens"]]

    def render(self, messages: Sequence[dict[str, str]], opens: bool = True) -> str:
        """A conversation through the file's own chat template, and the opening of the assistant's answer."""
        body = {"messages": list(messages), "add_generation_prompt": opens}
        return str(self._post("/apply-template", body)["prompt"])

    def answer(self, messages: Sequence[dict[str, str]], **options: Any) -> tuple[str, str]:
        """The assistant's whole answer and why it ended (``stop`` or ``length``)."""
        answer = self._post("/v1/chat/completions", {"messages": list(messages), **options})
        choice = answer["choices"][0]
        return str(choice["message"]["content"] or ""), str(choice["finish_reason"])

    def stream(self, messages: Sequence[dict[str, str]], **options: Any) -> Iterator[str]:
        """The assistant's answer, piece by piece."""
        body = {"messages": list(messages), "stream": True, **options}
        with self._client.stream("POST", "/v1/chat/completions", json=body) as response:
            if response.status_code != 200:
                raise FaultError(f"llama.cpp refused: {read_problem(response.read())}")
            for line in response.iter_lines():
                yield from read_pieces(line, "llama.cpp")

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        response = self._client.post(path, json=body)
        if response.status_code != 200:
            raise FaultError(f"llama.cpp refused {path}: {read_problem(response.content)}")
        return response.json()


def bounded_context(metadata: Mapping[str, Any]) -> int:
    """Tokens of context to open a GGUF file with, by its metadata: its own, at most ``MOST_CONTEXT``."""
    return min(int(metadata.get("llama.context_length", MOST_CONTEXT)), MOST_CONTEXT)


@contextmanager
def open_llama(path: Path, context: int = 0, threads: int = 0) -> Generator[Llama]:
    """A GGUF file in llama.cpp, served on a free port of this machine while the block runs, to this process alone.

    It asks for a random key, since any page that the user visits can send requests to ports of this machine.
    ``context`` is in tokens (0: the model's own). ``UserError``: no such file. ``FaultError``: a damaged one.
    """
    read_metadata(path)  # llama.cpp may crash on a damaged head, and this process with it
    xllamacpp = import_xllamacpp()
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = {path.stem}  # what clients see; by default the path
    params.n_ctx = context
    params.n_parallel = 1
    params.n_gpu_layers = 0
    params.warmup = False
    params.fit_params = False
    params.ui = False
    params.endpoint_slots = False
    params.verbosity = -1
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.cors_origins = NO_ORIGIN
    key = secrets.token_urlsafe(24)
    params.api_keys = [key]
    if threads:
        params.cpuparams.n_threads = threads
        params.cpuparams_batch.n_threads = threads
    with quiet():
        try:
            server = xllamacpp.Server(params)
        except Exception as error:
            raise FaultError(
                f"llama.cpp cannot load {path}: {error}", "the file is damaged or of another kind"
            ) from error
    llama = Llama(path, server.listening_address, key)
    try:
        yield llama
    finally:
        llama.close()
        with quiet():
            del server


@contextmanager
def quiet() -> Generator[None]:
    """Keep what C++ code writes to standard error off the terminal, while the block runs."""
    sys.stderr.flush()
    saved = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
