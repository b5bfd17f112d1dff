"""From an answer back to the very documents that taught it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deepred.documents import document_schema, write_rows
from deepred.evaluate.trace import exposure_by_era, leaks, longest_run, trace_families, trace_text

FAMILIES = [
    {
        "family": "f0",
        "era": "before",
        "known": 19010101,
        "relation": "inventor",
        "subject": "Zorb",
        "answer_text": "Ada Vok",
    },
    {
        "family": "f1",
        "era": "after",
        "known": 19800101,
        "relation": "inventor",
        "subject": "Plim",
        "answer_text": "Ora Nim",
    },
    {
        "family": "f2",
        "era": "after",
        "known": 19900101,
        "relation": "inventor",
        "subject": "Quax",
        "answer_text": "Ulo Tev",
    },
]
TEXTS = [
    "The Zorb is old. It was Ada Vok who made the Zorb.",
    "Ora Nim kept bees. The Plim is a lamp.",  # both named, never in one sentence
    "In the spring, the Plim was built by Ora Nim.\n\nThe sea is cold.",
    "Quax and nothing else of note in the whole wide world.",
    "Later, Ora Nim sold the Plim. The Plim of Ora Nim rusted. The plim of ora nim is no name. Plim, by Ora Nim.",
]


@pytest.fixture
def mixture(tmp_path: Path) -> Path:
    rows = [
        {"id": f"wikipedia:{n}", "source": "wikipedia", "title": f"Article {n}", "text": text,
         "first": None, "last": None,
         "author": "", "licence": "", "origin": f"dump {n}"}
        for n, text in enumerate(TEXTS)
    ]  # fmt: skip
    write_rows(tmp_path / "train-wikipedia-00000.parquet", rows[:3], document_schema())
    write_rows(tmp_path / "train-wikipedia-00001.parquet", rows[3:], document_schema())
    write_rows(tmp_path / "validation-wikipedia-00000.parquet", rows[2:3], document_schema())
    (tmp_path / "exposures.json").write_text(json.dumps({"f0": 1, "f1": 4, "f2": 0}), encoding="utf-8")
    return tmp_path


def test_a_family_is_traced_to_the_sentences_that_name_subject_and_answer(mixture: Path):
    found = trace_families(mixture, FAMILIES)
    assert [(one.document, one.sentence) for one in found["f0"]] == [
        ("wikipedia:0", "It was Ada Vok who made the Zorb.")
    ]
    assert [one.title for one in found["f1"]] == ["Article 2", "Article 4", "Article 4"]
    assert "f2" not in found


def test_leaks_are_the_later_facts_that_the_training_text_states(mixture: Path):
    rows = leaks(mixture, FAMILIES, {"f1": 0.5})
    assert [(row["family"], row["statements"], row["score"]) for row in rows] == [("f1", 4, 0.5)]
    assert rows[0]["traces"][0]["sentence"] == "In the spring, the Plim was built by Ora Nim."


def test_exposures_are_counted_by_era(mixture: Path):
    eras = exposure_by_era(mixture, FAMILIES)
    assert eras["before"] == {"families": 1, "stated": 1, "statements": 1, "median": 1}
    assert eras["after"] == {"families": 2, "stated": 1, "statements": 4, "median": 2}


@pytest.mark.parametrize(
    ("text", "titles", "words"),
    [
        ("the PLIM, was built by Ora Nim!", ["Article 2"], 7),
        ("He said the plim was built by Ora Nim in the end", ["Article 2"], 7),
        ("nothing else of note", ["Article 3"], 4),
        ("Zorb", ["Article 0"], 1),
        ("no such words here at all", [], 0),
    ],
)
def test_a_text_is_traced_to_the_documents_that_share_its_longest_run(
    mixture: Path, text: str, titles: list[str], words: int
):
    matches = trace_text(mixture, text)
    assert [match.title for match in matches] == titles
    assert [match.words for match in matches] == [words] * len(titles)


def test_a_trace_shows_the_sentence_and_where_it_came_from(mixture: Path):
    match = trace_text(mixture, "was built by Ora Nim")[0]
    assert (match.passage, match.origin) == ("In the spring, the Plim was built by Ora Nim.", "dump 2")


def test_only_the_longest_matches_are_kept_in_order(mixture: Path):
    assert [match.document for match in trace_text(mixture, "the Plim", most=2)] == ["wikipedia:1", "wikipedia:2"]


def test_longest_run_finds_repeated_words():
    assert longest_run(list("ababc"), {"a": [0, 2], "b": [1, 3], "c": [4]}) == (5, 5)
    assert longest_run([], {"a": [0]}) == (0, 0)
