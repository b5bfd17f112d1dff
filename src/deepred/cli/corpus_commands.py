"""The command of the corpus: a run's mixture written out as a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from deepred.cli.options import (
    Data,
    Json,
    RunFile,
    Set,
    Workers,
    built_folders,
    console,
    errors,
    open_pipeline,
    print_json,
)


def corpus(
    run_file: RunFile,
    out: Annotated[Path, typer.Option(metavar="DIR", help="A new folder for the dataset.")],
    file_format: Annotated[
        Literal["parquet", "jsonl"], typer.Option("--format", help="Format of the files.")
    ] = "parquet",
    arm: Annotated[
        Literal["filtered", "unfiltered", "floor"], typer.Option(help="The arm whose corpus it is.")
    ] = "filtered",
    overrides: Set = None,
    data: Data = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Export a run's corpus as a dataset folder with a card; `datasets.load_dataset(DIR)` reads it."""
    from deepred.base.days import from_date
    from deepred.corpus.dataset import Origin, export_corpus
    from deepred.run.progress import Display
    from deepred.run.runner import read_manifest
    from deepred.run.stage import Work
    from deepred.run.unfinished import standalone

    pipeline = open_pipeline(run_file, overrides, data, workers)
    run = pipeline.run
    built = built_folders(pipeline, run_file, "articles", "mixture", arm=arm)
    mixture, articles = built["mixture"], built["articles"]
    table = read_manifest(mixture)["counts"]["notes"]["sources"]
    origin = Origin(run.name, from_date(run.cutoff), arm, run.articles.language, table)
    request = {"stage": "corpus", "mixture": mixture.name, "arm": arm, "format": file_format}
    manifest: dict[str, Any] = {**request, "cutoff": str(run.cutoff), "run": run.name}
    display = Display(errors if as_json else console)
    with standalone(out, manifest) as folder, display.shown("corpus"):
        counts = export_corpus(
            mixture=mixture,
            articles=articles,
            origin=origin,
            out=folder,
            work=Work(pipeline.settings, display),
            file_format=file_format,
        )
        manifest["counts"] = counts.to_json()
    if as_json:
        print_json(manifest | {"out": str(out)})
        return
    console.print(f"{counts.numbers['documents']:,} documents, {counts.numbers['bytes']:,} bytes", highlight=False)
    console.print(out, highlight=False, soft_wrap=True)
