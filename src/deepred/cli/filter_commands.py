"""The commands of the sentence filter: measured on labels, drawn as a curve, applied to any text, its drops listed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from deepred.base.days import from_date
from deepred.base.errors import UserError
from deepred.cli.filter_text_commands import Preset, Threshold, text
from deepred.cli.options import (
    MOON,
    Answers,
    Cutoff,
    Data,
    Json,
    RunFile,
    Set,
    Workers,
    ask_model,
    built_folders,
    built_threshold,
    console,
    errors,
    open_pipeline,
    print_json,
)
from deepred.run.settings import Settings

if TYPE_CHECKING:
    from deepred.filter.measure.score import Trial

app = typer.Typer(
    help="The sentence filter by itself: measure it on labels, draw its curve, use it on any text, list its drops.",
    no_args_is_help=True,
)

Labels = Annotated[Path, typer.Option(metavar="FILE", help="Labelled paragraphs (JSONL): page_id, spans, labels.")]
ArticleFile = Annotated[Path, typer.Option(metavar="PARQUET", help="The articles that were labelled, whole.")]
Corpus = Annotated[
    Path | None,
    typer.Option(metavar="PARQUET", help="Articles to learn from, the labelled ones left out (default: --articles)."),
]
Strata = Annotated[Path | None, typer.Option(metavar="FILE", help="Each class's share of the corpus, for its weight.")]
PresetOption = Annotated[Preset, typer.Option("--preset", help="Operating point on the published curve.")]
Limit = Annotated[int, typer.Option(min=0, help="Articles of the corpus to learn from, drawn at random (0: all).")]
WorkFolder = Annotated[
    Path | None, typer.Option("--work", metavar="DIR", help="Where what was learned is kept (default: <data>/learned).")
]
SHARES = ("recall", "precision", "clean_kept", "residual", "kept")


def _trial(
    labels: Path,
    articles: Path,
    corpus: Path | None,
    strata: Path | None,
    preset: Preset,
    threshold: float | None,
    cutoff: datetime,
    limit: int,
) -> Trial:
    from deepred.filter.measure.score import Trial
    from deepred.run.config import Passages

    config = Passages(preset=preset, threshold=threshold)
    return Trial(labels, articles, corpus, strata, config, from_date(cutoff.date()), limit=limit)


def _measure(
    function: Callable[..., dict[str, Any]], trial: Trial, work: Path | None, data: Path | None, workers: int | None
) -> dict[str, Any]:
    """Call a function of ``filter`` with its trial, folder and work, its progress shown on stderr."""
    from deepred.run.progress import Display
    from deepred.run.stage import Work

    settings = Settings.from_environment(data, workers)
    display = Display(errors)
    with display.shown("filter"):
        return function(trial, work or settings.data / "learned", Work(settings, display))


@app.command()
def score(
    labels: Labels,
    articles: ArticleFile,
    corpus: Corpus = None,
    strata: Strata = None,
    preset: PresetOption = "balanced",
    threshold: Threshold = None,
    cutoff: Cutoff = MOON,
    limit: Limit = 0,
    in_sample: Annotated[
        bool, typer.Option("--in-sample", help="Learn from the labelled articles too: cross-fitted against not.")
    ] = False,
    work: WorkFolder = None,
    data: Data = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Measure the filter on labelled sentences: recall, precision, clean text kept, late sentences left.

    It learns from a corpus without the labelled articles (by page id, title and text), filters these whole, and counts
    a labelled sentence as dropped when more than half of it is gone. Intervals are 95%, by bootstrap over articles.
    """
    from deepred.filter.measure.score import compare_in_sample, score_filter

    trial = _trial(labels, articles, corpus, strata, preset, threshold, cutoff, limit)
    found = _measure(compare_in_sample if in_sample else score_filter, trial, work, data, workers)
    if as_json:
        print_json(found)
        return
    for name, report in found.items() if in_sample else [("", found)]:
        _print_scores(report, name)


def _print_scores(report: dict[str, Any], name: str) -> None:
    from rich.table import Table

    counts = report["sentences"]
    said = f"{counts['late']:,} late and {counts['clean']:,} clean sentences of {counts['articles']:,} articles"
    model = "" if report["model"] else "; too few dated sentences for a model: rules alone"
    title = f"{name + ': ' if name else ''}{said}, threshold {report['threshold']:g}{model}".replace("_", "-")
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    for column in ("%", *SHARES):
        table.add_column(column.replace("_", " "), justify="left" if column == "%" else "right", no_wrap=True)
    table.add_row("all", *(_interval(report[share]) for share in SHARES))
    for stratum, values in report["by_stratum"].items():
        table.add_row(escape(stratum), *(_interval(values[share]) for share in SHARES))
    for why, values in report["by_why"].items():
        table.add_row(escape(f"{why} ({values['late']:,})"), _interval(values))
    console.print(table, highlight=False)
    if not report["strata"]:
        errors.print("without --strata every paragraph weighs the same: the mix is that of the labels")


