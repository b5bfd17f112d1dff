"""Checkpoints: everything that the next step depends on, written whole or not at all.

A checkpoint is a folder ``NNNNNNNN`` (its step) of ``state.safetensors`` (weights, moments, random states) and
``checkpoint.json`` (step, data fingerprint, the tensors' checksum). It is written beside its place, flushed to the
disk and renamed, so that a kill at any moment leaves the one before it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn

from deepred.errors import FaultError, UserError

KEPT = 2
"""Checkpoints kept while training: the second takes over where the first is damaged."""
TENSORS, RECORD = "state.safetensors", "checkpoint.json"


@dataclass
class Interruption:
    """The signal that asked training to stop, if one did."""

    number: int = 0

    def raise_again(self) -> None:
        """Hand the signal on to whoever handled it before."""
        if self.number == signal.SIGINT:
            raise KeyboardInterrupt
        signal.raise_signal(self.number)


@contextmanager
def noticed_signals() -> Generator[Interruption]:
    """Ctrl-C and SIGTERM are noted, so that the step ends and a checkpoint is written; a second one acts at once."""
    asked = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before: dict[int, Any] = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, frame: FrameType | None) -> None:
        asked.number = number
        signal.signal(number, before[number])

    for number in before:
        signal.signal(number, note)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass
class Loaded:
    """A checkpoint read back, and the damaged ones that were passed over on the way to it."""

    record: dict[str, Any]
    tensors: dict[str, Tensor]
    damaged: list[str] = field(default_factory=list[str])


def tensors_of(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Weights, moments and random states by name; tied weights once."""
    found: dict[str, Tensor] = {"rng.cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        found["rng.cuda"] = torch.cuda.get_rng_state()
    for name, parameter in model.named_parameters():
        found[f"model.{name}"] = parameter.detach().contiguous()
        for key, value in optimizer.state.get(parameter, {}).items():
            found[f"optimizer.{key}.{name}"] = value.detach().contiguous()
    return found


def restore(tensors: dict[str, Tensor], model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Put the tensors back where ``tensors_of`` found them."""
    torch.set_rng_state(tensors["rng.cpu"])
    if torch.cuda.is_available() and "rng.cuda" in tensors:
        torch.cuda.set_rng_state(tensors["rng.cuda"])
    keys = {name.split(".")[1] for name in tensors if name.startswith("optimizer.")}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(tensors[f"model.{name}"])
            # the step counter stays where fused AdamW keeps it: on the parameter's device
            optimizer.state[parameter] = {
                key: tensors[f"optimizer.{key}.{name}"].to(parameter.device, copy=True) for key in sorted(keys)
            }


def save_checkpoint(root: Path, step: int, tensors: dict[str, Tensor], record: dict[str, Any]) -> None:
    """Write the checkpoint of a step and remove all but the last ones; a full disk leaves the earlier ones whole."""
    from safetensors.torch import save_file

    root.mkdir(exist_ok=True)
    place, partial = root / f"{step:08d}", root / f"{step:08d}.tmp"
    for old in (partial, place):
        shutil.rmtree(old, ignore_errors=True)
    try:
        partial.mkdir()
        save_file({name: tensor.cpu() for name, tensor in tensors.items()}, partial / TENSORS)
        content = {**record, "step": step, "sha256": _hash(partial / TENSORS)}
        (partial / RECORD).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        for path in (partial / TENSORS, partial / RECORD, partial):
            _flush(path)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise FaultError(
            f"checkpoint of step {step} could not be written to {root}: {error}",
            "make room; the same command then goes on from the checkpoint before",
        ) from error
    partial.rename(place)
    _flush(root)
    for old in sorted(path for path in root.iterdir() if path.name.isdigit())[:-KEPT]:
        shutil.rmtree(old)


def load_latest(root: Path, fingerprint: str) -> Loaded | None:
    """The latest whole checkpoint, None where there is none; one of other data is an error."""
    from safetensors.torch import load_file

    damaged: list[str] = []
    for place in sorted((path for path in root.glob("*") if path.name.isdigit()), reverse=True):
        try:
            record = json.loads((place / RECORD).read_text(encoding="utf-8"))
            if _hash(place / TENSORS) != record["sha256"]:
                raise ValueError("its checksum differs")
            tensors = load_file(place / TENSORS)
        except (OSError, ValueError, KeyError) as error:
            damaged.append(f"checkpoint {place.name} is damaged and was passed over: {error}")
            continue
        if record["fingerprint"] != fingerprint:
            raise UserError(
                f"{place} was trained on other data or with another configuration",
                f"remove {root} to begin anew",
            )
        return Loaded(record, tensors, damaged)
    if damaged:
        raise FaultError(f"no whole checkpoint in {root}: {'; '.join(damaged)}", f"remove {root} to begin anew")
    return None


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    """Ask the system to put a file or folder on the disk before it is renamed or relied on."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
