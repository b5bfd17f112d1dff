"""Commands that compare: the twins of a run, and several finished runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

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
    from deepred.evaluate.train_twins import build_twins, compare_twins, twin_pipelines
    from deepred.run.config import ARMS, Arm
    from deepred.run.progress import Display

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
    from deepred.evaluate.report.twins_page import arm_lines, findings

    console.print()
    for line in findings(compared):
        tell(line)
    console.print()
    for name, before, after, gain_before, gain_after in arm_lines(compared):
        tell(f"{name:<11} before {before:<18} after {after}")
        tell(f"{'':<11} gain before {gain_before}; after {gain_after}")


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN.toml|report.json", help="Two or more finished runs.")],
    out: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Write the comparison as a page.")] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show several finished runs side by side: what each model knows before and after its cutoff."""
    from deepred.base.files import write_text
    from deepred.evaluate.report.compare_page import compare_lines, compare_page, compare_reports, read_report

    paths = [
        built_folders(open_pipeline(path, None, data), path, "report")["report"] / "report.json"
        if path.suffix == ".toml"
        else path
        for path in runs
    ]
    compared = compare_reports([read_report(path) for path in paths])
    if out is not None:
        write_text(out, compare_page(compared))
    if as_json:
        print_json(compared)
        return
    for line in compare_lines(compared):
        tell(line)
    if out is not None:
        tell(f"page  {out}")


probes = typer.Typer(help="The facts that a run asks about.", no_args_is_help=True)


@probes.command("export")
def export_probes(
    run_file: RunFile,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the tasks.")],
    prefix: Annotated[
        str, typer.Option(help="Text before every prompt: a model's first token, where its tokenizer adds none.")
    ] = "",
    overrides: Set = None,
    data: Data = None,
) -> None:
    """Write a run's probes as tasks of lm-evaluation-harness (YAML and JSONL)."""
    from deepred.evaluate.choices import read_families
    from deepred.evaluate.evaluate import probes_hash
    from deepred.evaluate.harness_tasks import export_tasks

    pipeline = open_pipeline(run_file, overrides, data)
    folder = built_folders(pipeline, run_file, "probes")["probes"]
    families = read_families(folder)
    if not families:
        raise UserError("this run has no probes", "give it dated facts: [facts], or a world")
    run = pipeline.run
    counts = export_tasks(families, out, run.name, str(run.cutoff), probes_hash(folder)[:16], prefix)
    items = ", ".join(f"{number:,} {name.removeprefix('items_')}" for name, number in counts.numbers.items())
    group = counts.notes["group"]
    tell(f"items   {items}\ntasks   {out}")
    tell(f"next    cd {out} && lm_eval --model hf --model_args pretrained=MODEL --tasks {group} --include_path .")
