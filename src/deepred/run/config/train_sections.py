"""Sections of the stages that train."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from deepred.run.config.base import HOW, Section


class Model(Section):
    """Shape of a model trained from scratch (Llama architecture)."""

    layers: int = Field(default=2, ge=1, description="Transformer layers.")
    width: int = Field(default=128, ge=16, description="Hidden size.")
    heads: int = Field(default=4, ge=1, description="Attention heads.")
    kv_heads: int = Field(default=4, ge=1, description="Key-value heads (grouped-query attention).")
    feed_forward: int = Field(default=384, ge=16, description="Inner size of the feed-forward layers.")
    tied: bool = Field(default=True, description="Whether input and output embeddings are one matrix.")
    base: str = Field(
        default="", description="Folder or hub id of a base model to continue (empty: train from scratch)."
    )


class Pretrain(Section):
    """Pre-training."""

    model: Model = Field(default_factory=Model, description="The model's shape or its base.")
    tokens: int = Field(default=400_000, ge=1, description="Tokens to train on, of every arm.")
    seed: int | None = Field(
        default=None, description="Another seed of initialisation and order than the run's, for a second training."
    )
    sequence: int = Field(default=128, ge=8, description="Tokens of a sequence.")
    batch: int = Field(default=16, ge=1, description="Sequences of an optimizer step.")
    micro_batch: Annotated[int, HOW] = Field(default=16, ge=1, description="Sequences of one forward pass.")
    learning_rate: float = Field(default=3e-3, gt=0, description="Peak learning rate.")
    final_rate: float = Field(default=0.1, ge=0, le=1, description="Final learning rate as a share of the peak.")
    warmup: float = Field(default=0.05, ge=0, le=1, description="Share of the steps in which the rate rises.")
    warmup_steps: int = Field(default=0, ge=0, description="Steps in which the rate rises, in place of `warmup`.")
    weight_decay: float = Field(default=0.1, ge=0, description="AdamW weight decay.")
    betas: tuple[float, float] = Field(default=(0.9, 0.95), description="AdamW moments.")
    clip: float = Field(default=1.0, gt=0, description="Norm to which gradients are clipped.")
    precision: Literal["float32", "bfloat16"] = Field(
        default="float32", description="Precision of the forward pass; float32 on a CPU."
    )
    schedule: Literal["cosine", "wsd", "constant"] = Field(
        default="cosine", description="Course of the rate after the warm-up; wsd is stable, then decays linearly."
    )
    decay: float = Field(default=0.2, gt=0, le=1, description="Share of the steps in which the rate decays, for wsd.")
    z_loss: float = Field(default=0.0, ge=0, description="Weight of the squared log-normalizer in the loss (0: off).")
    packing: Literal["contiguous", "best-fit"] = Field(
        default="contiguous",
        description="How documents become sequences: cut from one stream, or packed whole wherever one fits.",
    )
    attention: Literal["causal", "document"] = Field(
        default="causal", description="What a token sees: all before it in its sequence, or only its own document."
    )
    activations: Annotated[Literal["keep", "recompute"], HOW] = Field(
        default="keep", description="Keep all activations for the backward pass, or recompute them to save memory."
    )
    compiled: Annotated[bool, HOW] = Field(
        default=False, description="Compile the model (on a CPU that needs a C++ compiler)."
    )
    dev_fraction: float = Field(default=1.0, gt=0, le=1, description="Share of the training sequences that is used.")
    early_stop: int = Field(
        default=0, ge=0, description="Stop after so many validations that rise while training loss falls (0: never)."
    )
    checkpoint_steps: Annotated[int, HOW] = Field(default=100, ge=0, description="Steps between checkpoints (0: off).")
    checkpoint_tokens: Annotated[int, HOW] = Field(default=0, ge=0, description="Tokens between checkpoints (0: off).")
    checkpoint_minutes: Annotated[float, HOW] = Field(
        default=0.0, ge=0, description="Minutes between checkpoints (0: off); whichever comes first counts."
    )
    keep_checkpoints: Annotated[int, HOW] = Field(
        default=2,
        ge=1,
        description="Checkpoints kept while training: where the last is damaged, the one before serves.",
    )
    keep_steps: Annotated[int, HOW] = Field(
        default=0, ge=0, description="Steps between models kept for good in `snapshots/` (0: none)."
    )
    resume: str = Field(
        default="",
        description="Folder of another pre-training (`….partial` too) whose last checkpoint to go on from, "
        "though the configuration differs; best with a single arm.",
    )
    resume_corpus: Literal["same", "any"] = Field(
        default="same",
        description="Whether the checkpoint that `resume` names may have been trained on another corpus.",
    )
    validate_steps: int = Field(default=100, ge=1, description="Steps between validations.")


class Continued(Section):
    """How the arm `continued` trains the unfiltered arm's model on with the filtered text; the rest is `pretrain`'s."""

    rate: float = Field(default=0.1, gt=0, description="Peak learning rate as a share of `pretrain.learning_rate`.")
    share: float = Field(default=0.4, gt=0, description="Tokens as a share of `pretrain.tokens`.")


class Sft(Section):
    """Supervised fine-tuning with LoRA, loss on the assistant's tokens only."""

    rank: int = Field(default=16, ge=1, description="LoRA rank.")
    alpha: int = Field(default=32, ge=1, description="LoRA scale.")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="LoRA dropout.")
    learning_rate: float = Field(
        default=3e-3,
        gt=0,
        description="Peak learning rate: 3e-3 for a million parameters, 2e-4 for hundreds of millions.",
    )
    epochs: float = Field(default=4.0, gt=0, description="Epochs over the examples.")
    batch: int = Field(default=16, ge=1, description="Conversations of an optimizer step.")
    micro_batch: int = Field(default=16, ge=1, description="Packed rows of one forward pass.")
    replay: float = Field(
        default=0.0, ge=0, description="Pieces of corpus text read again for each conversation, to keep knowledge."
    )
    precision: Literal["float32", "bfloat16"] = Field(
        default="float32", description="Precision of the forward pass; float32 on a CPU."
    )
