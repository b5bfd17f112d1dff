"""Stage ``sft``: a LoRA adapter that makes the pre-trained model converse; loss on the assistant's tokens only.

In: ``pretrain/model`` and the examples. Out: ``adapter/`` (PEFT), ``tokenizer/`` (the base's, made fit for chat),
``curve.json`` (loss by step, validation loss by epoch) and ``base.json`` (the checksum of the weights that the adapter
belongs to).

Every token that the assistant writes, ``<|im_end|>`` included, counts once, in every turn; nothing else of a
conversation does. Pieces of corpus text may be read again beside them, against forgetting (``sft.replay``). ChatML's
tokens do not occur in the corpus, so their embeddings are trained with the adapter. Steps are functions of their
number alone: killed at any moment and started again, the stage ends in the same bytes.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from deepred.base.errors import FaultError, UserError
from deepred.base.files import write_json
from deepred.run.config import Sft
from deepred.run.stage import Counts, Work
from deepred.run.workers import DONE
from deepred.train.adapter import adapt, load_base, save_adapter, trained_weights
from deepred.train.chat_tokenizer import fit_embeddings, make_chat_tokenizer
from deepred.train.checkpoint import (
    differences,
    load_latest,
    noticed_signals,
    raise_again,
    restore,
    save_checkpoint,
    tensors_of,
)
from deepred.train.conversations import Encoded, batch_of, pack, read_again, read_encoded
from deepred.train.device import choose_device, is_out_of_memory, set_threads
from deepred.train.model import weights_hash
from deepred.train.ranks import Ranks

WARMUP = 0.05
"""Share of the steps in which the learning rate rises."""
CLIP = 1.0
CHECKPOINT_STEPS = 50
"""Steps between checkpoints, which hold the adapter alone and cost little."""
KEPT = 2
"""Checkpoints kept: the second takes over where the first is damaged."""

Curve = dict[str, list[dict[str, Any]]]


@dataclass
class Tuning:
    """What fine-tuning is made of."""

    model: Any
    training: list[Encoded]
    validation: list[Encoded]
    config: Sft
    seed: int
    optimizer: torch.optim.Optimizer

    @property
    def epoch_steps(self) -> int:
        """Steps of a pass through the examples."""
        return math.ceil(len(self.training) / self.config.batch)

    @property
    def steps(self) -> int:
        """Steps in all."""
        return max(1, round(self.epoch_steps * self.config.epochs))


def fine_tune(
    *, pretrain: Path, examples: Path, config: Sft, seed: int, out: Path, work: Work, shards: Path | None = None
) -> Counts:
    """Train the adapter; the same inputs, seed and threads give the same weights."""
    folder = pretrain / "model"
    set_threads(work.settings.threads)
    base = load_base(folder)
    tokenizer = make_chat_tokenizer(folder, out / "tokenizer")
    counts = Counts()
    if added := fit_embeddings(base, tokenizer.size):
        counts.add("embeddings added", added)
    limit = int(base.config.max_position_embeddings)
    training = list(read_encoded(examples / "train.jsonl", tokenizer.encoder, limit, counts))
    validation = list(read_encoded(examples / "validation.jsonl", tokenizer.encoder, limit, Counts()))
    if not training:
        raise FaultError(f"{examples / 'train.jsonl'} holds no example that fits {limit} tokens")
    if config.replay:
        if shards is None:
            raise UserError("sft.replay reads corpus text again, which this run has not", "set it to 0")
        again = list(read_again(shards, round(config.replay * len(training)), limit, seed))
        counts.add("pieces of corpus", len(again))
        training += again
    torch.manual_seed(seed)
    model = adapt(base, config, tokenizer.turns).to(choose_device(work.settings.device))
    weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=config.learning_rate, weight_decay=0.0)
    tuning = Tuning(model, training, validation, config, seed, optimizer)
    known = {"weights": weights_hash(folder)}
    curve = train(tuning, out / DONE / "checkpoints", made_of(tuning, known), counts, work)
    save_adapter(model, out / "adapter")
    write_json(out / "base.json", known)
    write_json(out / "curve.json", curve)
    counts.notes |= {"loss": curve["steps"][-1]["loss"], "validation": [row["loss"] for row in curve["validation"]]}
    if tokenizer.changes:
        counts.notes["tokenizer"] = tokenizer.changes
    return counts


def made_of(tuning: Tuning, known: dict[str, str]) -> dict[str, Any]:
    """What a checkpoint must agree with: base, examples as token ids, configuration and seed."""
    digest = hashlib.sha256()
    for item in tuning.training:
        digest.update(repr((item.ids, item.answers)).encode())
    config = tuning.config.model_dump(mode="json", exclude={"micro_batch"})
    return {**known, "data": digest.hexdigest(), "config": config, "seed": tuning.seed}


def train(tuning: Tuning, checkpoints: Path, made: dict[str, Any], counts: Counts, work: Work) -> Curve:
    """AdamW with a linear decay over whole passes through the examples, from the last checkpoint on."""
    trained, alone = trained_weights(tuning.model), Ranks()
    curve: Curve = {"steps": [], "validation": []}
    start = 0
    if loaded := load_latest(checkpoints):
        if found := differences(loaded.record["made_of"], made):
            raise UserError(f"{loaded.place} was made with another {', '.join(found)}", f"remove {checkpoints}")
        restore(loaded.tensors, trained, tuning.optimizer, alone)
        start, curve = loaded.record["step"], loaded.record["curve"]
        work.report(counts, start, tuning.steps, f"goes on from step {start}")
    with noticed_signals() as asked:
        for step in range(start, tuning.steps):
            loss = train_step(tuning, step)
            done, last = step + 1, step + 1 == tuning.steps
            if not math.isfinite(loss):
                raise FaultError(f"the loss is {loss} at step {done}", "lower sft.learning_rate")
            curve["steps"].append({"step": done, "loss": round(loss, 4)})
            if done % tuning.epoch_steps == 0 or last:
                validation = mean_loss(tuning.model, tuning.validation, tuning.config)
                curve["validation"].append({"step": done, "loss": round(validation, 4)})
            work.report(counts, done, tuning.steps, f"loss {loss:.3f}")
            signal = asked.number
            if done % CHECKPOINT_STEPS == 0 or last or signal:
                tensors = tensors_of(trained, tuning.optimizer, alone)
                record = {"made_of": made, "curve": curve}
                save_checkpoint(checkpoints, done, tensors, record, lambda folder: None, KEPT)
            if signal:
                raise_again(signal)
    return curve


def train_step(tuning: Tuning, step: int) -> float:
    """One optimizer step; the batch's mean loss before it."""
    config, optimizer = tuning.config, tuning.optimizer
    for group in optimizer.param_groups:
        group["lr"] = config.learning_rate * schedule(step, tuning.steps)
    tuning.model.train()
    optimizer.zero_grad(set_to_none=True)
    batch = batch_of(tuning.training, config.batch, tuning.seed, step)
    total = 0.0
    try:
        for loss in batch_losses(tuning.model, batch, config):
            loss.backward()
            total += float(loss.detach())
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise FaultError("the memory does not hold a batch", "lower sft.micro_batch") from None
    torch.nn.utils.clip_grad_norm_([p for group in optimizer.param_groups for p in group["params"]], CLIP)
    optimizer.step()
    return total


