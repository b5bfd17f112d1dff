"""The reader of entity lines finds what parsing every line finds, however a line is written."""

from __future__ import annotations

import bz2
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepred.dating.facts.entities import EntityReader
from deepred.dating.facts.properties import OTHER_VALUES, PROPERTIES, QUALIFIERS
from deepred.dating.facts.time_values import BadTimeError, read_time
from deepred.run.stage import Counts

SAMPLES = os.environ.get("DEEPRED_SAMPLES")
NASTY = [
    "plain", 'a "quoted" name', "back\\slash", 'ends in \\"', "{[}]", "née Zoë 🚀", "tab\tnewline\n", "Jay-Z", 'Z"', "",
    '"type":"time"', '"enwiki":{"site":"enwiki","title":"Wrong"}', "enwiki", "sitelinks", "mainsnak", '{"mainsnak":{',
    '"rank":"deprecated"', "rank", "+1969-07-20T00:00:00Z", '"time":"+1969-07-20T00:00:00Z"', "calendarmodel", "$",
    "qualifiers", '"references":[', "references", '},"sitelinks":{"enwiki":{"title":"Wrong"', "id",
    '{"id":"Q666"', "P569", "snaktype",
]  # fmt: skip
ITEM, TIME = "wikibase-entityid", "time"
KINDS = {"P569": TIME, "P570": TIME, "P2913": TIME, "P39": ITEM, "P463": ITEM}
KINDS |= {"P348": "string", "P1082": "quantity", "P1476": "monolingualtext"}
WRITTEN = [(",", ":"), (", ", ": "), (" , ", " : "), (",\t", ": ")]


