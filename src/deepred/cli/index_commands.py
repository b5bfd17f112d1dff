"""The command that loads a run's articles into a store and a search engine."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from deepred.cli.options import Data, Json, RunFile, Set, Workers, console, errors, open_pipeline, print_json, tell

Store = Annotated[
    str,
    typer.Option(metavar="sqlite|URL", envvar="DEEPRED_STORE", help="sqlite, or postgresql://user@host/database."),
]
Search = Annotated[
    str, typer.Option(metavar="embedded|URL", envvar="DEEPRED_SEARCH", help="embedded, or OpenSearch's https://host.")
]


def index(
    run_file: RunFile,
    store: Store = "sqlite",
    search: Search = "embedded",
    embeddings: Annotated[
        Literal["lsa", "openai", "minilm", "none"],
        typer.Option(envvar="DEEPRED_EMBEDDINGS", help="What makes vectors: fitted here, an endpoint, a model, none."),
    ] = "lsa",
    overrides: Set = None,
    data: Data = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Load a run's articles, dates and events for search and reading; the same command goes on where it stopped.

    The index that is there answers until the new one is complete. For openai and minilm set DEEPRED_EMBEDDINGS_MODEL.
    """
    from deepred.run.progress import Display
    from deepred.run.stage import Work
    from deepred.serve.index.build_index import Options, build_index

    pipeline = open_pipeline(run_file, overrides, data, workers)
    display = Display(errors if as_json else console)
    options = Options(store, search, embeddings)
    with display.shown("index"):
        pointer, was_there = build_index(pipeline, run_file, options, Work(pipeline.settings, display))
    if as_json:
        print_json(pointer | {"was_there": was_there})
        return
    counts = ", ".join(f"{count:,} {name}" for name, count in pointer["counts"].items())
    tell(f"{'already there' if was_there else 'current now'}  version {pointer['version']}: {counts}")
    tell(f"next    deepred serve {run_file}")
