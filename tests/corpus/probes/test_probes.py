"""Probe families from the world's truth: eras by any cutoff, fair options, fixed bytes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deepred.base.days import day, year_of
from deepred.corpus.probes.families import Question, draw_options, draw_years, select, year_span
from deepred.corpus.probes.probes import build_probes
from deepred.run.config import Probes
from deepred.run.settings import Settings
from deepred.run.stage import Counts, Work

CUTOFF = 19690720


def make_world(folder: Path, facts: int = 40) -> Path:
    rows = [
        {
            "fact": f"{relation}-{n:03d}",
            "relation": relation,
            "subject": f"Subject {relation} {n}",
            "object": f"Object {n % (facts - 2)}",
            "object_type": "place",
            "known": day(1930 + 2 * n, 5, 1),
            "era": "before" if 1930 + 2 * n < 1969 else "after",
            "floor_object": f"Object {(n + 1) % (facts - 2)}",
            "prompts": [f"Subject {relation} {n} lies in", f"The home of Subject {relation} {n} is"],
            "neutral": ["It lies in", "The home of it is"],
            "aliases": [f"Obj. {n}"],
        }
        for relation in ("capital", "seat")
        for n in range(facts)
    ]
    (folder / "truth").mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / "truth" / "facts.parquet")
    return folder


def build(folder: Path, world: Path, cutoff: int = CUTOFF, seed: int = 1, **config: int) -> tuple[list[dict], Counts]:
    folder.mkdir(exist_ok=True)
    counts = build_probes(
        world=world,
        articles=folder,
        dates=folder,
        facts=folder,
        topics=None,
        config=Probes(**config),
        cutoff=cutoff,
        seed=seed,
        out=folder,
        work=Work(Settings()),
    )
    return [json.loads(line) for line in (folder / "probes.jsonl").read_text(encoding="utf-8").splitlines()], counts


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_world(tmp_path_factory.mktemp("world") / "world")


@pytest.mark.parametrize("cutoff", [19500101, CUTOFF, 19900501])
def test_era_follows_the_cutoff_of_the_run_and_not_the_worlds_hinge(tmp_path: Path, world: Path, cutoff: int):
    families, _ = build(tmp_path, world, cutoff)
    assert {family["era"] for family in families} == {"before", "after"}
    assert all((family["known"] < cutoff) == (family["era"] == "before") for family in families)


def test_options_hold_the_answer_once_and_neither_the_floors_answer_nor_another_true_one(tmp_path: Path, world: Path):
    families, _ = build(tmp_path, world, options=4)
    assert families
    for family in families:
        for item in family["items"]:
            assert len(set(item["options"])) == 4
            assert item["options"][item["answer"]] == family["answer_text"]
            assert family["floor_answer"] not in item["options"]
            assert not set(family["aliases"]) & set(item["options"])


def test_options_are_answers_of_the_same_era(tmp_path: Path, world: Path):
    families, _ = build(tmp_path, world)
    answers = {
        era: {family["answer_text"] for family in families if family["era"] == era} for era in ("before", "after")
    }
    for family in families:
        assert set(family["items"][0]["options"]) <= answers[family["era"]]


def test_every_prompt_is_kept_with_its_neutral_version(tmp_path: Path, world: Path):
    families, _ = build(tmp_path, world)
    assert [(item["prompt"], item["neutral"]) for item in families[0]["items"]] == [
        ("Subject capital 0 lies in", "It lies in"),
        ("The home of Subject capital 0 is", "The home of it is"),
    ]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_options(tmp_path: Path, world: Path):
    one, counts = build(tmp_path / "a", world)
    two, again = build(tmp_path / "b", world)
    other, _ = build(tmp_path / "c", world, seed=2)
    content = (tmp_path / "a" / "probes.jsonl").read_bytes()
    assert one == two != other
    assert counts.notes["hash"] == again.notes["hash"] == hashlib.sha256(content).hexdigest()
    assert (tmp_path / "a" / "probes.sha256").read_text(encoding="utf-8").split()[0] == counts.notes["hash"]


def test_the_limit_holds_per_era_and_takes_from_every_relation(tmp_path: Path, world: Path):
    families, counts = build(tmp_path, world, families=10)
    for era in ("before", "after"):
        relations = [family["relation"] for family in families if family["era"] == era]
        assert len(relations) == 10
        assert relations.count("capital") == 5
    assert counts.drops["over_limit"] == 60


def test_too_few_options_and_few_families_are_counted_and_said(tmp_path: Path):
    families, counts = build(tmp_path / "out", make_world(tmp_path / "world", facts=10), cutoff=19350101)
    assert counts.drops["few_options"] == 6  # 1930, 1932 and 1934 of two relations: three answers make no four options
    assert "only 0 families before" in counts.notes["few_before"]
    assert all(family["era"] == "after" for family in families)


def question(answer: str, family: str = "f", **values: object) -> Question:
    fields = {"kind": "statement", "era": "before", "known": 19500101, "relation": "r", "subject": "s"}
    return Question(
        **{**fields, "object_type": "t", "prompts": ("p",), "neutral": ("n",), **values}, family=family, answer=answer
    )


def share_won_by_the_commonest(pool: list[str], draw_from: list[str]) -> float:
    hits = [
        max(options, key=pool.count) == answer
        for n, answer in enumerate(pool * 40)
        if (options := draw_options(question(answer, f"f{n}"), draw_from, 4, 1))
    ]
    return sum(hits) / len(hits)


def test_always_taking_the_commonest_answer_scores_about_chance():
    pool = [f"o{n}" for n in range(20) for _ in range(1 + n % 5)]
    assert share_won_by_the_commonest(pool, pool) == pytest.approx(0.25, abs=0.03)
    assert share_won_by_the_commonest(pool, sorted(set(pool))) > 0.35  # what drawing every name once would give away


@pytest.mark.parametrize("pick", [0, 1, 2, 3])
def test_the_place_of_the_right_year_among_its_options_says_nothing(pick: int):
    right = 0
    for n in range(2000):
        year = 1850 + n % 60
        options = draw_years(question(str(year), f"f{n}"), (1800, 1968), 4, 1)
        right += options is not None and sorted(options)[pick] == str(year)
    assert 0.2 < right / 2000 < 0.3


def test_years_stay_on_their_side_of_the_cutoff_and_within_thirty():
    for year in (1900, 1968, 1970, 2010):
        span = year_span(year, ["1850", "2015"], CUTOFF)
        options = draw_years(question(str(year)), span, 4, 1)
        assert options is not None and str(year) in options
        years = [int(option) for option in options]
        assert max(years) - min(years) <= 30
        assert all((other < 1969) == (year < 1969) for other in years)


def test_selection_does_not_depend_on_the_order_of_the_questions():
    questions = [question("a", f"f{n}", relation=f"r{n % 3}") for n in range(30)]
    assert select(questions, 7, 1) == select(questions[::-1], 7, 1)


def test_known_days_are_signed(tmp_path: Path, world: Path):
    families, _ = build(tmp_path, world)
    assert {year_of(family["known"]) for family in families} >= {1930, 1970}