def schedule(step: int, total: int) -> float:
    """The learning rate of a step as a share of the peak: up over the first ``WARMUP``, then down in a line to zero."""
    warm = max(1, round(WARMUP * total))
    return (step + 1) / warm if step < warm else (total - step) / max(1, total - warm)


def batch_losses(model: Any, batch: Sequence[Encoded], config: Sft) -> Iterator[Tensor]:
    """The batch's mean cross-entropy over the assistant's tokens, in parts of ``micro_batch`` rows that add up to it.

    Logits are made for those positions only.
    """
    inner = model.get_base_model()
    device = next(model.parameters()).device
    mixed = config.precision == "bfloat16" and device.type != "cpu"
    rows = pack(batch)
    answers = int(rows.answers.sum())
    for first in range(0, len(rows.ids), config.micro_batch):
        part = rows.part(first, config.micro_batch).to(device)
        wanted = part.answers[:, 1:]  # the state before a token predicts it
        with torch.autocast(device.type, torch.bfloat16, enabled=mixed):
            states = inner.model(
                input_ids=part.ids, attention_mask=part.mask(), position_ids=part.positions, use_cache=False
            ).last_hidden_state
            logits = inner.lm_head(states[:, :-1][wanted])
        yield functional.cross_entropy(logits.float(), part.ids[:, 1:][wanted], reduction="sum") / answers


@torch.no_grad()
def mean_loss(model: Any, examples: list[Encoded], config: Sft) -> float:
    """Mean cross-entropy over all of the assistant's tokens (0 for no examples)."""
    model.eval()
    total, tokens = 0.0, 0
    for start in range(0, len(examples), config.batch):
        batch = examples[start : start + config.batch]
        count = sum(sum(item.answers[1:]) for item in batch)
        total += sum(float(loss) for loss in batch_losses(model, batch, config)) * count
        tokens += count
    return total / tokens if tokens else 0.0
