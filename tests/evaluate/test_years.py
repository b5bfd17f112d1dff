"""Bits per byte by year tell where a twin has seen more, and nothing where it has not."""

from __future__ import annotations

import math
import random

import pyarrow as pa

from deepred.documents import write_rows
from deepred.evaluate.arms import Arm, blind_floor
from deepred.evaluate.choices import Answer
from deepred.evaluate.statistics import Resampling
from deepred.evaluate.years import (
    PER_DECADE,
    Bits,
    bits_by_decade,
    dated_sentences,
    late_mass,
    score_sentences,
    twin_minus_model,
)

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


def test_bits_are_those_of_the_likelihood(tmp_path):
    found = score_sentences(dated_sentences(None, topics(tmp_path, [(1950, "Café opens.")]), 1), lambda pairs: [-8.0])
    assert found[0].bits == 8 / math.log(2)
    assert found[0].size == len("Café opens.".encode())


def topics(tmp_path, told):
    schema = pa.schema([("first", pa.int32()), ("last", pa.int32()), ("kind", pa.string()), ("text", pa.string())])
    rows = [{"first": y * 10000 + 101, "last": y * 10000 + 1231, "kind": "event", "text": text} for y, text in told]
    write_rows(tmp_path / "events-0.parquet", rows, schema)
    return tmp_path


def test_every_decade_has_as_many_sentences_and_long_ones_stay_out(tmp_path):
    told = [(1950, f"Event {n}.") for n in range(100)] + [(1991, "Late."), (1991, "Long." * 100)]
    found = dated_sentences(None, topics(tmp_path, told), 1)
    assert len(found) == PER_DECADE + 1
    assert found == dated_sentences(None, tmp_path, 1)
    assert dated_sentences(None, None, 1) == []


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