class Maker:
    """Entities by chance: mostly as in a dump, with everything that may be odd in one."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def text(self) -> str:
        return "".join(self.chance.choices(NASTY, k=self.chance.choice((1, 1, 2))))

    def often(self, usual: Any, *rare: Any) -> Any:
        return usual if self.chance.random() < 0.85 else self.chance.choice(rare)

    def value(self, kind: str) -> Any:
        number = self.chance.randint(1, 99)
        if kind == TIME:
            year, month, day = self.chance.randint(0, 2100), self.often(7, 0, 2, 13), self.often(9, 0, 29, 31)
            model = f"http://www.wikidata.org/entity/Q{self.often(1985727, 1985786)}"
            return {
                "time": f"{self.often('+', '-')}{year:04d}-{month:02d}-{day:02d}T00:00:00Z", "timezone": 0, "before": 0,
                "after": 0, "precision": self.often(11, 5, 6, 7, 8, 9, 10), "calendarmodel": model,
            }  # fmt: skip
        if kind == ITEM:
            return {"entity-type": "item", "numeric-id": number, **self.often({"id": f"Q{number}"}, {})}
        if kind == "quantity":
            return {"amount": "+42", "unit": "1"}
        return {"text": self.text(), "language": "en"} if kind == "monolingualtext" else self.text()

    def snak(self, name: str, kind: str) -> dict[str, Any]:
        made: dict[str, Any] = {"snaktype": "value", "property": name}
        if self.chance.random() < 0.5:
            made["hash"] = "0123456789abcdef0123456789abcdef01234567"
        if kind == "somevalue":
            return made | {"snaktype": kind}
        return made | {"datavalue": {"value": self.value(kind), "type": kind}, "datatype": kind}

    def snaks(self, names: tuple[str, ...]) -> dict[str, list[dict[str, Any]]]:
        used = self.chance.sample(names, k=self.chance.randint(1, 3))
        kinds = {name: self.often(TIME, "somevalue", "string", ITEM) for name in used}
        return {name: [self.snak(name, kind) for _ in range(self.often(1, 2))] for name, kind in kinds.items()}

    def statement(self, name: str) -> dict[str, Any]:
        kind = self.often(KINDS[name], "somevalue", TIME, "string")
        made: dict[str, Any] = {"mainsnak": self.snak(name, kind), "type": "statement"}
        if self.chance.random() < 0.7:
            made["qualifiers"] = self.snaks(("P580", "P582", "P585", "P577", "P1319", "P642", "P569"))
            made["qualifiers-order"] = list(made["qualifiers"])
        made |= {"id": f"Q1${self.often('ABC', self.text())}", "rank": self.often("normal", "preferred", "deprecated")}
        if self.chance.random() < 0.5:
            made["references"] = [{"hash": "ab", "snaks": self.snaks(("P813", "P577", "P585", "P854"))}]
        return made

    def entity(self) -> dict[str, Any]:
        names = self.chance.sample(list(KINDS), k=self.chance.randint(0, 4))
        claims = {name: [self.statement(name) for _ in range(self.chance.randint(1, 3))] for name in names}
        sites = [self.often("enwiki", "dewiki"), self.often("frwiki", "enwikiquote")]
        links = {site: {"site": site, "title": self.often("Ada", self.text()), "badges": []} for site in sites}
        return {
            "type": "item", "id": "Q1", "labels": {"en": {"language": "en", "value": self.text()}},
            "aliases": {"en": [{"language": "en", "value": self.text()}]}, "claims": claims or [],
            "sitelinks": self.often(links, [], {}), "lastrevid": 7, "modified": "2019-04-02T21:08:58Z",
        }  # fmt: skip


def shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: shuffled(value[key], chance) for key in keys}
    return [shuffled(one, chance) for one in value] if isinstance(value, list) else value


def expected(entity: dict[str, Any]) -> list[tuple[Any, ...]]:
    """What a plain loop over the parsed entity finds; written without any code of the reader."""
    link = (entity["sitelinks"] or {}).get("enwiki")
    facts: list[tuple[Any, ...]] = []
    for name, made in (entity["claims"] or {}).items() if link else ():
        for one in made:
            main = one["mainsnak"].get("datavalue", {"type": ""})
            dates = [("", "", one["mainsnak"])] if main["type"] == "time" and name in PROPERTIES else []
            if main["type"] == "wikibase-entityid" or (main["type"] != "time" and name in OTHER_VALUES):
                item = f"Q{main['value']['numeric-id']}" if main["type"] == "wikibase-entityid" else ""
                dates += [
                    (qualifier, item, found)
                    for qualifier, several in one.get("qualifiers", {}).items()
                    for found in several
                    if qualifier in QUALIFIERS
                ]
            for qualifier, item, found in dates:
                if (
                    found["snaktype"] == "value"
                    and found["datavalue"]["type"] == "time"
                    and one["rank"] != "deprecated"
                ):
                    try:
                        time = read_time(found["datavalue"]["value"])
                    except BadTimeError:
                        continue
                    facts.append((entity["id"], link["title"], name, qualifier, item, one["rank"], *time))
    return facts


def found_in(line: bytes) -> tuple[list[tuple[Any, ...]], Counts]:
    counts = Counts()
    block = b"[\n" + line + b",\n]\n"
    rows = [
        (*row[:5], row[9], *row[6:9], row[10]) for row in EntityReader("enwiki", counts).read((block, 0, len(block)))
    ]
    return rows, counts


def written(entity: dict[str, Any], chance: random.Random) -> bytes:
    """An entity as JSON in one of the ways in which it can be written."""
    text = json.dumps(entity, separators=chance.choice(WRITTEN), ensure_ascii=chance.random() < 0.5)
    if chance.random() < 0.3:
        text = text.replace("/", "\\/")  # as older dumps write addresses
    return text.encode()


@settings(max_examples=1200, deadline=None)
@given(st.integers(0, 2**32))
def test_facts_are_those_of_a_plain_loop(seed: int) -> None:
    maker = Maker(seed)
    entity = maker.entity()
    if maker.chance.random() < 0.3:
        entity = shuffled(entity, maker.chance)
    line = written(entity, maker.chance)
    rows, counts = found_in(line)
    assert sorted(rows) == sorted(expected(entity)), line.decode()
    assert counts.drops["malformed"] == 0
    assert counts.numbers["records"] == 1


def test_lines_as_in_a_dump_are_not_parsed_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the reader would be right and slow."""
    time = {
        "time": "+1952-03-11T00:00:00Z",
        "precision": 11,
        "calendarmodel": "http://www.wikidata.org/entity/Q1985727",
    }

    def snak(name: str, value: dict[str, Any], kind: str) -> dict[str, Any]:
        data = {"value": value, "type": kind}
        return {"snaktype": "value", "property": name, "hash": "0" * 40, "datavalue": data, "datatype": kind}

    item = {"entity-type": "item", "numeric-id": 7, "id": "Q7"}
    ended = {"P580": [snak("P580", time, TIME)]}
    held = {
        "mainsnak": snak("P39", item, ITEM),
        "type": "statement",
        "qualifiers": ended,
        "id": "Q1$a",
        "rank": "normal",
    }
    seen = [{"snaks": {"P577": [snak("P577", time, TIME)], "P813": [snak("P813", time, TIME)]}}]
    born = {
        "mainsnak": snak("P569", time, TIME),
        "type": "statement",
        "id": "Q1$b",
        "rank": "preferred",
        "references": seen,
    }
    links = {"enwiki": {"site": "enwiki", "title": "Ada", "badges": []}}
    claims = {"P39": [held], "P569": [born]}
    entity = {"type": "item", "id": "Q1", "labels": {}, "claims": claims, "sitelinks": links, "lastrevid": 1}
    monkeypatch.setattr("deepred.dating.facts.entities.entities_of", lambda line: pytest.fail("parsed as a whole"))
    for marks in WRITTEN[:2]:
        rows, _ = found_in(json.dumps(entity, separators=marks).encode())
        assert [(row[2], row[3], row[4]) for row in rows] == [("P39", "P580", "Q7"), ("P569", "", "")]


@pytest.mark.needs("samples")
@pytest.mark.parametrize("name", ["entities-dump-sample.json", "opentapioca-short_stream.json.bz2"])
def test_real_entities_give_the_facts_of_a_plain_loop(name: str) -> None:
    data = (Path(SAMPLES or "") / "wikidata" / name).read_bytes()
    data = bz2.decompress(data) if name.endswith("bz2") else data
    entities = [json.loads(line.rstrip(b",")) for line in data.splitlines() if len(line) > 2]
    once = {entity["id"]: entity for entity in reversed(entities)}.values()
    rows, counts = found_in(data)
    assert len(rows) > 50
    assert sorted(rows) == sorted(fact for entity in once for fact in expected(entity))
    assert counts.drops["malformed"] == 0
