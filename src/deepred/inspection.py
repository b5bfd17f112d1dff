"""What ``deepred show`` tells of a finished stage: its manifest in short, and samples of what it wrote and dropped."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deepred.documents import read_rows
from deepred.errors import UserError
from deepred.runner import Node, Pipeline, is_complete, read_manifest

SHOWN_CHARACTERS = 300
"""Characters of a value that are shown; longer ones end in an ellipsis."""


def inspect_stage(pipeline: Pipeline, node: Node, samples: int) -> dict[str, Any]:
    """The manifest of a finished node with its folder and samples of every table in it, as JSON."""
    folder = pipeline.folder(node)
    if not is_complete(folder):
        raise UserError(f"{node.name} of this run is not built yet", f"deepred run RUN.toml --until {node.stage.name}")
    return {"folder": str(folder), **read_manifest(folder), "samples": _samples(folder, samples), **_gates(folder)}


def _gates(folder: Path) -> dict[str, Any]:
    path = folder / "gates.json"
    return {"gates": json.loads(path.read_text(encoding="utf-8"))} if path.is_file() else {}


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


def _shorten(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + " …"
