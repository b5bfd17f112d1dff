"""The twins of a run: all arms trained several times over, and compared on one page.

In: a run file's pipeline. Out: ``<data>/twins/<key>/`` with ``twins.html``, ``twins.md``, ``twins.json`` and
``twins.png``. In a run of the generated world every seed is another world; on real data every seed is another training
(initialisation and order) on the same text. Every stage that seeds share is built once, and what is there already is
not built again: the same command goes on after an interruption.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deepred.base.days import from_date
from deepred.evaluate.report.twins_page import write_twins
from deepred.evaluate.statistics import Resampling
from deepred.evaluate.twins import Pool, Training, compare_arms
from deepred.run.build import execute_side_by_side
from deepred.run.config import ARMS, Arm, Run
from deepred.run.runner import KEY_LENGTH, Pipeline, is_complete
from deepred.run.stage import Progress

FOLDER = "twins"
MEASURED = ("evaluate",)
"""Stages whose outputs are compared; what they do not need (fine-tuning, GGUF) is not built."""


def twin_runs(run: Run, seeds: int, arms: tuple[Arm, ...] = ARMS) -> Iterator[tuple[int, Run]]:
    """The runs of a twins comparison, each with its seed: other worlds, or other trainings on the same text."""
    for turn in range(seeds):
        pretrain = run.pretrain.model_copy(update={"tokens": run.twins.tokens or run.pretrain.tokens})
        update: dict[str, Any] = {"arms": list(arms), "pretrain": pretrain}
        if run.world is not None:
            seed = run.world.seed + turn
            update["world"] = run.world.model_copy(update={"seed": seed})
        else:
            first = run.seed if run.pretrain.seed is None else run.pretrain.seed
            seed = first + turn
            if turn:
                update["pretrain"] = pretrain.model_copy(update={"seed": seed})
        yield seed, run.model_copy(update=update | {"name": f"{run.name}-twin-{seed}"})


def twin_pipelines(pipeline: Pipeline, seeds: int, arms: tuple[Arm, ...] = ARMS) -> list[tuple[int, Pipeline]]:
    """The pipeline of every seed."""
    return [
        (seed, Pipeline(run, pipeline.stages, pipeline.settings)) for seed, run in twin_runs(pipeline.run, seeds, arms)
    ]


def build_twins(lines: list[tuple[int, Pipeline]], progress: Progress) -> None:
    """Build what is missing of every seed, all seeds at once."""
    execute_side_by_side({f"seed {seed}": line for seed, line in lines}, progress, MEASURED)


def compare_twins(pipeline: Pipeline, lines: list[tuple[int, Pipeline]]) -> tuple[dict[str, Any], Path]:
    """The comparison of built twins as JSON, and the folder in which its files lie."""
    run = pipeline.run
    pool = Pool(
        [Training.of(seed, built(line)) for seed, line in lines],
        run.world is not None,
        Resampling(run.evaluate.bootstrap, run.evaluate.confidence, run.seed),
        from_date(run.cutoff),
    )
    compared = compare_arms(pool, run.name)
    keys = [line.key(node) for _, line in lines for node in line.nodes if node.stage.name in MEASURED]
    key = hashlib.sha256(json.dumps([keys, run.evaluate.model_dump(mode="json")]).encode()).hexdigest()[:KEY_LENGTH]
    folder = pipeline.settings.data / FOLDER / key
    folder.mkdir(parents=True, exist_ok=True)
    compared["html"] = str(folder / "twins.html")
    write_twins(compared, folder)
    return compared, folder


def built(line: Pipeline) -> dict[str, Path]:
    """The finished folders of a pipeline by node, always with the arm's name: ``evaluate@filtered``."""
    return {
        f"{node.stage.name}@{node.arm}" if len(node.stage.arms) > 1 else node.stage.name: line.folder(node)
        for node in line.nodes
        if is_complete(line.folder(node))
    }
