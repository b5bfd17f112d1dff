"""Commands that move data: fetch it, extract one dump, write a corpus out, load an index for search and reading."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from deepred.base.days import from_date
from deepred.base.errors import UserError
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
    tell,
)
from deepred.run.settings import Settings

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

Store = Annotated[
    str,
    typer.Option(metavar="sqlite|URL", envvar="DEEPRED_STORE", help="sqlite, or postgresql://user@host/database."),
]
Search = Annotated[
    str, typer.Option(metavar="embedded|URL", envvar="DEEPRED_SEARCH", help="embedded, or OpenSearch's https://host.")
]


def extract(
    dump: Annotated[Path, typer.Argument(metavar="DUMP", help="A MediaWiki XML dump (.xml, .xml.gz, .xml.bz2).")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="A new folder for articles-*.parquet, redirects-*.parquet.")],
    language: Annotated[str, typer.Option("--lang", help="Language of the wiki (default: from the dump).")] = "",
    tables: Annotated[
        Literal["drop", "text"], typer.Option(help="Tables: leave out, or a line of text a row.")
    ] = "drop",
    captions: Annotated[Literal["drop", "text"], typer.Option(help="Captions: leave out, or as lines.")] = "drop",
    math: Annotated[Literal["drop", "tex"], typer.Option(help="Formulas: leave out, or their TeX source.")] = "tex",
    limit: Annotated[int, typer.Option(min=0, help="Only the first N articles, by one worker (0: all).")] = 0,
    salvage: Annotated[bool, typer.Option("--salvage", help="Keep the whole pages before a damage.")] = False,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Extract one dump into Parquet, with no run file: text, sections, links, categories, infobox dates."""
    from deepred.run.config import Articles
    from deepred.run.progress import Display
    from deepred.run.stage import Work
    from deepred.run.unfinished import standalone
    from deepred.sources.wiki import articles
    from deepred.sources.wiki.articles import summary_lines

    if not dump.is_file():
        raise UserError(f"{dump} does not exist or is no file", "name a dump; deepred download wikipedia fetches one")
    settings = Settings.from_environment(workers=workers)
    display = Display(errors if as_json else console)
    config = Articles(tables=tables, captions=captions, math=math, limit=limit, salvage=salvage)
    started = time.monotonic()
    request = {"stage": "articles", "source": str(dump.resolve()), "bytes": dump.stat().st_size, "language": language}
    manifest = request | {"config": config.model_dump(mode="json")}
    with standalone(out, manifest) as folder, display.shown("articles"):
        counts = articles.extract(
            dump, folder, workers=settings.workers, language=language, config=config, work=Work(settings, display)
        )
        manifest["counts"] = counts.to_json()
    if as_json:
        print_json(manifest | {"out": str(out)})
        return
    for line in summary_lines(counts, time.monotonic() - started):
        console.print(line, highlight=False, soft_wrap=True, markup=False)
    console.print(out, highlight=False, soft_wrap=True)


def download(
    kind: Annotated[str, typer.Argument(help="wikipedia, wikidata, yago, gutenberg, chess or chess-books.")],
    wiki: Annotated[str, typer.Option(help="Wiki, for wikipedia: simplewiki, enwiki, dewiki …")] = "simplewiki",
    date: Annotated[str, typer.Option(help="Date of the dump (YYYYMMDD), or latest.")] = "latest",
    ids: Annotated[list[str] | None, typer.Option("--id", help="Book, player or text to fetch; repeatable.")] = None,
    mirrors: Annotated[list[str] | None, typer.Option("--mirror", help="Mirror to use instead; repeatable.")] = None,
    rate: Annotated[float, typer.Option(min=0.0, help="Megabytes a second at most (0: no limit).")] = 0.0,
    plan_only: Annotated[bool, typer.Option("--plan", help="Only state files, size and time.")] = False,
    data: Data = None,
) -> None:
    """Fetch public data into the downloads folder: resumable, verified, polite; size and time are stated first."""
    from deepred.sources.download.download import Options, fetch_plan, own_sources, plan_download
    from deepred.sources.download.transfer import Transfer

    folder = Settings.from_environment(data).data
    options = Options(wiki=wiki, date=date, ids=tuple(ids or _default_ids(kind)), mirrors=tuple(mirrors or ()))
    contact = os.environ.get("DEEPRED_CONTACT", "")
    with _transfer_bar() as bar:
        task = bar.add_task("asking the publisher", total=None)
        progress = partial(_show_transfer, bar, task)
        transfer = Transfer(progress=progress, rate_limit=int(rate * 1e6), contact=contact)
        plan = plan_download(kind, options, transfer, own_sources(folder))
        bar.console.print(plan.statement(), highlight=False, soft_wrap=True)
        if not contact:
            bar.console.print("publishers ask for a contact: set DEEPRED_CONTACT to a mail address or a page")
        if plan_only:
            return
        paths = fetch_plan(plan, folder / "downloads", transfer)
    for path in paths:
        console.print(path, highlight=False, soft_wrap=True)


def _default_ids(kind: str) -> list[str]:
    """What is fetched when no id is named: of Project Gutenberg the books of the shipped reading list."""
    if kind != "gutenberg":
        return []  # downloads.toml names them
    from deepred.sources.books.book_selection import reading_list

    return [str(number) for number in sorted({number for wish in reading_list().values() for number in wish.ids})]


def _show_transfer(bar: RichProgress, task: Any, name: str, done: int, total: int | None) -> None:
    bar.update(task, description=name, completed=done, total=total)


def _transfer_bar() -> RichProgress:
    from rich import progress

    columns = (progress.TextColumn("{task.description}"), progress.BarColumn(), progress.DownloadColumn())
    columns = (*columns, progress.TransferSpeedColumn(), progress.TimeRemainingColumn())
    return progress.Progress(*columns, console=console, transient=True)


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
