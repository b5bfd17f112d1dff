"""Evidence of all sources to one dating."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deepred.base.tables import article_schema, fact_schema, read_rows, redirect_schema, write_rows
from deepred.dating.dates import date_articles, resolve
from deepred.dating.evidence import Evidence, format_evidence
from deepred.run.config import Dates
from deepred.run.settings import Settings
from deepred.run.stage import Work

USE = ("wikidata", "yago", "category", "infobox", "lead")


def test_birth_alone_ends_nobody() -> None:
    dating = resolve([Evidence("birth", 18000101, 18001231, "wikidata", 0.9, known=False)], USE)
    assert not dating.ended


def test_source_that_is_trusted_more_keeps_the_living_alive() -> None:
    alive = Evidence("alive", None, None, "category", 0.9, known=False)
    born = Evidence("birth", 19300101, 19301231, "category", 0.9, known=False)
    misread = Evidence("death", 19600101, 19601231, "lead", 0.85)
    attested = Evidence("death", 19600101, 19601231, "wikidata", 0.9)
    assert not resolve([born, alive, misread], USE).ended
    assert resolve([attested, born, alive], USE).ended


def test_what_was_founded_anew_has_not_ended() -> None:
    first = Evidence("start", 19000101, 19001231, "category", 0.9)
    closed = Evidence("end", 19200101, 19201231, "category", 0.9)
    again = Evidence("start", 19500101, 19501231, "category", 0.9)
    assert resolve([first, closed], USE).ended
    assert not resolve([first, closed, again], USE).ended


def test_last_end_of_several_counts() -> None:
    start = Evidence("start", 19000101, 19001231, "category", 0.9)
    ends = [Evidence("end", year * 10000 + 101, year * 10000 + 1231, "category", 0.9) for year in (1910, 1930)]
    assert resolve([start, *ends], USE).last == 19301231


def test_late_office_of_a_lead_is_not_when_a_person_became_known() -> None:
    born = Evidence("birth", 19240612, 19240612, "lead", 0.85, known=False)
    president = Evidence("event", 19890101, 19891231, "lead", 0.6)
    assert resolve([born, president], USE).first_known == 19640612
    assert resolve([born, president], USE).evidence[0].kind == "estimate"


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


def test_facts_join_through_redirects_and_every_article_has_a_row(tmp_path: Path) -> None:
    articles, facts = write_inputs(tmp_path)
    out = tmp_path / "dates"
    out.mkdir()
    counts = date_articles(articles=articles, facts=facts, config=Dates(), out=out, work=Work(Settings()))
    assert counts.numbers["facts of redirects"] == 2
    rows = [(row["title"], row["first_known"], row["ended"]) for row in read_rows(out, "dates-*.parquet")]
    assert rows == [("Ada", 18351210, True), ("Zor", None, False), ("Film", 19500101, True)]
    assert sorted(path.name for path in out.glob("*.*")) == [".shards", "dates-00000.parquet", "dates-00001.parquet"]


def test_sources_left_out_of_use_are_not_heard(tmp_path: Path) -> None:
    articles, facts = write_inputs(tmp_path)
    out = tmp_path / "dates"
    out.mkdir()
    date_articles(articles=articles, facts=facts, config=Dates(use=["category"]), out=out, work=Work(Settings()))
    assert all(row["first_known"] is None for row in read_rows(out, "dates-*.parquet"))
