"""Bits per byte by year tell where a twin has seen more, and nothing where it has not."""

from __future__ import annotations

import math
import random

import numpy as np
import pyarrow as pa

from deepred.base.tables import write_rows
from deepred.evaluate.arms import Arm, blind_floor
from deepred.evaluate.bits_by_year import (
    PER_DECADE,
    Bits,
    bits_by_decade,
    dated_sentences,
    late_mass,
    score_sentences,
    twin_minus_model,
)
from deepred.evaluate.choices import Answer
from deepred.evaluate.statistics import Resampling
from deepred.filter.emergence import describe_article, sentence_schema
from deepred.filter.first_known import KnownDays

HOW = Resampling(300, 0.95, 1)
CUTOFF = 19690720


def bits(mean_before: float, mean_after: float, seed: int) -> list[Bits]:
    chance = random.Random(seed)
    return [
        Bits(f"{year} {n}", year, 100 * chance.gauss(mean_before if year < 1970 else mean_after, 0.2), 100)
        for year in range(1850, 2015)
        for n in range(4)
    ]


def test_the_twin_reads_later_years_more_easily_and_the_year_is_found():
    found = twin_minus_model(bits(1.2, 1.8, 1), bits(1.2, 1.3, 2), CUTOFF, HOW)
    assert found["after"]["high"] < -0.3
    assert abs(found["before"]["difference"]) < 0.05
    assert found["changepoint"]["low"] <= 1969.55 <= found["changepoint"]["high"]


def test_models_that_read_alike_have_no_year_of_fall():
    assert twin_minus_model(bits(1.2, 1.2, 1), bits(1.2, 1.2, 2), CUTOFF, HOW)["changepoint"]["year"] is None


def test_too_few_sentences_give_a_reason():
    few = bits(1.2, 1.8, 1)[:8]
    found = twin_minus_model(few, few, CUTOFF, HOW)
    assert found["after"]["difference"] is None
    assert "too few" in found["after"]["reason"]


def corpus(folder, texts):
    """Articles of these texts and their sentences, as the stages leave them, in two files."""
    schema = pa.schema([("page_id", pa.int64()), ("title", pa.string()), ("text", pa.string())])
    titles = KnownDays(np.zeros(0, np.uint64), np.zeros(0, np.int32))
    for number, part in enumerate((texts[::2], texts[1::2])):
        rows = [{"page_id": 2 * n + number, "title": f"A{n}", "text": text} for n, text in enumerate(part)]
        write_rows(folder / f"articles-0000{number}.parquet", rows, schema)
        spans = [describe_article(row, titles)[0] | {"fold": 0} for row in rows]
        write_rows(folder / f"sentences-0000{number}.parquet", spans, sentence_schema())
    return folder


def told(folder, seed=1):
    return dated_sentences(None, folder, folder, CUTOFF, seed)


def test_bits_are_those_of_the_likelihood(tmp_path):
    found = score_sentences(told(corpus(tmp_path, ["The café opened in 1950."])), lambda pairs: [-8.0])
    assert found[0].bits == 8 / math.log(2)
    assert found[0].size == len("The café opened in 1950.".encode())


def test_every_decade_has_as_many_sentences_and_long_ones_stay_out(tmp_path):
    texts = [f"Event {n} was seen in 1950. It was not dated." for n in range(100)]
    found = told(corpus(tmp_path, [*texts, "Late in 1991.", f"In 1992 {'long ' * 60}.", "One.\n\nAnother in 1993."]))
    assert {one.text for one in found[PER_DECADE:]} == {"Late in 1991.", "Another in 1993."}
    assert {one.known for one in found[:PER_DECADE]} == {19501231}
    assert found == told(tmp_path) != told(tmp_path, 2)
    (tmp_path / "empty").mkdir()
    assert told(tmp_path / "empty") == []


def test_the_latest_date_of_a_sentence_says_when_it_was_told(tmp_path):
    sentences = {
        "Built in 1903, it was burnt in 1957.": 19571231,
        "It was opened on 3 May 1971.": 19710503,
        "It was opened in March 1969.": 19690331,
        "It was opened in 1969.": None,  # on neither side of the cutoff
        "It was popular in the 1950s.": None,  # of no one year
        "Since 1949 it was popular in the 1950s.": None,
        "The battle of 1066 was lost.": None,  # too far from the cutoff
        "Nothing is dated here.": None,
    }
    found = {one.text: one.known for one in told(corpus(tmp_path, list(sentences)))}
    assert found == {text: day for text, day in sentences.items() if day}


def test_of_many_articles_an_even_share_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("deepred.evaluate.bits_by_year.ARTICLES", 10)
    found = told(corpus(tmp_path, [f"Event {n} was seen in 1950." for n in range(60)]))
    assert len(found) == 10 and len({int(one.text.split()[1]) % 2 for one in found}) == 2


def test_a_sentence_lies_on_its_own_side_of_the_day():
    scored = [Bits(f"{n}", 1969.5 + 0.1 * (n % 2), 1.0, 1) for n in range(40)]
    rows = bits_by_decade(scored, CUTOFF, HOW)
    assert [(row["decade"], row["era"], row["families"]) for row in rows] == [(1960, "before", 20), (1960, "after", 20)]


def test_late_mass_is_the_share_of_later_years():
    def score(pairs):
        return [math.log(0.003 if int(text) > 1969 else 0.001) for _, text in pairs]

    found = late_mass(score, CUTOFF, HOW)
    late, early = 45 * 0.003, 151 * 0.001
    assert abs(found["mass"] - late / (late + early)) < 1e-4
    assert "smoke" in found["note"]


def answer(n: int, correct: float, blind: float) -> Answer:
    return Answer(f"f{n}", "after", 19800101, "founder", (correct,), ("x",), (blind,))


def test_the_blind_floor_is_the_higher_of_answer_alone_and_floor_model():
    low = Arm("floor", {}, [answer(n, 0.0, 0.0) for n in range(20)])
    high = Arm("floor", {}, [answer(n, 1.0, 0.0) for n in range(20)])
    arm = Arm("filtered", {}, [answer(n, 1.0, 0.5) for n in range(20)])
    assert blind_floor(arm, low, "after") == ({f"f{n}": 0.5 for n in range(20)}, "answer-only scoring")
    assert blind_floor(arm, high, "after")[1] == "floor"
