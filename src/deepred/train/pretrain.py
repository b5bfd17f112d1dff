"""Pre-training: from tokens to a model, in steps that are functions of their number alone.

In: token files, the tokenizer, the model's shape or its base. Out: ``model/`` (loads with ``AutoModelForCausalLM``),
``curves.jsonl`` and ``.csv`` (loss by step, validation by source, no clock in it), ``state/`` (the last checkpoint,
from which training can go on), ``snapshots/`` where wished, and ``logs/speed.jsonl``. A run that is killed at any
moment and started again ends in the same bytes, on the same device and number of threads.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from deepred.config import Pretrain
from deepred.corpus.tokenizer import load_encoder
from deepred.errors import FaultError
from deepred.stage import LOGS, Counts, Work
from deepred.train.checkpoint import load_latest, noticed_signals, restore, save_checkpoint, tensors_of
from deepred.train.curves import Clock, Curves, read_curves, write_csv
from deepred.train.device import choose_device, peak_memory, set_threads
from deepred.train.loss import chunked_cross_entropy
from deepred.train.model import (
    build_model,
    decay_groups,
    flops_per_token,
    hidden_states,
    parts_of,
    recompute_activations,
    save_model,
    weights_hash,
)
from deepred.train.order import samples
from deepred.train.packing import Sequences
from deepred.train.schedule import learning_rate
from deepred.train.tokens import Tokens
from deepred.train.validation import validate, write_samples

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Encoder

LOG_STEPS = 10
"""Steps between two looks at the losses: each look waits for the device."""
EPSILON = 1e-8
"""AdamW's own, as in Llama's and TinyLlama's training."""
HOW_NOT_WHAT = ("micro_batch", "checkpoint_steps", "keep_steps")
"""Keys that may differ between a checkpoint and the run that goes on from it: they change no sample and no formula."""


@dataclass
class Training:
    """What a run is made of; the step's number is its only memory beside the tensors."""

    config: Pretrain
    seed: int
    begun: str
    """Hash of the weights of another run that this one began with, if it did."""
    tokens: Tokens
    tokenizer: Path
    encoder: Encoder
    model: Any
    trunk: nn.Module
    head: nn.Parameter
    optimizer: torch.optim.Optimizer
    device: torch.device
    steps: int
    sequences: Sequences
    pending: list[tuple[int, float, Tensor, Tensor]] = field(default_factory=list[tuple[int, float, Tensor, Tensor]])
    """Steps whose loss is still on the device: step, rate, loss, norm of the gradient."""

    @property
    def step_tokens(self) -> int:
        """Tokens of an optimizer step."""
        return self.config.batch * self.config.sequence

    @property
    def used(self) -> int:
        """Sequences that are trained on, the first ones; an epoch is each of them once."""
        return max(1, int(len(self.sequences) * self.config.dev_fraction))

    @property
    def is_mixed(self) -> bool:
        """Whether products run in bfloat16; on a CPU they are up to 76 times slower than in float32."""
        return self.config.precision == "bfloat16" and self.device.type != "cpu"


def pretrain(
    *, shards: Path, tokenizer: Path, config: Pretrain, seed: int, out: Path, work: Work, start: Path | None = None
) -> Counts:
    """The trained model in ``out``; counts hold steps, tokens and parameters, notes the last losses.

    ``start`` is the finished folder of another pre-training, whose model's weights this one begins with, in place of
    the configured base or of new weights; optimizer and schedule begin anew.
    """
    seed = seed if config.seed is None else config.seed
    training = prepare(shards, tokenizer, config, seed, work, start)
    counts = Counts()
    checkpoints = _checkpoints(out)
    fingerprint = _fingerprint(training)
    loaded = load_latest(checkpoints, fingerprint)
    first, position, finished = 0, 0, False
    if loaded:
        restore(loaded.tensors, training.model, training.optimizer)
        first, position = loaded.record["step"], loaded.record["curve_bytes"]
        finished = loaded.record["finished"]
        for message in loaded.damaged:
            counts.notes.setdefault("damaged", []).append(message)
            work.report(counts, first, training.steps, message)
    with Curves(out / "curves.jsonl", position) as curves:
        if not finished:
            _train(training, first, checkpoints, fingerprint, curves, counts, work, out)
    save_model(training.model, tokenizer, out / "model")
    write_csv(out / "curves.jsonl")
    _keep_last(checkpoints, out / "state")
    _describe(training, out / "curves.jsonl", counts)
    return counts


