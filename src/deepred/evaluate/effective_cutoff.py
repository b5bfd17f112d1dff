"""The effective cutoff: the year in which a model's knowledge falls, with an interval, estimated without being told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepred.evaluate.statistics import MIN_FAMILIES, MIN_STEP, Resampling, Scores, interval

SIGNIFICANCE = 0.05
"""Share of shuffled date orders that may fall as steeply before "there is no fall" is rejected."""


@dataclass(frozen=True)
class Changepoint:
    """The year from which scores are lower, with its interval and the levels around it; or no year and the reason."""

    year: float | None
    low: float | None
    high: float | None
    before: float | None = None
    after: float | None = None
    p_value: float | None = None
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, rounded; keys without a value are left out but for the year and its bounds."""
        rounded = {
            name: None if value is None else round(value, digits)
            for name, value, digits in (
                ("year", self.year, 1), ("low", self.low, 1), ("high", self.high, 1),
                ("level_before", self.before, 4), ("level_after", self.after, 4), ("p_value", self.p_value, 4),
            )
        }  # fmt: skip
        return {**rounded, **({"reason": self.reason} if self.reason else {})}


def effective_cutoff(years: Sequence[float], scores: Sequence[float], how: Resampling) -> Changepoint:
    """The year that splits families into known and unknown best (least squares), where accuracy falls at all.

    ``years`` may be fractional (1969.55). Whether there is a fall is tested by permutation: the largest step found in
    the true order against the largest steps in shuffled orders. The interval is a percentile bootstrap over families.
    """
    order = np.argsort(np.asarray(years), kind="stable")
    when, values = np.asarray(years, dtype=np.float64)[order], np.asarray(scores, dtype=np.float64)[order]
    if len(values) < 2 * MIN_FAMILIES:
        return Changepoint(None, None, None, reason=f"too few families: {len(values)}")
    splits = np.flatnonzero(np.diff(when) > 0) + 1  # families of one day are never split
    splits = splits[(splits >= MIN_STEP) & (splits <= len(values) - MIN_STEP)]
    if not len(splits):
        return Changepoint(None, None, None, reason="the families' dates do not spread")
    generator = np.random.default_rng(how.seed)
    ones = np.ones((1, len(values)))
    best, fall = _steepest(ones, values, splits)
    shuffled = np.array([_steepest(ones, generator.permutation(values), splits)[1][0] for _ in range(how.resamples)])
    p_value = float((1 + np.sum(shuffled >= fall[0])) / (1 + len(shuffled)))
    if fall[0] <= 0 or p_value > SIGNIFICANCE:
        return Changepoint(None, None, None, p_value=p_value, reason="no fall")
    counts = generator.multinomial(len(values), np.full(len(values), 1 / len(values)), size=how.resamples)
    found, _ = _steepest(counts.astype(np.float64), values, splits)
    # between two neighbouring dates any day fits alike, so the interval reaches over the gaps at its ends
    low, _ = interval(when[splits - 1][found], how.confidence)
    _, high = interval(when[splits][found], how.confidence)
    split = splits[best[0]]
    year = float(when[split - 1] + when[split]) / 2
    return Changepoint(year, low, high, float(values[:split].mean()), float(values[split:].mean()), p_value)


def _steepest(weights: Scores, values: Scores, splits: np.ndarray) -> tuple[np.ndarray, Scores]:
    """For each row of weights the split that explains most variance by a fall, as an index into splits, and how much.

    The variance that a split explains is ``n_before * n_after / n * (mean_before - mean_after)**2``; steps that rise
    count as negative, so that only a fall can win.
    """
    n = np.cumsum(weights, axis=1)
    sums = np.cumsum(weights * values, axis=1)
    total, whole = n[:, -1:], sums[:, -1:]
    before, sum_before = n[:, splits - 1], sums[:, splits - 1]
    after, sum_after = total - before, whole - sum_before
    step = sum_before / np.maximum(before, 1) - sum_after / np.maximum(after, 1)
    explained = np.sign(step) * before * after / total * step**2
    best = explained.argmax(axis=1)
    return best, explained[np.arange(len(best)), best]
