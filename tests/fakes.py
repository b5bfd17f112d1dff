"""Stage functions of a few lines for the tests of the runner."""

import os
import signal
from pathlib import Path

from deepred.base.counts import Counts
from deepred.base.errors import UserError


def write_numbers(*, out, work, config=None, seed=1, arm=None, passages=None):
    """Four shards of numbers."""
    shards = [(f"{index:05d}", (index, seed)) for index in range(4)]
    return work.map_shards(_write_shard, shards, out)


def _write_shard(argument, folder):
    index, seed = argument
    kill = Path(os.environ.get("FAKE_KILL", "/nonexistent"))
    if index == 2 and kill.exists():
        kill.unlink()
        os.kill(os.getpid() if os.environ.get("FAKE_WORKER") else os.getppid(), signal.SIGKILL)
    counts = Counts()
    counts.add("documents", 10)
    counts.drop("odd", index)
    (folder / f"numbers-{index:05d}.txt").write_text(f"{index * seed}\n", encoding="utf-8")
    return counts


def fail_on_disk(*, out, work, config):
    """A disk that is full half-way."""
    (out / "half.txt").write_text("half", encoding="utf-8")
    raise OSError(28, "No space left on device", str(out / "more.txt"))


def stop_here(*, out, work, shards, config=None):
    """A stage that Ctrl-C stops."""
    raise KeyboardInterrupt


def copy_files(*, config, sources, out, work, world=None):
    """The names of the files it was given."""
    names = [f"{key} {path.name}" for key, paths in sources.items() for path in paths]
    (out / "names.txt").write_text("\n".join(names), encoding="utf-8")
    return Counts()


def list_outputs(*, outputs, config, cutoff, out, work):
    """The names of all folders of the run."""
    (out / "names.txt").write_text("\n".join(sorted(outputs)), encoding="utf-8")
    return Counts()


def train(*, config, out, work, arm, seed=1, start=None):
    """An arm that ends, fails or dies by the name that the environment holds."""
    counts = Counts()
    counts.add("steps", 3)
    work.report(counts, 1, 3, "loss 1.0")
    if os.environ.get("FAKE_FAIL") == arm:
        raise UserError(f"{arm} is wrong", "mend it")
    if os.environ.get("FAKE_DIE") == arm:
        os.kill(os.getpid(), signal.SIGKILL)
    begun = f"after {(start / 'model.txt').read_text(encoding='utf-8')}" if start else ""
    (out / "model.txt").write_text(f"{arm} {seed}\n{begun}", encoding="utf-8")
    (out / "process.txt").write_text(str(os.getpid()), encoding="utf-8")
    return counts


def leave_traces(*, out, work, config=None):
    """What stages may do to their process."""
    import gc
    import random

    import numpy as np
    import torch

    torch.set_num_threads(1)
    torch.set_float32_matmul_precision("medium")
    torch.manual_seed(7)
    np.random.seed(7)
    random.seed(7)
    gc.set_threshold(5, 5, 5)
    os.environ["OMP_NUM_THREADS"] = "7"
    os.environ["FAKE_TRACE"] = "left"
    os.chdir(out)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return Counts()


def note_state(*, out, work, config=None):
    """What a stage finds in its process."""
    import gc
    import random

    import numpy as np
    import torch

    state = [
        torch.get_num_threads(), torch.get_float32_matmul_precision(), torch.rand(1).item(), np.random.random(),
        random.random(), gc.get_threshold(), os.environ.get("OMP_NUM_THREADS"), os.environ.get("FAKE_TRACE"),
        str(Path.cwd()), str(signal.getsignal(signal.SIGTERM)),
    ]  # fmt: skip
    (out / "state.txt").write_text("\n".join(map(str, state)), encoding="utf-8")
    return Counts()
