"""Accuracy with intervals: cluster bootstrap by family, paired gains, detectable effects, and where knowledge ends.

A family is one fact with its paraphrased prompts; its score is the share of its prompts answered right, so that a
second wording adds no weight. Families are drawn with replacement, never single prompts: the prompts of one fact are
not independent. Everything here takes plain numbers and a seed, and knows nothing of models or files.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

MIN_FAMILIES = 10
"""Families below which no figure is given: a bootstrap over fewer clusters covers far less than its level."""

MIN_STEP = 5
"""Families on either side of a changepoint at least: a step fitted to fewer is noise at the ends of the range."""

KNOWS = 0.05
"""Gain over the floor whose lower bound must exceed this before a model counts as knowing anything."""
NEGLIGIBLE = 0.10
"""Gain over the floor after the cutoff whose upper bound must lie below this before it is called small."""

POWER = 0.8
"""Chance of seeing an effect of the minimum detectable size; the convention since Cohen (1988)."""

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Resampling:
    """How intervals are made: resamples, level and seed."""

    resamples: int = 2000
    confidence: float = 0.95
    seed: int = 1


@dataclass(frozen=True)
class Figure:
    """A mean over families with its interval, or null with the reason why there is none."""

    value: float | None
    low: float | None
    high: float | None
    families: int
    reason: str = ""
    detectable: float | None = None
    """Minimum detectable effect, where the figure is a difference."""

    def to_json(self, name: str = "accuracy") -> dict[str, Any]:
        """As plain JSON with the value under a name, rounded to four places."""
        values: dict[str, Any] = {name: self.value, "low": self.low, "high": self.high}
        if self.detectable is not None:
            values["detectable"] = self.detectable
        rounded = {key: None if value is None else round(value, 4) for key, value in values.items()}
        return {**rounded, "families": self.families, **({"reason": self.reason} if self.reason else {})}


def mean_over_families(scores: Sequence[float], how: Resampling) -> Figure:
    """The mean score with its percentile bootstrap interval; families are the clusters.

    Where all families score the same there is nothing to resample, and an interval of no width would claim certainty:
    then the exact binomial (Clopper-Pearson) bounds of all right or all wrong stand in.
    """
    values = np.asarray(scores, dtype=np.float64)
    if len(values) < MIN_FAMILIES:
        return too_few(len(values))
    value = float(values.mean())
    if np.ptp(values) == 0 and value in {0.0, 1.0}:
        low, high = exact_bounds(value == 1.0, len(values), how.confidence)
    else:
        low, high = interval(resampled_means(values, how), how.confidence)
    return Figure(value, low, high, len(values))


def paired_gain(scores: Mapping[str, float], floor: Mapping[str, float], how: Resampling) -> Figure:
    """The mean difference over the families that both answered, drawn in pairs, with the effect it could have seen."""
    shared = sorted(scores.keys() & floor.keys())
    if len(shared) < MIN_FAMILIES:
        return too_few(len(shared))
    differences = np.array([scores[family] - floor[family] for family in shared])
    low, high = interval(resampled_means(differences, how), how.confidence)
    detectable = minimum_detectable_effect(differences, how.confidence)
    return Figure(float(differences.mean()), low, high, len(shared), detectable=detectable)


def too_few(families: int) -> Figure:
    """No figure, and why: ``too_few(3).reason == "too few families: 3"``."""
    return Figure(None, None, None, families, f"too few families: {families}")


def resampled_means(values: Scores, how: Resampling) -> Scores:
    """Means of ``how.resamples`` samples drawn with replacement; deterministic by seed."""
    generator = np.random.default_rng(how.seed)
    # counts of each family in a resample: one small matrix product instead of resamples x families draws
    counts = generator.multinomial(len(values), np.full(len(values), 1 / len(values)), size=how.resamples)
    return counts @ values / len(values)


def interval(samples: Scores, confidence: float) -> tuple[float, float]:
    """The central percentile interval of resampled values."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(samples, [tail, 1 - tail])
    return float(low), float(high)


def exact_bounds(all_right: bool, families: int, confidence: float) -> tuple[float, float]:
    """Clopper-Pearson bounds when all of n families are right, or none (about "the rule of three").

    >>> exact_bounds(True, 100, 0.95)[0] > 0.96
    True
    """
    edge = ((1 - confidence) / 2) ** (1 / families)
    return (edge, 1.0) if all_right else (0.0, 1 - edge)


def minimum_detectable_effect(differences: Scores, confidence: float, power: float = POWER) -> float:
    """The smallest true difference told from zero with the given power, at this spread and number."""
    normal = NormalDist()
    quantiles = normal.inv_cdf((1 + confidence) / 2) + normal.inv_cdf(power)
    return float(quantiles * differences.std(ddof=1) / math.sqrt(len(differences)))


def chance_of_no_gain(differences: Sequence[float], how: Resampling) -> float:
    """One-sided bootstrap p value against "no gain": how often a resample's mean is zero or less; never exactly 0."""
    means = resampled_means(np.asarray(differences, dtype=np.float64), how)
    return float((1 + np.sum(means <= 0)) / (1 + len(means)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p values, in the given order: ``holm([0.01, 0.04]) == [0.02, 0.04]``."""
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        running = max(running, min(1.0, p_values[index] * (len(p_values) - rank)))
        adjusted[index] = running
    return adjusted


def leak_ratio(before: Sequence[float], after: Sequence[float], how: Resampling) -> Figure:
    """Gain over the floor after the cutoff as a share of the gain before it, with its interval.

    Given only where the gain before is surely above ``KNOWS``: a ratio over nearly nothing says nothing.
    """
    if min(len(before), len(after)) < MIN_FAMILIES:
        return too_few(min(len(before), len(after)))
    known = resampled_means(np.asarray(before, dtype=np.float64), how)
    late = resampled_means(np.asarray(after, dtype=np.float64), Resampling(how.resamples, how.confidence, how.seed + 1))
    if interval(known, how.confidence)[0] <= KNOWS:
        return Figure(None, None, None, len(after), "the model knows too little before the cutoff for a ratio")
    low, high = interval(late / known, how.confidence)
    return Figure(float(np.mean(after) / np.mean(before)), low, high, len(after))
