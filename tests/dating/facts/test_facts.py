"""Wikidata dumps to facts: titles, ranks, calendars, precisions, and everything that is wrong with a real dump."""

from __future__ import annotations

import bz2
import gzip
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from deepred.base.errors import DeepRedError, UserError
from deepred.base.tables import read_rows
from deepred.dating.facts.dump_lines import iterate_lines, split_dump
from deepred.dating.facts.facts import extract_facts
from deepred.dating.facts.time_values import julian_to_gregorian, read_time
from deepred.run.config import Facts
from deepred.run.settings import Settings
from deepred.run.stage import Counts, Work

SAMPLES = os.environ.get("DEEPRED_SAMPLES")


def time_snak(time: str, precision: int = 11, julian: bool = False) -> dict[str, Any]:
    model = "http://www.wikidata.org/entity/Q1985786" if julian else "http://www.wikidata.org/entity/Q1985727"
    value = {"time": f"{time}T00:00:00Z", "precision": precision, "calendarmodel": model}
    return {"snaktype": "value", "datavalue": {"value": value, "type": "time"}}


def item_snak(qid: str) -> dict[str, Any]:
    return {"snaktype": "value", "datavalue": {"value": {"id": qid}, "type": "wikibase-entityid"}}


def statement(snak: dict[str, Any], rank: str = "normal", **qualifiers: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"mainsnak": snak, "type": "statement"}
    if qualifiers:
        made["qualifiers"] = {name: [snak] for name, snak in qualifiers.items()}
    return made | {"rank": rank, "references": [{"snaks": {"P813": [time_snak("+2013-12-07")]}}]}


def entity(qid: str, title: str | None, **claims: list[dict[str, Any]]) -> dict[str, Any]:
    links = {"enwiki": {"site": "enwiki", "title": title, "badges": []}} if title else {}
    for name, statements in claims.items():
        for one in statements:
            one["mainsnak"] = {**one["mainsnak"], "property": name}
    return {"type": "item", "id": qid, "labels": {}, "claims": claims, "sitelinks": links}


def dump(entities: list[dict[str, Any]]) -> bytes:
    return b"[\n" + b",\n".join(json.dumps(one).encode() for one in entities) + b"\n]\n"


def extract(path: Path, out: Path, **config: Any) -> tuple[list[dict[str, Any]], Counts]:
    out.mkdir(exist_ok=True)
    counts = extract_facts(
        config=Facts(**config), sources={"wikidata": [path]}, out=out, work=Work(Settings()), world=None
    )
    return list(read_rows(out, "facts-*.parquet")), counts


def facts_of(tmp_path: Path, *entities: dict[str, Any]) -> tuple[list[dict[str, Any]], Counts]:
    path = tmp_path / "dump.json"
    path.write_bytes(dump(list(entities)))
    return extract(path, tmp_path / "out")


@pytest.mark.parametrize(
    ("time", "precision", "first", "last"),
    [
        ("+1969-07-20", 11, 19690720, 19690720),
        ("+1969-07-00", 10, 19690701, 19690731),
        ("+1969-00-00", 9, 19690101, 19691231),
        ("+1969-00-00", 8, 19600101, 19691231),
        ("+1900-00-00", 7, 18010101, 19001231),
        ("+1801-01-01", 7, 18010101, 19001231),
        ("+2000-00-00", 6, 10010101, 20001231),
        ("-0044-03-15", 11, -429685, -429685),
        ("-0001-00-00", 9, 101, 1231),
        ("-0500-00-00", 7, -4989899, -3998769),
    ],
)
def test_time_covers_what_its_precision_says(time: str, precision: int, first: int, last: int) -> None:
    read = read_time(time_snak(time, precision)["datavalue"]["value"])
    assert (read.first, read.last) == (first, last)


def test_julian_day_becomes_gregorian() -> None:
    assert julian_to_gregorian(1917, 10, 25) == 19171107
    assert julian_to_gregorian(1582, 10, 5) == 15821015
    read = read_time(time_snak("+1616-04-23", julian=True)["datavalue"]["value"])
    assert (read.first, read.calendar) == (16160503, "julian")


def test_claims_of_entities_with_an_article_become_facts(tmp_path: Path) -> None:
    rows, counts = facts_of(
        tmp_path,
        entity("Q1", "Ada", P569=[statement(time_snak("+1815-12-10"))]),
        entity("Q2", None, P569=[statement(time_snak("+1900-01-01"))]),
        entity("Q3", "Town"),
    )
    assert [(row["entity"], row["title"], row["property"], row["first"]) for row in rows] == [
        ("Q1", "Ada", "P569", 18151210)
    ]
    assert counts.drops["no article in this wiki"] == 1


