"""Training in several processes of one machine, a device each: ``DEEPRED_RANKS=2 deepred run RUN.toml``.

The ranks find each other through a file, so that no port is open; they talk over the loopback interface (gloo) or from
device to device (NCCL). The first rank reports progress and writes; where one fails, the others are stopped.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

from deepred.base.errors import DeepRedError, FaultError, UserError, explained
from deepred.run.build_together import Message, Messenger, stop
from deepred.run.settings import Settings
from deepred.run.stage import Counts, Work
from deepred.run.workers import die_with_parent

LOOPBACK = Path("/sys/class/net/lo")
POLL_SECONDS = 0.2


def is_wanted(settings: Settings) -> bool:
    """Whether ranks are asked for and this process is none of them."""
    return settings.ranks > 1 and "WORLD_SIZE" not in os.environ


def train_on_ranks(train: Callable[..., Counts], arguments: dict[str, Any], work: Work) -> Counts:
    """``train``, which every rank imports, with these arguments on all ranks; returns the first one's counts."""
    import torch

    settings = work.settings
    size = settings.ranks
    if settings.device != "cpu" and torch.cuda.is_available() and torch.cuda.device_count() < size:
        raise UserError(
            f"DEEPRED_RANKS is {size}, but there are {torch.cuda.device_count()} GPUs", "set it to that number at most"
        )
    threads = settings.threads or max(1, settings.workers // size)
    context = multiprocessing.get_context("spawn")
    messages: Queue[Message] = context.Queue()
    with tempfile.TemporaryDirectory() as folder:
        place = (Path(folder) / "rendezvous").as_uri()
        share = replace(settings, threads=threads)
        children: dict[str, BaseProcess] = {
            str(rank): context.Process(
                target=_train, args=(rank, size, place, train, arguments, share, messages), daemon=True
            )
            for rank in range(size)
        }
        for child in children.values():
            child.start()
        try:
            return _follow(children, messages, work)
        finally:
            stop(children.values())


def _follow(children: dict[str, BaseProcess], messages: Queue[Message], work: Work) -> Counts:
    """Show the first rank's progress until all have ended; raises the first error at once."""
    counts = Counts()
    ended: set[str] = set()
    while len(ended) < len(children):
        try:
            name, kind, values = messages.get(timeout=POLL_SECONDS)
        except queue.Empty:
            for name, child in children.items():
                if name not in ended and child.exitcode is not None:
                    raise FaultError(
                        f"the process of rank {name} died, most often because memory ran out",
                        "the same command goes on from the last checkpoint",
                    ) from None
            continue
        if kind == "error":
            raise values[0]
        if kind == "update" and name == "0":
            work.progress.update(*values)
        elif kind == "end":
            ended.add(name)
            counts = values[0] if name == "0" else counts
    return counts


def _train(
    rank: int,
    size: int,
    place: str,
    train: Callable[..., Counts],
    arguments: dict[str, Any],
    settings: Settings,
    messages: Queue[Message],
) -> None:
    """A rank's whole life."""
    threading.Thread(target=die_with_parent, daemon=True).start()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size), "DEEPRED_RENDEZVOUS": place}
    if LOOPBACK.exists():
        os.environ.setdefault("GLOO_SOCKET_IFNAME", LOOPBACK.name)
    try:
        counts = train(**arguments, work=Work(settings, Messenger(str(rank), messages.put)))
        messages.put((str(rank), "end", (counts,)))
    except KeyboardInterrupt:
        messages.put((str(rank), "end", (Counts(),)))  # the parent is stopping too, and says so
    except DeepRedError as error:
        messages.put((str(rank), "error", (error,)))
    except Exception as error:
        messages.put((str(rank), "error", (explained(error, f"rank {rank}"),)))
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # on its way out it is stopped without a word
