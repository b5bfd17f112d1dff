"""Sections of the stages that make the corpus."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from deepred.run.config.base import Section, Sources


class Doses(Section):
    """Later facts put back into the filtered text, in the arm `dosed`: the smallest leak that the evaluation sees."""

    levels: list[Annotated[int, Field(ge=0)]] = Field(
        default=[0, 1, 4, 16, 64],
        min_length=2,
        description="How often a later fact is read in the whole training; facts take turns.",
    )
    tokens: int = Field(
        default=0,
        ge=0,
        description="Tokens of text to plant in, so that each planted sentence is read once (0: `pretrain.tokens`).",
    )


class Probes(Section):
    """Statements with first-knowable dates, fixed before any training."""

    families: int = Field(default=400, ge=0, description="Families (facts) kept at most per era.")
    options: int = Field(default=4, ge=2, le=8, description="Options of a choice.")
    kinds: list[Literal["statement", "cloze", "event", "question"]] = Field(
        default=["statement"],
        min_length=1,
        description="Kinds asked: statements (the headline's), clozes, On-this-day completions, questions of files.",
    )
    questions: Sources = Field(
        default=[], description="Question files: TimeQA (.json), OpenTriviaQA (.txt), dated events (.csv)."
    )
    match: bool = Field(
        default=False,
        description="Keep only facts that pair before and after in relation, length and frequency of names.",
    )


class Mixture(Section):
    """All documents as one corpus: near-duplicates out, probes' wording out, weighted, split."""

    weights: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default={"wikipedia": 1.0, "books": 1.0, "chess": 1.0, "topics": 1.0, "augment": 1.0},
        description="Epochs of each source in the training split; a part of an epoch is met by tokens.",
    )
    shares: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default={},
        description="Share of the training tokens of each source, in place of `weights`; one not named gets none.",
    )
    max_epochs: float = Field(
        default=4.0,
        gt=0,
        description="Epochs of a source at most where `shares` decide; the corpus is cut rather than repeated more.",
    )
    near_duplicates: float = Field(
        default=0.85,
        ge=0,
        le=1,
        description="Share of words in common (in order, or in runs of ten) of a near-duplicate (0: exact only).",
    )
    validation: float = Field(default=0.01, gt=0, lt=0.5, description="Share of documents held out for validation.")


class Tokenizer(Section):
    """Byte-level BPE trained on the filtered corpus, or a tokenizer adopted."""

    vocabulary: int = Field(default=2048, ge=300, description="Size of the vocabulary, special tokens included.")
    pattern: Literal["gpt-2", "llama-bpe", "smollm"] = Field(
        default="gpt-2", description="Pre-tokenizer, by the name that llama.cpp gives it."
    )
    adopt: str = Field(default="", description="Folder or hub id of a tokenizer to use as it is (empty: train one).")
    sample_bytes: int = Field(
        default=200_000_000, ge=1, description="Text that the training of the tokenizer reads at most."
    )


class Shards(Section):
    """Token files."""

    tokens_per_file: int = Field(default=100_000_000, ge=1000, description="Tokens of a `.bin` file at most.")
