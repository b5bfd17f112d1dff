"""Commands around training: what this machine can do (`doctor`), and what a training would take (`plan`)."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from deepred.base.errors import UserError
from deepred.cli.options import Data, Json, Set, console, open_pipeline, print_json, tell
from deepred.run.settings import Settings

if TYPE_CHECKING:
    from deepred.train.plan import Plan

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
    from deepred.doctor import examine
    from deepred.run.config import load_run

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


def plan(
    run_file: Annotated[Path | None, typer.Argument(metavar="[RUN.toml]", help="The run file to plan.")] = None,
    model: Annotated[str, typer.Option(help="A known model instead: smollm2-360m, tinyllama-1.1b, 125m … 7b.")] = "",
    tokens: Annotated[
        str, typer.Option(help="Tokens to train on: 300M, 10B (default: the run's, else 20 a parameter).")
    ] = "",
    device: Annotated[str, typer.Option(help="h100, a4000, strix-halo, cpu … (default: this machine's).")] = "",
    sequence: Annotated[int, typer.Option(min=0, help="Tokens of a sequence (default: the run's, else 2048).")] = 0,
    micro_batch: Annotated[int, typer.Option(min=0, help="Sequences of a forward pass.")] = 0,
    mfu: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of the device's peak (default: by device).")
    ] = 0.0,
    teraflops: Annotated[float, typer.Option(min=0.0, help="The device's peak, for one that is not known.")] = 0.0,
    memory: Annotated[float, typer.Option(min=0.0, help="The device's memory in GB.")] = 0.0,
    price: Annotated[float, typer.Option("--price-per-hour", min=0.0, help="Price of an hour, for the cost.")] = 0.0,
    table: Annotated[bool, typer.Option("--table", help="One row each for 125m, 350m, 1b, 3b and 7b.")] = False,
    overrides: Set = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """State what a training would take before it runs: FLOPs, memory by part, time, disk, cost and a verdict."""
    from deepred.train.plan import TABLE, make_plan, make_table, parse_tokens, request_of_run
    from deepred.train.planned_device import choose_device

    if sum([run_file is not None, bool(model), table]) != 1:
        raise UserError("plan needs a run file, --model or --table, and only one of them", "deepred plan RUN.toml")
    count = parse_tokens(tokens) if tokens else None
    place = choose_device(device.lower(), teraflops, memory)
    share = mfu or None
    if run_file is not None:
        changed = {"tokens": count, "sequence": sequence, "micro_batch": micro_batch}
        more = [f"pretrain.{key}={value}" for key, value in changed.items() if value]
        pipeline = open_pipeline(run_file, [*(overrides or []), *more], data)
        found = [make_plan(request_of_run(pipeline, place, share, price))]
    else:
        setting = {"sequence": sequence, "micro_batch": micro_batch, "mfu": share, "price": price}
        found = make_table(TABLE if table else (model,), count, place, **setting)
    if as_json:
        print_json([each.to_json() for each in found] if table else found[0].to_json())
    elif table:
        _print_table(found)
    else:
        _print_plan(found[0])


def _print_plan(found: Plan) -> None:
    from deepred.train.plan import CHINCHILLA, GIB, shown_time

    corpus = f", {found.epochs:.2f} epochs of {found.corpus:,}" if found.corpus and found.epochs else ""
    rows = [
        ("model", f"{found.name}: {found.parameters:,} parameters"),
        ("tokens", f"{found.tokens:,} in {found.steps:,} steps{corpus}"),
        ("chinchilla", f"{found.tokens_per_parameter:.1f} tokens a parameter (best for given compute: {CHINCHILLA:g})"),
        ("work", f"{found.flops_per_token / 1e9:.2f} GFLOP a token, {found.flops:.2e} FLOP in all"),
    ]
    for way in found.memory:
        unit, size_of_unit = ("GiB", GIB) if way.total >= GIB else ("MiB", GIB >> 10)
        parts = ", ".join(f"{name} {size / size_of_unit:.2f}" for name, size in way.parts.items() if size)
        rows.append(
            (way.activations, f"{way.total / size_of_unit:.2f} {unit} at micro-batch {way.micro_batch}: {parts}")
        )
        rows.append(("", f"largest micro-batch in {found.available / GIB:.1f} GiB: {way.largest or 'none'}"))
    again = ", a third more work for recomputing" if found.activations == "recompute" else ""
    rows += [
        ("device", f"{found.device}, peak {found.peak / 1e12:.4g} TFLOP/s"),
        ("speed", f"{found.tokens_per_second:,.0f} tokens/s at {found.mfu:.0%} MFU ({found.mfu_source}){again}"),
        ("time", f"{shown_time(found.days)}" + (f" an arm, {found.arms} arms" if found.arms > 1 else "")),
        ("disk", ", ".join(f"{name} {size / 1e9:.2f} GB" for name, size in found.disk.items())),
    ]
    if found.cost is not None:
        rows.append(("cost", f"{found.cost:,.2f}"))
    for name, text in [*rows, ("verdict", found.verdict)]:
        tell(f"{name:<11} {text}")


def _print_table(found: list[Plan]) -> None:
    from deepred.train.plan import GIB, shown_time

    first = found[0]
    tell(f"{first.device}: {first.available / GIB:.0f} GiB, {first.peak / 1e12:.4g} TFLOP/s, MFU {first.mfu:.0%}")
    tell(f"{'model':<16}{'parameters':>12}{'tokens':>9}{'GiB':>8}{'keep':>6}{'recompute':>11}{'tokens/s':>10}  time")
    for row in found:
        keep, again = row.memory
        need = (keep if row.activations == "keep" else again).total / GIB
        time = shown_time(row.days) if row.fits else "no room"
        tell(
            f"{row.name:<16}{row.parameters / 1e6:>10,.0f} M{row.tokens / 1e9:>7,.1f} B{need:>8.1f}"
            f"{keep.largest:>6}{again.largest:>11}{row.tokens_per_second:>10,.0f}  {time}"
        )
    tell(f"GiB at micro-batch {first.memory[0].micro_batch}; keep, recompute: the largest micro-batch that fits")
    for row in found:
        tell(f"{row.name:<16}{row.verdict}")
