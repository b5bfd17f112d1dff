"""Commands around training: what this machine can do (`doctor`), and what a training would take (`plan`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from deepred.commandline import Data, Json, Set, console, print_json, tell

MARKS = {"ok": "[green]✓[/]", "note": "[yellow]•[/]", "problem": "[red]✗[/]"}


def doctor(
    run_file: Annotated[
        Path | None, typer.Argument(metavar="[RUN.toml]", help="Also look at the endpoints that this run names.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.1, max=60.0, help="Seconds that matrix products are measured.")] = 10,
    overrides: Set = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Say what this machine can do and what to mend: GPU, memory, kernels, compiler, disk, endpoints; 1: a problem."""
    from dataclasses import asdict

    from deepred.config import load_run
    from deepred.doctor import examine
    from deepred.settings import Settings

    run = load_run(run_file, overrides) if run_file else None
    found = examine(Settings.from_environment(data).data, run, seconds)
    problems = sum(finding.level == "problem" for finding in found)
    if as_json:
        print_json({"usable": not problems, "findings": [asdict(finding) for finding in found]})
    else:
        for finding in found:
            mend = f"  → {finding.mend}" if finding.mend else ""
            line = f"{MARKS[finding.level]} {escape(f'{finding.topic:<12} {finding.text}{mend}')}"
            console.print(line, highlight=False, soft_wrap=True)
        tell(f"{problems} problems" if problems else "usable")
    if problems:
        raise typer.Exit(1)