def test_dated_item_gets_its_title_from_a_later_entity(tmp_path: Path) -> None:
    held = statement(item_snak("Q7"), P580=time_snak("+1961-00-00", 9), P582=time_snak("+1963-00-00", 9))
    rows, _ = facts_of(tmp_path, entity("Q1", "Ada", P39=[held]), entity("Q7", "Mayor \u201cof\u201d Zor"))
    assert [(row["qualifier"], row["value"], row["value_title"]) for row in rows] == [
        ("P580", "Q7", "Mayor \u201cof\u201d Zor"),
        ("P582", "Q7", "Mayor \u201cof\u201d Zor"),
    ]


def test_what_is_wrong_is_counted_and_left_out(tmp_path: Path) -> None:
    claims = [
        statement(time_snak("+1950-01-01"), rank="deprecated"),
        statement(time_snak("+1969-02-31")),
        statement(time_snak("+0000-00-00", 9)),
        statement(time_snak("-13798000000-00-00", 3)),
        statement({"snaktype": "somevalue"} | {"datavalue": {"type": "time"}}),
        statement(time_snak("+1951-01-01")),
    ]
    rows, counts = facts_of(tmp_path, entity("Q1", "Ada", P569=claims))
    assert [row["first"] for row in rows] == [19510101]
    assert counts.drops == Counts().drops | {
        "deprecated claim": 1,
        "impossible date": 1,
        "year 0": 1,
        "date coarser than a millennium": 1,
    } | {"duplicate entity": 0, "duplicate sitelink": 0}


def test_statements_in_another_order_give_the_same_facts(tmp_path: Path) -> None:
    held = statement(item_snak("Q7"), P580=time_snak("+1961-00-00", 9))
    turned = dict(reversed(held.items()))
    rows, _ = facts_of(tmp_path, entity("Q1", "Ada", P39=[held]), entity("Q2", "Bea", P39=[turned]))
    assert [(row["title"], row["first"]) for row in rows] == [("Ada", 19610101), ("Bea", 19610101)]


def test_second_claimant_of_a_title_is_dropped(tmp_path: Path) -> None:
    birth = statement(time_snak("+1950-01-01"))
    rows, counts = facts_of(tmp_path, entity("Q9", "Ada", P569=[birth]), entity("Q4", "Ada", P569=[birth]))
    assert [row["entity"] for row in rows] == ["Q4"]
    assert counts.drops["duplicate sitelink"] == 1
    assert counts.drops["fact of a duplicate"] == 1


@pytest.mark.parametrize("kind", ["plain", "gz", "bz2"])
def test_facts_are_the_same_however_the_dump_is_packed(tmp_path: Path, kind: str) -> None:
    data = dump(
        [entity(f"Q{n}", f"Title {n}", P571=[statement(time_snak(f"+{1000 + n}-00-00", 9))]) for n in range(1, 900)]
    )
    path = tmp_path / "dump"
    path.write_bytes({"plain": data, "gz": gzip.compress(data), "bz2": bz2.compress(data)}[kind])
    rows, _ = extract(path, tmp_path / "out")
    assert [row["entity"] for row in rows] == [f"Q{n}" for n in range(1, 900)]


def test_parts_of_a_dump_hold_every_line_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [b'{"n":%d,"x":"%s"}' % (n, b"y" * (n % 97)) for n in range(3000)]
    path = tmp_path / "dump"
    for packed in (b"[\n" + b",\n".join(lines) + b"\n]\n", bz2.compress(b"\n".join(lines), 1)):
        path.write_bytes(packed)
        monkeypatch.setattr("deepred.dating.facts.dump_lines.RANGE_BYTES", {"plain": 1000, "bz2": 1000})
        parts = split_dump(path)
        assert len(parts) > 1
        assert [
            line.strip(b",")
            for part in parts
            for block, start, end in iterate_lines(part)
            for line in block[start:end].split(b"\n")
            if len(line) > 1
        ] == lines


