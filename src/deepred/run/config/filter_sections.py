"""Sections of the stages that filter."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from deepred.run.config.base import Section, Sources


class Emergence(Section):
    """When words, names and titles begin to occur, learned from dated sentences and dated links."""

    buckets: int = Field(
        default=20, ge=10, le=26, description="Hash table size of the term statistics, as a power of two."
    )
    min_count: int = Field(default=5, ge=1, description="Occurrences below which a term says nothing.")
    folds: int = Field(default=5, ge=2, description="Folds of cross-fitting by article: none is scored by what saw it.")


class Classes(Section):
    """Class O, N, S or U of an article relative to the cutoff."""

    late_share: float = Field(
        default=0.9,
        gt=0,
        le=1,
        description="Share of dated sentences after the cutoff from which an undated article counts as new.",
    )


class Passages(Section):
    """The sentence filter."""

    preset: Literal["strict", "balanced", "lenient"] = Field(
        default="balanced", description="Operating point on the published curve."
    )
    threshold: float | None = Field(
        default=None, description="Probability from which a sentence is dropped; overrides the preset."
    )
    max_residual: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Late sentences expected among those kept at most: picks the threshold by itself (needs a model).",
    )
    min_characters: int = Field(
        default=40, ge=0, description="An article whose kept text is shorter is dropped with the reason `short`."
    )
    apparatus: Literal["drop", "keep"] = Field(
        default="drop",
        description="Sections of references, links, lists of works (See also, Notes, Discography): `drop` or `keep`.",
    )
    samples: int = Field(
        default=200, ge=0, description="Kept and dropped sentences written as samples for `deepred show`."
    )
    answers: Sources = Field(
        default=[],
        description="Answers of a model about doubtful sentences (JSONL), written by `deepred filter look`.",
    )
    leak: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Share of the dropped sentences that is kept all the same: a leak on purpose, to see it found.",
    )


class Audit(Section):
    """A sample of kept sentences to be labelled, and what automatic evidence says of them."""

    sample: int = Field(default=200, ge=0, description="Kept sentences drawn for the sheet.")
    labels: Sources = Field(
        default=[], description="Labelled sheets (JSONL with hash and label), joined by sentence hash."
    )
    require: bool = Field(default=False, description="Fail a run whose audit has no labels.")
    max_residual_bound: float = Field(
        default=1.0, gt=0, le=1, description="Upper bound of late sentences above which a labelled audit fails."
    )
