"""Evidence of all sources to one dating, and dating and cutoff to a class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deepred.config import Classes, Dates
from deepred.dating.evidence import Evidence, format_evidence
from deepred.dating.resolve import Dating, date_articles, gather, resolve
from deepred.documents import article_schema, fact_schema, read_rows, redirect_schema, write_rows
from deepred.filters.classify import classify, classify_articles
from deepred.settings import Settings
from deepred.stage import Work

USE = ("wikidata", "yago", "category", "infobox", "lead")
CUTOFF = 19690720

SUBJECTS: list[tuple[str, str, list[str], str]] = [
    # title, lead, categories, class at 1969-07-20
    (
        "2001: A Space Odyssey",
        "2001: A Space Odyssey is a 1968 science fiction film directed by Stanley Kubrick.",
        ["1968 films"],
        "O",
    ),
    (
        "Civil Rights Act of 1964",
        "The Civil Rights Act of 1964 was enacted on July 2, 1964.",
        ["1964 in American law"],
        "O",
    ),
    (
        "Apollo 11",
        "Apollo 11 was the spaceflight that landed on the Moon on July 20, 1969.",
        ["Spacecraft launched in 1969"],
        "N",
    ),
    (
        "Augustus",
        "Augustus (23 September 63 BC – 19 August AD 14) was the first emperor. He ruled from 27 BC.",
        ["63 BC births", "14 deaths"],
        "O",
    ),
    ("Hammurabi", "Hammurabi (c. 1810 BC – c. 1750 BC) was the sixth king of Babylon. He ruled.", [], "O"),
    (
        "A living engineer",
        "A living engineer (born 3 May 1925) is an engineer. He built bridges.",
        ["1925 births", "Living people"],
        "S",
    ),
    ("A late engineer", "A late engineer (born 3 May 1955) is an engineer.", ["1955 births", "Living people"], "N"),
    (
        "Rene Hurlemann",
        "Rene Hurlemann is a German psychiatrist (born 1975). He teaches.",
        ["1975 births", "Living people"],
        "N",
    ),
    ("Acme", "Acme is a company founded in 1871.", ["Companies established in 1871"], "S"),
    ("Acme", "Acme was a company founded in 1871 and dissolved in 1931.", ["Companies disestablished in 1931"], "O"),
    ("Star Wars", "Star Wars is a 1977 film.", ["1977 films"], "N"),
    (
        "Jakarta",
        "Jakarta is the capital of Indonesia. It was established in 1527.",
        ["Populated places established in the 16th century"],
        "S",
    ),
    ("Long life", "Long life (1 May 1900 – 2 June 1980) was a poet. She wrote.", ["1900 births", "1980 deaths"], "S"),
    ("1969", "Year 1969 was a common year.", [], "S"),
    ("1968", "Year 1968 was a leap year.", [], "O"),
    ("2nd millennium BC", "The 2nd millennium BC.", [], "O"),
    ("Water", "Water is a chemical substance.", [], "U"),
    ("Life", "Life is a magazine first published in 1883.", [], "S"),
]


def date(title: str, text: str, categories: list[str]) -> Dating:
    article = {"title": title, "text": text, "categories": categories, "infobox_dates": []}
    return resolve(list(gather(article, [], USE)), USE)


def row_of(dating: Dating) -> dict[str, Any]:
    return {
        "first": dating.first,
        "last": dating.last,
        "first_known": dating.first_known,
        "ended": dating.ended,
        "evidence": [row.row() for row in dating.evidence],
    }


@pytest.mark.parametrize(("title", "text", "categories", "expected"), SUBJECTS)
def test_subject_has_its_class(title: str, text: str, categories: list[str], expected: str) -> None:
    label, reason = classify(row_of(date(title, text, categories)), None, CUTOFF, "drop", 0.8)
    assert label == expected, reason


@pytest.mark.parametrize("born", [1850, 1900, 1940, 1955])
def test_living_person_is_never_old(born: int) -> None:
    dating = date("A", f"A (born 3 May {born}) is a poet.", [f"{born} births", "Living people"])
    assert classify(row_of(dating), None, CUTOFF, "drop", 0.8)[0] in "SN"
    assert classify(row_of(dating), None, 20300101, "drop", 0.8)[0] == "S"


def test_birth_alone_is_never_old() -> None:
    dating = resolve([Evidence("birth", 18000101, 18001231, "wikidata", 0.9, known=False)], USE)
    assert not dating.ended
    assert classify(row_of(dating), None, CUTOFF, "drop", 0.8)[0] == "S"


def test_deed_decides_first_known_before_the_estimate() -> None:
    born = Evidence("birth", 19000101, 19001231, "wikidata", 0.9, known=False)
    deed = Evidence("event", 19300101, 19301231, "wikidata", 0.8)
    assert resolve([born, deed], USE).first_known == 19300101
    assert resolve([born], USE).first_known == 19200101


def test_event_before_birth_is_no_deed() -> None:
    born = Evidence("birth", 19000101, 19001231, "wikidata", 0.9, known=False)
    wrong = Evidence("event", 18300101, 18301231, "lead", 0.5)
    assert resolve([born, wrong], USE).first_known == 19200101


def test_first_source_decides_and_the_conflict_is_noted() -> None:
    one = Evidence("death", 19500101, 19501231, "wikidata", 0.9)
    other = Evidence("death", 19700101, 19701231, "lead", 0.9)
    dating = resolve([other, one], USE)
    assert dating.last == 19501231
    assert "conflict: lead has 1970" in dating.evidence[0].note


def test_straddling_year_follows_the_setting() -> None:
    dating = date("A", "A is a 1969 film.", ["1969 films"])
    assert classify(row_of(dating), None, CUTOFF, "drop", 0.8)[0] == "N"
    assert classify(row_of(dating), None, CUTOFF, "keep", 0.8)[0] == "O"


def test_undated_article_of_late_sentences_is_new() -> None:
    nothing = row_of(Dating(None, None, None, False, ()))
    assert classify(nothing, 0.93, CUTOFF, "drop", 0.8) == ("N", "undated; late share 0.93")
    assert classify(nothing, 0.5, CUTOFF, "drop", 0.8)[0] == "U"


def test_evidence_reads_as_lines() -> None:
    rows = [
        Evidence("birth", 18090212, 18090212, "lead", 0.85, "(…)").row(),
        Evidence("alive", None, None, "lead", 0.5).row(),
    ]
    assert format_evidence(rows) == [
        "birth        1809-02-12                 lead       0.85  (…)",
        "alive        -                          lead       0.50",
    ]


def write_inputs(folder: Path) -> tuple[Path, Path]:
    articles, facts = folder / "articles", folder / "facts"
    articles.mkdir()
    facts.mkdir()
    blank: dict[str, Any] = dict.fromkeys(article_schema().names)
    texts = {"Ada": "Ada is a name.", "Zor": "Zor is a town.", "Film": "Film is a 1950 film."}
    rows = [
        {**blank, "page_id": n, "title": t, "text": x, "categories": [], "infobox_dates": []}
        for n, (t, x) in enumerate(texts.items())
    ]
    write_rows(articles / "articles-00000.parquet", rows[:2], article_schema())
    write_rows(articles / "articles-00001.parquet", rows[2:], article_schema())
    write_rows(articles / "redirects-00000.parquet", [{"title": "Ada L.", "target": "Ada"}], redirect_schema())
    common = {
        "value": "",
        "value_title": "",
        "qualifier": "",
        "calendar": "gregorian",
        "rank": "normal",
        "source": "wikidata",
    }
    claims = [
        {
            **common,
            "entity": "Q1",
            "title": "Ada L.",
            "property": "P569",
            "first": 18151210,
            "last": 18151210,
            "precision": 11,
        },
        {
            **common,
            "entity": "Q1",
            "title": "Ada L.",
            "property": "P570",
            "first": 18521127,
            "last": 18521127,
            "precision": 11,
        },
    ]
    write_rows(facts / "facts-00000.parquet", claims, fact_schema())
    return articles, facts


def test_stages_join_facts_through_redirects_and_write_a_row_an_article(tmp_path: Path) -> None:
    articles, facts = write_inputs(tmp_path)
    dates, classes, emergence = (tmp_path / name for name in ("dates", "classes", "emergence"))
    for folder in (dates, classes, emergence):
        folder.mkdir()
    work = Work(Settings())
    counts = date_articles(articles=articles, facts=facts, config=Dates(), out=dates, work=work)
    assert counts.numbers["facts of redirects"] == 2
    classify_articles(
        articles=articles,
        dates=dates,
        emergence=emergence,
        config=Classes(),
        cutoff=CUTOFF,
        straddling="drop",
        out=classes,
        work=work,
    )
    assert [(row["title"], row["class"]) for row in read_rows(classes, "classes-*.parquet")] == [
        ("Ada", "O"),
        ("Zor", "U"),
        ("Film", "O"),
    ]
    assert sorted(path.name for path in dates.glob("*.*")) == [".shards", "dates-00000.parquet", "dates-00001.parquet"]


def test_sources_left_out_of_use_are_not_heard(tmp_path: Path) -> None:
    articles, facts = write_inputs(tmp_path)
    out = tmp_path / "dates"
    out.mkdir()
    date_articles(articles=articles, facts=facts, config=Dates(use=["category"]), out=out, work=Work(Settings()))
    assert all(row["first_known"] is None for row in read_rows(out, "dates-*.parquet"))
