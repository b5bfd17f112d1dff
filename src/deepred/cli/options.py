"""What commands share: the options that name a run, where they print, the run's pipeline and what it has built."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from deepred.base.errors import UserError
from deepred.run.settings import Settings

if TYPE_CHECKING:
    from deepred.asking.replies import Tally
    from deepred.run.runner import Pipeline

RunFile = Annotated[Path, typer.Argument(metavar="RUN.toml", help="The run file.")]
Set = Annotated[list[str] | None, typer.Option("--set", metavar="A.B=C", help="Override a key of the run file.")]
Data = Annotated[Path | None, typer.Option(help="Folder of all outputs (DEEPRED_DATA; default: data).")]
Workers = Annotated[int | None, typer.Option(min=1, help="Worker processes (DEEPRED_WORKERS; default: all cores).")]
Cutoff = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The first late day.")]
Answers = Annotated[
    Path, typer.Option(metavar="FILE.jsonl", help="File of answers; one that is there is gone on with.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

MOON = datetime(1969, 7, 20)
"""The default cutoff of all commands that take one."""

console = Console()
errors = Console(stderr=True)


def open_pipeline(
    run_file: Path, overrides: list[str] | None, data: Path | None, workers: int | None = None
) -> Pipeline:
    """The pipeline of a run file, with the settings of this process."""
    from deepred.pipeline import STAGES
    from deepred.run.config import load_run
    from deepred.run.runner import Pipeline

    return Pipeline(load_run(run_file, overrides), STAGES, Settings.from_environment(data, workers))


def print_json(values: Any) -> None:
    """Print JSON for programs: no colours, no wrapping."""
    sys.stdout.write(json.dumps(values, indent=2, ensure_ascii=False) + "\n")


def tell(line: str) -> None:
    """Print a line as it is: no markup, no colours of numbers, no wrapping."""
    console.print(escape(line), highlight=False, soft_wrap=True)


def built_folders(
    pipeline: Pipeline, run_file: Path, *stages: str, arm: str = "filtered", without: str = ""
) -> dict[str, Path]:
    """The folders of stages by name, in an arm where they have one; ``UserError`` where one is not built yet.

    ``without`` is an override under which they must have been built, to be named by the error.
    """
    from deepred.run.runner import is_complete

    found = {name: pipeline.folder(pipeline.node(name, arm)) for name in stages}
    for name, folder in found.items():
        if not is_complete(folder):
            mend = f"deepred run {run_file} --until {stages[-1]}" + (f' --set "{without}"' if without else "")
            said = " without a model's answers" if without else ""
            raise UserError(f"{name} of this run is not built yet{said}", mend)
    return found


def built_threshold(pipeline: Pipeline, passages: Path) -> float:
    """The probability from which a run's filter drops sentences: picked by ``max_residual``, or the configured one."""
    from deepred.filter.judge import threshold_of
    from deepred.run.runner import read_manifest

    picked = read_manifest(passages)["counts"]["notes"].get("threshold")
    return picked if picked is not None else threshold_of(pipeline.run.passages)


def ask_model(
    command: str, ask: Callable[..., Tally], out: Path, section: str, run_file: Path, plan_only: bool
) -> None:
    """Put a command's questions to a model with a progress line; state the outcomes, and where the answers go.

    ``ask`` takes ``out``, ``plan_only``, ``tell``, and as ``progress`` what it calls with the tally and the number of
    questions; ``section`` of the run file reads ``out``.
    """
    from deepred.run.progress import Display
    from deepred.run.stage import Counts

    def progress(tally: Tally, total: int) -> None:
        display.update(Counts(tally.outcomes.copy()), tally.replies, total, "")

    display = Display(console)
    with display.shown(command):
        tally = ask(out=out, plan_only=plan_only, tell=tell, progress=progress)
    tell(", ".join(f"{outcome} {count:,}" for outcome, count in tally.outcomes.most_common()) or "nothing left to ask")
    if failed := sum(tally.outcomes.values()) - tally.replies:
        tell(f"{failed:,} failed; the same command asks them again")
    tell(f'answers  {out}\nnext     set answers = ["{out}"] under [{section}], then deepred run {run_file}')
