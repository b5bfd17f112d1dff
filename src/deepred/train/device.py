"""The device that trains: which one, how many threads, how much memory it has used."""

from __future__ import annotations

import os
import resource
import sys

import torch
from torch import nn

from deepred.base.errors import UserError
from deepred.run import hardware

SMALL_MODEL = 5_000_000
"""Parameters below which one thread is used: a second gains a quarter when a core is idle, and costs when none is."""


def choose_device(name: str) -> torch.device:
    """The device of that name, or the best there is."""
    try:
        if name:
            return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"the device {name!r} cannot be used: {reason}", "set DEEPRED_DEVICE to cpu or leave it unset"
        ) from None
    if torch.cuda.is_available():  # ROCm answers to this name as well
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


DEFAULT_THREADS = torch.get_num_threads()
"""PyTorch's own choice, read before anything changes it."""


def set_threads(wished: int, model: nn.Module | None = None) -> None:
    """State threads and precision: the wished threads, else one for a small model, else torch's own choice.

    Products of float32 matrices stay float32; ``step.py`` lets a mixed run on a GPU use the tensor cores.
    """
    small = model is not None and sum(p.numel() for p in model.parameters()) < SMALL_MODEL
    torch.set_num_threads(wished or (1 if small else DEFAULT_THREADS))
    torch.set_float32_matmul_precision("highest")


def peak_memory(device: torch.device) -> int:
    """Bytes in use at most so far: of the device where it counts them, else of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024  # kilobytes on Linux


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out: a device's, or the processor's own allocator's."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "can't allocate memory" in str(error)


def peak_flops(device: torch.device, is_mixed: bool) -> float:
    """Floating-point operations a second that the device can do at most; 0 where that is not known."""
    if device.type != "cuda" or not is_mixed:
        return 0.0
    return hardware.peak_flops(torch.cuda.get_device_name(device))


def available_memory(device: torch.device) -> int:
    """Bytes that this process can have on a device: what is free and what it holds itself."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return free + torch.cuda.memory_reserved(device)
    pages = os.sysconf("SC_AVPHYS_PAGES") if hasattr(os, "sysconf") else 0
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return pages * os.sysconf("SC_PAGE_SIZE") + held
