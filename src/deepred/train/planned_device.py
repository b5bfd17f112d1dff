"""The device that is planned for: one of a name, one described by its peak and memory, or this machine's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from deepred.base.errors import UserError
from deepred.run.hardware import Device, ask_torch, find_device, read_machine, recognise
from deepred.run.trials import run_trials

if TYPE_CHECKING:
    pass


def this_device(seconds: float = 1.0) -> Device:
    """The device that would train here; of a CPU, the rate of matrix products is measured."""
    torch = ask_torch()
    machine = read_machine(torch)
    if torch.backend in ("cuda", "rocm"):
        card = torch.accelerators[0]
        if known := recognise(card.name) or recognise(card.architecture):
            return known
        raise UserError(f"the peak of {card.name} is not known", "give --device, or --teraflops and --memory")
    if torch.error:
        raise UserError(f"PyTorch cannot be used: {torch.error}", 'pip install "deepred[train]"')
    return measured_cpu(machine.memory, seconds)


def measured_cpu(memory: int, seconds: float = 1.0) -> Device:
    """This machine's processor as a device: its memory, and its rate of matrix products in float32."""
    (rate,) = run_trials("cpu", seconds, ("matmul",))
    return described(find_device("cpu"), rate.value, memory / 1e9)


def described(device: Device, teraflops: float = 0.0, memory: float = 0.0) -> Device:
    """A device with another peak or memory, where given."""
    return replace(device, teraflops=teraflops or device.teraflops, memory=memory or device.memory)


def choose_device(name: str = "", teraflops: float = 0.0, memory: float = 0.0) -> Device:
    """The device of a name, one described by its peak and memory, or this machine's."""
    if teraflops and memory:
        return Device("given", name or "a device as described", (), teraflops, memory, 0.35, "assumed", "as given")
    if name and name != "cpu":
        return described(find_device(name), teraflops, memory)
    here = measured_cpu(read_machine(ask_torch()).memory) if name else this_device()
    return described(here, teraflops, memory)
