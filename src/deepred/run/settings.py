"""Where and how fast things run: never hashed, never part of a result."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from deepred.base.errors import UserError


@dataclass(frozen=True)
class Settings:
    """The machine's side of a run, from ``DEEPRED_*`` variables and command-line options."""

    data: Path = Path("data")
    """Folder of all stage outputs (``DEEPRED_DATA``)."""
    samples: Path | None = None
    """Folder of the sample data (``DEEPRED_SAMPLES``); no default."""
    workers: int = 1
    """Processes for work by shards (``DEEPRED_WORKERS``; default: the processors this process may use)."""
    threads: int = 0
    """Threads of a training step (``DEEPRED_THREADS``; 0: torch's own choice)."""
    together: bool = False
    """Whether all arms train at the same time (``DEEPRED_TOGETHER``, 0 or 1; default: on a CPU with several cores)."""
    device: str = ""
    """Torch device (``DEEPRED_DEVICE``; empty: the best there is)."""
    ranks: int = 1
    """Processes, a device each, that train one model (``DEEPRED_RANKS``)."""
    tensorboard: bool = False
    """Whether training writes TensorBoard's event files (``DEEPRED_TENSORBOARD``, 0 or 1)."""
    wandb: str = ""
    """Weights & Biases project that training reports to (``DEEPRED_WANDB``)."""

    @staticmethod
    def from_environment(data: Path | None = None, workers: int | None = None) -> Settings:
        """The settings of this process; options given win over variables."""
        if "TORCHELASTIC_RUN_ID" in os.environ:
            mend = "start it plainly: DEEPRED_RANKS=2 deepred run RUN.toml trains on two devices"
            raise UserError("torchrun would start every stage on every rank", mend)
        samples = os.environ.get("DEEPRED_SAMPLES")
        device = os.environ.get("DEEPRED_DEVICE", "")
        ranks = _number("DEEPRED_RANKS") or 1
        return Settings(
            data=data or Path(os.environ.get("DEEPRED_DATA", "data")),
            samples=Path(samples) if samples else None,
            workers=workers or _number("DEEPRED_WORKERS") or len(os.sched_getaffinity(0)),
            threads=_number("DEEPRED_THREADS"),
            together=ranks == 1 and _trains_together(device),
            device=device,
            ranks=ranks,
            tensorboard=_number("DEEPRED_TENSORBOARD") > 0,
            wandb=os.environ.get("DEEPRED_WANDB", ""),
        )


def _trains_together(device: str) -> bool:
    """Not where an accelerator's memory would have to be shared; its device files tell without importing torch."""
    if "DEEPRED_TOGETHER" in os.environ:
        return _number("DEEPRED_TOGETHER") > 0
    has_accelerator = any(Path(path).exists() for path in ("/dev/nvidia0", "/dev/kfd"))
    return len(os.sched_getaffinity(0)) > 1 and (device == "cpu" or not has_accelerator)


def _number(name: str) -> int:
    text = os.environ.get(name, "0")
    if not text.isdigit():
        raise UserError(f"{name} is {text!r}, not a whole number", f"unset {name} or give it a number")
    return int(text)
