"""What a stage may leave behind in its process, and that it does not: every stage starts from the same state.

A stage that was interrupted and goes on in a new process must give the bytes of one that ran behind its neighbours. So
the runner states the random generators before each stage, and puts back what a stage changed: environment, folder,
handlers of signals, garbage collection, and, where they were loaded before, the generators of NumPy and PyTorch with
PyTorch's threads, precision and default type. A stage that computes with PyTorch states these itself
(``train/device.py``), as it may be the first that loads it.
"""

from __future__ import annotations

import gc
import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

STATED_SEED = 0
"""Of the global generators; a stage that draws uses generators of its own, made from the run's seed."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stated() -> Generator[None]:
    """Run a stage from the stated state, and put back what it changes."""
    put_back = [*_python_state(), *_numpy_state(), *_torch_state()]
    try:
        yield
    finally:
        for undo in put_back:
            undo()


def _python_state() -> Generator[Callable[[], Any]]:
    environment, folder, thresholds, enabled = dict(os.environ), Path.cwd(), gc.get_threshold(), gc.isenabled()
    drawn = random.getstate()
    random.seed(STATED_SEED)
    yield lambda: random.setstate(drawn)
    yield lambda: _restore_environment(environment)
    yield lambda: _return_to(folder)
    yield lambda: gc.set_threshold(*thresholds)
    yield gc.enable if enabled else gc.disable
    if threading.current_thread() is threading.main_thread():  # no other thread may set handlers
        for number in _SIGNALS:
            if (handler := signal.getsignal(number)) is not None:
                yield lambda number=number, handler=handler: signal.signal(number, handler)


def _restore_environment(before: dict[str, str]) -> None:
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update({name: value for name, value in before.items() if os.environ.get(name) != value})


def _return_to(folder: Path) -> None:
    with suppress(OSError):  # it may be gone
        if Path.cwd() != folder:
            os.chdir(folder)


def _numpy_state() -> Generator[Callable[[], Any]]:
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        drawn = numpy.random.get_state()
        numpy.random.seed(STATED_SEED)
        yield lambda: numpy.random.set_state(drawn)


def _torch_state() -> Generator[Callable[[], Any]]:
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "get_num_threads"):
        return
    threads, precision, kind = torch.get_num_threads(), torch.get_float32_matmul_precision(), torch.get_default_dtype()
    drawn = torch.get_rng_state()
    torch.manual_seed(STATED_SEED)
    yield lambda: torch.set_rng_state(drawn)
    yield lambda: torch.set_num_threads(threads)
    yield lambda: torch.set_float32_matmul_precision(precision)
    yield lambda: torch.set_default_dtype(kind)