def prepare(
    shards: Path, tokenizer: Path, config: Pretrain, seed: int, work: Work, start: Path | None = None
) -> Training:
    """Model, data and optimizer, ready for the first step."""
    tokens = Tokens(shards)
    sequences = tokens.sequences(config.sequence, config.packing)
    device = choose_device(work.settings.device)
    model = build_model(config, tokenizer, seed, start).to(device)
    set_threads(work.settings.threads, model)
    trunk, head = parts_of(model)
    if tokens.meta["vocabulary"] > head.shape[0]:
        raise FaultError(
            f"the token files use {tokens.meta['vocabulary']:,} ids, the model embeds {head.shape[0]:,}",
            "run `tokenizer` and `shards` again",
        )
    model.train()
    if config.activations == "recompute":
        recompute_activations(model)
    if config.compiled:
        trunk.compile()
    groups = decay_groups(model, config.weight_decay)
    optimizer = torch.optim.AdamW(groups, config.learning_rate, config.betas, EPSILON, fused=True)
    steps = math.ceil(config.tokens / (config.batch * config.sequence))
    encoder = load_encoder(tokenizer)
    begun = weights_hash(start / "model") if start else ""
    return Training(
        config, seed, begun, tokens, tokenizer, encoder, model, trunk, head, optimizer, device, steps, sequences
    )


def _train(
    training: Training,
    start: int,
    checkpoints: Path,
    fingerprint: str,
    curves: Curves,
    counts: Counts,
    work: Work,
    out: Path,
) -> None:
    config = training.config
    flops = flops_per_token(training.model, training.head, config.sequence)
    clock = Clock(out / LOGS / "speed.jsonl", start, training.step_tokens, flops)

    def log() -> None:
        line = _write_losses(training, curves)
        if line:
            counts.numbers["tokens"] = line["tokens"]
            rate = clock.tick(line["step"], peak_memory(training.device))
            work.report(counts, line["step"], training.steps, f"loss {line['loss']:.3f}  {rate:,.0f} tok/s")

    if start == 0:
        _write_validation(training, 0, curves)
    with noticed_signals() as asked:
        for step in range(start, training.steps):
            train_step(training, step)
            done = step + 1
            validates = done % config.validate_steps == 0 or done == training.steps
            if done % LOG_STEPS == 0 or validates or asked.number:
                log()
            if validates:
                _write_validation(training, done, curves)
            finished = done == training.steps or (validates and curves.overfits(config.early_stop))
            if config.keep_steps and done % config.keep_steps == 0:
                (out / "snapshots").mkdir(exist_ok=True)
                save_model(training.model, training.tokenizer, out / "snapshots" / f"{done:08d}")
            if done % config.checkpoint_steps == 0 or finished or asked.number:
                log()
                record = {"fingerprint": fingerprint, "finished": finished, "curve_bytes": curves.position()}
                save_checkpoint(checkpoints, done, tensors_of(training.model, training.optimizer), record)
            if asked.number:
                asked.raise_again()
            if finished:
                return


def train_step(training: Training, step: int) -> None:
    """One optimizer step over ``batch`` sequences, ``micro_batch`` at a time."""
    config = training.config
    rate = learning_rate(config, step, training.steps)
    for group in training.optimizer.param_groups:
        group["lr"] = rate
    numbers = samples(step * config.batch, config.batch, training.used, training.seed)
    total = torch.zeros((), device=training.device)
    for first in range(0, config.batch, config.micro_batch):
        part = training.sequences.batch(numbers[first : first + config.micro_batch])
        try:
            loss = _loss(training, part, config.z_loss) * (len(part) / config.batch)
            loss.backward()
        except torch.OutOfMemoryError:
            raise FaultError(
                f"the device's memory does not hold {len(part)} sequences of {config.sequence} tokens",
                f"set pretrain.micro_batch to {max(1, config.micro_batch // 2)}, or pretrain.activations to recompute",
            ) from None
        total += loss.detach()
    norm = nn.utils.clip_grad_norm_(training.model.parameters(), config.clip)
    training.optimizer.step()
    training.optimizer.zero_grad(set_to_none=True)
    training.pending.append((step + 1, rate, total, norm))


