import random

from deepred.evaluate.arms import Arm, fall
from deepred.evaluate.choices import Answer

RESAMPLING = {"resamples": 200, "confidence": 0.95, "seed": 1}


def arm(name, chance_of_right, seed=1):
    """An arm of 300 families over 1900-2014, right with the probability that a function of the year gives."""
    draw = random.Random(f"{name}{seed}")
    answers = []
    for number in range(300):
        year = 1900 + number * 115 // 300
        correct = tuple(float(draw.random() < chance_of_right(year)) for _ in range(2))
        era = "before" if year < 1970 else "after"
        known = year * 10000 + 615
        answers.append(Answer(f"f{number}", era, known, "author", correct, ("x", "x"), (0.25, 0.25)))
    return Arm(name, {"probes": "one", "resampling": RESAMPLING, "effective_cutoff": {"year": None}}, answers)


def slanted(year):
    """What options alone give: fewer are right at the end of the record."""
    return 0.3 if year < 1998 else 0.05


def test_the_effective_cutoff_is_that_of_the_gain_over_the_floor():
    floor = arm("floor", slanted)
    found = fall(arm("filtered", lambda year: 0.85 if year < 1970 else slanted(year)), floor)
    assert 1965 <= found["year"] <= 1975


def test_a_model_that_knows_nothing_has_no_effective_cutoff_even_where_its_guesses_fall():
    found = fall(arm("filtered", slanted, seed=2), arm("floor", slanted))
    assert found["year"] is None
    assert found["reason"] == "knows too little"


def test_without_a_floor_the_arm_stands_alone():
    assert fall(arm("filtered", slanted), None) == {"year": None}
