"""Figures over families: intervals that cover, gains in pairs, effects that could have been seen."""

from __future__ import annotations

import numpy as np
import pytest

from deepred.evaluate.statistics import (
    Resampling,
    exact_bounds,
    holm,
    mean_over_families,
    minimum_detectable_effect,
    paired_gain,
)

HOW = Resampling(resamples=1000, confidence=0.95, seed=1)


def test_interval_covers_the_true_value_about_as_often_as_it_says():
    generator = np.random.default_rng(3)
    covered = 0
    for trial in range(200):
        figure = mean_over_families(generator.binomial(1, 0.6, 100).tolist(), Resampling(400, 0.95, trial))
        assert figure.low is not None and figure.high is not None
        covered += figure.low <= 0.6 <= figure.high
    assert 180 <= covered <= 199


def test_two_prompts_of_a_family_do_not_halve_the_variance():
    families = ([1.0] * 60) + ([0.0] * 40)
    wide = mean_over_families(families, HOW)
    narrow = mean_over_families(families * 2, HOW)  # what counting every prompt as its own cluster would claim
    assert wide.high - wide.low > 1.2 * (narrow.high - narrow.low)


@pytest.mark.parametrize("number", [0, 1, 3, 9])
def test_too_few_families_give_no_figure_but_the_reason(number: int):
    figure = mean_over_families([1.0] * number, HOW)
    assert figure.to_json() == {
        "accuracy": None, "low": None, "high": None, "families": number, "reason": f"too few families: {number}",
    }  # fmt: skip


def test_all_right_leaves_room_for_doubt():
    figure = mean_over_families([1.0] * 100, HOW)
    assert figure.value == figure.high == 1.0
    assert figure.low == pytest.approx(0.9638, abs=1e-4)  # Clopper-Pearson, 100 of 100
    assert exact_bounds(False, 100, 0.95) == (0.0, pytest.approx(0.0362, abs=1e-4))


def test_the_same_seed_gives_the_same_interval():
    scores = [0.0, 0.5, 1.0] * 10
    assert mean_over_families(scores, HOW) == mean_over_families(scores, HOW)
    assert mean_over_families(scores, HOW) != mean_over_families(scores, Resampling(1000, 0.95, 2))


def test_gain_over_an_equal_floor_is_zero_with_its_detectable_effect():
    scores = {f"f{n}": float(n % 4 == 0) for n in range(200)}
    shifted = {f"f{n}": float(n % 4 == 1) for n in range(200)}
    figure = paired_gain(scores, shifted, HOW)
    assert figure.value == 0.0
    assert figure.low < 0 < figure.high
    assert figure.detectable == pytest.approx(2.8 * np.sqrt(0.5 / 200), rel=0.02)
    assert paired_gain(scores, scores, HOW).value == 0.0


def test_gain_is_over_families_that_both_answered():
    scores = {f"f{n}": 1.0 for n in range(40)}
    floor = {f"f{n}": 0.0 for n in range(20, 60)}
    figure = paired_gain(scores, floor, HOW)
    assert (figure.value, figure.families) == (1.0, 20)
    assert paired_gain(scores, {}, HOW).reason == "too few families: 0"


def test_an_effect_of_the_detectable_size_is_detected_four_times_in_five():
    generator = np.random.default_rng(5)
    size = minimum_detectable_effect(generator.normal(0, 1, 4000), 0.95)
    assert size == pytest.approx(2.8 / np.sqrt(4000), rel=0.05)
    found = 0
    for trial in range(200):
        values = generator.normal(2.8 / np.sqrt(100), 1, 100)
        figure = mean_over_families(values.tolist(), Resampling(300, 0.95, trial))
        found += figure.low > 0
    assert 0.7 < found / 200 < 0.9


@pytest.mark.parametrize(
    ("given", "expected"),
    [([], []), ([0.01, 0.04], [0.02, 0.04]), ([0.04, 0.01], [0.04, 0.02]), ([0.5, 0.6, 0.01], [1.0, 1.0, 0.03])],
)
def test_holm_adjusts_and_never_reorders(given: list[float], expected: list[float]):
    assert holm(given) == pytest.approx(expected)