def _loss(training: Training, sequences: NDArray[np.int64], z_loss: float = 0.0) -> Tensor:
    """The mean cross-entropy of sequences, in nats a token."""
    ids = torch.from_numpy(sequences).to(training.device, non_blocking=True)
    separator = training.tokens.meta["end_of_text"] if training.config.attention == "document" else None
    with torch.autocast(training.device.type, torch.bfloat16, enabled=training.is_mixed):
        hidden = hidden_states(training.trunk, ids[:, :-1], separator)
        if training.is_mixed:
            hidden = hidden.bfloat16()
    return chunked_cross_entropy(hidden, training.head, ids[:, 1:].reshape(-1), z_loss)


def _write_losses(training: Training, curves: Curves) -> dict[str, Any]:
    """Write the pending steps and return the last; a loss that is no number ends the run."""
    if not training.pending:
        return {}
    values = torch.stack([torch.stack([loss, norm.float()]) for _, _, loss, norm in training.pending]).tolist()
    line: dict[str, Any] = {}
    for (step, rate, _, _), (loss, norm) in zip(training.pending, values, strict=True):
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise FaultError(
                f"the loss is {loss} and its gradient's norm {norm} at step {step}",
                "lower pretrain.learning_rate or pretrain.clip, or raise pretrain.warmup",
            )
        line = {"step": step, "tokens": step * training.step_tokens, "loss": loss, "norm": norm, "rate": rate}
        curves.write(line)
    training.pending.clear()
    return line


def _write_validation(training: Training, step: int, curves: Curves) -> None:
    config, tokens = training.config, training.tokens
    training.model.eval()
    with torch.no_grad():
        found = validate(tokens, lambda part: _loss(training, part), config.sequence, config.micro_batch)
        if found:
            written = write_samples(
                training.model, training.encoder, tokens.validation, config.sequence, training.device
            )
            curves.write({"step": step, "tokens": step * training.step_tokens, **found, "samples": written})
    training.model.train()


def _checkpoints(out: Path) -> Path:
    """The folder of checkpoints; a finished run's last one goes back to its place first."""
    folder, state = out / "checkpoints", out / "state"
    if state.exists() and not folder.exists():
        record = json.loads((state / "checkpoint.json").read_text(encoding="utf-8"))
        folder.mkdir()
        state.rename(folder / f"{record['step']:08d}")
    return folder


def _keep_last(checkpoints: Path, state: Path) -> None:
    """The last checkpoint as ``state/``; the others go."""
    last = max(path for path in checkpoints.iterdir() if path.name.isdigit())
    shutil.rmtree(state, ignore_errors=True)
    last.rename(state)
    shutil.rmtree(checkpoints)


def _fingerprint(training: Training) -> str:
    config = training.config.model_dump(mode="json", exclude=set(HOW_NOT_WHAT))
    known: dict[str, Any] = {"data": training.tokens.fingerprint(), "config": config, "seed": training.seed}
    if training.begun:
        known["start"] = training.begun
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def _describe(training: Training, curves: Path, counts: Counts) -> None:
    """What the manifest says of the run, from its curves, so that a resumed run says the same."""
    lines = read_curves(curves)
    steps = [line for line in lines if "loss" in line]
    done = steps[-1]["step"]
    counts.numbers["steps"] = done
    counts.numbers["tokens"] = done * training.step_tokens
    counts.add("parameters", sum(p.numel() for p in training.model.parameters()))
    last = steps[-LOG_STEPS:]
    counts.notes["loss"] = sum(line["loss"] for line in last) / len(last)
    for line in lines:
        if "validation" in line:
            counts.notes |= {"validation": line["validation"], "bits_per_byte": line["bits_per_byte"]}
    counts.notes["epochs"] = round(done * training.config.batch / training.used, 2)
    counts.notes |= training.sequences.facts()
    counts.notes["precision"] = "bfloat16" if training.is_mixed else "float32"
    if done < training.steps:
        counts.notes["early_stop"] = f"stopped at step {done} of {training.steps}: the validation loss rose"
