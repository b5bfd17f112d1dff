"""The arms of a stage, of one run or of several, built at the same time in as many processes as there are workers.

Small models train on one thread each, so that on a CPU two arms on two cores take the time of one. The parent gives the
workers one node after another, shows their progress and passes on the first error; a worker that is told to stop writes
its checkpoint first, and dies with its parent.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Any

from deepred.base.errors import DeepRedError, FaultError, explained
from deepred.run.config import Run
from deepred.run.runner import Node, Pipeline
from deepred.run.settings import Settings
from deepred.run.stage import Counts, Progress, Stage, Work
from deepred.run.workers import die_with_parent

Message = tuple[str, str, tuple[Any, ...]]
"""A node's key, what its worker reports (a method of ``Progress``, ``end`` or ``error``), and the arguments."""

UPDATE_SECONDS = 0.5
"""Least time between two progress messages of a worker: the training step must not wait for the display."""
STOP_SECONDS = 30.0
"""How long workers may take to write their checkpoints when the parent is stopped."""


@dataclass(frozen=True)
class Order:
    """A node as a worker is told to build it."""

    run: Run
    stages: tuple[Stage, ...]
    settings: Settings
    name: str
    key: str


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
        """What it is known by between parent and worker."""
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
    waiting = {task.key: task.needs & {other.key for other in tasks} for task in tasks}
    first = sorted(tasks, key=lambda task: bool(waiting[task.key]))  # what waits is begun last
    batch = _Batch({task.key: task for task in first}, waiting, progress, lines, share)
    try:
        batch.follow()
    except BaseException:
        stop(worker.process for worker in batch.hired)
        raise
    if batch.errors:
        raise batch.errors[0]


CONTEXT = multiprocessing.get_context("spawn")  # a fork would copy the display's locks


class _Worker:
    """A process that builds one node after another, so that it imports PyTorch once."""

    def __init__(self) -> None:
        self.orders: SimpleQueue[Order | None] = CONTEXT.SimpleQueue()
        # a pipe of its own: a queue that all share would stay locked where one dies while it writes
        self.messages, sender = CONTEXT.Pipe(duplex=False)
        self.process: BaseProcess = CONTEXT.Process(target=_work, args=(self.orders, sender), daemon=True)
        self.process.start()
        sender.close()  # so that the pipe ends with the process


@dataclass
class _Batch:
    """What there is to build: which nodes wait, which are being built, which have ended and how."""

    tasks: dict[str, Task]
    waiting: dict[str, set[str]]
    """Those of the batch that each needs."""
    progress: Progress
    limit: int
    settings: Settings
    """Of each worker."""
    hired: list[_Worker] = field(default_factory=list[_Worker])
    idle: list[_Worker] = field(default_factory=list[_Worker])
    building: dict[str, _Worker] = field(default_factory=dict[str, _Worker])
    lines: dict[str, Progress] = field(default_factory=dict[str, Progress])
    ended: set[str] = field(default_factory=set[str])
    failed: set[str] = field(default_factory=set[str])
    errors: list[DeepRedError] = field(default_factory=list[DeepRedError])

    def follow(self) -> None:
        """Give out nodes as there is room, and show what the workers report until all have ended."""
        self._give_out()
        while len(self.ended) < len(self.tasks):
            ready = wait([worker.messages for worker in self.building.values()])
            for key, worker in [(key, one) for key, one in self.building.items() if one.messages in ready]:
                try:
                    _, kind, values = worker.messages.recv()
                except (EOFError, OSError):
                    self._bury(key)
                    continue
                if kind in ("end", "error"):
                    self.idle.append(self.building.pop(key))
                    self._end(key, values[0] if values else None)
                else:
                    getattr(self.lines[key], kind)(*values)
        for worker in self.idle:
            worker.orders.put(None)
        for worker in self.idle:
            worker.process.join()

    def _bury(self, key: str) -> None:
        self.building.pop(key).process.join()
        self.lines[key].finish("stopped", 0.0, None)
        name = self.tasks[key].node.name
        self._end(key, FaultError(f"{name}: its process died, most often because memory ran out"))

    def _end(self, key: str, error: DeepRedError | None) -> None:
        self.ended.add(key)
        if error is not None:
            self.failed.add(key)
            self.errors.append(error)
        self._give_out()

    def _give_out(self) -> None:
        """Begin what may be begun now; what needs a failed node ends without having begun."""
        for key in [one for one in self.tasks if one not in self.ended and one not in self.building]:
            needed = self.waiting[key]
            if needed & self.failed:
                self.ended.add(key)
                self.failed.add(key)
            elif needed <= self.ended and len(self.building) < self.limit:
                self._begin(key)

    def _begin(self, key: str) -> None:
        if not self.idle:
            self.hired.append(_Worker())
            self.idle.append(self.hired[-1])
        worker, task = self.idle.pop(), self.tasks[key]
        self.lines[key] = self.progress.line(task.label)
        self.building[key] = worker
        worker.orders.put(Order(task.pipeline.run, task.pipeline.stages, self.settings, task.node.name, key))


def stop(processes: Iterable[BaseProcess]) -> None:
    """Ask processes to end, give them time for their checkpoints, and end those that do not."""
    running = [process for process in processes if process.pid is not None]
    for process in running:
        process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in running:
        process.join(max(0.0, deadline - time.monotonic()))
        if process.exitcode is None:
            process.kill()


class Messenger(Progress):
    """Progress as messages to the parent."""

    def __init__(self, key: str, send: Callable[[Message], None]) -> None:
        self.key = key
        self.send = send
        self.sent = 0.0

    def start(self, stage: str, arm: str, total: int | None) -> None:
        """Pass it on."""
        self.send((self.key, "start", (stage, arm, total)))

    def update(self, counts: Counts, done: int, total: int | None, note: str) -> None:
        """Pass it on, if the last one is long enough ago."""
        if time.monotonic() - self.sent >= UPDATE_SECONDS:
            self.sent = time.monotonic()
            self.send((self.key, "update", (counts, done, total, note)))

    def finish(self, state: str, seconds: float, counts: Counts | None) -> None:
        """Pass it on."""
        self.send((self.key, "finish", (state, seconds, counts)))


def _work(orders: SimpleQueue[Order | None], sender: Connection) -> None:
    """A worker's whole life: build one node after another, and say how each ended."""
    threading.Thread(target=die_with_parent, daemon=True).start()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the parent's word to stop; a stage may catch it
    one_at_a_time = threading.Lock()

    def send(message: Message) -> None:
        with one_at_a_time:
            sender.send(message)

    try:
        while (order := orders.get()) is not None:
            send((order.key, *_build(order, Messenger(order.key, send))))
    except KeyboardInterrupt:
        pass  # the parent is stopping too, and says so
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the parent may end first and stop what still tidies up: in silence


def _build(order: Order, messenger: Messenger) -> tuple[str, tuple[Any, ...]]:
    """Build one node; how it ended."""
    try:
        pipeline = Pipeline(order.run, order.stages, order.settings)
        pipeline.build(pipeline.node(order.name), Work(order.settings, messenger))
    except DeepRedError as error:
        return "error", (error,)
    except Exception as error:
        return "error", (explained(error, order.name),)
    return "end", ()
