"""Truthy N-Triples to the same facts as the JSON dump, as far as triples can say them."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path
from typing import Any

import pytest

from deepred.base.errors import UserError
from deepred.base.tables import read_rows
from deepred.dating.facts.facts import extract_facts
from deepred.dating.facts.ntriples import host_of, read_time, title_of
from deepred.dating.facts.time_values import BadTimeError
from deepred.run.config import Facts
from deepred.run.settings import Settings
from deepred.run.stage import Counts, Work

ENTITY, DIRECT = "http://www.wikidata.org/entity/", "http://www.wikidata.org/prop/direct/"
DATE = "http://www.w3.org/2001/XMLSchema#dateTime"


def dated(qid: str, name: str, value: str) -> str:
    return f'<{ENTITY}{qid}> <{DIRECT}{name}> "{value}"^^<{DATE}> .'


def link(qid: str, path: str, host: str = "en.wikipedia.org") -> str:
    return f"<https://{host}/wiki/{path}> <http://schema.org/about> <{ENTITY}{qid}> ."


LINES = [
    f'<{ENTITY}Q42> <http://schema.org/dateModified> "2020-01-02T03:04:05Z"^^<{DATE}> .',
    dated("Q42", "P569", "1952-03-11T00:00:00Z"),
    dated("Q42", "P813", "2012-03-11T00:00:00Z"),
    f'<{ENTITY}Q42> <http://www.w3.org/2000/01/rdf-schema#label> "Douglas \\"D\\" Adams"@en .',
    f"<{ENTITY}Q42> <{DIRECT}P570> _:genid7 .",
    f"<{ENTITY}Q42> <{DIRECT}P570> <http://www.wikidata.org/.well-known/genid/7> .",
    link("Q42", "Douglas_Adams"),
    "<https://en.wikipedia.org/wiki/Douglas_Adams> <http://schema.org/isPartOf> <https://en.wikipedia.org/> .",
    link("Q42", "Douglas_Adams_(de)", "de.wikipedia.org"),
    dated("Q1048", "P570", "-0043-03-15T00:00:00Z"),
    dated("Q1048", "P569", "1969-02-31T00:00:00Z"),
    link("Q1048", "Julius_C%C3%A6sar"),
    dated("Q7", "P571", "1900-01-01T00:00:00Z"),
]


def extract(out: Path, *paths: Path) -> tuple[list[dict[str, Any]], Counts]:
    out.mkdir()
    counts = extract_facts(config=Facts(), sources={"wikidata": list(paths)}, out=out, work=Work(Settings()))
    return list(read_rows(out, "facts-*.parquet")), counts


@pytest.mark.parametrize("kind", ["nt", "gz", "bz2"])
def test_dates_join_articles_by_about_triples(tmp_path: Path, kind: str) -> None:
    data = ("\n".join(LINES) + "\n").encode()
    path = tmp_path / "truthy"
    path.write_bytes({"nt": data, "gz": gzip.compress(data), "bz2": bz2.compress(data)}[kind])
    rows, counts = extract(tmp_path / "out", path)
    assert [(row["entity"], row["title"], row["property"], row["first"], row["precision"]) for row in rows] == [
        ("Q42", "Douglas Adams", "P569", 19520311, 11),
        ("Q1048", "Julius Cæsar", "P570", -429685, 11),
    ]
    assert counts.drops["impossible date"] == 1
    assert counts.drops["fact of no article"] == 1
    assert counts.drops["malformed"] == 0
    assert counts.numbers["records"] == len(LINES)


@pytest.mark.parametrize(
    ("text", "first", "last", "precision"),
    [
        ("1952-03-11T00:00:00Z", 19520311, 19520311, 11),
        ("+1952-03-11T00:00:00Z", 19520311, 19520311, 11),
        ("1952-01-01T00:00:00Z", 19520101, 19521231, 9),
        ("1952-03-01T00:00:00Z", 19520301, 19520331, 10),
        ("1952-00-00T00:00:00Z", 19520101, 19521231, 9),
        ("0000-01-01T00:00:00Z", 101, 1231, 9),
        ("-0043-03-15T00:00:00Z", -429685, -429685, 11),
        ("-10000-01-01T00:00:00Z", -99999899, -99998769, 9),
        ("12000-05-02T00:00:00Z", 120000502, 120000502, 11),
        ("1989-06-04", 19890604, 19890604, 11),
    ],
)
def test_what_a_triple_leaves_out_widens_its_date(text: str, first: int, last: int, precision: int) -> None:
    read = read_time(text)
    assert (read.first, read.last, read.precision) == (first, last, precision)


@pytest.mark.parametrize(
    "text", ["1969-02-31T00:00:00Z", "1969-13-01T00:00:00Z", "-13798000000-01-01T00:00:00Z", "soon", ""]
)
def test_impossible_date_says_nothing(text: str) -> None:
    with pytest.raises(BadTimeError):
        read_time(text)


def test_titles_are_decoded_and_hosts_follow_the_wiki() -> None:
    assert title_of("Emile_Zola%27s_J%E2%80%99Accuse") == "Emile Zola's J’Accuse"
    assert title_of("AC/DC") == "AC/DC"
    assert title_of("\\u00C6gir") == "Ægir"
    assert host_of("enwiki") == "en.wikipedia.org"
    assert host_of("be_x_oldwiki") == "be-x-old.wikipedia.org"
    assert host_of("commonswiki") == "commons.wikimedia.org"
    assert host_of("dewikiquote") == "de.wikiquote.org"


def test_sitelinks_may_lie_in_another_shard_than_the_dates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deepred.dating.facts.dump_lines.RANGE_BYTES", {"plain": 700, "bz2": 700})
    path = tmp_path / "truthy.nt"
    dates = [dated(f"Q{n}", "P571", f"{1800 + n}-05-04T00:00:00Z") for n in range(1, 60)]
    path.write_text("\n".join([*dates, *(link(f"Q{n}", f"Town_{n}") for n in range(1, 60))]) + "\n", encoding="utf-8")
    rows, _ = extract(tmp_path / "out", path)
    assert [(row["title"], row["first"]) for row in rows] == [
        (f"Town {n}", (1800 + n) * 10000 + 504) for n in range(1, 60)
    ]


def test_broken_lines_are_counted_and_mostly_broken_files_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "truthy.nt"
    path.write_text("\n".join([*LINES, dated("Q42", "P571", "1960-05-04T00:00:00Z")[:-30]]), encoding="utf-8")
    rows, counts = extract(tmp_path / "out", path)
    assert len(rows) == 2
    assert counts.drops["malformed"] == 1
    path.write_text("\n".join([LINES[0], *["<broken> <triple"] * 5]), encoding="utf-8")
    with pytest.raises(UserError, match="unreadable"):
        extract(tmp_path / "again", path)


def test_triples_without_any_sitelink_are_an_error_that_says_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "truthy.nt"
    path.write_text(dated("Q42", "P569", "1952-03-11T00:00:00Z") + "\n", encoding="utf-8")
    with pytest.raises(UserError, match="sitelink"):
        extract(tmp_path / "out", path)
    links = tmp_path / "links.nt"
    links.write_text(link("Q42", "Douglas_Adams") + "\n", encoding="utf-8")
    assert [row["title"] for row in extract(tmp_path / "both", path, links)[0]] == ["Douglas Adams"]
