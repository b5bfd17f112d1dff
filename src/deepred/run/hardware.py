"""What a machine can compute with: the devices that we know, and what this machine says of itself.

``read_machine`` only reads (``/proc``, ``/sys``, the environment, what PyTorch reports), all of it handed in, so that
any machine's answers can be tested anywhere. Nothing here imports torch before it is asked to.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from deepred.base.errors import UserError
from deepred.base.files import shipped_table

Backend = Literal["cuda", "rocm", "mps", "cpu"]


@dataclass(frozen=True)
class Device:
    """A device of ``devices.toml``."""

    name: str
    title: str
    matches: tuple[str, ...]
    teraflops: float
    """Dense bfloat16 tera-FLOP/s at most; 0 where only a measurement tells."""
    memory: float
    """GB that a program can use."""
    mfu: float
    """Share of the peak that a plan assumes."""
    mfu_source: str
    source: str


@cache
def devices() -> dict[str, Device]:
    """The devices that we know, by name."""
    table: dict[str, dict[str, Any]] = shipped_table("deepred.run", "devices.toml")
    read: dict[str, dict[str, Any]] = {
        name: values | {"name": name, "matches": tuple(values["matches"])} for name, values in table.items()
    }
    return {name: Device(**values) for name, values in read.items()}


def find_device(name: str) -> Device:
    """The device of a name; an unknown one is an error that lists them."""
    known = devices()
    if name.lower() not in known:
        raise UserError(f"the device {name!r} is not known", f"known: {', '.join(known)}; or describe it to `plan`")
    return known[name.lower()]


def recognise(reported: str) -> Device | None:
    """The device whose name PyTorch reports, None for one that we do not know.

    >>> recognise("NVIDIA GeForce RTX 4090").name
    '4090'
    """
    return next((device for device in devices().values() if any(word in reported for word in device.matches)), None)


def peak_flops(reported: str) -> float:
    """Dense bfloat16 FLOP/s at most of the device that PyTorch reports; 0 where it is not known."""
    device = recognise(reported)
    return device.teraflops * 1e12 if device else 0.0


@dataclass(frozen=True)
class Accelerator:
    """A GPU as PyTorch reports it."""

    name: str
    architecture: str
    """``sm_90`` or ``gfx1151``."""
    memory: int


@dataclass(frozen=True)
class Torch:
    """What PyTorch was built for and sees."""

    version: str
    backend: Backend = "cpu"
    runtime: str = ""
    """The version of CUDA or ROCm (HIP) that it was built with."""
    accelerators: tuple[Accelerator, ...] = ()
    error: str = ""
    """Why it cannot be imported or asked, if so."""


@dataclass(frozen=True)
class Machine:
    """A machine's own account of itself."""

    system: str
    kernel: str
    processor: str
    cores: int
    memory: int
    """Bytes of main memory; 0 where it is not told."""
    vram: int
    """Bytes that an AMD GPU has of its own (of unified memory: what the firmware carves out)."""
    gtt: int
    """Bytes of main memory that an AMD GPU may use."""
    rocm: str
    """The installed ROCm's version, where there is one."""
    has_nvidia: bool
    has_amd: bool
    torch: Torch
    environment: Mapping[str, str] = field(repr=False, default_factory=dict[str, str])

    @property
    def is_unified(self) -> bool:
        """Whether GPU and processor share the memory: a small carve-out beside a large GTT, or a Mac."""
        return self.torch.backend == "mps" or 0 < self.vram < self.gtt


def read_machine(
    torch: Torch,
    root: Path = Path("/"),
    environment: Mapping[str, str] = os.environ,
    kernel: str = "",
    system: str = "",
) -> Machine:
    """This machine; ``root`` is where its ``/proc`` and ``/sys`` lie."""
    cards = sorted((root / "sys/class/drm").glob("card*/device"))
    return Machine(
        system=system or platform.system(),
        kernel=kernel or platform.release(),
        processor=processor_of(root) or platform.machine(),
        cores=usable_cores(),
        memory=memory_total(_text(root / "proc/meminfo")),
        vram=max((_number(card / "mem_info_vram_total") for card in cards), default=0),
        gtt=max((_number(card / "mem_info_gtt_total") for card in cards), default=0),
        rocm=_text(root / "opt/rocm/.info/version").strip().partition("-")[0],
        has_nvidia=(root / "dev/nvidia0").exists(),
        has_amd=(root / "dev/kfd").exists(),
        torch=torch,
        environment=environment,
    )


def ask_torch() -> Torch:
    """What the installed PyTorch says; never an exception."""
    try:
        import torch

        if torch.cuda.is_available():
            hip = getattr(torch.version, "hip", None)
            cards = [torch.cuda.get_device_properties(number) for number in range(torch.cuda.device_count())]
            found = tuple(
                Accelerator(
                    card.name,
                    str(getattr(card, "gcnArchName", "")).partition(":")[0] if hip else f"sm_{card.major}{card.minor}",
                    card.total_memory,
                )
                for card in cards
            )
            return Torch(torch.__version__, "rocm" if hip else "cuda", hip or torch.version.cuda or "", found)
        runtime = getattr(torch.version, "hip", None) or torch.version.cuda or ""
        return Torch(torch.__version__, "mps" if torch.backends.mps.is_available() else "cpu", runtime)
    except (ImportError, OSError, RuntimeError, AssertionError) as error:
        return Torch("", error=str(error).splitlines()[0] if str(error) else type(error).__name__)


def memory_total(meminfo: str) -> int:
    """Bytes of main memory by the text of ``/proc/meminfo``; 0 where it does not say.

    >>> memory_total("MemTotal:       131012345 kB") == 131012345 * 1024
    True
    """
    found = re.search(r"^MemTotal:\s+(\d+) kB", meminfo, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def version_of(text: str) -> tuple[int, ...]:
    """The numbers that a version begins with.

    >>> version_of("6.18.4-200.fc43.x86_64"), version_of("7.1.52802-26aae")
    ((6, 18, 4), (7, 1, 52802))
    """
    found = re.match(r"\d+(\.\d+){0,2}", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def processor_of(root: Path) -> str:
    """The processor's name by ``/proc/cpuinfo`` below ``root``, else as the system has it."""
    found = re.search(r"^model name\s*:\s*(.+)$", _text(root / "proc/cpuinfo"), re.MULTILINE)
    return found[1].strip() if found else platform.processor()


def usable_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _number(path: Path) -> int:
    text = _text(path).strip()
    return int(text) if text.isdigit() else 0