def _interval(share: dict[str, Any]) -> str:
    if share["value"] is None:
        return "–"
    return f"{100 * share['value']:.1f} [{100 * share['low']:.0f}–{100 * share['high']:.0f}]"


@app.command()
def curve(
    labels: Labels,
    articles: ArticleFile,
    corpus: Corpus = None,
    strata: Strata = None,
    cutoff: Cutoff = MOON,
    limit: Limit = 0,
    plot: Annotated[Path | None, typer.Option(metavar="FILE.png", help="Also draw it.")] = None,
    max_residual: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="Also name the threshold that leaves so many late sentences.")
    ] = None,
    work: WorkFolder = None,
    data: Data = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Show how much text stays, and how many late sentences with it, at every threshold; the presets are marked."""
    from rich.table import Table

    from deepred.filter.class_coverage import check_plot
    from deepred.filter.measure.curve import choose_point, curve_rows, draw_curve, plot_curve

    if plot:
        check_plot(plot)
    trial = _trial(labels, articles, corpus, strata, "balanced", None, cutoff, limit)
    found = _measure(draw_curve, trial, work, data, workers)
    chosen = choose_point(found, max_residual) if max_residual is not None else None
    if as_json:
        print_json(found | ({"chosen": chosen} if chosen else {}))
    else:
        table = Table(box=None, padding=(0, 1, 0, 0))
        for name in ("threshold", "preset", *SHARES):
            table.add_column(name.replace("_", " "), justify="left" if name == "preset" else "right", no_wrap=True)
        for row in curve_rows(found):
            table.add_row(*row, style="bold" if row[1] else "")
        console.print(table, highlight=False)
    if chosen and not as_json:
        said = f"keeps {chosen['kept']['value']:.1%} of the text, {_interval(chosen['residual'])} % of it late"
        console.print(f"threshold = {chosen['threshold']:g} {said}", highlight=False, markup=False)
    if plot:
        plot_curve(found, plot)


app.command()(text)


@app.command()
def look(
    run_file: RunFile,
    out: Answers,
    plan_only: Annotated[
        bool, typer.Option("--plan", help="Only state sentences, tokens, cost and time, after a few calls.")
    ] = False,
    overrides: Set = None,
    data: Data = None,
) -> None:
    """Ask the model of the section second_look about doubtful sentences; `passages.answers` then names its answers.

    Doubtful are sentences that no direct evidence decides and whose probability lies between `low` and `high`.
    """
    from deepred.filter.use.second_look import Built, look_again

    # passages without any answers: they would hide what they answer, and a file that grows must not change the key
    without = "passages.answers=[]"
    pipeline = open_pipeline(run_file, [*(overrides or []), without], data)
    run = pipeline.run
    config = run.second_look
    if config is None:
        raise UserError(f"{run_file} names no model", "add a section [second_look] with url and model")
    found = built_folders(pipeline, run_file, "articles", "emergence", "classes", "passages", without=without)
    threshold = built_threshold(pipeline, found["passages"])
    built = Built(**found, cutoff=from_date(run.cutoff), straddling=run.straddling, threshold=threshold, seed=run.seed)
    ask_model("filter look", partial(look_again, built, config=config), out, "passages", run_file, plan_only)


@app.command()
def drops(
    run_file: RunFile,
    reason: Annotated[
        str | None, typer.Option(help="Only of this reason: date, link, entity, term, context, class …")
    ] = None,
    title: Annotated[str | None, typer.Option(help="Only of the article with this title.")] = None,
    overrides: Set = None,
    data: Data = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON a sentence.")] = False,
) -> None:
    """List every sentence that a run's filter dropped, with its reason and probability; `| head` ends it early."""
    import orjson

    from deepred.filter.use.drops import ALL_REASONS, list_drops

    if reason is not None and reason not in ALL_REASONS:
        raise UserError(f"no sentence is dropped for {reason!r}", f"reasons: {', '.join(ALL_REASONS)}")
    pipeline = open_pipeline(run_file, overrides, data)
    built = built_folders(pipeline, run_file, "articles", "emergence", "passages")
    rows = list_drops(built["articles"], built["emergence"], built["passages"], reason=reason, title=title)
    target = sys.stdout.buffer
    try:
        for row in rows:
            if as_json:
                target.write(orjson.dumps(row) + b"\n")
                continue
            chance = "" if row["probability"] is None else f"{row['probability']:.2f}"
            said = " ".join(row["text"].split())
            line = f"{row['reason']:<10} {chance:<4}  {row['title']}: {said}\n"
            target.write(line.encode("utf-8", "replace"))
        target.flush()
    except BrokenPipeError:  # the reader (head, less) has enough
        sys.stderr.close()
