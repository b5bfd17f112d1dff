from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepred.base.errors import UserError
from deepred.filter import fit as fitting
from deepred.filter import sentence_model
from deepred.filter.judge import MODEL, Judge
from deepred.filter.sentence_features import find_grams, score_grams
from deepred.filter.sentence_model import Forest, Model, load_calibration
from deepred.filter.term_years import sentence_of
from deepred.filter.use.short_texts import judge_many
from deepred.run.config import Passages
from deepred.text.sentences import segment
from deepred.text.word_hashes import find_words

EARLY = "The steam mill by the canal was run with horses in {Y}. Its smith used the old canal and horses well."
LATER = "The web server on the network was run with software in {Y}. Its team used the new network and software well."


def pages(count: int = 60) -> list[tuple[str, str]]:
    made: list[tuple[str, str]] = []
    for i in range(count):
        made.append((f"Early {i}", EARLY.replace("{Y}", str(1800 + i))))
        made.append((f"Later {i}", LATER.replace("{Y}", str(1970 + i % 40))))
    made.append(("New", "A web server runs software on the new network."))
    return [*made, ("Old", "Horses walked by the old canal to the steam mill.")]


def test_undated_sentences_are_told_by_how_dated_ones_sound(make_road: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "LEAST", 50)
    road = make_road(pages())
    road.filter()
    assert road.dropped()["A web server runs software on the new network."] in ("term", "context")
    assert "Old" in road.kept() and "New" not in road.kept()


def test_too_few_dated_sentences_leave_rules_alone(make_road: Any) -> None:
    road = make_road(pages(5))
    road.filter()
    assert not (road.root / "passages" / MODEL).exists()


def test_fitting_twice_gives_the_same_bytes(make_road: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(fitting, "LEAST", 50)
    road = make_road(pages(30), files=2)
    road.filter()
    road.filter("again")
    assert (tmp_path / "passages" / MODEL).read_bytes() == (tmp_path / "again" / MODEL).read_bytes()


def grams_of(text: str, dates: list[tuple[int, int]]) -> list[int]:
    segments, words = segment(text), find_words(text)
    row = {"date_start": [start for start, _ in dates], "date_end": [end for _, end in dates]}
    return find_grams(words, sentence_of(words, segments), row, 20)[0].tolist()


def test_no_gram_tells_which_year_a_sentence_names() -> None:
    one, other = "He left in July 1969 with 20 men.", "He left in June 1850 with 35 men."
    assert grams_of(one, [(11, 20)]) == grams_of(other, [(11, 20)])
    assert grams_of(one, []) != grams_of(other, [])


def test_score_is_the_mean_weight_times_the_root_of_the_number() -> None:
    weights = np.zeros(8, np.float32)
    weights[3] = 2.0
    assert score_grams(np.array([3, 3, 1, 3]), np.array([0, 0, 0, 1]), 3, weights).tolist() == pytest.approx(
        [4 / np.sqrt(3), 2, 0]
    )


def test_sentence_near_dated_ones_of_one_side_teaches_it() -> None:
    late = np.array([True, False, False, False, True, False])
    early = np.array([False, False, True, False, False, False])
    side, weight = fitting._taught(late, early, np.zeros(6, np.int64))
    assert weight.tolist() == [1, 0, 1, 0, 1, 0]
    side, weight = fitting._taught(late, late & False, np.zeros(6, np.int64))
    assert weight.tolist() == [1, 0, 0, 0, 1, 0] or weight[1:4].tolist() == [0.5, 0.5, 0.5]
    assert bool(side[0])


def test_calibration_is_complete_and_orders_the_presets() -> None:
    calibration = load_calibration()
    assert 0 < calibration.presets["strict"] < calibration.presets["balanced"] < calibration.presets["lenient"] < 1
    assert calibration.provenance


def test_model_survives_its_file(tmp_path: Path) -> None:
    rows, sides = two_kinds()
    model = Model(np.ones((2, 4), np.float16), (Forest.empty(), Forest.fit(rows, sides, 1)))
    model.save(tmp_path / MODEL)
    again = Model.load(tmp_path / MODEL)
    assert again.score(rows, 1).tolist() == model.score(rows, 1).tolist()
    assert again.score(rows, 0).tolist() == [0.0] * len(rows)


def two_kinds() -> tuple[Any, Any]:
    rows = np.random.default_rng(1).normal(size=(800, 3)).astype(np.float32)
    return rows, (rows[:, 0] > 0.2) ^ (rows[:, 1] > 1)


def test_forest_as_arrays_says_what_scikit_learn_says() -> None:
    from sklearn.ensemble import RandomForestClassifier

    rows, sides = two_kinds()
    settings = {
        "n_estimators": sentence_model.TREES,
        "max_depth": sentence_model.DEPTH,
        "min_samples_leaf": sentence_model.FEWEST_ROWS,
    }
    model = RandomForestClassifier(
        **settings, max_features=3, max_samples=sentence_model.SHARE, class_weight="balanced", random_state=5
    ).fit(rows, sides)
    share = np.clip(model.predict_proba(rows)[:, 1], sentence_model.LIMIT, 1 - sentence_model.LIMIT)
    assert Forest.fit(rows, sides, 5).logits(rows) == pytest.approx(np.log(share / (1 - share)), abs=1e-4)
    assert Forest.fit(rows, sides, 5).logits(rows[:0]).shape == (0,)


def test_text_without_a_model_is_judged_by_dates_and_what_leans_on_them() -> None:
    judge = Judge.by_dates_alone(19690720, "drop")
    (late,) = judge_many(judge, ["Salt is good. It closed in 1987. It was sad. In 1850 it began."], "U")
    assert [(one.sentence, one.reason) for one in late] == [
        ("It closed in 1987.", "date"),
        ("It was sad.", "incoherent"),
    ]


def test_a_smaller_residual_keeps_less(make_road: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "LEAST", 50)
    road = make_road(pages())
    thresholds: list[float] = []
    kept: list[int] = []
    for most in (0.02, 0.2, 0.9):
        counts = road.filter(f"residual-{most}", config=Passages(min_characters=5, max_residual=most))
        thresholds.append(counts.notes["threshold"])
        kept.append(sum(map(len, road.kept(f"residual-{most}").values())))
    assert thresholds == sorted(thresholds) and thresholds[0] < thresholds[-1]
    assert kept[0] <= kept[1] <= kept[2] and kept[0] < kept[2]


def test_a_residual_needs_a_model(make_road: Any) -> None:
    road = make_road(pages(5))
    with pytest.raises(UserError, match="max_residual"):
        road.filter(config=Passages(max_residual=0.02))
