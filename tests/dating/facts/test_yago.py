"""YAGO's Turtle to facts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deepred.base.days import Interval
from deepred.base.tables import read_rows
from deepred.dating.facts.facts import extract_facts
from deepred.dating.facts.yago import read_date, title_of
from deepred.run.config import Facts
from deepred.run.settings import Settings
from deepred.run.stage import Counts, Work

TURTLE = """@prefix yago: <http://yago-knowledge.org/resource/> .
yago:Ada_Lovelace\tschema:birthDate\t"1815-12-10"^^xsd:date\t.
yago:Ada_Lovelace\tschema:deathDate\t"1852"^^xsd:gYear\t.
yago:The_Rock__u0028_film_u0029_\tschema:dateCreated\t"1996-06"^^xsd:gYearMonth\t.
yago:Thing_Q123\tschema:dateCreated\t"1900"^^xsd:gYear\t.
yago:Wrong\tschema:birthDate\t"1969-02-31"^^xsd:date\t.
yago:Caesar\tschema:mainEntityOfPage\t<https://en.wikipedia.org/wiki/Julius_Caesar>\t.
yago:Caesar\tschema:deathDate\t"-0043-03-15"^^xsd:date\t.
<<\tyago:Ada_Lovelace\tschema:spouse\tyago:William_King\t>>\tschema:startDate\t"1835"^^xsd:gYear\t.
"""


def facts_of(tmp_path: Path, text: str) -> tuple[list[dict[str, Any]], Counts]:
    path = tmp_path / "yago-facts.ttl"
    path.write_text(text, encoding="utf-8")
    out = tmp_path / "out"
    out.mkdir()
    counts = extract_facts(config=Facts(), sources={"yago": [path]}, out=out, work=Work(Settings()))
    return list(read_rows(out, "facts-*.parquet")), counts


def test_dates_of_articles_become_facts(tmp_path: Path) -> None:
    rows, counts = facts_of(tmp_path, TURTLE)
    assert [(row["title"], row["property"], row["first"], row["last"]) for row in rows] == [
        ("Ada Lovelace", "P569", 18151210, 18151210),
        ("Ada Lovelace", "P570", 18520101, 18521231),
        ("The Rock (film)", "P571", 19960601, 19960630),
        ("Julius Caesar", "P570", -429685, -429685),
        ("Ada Lovelace", "spouse", 18350101, 18351231),
    ]
    assert counts.drops["impossible date"] == 1
    assert counts.drops["no article in this wiki"] == 1


def test_name_is_a_title_unless_it_ends_in_a_qid() -> None:
    assert title_of("yago:AC_u002F_DC") == "AC/DC"
    assert title_of("yago:Some_village_Q42") == ""
    assert title_of("wd:Q42") == ""


def test_year_written_as_a_day_is_a_year() -> None:
    assert read_date("1970-01-01", "gYear") == (Interval(19700101, 19701231), 9)
