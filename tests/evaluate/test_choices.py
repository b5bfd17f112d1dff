"""Choices by likelihood: what counts as knowing, and what does not."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from deepred.evaluate.choices import Pair, answer_families, best_options, summarize
from deepred.evaluate.statistics import Resampling

HOW = Resampling(resamples=300, confidence=0.95, seed=1)


def make_families(number: int, era: str = "before", options: int = 4) -> list[dict]:
    chance = random.Random(era)
    families: list[dict] = []
    for n in range(number):
        names = [f"{era} {(n + step) % number}" for step in range(options)]
        answer = names[0]
        chance.shuffle(names)
        items = [
            {"prompt": f"{era} subject {n} {form}", "neutral": form, "options": names, "answer": names.index(answer)}
            for form in ("is in", "lies near")
        ]
        known = (1900 + n % 60 if era == "before" else 1970 + n % 40) * 10000 + 101
        family = {"family": f"{era}-{n}", "era": era, "known": known, "relation": f"r{n % 2}", "answer_text": answer}
        families.append(family | {"items": items})
    return families


FAMILIES = make_families(100) + make_families(100, "after")
TRUE = {(item["prompt"], f" {family['answer_text']}") for family in FAMILIES for item in family["items"]}


def figures(score) -> dict:
    return summarize(answer_families(FAMILIES, lambda pairs: [score(pair) for pair in pairs]), 4, HOW)


def test_a_model_that_knows_everything_scores_one():
    results = figures(lambda pair: 0.0 if pair in TRUE else -5.0)
    assert results["before"]["accuracy"] == results["after"]["accuracy"] == 1.0
    assert results["before"]["families"] == 100


def test_a_model_that_answers_everything_the_same_scores_chance_exactly():
    results = figures(lambda pair: -7.5)
    assert results["before"]["accuracy"] == results["after"]["accuracy"] == results["chance"] == 0.25


@pytest.mark.parametrize(
    "score",
    [
        lambda pair: -float(len(pair[1])),  # prefers short answers
        lambda pair: -sum(map(ord, pair[1])) / 10,  # prefers some names, whatever is asked
        lambda pair: -random.Random(pair[1]).random() * 20,
        lambda pair: -float(len(pair[0])) - len(pair[1]),  # long prompts less likely
    ],
)
def test_a_preference_for_some_names_is_no_knowledge(score):
    results = figures(score)
    assert results["before"]["accuracy"] == pytest.approx(0.25, abs=1e-6)


def test_a_model_that_draws_at_random_scores_about_chance():
    results = figures(lambda pair: -random.Random(str(pair)).random())
    assert results["after"]["low"] <= 0.25 <= results["after"]["high"]


def test_a_model_that_knows_only_the_past_has_its_cutoff_found():
    results = figures(
        lambda pair: 5.0 if pair in TRUE and pair[0].startswith("before") else -random.Random(str(pair)).random()
    )
    assert results["before"]["accuracy"] == 1.0
    assert results["after"]["high"] < 0.45
    assert results["effective_cutoff"]["low"] - 1 <= 1970 <= results["effective_cutoff"]["high"] + 1


def test_knowing_one_prompt_of_two_counts_half():
    results = figures(lambda pair: 0.0 if pair in TRUE and pair[0].endswith("near") else -5.0)
    assert results["before"]["accuracy"] == pytest.approx((1 + 0.25) / 2)


def test_the_neutral_prompt_alone_is_reported_as_answer_only_scoring():
    results = figures(lambda pair: -1.0 if pair[1].endswith(" 7") else -5.0)
    assert results["answer_only"]["before"]["accuracy"] == pytest.approx(0.25, abs=0.02)


def test_decades_and_relations_have_figures_or_reasons():
    results = figures(lambda pair: 0.0 if pair in TRUE else -5.0)
    decades = {(row["decade"], row["era"]): row for row in results["by_decade"]}
    assert decades[1900, "before"] == {
        "decade": 1900,
        "era": "before",
        "accuracy": 1.0,
        "low": pytest.approx(0.83, abs=0.02),
        "high": 1.0,
        "families": 20,
    }
    assert [row["relation"] for row in results["by_relation"]] == ["r0", "r0", "r1", "r1"]
    few = summarize(answer_families(make_families(8), lambda pairs: [0.0] * len(pairs)), 4, HOW)
    assert few["before"]["reason"] == "too few families: 8"
    assert few["after"]["accuracy"] is None


def test_no_families_at_all_are_no_error():
    results = summarize([], 4, HOW)
    assert results["before"]["reason"] == "too few families: 0"
    assert results["by_decade"] == []


def test_each_distinct_pair_is_scored_once():
    asked: list[Pair] = []

    def score(pairs: Sequence[Pair]) -> list[float]:
        asked.extend(pairs)
        return [0.0] * len(pairs)

    answer_families(make_families(12), score)
    assert len(asked) == len(set(asked)) == 12 * 2 * 4 + 2 * 12  # prompts, and each neutral prompt with each name


@pytest.mark.parametrize(
    ("scores", "best"),
    [([1.0, 3.0, 2.0], [1]), ([3.0, 3.0], [0, 1]), ([1.0, 1.00005], [0, 1]), ([1.0, 1.01], [1]), ([-2.0], [0])],
)
def test_best_options_tie_within_rounding(scores: list[float], best: list[int]):
    assert best_options(scores) == best
