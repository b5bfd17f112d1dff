"""The commands about dates: why an article is what it is, any Parquet classified, a model asked for missing dates."""

from __future__ import annotations

import json
import shutil
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepred.base.errors import UserError
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
    console,
    errors,
    open_pipeline,
    print_json,
    tell,
)
from deepred.run.settings import Settings

if TYPE_CHECKING:
    from deepred.run.stage import Progress

ROAD = "road"
"""Folder below the unfinished output of ``classify`` in which stages work; a run that was interrupted goes on there."""
KEPT = ("dates", "classes")
"""Stages whose files are the result of ``classify``."""


def why(
    run_file: RunFile,
    title: Annotated[str, typer.Argument(help="The article's title, or a redirect to it.")],
    overrides: Set = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Tell why an article is in the corpus or not: its dates, class, evidence, and sentences kept and dropped."""
    from deepred.filter.use.why_article import Folders, explain_article, format_explanation
    from deepred.run.runner import is_complete

    pipeline = open_pipeline(run_file, overrides, data)
    built = built_folders(pipeline, run_file, "articles", "dates", "classes")
    folder = pipeline.folder(pipeline.node("passages"))
    passages = folder if is_complete(folder) else None
    found = explain_article(title, Folders(built["articles"], built["dates"], built["classes"], passages))
    if as_json:
        print_json({"cutoff": str(pipeline.run.cutoff), **found})
        return
    for line in format_explanation(found):
        tell(line)


def classify(
    file: Annotated[Path, typer.Argument(metavar="FILE.parquet", help="Articles: page_id, title, text.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="A new folder for dates-*.parquet, classes-*.parquet.")],
    cutoff: Cutoff = MOON,
    wikidata: Annotated[
        list[Path] | None, typer.Option(metavar="DUMP", help="A Wikidata dump to join; repeatable.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Also draw articles by decade and class.")
    ] = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Date and class any Parquet of articles, with no run file: as a run would, up to its stage `classes`.

    Links, categories and infobox dates are read where the file has them, in the form that `deepred extract` writes.
    """
    from deepred.filter.class_coverage import check_plot, plot_coverage
    from deepred.run.progress import Display
    from deepred.run.show import print_coverage

    if plot:
        check_plot(plot)
    settings = Settings.from_environment(workers=workers)
    classify_parquet(
        file, out, cutoff=cutoff.date(), wikidata=wikidata or [], settings=settings, display=Display(errors)
    )
    coverage = json.loads((out / "coverage.json").read_text(encoding="utf-8"))
    if as_json:
        print_json(coverage)
    else:
        print_coverage(coverage, console)
    if plot:
        plot_coverage(coverage, plot)


def classify_parquet(
    file: Path, out: Path, *, cutoff: date, wikidata: list[Path], settings: Settings, display: Progress
) -> None:
    """Write ``dates-*.parquet``, ``classes-*.parquet`` and ``coverage.json`` of a Parquet of articles into ``out``.

    ``UserError`` where the file is no Parquet, or lacks the columns page_id, title and text.
    """
    from deepred.pipeline import STAGES
    from deepred.run.build import execute
    from deepred.run.config import Articles, Facts, Run
    from deepred.run.runner import Pipeline
    from deepred.run.stage import MANIFEST
    from deepred.run.unfinished import standalone
    from deepred.sources.wiki.plain_articles import check_file

    check_file(file)
    run = Run(
        name="classify",
        cutoff=cutoff,
        arms=["filtered"],
        articles=Articles(plain=[str(file)]),
        facts=Facts(wikidata=[str(path) for path in wikidata]),
    )
    about = {"stage": "classify", "source": str(file), "cutoff": str(cutoff), "wikidata": [str(p) for p in wikidata]}
    with standalone(out, about) as folder:
        road = folder / ROAD
        pipeline = Pipeline(run, STAGES, Settings(data=road, samples=settings.samples, workers=settings.workers))
        execute(pipeline, display, "classes")
        for stage in KEPT:
            for path in pipeline.folder(pipeline.node(stage)).iterdir():
                if path.name != MANIFEST:
                    shutil.copyfile(path, folder / path.name)  # not moved: an interruption here finds it all again
        shutil.rmtree(road)


def date_llm(
    run_file: RunFile,
    out: Answers,
    plan_only: Annotated[
        bool, typer.Option("--plan", help="Only state articles, tokens, cost and time, after a few calls.")
    ] = False,
    overrides: Set = None,
    data: Data = None,
) -> None:
    """Ask the model of the section llm for the dates of undated articles; `dates.answers` then names its answers.

    It also dates a random sample of dated articles: how far it agrees stands in the stage's `agreement.json`.
    """
    from deepred.dating.by_model.ask_dates import date_undated

    # dates without any model's: its own answers must not measure it, and a file that grows must not change the key
    without = "dates.answers=[]"
    pipeline = open_pipeline(run_file, [*(overrides or []), without], data)
    config = pipeline.run.llm
    if config is None:
        raise UserError(f"{run_file} names no model", "add a section [llm] with url and model")
    built = built_folders(pipeline, run_file, "articles", "dates", without=without)
    ask = partial(date_undated, built["articles"], built["dates"], config=config, seed=pipeline.run.seed)
    ask_model("date-llm", ask, out, "dates", run_file, plan_only)
