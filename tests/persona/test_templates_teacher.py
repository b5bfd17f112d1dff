import random

import pytest

from deepred.base.days import Interval
from deepred.persona.personas import load_persona
from deepred.persona.templates_teacher import fact_examples, in_words, lead_sentences, unknown_example, wordings
from deepred.run.inputs import PERSONAS
from tiny_llama import claim

PERSONA = load_persona(PERSONAS / "deep-red.toml")
PLAIN = load_persona(PERSONAS / "encyclopedist.toml")


@pytest.mark.parametrize(
    ("interval", "precision", "expected"),
    [
        (Interval.of(1901, 3, 5), 11, "on 5 March 1901"),
        (Interval.of(1901, 3), 10, "in March 1901"),
        (Interval.of(1901), 9, "in 1901"),
        (Interval.of(-43), 9, "in 44 BC"),
        (Interval(19000101, 19091231), 8, "in the 1900s"),
        (Interval(19010101, 20001231), 7, "in the 20th century"),
        (Interval(20010101, 21001231), 7, "in the 21st century"),
        (Interval(10010101, 20001231), 6, ""),
    ],
)
def test_dates_are_said_with_the_precision_they_have(interval, precision, expected):
    assert in_words(interval, precision) == expected


def test_a_fact_is_asked_in_several_wordings_and_answered_with_its_value():
    made = list(fact_examples(claim("Lamp (device)", "P61", "Aldo Brant"), PLAIN, random.Random(1)))
    assert len({example.turns[0].user for example in made}) == 3
    for example in made:
        assert "Lamp" in example.turns[0].user and "(device)" not in example.turns[0].user
        assert "Aldo Brant" in example.turns[0].assistant
        assert example.subject == "Lamp (device)"


def test_a_property_without_wording_makes_nothing():
    assert not list(fact_examples(claim("Lamp", "P9999", "X"), PLAIN, random.Random(1)))


def test_every_question_and_answer_of_the_table_can_be_filled_in():
    filled = {"title": "T", "value": "V", "date": "in 1901", "date_bare": "1901"}
    for kind, named in (("item", "V"), ("time", "1901")):
        for name, table in wordings()[kind].items():
            assert all("T" in text.format(**filled) for text in table["questions"]), name
            assert all("T" in text.format(**filled) and named in text.format(**filled) for text in table["answers"]), (
                name
            )
            assert len(table["questions"]) >= 2 and len(table["answers"]) >= 2


@pytest.mark.parametrize(
    ("text", "title", "expected"),
    [
        ("Chess is a board game. It is old.\nMore.", "Chess", ["Chess is a board game.", "It is old."]),
        ("Mercury is a planet.", "Mercury (planet)", ["Mercury is a planet."]),
        ("It is old. Chess is a game.", "Chess", []),
        ("", "Chess", []),
        ("A b. " * 9, "A b", ["A b."] * 4),
    ],
)
def test_a_passage_answers_with_its_first_sentences_if_they_name_the_subject(text, title, expected):
    assert lead_sentences(text, title) == expected


def test_invented_things_are_answered_with_ignorance_and_vary():
    made = [unknown_example(PERSONA, number, seed=1) for number in range(200)]
    assert len({example.subject for example in made}) > 190
    for example in made:
        thing = example.provenance["invented"]
        assert thing in example.turns[0].user
        assert thing.casefold() in example.turns[0].assistant.casefold()


def test_the_teacher_is_a_function_of_its_inputs():
    fact = claim("Lamp", "P61", "Aldo Brant")
    assert list(fact_examples(fact, PERSONA, random.Random(3))) == list(fact_examples(fact, PERSONA, random.Random(3)))
    assert unknown_example(PERSONA, 7, seed=2) == unknown_example(PERSONA, 7, seed=2)
