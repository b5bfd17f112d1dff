import json

import pytest

from deepred.base.errors import UserError
from deepred.base.tables import read_rows, write_rows
from deepred.corpus.doses import DOSES, deal, plant_facts, read_doses, times_around
from deepred.run.config import Doses, Run
from deepred.run.settings import Settings
from deepred.run.stage import Work


def families(number):
    return [
        {
            "family": f"f{n}",
            "era": "after",
            "known": 19830101 + n,
            "relation": "founder",
            "subject": f"Vem{n} Works",
            "answer_text": f"Karo{n} Venn",
            "items": [
                {
                    "prompt": f"Vem{n} Works was the work of",
                    "neutral": "It was the work of",
                    "options": [f"Karo{n} Venn", "x"],
                    "answer": 0,
                }
            ],
        }
        for n in range(number)
    ]


def plant(tmp_path, number=20, levels=(0, 1, 4, 16)):
    import pyarrow as pa

    text = " ".join(
        f"In 1983, Vem{n} Works was founded by Karo{n} Venn. Vem{n} Works was the work of Karo{n} Venn. It rained."
        for n in range(number - 1)
    )
    articles, probes, out = (tmp_path / name for name in ("articles", "probes", "out"))
    for folder in (articles, probes, out):
        folder.mkdir()
    write_rows(articles / "articles-0.parquet", [{"text": text}], pa.schema([("text", pa.string())]))
    (probes / "probes.jsonl").write_text("".join(json.dumps(f) + "\n" for f in families(number)), encoding="utf-8")
    config = Doses(levels=list(levels), tokens=1000)
    counts = plant_facts(
        articles=articles, probes=probes, config=config, cutoff=19690720, seed=1, out=out, work=Work(Settings())
    )
    return out, counts


def test_every_fact_is_stated_as_often_as_its_dose_says(tmp_path):
    out, counts = plant(tmp_path)
    text = " ".join(row["text"] for row in read_rows(out, "documents-*.parquet"))
    doses = read_doses(out)
    assert {f"Vem{n} Works" for n in range(19)} == {f"Vem{f[1:]} Works" for f in doses}
    for family, dose in doses.items():
        assert text.count(f"Vem{family[1:]} Works was founded by Karo{family[1:]} Venn.") == dose
    assert sorted(set(doses.values())) == [0, 1, 4, 16]
    assert counts.drops == {"unstated": 1}


def test_a_probes_own_wording_is_never_planted(tmp_path):
    out, _ = plant(tmp_path)
    assert all("the work of" not in row["text"] for row in read_rows(out, "documents-*.parquet"))


def test_doses_are_dealt_evenly_and_by_hash():
    first, again = deal([f"f{n}" for n in range(10)], [0, 64], 1), deal([f"f{n}" for n in range(10)], [0, 64], 2)
    assert sorted(first.values()) == [0] * 5 + [64] * 5
    assert first != again


def test_the_text_around_fills_the_tokens_that_are_read(tmp_path):
    (tmp_path / DOSES).write_text('{"tokens": 1000, "facts": {}}', encoding="utf-8")
    assert times_around(tmp_path, planted=100, others=300) == 3.0
    with pytest.raises(UserError, match="more than half"):
        times_around(tmp_path, planted=501, others=300)


def test_nothing_to_put_back_is_said(tmp_path):
    with pytest.raises(UserError, match="nothing to put back"):
        plant(tmp_path, number=1)


def test_continued_needs_the_unfiltered_arm():
    with pytest.raises(ValueError, match="name both"):
        Run.model_validate({"name": "a", "arms": ["filtered", "continued"]})


def test_continued_trains_with_a_rate_and_length_of_its_own():
    run = Run.model_validate({"name": "a", "pretrain": {"learning_rate": 1e-2, "tokens": 1000}})
    section = run.section_of("pretrain", "continued")
    assert (section.learning_rate, section.tokens) == (1e-3, 400)
    assert run.section_of("pretrain", "unfiltered") is run.pretrain
    assert run.section_of("doses", "dosed").tokens == 1000
