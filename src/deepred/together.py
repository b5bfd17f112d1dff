"""The arms of a stage, built at the same time in processes of their own.

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
from dataclasses import replace
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
    """Build nodes that do not need each other at the same time; raises the first error after all have ended."""
    settings = pipeline.settings
    share = replace(settings, workers=1, threads=settings.threads or max(1, settings.workers // len(nodes)))
    context = multiprocessing.get_context("spawn")  # a fork would copy the display's locks
    messages: Queue[Message] = context.Queue()
    lines = {node.name: progress.line() for node in nodes}
    children: dict[str, BaseProcess] = {
        node.name: context.Process(
            target=_build, args=(pipeline.run, pipeline.stages, share, node.name, messages), daemon=True
        )
        for node in nodes
    }
    for child in children.values():
        child.start()
    try:
        errors = _follow(children, lines, messages)
    except BaseException:
        _stop(children)
        raise
    if errors:
        raise errors[0]


def _follow(
    children: dict[str, BaseProcess], lines: dict[str, Progress], messages: Queue[Message]
) -> list[DeepRedError]:
    """Show what the children report until all have ended; returns their errors."""
    errors: list[DeepRedError] = []
    ended: set[str] = set()
    while len(ended) < len(children):
        try:
            name, kind, values = messages.get(timeout=POLL_SECONDS)
        except queue.Empty:
            for name, child in children.items():
                if name not in ended and child.exitcode is not None:
                    ended.add(name)
                    lines[name].finish("stopped", 0.0, None)
                    errors.append(FaultError(f"{name}: its process died, most often because memory ran out"))
            continue
        if kind == "error":
            errors.append(values[0])
            ended.add(name)
        elif kind == "end":
            ended.add(name)
        else:
            getattr(lines[name], kind)(*values)
    return errors


def _stop(children: dict[str, BaseProcess]) -> None:
    for child in children.values():
        child.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for child in children.values():
        child.join(max(0.0, deadline - time.monotonic()))
        if child.exitcode is None:
            child.kill()


class _Messenger:
    """Progress as messages to the parent."""

    def __init__(self, name: str, messages: Queue[Message]) -> None:
        self.name = name
        self.messages = messages
        self.sent = 0.0

    def start(self, stage: str, arm: str, total: int | None) -> None:
        self.messages.put((self.name, "start", (stage, arm, total)))

    def update(self, counts: Counts, done: int, total: int | None, note: str) -> None:
        if time.monotonic() - self.sent >= UPDATE_SECONDS:
            self.sent = time.monotonic()
            self.messages.put((self.name, "update", (counts, done, total, note)))

    def finish(self, state: str, seconds: float, counts: Counts | None) -> None:
        self.messages.put((self.name, "finish", (state, seconds, counts)))

    def line(self) -> Progress:
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
    messenger = _Messenger(name, messages)
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
