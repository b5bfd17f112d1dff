"""Pooled figures find what was put in, raise no alarm where nothing was, and never say more than they measured."""

from __future__ import annotations

import json
import random

import pytest

from deepred.evaluate.arms import Arm
from deepred.evaluate.choices import Answer, summarize
from deepred.evaluate.pooling import Point, contrast, mean_figure, minus
from deepred.evaluate.report.twins_page import findings, twins_html, twins_markdown, write_twins
from deepred.evaluate.statistics import Resampling
from deepred.evaluate.train_twins import twin_runs
from deepred.evaluate.twins import Pool, Training, compare_arms
from deepred.run.config import Run

HOW = Resampling(400, 0.95, 1)
DOSES = (0, 1, 4, 16, 64)
SKILL = {
    "filtered": (0.9, 0.25),
    "unfiltered": (0.9, 0.9),
    "article": (0.9, 0.8),
    "continued": (0.9, 0.45),
    "dosed": (0.9, 0.25),
    "floor": (0.25, 0.25),
}
RESPONSE = {0: 0.25, 1: 0.25, 4: 0.5, 16: 0.8, 64: 0.97}


def make_training(seed: int, skill=SKILL, families: int = 100) -> Training:
    doses = {f"f{n}": DOSES[n % 5] for n in range(families, 2 * families)}
    arms: dict[str, Arm] = {}
    for name, (before, after) in skill.items():
        chance = random.Random(f"{seed} {name}")
        answers: list[Answer] = []
        for n in range(2 * families):
            era = "before" if n < families else "after"
            right = before if era == "before" else after
            if name == "dosed" and era == "after":
                right = RESPONSE[doses[f"f{n}"]]
            year = 1850 + n * 119 // families if era == "before" else 1970 + (n - families) * 45 // families
            correct = tuple(float(chance.random() < right) for _ in range(2))
            # a planted answer is the more frequent one, so that it is also chosen without its question
            alone = min(1.0, 0.1 * doses[f"f{n}"]) if name == "dosed" and era == "after" else 0.0
            answers.append(Answer(f"f{n}", era, year * 10000 + 615, "founder", correct, ("x", "y"), (alone, alone)))
        arms[name] = Arm(name, summarize(answers, 4, HOW) | {"probes": f"hash {seed}"}, answers)
    clusters = {f"f{n}": f"answer {n // 2}" for n in range(2 * families)}
    read = {name: {"tokens": 1_000_000, "epochs": 9.5, "parameters": 650_000} for name in skill}
    return Training(seed, arms, clusters, doses if "dosed" in skill else {}, {}, read)


def compare(skill=SKILL, seeds=(1, 2, 3), families: int = 100, generated: bool = True) -> dict:
    pool = Pool([make_training(seed, skill, families) for seed in seeds], generated, HOW, 19690720)
    return compare_arms(pool, "demo")


@pytest.fixture(scope="module")
def compared() -> dict:
    return compare()


def test_every_arm_has_its_figures_under_the_names_that_are_documented(compared):
    for name in ("filtered", "unfiltered", "article", "continued", "floor"):
        arm = compared["arms"][name]
        for era in ("before", "after"):
            assert arm[era]["low"] <= arm[era]["accuracy"] <= arm[era]["high"]
            if name != "floor":
                assert arm[f"gain_{era}"]["low"] <= arm[f"gain_{era}"]["gain"] <= arm[f"gain_{era}"]["high"]
    assert compared["arms"]["filtered"]["before"]["families"] == 300


def test_pooled_gains_find_what_each_arm_knows(compared):
    arms = compared["arms"]
    assert arms["filtered"]["gain_before"]["low"] > 0.5
    assert arms["filtered"]["gain_after"]["low"] < 0 < arms["filtered"]["gain_after"]["high"] < 0.1
    assert arms["article"]["gain_after"]["low"] > 0.4
    assert compared["differences"]["unfiltered_minus_filtered"]["low"] > 0.35
    assert compared["differences"]["continued_minus_filtered"]["low"] > 0
    assert 0 < compared["minimum_detectable_effect"] < 0.15


def test_the_response_to_doses_rises_and_the_smallest_seen_is_named(compared):
    gains = {row["dose"]: row for row in compared["doses"]}
    assert gains[4]["gain"] < gains[16]["gain"] < gains[64]["gain"]
    assert [gains[dose]["seen"] for dose in DOSES] == [False, False, True, True, True]
    assert compared["dose_response"]["smallest_seen"] == 4
    assert compared["dose_response"]["monotone_from_4"]
    assert sum(row["families"] for row in gains.values()) == 300


