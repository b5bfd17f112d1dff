"""One optimizer step, and all that it needs: model, data, optimizer and the ranks that share the work.

A step is a function of its number: which sequences it reads, at which rate, on whichever number of ranks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from deepred.base.errors import FaultError, UserError
from deepred.corpus.tokenizer import load_encoder
from deepred.run.config import Pretrain
from deepred.run.stage import Work
from deepred.train.attention import choose_blocks, use_own_attention
from deepred.train.device import set_threads
from deepred.train.loss import Objective
from deepred.train.model import (
    build_model,
    compare_losses,
    decay_groups,
    layers_of,
    own_loss,
    parts_of,
    recompute_activations,
    weights_hash,
)
from deepred.train.packing import Sequences
from deepred.train.precision import Masters
from deepred.train.ranks import Ranks, shard
from deepred.train.schedule import learning_rate, samples
from deepred.train.token_files import Tokens

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Encoder

EPSILON = 1e-8
"""AdamW's own, as in Llama's and TinyLlama's training."""


OWN_LOSS_TOKENS = 513
"""Tokens of the first sequence on which a base model's own loss is compared: its full logits must fit."""


@dataclass
class Training:
    """What a run is made of; the step's number is its only memory beside the tensors."""

    config: Pretrain
    seed: int
    begun: str
    """Hash of the weights of another run that this one began with, if it did."""
    tokens: Tokens
    sequences: Sequences
    tokenizer: Path
    encoder: Encoder
    model: Any
    objective: Objective
    weights: dict[str, Tensor]
    """What the optimizer moves, by the parameters' names: float32, sharded where there are several ranks."""
    masters: Masters | None
    optimizer: torch.optim.Optimizer
    device: torch.device
    ranks: Ranks
    steps: int
    own_loss: dict[str, float] | None = None
    """The base model's own loss of the first sequence and ours, where there is a base."""
    pending: list[tuple[int, float, Tensor, Tensor]] = field(default_factory=list[tuple[int, float, Tensor, Tensor]])
    """Steps whose loss is still on the device: step, rate, loss, norm of the gradient."""
    loader: Loader | None = None

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
        """Whether products run in bfloat16."""
        return runs_mixed(self.config, self.device)

    def parts(self, step: int) -> list[NDArray[np.int64]]:
        """This rank's sequences of a step, a micro-batch each: every so-manieth of the step's sequences."""
        config = self.config
        numbers = samples(step * config.batch, config.batch, self.used, self.seed)[self.ranks.rank :: self.ranks.size]
        pieces = range(0, len(numbers), config.micro_batch)
        return [self.sequences.batch(numbers[first : first + config.micro_batch]) for first in pieces]


def runs_mixed(config: Pretrain, device: torch.device) -> bool:
    """Whether products run in bfloat16; on a CPU they are up to 76 times slower than in float32."""
    return config.precision == "bfloat16" and device.type != "cpu"


def prepare(
    shards: Path,
    tokenizer: Path,
    config: Pretrain,
    seed: int,
    work: Work,
    device: torch.device,
    ranks: Ranks | None = None,
    start: Path | None = None,
) -> Training:
    """Model, data and optimizer, ready for the first step."""
    ranks = ranks or Ranks()
    require_even(config, ranks.size)
    tokens = Tokens(shards)
    sequences = tokens.sequences(config.sequence, config.packing)
    is_mixed = runs_mixed(config, device)
    model = build_model(config, tokenizer, seed, start).to(device)
    set_threads(work.settings.threads, model)
    if device.type == "cuda" and is_mixed:
        torch.set_float32_matmul_precision("high")  # what bfloat16 leaves in float32 may use the tensor cores
    trunk, head = parts_of(model)
    if tokens.meta["vocabulary"] > head.shape[0]:
        raise FaultError(
            f"the token files use {tokens.meta['vocabulary']:,} ids, the model embeds {head.shape[0]:,}",
            "run `tokenizer` and `shards` again",
        )
    first = torch.from_numpy(sequences.batch([0])[:, :OWN_LOSS_TOKENS]).to(device)
    alone = own_loss(model, first) if start or config.model.base else None
    objective = _objective(model, trunk, tokens, config, device)
    compared = (
        None if alone is None else compare_losses(alone, _plain_loss(objective, first), config.model.base or "start")
    )
    model.train()
    masters = None
    if ranks.size > 1:
        shard(objective, layers_of(trunk), ranks, device, is_mixed)
    elif is_mixed:
        masters = Masters(model)
    if config.compiled:  # after sharding, so that what gathers the shards stays outside
        _compile(objective, trunk, device)
    own: dict[str, Tensor] = dict(cast("nn.Module", model).named_parameters())
    weights = masters.copies if masters else own
    groups = decay_groups(model, weights, config.weight_decay)
    optimizer = torch.optim.AdamW(groups, config.learning_rate, config.betas, EPSILON, fused=True)
    steps = math.ceil(config.tokens / (config.batch * config.sequence))
    begun = weights_hash(start / "model") if start else ""
    encoder = load_encoder(tokenizer)
    return Training(
        config,
        seed,
        begun,
        tokens,
        sequences,
        tokenizer,
        encoder,
        model,
        objective,
        weights,
        masters,
        optimizer,
        device,
        ranks,
        steps,
        compared,
    )


