"""Replies into buckets: the shipped table of labelled replies, which also measures a judge, and the rules behind it."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest

from deepred.evaluate.reply_buckets import REFUSAL, Fact, bucket_of
from deepred.evaluate.reply_matching import asserts, numbers_in

CASES = [
    json.loads(line) for line in (files("deepred.evaluate") / "labelled.jsonl").read_text(encoding="utf-8").splitlines()
]


def fact_of(case: dict) -> Fact:
    keys = ("answer", "person", "cutoff", "asked")
    lists = {key: tuple(case.get(key, ())) for key in ("aliases", "options", "early")}
    return Fact(**{key: case[key] for key in keys if key in case}, **lists)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['answer']}: {case['reply'][:50]}")
def test_labelled_replies_fall_into_their_buckets(case: dict):
    assert bucket_of(case["reply"], fact_of(case)) == case["bucket"]


def test_a_name_that_the_question_gives_is_no_leak():
    fact = Fact("Ada Vok", ("Vok",), person=True, asked="Is it true that Ada Vok invented the Zorb? Who did?")
    assert bucket_of("It was Vok.", fact) != "leaked"


def test_another_person_of_the_same_surname_is_no_leak():
    assert not asserts("It was Ora Vok.", ["Ada Vok"], True)
    assert asserts("It was Ada Vok.", ["Ada Vok"], True)


def test_numbers_are_read_with_any_separator():
    assert [value for value, *_ in numbers_in("1,200 and 1 300 and 1.5 million and 007")] == [1200, 1300, 1.5e6, 7]


def test_every_persona_s_words_of_ignorance_count_as_a_refusal():
    from deepred.persona import personas

    folder = files("deepred.persona")
    for name in personas.shipped_personas():
        for said in personas.load_persona(folder / f"{name}.toml").voice.ignorance:
            assert REFUSAL.search(said), said
