"""Checkpoints: everything that the next step depends on, written whole or not at all.

A checkpoint is a folder ``NNNNNNNN`` (its step) of ``model/`` (loads with ``AutoModelForCausalLM``),
``state.safetensors`` (master weights, moments, random states) and ``checkpoint.json`` (step, tokens, what it was made
of, the tensors' checksum). It is written beside its place, flushed to the disk and renamed, so that a kill at any
moment leaves the one before it. Tensors are whole: any number of ranks goes on from them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor

from deepred.base.errors import FaultError
from deepred.train.ranks import Ranks, placed, put, whole_of

TENSORS, RECORD, MODEL = "state.safetensors", "checkpoint.json", "model"


@dataclass
class Interruption:
    """The signal that asked training to stop, if one did."""

    number: int = 0


def raise_again(number: int) -> None:
    """Hand a signal on to whoever handled it before."""
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    signal.raise_signal(number)


@contextmanager
def noticed_signals() -> Generator[Interruption]:
    """Ctrl-C and SIGTERM are noted, so that the step ends and a checkpoint is written; a second one acts at once.

    One that nobody has acted on by the end is handed on there.
    """
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
    if asked.number:
        raise_again(asked.number)


@dataclass
class Loaded:
    """A checkpoint read back, and the damaged ones that were passed over on the way to it."""

    place: Path
    record: dict[str, Any]
    tensors: dict[str, Tensor]
    damaged: list[str] = field(default_factory=list[str])


def tensors_of(weights: Mapping[str, Tensor], optimizer: torch.optim.Optimizer, ranks: Ranks) -> dict[str, Tensor]:
    """Master weights, moments and random states by name, whole and on the CPU; tied weights once. All ranks ask."""
    found: dict[str, Tensor] = {}
    for rank, states in enumerate(ranks.gather(_random_states())):
        found |= {f"rng.{kind}.{rank}": state for kind, state in states.items()}
    for name, weight in weights.items():
        moments = {f"optimizer.{key}.{name}": value for key, value in optimizer.state.get(weight, {}).items()}
        for key, value in {f"model.{name}": weight, **moments}.items():
            whole = whole_of(value)
            if ranks.is_first:
                found[key] = whole
    return found


def _random_states() -> dict[str, Tensor]:
    """The states of the generators that a step can draw from (dropout): torch's, of the processor and the device."""
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def restore(
    tensors: Mapping[str, Tensor], weights: Mapping[str, Tensor], optimizer: torch.optim.Optimizer, ranks: Ranks
) -> None:
    """Put the tensors back where ``tensors_of`` found them; a rank that is new keeps its own random state."""
    if (state := tensors.get(f"rng.cpu.{ranks.rank}")) is not None:
        torch.set_rng_state(state)
    if torch.cuda.is_available() and (state := tensors.get(f"rng.cuda.{ranks.rank}")) is not None:
        torch.cuda.set_rng_state(state)
    keys = sorted({name.split(".")[1] for name in tensors if name.startswith("optimizer.")})
    for name, weight in weights.items():
        put(tensors[f"model.{name}"], weight)
        moments = {key: tensors[f"optimizer.{key}.{name}"] for key in keys if f"optimizer.{key}.{name}" in tensors}
        # the step counter stays where fused AdamW keeps it: on the parameter's device, never sharded
        optimizer.state[weight] = {
            key: placed(value, weight) if value.shape == weight.shape else value.to(weight.device, copy=True)
            for key, value in moments.items()
        }


def save_checkpoint(
    root: Path,
    step: int,
    tensors: Mapping[str, Tensor],
    record: Mapping[str, Any],
    save_model: Callable[[Path], None],
    keep: int,
) -> None:
    """Write the checkpoint of a step and remove all but the last ones; a full disk leaves the earlier ones whole."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    root.mkdir(parents=True, exist_ok=True)
    place, partial = root / f"{step:08d}", root / f"{step:08d}.tmp"
    for old in (partial, place):
        shutil.rmtree(old, ignore_errors=True)
    try:
        partial.mkdir()
        save_file(dict(tensors), partial / TENSORS)
        save_model(partial / MODEL)
        content = {**record, "step": step, "sha256": _hash(partial / TENSORS)}
        (partial / RECORD).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        for path in (*partial.rglob("*"), partial):
            _flush(path)
    except (OSError, SafetensorError) as error:  # safetensors wraps what the system says in an error of its own
        shutil.rmtree(partial, ignore_errors=True)
        left = sorted(path.name for path in root.iterdir() if path.name.isdigit())
        raise FaultError(
            f"the checkpoint of step {step} could not be written to {root}: {error}",
            f"make room; the same command then goes on from {f'step {int(left[-1])}' if left else 'the beginning'}",
        ) from error
    partial.rename(place)
    _flush(root)
    for old in sorted(path for path in root.iterdir() if path.name.isdigit())[:-keep]:
        shutil.rmtree(old)


def load_latest(root: Path) -> Loaded | None:
    """The latest whole checkpoint, None where there is none."""
    damaged: list[str] = []
    for place in sorted((path for path in root.glob("*") if path.name.isdigit()), reverse=True):
        try:
            loaded = load_checkpoint(place)
        except FaultError as error:
            damaged.append(error.message)
            continue
        loaded.damaged = damaged
        return loaded
    if damaged:
        raise FaultError(f"no whole checkpoint in {root}: {'; '.join(damaged)}", f"remove {root} to begin anew")
    return None


def load_checkpoint(place: Path) -> Loaded:
    """One checkpoint; a damaged one is a fault."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        record = json.loads((place / RECORD).read_text(encoding="utf-8"))
        if _hash(place / TENSORS) != record["sha256"]:
            raise ValueError("its checksum differs")
        return Loaded(place, record, load_file(place / TENSORS))
    except (OSError, ValueError, KeyError, TypeError, RecursionError, SafetensorError) as error:
        raise FaultError(f"checkpoint {place.name} is damaged and was passed over: {error}") from error


def differences(made_of: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """What two runs were made of and differ in: ``data``, ``seed``, ``start``, or keys of ``config``."""
    names = sorted(name for name in {*made_of, *wanted} - {"config"} if made_of.get(name) != wanted.get(name))
    before, now = made_of.get("config", {}), wanted.get("config", {})
    return names + sorted(f"pretrain.{key}" for key in {*before, *now} if before.get(key) != now.get(key))


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
