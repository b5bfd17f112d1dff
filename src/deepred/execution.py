"""A whole run: every node in order, the arms of a stage together where that is faster."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from deepred.runner import Pipeline, is_complete, remember_run
from deepred.stage import Progress, Work
from deepred.together import build_together


def execute(
    pipeline: Pipeline, progress: Progress, until: str | None = None, *, only_for: Sequence[str] | None = None
) -> None:
    """Build the nodes of a pipeline in order: up to and with the stage ``until``, or what ``only_for`` stages need."""
    last = pipeline.node(until).stage.name if until else pipeline.nodes[-1].stage.name
    names = [node.stage.name for node in pipeline.nodes]
    wanted = pipeline.nodes[: len(names) - names[::-1].index(last)]
    if only_for is not None:
        needed = needed_for(pipeline, only_for)
        wanted = [node for node in wanted if node.name in needed]
    for node in wanted:
        pipeline.key(node)  # a wrong path is found before the first hour of work, not after
    work = Work(pipeline.settings, progress)
    for _, group in groupby(wanted, key=lambda node: node.stage.name):
        arms = list(group)
        missing = [node for node in arms if not is_complete(pipeline.folder(node))]
        if arms[0].stage.together and pipeline.settings.together and len(missing) > 1:
            build_together(pipeline, missing, progress)
            arms = [node for node in arms if node not in missing]
        for node in arms:
            pipeline.build(node, work)
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
