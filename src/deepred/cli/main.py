"""The command line. Every command is one call of the library; what is heavy, it imports when it runs."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from deepred import __version__
from deepred.base.errors import DeepRedError, UserError, explained
from deepred.cli import (
    audit_commands,
    data_commands,
    dating_commands,
    evaluate_commands,
    filter_commands,
    model_commands,
    persona_commands,
    serve_commands,
    trace_commands,
    train_commands,
)
from deepred.cli.options import Data, Json, RunFile, Set, Workers, console, errors, open_pipeline, print_json, tell
from deepred.run.settings import Settings

if TYPE_CHECKING:
    from deepred.run.runner import Node, Pipeline

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


def _print_version(wanted: bool) -> None:
    if wanted:
        tell(f"deepred {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """What can be said without a command."""


@app.command(rich_help_panel=BEFORE)
def init(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Which; without it, all are listed.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE.toml", help="Where to (default: runs/NAME.toml).")] = None,
) -> None:
    """Write one of the run files that come with Deep Red, to run it or to change it."""
    from deepred.run.run_files import shipped, what_for, write

    if name is None:
        for known, path in shipped().items():
            tell(f"{known:<14} {what_for(path)}")
        return
    out = out or Path("runs") / f"{name}.toml"
    write(name, out)
    tell(f"{out}\nnext    deepred plan {out}\n        deepred run {out}")


@app.command(rich_help_panel=ROAD)
def run(
    run_file: RunFile,
    until: Annotated[str | None, typer.Option(metavar="STAGE", help="Stop after this stage.")] = None,
    overrides: Set = None,
    data: Data = None,
    workers: Workers = None,
) -> None:
    """Build every stage of a run that is not there yet; the same command goes on after an interruption."""
    from deepred.run.build import execute
    from deepred.run.progress import Display

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
    from deepred.run.runner import is_complete, read_manifest

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
    from deepred.run.status import node_status

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
    from deepred.run.show import inspect_stage, print_stage

    pipeline = open_pipeline(run_file, overrides, data)
    found = inspect_stage(pipeline, pipeline.node(stage, arm), samples)
    if as_json:
        print_json(found)
    else:
        print_stage(found, console)


@app.command(rich_help_panel=ROAD)
def verify(run_file: RunFile, overrides: Set = None, data: Data = None) -> None:
    """Hash every file of a run again, its inputs too, and compare with the manifests."""
    from deepred.run.status import verify_node

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
    from deepred.run.config import load_run
    from deepred.run.status import remove_unused

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


for panel, functions in {
    BEFORE: (data_commands.download, train_commands.doctor, train_commands.plan),
    PARTS: (data_commands.extract, dating_commands.classify, data_commands.corpus),
    LOOK: (dating_commands.why, audit_commands.emergence, audit_commands.audit),
    ASK: (dating_commands.date_llm, persona_commands.teach),
    MEASURE: (
        evaluate_commands.twins,
        evaluate_commands.compare,
        trace_commands.trace,
        trace_commands.leaks,
        trace_commands.relearn,
    ),
    USE: (
        model_commands.chat,
        model_commands.serve_model,
        data_commands.index,
        serve_commands.serve,
        serve_commands.mcp,
    ),
    PUBLISH: (model_commands.card, model_commands.install, model_commands.push),
}.items():
    for function in functions:
        app.command(rich_help_panel=panel)(function)
app.add_typer(filter_commands.app, name="filter", rich_help_panel=PARTS)
app.add_typer(evaluate_commands.probes, name="probes", rich_help_panel=MEASURE)


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
        if (known := explained(error)).mend:
            errors.print(f"[red]error:[/] {escape(str(known))}", highlight=False, soft_wrap=True)
            sys.exit(known.exit_code)
        errors.print(
            f"[red]fault:[/] {type(error).__name__}: {escape(str(error))} (DEEPRED_DEBUG=1 shows where it happened)",
            highlight=False,
            soft_wrap=True,
        )
        sys.exit(1)
