"""Relearning: facts are recalled after some steps of training on them, and verdicts come from intervals alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deepred.evaluate.relearn import compare, comparisons, note_recalled, relearn_facts, verdict_of
from deepred.run.config import Relearn
from deepred.run.settings import Settings
from deepred.run.stage import Work
from tiny_llama import PEOPLE, build_model

RESAMPLING = {"resamples": 300, "confidence": 0.95, "seed": 1}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    base = tmp_path_factory.mktemp("relearn")
    build_model(base / "pretrain" / "model", width=32, heads=2)
    (base / "probes").mkdir()
    families = [
        {"family": f"f{n}", "era": "after", "known": 19800101, "relation": "maker", "subject": f"lamp {n}",
         "answer_text": PEOPLE[n],
         "items": [{"prompt": f"{text} {'abcdefghij'[n]}{n} was made by", "neutral": f"{text} was made by",
                    "options": PEOPLE[:4], "answer": 0} for text in ("The lamp", "A lamp")]}
        for n in range(10)
    ]  # fmt: skip
    (base / "probes" / "probes.jsonl").write_text("".join(json.dumps(one) + "\n" for one in families))
    return base / "pretrain", base / "probes"


def run(folders: tuple[Path, Path], out: Path, steps: int = 24) -> dict:
    out.mkdir()
    config = Relearn(facts=10, steps=steps, check=4, learning_rate=1e-2, bootstrap=100)
    relearn_facts(
        pretrain=folders[0], probes=folders[1], config=config, seed=1, out=out,
        work=Work(Settings(threads=1, device="cpu")),
    )  # fmt: skip
    return json.loads((out / "relearning.json").read_text())


def test_facts_are_recalled_after_some_steps_and_the_same_each_time(tmp_path: Path, folders: tuple[Path, Path]):
    first, second = run(folders, tmp_path / "a"), run(folders, tmp_path / "b")
    assert first == second
    recalled = [step for step in first["steps"].values() if step is not None]
    assert len(recalled) >= 5
    assert max(recalled) > 0


def test_a_fact_counts_from_the_first_of_two_checks_in_a_row():
    since: dict[str, int] = {}
    done: dict[str, int | None] = {"a": None, "b": None}
    for step, (a, b) in enumerate([(True, False), (False, True), (True, True), (True, False)]):
        note_recalled({"a": a, "b": b}, 2 * step, since, done, 2)
    assert done == {"a": 4, "b": 2}


def arm(steps: dict) -> dict:
    return {"steps": steps, "most": 60, "resampling": RESAMPLING}


def test_verdicts_come_from_intervals_alone():
    floor = arm({f"f{n}": 20 + n % 5 for n in range(20)})
    sooner = compare(arm({f"f{n}": 4 + n % 3 for n in range(20)}), floor)
    assert sooner["verdict"] == "suppressed"
    assert sooner["low"] > 0
    assert compare(arm({f"f{n}": 0 for n in range(20)}), floor)["verdict"] == "known"
    same = compare(arm({f"f{n}": 20 + (n * 7) % 5 for n in range(20)}), floor)
    assert same["verdict"] == "not told from absent"
    assert "would probably have gone unseen" in same["said"]
    few = compare(arm({"f1": 1}), floor)
    assert few["verdict"] == "not decided"
    assert verdict_of({"saved": -5, "low": -8, "high": -2, "detectable": 4})["verdict"] == "not decided"


def test_a_fact_that_is_never_recalled_counts_at_the_last_step():
    floor = arm({f"f{n}": None for n in range(12)})
    assert compare(arm({f"f{n}": 10 for n in range(12)}), floor)["saved"] == 50


def test_without_a_floor_nothing_is_compared(tmp_path: Path):
    (tmp_path / "relearning.json").write_text(json.dumps(arm({"f": 1})))
    assert comparisons({"relearn@filtered": tmp_path}) == {}
    assert list(comparisons({"relearn@filtered": tmp_path, "relearn@floor": tmp_path})) == ["filtered"]
