"""YAGO's Turtle to facts."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path
from typing import Any

import pytest

from deepred.base.days import Interval
from deepred.base.errors import UserError
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


def facts_of(tmp_path: Path, text: str | bytes) -> tuple[list[dict[str, Any]], Counts]:
    path = tmp_path / "yago-facts.ttl"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
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


FOUR = """<http://yago-knowledge.org/resource/Ada_Lovelace>\t<http://schema.org/birthDate>\t"1815-12-10"^^<http://www.w3.org/2001/XMLSchema#date>\t.
<http://yago-knowledge.org/resource/Acme_Q5>\t<http://www.w3.org/2002/07/owl#sameAs>\t<http://www.wikidata.org/entity/Q5>\t.
<http://yago-knowledge.org/resource/Belgium>\t<http://schema.org/foundingDate>\t"1830"^^<http://www.w3.org/2001/XMLSchema#gYear>\t.
<http://yago-knowledge.org/resource/Belgium>\t<http://schema.org/name>\t"Belgium"@en\t.
<< <http://yago-knowledge.org/resource/Ada_Lovelace> <http://schema.org/spouse> <http://yago-knowledge.org/resource/William_King> >> <http://schema.org/startDate> "1835"^^<http://www.w3.org/2001/XMLSchema#gYear> .
"""  # noqa: E501


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
def test_yago_4_in_n_triples_gives_the_same_kind_of_facts(tmp_path: Path, pack: Any) -> None:
    rows, counts = facts_of(tmp_path, pack(FOUR.encode()))
    assert [(row["title"], row["property"], row["qualifier"], row["first"], row["value_title"]) for row in rows] == [
        ("Ada Lovelace", "P569", "", 18151210, ""),
        ("Belgium", "P571", "", 18300101, ""),
        ("Ada Lovelace", "spouse", "P580", 18350101, "William King"),
    ]
    assert counts.numbers["dated statements"] == 3


OTHERS = {
    "YAGO 3 as a table": (
        '<id_1>\t<Ada_Lovelace>\t<wasBornOnDate>\t"1815-12-10"^^xsd:date\t1815.1210\n',
        r"YAGO 2 or 3",
    ),
    "YAGO 3 without ids": (
        '\t<Ada_Lovelace>\t<wasBornOnDate>\t"1815-12-10"^^xsd:date\t1815.1210\n',
        "wasBornOnDate|YAGO 2",
    ),
    "YAGO 3 in Turtle": (
        '@base <http://yago-knowledge.org/resource/> .\n<Ada>\t<wasBornOnDate>\t"1815-12-10"^^xsd:date .\n',
        "seen is Turtle, predicates of dates: wasBornOnDate",
    ),
    "a schema without dates": (
        '@prefix yago: <http://yago-knowledge.org/resource/> .\nyago:A\trdfs:label\t"A"@en\t.\n',
        "no date under a predicate of YAGO",
    ),
    "triples of Wikidata": (
        "<http://www.wikidata.org/entity/Q7259> <http://www.wikidata.org/prop/direct/P569> "
        '"1815-12-10T00:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> .\n',
        "prop/direct/P569",
    ),
    "triples of DBpedia": (
        "<http://dbpedia.org/resource/Ada> <http://dbpedia.org/ontology/birthDate> "
        '"1815-12-10"^^<http://www.w3.org/2001/XMLSchema#date> .\n',
        "dbpedia.org/ontology/birthDate",
    ),
    "entities without an article": (
        'yago:Thing_Q123\tschema:dateCreated\t"1900"^^xsd:gYear\t.\n',
        "1 dates, none of a subject",
    ),
    "JSON": ('{"id": "Q1"}\n', "but JSON"),
    "HTML": ("<!DOCTYPE html><html>404</html>", "an HTML page"),
    "a zip archive": (b"PK\x03\x04" + bytes(50), "a zip archive"),
    "a 7z archive": (b"7z\xbc\xaf\x27\x1c" + bytes(50), "a 7z archive"),
    "an empty file": ("", "an empty file"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_another_version_or_format_is_an_error_that_says_what_was_seen(tmp_path: Path, name: str) -> None:
    text, words = OTHERS[name]
    with pytest.raises(UserError, match=words) as error:
        facts_of(tmp_path, text)
    assert ("yago-facts.ttl" in str(error.value)) == (name != "no article")


def test_a_file_without_dates_beside_one_with_dates_is_fine(tmp_path: Path) -> None:
    (tmp_path / "a.ttl").write_text('@prefix a: <b> .\nyago:A\trdfs:label\t"A"@en\t.\n', encoding="utf-8")
    (tmp_path / "b.ttl").write_text(TURTLE, encoding="utf-8")
    (tmp_path / "out").mkdir()
    sources = {"yago": [tmp_path / "a.ttl", tmp_path / "b.ttl"]}
    counts = extract_facts(config=Facts(), sources=sources, out=tmp_path / "out", work=Work(Settings()))
    assert counts.numbers["facts"] == 5
