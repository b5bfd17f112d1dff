"""The effective cutoff is found where knowledge falls, and only there."""

from __future__ import annotations

import numpy as np
import pytest

from deepred.evaluate.effective_cutoff import effective_cutoff
from deepred.evaluate.statistics import Resampling

HOW = Resampling(resamples=500, confidence=0.95, seed=1)


def answers(
    cut: float, before: float, after: float, families: int = 400, seed: int = 0
) -> tuple[list[float], list[float]]:
    generator = np.random.default_rng(seed)
    years = np.concatenate(
        [generator.uniform(1850, 1969.5, families // 2), generator.uniform(1969.6, 2015, families // 2)]
    )
    return years.tolist(), generator.binomial(1, np.where(years < cut, before, after)).astype(float).tolist()


@pytest.mark.parametrize("cut", [1920.0, 1969.55, 1990.0])
def test_interval_holds_the_true_cutoff_and_is_narrow(cut: float):
    found = effective_cutoff(*answers(cut, 0.9, 0.25), HOW)
    assert found.low is not None and found.high is not None
    assert found.low - 0.5 <= cut <= found.high + 0.5
    assert found.high - found.low <= 20
    assert found.before is not None and found.after is not None and found.before - found.after > 0.5


@pytest.mark.parametrize(("before", "after"), [(0.25, 0.25), (0.9, 0.9), (0.3, 0.9)])
def test_no_cutoff_is_named_where_accuracy_does_not_fall(before: float, after: float):
    found = effective_cutoff(*answers(1969.55, before, after), HOW)
    assert found.year is None
    assert found.reason == "no fall"


def test_false_alarms_are_about_as_rare_as_the_level_says():
    few = Resampling(resamples=100, confidence=0.95, seed=1)
    alarms = sum(effective_cutoff(*answers(0, 0.25, 0.25, 100, seed), few).year is not None for seed in range(60))
    assert alarms <= 8


def test_few_families_or_one_date_give_the_reason():
    assert effective_cutoff([1960.0] * 5, [1.0] * 5, HOW).reason == "too few families: 5"
    assert effective_cutoff([1960.0] * 50, [1.0] * 50, HOW).reason == "the families' dates do not spread"
