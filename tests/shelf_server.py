"""Servers of the shelf: in this process for most tests, on a port of loopback for what needs connections."""

import contextlib
import json
import threading

import httpx
import uvicorn

from deepred.serve.index_pool import Library, Limits
from deepred.serve.model_beside import Speaker
from deepred.serve.server import Door, Parts, build_app, listen
from deepred.serve.web.run_state import Run
from shelf import CUTOFF


def words(text, pieces=3):
    """A transport that answers every conversation with a text, streamed as OpenAI-compatible servers do."""

    async def answer(request):
        size = -(-len(text) // pieces)
        parts = [text[place : place + size] for place in range(0, len(text), size)]
        lines = [{"choices": [{"delta": {"content": part}}]} for part in parts]
        body = "".join(f"data: {json.dumps(line)}\n\n" for line in lines) + "data: [DONE]\n\n"
        return httpx.Response(200, text=body)

    return httpx.MockTransport(answer)


def a_speaker(transport=None):
    return Speaker("http://127.0.0.1:9/v1", cutoff=CUTOFF, transport=transport or words("Good evening, comrade."))


@contextlib.contextmanager
def served(index, speaker=None, door=None, limits=None, run=None):
    """The address of a server on loopback."""
    door = door or Door(port=0)
    listener = listen(door)
    parts = Parts(Library(index, limits or Limits()), speaker or a_speaker(), run=run or Run("demo"))
    server = uvicorn.Server(uvicorn.Config(build_app(parts, door), log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()
