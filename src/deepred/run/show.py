"""What ``deepred show`` tells of a finished stage: its manifest in short, and samples of what it wrote and dropped."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deepred.base.errors import UserError
from deepred.base.tables import read_rows
from deepred.run.runner import Node, Pipeline, is_complete, read_manifest

SHOWN_CHARACTERS = 300
"""Characters of a value that are shown; longer ones end in an ellipsis."""


def inspect_stage(pipeline: Pipeline, node: Node, samples: int) -> dict[str, Any]:
    """The manifest of a finished node with its folder and samples of every table in it, as JSON."""
    folder = pipeline.folder(node)
    if not is_complete(folder):
        raise UserError(f"{node.name} of this run is not built yet", f"deepred run RUN.toml --until {node.stage.name}")
    return {"folder": str(folder), **read_manifest(folder), "samples": _samples(folder, samples), **_results(folder)}


def _results(folder: Path) -> dict[str, Any]:
    """What the stage found, where it wrote it as JSON of its own: gates, coverage, agreement."""
    paths = [folder / f"{name}.json" for name in ("gates", "coverage", "agreement")]
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths if path.is_file()}


def _samples(folder: Path, most: int) -> dict[str, list[dict[str, Any]]]:
    """What the stage itself drew as samples, by kept and dropped; else the first rows of each kind of table."""
    drawn = folder / "samples.jsonl"
    if drawn.is_file():
        with drawn.open(encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        kept = [row for row in rows if not row.get("reason")]
        dropped = [row for row in rows if row.get("reason")]
        return {"kept": kept[:most], "dropped": dropped[:most]}
    found: dict[str, list[dict[str, Any]]] = {}
    for kind in sorted({path.name.split("-")[0] for path in folder.glob("*.parquet")}):
        found[kind] = list(islice(read_rows(folder, f"{kind}*.parquet", batch=max(most, 1)), most))
    for path in sorted(folder.glob("*.jsonl")):
        with path.open(encoding="utf-8") as file:
            found[path.stem] = [json.loads(line) for line in islice(file, most)]
    return {kind: rows for kind, rows in found.items() if rows}


def print_stage(found: dict[str, Any], console: Console) -> None:
    """Print what ``inspect_stage`` found."""
    console.print(f"[bold]{found['stage']}[/] {found['arm']}  {escape(found['method'])}", highlight=False)
    console.print(f"{found['folder']}  {found['seconds']:.1f} s  commit {found['commit'][:12] or '-'}", highlight=False)
    counts = found["counts"]
    _print_table(console, "counts", counts["numbers"])
    _print_table(console, "dropped", counts["drops"])
    for name, tally in counts["tallies"].items():
        _print_table(console, name, dict(list(tally.items())[:20]))
    _print_table(console, "notes", {name: _shorten(value) for name, value in counts["notes"].items()})
    if "coverage" in found:
        print_coverage(found["coverage"], console)
    if "agreement" in found:
        print_agreement(found["agreement"], console)
    _print_table(console, "files", {name: f"{values['bytes']:,} bytes" for name, values in found["files"].items()})
    for kind, rows in found["samples"].items():
        console.print(f"\n[bold]{kind}[/]")
        for row in rows:
            for key, value in row.items():
                console.print(f"  {key}: {escape(_shorten(value))}", highlight=False, soft_wrap=True)
            console.print()


def _print_table(console: Console, title: str, values: dict[str, Any]) -> None:
    if not values:
        return
    table = Table(title=title, title_justify="left", show_header=False, box=None, padding=(0, 2))
    for name, value in values.items():
        table.add_row(escape(name), f"{value:,}" if isinstance(value, int) else escape(str(value)))
    console.print(table, highlight=False)


def print_coverage(coverage: dict[str, Any], console: Console) -> None:
    """Print the tables of ``coverage.json``: articles by deciding source and by era of first known, by class."""
    for key, title in (("by_source", "by source"), ("by_era", "by first known")):
        rows: dict[str, dict[str, int]] = coverage[key]
        table = Table(title=title, title_justify="left", box=None, padding=(0, 2))
        table.add_column("")
        for name in (*coverage["classes"], "all", "share"):
            table.add_column(name, justify="right")
        for name, row in [*rows.items(), ("all", coverage["classes"])]:
            total = sum(row.values())
            share = total / max(coverage["articles"], 1)
            table.add_row(
                name, *(f"{count:,}" if count else "·" for count in row.values()), f"{total:,}", f"{share:.1%}"
            )
        console.print(table, highlight=False)


def print_agreement(agreement: dict[str, Any], console: Console) -> None:
    """Print ``agreement.json``: how far a model's years are those of the other sources, in years, with intervals."""
    _print_table(console, "held out", agreement["held_out"])
    table = Table(title="within years", title_justify="left", box=None, padding=(0, 1))
    for name in ("", "compared", *agreement["years"]):
        table.add_column(str(name), justify="right" if name != "" else "left", no_wrap=True)
    for question, values in agreement["questions"].items():
        shares = [f"{s['share']:.0%} [{s['low']:.0%}, {s['high']:.0%}]" for s in values["within"] if values["compared"]]
        table.add_row(question, f"{values['compared']:,}", *shares)
    console.print(table, highlight=False)


def _shorten(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + " …"
