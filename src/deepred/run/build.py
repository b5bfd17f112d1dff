"""Whole runs: every node in order, the arms of a stage together where that is faster, those of several runs too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from deepred.run.build_together import Task, build_together
from deepred.run.runner import Node, Pipeline, announce_run, is_complete, remember_run
from deepred.run.stage import Progress, Work


def execute(pipeline: Pipeline, progress: Progress, until: str | None = None) -> None:
    """Build the nodes of a pipeline in order, up to and with the stage ``until``."""
    last = pipeline.node(until).stage.name if until else pipeline.nodes[-1].stage.name
    names = [node.stage.name for node in pipeline.nodes]
    _build([("", pipeline, pipeline.nodes[: len(names) - names[::-1].index(last)])], progress)


def execute_side_by_side(lines: Mapping[str, Pipeline], progress: Progress, only_for: Sequence[str]) -> None:
    """Build what some stages need in several pipelines of the same stages, by their labels.

    Stage by stage, so that what trains together fills all workers; what pipelines share is built once.
    """
    parts: list[tuple[str, Pipeline, list[Node]]] = []
    for label, pipeline in lines.items():
        needed = needed_for(pipeline, only_for)
        parts.append((label, pipeline, [node for node in pipeline.nodes if node.name in needed]))
    _build(parts, progress)


def _build(parts: Sequence[tuple[str, Pipeline, Sequence[Node]]], progress: Progress) -> None:
    for _, pipeline, wanted in parts:
        for node in wanted:
            pipeline.key(node)
        pipeline.require_sources(wanted)  # a wrong path is found before the first hour of work, not after
    for _, pipeline, wanted in parts:
        announce_run(pipeline, wanted)
    everything = [Task(pipeline, node, label) for label, pipeline, wanted in parts for node in wanted]
    for stage in dict.fromkeys(task.node.stage.name for task in everything):
        tasks = [task for task in everything if task.node.stage.name == stage]
        missing: dict[Path, Task] = {}
        for task in tasks:
            if not is_complete(task.folder):
                missing.setdefault(task.folder, task)
        if tasks[0].node.stage.together and tasks[0].pipeline.settings.together and len(missing) > 1:
            build_together(list(missing.values()), progress)
            tasks = [task for task in tasks if task.folder not in missing]
        for task in tasks:
            task.pipeline.build(task.node, Work(task.pipeline.settings, progress.line(task.label)))
    for _, pipeline, wanted in parts:
        remember_run(pipeline, wanted)


def needed_for(pipeline: Pipeline, stages: Sequence[str]) -> set[str]:
    """The names of the nodes of some stages, in all arms, and of all that these need."""
    needed: set[str] = set()
    ahead = [node for node in pipeline.nodes if node.stage.name in stages]
    while ahead:
        node = ahead.pop()
        if node.name not in needed:
            needed.add(node.name)
            ahead.extend(need for need in node.needs.values() if need is not None)
    return needed
