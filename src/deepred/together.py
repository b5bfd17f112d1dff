"""The arms of a stage, built at the same time in processes of their own, as many as there are workers.

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
from dataclasses import dataclass, field, replace
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from typing import Any

from deepred.config import Run
from deepred.errors import DeepRedError, FaultError
from deepred.runner import Node, Pipeline
from deepred.settings import Settings
from deepred.shardmap import die_with_parent
from deepred.stage import Counts, Progress, Stage, Work

Message = tuple[str, str, tuple[Any, ...]]
"""A child's name, what it reports (a method of ``Progress``, ``end`` or ``error``), and the arguments."""

POLL_SECONDS = 0.2
UPDATE_SECONDS = 0.5
"""Least time between two progress messages of a child: the training step must not wait for the display."""
STOP_SECONDS = 30.0
"""How long children may take to write their checkpoints when the parent is stopped."""


def build_together(pipeline: Pipeline, nodes: list[Node], progress: Progress) -> None:
    """Build nodes at the same time, as many as there are workers; raises the first error after all have ended.

    A node that needs another of them begins when that one has ended, and not at all where it failed.
    """
    settings = pipeline.settings
    lines = max(1, min(settings.workers, len(nodes)))
    share = replace(settings, workers=1, threads=settings.threads or max(1, settings.workers // lines))
    context = multiprocessing.get_context("spawn")  # a fork would copy the display's locks
    messages: Queue[Message] = context.Queue()
    arms = _Arms(
        nodes,
        {
            node.name: context.Process(
                target=_build, args=(pipeline.run, pipeline.stages, share, node.name, messages), daemon=True
            )
            for node in nodes
        },
        {node.name: progress.line() for node in nodes},
        lines,
    )
    try:
        arms.follow(messages)
    except BaseException:
        stop(arms.children)
        raise
    if arms.errors:
        raise arms.errors[0]


@dataclass
class _Arms:
    """The children of a batch: which wait, which run, which have ended and how."""

    nodes: list[Node]
    children: dict[str, BaseProcess]
    lines: dict[str, Progress]
    limit: int
    started: set[str] = field(default_factory=set[str])
    ended: set[str] = field(default_factory=set[str])
    failed: set[str] = field(default_factory=set[str])
    errors: list[DeepRedError] = field(default_factory=list[DeepRedError])

    def follow(self, messages: Queue[Message]) -> None:
        """Start children as there is room, and show what they report until all have ended."""
        self._start()
        while len(self.ended) < len(self.nodes):
            try:
                name, kind, values = messages.get(timeout=POLL_SECONDS)
            except queue.Empty:
                for name in sorted(self.started - self.ended):
                    if self.children[name].exitcode is not None:
                        self.lines[name].finish("stopped", 0.0, None)
                        self._end(name, FaultError(f"{name}: its process died, most often because memory ran out"))
                continue
            if kind == "error":
                self._end(name, values[0])
            elif kind == "end":
                self._end(name, None)
            else:
                getattr(self.lines[name], kind)(*values)

    def _end(self, name: str, error: DeepRedError | None) -> None:
        self.ended.add(name)
        if error is not None:
            self.failed.add(name)
            self.errors.append(error)
        self._start()

    def _start(self) -> None:
        """Start what may run now; what needs a failed node ends without having begun."""
        for node in self.nodes:
            needed = {need.name for need in node.needs.values() if need is not None} & self.children.keys()
            if node.name in self.started:
                continue
            if needed & self.failed:
                self.started.add(node.name)
                self.ended.add(node.name)
                self.failed.add(node.name)
            elif needed <= self.ended and len(self.started - self.ended) < self.limit:
                self.started.add(node.name)
                self.children[node.name].start()


def stop(children: dict[str, BaseProcess]) -> None:
    """Ask children to end, give them time for their checkpoints, and end those that do not."""
    running = [child for child in children.values() if child.pid is not None]
    for child in running:
        child.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for child in running:
        child.join(max(0.0, deadline - time.monotonic()))
        if child.exitcode is None:
            child.kill()


class Messenger:
    """Progress as messages to the parent."""

    def __init__(self, name: str, messages: Queue[Message]) -> None:
        self.name = name
        self.messages = messages
        self.sent = 0.0

    def start(self, stage: str, arm: str, total: int | None) -> None:
        """Pass it on."""
        self.messages.put((self.name, "start", (stage, arm, total)))

    def update(self, counts: Counts, done: int, total: int | None, note: str) -> None:
        """Pass it on, if the last one is long enough ago."""
        if time.monotonic() - self.sent >= UPDATE_SECONDS:
            self.sent = time.monotonic()
            self.messages.put((self.name, "update", (counts, done, total, note)))

    def finish(self, state: str, seconds: float, counts: Counts | None) -> None:
        """Pass it on."""
        self.messages.put((self.name, "finish", (state, seconds, counts)))

    def line(self) -> Progress:
        """Itself."""
        return self


def _build(
    run: Run,
    stages: tuple[Stage, ...],
    settings: Settings,
    name: str,
    messages: Queue[Message],
) -> None:
    """A child's whole life: build one node, and say how it ended."""
    threading.Thread(target=die_with_parent, daemon=True).start()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the parent's word to stop; a stage may catch it
    messenger = Messenger(name, messages)
    try:
        pipeline = Pipeline(run, stages, settings)
        pipeline.build(pipeline.node(name), Work(settings, messenger))
        messages.put((name, "end", ()))
    except DeepRedError as error:
        messages.put((name, "error", (error,)))
    except KeyboardInterrupt:
        messages.put((name, "end", ()))  # the parent is stopping too, and says so
    except Exception as error:
        messages.put((name, "error", (FaultError(f"{name}: {type(error).__name__}: {error}"),)))
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the parent may end first and stop what still tidies up: in silence
