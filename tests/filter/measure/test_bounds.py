from __future__ import annotations

import pytest

from deepred.filter.measure.bounds import Estimate, clopper_pearson, reweighted


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [(0, 10, 0.0, 0.3085), (5, 10, 0.1871, 0.8129), (10, 10, 0.6915, 1.0), (0, 0, 0.0, 1.0), (4, 200, 0.0055, 0.0504)],
)
def test_bounds_are_the_published_ones(hits: int, trials: int, low: float, high: float) -> None:
    assert clopper_pearson(hits, trials, 0.95) == pytest.approx((low, high), abs=1e-4)


def test_strata_count_by_what_they_stand_for_and_an_unlabelled_one_by_the_worst() -> None:
    told = reweighted([Estimate(900, 100, 0), Estimate(100, 100, 50)], 0.95)
    assert told["estimate"] == pytest.approx(0.05)
    assert told["low"] < 0.05 < told["high"] < 0.12
    assert reweighted([Estimate(500, 100, 0), Estimate(500, 0, 0)], 0.95)["high"] > 0.5