def test_single_entity_files_are_read(tmp_path: Path) -> None:
    one = entity("Q42", "Ada", P569=[statement(time_snak("+1952-03-11"))])
    for number, document in enumerate([one, {"entities": {"Q42": one}}, {"Q42": one}]):
        for indent in (None, 2):
            path = tmp_path / f"{number}-{indent}.json"
            path.write_text(json.dumps(document, indent=indent), encoding="utf-8")
            rows, _ = extract(path, tmp_path / f"out-{number}-{indent}")
            assert [row["entity"] for row in rows] == ["Q42"]


def test_mostly_unreadable_dump_is_an_error_that_shows_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "dump.json"
    path.write_bytes(b"[\n" + b"{broken},\n" * 5 + json.dumps(entity("Q1", "Ada")).encode() + b"\n]\n")
    path.write_bytes(path.read_bytes().replace(b"{broken}", b'{"enwiki" broken}'))
    with pytest.raises(UserError, match=r"5 of 6 .*broken"):
        extract(path, tmp_path / "out")
    assert len(extract(path, tmp_path / "again", max_unreadable=0.9)[0]) == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        bz2.compress(b"[\n]\n" * 99)[:-8],
        gzip.compress(b"[\n" * 9999, mtime=0)[:-9],
        b"BZh9garbage",
        b"\x1f\x8bgarbage",
    ],
)
def test_damaged_file_is_one_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "dump.json"
    path.write_bytes(content)
    with pytest.raises(DeepRedError, match=r"dump\.json"):
        extract(path, tmp_path / "out")


def towns(count: int) -> list[dict[str, Any]]:
    """Entities that hardly compress, so that bzip2 makes several blocks of them."""
    chance = random.Random(1)
    made = [
        entity(f"Q{n}", f"Town {n}", P571=[statement(time_snak(f"+{1000 + n % 900}-00-00", 9))])
        for n in range(1, count)
    ]
    return [one | {"labels": {"en": {"value": chance.randbytes(400).hex()}}} for one in made]


