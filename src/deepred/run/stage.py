"""What a stage is: its row in the pipeline table, what it counts, and how it works by shards and shows progress.

A stage is a plain function with named inputs, its config section and an output folder. It is declared in
``pipeline.py`` by its ``module:function`` string with everything it may read; it receives that and nothing else, and
exactly that is hashed into its key (``runner.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from deepred.base.counts import Counts as Counts
from deepred.run.settings import Settings
from deepred.run.workers import map_shards

MANIFEST = "manifest.json"
LOGS = "logs"
"""Folder below a stage's output for what depends on the clock (speeds, times); listed, but no part of its hash."""


@dataclass(frozen=True)
class Stage:
    """A row of the pipeline table."""

    name: str
    version: int
    function: str
    """``module:function``."""
    method: str
    """What it does, in a line of the report."""
    needs: tuple[str, ...] = ()
    """Stages whose folders it reads; passed by name, None where the run file leaves an optional one out."""
    reads: tuple[str, ...] = ()
    """Config keys beside its own section: cutoff, straddling, seed, arm."""
    arms: tuple[str, ...] = ("filtered",)
    """Arms in which it differs; another arm uses ``filtered``'s output."""
    begins_with: tuple[tuple[str, str], ...] = ()
    """Arms that begin with another arm's output of this stage, passed as ``start``: (arm, the other arm)."""
    needs_all: bool = False
    """It reads every folder of the run, passed as ``outputs`` by ``stage`` or ``stage@arm``."""
    together: bool = False
    """Its arms may be built at the same time: each is one process's work, long, and small in memory."""
    resumes: bool = False
    """Its unfinished folder holds checkpoints of its own, to go on from; others keep finished shards only."""


class Progress(Protocol):
    """Where a stage's progress is shown: on a terminal (``Display``), to a parent process (``Messenger``), nowhere."""

    def start(self, stage: str, arm: str, total: int | None) -> None:
        """A stage begins."""

    def update(self, counts: Counts, done: int, total: int | None, note: str) -> None:
        """A stage has come this far."""

    def finish(self, state: str, seconds: float, counts: Counts | None) -> None:
        """A stage has ended: ``done``, ``there`` (nothing to do) or ``stopped``."""

    def line(self, label: str = "") -> Progress:
        """A further line, for a stage that works at the same time; the label tells its run from others."""
        return self


class Silent(Progress):
    """No progress display."""


@dataclass
class Work:
    """Where and how fast a stage runs: workers, device, progress. Nothing here may change a result."""

    settings: Settings
    progress: Progress = field(default_factory=Silent)

    def report(self, counts: Counts, done: int = 0, total: int | None = None, note: str = "") -> None:
        """Show progress: counts so far, units done of a total, and a short note (``loss 3.21  12,400 tok/s``)."""
        self.progress.update(counts, done, total, note)

    def map_shards(
        self, function: Callable[[Any, Path], Counts], shards: Sequence[tuple[str, Any]], out: Path
    ) -> Counts:
        """Run ``function(argument, folder)`` for every named shard and move what it writes in ``folder`` to ``out``.

        Shards that are already there are skipped. The function is called in processes of its own when there are
        several workers, so it and its argument must be picklable; names must be unique and their files too. Returns
        the merged counts, in the order of the shards whatever the number of workers.
        """
        return map_shards(function, shards, out, self.settings.workers, self.report)
