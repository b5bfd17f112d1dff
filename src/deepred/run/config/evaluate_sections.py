"""Sections of the stages that measure and report, and of `deepred twins`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from deepred.run.config.asked import Judge
from deepred.run.config.base import Section, Sources


class Evaluate(Section):
    """What the model knows before and after the cutoff."""

    bootstrap: int = Field(default=2000, ge=100, description="Resamples behind each interval.")
    confidence: float = Field(default=0.95, gt=0.5, lt=1, description="Level of the intervals.")


class Interview(Section):
    """What the finished model tells in a chat."""

    families: int = Field(default=40, ge=0, description="Later facts asked about, in every form.")
    controls: int = Field(default=40, ge=0, description="Earlier facts asked about: false refusals, and what it knows.")
    red_team: bool = Field(default=True, description="Also ask in the forms of the red team.")
    answer_tokens: int = Field(default=32, ge=12, description="Tokens of a reply at most.")
    gguf: Literal["all", "chat", "none"] = Field(
        default="chat", description="GGUF files asked beside the merged model: all, the one for chat, or none."
    )
    forms: Sources = Field(default=[], description="A TOML file of forms and questions in place of the shipped one.")
    labels: Sources = Field(
        default=[], description="Labelled replies (JSONL) that a judge is measured on, in place of the shipped ones."
    )
    judge: Judge | None = Field(default=None, description="A model that sorts the replies too (optional).")
    bootstrap: int = Field(default=2000, ge=100, description="Resamples behind each interval.")
    confidence: float = Field(default=0.95, gt=0.5, lt=1, description="Level of the intervals.")


class Capability(Section):
    """Whether the model can still write, and what fine-tuning and quantization did to what it knew."""

    passages: int = Field(default=96, ge=0, description="Held-out passages read for bits per byte.")
    characters: int = Field(default=600, ge=100, description="Characters of a passage.")
    pairs: int = Field(default=20, ge=0, description="Minimal pairs of each grammatical phenomenon.")
    families: int = Field(default=120, ge=0, description="Earlier facts asked about, by likelihood.")
    gguf: Literal["all", "chat", "none"] = Field(
        default="chat", description="GGUF files measured: all, the one for chat, or none."
    )
    bootstrap: int = Field(default=2000, ge=100, description="Resamples behind each interval.")
    confidence: float = Field(default=0.95, gt=0.5, lt=1, description="Level of the intervals.")


class Relearn(Section):
    """Relearning speed: whether later facts are suppressed or absent; present only where a run asks for it."""

    facts: int = Field(default=24, ge=1, description="Later facts that are fine-tuned on, together.")
    steps: int = Field(
        default=60, ge=1, description="Steps at most; a fact not recalled by then counts as recalled there."
    )
    check: int = Field(default=2, ge=1, description="Steps between two checks of what is recalled.")
    learning_rate: float = Field(default=1e-3, gt=0, description="Learning rate; lower for larger models.")
    bootstrap: int = Field(default=2000, ge=100, description="Resamples behind each interval.")
    confidence: float = Field(default=0.95, gt=0.5, lt=1, description="Level of the intervals.")


class Report(Section):
    """The page that shows it all."""

    title: str = Field(default="", description="Title of the page (empty: the run's name).")


class Twins(Section):
    """What `deepred twins` does otherwise than `deepred run`; it changes no run of its own."""

    tokens: int = Field(default=0, ge=0, description="Tokens that every arm trains on (0: `pretrain.tokens`).")
