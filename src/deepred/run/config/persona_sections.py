"""Sections of the stages that make examples and rewritten text."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from deepred.run.config.base import Section, Sources


class Augment(Section):
    """Training text that a teacher has rewritten from kept passages: a source of the mixture by itself."""

    answers: Sources = Field(
        default=[], description="What `deepred teach --for augment` wrote (JSONL): the rewritten pieces."
    )
    forms: list[Literal["questions", "summary", "dialogue"]] = Field(
        default=["questions", "summary", "dialogue"], description="Forms into which pieces are rewritten, in turns."
    )
    max_copied: int = Field(default=30, ge=1, description="Words in a row that may be copied from the source.")
    min_grounded: float = Field(
        default=0.5, ge=0, le=1, description="Share of the content words that the source must have."
    )


class Examples(Section):
    """Instruction examples in the persona's voice."""

    persona: Sources = Field(default=["persona:deep-red"], description="The persona's TOML file.")
    count: int = Field(default=1200, ge=1, description="Examples made at most.")
    kinds: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default={
            "fact": 3.0,
            "passage": 1.0,
            "book": 0.25,
            "chess": 0.25,
            "topic": 0.5,
            "gold": 1.0,
            "unknown": 1.0,
            "taught": 6.0,
        },
        description="Weights of the kinds of examples, by tokens; `taught` are those of `answers`.",
    )
    repeats: dict[str, Annotated[int, Field(ge=0)]] = Field(
        default={},
        description="Times that the persona's own conversations of a theme occur at most; 4 for a theme not named.",
    )
    max_tokens: int = Field(
        default=128, ge=16, description="Tokens of a conversation at most; longer ones are dropped."
    )
    answers: Sources = Field(
        default=[], description="Conversations written by a teacher (JSONL), by `deepred teach`; the kind `taught`."
    )
    max_copied: int = Field(
        default=20, ge=1, description="Words in a row that a teacher's answer may copy from its source."
    )
    min_grounded: float = Field(
        default=0.5, ge=0, le=1, description="Share of the content words of a teacher's answer that its source has."
    )
    near_duplicates: float = Field(
        default=0.8, gt=0, le=1, description="Share of content words in common from which two questions are one."
    )