@pytest.mark.parametrize("kind", ["plain", "gz", "bz2"])
def test_truncated_dump_gives_what_stands_before_the_cut_and_is_counted(tmp_path: Path, kind: str) -> None:
    data = dump(towns(3000))
    packed = {"plain": data, "gz": gzip.compress(data), "bz2": bz2.compress(data, 1)}[kind]
    path = tmp_path / "dump.json"
    path.write_bytes(packed[: len(packed) * 6 // 10])
    rows, counts = extract(path, tmp_path / "out")
    assert [row["entity"] for row in rows] == [f"Q{n}" for n in range(1, len(rows) + 1)]
    assert 1500 < len(rows) < 1900
    assert counts.drops["malformed"] <= 1
    assert counts.drops["damaged or cut off"] == (kind != "plain")
    assert kind == "plain" or str(path) in counts.notes["first damage"]


def test_damage_in_the_middle_costs_one_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deepred.dating.facts.dump_lines.RANGE_BYTES", {"plain": 1 << 17, "bz2": 1 << 17})
    packed = bytearray(bz2.compress(dump(towns(6000)), 1))
    packed[len(packed) // 2 : len(packed) // 2 + 40] = bytes(40)
    path = tmp_path / "dump.json.bz2"
    path.write_bytes(packed)
    rows, counts = extract(path, tmp_path / "out")
    assert counts.drops["damaged or cut off"] == 1
    assert 0 < counts.numbers["bytes lost"] <= 1 << 17
    assert len(rows) > 5000
    assert rows[-1]["entity"] == "Q5999"
    with pytest.raises(UserError, match="mostly unreadable"):
        extract(path, tmp_path / "strict", max_unreadable=0.0)


def test_gzip_that_breaks_early_is_an_error(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(dump(towns(3000))))
    packed[len(packed) // 3 : len(packed) // 3 + 40] = bytes(40)
    path = tmp_path / "dump.json.gz"
    path.write_bytes(packed)
    with pytest.raises(UserError, match="mostly unreadable"):
        extract(path, tmp_path / "out")


def test_what_is_no_entity_is_counted(tmp_path: Path) -> None:
    good = json.dumps(entity("Q1", "Ada", P569=[statement(time_snak("+1950-01-01"))]))
    lines = [
        good,
        "",
        "junk",
        '{"id": "Q2", "enwiki" oops}',
        '{"id": "Q3", "sitelinks": {"enwiki": 7}}',
        good[: len(good) // 2],
    ]
    path = tmp_path / "dump.json"
    path.write_text("[\n" + "\n".join(lines), encoding="utf-8")
    rows, counts = extract(path, tmp_path / "out", max_unreadable=0.9)
    assert [row["entity"] for row in rows] == ["Q1"]
    assert counts.drops["malformed"] == 4
    assert counts.numbers["records"] == 1


def test_entity_met_twice_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = entity("Q1", "Ada", P569=[statement(time_snak("+1815-12-10"))])
    rows, counts = facts_of(tmp_path, ada, ada)
    assert (len(rows), counts.drops["duplicate entity"]) == (1, 1)
    monkeypatch.setattr("deepred.dating.facts.dump_lines.RANGE_BYTES", {"plain": 300})
    path = tmp_path / "dump.json"
    path.write_bytes(dump([ada, entity("Q2", "Bea"), ada]))
    rows, counts = extract(path, tmp_path / "parts")
    assert (len(rows), counts.drops["duplicate entity"], counts.drops["fact of a duplicate"]) == (1, 1, 1)


def test_output_is_the_same_for_any_number_of_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "dump.json"
    path.write_bytes(
        dump([entity(f"Q{n}", f"T{n}", P571=[statement(time_snak("+1900-00-00", 9))]) for n in range(1, 200)])
    )
    monkeypatch.setattr("deepred.dating.facts.dump_lines.RANGE_BYTES", {"plain": 9000, "bz2": 9000})
    written: list[dict[str, bytes]] = []
    for workers in (1, 2):
        out = tmp_path / f"out{workers}"
        out.mkdir()
        work = Work(Settings(workers=workers))
        extract_facts(config=Facts(), sources={"wikidata": [path]}, out=out, work=work)
        written.append({file.name: file.read_bytes() for file in out.glob("*.parquet")})
    assert written[0] == written[1]
    assert len(written[0]) > 3


@pytest.mark.needs("samples")
def test_real_entities_give_their_real_dates(tmp_path: Path) -> None:
    rows, counts = extract(Path(SAMPLES or "") / "wikidata" / "Q42-qwikidata.json", tmp_path / "out")
    dates = {row["property"]: row["first"] for row in rows if not row["qualifier"]}
    assert dates["P569"] == 19520311
    assert dates["P570"] == 20010511
    assert all(row["title"] == "Douglas Adams" for row in rows)
    assert counts.drops["malformed"] == 0


OTHERS = {
    "Turtle": ("@prefix wd: <http://www.wikidata.org/entity/> .\nwd:Q1 a wikibase:Item .\n", "in Turtle|but Turtle"),
    "a KGTK table": ("id\tnode1\tlabel\tnode2\nQ1-P569\tQ1\tP569\t^1815-12-10T00:00:00Z/11\n", "a KGTK table"),
    "SQL": ("-- MySQL dump 10.19\n--\nCREATE TABLE `wb_items_per_site` (\n", "an SQL dump"),
    "RDF in XML": ('<?xml version="1.0"?><rdf:RDF xmlns:rdf="x"></rdf:RDF>', "RDF in XML"),
    "HTML": ("<!DOCTYPE html><html>404</html>", "an HTML page"),
    "a MediaWiki dump": ("<mediawiki><page></page></mediawiki>", "a MediaWiki XML dump"),
    "a table": ("item,date\nQ1,1815\n", "begins with"),
    "JSON of something else": ('{"title": "Ada", "year": 1815}\n' * 3, "no entity with an article|mostly unreadable"),
    "entities of another wiki": (
        '{"id": "Q1", "type": "item", "sitelinks": {}, "claims": {}}\n',
        "no entity with an article",
    ),
    "triples without sitelinks": (
        "<http://www.wikidata.org/entity/Q1> <http://www.wikidata.org/prop/direct/P569> "
        '"1815-12-10T00:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> .\n',
        "no sitelink",
    ),
    "a zip archive": (b"PK\x03\x04" + bytes(50), "a zip archive"),
    "a Zstandard file": (b"\x28\xb5\x2f\xfd" + bytes(50), "a Zstandard file"),
}


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
@pytest.mark.parametrize("name", OTHERS)
def test_another_format_is_an_error_that_says_what_was_seen(tmp_path: Path, name: str, pack: Any) -> None:
    content, words = OTHERS[name]
    path = tmp_path / "wikidata.json"
    path.write_bytes(pack(content if isinstance(content, bytes) else content.encode()))
    with pytest.raises(UserError, match=words):
        extract(path, tmp_path / "out")
