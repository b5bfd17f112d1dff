"""What all commands share: the options that name a run, where they print, and the run's pipeline."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from deepred.runner import Pipeline

RunFile = Annotated[Path, typer.Argument(metavar="RUN.toml", help="The run file.")]
Set = Annotated[list[str] | None, typer.Option("--set", metavar="A.B=C", help="Override a key of the run file.")]
Data = Annotated[Path | None, typer.Option(help="Folder of all outputs (DEEPRED_DATA; default: data).")]
Workers = Annotated[int | None, typer.Option(min=1, help="Worker processes (DEEPRED_WORKERS; default: all cores).")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

console = Console()
errors = Console(stderr=True)


def open_pipeline(
    run_file: Path, overrides: list[str] | None, data: Path | None, workers: int | None = None
) -> Pipeline:
    """The pipeline of a run file, with the settings of this process."""
    from deepred.config import load_run
    from deepred.pipeline import STAGES
    from deepred.runner import Pipeline
    from deepred.settings import Settings

    return Pipeline(load_run(run_file, overrides), STAGES, Settings.from_environment(data, workers))


def print_json(values: Any) -> None:
    """Print JSON for programs: no colours, no wrapping."""
    sys.stdout.write(json.dumps(values, indent=2, ensure_ascii=False) + "\n")
