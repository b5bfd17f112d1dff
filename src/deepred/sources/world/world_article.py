"""One article of the generated world: the record, and the sentences with which it opens.

In: an entity. Out: an ``Article`` with a lead that dates it as leads do: ``(12 March 1890 – 4 May 1955)``,
``established in 1903``. For a renamed town the lead states its fact.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from deepred.base.days import Interval, year_of
from deepred.sources.world.world_facts import Entity, Fact
from deepred.sources.world.world_sentences import Composer, Mention, Sentence, dated, on, phrase

RIVERS = ("Ostrel", "Vandru", "Tillem", "Garvo")

OPENINGS = {
    "invention": ["{S} is a machine first shown {W}."],
    "novel": ["''{S}'' is a novel published {W}."],
    "tournament": ["{S} was a chess tournament held {W}."],
    "building": ["{S} is a large building opened {W}."],
    "company": ["{S} is a company established {W}."],
    "institute": ["{S} is a learned society founded {W}."],
    "province": ["{S} is a province on the northern coast.", "Its borders were drawn {W}."],
    "city": ["{S} is a town on the {R}.", "It was founded {W}."],
}
"""The first sentences of an article by the kind of its subject; {W} is when it began."""


@dataclass
class Article:
    """A page to be: its chains of sentences by section, and what dates it."""

    title: str
    entity: Entity | None = None
    kind: str = "topic"
    lead: list[Sentence] = field(default_factory=list[Sentence])
    sections: dict[str, list[list[Sentence]]] = field(default_factory=dict[str, list[list[Sentence]]])
    categories: list[str] = field(default_factory=list[str])
    bullets: bool = False
    year: int | None = None
    page_id: int = 0

    @property
    def main(self) -> str:
        """The heading under which it tells what happened."""
        return {"topic": "Examples", "person": "Work"}.get(self.kind, "History")

    def add(self, section: str, *chain: Sentence) -> None:
        """Add sentences that stand together."""
        self.sections.setdefault(section, []).append(list(chain))

    def sentences(self) -> list[Sentence]:
        """All sentences in reading order."""
        return self.lead + [s for chains in self.sections.values() for chain in chains for s in chain]


def lead(composer: Composer, entity: Entity, renamed: Fact | None) -> list[Sentence]:
    """The opening sentences of an entity's article; ``renamed`` is the fact that a renamed town's lead states."""
    if entity.kind == "person":
        return [_person(composer, entity)]
    article = "the " if entity.label.startswith("the ") else ""
    bold = Mention(f"{article}'''{entity.title}'''", entity.known.last, "entity")
    river = Mention(composer.random.choice(RIVERS))
    if renamed:
        sentences = _renamed(composer, renamed, bold, river)
    else:
        mentions = {"S": bold, "W": on(entity.first), "R": river}
        sentences = [composer.say(pattern, mentions) for pattern in OPENINGS[entity.kind]]
    if entity.end and entity.end != entity.first:
        closed = "{S} was closed {W}." if entity.kind == "company" else "{S} was pulled down {W}."
        sentences.append(composer.say(closed, {"S": composer.name(entity, link=False), "W": on(entity.end)}))
    return sentences


def _renamed(composer: Composer, fact: Fact, bold: Mention, river: Mention) -> list[Sentence]:
    new = Mention(f"'''{fact.object.title}'''", fact.known, "entity")
    mentions = {"S": bold, "O": new, "D": on(fact.when), "R": river}
    opening = "{S}, renamed {O} {D}, is a town on the {R}."
    founded = {"S": Mention(fact.subject.label), "W": on(fact.subject.first)}
    return [
        composer.say(opening, mentions, fact=fact, floor=Mention(fact.floor.label)),
        composer.say("{S} was founded {W}.", founded),
    ]


def _person(composer: Composer, person: Entity) -> Sentence:
    """``Karo Venn (12 March 1890 – 4 May 1955) was an engineer, active from 1923.``"""
    mentions = {
        "S": Mention(f"'''{person.label}'''", person.known.last, "entity"),
        "B": Mention(phrase(person.first)),
        "K": dated(Interval.of(year_of(person.known.first))),
    }
    life = "(born {B}) is"
    if person.end:
        mentions["E"] = dated(person.end)
        life = "({B} – {E}) was"
    article = "an" if person.profession[0] in "aeiou" else "a"
    return composer.say(f"{{S}} {life} {article} {person.profession}, active from {{K}}.", mentions)
