"""From an answer back to the very documents that taught it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deepred.base.tables import document_schema, write_rows
from deepred.evaluate.trace.trace import exposure_by_era, leaked_facts, leaks, trace_facts, trace_families, trace_text
from deepred.evaluate.trace.word_index import TextIndex, build_index, plan_blocks
from deepred.run.settings import Settings
from deepred.run.stage import Work

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


@pytest.fixture
def index(mixture: Path, tmp_path: Path) -> TextIndex:
    return build(mixture, tmp_path / "index")


def build(mixture: Path, out: Path) -> TextIndex:
    out.mkdir()
    build_index(mixture, out, Work(Settings(workers=1)))
    return TextIndex(out, mixture)


def test_a_family_is_traced_to_the_sentences_that_name_subject_and_answer(mixture: Path):
    found = trace_families(mixture, FAMILIES)
    assert [(one.document, one.sentence) for one in found["f0"]] == [
        ("wikipedia:0", "It was Ada Vok who made the Zorb.")
    ]
    assert [one.title for one in found["f1"]] == ["Article 2", "Article 4", "Article 4"]
    assert "f2" not in found


def test_the_index_finds_the_sentences_that_the_scan_finds(mixture: Path, index: TextIndex):
    scanned = {
        family: [(one.document, one.sentence) for one in found]
        for family, found in trace_families(mixture, FAMILIES).items()
    }
    indexed = trace_facts(index, FAMILIES)
    assert {family: [(one.document, one.sentence) for one in found] for family, found in indexed.items()} == scanned
    assert indexed["f1"][0].origin == "dump 2"


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
        ("In the spring, the Plim was built by Ora Nim. The sea is cold", ["Article 2"], 14),  # beyond the sorted depth
        ("nothing else of note", ["Article 3"], 4),
        ("Zorb", ["Article 0"], 1),
        ("Later, Ora Nim made the Zorb", ["Article 4", "Article 0"], 3),
        ("note Later Ora Nim", ["Article 4"], 3),  # no run goes on into the next document
        ("no such words here at all", [], 0),
        ("", [], 0),
    ],
)
def test_a_text_is_traced_to_the_documents_that_share_its_longest_run(
    index: TextIndex, text: str, titles: list[str], words: int
):
    matches = trace_text(index, text, least=3)
    assert [match.title for match in matches] == titles
    assert [match.words for match in matches] == [words] * len(titles)


def test_a_trace_shows_the_sentence_and_where_it_came_from(index: TextIndex):
    match = trace_text(index, "was built by Ora Nim")[0]
    assert (match.passage, match.origin) == ("In the spring, the Plim was built by Ora Nim.", "dump 2")
    assert (match.exact, match.occurrences, match.run) == (True, 1, "was built by Ora Nim")


def test_occurrences_are_counted_over_all_documents(index: TextIndex):
    matches = trace_text(index, "The PLIM", most=2)
    assert [match.document for match in matches] == ["wikipedia:1", "wikipedia:2"]
    assert [match.occurrences for match in matches] == [5, 5]
    assert not matches[0].exact


def test_every_run_of_words_of_a_corpus_is_found_in_every_block(tmp_path: Path):
    """Against a plain search: 40 documents over few words, so that runs repeat, cut into several blocks."""
    import random

    from deepred.evaluate.trace.word_index import _build_block

    chance = random.Random(1)
    texts = [" ".join(chance.choice("abc") for _ in range(chance.randrange(30))) for _ in range(40)]
    rows = [{"id": f"d{n}", "source": "books", "title": "", "text": text, "first": None, "last": None, "author": "",
             "licence": "", "origin": ""} for n, text in enumerate(texts)]  # fmt: skip
    write_rows(tmp_path / "train-books-00000.parquet", rows[:20], document_schema(), batch=7)
    write_rows(tmp_path / "train-books-00001.parquet", rows[20:], document_schema(), batch=7)
    blocks = plan_blocks(sorted(tmp_path.glob("train-*")), most=60)
    assert len(blocks) > 2
    for number, groups in enumerate(blocks):
        _build_block((f"{number:05d}", groups), tmp_path)
    index = TextIndex(tmp_path, tmp_path)
    for length in (1, 3, 8, 9, 12):
        for _ in range(20):
            phrase = " ".join(chance.choice("abc") for _ in range(length))
            expected = sum(
                text.split()[at : at + length] == phrase.split() for text in texts for at in range(len(text.split()))
            )
            assert sum(len(places) for _, places in index.occurrences(phrase)) == expected, phrase
            for block, places in index.occurrences(phrase):
                for document in index.blocks[block].documents_of(places).tolist():
                    assert phrase in index.row(block, document)["text"]


def test_leaked_facts_of_a_report_are_those_of_its_text_and_its_chats():
    report = {
        "leaks": [{"family": "f1", "score": 1.0}],
        "interview": {"leaked": [{"family": "f1", "said": [{"form": "direct"}]}, {"family": "f2", "said": []}]},
    }
    found = leaked_facts(json.dumps(report))
    assert found == [{"family": "f1", "score": 1.0, "said": [{"form": "direct"}]}, {"family": "f2", "said": []}]
