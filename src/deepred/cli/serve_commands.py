"""The commands that open the encyclopedia to people and programs: the server, and the MCP tools over stdio."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepred.cli.options import Data, RunFile, Set, open_pipeline, tell

if TYPE_CHECKING:
    from deepred.run.runner import Pipeline
    from deepred.serve.server import Parts

Store = Annotated[
    str, typer.Option(metavar="sqlite|URL", envvar="DEEPRED_STORE", help="Where the articles are: as for `index`.")
]
Search = Annotated[
    str, typer.Option(metavar="embedded|URL", envvar="DEEPRED_SEARCH", help="What searches them: as for `index`.")
]
ModelUrl = Annotated[
    str,
    typer.Option(metavar="URL", help="An OpenAI-compatible endpoint with /v1 instead of the run's own GGUF file."),
]
NoChat = Annotated[bool, typer.Option("--no-chat", help="No model beside the encyclopedia.")]


def serve(
    run_file: RunFile,
    host: Annotated[
        str, typer.Option(help="Address to listen on; beyond this machine a key is demanded.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port (0: a free one).")] = 8000,
    api_key: Annotated[
        str, typer.Option(envvar="DEEPRED_API_KEY", help="Key to demand, better given as DEEPRED_API_KEY.")
    ] = "",
    rate: Annotated[
        float | None,
        typer.Option(min=0.0, help="Requests a second of one client (0: no limit; default: none here, 50 beyond)."),
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A Host name a proxy uses for this server; repeatable.")
    ] = None,
    model_url: ModelUrl = "",
    model: Annotated[str, typer.Option(help="The model's name at --model-url.")] = "deepred",
    no_chat: NoChat = False,
    store: Store = "sqlite",
    search: Search = "embedded",
    overrides: Set = None,
    data: Data = None,
) -> None:
    """Serve the encyclopedia of a run: web pages, REST under /api, MCP at /mcp, the model beside it.

    Needs `deepred index RUN.toml`. The model answers where the run has one, or at --model-url (key: DEEPRED_LLM_KEY).
    """
    from deepred.serve.server import Door, build_app, listen, run_server

    door = Door(host, port, api_key, rate, tuple(allow_host or ()))
    door.check()
    pipeline = open_pipeline(run_file, overrides, data)
    parts = _parts(pipeline, run_file, store, search, model_url, model, no_chat)
    listener = listen(door)
    name = f"[{host}]" if ":" in host else host
    address = f"http://{name}:{listener.getsockname()[1]}"
    tell(f"{pipeline.run.name}, before {pipeline.run.cutoff}\npages  {address}/\nREST   {address}/api/search?q=…")
    tell(f"MCP    {address}/mcp\nCtrl-C ends it")
    run_server(build_app(parts, door), listener)


def mcp(
    run_file: RunFile,
    model_url: ModelUrl = "",
    model: Annotated[str, typer.Option(help="The model's name at --model-url.")] = "deepred",
    no_chat: NoChat = False,
    store: Store = "sqlite",
    search: Search = "embedded",
    overrides: Set = None,
    data: Data = None,
) -> None:
    """Serve the encyclopedia of a run to one LLM client over standard input and output (Model Context Protocol)."""
    from deepred.serve.mcp import run_stdio

    pipeline = open_pipeline(run_file, overrides, data)
    parts = _parts(pipeline, run_file, store, search, model_url, model, no_chat)
    run_stdio(parts.library, parts.speaker, parts.model)


def _parts(
    pipeline: Pipeline, run_file: Path, store: str, search: str, model_url: str, model: str, no_chat: bool
) -> Parts:
    """The index of a run, and the model beside it."""
    from deepred.run.runner import is_complete
    from deepred.serve.index.current import open_index
    from deepred.serve.index_pool import Library
    from deepred.serve.model_beside import LocalModel, Speaker, speaker_of
    from deepred.serve.server import Parts
    from deepred.serve.web.run_state import watch

    index = open_index(pipeline.settings.data, pipeline.run.name, store=store, search=search)
    parts = Parts(Library(index), run=watch(pipeline))
    node = pipeline.node("gguf")
    known = pipeline.key(node, hash_files=False) is not None
    folder = pipeline.folder(node) if known else None
    gguf = None
    if folder is not None and is_complete(folder):
        gguf = folder / json.loads((folder / "chat.json").read_text(encoding="utf-8"))["file"]
    if no_chat:
        parts.speaker = Speaker("", absent="the server was started with --no-chat")
    elif model_url:
        parts.speaker = speaker_of(gguf) if gguf else Speaker("")
        parts.speaker.url, parts.speaker.model = model_url.rstrip("/"), model
        parts.speaker.key = os.environ.get("DEEPRED_LLM_KEY", "")
        parts.speaker.at_once = 8
    elif gguf:
        parts.speaker = speaker_of(gguf)
        parts.model = LocalModel(gguf, parts.speaker, pipeline.settings.threads)
    else:
        parts.speaker = Speaker("", absent=f"this run has no model yet; deepred run {run_file} builds it")
    return parts
