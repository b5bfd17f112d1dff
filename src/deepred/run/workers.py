"""``map_shards``: one function over named shards, in processes, skipping the shards that are already there."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection
from pathlib import Path
from typing import Any

from deepred.base.counts import Counts
from deepred.base.errors import FaultError
from deepred.base.files import write_text

DONE = ".shards"
"""Folder of finished shards' counts inside an unfinished stage."""

ShardFunction = Callable[[Any, Path], Counts]
Report = Callable[[Counts, int, int | None], None]


def map_shards(
    function: ShardFunction, shards: Sequence[tuple[str, Any]], out: Path, workers: int, report: Report
) -> Counts:
    """Run ``function(argument, folder)`` once per shard that is not there yet; see ``Work.map_shards``."""
    names = [name for name, _ in shards]
    if len(set(names)) != len(names):
        raise FaultError(f"shard names are not unique: {sorted(names)}")
    done = out / DONE
    done.mkdir(parents=True, exist_ok=True)
    missing = [(name, argument) for name, argument in shards if not (done / f"{name}.json").exists()]
    shown = Counts()
    finished = 0
    for name in names:
        if (done / f"{name}.json").exists():
            shown.merge(_read_counts(done, name))
            finished += 1
    report(shown, finished, len(shards))
    runs = _run_here if workers <= 1 or len(missing) <= 1 else _run_in_processes
    for counts in runs(function, missing, out, workers):
        shown.merge(counts)
        finished += 1
        report(shown, finished, len(shards))
    total = Counts()
    for name in names:
        total.merge(_read_counts(done, name))
    return total


def _run_here(function: ShardFunction, shards: Sequence[tuple[str, Any]], out: Path, workers: int) -> Iterator[Counts]:
    for name, argument in shards:
        yield run_shard(function, name, argument, out)


def _run_in_processes(
    function: ShardFunction, shards: Sequence[tuple[str, Any]], out: Path, workers: int
) -> Iterator[Counts]:
    # spawn, not fork: the parent runs a display thread, and a forked copy of its locks can hang
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(shards)), mp_context=context, initializer=_prepare_worker)
    try:
        pending: set[Future[Counts]] = set()
        queue = iter(shards)
        for name, argument in queue:
            pending.add(pool.submit(run_shard, function, name, argument, out))
            if len(pending) < 2 * workers:
                continue
            finished, pending = wait(pending, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in finished)
        while pending:
            finished, pending = wait(pending, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in finished)
    except BrokenProcessPool:
        raise FaultError(
            "a worker process died, most often because memory ran out", "run again with fewer --workers"
        ) from None
    except BaseException:
        for process in list(getattr(pool, "_processes", {}).values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _prepare_worker() -> None:
    """Leave Ctrl-C to the parent, die with it, and keep numeric libraries from a thread per core in every worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=die_with_parent, daemon=True).start()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"):
        os.environ.setdefault(name, "1")


def die_with_parent() -> None:
    """End this worker as soon as its parent is gone (kill -9), so that nothing goes on writing behind the next run."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def run_shard(function: ShardFunction, name: str, argument: Any, out: Path) -> Counts:
    """Run one shard in a folder of its own, move its files to ``out``, and record its counts last."""
    folder = out / DONE / f"{name}.partial"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    counts = function(argument, folder)
    for path in sorted(folder.iterdir()):
        path.replace(out / path.name)
    folder.rmdir()
    record = out / DONE / f"{name}.json"
    write_text(record, json.dumps(counts.to_json(most=1_000_000)))
    return counts


def _read_counts(done: Path, name: str) -> Counts:
    return Counts.from_json(json.loads((done / f"{name}.json").read_text(encoding="utf-8")))
