"""Commands that compare: the twins of a run, and several finished runs."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from deepred.commandline import Data, Json, RunFile, Set, Workers, console, errors, open_pipeline, print_json, tell
from deepred.errors import UserError


def twins(
    run_file: RunFile,
    seeds: Annotated[int, typer.Option(min=1, help="Worlds, or on real data trainings, of every arm.")] = 3,
    only: Annotated[
        list[str] | None, typer.Option("--arm", metavar="ARM", help="Only these arms (repeatable); all by default.")
    ] = None,
    overrides: Set = None,
    data: Data = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Train all arms of a run several times over and compare them on one page; goes on where it stopped."""
    from deepred.config import ARMS, Arm
    from deepred.display import Display
    from deepred.twins import build_twins, compare_twins, twin_pipelines

    wrong = sorted(set(only or ()) - set(ARMS))
    if wrong:
        raise UserError(f"there is no arm {', '.join(wrong)}", f"arms: {', '.join(ARMS)}")
    arms: tuple[Arm, ...] = tuple(arm for arm in ARMS if not only or arm in only or arm == "filtered")
    if "continued" in arms and "unfiltered" not in arms:
        raise UserError("the arm continued goes on from the arm unfiltered", "add --arm unfiltered")
    pipeline = open_pipeline(run_file, overrides, data, workers)
    lines = twin_pipelines(pipeline, seeds, arms)
    build_twins(lines, Display(errors if as_json else console))
    compared, folder = compare_twins(pipeline, lines)
    if as_json:
        print_json(compared)
        return
    _print_twins(compared)
    tell(f"page    {folder / 'twins.html'}\npicture {folder / 'twins.png'}")


def _print_twins(compared: dict[str, Any]) -> None:
    from deepred.evaluate.twins_page import arm_lines, findings

    console.print()
    for line in findings(compared):
        tell(line)
    console.print()
    for name, before, after, gain_before, gain_after in arm_lines(compared):
        console.print(f"{name:<11} before {before:<16} after {after:<16} {escape(gain_before)}", highlight=False)
        console.print(f"{'':<11} gain after {escape(gain_after)}", highlight=False)
