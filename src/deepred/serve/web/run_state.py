"""What the pages on the run show: how far its stages are, and its report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deepred.run.runner import Pipeline


def _nothing() -> list[dict[str, Any]]:
    return []


def _nowhere() -> Path | None:
    return None


@dataclass(frozen=True)
class Run:
    """A run, looked at anew with each page; its functions read files."""

    name: str = ""
    stages: Callable[[], list[dict[str, Any]]] = _nothing
    """The rows of ``deepred status``."""
    report: Callable[[], Path | None] = _nowhere
    """The HTML file of the finished report."""


def watch(pipeline: Pipeline) -> Run:
    """A run by its pipeline."""
    from deepred.run.runner import is_complete
    from deepred.run.status import node_status

    def stages() -> list[dict[str, Any]]:
        return [node_status(pipeline, node) for node in pipeline.nodes]

    def report() -> Path | None:
        node = pipeline.node("report")
        if pipeline.key(node, hash_files=False) is None:
            return None
        folder = pipeline.folder(node)
        return folder / "report.html" if is_complete(folder) else None

    return Run(pipeline.run.name, stages, report)
