"""The arms of a stage, of one run or of several, built at the same time in processes of their own, one a worker.

Small models train on one thread each, so that on a CPU two arms on two cores take the time of one. The parent shows
their progress and passes on the first error; a child that is told to stop writes its checkpoint first, and dies with
its parent.
"""

from __future__ import annotations

import multiprocessing
import queue
import signal
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

from deepred.config import Run
from deepred.errors import DeepRedError, FaultError
from deepred.runner import Node, Pipeline
from deepred.settings import Settings
from deepred.shardmap import die_with_parent
from deepred.stage import Counts, Progress, Stage, Work, labelled

Message = tuple[str, str, tuple[Any, ...]]
"""A child's key, what it reports (a method of ``Progress``, ``end`` or ``error``), and the arguments."""

POLL_SECONDS = 0.2
UPDATE_SECONDS = 0.5
"""Least time between two progress messages of a child: the training step must not wait for the display."""
STOP_SECONDS = 30.0
"""How long children may take to write their checkpoints when the parent is stopped."""


@dataclass(frozen=True)
class Task:
    """A node to build."""

    pipeline: Pipeline
    node: Node
    label: str = ""
    """What tells its run from others on the display."""

    @property
    def folder(self) -> Path:
        """Where its output goes: two tasks with the same folder are the same work."""
        return self.pipeline.folder(self.node)

    @property
    def key(self) -> str:
        """What its process is known by."""
        return str(self.folder)

    @property
    def needs(self) -> set[str]:
        """The keys of what it reads."""
        return {str(self.pipeline.folder(need)) for need in self.node.needs.values() if need is not None}


def build_together(tasks: Sequence[Task], progress: Progress) -> None:
    """Build nodes at the same time, as many as there are workers; raises the first error after all have ended.

    A node that needs another of them begins when that one has ended, and not at all where it failed.
    """
    settings = tasks[0].pipeline.settings
    lines = max(1, min(settings.workers, len(tasks)))
    share = replace(settings, workers=1, threads=settings.threads or max(1, settings.workers // lines))
    context = multiprocessing.get_context("spawn")  # a fork would copy the display's locks
    messages: Queue[Message] = context.Queue()
    children: dict[str, BaseProcess] = {}
    for task in tasks:
        given = (task.pipeline.run, task.pipeline.stages, share, task.node.name, task.key, messages)
        children[task.key] = context.Process(target=_build, args=given, daemon=True)
    waiting = {task.key: task.needs & children.keys() for task in tasks}
    first = sorted(tasks, key=lambda task: bool(waiting[task.key]))  # what waits is begun last
    batch = _Batch({task.key: task for task in first}, waiting, children, progress, lines)
    try:
        batch.follow(messages)
    except BaseException:
        stop(children.values())
        raise
    if batch.errors:
        raise batch.errors[0]


@dataclass
class _Batch:
    """The children of a batch: which wait, which run, which have ended and how."""

    tasks: dict[str, Task]
    waiting: dict[str, set[str]]
    """Those of the batch that each needs."""
    children: dict[str, BaseProcess]
    progress: Progress
    limit: int
    lines: dict[str, Progress] = field(default_factory=dict[str, Progress])
    started: set[str] = field(default_factory=set[str])
    ended: set[str] = field(default_factory=set[str])
    failed: set[str] = field(default_factory=set[str])
    errors: list[DeepRedError] = field(default_factory=list[DeepRedError])

    def follow(self, messages: Queue[Message]) -> None:
        """Start children as there is room, and show what they report until all have ended."""
        self._start()
        while len(self.ended) < len(self.tasks):
            try:
                key, kind, values = messages.get(timeout=POLL_SECONDS)
            except queue.Empty:
                for key in sorted(self.started - self.ended):
                    if self.children[key].exitcode is not None:
                        self.lines[key].finish("stopped", 0.0, None)
                        name = self.tasks[key].node.name
                        self._end(key, FaultError(f"{name}: its process died, most often because memory ran out"))
                continue
            if kind == "error":
                self._end(key, values[0])
            elif kind == "end":
                self._end(key, None)
            else:
                getattr(self.lines[key], kind)(*values)

    def _end(self, key: str, error: DeepRedError | None) -> None:
        self.ended.add(key)
        if error is not None:
            self.failed.add(key)
            self.errors.append(error)
        self._start()

    def _start(self) -> None:
        """Start what may run now; what needs a failed node ends without having begun."""
        for key in [one for one in self.tasks if one not in self.started]:
            needed = self.waiting[key]
            if needed & self.failed:
                self.started.add(key)
                self.ended.add(key)
                self.failed.add(key)
            elif needed <= self.ended and len(self.started - self.ended) < self.limit:
                self.started.add(key)
                self.lines[key] = labelled(self.progress.line(), self.tasks[key].label)
                self.children[key].start()


def stop(children: Iterable[BaseProcess]) -> None:
    """Ask children to end, give them time for their checkpoints, and end those that do not."""
    running = [child for child in children if child.pid is not None]
    for child in running:
        child.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for child in running:
        child.join(max(0.0, deadline - time.monotonic()))
        if child.exitcode is None:
            child.kill()


class Messenger:
    """Progress as messages to the parent."""

    def __init__(self, key: str, messages: Queue[Message]) -> None:
        self.key = key
        self.messages = messages
        self.sent = 0.0

    def start(self, stage: str, arm: str, total: int | None) -> None:
        """Pass it on."""
        self.messages.put((self.key, "start", (stage, arm, total)))

    def update(self, counts: Counts, done: int, total: int | None, note: str) -> None:
        """Pass it on, if the last one is long enough ago."""
        if time.monotonic() - self.sent >= UPDATE_SECONDS:
            self.sent = time.monotonic()
            self.messages.put((self.key, "update", (counts, done, total, note)))

    def finish(self, state: str, seconds: float, counts: Counts | None) -> None:
        """Pass it on."""
        self.messages.put((self.key, "finish", (state, seconds, counts)))

    def line(self) -> Progress:
        """Itself."""
        return self


def _build(
    run: Run,
    stages: tuple[Stage, ...],
    settings: Settings,
    name: str,
    key: str,
    messages: Queue[Message],
) -> None:
    """A child's whole life: build one node, and say how it ended."""
    threading.Thread(target=die_with_parent, daemon=True).start()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the parent's word to stop; a stage may catch it
    messenger = Messenger(key, messages)
    try:
        pipeline = Pipeline(run, stages, settings)
        pipeline.build(pipeline.node(name), Work(settings, messenger))
        messages.put((key, "end", ()))
    except DeepRedError as error:
        messages.put((key, "error", (error,)))
    except KeyboardInterrupt:
        messages.put((key, "end", ()))  # the parent is stopping too, and says so
    except Exception as error:
        messages.put((key, "error", (FaultError(f"{name}: {type(error).__name__}: {error}"),)))
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the parent may end first and stop what still tidies up: in silence
