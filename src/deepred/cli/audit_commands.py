"""The commands that look behind the filter: the audit of what it kept, and when a word came up."""

from __future__ import annotations

import tempfile
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.markup import escape

from deepred.base.days import from_date
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

AUDITED = {"passages": "kept sentences", "examples": "answers of examples", "augment": "rewritten pieces"}
BAR = 48
"""Characters of the longest bar of a word's curve."""


def emergence(
    run_file: RunFile,
    word: Annotated[str, typer.Argument(help="A word, or a name.")],
    overrides: Set = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Tell when a word came up, by a run's dated sentences: its curve, its year, and its earliest uses."""
    from deepred.filter.use.word_history import tell_history

    pipeline = open_pipeline(run_file, overrides, data)
    built = built_folders(pipeline, run_file, "articles", "emergence")
    found = tell_history(word, built["articles"], built["emergence"])
    if as_json:
        print_json(found)
        return
    for line in _history_lines(found):
        tell(line)


def _history_lines(found: dict[str, Any]) -> list[str]:
    lines = [f"{found['word']}"]
    if found["since"] is not None:
        lines.append(f"hardly occurs before {found['since']} (confidence {found['confidence']:.3f})")
    elif found["dated_sentences"] is None:
        lines.append("no term: counted are single words, and pairs of capitalised ones")
    else:
        lines.append("unknown: too rare in dated sentences, or as old as they are")
    if found["dated_sentences"] is not None:
        lines.append(
            f"{found['dated_sentences']:,} dated and {found['undated_sentences']:,} undated sentences "
            f"(another word may count in its place: chance {found['shared']:.0%})"
        )
    for kind in ("name", "title"):
        if found[f"{kind}_known"]:
            lines.append(f"as a {kind} known from {found[f'{kind}_known']}")
    lines += _bars(found["decades"])
    if found["earliest"]:
        lines.append(f"earliest of {found['articles_scanned']:,} articles, by the sentences' own dates")
    lines += [f"{row['year']:>5}  {row['title']}: {' '.join(row['sentence'].split())}" for row in found["earliest"]]
    return lines


def _bars(decades: list[dict[str, Any]]) -> list[str]:
    """A line a decade; several empty ones in a row are one line."""
    lines: list[str] = []
    most = max((row["per_million"] for row in decades), default=0) or 1
    for empty, group in groupby(decades, key=lambda row: row["sentences"] == 0):
        rows = list(group)
        if empty and len(rows) > 2:
            lines.append(f"    … {len(rows)} decades without one")
            continue
        lines += [
            f"{row['decade']:>5}s {'█' * round(BAR * row['per_million'] / most):<{BAR}} {row['sentences']:>7,}"
            f" {row['per_million']:>9,.0f} per million"
            for row in rows
        ]
    return lines


def audit(
    run_file: RunFile,
    of: Annotated[
        Literal["passages", "examples", "augment"],
        typer.Option(help="What is audited: kept sentences, answers to train on, or text that a teacher rewrote."),
    ] = "passages",
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the sheet goes (default: <data>/sheets/RUN-OF).")
    ] = None,
    sample: Annotated[int | None, typer.Option(min=1, help="Sentences to draw (default: the run's).")] = None,
    labels: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="A labelled sheet (JSONL); repeatable.")
    ] = None,
    overrides: Set = None,
    data: Data = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Draw a sheet of sentences to label (sheet.html, sheet.jsonl), and state how many are late from its labels."""
    from deepred.filter.measure.audit import write_audit
    from deepred.filter.measure.label_sheet import read_labels

    pipeline = open_pipeline(run_file, overrides, data, workers)
    size = sample or pipeline.run.audit.sample
    drawn, evidence, known = _draw(pipeline, run_file, of, size)
    given = read_labels([*pipeline.sources(pipeline.node("audit")).get("labels", []), *(labels or [])])
    folder = out or pipeline.settings.data / "sheets" / f"{pipeline.run.name}-{of}"
    folder.mkdir(parents=True, exist_ok=True)
    title = f"{pipeline.run.name}: {AUDITED[of]}"
    result = write_audit(drawn, evidence, known | given, from_date(pipeline.run.cutoff), folder, title)
    if as_json:
        print_json(result | {"evidence": evidence["evidence"], "sheet": str(folder / "sheet.html")})
        return
    _print_audit(result, evidence)
    console.print(f"sheet  {folder / 'sheet.html'}", highlight=False, soft_wrap=True)
    if result["status"] != "labelled":
        mend = f"label it in a browser, download labels.jsonl, then: deepred audit {run_file} --of {of} --labels FILE"
        tell(mend)


def _draw(pipeline: Any, run_file: Path, of: str, size: int) -> tuple[list[dict[str, Any]], dict[str, Any], Any]:
    """The sample, the evidence, and labels known already: the stage's own where it drew as many, else drawn now."""
    from deepred.filter.measure.audit import audit_passages, read_audit
    from deepred.filter.measure.audit_examples import sample_augmented, sample_examples
    from deepred.run.progress import Display
    from deepred.run.runner import is_complete
    from deepred.run.stage import Work

    cutoff, seed = from_date(pipeline.run.cutoff), pipeline.run.seed
    if of != "passages":
        built = built_folders(pipeline, run_file, "emergence", of)
        sample = sample_examples if of == "examples" else sample_augmented
        return *sample(built[of], built["emergence"], cutoff, seed, size), {}
    finished = pipeline.folder(pipeline.node("audit"))
    if size == pipeline.run.audit.sample and is_complete(finished):
        return read_audit(finished)
    built = built_folders(pipeline, run_file, "articles", "emergence", "passages")
    # a run's gate is the stage's; here the sheet is drawn and stated, whatever it says
    config = pipeline.run.audit.model_copy(update={"sample": size, "require": False, "max_residual_bound": 1.0})
    display = Display(errors)
    with tempfile.TemporaryDirectory() as name, display.shown("audit"):
        audit_passages(
            **built, config=config, sources={}, cutoff=cutoff, seed=seed, out=Path(name),
            work=Work(pipeline.settings, display),
        )  # fmt: skip
        return read_audit(Path(name))


def _print_audit(result: dict[str, Any], evidence: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2))
    for name in ("stratum", "sentences", "labelled", "late", "share", "95% bound"):
        table.add_column(name, justify="left" if name == "stratum" else "right", no_wrap=True)
    for name, row in result["strata"].items():
        share = f"{row['late'] / row['labelled']:.1%}" if row["labelled"] else "–"
        bound = f"{row['low']:.1%} to {row['high']:.1%}" if row["labelled"] else "–"
        figures = (f"{row['sentences']:,}", f"{row['labelled']:,}", f"{row['late']:,}", share, bound)
        table.add_row(escape(name), *figures)
    residual = result["residual"]
    if residual:
        bound = f"{residual['low']:.1%} to {residual['high']:.1%}"
        total = sum(row["sentences"] for row in result["strata"].values())
        late = sum(row["late"] for row in result["strata"].values())
        figures = (f"{total:,}", f"{result['labelled']:,}", f"{late:,}", f"{residual['estimate']:.1%}", bound)
        table.add_row("all, by size", *figures, style="bold")
    console.print(table, highlight=False)
    console.print(f"status {result['status']}", highlight=False)
    found = ", ".join(f"{name} {count:,}" for name, count in evidence["evidence"].items())
    console.print(f"evidence among all of them: {found or 'none'}", highlight=False)
