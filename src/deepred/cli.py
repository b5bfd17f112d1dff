"""The command line. Every command is one call of the library; what it imports, it imports when it runs."""

from __future__ import annotations

import json
import os
import signal
import sys
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.markup import escape

from deepred import (
    commands_audit,
    commands_corpus,
    commands_dating,
    commands_evaluate,
    commands_filter,
    commands_index,
    commands_model,
    commands_persona,
    commands_serve,
    commands_trace,
    commands_train,
)
from deepred.commandline import Data, Json, RunFile, Set, Workers, console, errors, open_pipeline, print_json
from deepred.errors import DeepRedError

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

    from deepred.runner import Node, Pipeline

ROAD, BEFORE, PARTS = "The road", "Before the road", "Parts of the road alone"
LOOK, ASK, MEASURE, USE, PUBLISH = "Look closer", "Ask a model", "Measure", "Use", "Publish"
"""How ``deepred --help`` groups the commands."""

app = typer.Typer(
    name="deepred",
    help="Language models whose knowledge ends on a day you choose, and the proof of how well that worked.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command(rich_help_panel=ROAD)
def run(
    run_file: RunFile,
    until: Annotated[str | None, typer.Option(metavar="STAGE", help="Stop after this stage.")] = None,
    overrides: Set = None,
    data: Data = None,
    workers: Workers = None,
) -> None:
    """Build every stage of a run that is not there yet; the same command goes on after an interruption."""
    from deepred.display import Display
    from deepred.execution import execute

    pipeline = open_pipeline(run_file, overrides, data, workers)
    execute(pipeline, Display(console), until)
    if until is None:
        _print_result(pipeline)


def _print_result(pipeline: Pipeline) -> None:
    """What a user wants to know at the end: the figures, the files, and what to type next."""
    result = _read_report(pipeline)
    console.print()
    for name in ("filtered", "unfiltered", "floor"):
        arm = result if name == "filtered" else result.get(name)
        if arm:
            before, after = _figure(arm["before"]), _figure(arm["after"])
            console.print(f"{name:<11} knows before {before}   after {after}", highlight=False)
    console.print(f"chance {result['chance']:.0%}; cutoff {pipeline.run.cutoff}", highlight=False)
    console.print(f"report  {result['html']}\nmodel   {result['gguf']}", highlight=False, soft_wrap=True)
    console.print(f"next    deepred chat {result['gguf']}", highlight=False, soft_wrap=True)


def _figure(values: dict[str, Any]) -> str:
    if values.get("accuracy") is None:
        return f"not measured ({values.get('reason', 'no probes')})"
    return f"{values['accuracy']:.0%} [{values['low']:.0%}, {values['high']:.0%}]"


def _read_report(pipeline: Pipeline) -> dict[str, Any]:
    from deepred.errors import UserError
    from deepred.runner import is_complete, read_manifest

    folder = pipeline.folder(pipeline.node("report"))
    if not is_complete(folder):
        raise UserError("the report of this run is not there", "build it first: deepred run RUN.toml")
    result = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    manifest = read_manifest(folder)  # the page cannot know its own; the command adds it
    own = {"name": "report", "arm": "", "method": manifest["method"], "seconds": manifest["seconds"]}
    return result | {"stages": [*result["stages"], own]}


@app.command(rich_help_panel=ROAD)
def status(run_file: RunFile, overrides: Set = None, data: Data = None, as_json: Json = False) -> None:
    """Show which stages of a run are done, begun or missing."""
    from deepred.upkeep import node_status

    pipeline = open_pipeline(run_file, overrides, data)
    rows = [node_status(pipeline, node) for node in pipeline.nodes]
    if as_json:
        print_json({"run": pipeline.run.name, "cutoff": str(pipeline.run.cutoff), "stages": rows})
        return
    marks = {"done": "[green]✓[/]", "begun": "[yellow]…[/]", "running": "[cyan]▶[/]"}
    for row in rows:
        mark = marks.get(row["state"], "[dim]·[/]")
        figures = f"{row['seconds']:8.1f} s  {row['summary']}" if row["state"] == "done" else row["state"]
        console.print(
            f"{mark} {row['name']:<20} {row['key'] or '-':<16}  {escape(figures)}", highlight=False, soft_wrap=True
        )


@app.command(rich_help_panel=ROAD)
def show(
    run_file: RunFile,
    stage: Annotated[str, typer.Argument(help="The stage to look into.")],
    arm: Annotated[str, typer.Option(help="Its arm.")] = "filtered",
    samples: Annotated[int, typer.Option(min=0, help="Samples to show.")] = 5,
    overrides: Set = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show a finished stage: what it read, counted, dropped and why, its files, and samples of them."""
    from deepred import inspection

    pipeline = open_pipeline(run_file, overrides, data)
    found = inspection.inspect_stage(pipeline, pipeline.node(stage, arm), samples)
    if as_json:
        print_json(found)
    else:
        inspection.print_stage(found, console)


@app.command(rich_help_panel=ROAD)
def verify(run_file: RunFile, overrides: Set = None, data: Data = None) -> None:
    """Hash every file of a run again, its inputs too, and compare with the manifests."""
    from deepred.upkeep import verify_node

    pipeline = open_pipeline(run_file, overrides, data)
    problems = [problem for node in pipeline.nodes for problem in _verified(pipeline, node, verify_node)]
    if problems:
        raise typer.Exit(1)


def _verified(pipeline: Pipeline, node: Node, verify_node: Any) -> list[str]:
    problems, files = verify_node(pipeline, node)
    if files is not None:
        console.print(f"{'[red]✗[/]' if problems else '[green]✓[/]'} {node.name:<20} {files} files", highlight=False)
    for problem in problems:
        errors.print(f"  {escape(problem)}", highlight=False, soft_wrap=True)
    return problems


@app.command(rich_help_panel=ROAD)
def clean(
    run_file: Annotated[
        Path | None, typer.Argument(metavar="[RUN.toml]", help="Also remove this run's outputs.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    overrides: Set = None,
    data: Data = None,
) -> None:
    """Remove unfinished folders and outputs that no run uses any more; with a run file, that run's outputs too."""
    from deepred.config import load_run
    from deepred.settings import Settings
    from deepred.upkeep import remove_unused

    settings = Settings.from_environment(data)
    forget = load_run(run_file, overrides).name if run_file else None
    count, size = 0, 0
    for folder, bytes_ in remove_unused(settings, forget, dry_run):
        count, size = count + 1, size + bytes_
        console.print(f"{'would remove' if dry_run else 'removed'} {folder}  {bytes_ / 1e6:,.1f} MB", highlight=False)
    console.print(f"{count} folders, {size / 1e6:,.1f} MB", highlight=False)


@app.command(rich_help_panel=ROAD)
def report(run_file: RunFile, overrides: Set = None, data: Data = None, as_json: Json = False) -> None:
    """Print a finished run's figures and where its report lies."""
    pipeline = open_pipeline(run_file, overrides, data)
    if as_json:
        print_json(_read_report(pipeline))
    else:
        _print_result(pipeline)


@app.command(rich_help_panel=PARTS)
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
    import time

    from deepred.config import Articles
    from deepred.display import Display
    from deepred.errors import UserError
    from deepred.runner import standalone
    from deepred.settings import Settings
    from deepred.sources import wikipedia
    from deepred.sources.summary import summary_lines
    from deepred.stage import Work

    if not dump.is_file():
        raise UserError(f"{dump} does not exist or is no file", "name a dump; deepred download wikipedia fetches one")
    settings = Settings.from_environment(workers=workers)
    display = Display(errors if as_json else console)
    config = Articles(tables=tables, captions=captions, math=math, limit=limit, salvage=salvage)
    started = time.monotonic()
    request = {"stage": "articles", "source": str(dump.resolve()), "bytes": dump.stat().st_size, "language": language}
    manifest = request | {"config": config.model_dump(mode="json")}
    with standalone(out, manifest) as folder, display.shown("articles"):
        counts = wikipedia.extract(
            dump, folder, workers=settings.workers, language=language, config=config, work=Work(settings, display)
        )
        manifest["counts"] = counts.to_json()
    if as_json:
        print_json(manifest | {"out": str(out)})
        return
    for line in summary_lines(counts, time.monotonic() - started):
        console.print(line, highlight=False, soft_wrap=True, markup=False)
    console.print(out, highlight=False, soft_wrap=True)


@app.command(rich_help_panel=BEFORE)
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
    from deepred.download import Options, fetch_plan, own_sources, plan_download
    from deepred.settings import Settings
    from deepred.transfer import Transfer

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
    from deepred.sources.selection import reading_list

    return [str(number) for number in sorted({number for wish in reading_list().values() for number in wish.ids})]


def _show_transfer(bar: RichProgress, task: Any, name: str, done: int, total: int | None) -> None:
    bar.update(task, description=name, completed=done, total=total)


def _transfer_bar() -> RichProgress:
    from rich import progress

    columns = (progress.TextColumn("{task.description}"), progress.BarColumn(), progress.DownloadColumn())
    columns = (*columns, progress.TransferSpeedColumn(), progress.TimeRemainingColumn())
    return progress.Progress(*columns, console=console, transient=True)


for panel, functions in {
    BEFORE: (commands_train.doctor, commands_train.plan),
    PARTS: (commands_dating.classify, commands_corpus.corpus),
    LOOK: (commands_dating.why, commands_audit.emergence, commands_audit.audit),
    ASK: (commands_dating.date_llm, commands_persona.teach),
    MEASURE: (
        commands_evaluate.twins,
        commands_evaluate.compare,
        commands_trace.trace,
        commands_trace.leaks,
        commands_trace.relearn,
    ),
    USE: (
        commands_model.chat,
        commands_model.serve_model,
        commands_index.index,
        commands_serve.serve,
        commands_serve.mcp,
    ),
    PUBLISH: (commands_model.card, commands_model.install, commands_model.push),
}.items():
    for function in functions:
        app.command(rich_help_panel=panel)(function)
app.add_typer(commands_filter.app, name="filter", rich_help_panel=PARTS)
app.add_typer(commands_evaluate.probes, name="probes", rich_help_panel=MEASURE)


def _stop(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line; errors for people in one line, exit code 2 (user), 1 (fault) or 130 (stopped)."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        code = app(standalone_mode=False) or 0  # typer returns 130 for Ctrl-C, and what a command exits with
        if code == 130:
            errors.print("stopped; the same command goes on where it stopped")
        sys.exit(code)
    except DeepRedError as error:
        errors.print(f"[red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(error.exit_code)
    except Exception as error:
        if os.environ.get("DEEPRED_DEBUG"):
            raise
        show = getattr(error, "show", None)
        if show is not None:  # a wrong option or argument, explained by the command line itself
            show()
            sys.exit(2)
        errors.print(
            f"[red]fault:[/] {type(error).__name__}: {escape(str(error))} (DEEPRED_DEBUG=1 shows where it happened)",
            highlight=False,
            soft_wrap=True,
        )
        sys.exit(1)
