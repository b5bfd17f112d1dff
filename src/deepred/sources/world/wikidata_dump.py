"""The generated world's Wikidata: entities with labels, sitelinks, dated claims and facts, as a JSON dump.

Format: https://doc.wikimedia.org/Wikibase/master/php/docs_topics_json.html, one entity a line in an array. It holds
what real dumps hold: a deprecated claim, a preferred one, a Julian and a BCE date, days and years, and a broken line.
"""

from __future__ import annotations

import bz2
import json
from pathlib import Path
from typing import Any

from deepred.base.days import Interval, year_of
from deepred.base.files import write_bytes
from deepred.sources.world.world_facts import Entity, Fact, Facts, phrases

FILE = "wikidata.json.bz2"
FIRST_ITEM = 1000

BEGAN = {"person": "P569", "invention": "P575", "novel": "P577", "tournament": "P585"}
"""Property of an entity's first day; inception (P571) for all others."""
ENDED = {"person": "P570"}
"""Property of its last day; dissolution (P576) for all others."""
OFFICES = {"mayor": "Q30185", "director": "Q1162163"}
KIND_ITEMS = {
    "person": "Q5",
    "city": "Q515",
    "renamed city": "Q515",
    "company": "Q4830453",
    "novel": "Q8261",
    "building": "Q41176",
}
GREGORIAN, JULIAN = "http://www.wikidata.org/entity/Q1985727", "http://www.wikidata.org/entity/Q1985786"


def write_claims(world: Facts, out: Path) -> int:
    """Write the JSON dump; returns the number of well-formed entities in it."""
    items = {entity.title: f"Q{FIRST_ITEM + place}" for place, entity in enumerate(world.entities)}
    entities = [_entity(items[entity.title], entity) for entity in world.entities]
    by_item = {entity["id"]: entity for entity in entities}
    for fact in world.facts:
        _state(by_item, items, fact)
    _oddities(entities, world)
    lines = [json.dumps(entity, ensure_ascii=False, separators=(",", ":")) for entity in entities]
    lines.insert(len(lines) // 2, '{"type":"item","id":"Q9","labels":{"en":{"language":"en","value":"broken"')
    write_bytes(out / FILE, bz2.compress(("[\n" + ",\n".join(lines) + "\n]\n").encode()))
    return len(entities)


def time_value(when: Interval, calendar: str = GREGORIAN) -> dict[str, Any]:
    """An interval of a day or a year as Wikidata's time value; a year has zeros for month and day."""
    value = when.first
    year, rest = value // 10000, value % 10000
    exact = when.first == when.last
    shown = f"{rest // 100:02d}-{rest % 100:02d}" if exact else "00-00"
    sign, number = ("+", year) if year > 0 else ("-", 1 - year)
    time = {"time": f"{sign}{number:04d}-{shown}T00:00:00Z", "timezone": 0, "before": 0, "after": 0}
    return {"value": {**time, "precision": 11 if exact else 9, "calendarmodel": calendar}, "type": "time"}


def item_value(item: str) -> dict[str, Any]:
    """A reference to another entity."""
    value = {"entity-type": "item", "numeric-id": int(item[1:]), "id": item}
    return {"value": value, "type": "wikibase-entityid"}


def text_value(text: str) -> dict[str, Any]:
    """A text with its language."""
    return {"value": {"text": text, "language": "en"}, "type": "monolingualtext"}


DATATYPES = {"time": "time", "wikibase-entityid": "wikibase-item", "monolingualtext": "monolingualtext"}


def add_claim(
    entity: dict[str, Any],
    name: str,
    value: dict[str, Any],
    rank: str = "normal",
    qualifiers: dict[str, Any] | None = None,
) -> None:
    """Add a claim to an entity, with qualifiers by property."""
    claims: list[dict[str, Any]] = entity["claims"].setdefault(name, [])
    snak = {"snaktype": "value", "property": name, "datavalue": value, "datatype": DATATYPES[value["type"]]}
    claim: dict[str, Any] = {
        "mainsnak": snak,
        "type": "statement",
        "id": f"{entity['id']}${name}-{len(claims)}",
        "rank": rank,
    }
    if qualifiers:
        claim["qualifiers"] = {
            key: [{"snaktype": "value", "property": key, "datavalue": found, "datatype": DATATYPES[found["type"]]}]
            for key, found in qualifiers.items()
        }
        claim["qualifiers-order"] = list(qualifiers)
    claims.append(claim)


def _entity(item: str, entity: Entity) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "item",
        "id": item,
        "labels": {"en": {"language": "en", "value": entity.title}},
        "descriptions": {"en": {"language": "en", "value": entity.profession or entity.kind}},
        "aliases": {},
        "claims": {},
        "sitelinks": {"worldwiki": {"site": "worldwiki", "title": entity.title, "badges": []}},
        "lastrevid": 1,
    }
    if entity.kind in KIND_ITEMS:
        add_claim(made, "P31", item_value(KIND_ITEMS[entity.kind]))
    add_claim(made, BEGAN.get(entity.kind, "P571"), time_value(entity.first))
    if entity.kind == "person":
        add_claim(made, "P2031", time_value(Interval.of(year_of(entity.known.first))))
    if entity.end and entity.end != entity.first:
        add_claim(made, ENDED.get(entity.kind, "P576"), time_value(entity.end))
    return made


def _state(by_item: dict[str, dict[str, Any]], items: dict[str, str], fact: Fact) -> None:
    """A fact as an item-valued claim of its subject, with its date; an office also as a position of its holder."""
    name = str(phrases()["relations"][fact.relation]["property"])
    subject = by_item[items[fact.subject.title]]
    if fact.relation == "renamed":
        add_claim(subject, name, text_value(fact.subject.label), qualifiers={"P582": time_value(fact.when)})
        add_claim(subject, name, text_value(fact.object.label), "preferred", {"P580": time_value(fact.when)})
        return
    since = "P585" if fact.known == fact.subject.first.last else "P580"
    add_claim(subject, name, item_value(items[fact.object.title]), qualifiers={since: time_value(fact.when)})
    if fact.relation in OFFICES:
        holder = by_item[items[fact.object.title]]
        add_claim(holder, "P39", item_value(OFFICES[fact.relation]), qualifiers={"P580": time_value(fact.when)})


def _oddities(entities: list[dict[str, Any]], world: Facts) -> None:
    """What real dumps hold: wrong dates marked deprecated, preferred ones, other calendars and eras, no sitelink."""
    people = [place for place, entity in enumerate(world.entities) if entity.kind == "person"]
    wrong, better, julian = (entities[place] for place in people[:3])
    add_claim(wrong, "P569", time_value(Interval.of(1700)), "deprecated")
    better["claims"]["P569"][0]["rank"] = "preferred"
    add_claim(better, "P569", time_value(Interval.of(1702)))
    julian["claims"]["P569"][0]["mainsnak"]["datavalue"]["value"]["calendarmodel"] = JULIAN
    king: dict[str, Any] = {
        "type": "item", "id": "Q900", "labels": {"en": {"language": "en", "value": "a king of old"}},
        "descriptions": {}, "aliases": {}, "claims": {}, "sitelinks": {}, "lastrevid": 1,
    }  # fmt: skip
    add_claim(king, "P570", time_value(Interval.of(-43)), qualifiers={"P585": time_value(Interval.of(-43, 3, 15))})
    entities.append(king)
