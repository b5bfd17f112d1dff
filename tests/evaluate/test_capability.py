"""Capability: minimal pairs differ in one point, GGUF weights are read back, and a loss of knowledge is seen."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from deepred.evaluate.capability import (
    Material,
    Measured,
    bits_per_byte,
    compressed_bits,
    cut,
    differences,
    document_bits,
    judge_pairs,
    load_scorer,
    make_pairs,
    summarize_pairs,
)
from deepred.evaluate.statistics import Resampling

HOW = Resampling(resamples=300)


def test_minimal_pairs_are_distinct_era_neutral_and_differ_in_little():
    pairs = make_pairs(20, 1)
    assert len(Counter(pair.phenomenon for pair in pairs)) == 16
    assert min(Counter(pair.phenomenon for pair in pairs).values()) >= 10
    for pair in pairs:
        good, bad = pair.good.rstrip(".").split(), pair.bad.rstrip(".").split()
        assert pair.good != pair.bad
        assert len(good) == len(bad)
        assert sorted(good) == sorted(bad) or sum(a != b for a, b in zip(good, bad)) == 1, pair
        assert not any(c.isdigit() for c in pair.good)
    assert make_pairs(20, 1) == pairs != make_pairs(20, 2)


def test_a_scorer_of_nothing_is_at_chance_and_a_perfect_one_is_right():
    pairs = make_pairs(5, 1)
    assert set(judge_pairs(pairs, lambda asked: [0.0] * len(asked))) == {0.5}
    good = {pair.good for pair in pairs}
    right = judge_pairs(pairs, lambda asked: [float(text in good) for _, text in asked])
    assert summarize_pairs(pairs, right, HOW)["accuracy"] == 1


def test_a_document_is_read_whole_in_pieces():
    seen: list[str] = []
    text = "One line.\n" + "word " * 100 + "\n" + "x" * 400

    def scorer(asked):
        seen.extend(piece for _, piece in asked)
        return [-len(piece.encode()) * 0.6931471805599453 for _, piece in asked]

    assert document_bits(scorer, text) == pytest.approx(len(text))
    assert "".join(seen) == text
    assert max(map(len, cut("word " * 100))) <= 160


def test_bits_per_byte_weigh_documents_by_their_length():
    figure = bits_per_byte([100.0] * 9 + [4000.0], [100] * 9 + [2000], HOW)
    assert figure.value == pytest.approx(4900 / 2900)
    assert figure.low < figure.value < figure.high
    assert bits_per_byte([1.0], [1], HOW).reason == "too few families: 1"


def test_lost_knowledge_is_seen_and_kept_knowledge_is_not_called_lost():
    material = Material(["a text"] * 12, make_pairs(1, 1), [])
    families = {f"f{n}": 1.0 for n in range(40)}
    before = Measured([6.0] * 12, [1.0] * 16, families)
    forgot = Measured([6.0] * 12, [1.0] * 16, {name: float(n < 20) for n, name in enumerate(families)})
    found = differences(forgot, before, material, HOW)
    assert found["fell"] is True
    assert found["knowledge"]["difference"] == pytest.approx(-0.5)
    near = Measured([6.0] * 12, [1.0] * 16, {name: float(n != 3) for n, name in enumerate(families)})
    assert differences(near, before, material, HOW)["fell"] is False
    assert differences(near, before, material, HOW)["knowledge"]["detectable"] > 0


def test_a_compressor_finds_repetition():
    assert compressed_bits(["the same text again "] * 50) < 1 < compressed_bits(["Quick zephyrs vex bold Jim 9471."])


@pytest.mark.needs("gguf")
def test_weights_of_a_gguf_file_are_read_back(tmp_path: Path):
    from tiny_llama import write_tiny_gguf

    path = write_tiny_gguf(tmp_path)  # F16
    own = load_scorer(tmp_path / "model", tmp_path / "model", "cpu")
    back = load_scorer(path, tmp_path / "model", "cpu")
    pairs = [("The pawn takes", " the knight"), ("", "Who invented the lamp?")]
    assert back(pairs) == pytest.approx(own(pairs), abs=0.05)
    json.dumps(back(pairs))


def test_held_out_passages_come_from_every_document_before_a_second_one_of_any(tmp_path: Path):
    from deepred.base.tables import document_schema, write_rows
    from deepred.evaluate.capability import held_out

    blank = {"source": "wikipedia", "title": "", "first": None, "last": None, "author": "", "licence": "", "origin": ""}
    rows = [{"id": f"d{n}", "text": f"{n}" * 250, **blank} for n in range(5)]
    write_rows(tmp_path / "validation-wikipedia-00000.parquet", rows, document_schema())
    found = held_out(tmp_path, 7, 100, 1)
    assert sorted(text[0] for text in found[:5]) == list("01234")
    assert [len(text) for text in found] == [100] * 7  # a short rest of a document is no passage
