"""Any Parquet of articles dated and classed, with no run file: the road from ``articles`` to ``classes``."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

from deepred.pipeline import STAGES
from deepred.run.build import execute
from deepred.run.config import Articles, Facts, Run
from deepred.run.runner import Pipeline
from deepred.run.settings import Settings
from deepred.run.stage import MANIFEST, Progress
from deepred.run.unfinished import standalone
from deepred.sources.wiki.plain_articles import check_file

ROAD = "road"
"""Folder below the unfinished output in which the stages work; a run that was interrupted goes on from there."""
KEPT = ("dates", "classes")
"""Stages whose files are the result."""


def classify_parquet(
    file: Path, out: Path, *, cutoff: date, wikidata: list[Path], settings: Settings, display: Progress
) -> None:
    """Write ``dates-*.parquet``, ``classes-*.parquet`` and ``coverage.json`` of a Parquet of articles into ``out``.

    ``UserError`` where the file is no Parquet, or lacks the columns page_id, title and text.
    """
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