def _objective(model: Any, trunk: nn.Module, tokens: Tokens, config: Pretrain, device: torch.device) -> Objective:
    owns = use_own_attention(model, config.sequence)
    separator, blocks = None, False
    if config.attention == "document":
        separator = tokens.meta["end_of_text"]
        if not owns:
            raise UserError(
                f"{type(model).__name__} cannot keep documents apart: its attention has a form of its own",
                'set pretrain.attention to "causal"',
            )
        blocks = choose_blocks(trunk, separator, device, config.sequence)
    if config.activations == "recompute":
        recompute_activations(model)
    return Objective(model, trunk, separator, blocks)


def require_even(config: Pretrain, size: int) -> None:
    """Refuse a batch that leaves some ranks with more sequences than others: they would wait for each other forever."""
    if config.batch % size:
        raise UserError(
            f"a batch of {config.batch} sequences does not divide over {size} ranks",
            "set pretrain.batch to a multiple of DEEPRED_RANKS",
        )


@torch.no_grad()
def _plain_loss(objective: Objective, ids: Tensor) -> float:
    """The loss with plain causal attention, which is what a base model's own is."""
    objective.eval()
    separator, objective.separator = objective.separator, None
    loss = float(objective(ids))
    objective.separator = separator
    return loss


def _compile(objective: Objective, trunk: nn.Module, device: torch.device) -> None:
    """Compile layer by layer: all share one graph, so that a deep model compiles as fast as a shallow one."""
    for layer in layers_of(trunk):
        layer.forward = torch.compile(layer.forward, dynamic=False)
    objective.fused = device.type != "cpu"


class Loader:
    """Micro-batches on the device: while one step runs, the next one's are read and pinned by a thread."""

    def __init__(self, training: Training) -> None:
        self._training = training
        self._pool = ThreadPoolExecutor(1)
        self._ahead: dict[int, Future[list[Tensor]]] = {}

    def batches(self, step: int) -> Iterator[Tensor]:
        """A step's micro-batches; copied without waiting for the device."""
        ahead = self._ahead.pop(step, None) or self._pool.submit(self._read, step)
        if step + 1 < self._training.steps:
            self._ahead = {step + 1: self._pool.submit(self._read, step + 1)}
        for part in ahead.result():
            yield part.to(self._training.device, non_blocking=True)

    def _read(self, step: int) -> list[Tensor]:
        return [torch.from_numpy(part).pin_memory() for part in self._training.parts(step)]


def micro_batches(training: Training, step: int) -> Iterator[Tensor]:
    """This rank's ids of a step, (sequences, length + 1), a micro-batch at a time, on the device."""
    if training.device.type != "cuda":
        return (torch.from_numpy(part).to(training.device) for part in training.parts(step))
    training.loader = training.loader or Loader(training)
    return training.loader.batches(step)


def train_step(training: Training, step: int) -> None:
    """One optimizer step over ``batch`` sequences, ``micro_batch`` at a time; nothing here waits for the device."""
    config, ranks = training.config, training.ranks
    rate = learning_rate(config, step, training.steps)
    for group in training.optimizer.param_groups:
        group["lr"] = rate
    total = torch.zeros((), device=training.device)
    mine = config.batch // ranks.size
    for ids in micro_batches(training, step):
        loss = training.objective(ids, config.z_loss) * (len(ids) / mine)
        loss.backward()
        total += loss.detach()
    moved = [weight for group in training.optimizer.param_groups for weight in group["params"]]
    norm = nn.utils.clip_grad_norm_(moved, config.clip)
    if hasattr(norm, "full_tensor"):
        norm = cast("Any", norm).full_tensor()
    training.optimizer.step()
    training.optimizer.zero_grad(set_to_none=True)
    if training.masters:
        training.masters.hand_down()
    training.pending.append((step + 1, rate, total, norm))