def test_the_effective_cutoff_is_found_and_placebo_cutoffs_show_nothing(compared):
    found = compared["effective_cutoff"]
    assert found["low"] <= 1969.55 <= found["high"] <= found["low"] + 20
    applied = [row for row in compared["placebo"] if row["applied"]]
    assert [row["fall"] > 0.5 for row in applied] == [True]
    placebo = [row for row in compared["placebo"] if not row["applied"]]
    assert len(placebo) >= 9
    assert sum(row["low"] > 0 for row in placebo) <= 2
    assert all(row["detectable"] > 0 for row in placebo)


def test_arms_that_are_alike_raise_few_false_alarms():
    alarms = 0
    for trial in range(20):
        pool = Pool([make_training(trial, {"filtered": (0.25, 0.25), "floor": (0.25, 0.25)}, 60)], True, HOW, 19690720)
        alarms += mean_figure(pool.gains("filtered"), HOW).to_json("gain")["low"] > 0
    assert alarms <= 2


def test_answers_that_are_shared_widen_the_interval():
    chance = random.Random(3)
    truth = [float(chance.random() < 0.5) for _ in range(40)]
    alone = [Point("s", f"c{n}", f"f{n}", "after", 1980, truth[n % 40]) for n in range(400)]
    shared = [Point("s", f"c{n % 40}", f"f{n}", "after", 1980, truth[n % 40]) for n in range(400)]
    first, second = mean_figure(alone, HOW), mean_figure(shared, HOW)
    assert first.value == second.value
    assert second.high - second.low > 2 * (first.high - first.low)


def test_too_few_facts_or_a_model_that_knows_nothing_give_a_reason_and_no_number():
    few = compare(families=4, seeds=(1,))
    assert few["arms"]["filtered"]["gain_after"]["gain"] is None
    assert findings(few)[0].startswith("Nothing can be concluded")
    ignorant = compare({"filtered": (0.25, 0.25), "floor": (0.25, 0.25)})
    assert ignorant["effective_cutoff"]["year"] is None
    assert "knows too little" in findings(ignorant)[0]
    assert ignorant["doses"] == []


def test_without_a_floor_nothing_is_concluded():
    assert findings(compare({"filtered": (0.9, 0.25)}))[0].startswith("Nothing can be concluded")


def test_trainings_on_the_same_facts_are_pooled_by_fact():
    pooled = compare(generated=False)
    assert pooled["arms"]["filtered"]["before"]["families"] == 100
    assert sum(row["families"] for row in pooled["doses"]) == 100
    assert [one["seed"] for one in pooled["by_seed"]] == [1, 2, 3]


def test_a_leak_is_called_a_leak():
    assert "a leak." in findings(compare(SKILL | {"filtered": (0.9, 0.6)}))[0]


def test_page_markdown_and_picture_hold_all_arms_and_need_nothing_from_outside(compared, tmp_path):
    write_twins(compared, tmp_path)
    page = (tmp_path / "twins.html").read_text(encoding="utf-8")
    for part in ('src="http', 'href="http', "@import", "url(http"):
        assert part not in page, part
    assert (tmp_path / "twins.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((tmp_path / "twins.json").read_text(encoding="utf-8")) == compared
    for name in SKILL:
        assert name in page
        assert name in (tmp_path / "twins.md").read_text(encoding="utf-8")
    assert twins_html(compared) == page
    assert twins_markdown(compared).startswith("# demo")


def test_the_difference_of_arms_is_taken_fact_by_fact():
    one = [Point("s", "a", f"f{n}", "after", 1980, 1.0) for n in range(3)]
    other = [Point("s", "a", f"f{n}", "after", 1980, 0.25) for n in range(2)]
    assert [point.score for point in minus(one, other)] == [0.75, 0.75]


def test_a_contrast_needs_enough_facts_on_both_sides():
    points = [Point("s", f"c{n}", f"f{n}", "after", 1900 + n, 1.0) for n in range(30)]
    assert contrast(points, lambda point: point.year < 1903, HOW).reason == "too few families: 3"


def test_worlds_differ_by_their_own_seed_and_real_trainings_by_the_models():
    world = Run.model_validate({"name": "a", "world": {"seed": 4}})
    assert [(seed, run.world.seed) for seed, run in twin_runs(world, 2)] == [(4, 4), (5, 5)]
    real = Run.model_validate({"name": "a", "seed": 7})
    runs = list(twin_runs(real, 2))
    assert [(seed, run.pretrain.seed, run.seed) for seed, run in runs] == [(7, None, 7), (8, 8, 7)]
    assert len({run.name for _, run in runs}) == 2


def test_twins_may_train_longer_than_the_run_without_touching_it():
    run = Run.model_validate({"name": "a", "world": {}, "pretrain": {"tokens": 1000}, "twins": {"tokens": 1250}})
    assert [twin.pretrain.tokens for _, twin in twin_runs(run, 2)] == [1250, 1250]
    assert run.pretrain.tokens == 1000
