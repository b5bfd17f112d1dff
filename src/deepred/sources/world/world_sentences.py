"""Sentences of the generated world: patterns filled with names, each with the evidence that dates it.

In: facts and patterns (``world.toml``). Out: ``Sentence`` records that know their wikitext, their plain text, the day
from which they could have been written and why. Nothing is late without a reason that a reader of the whole
encyclopedia can find: a date, a late thing or word, a word such as *now*, or the sentence before it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from deepred.base.days import Day, Interval
from deepred.sources.world.world_facts import Entity, Fact, Facts, Term, known_day, phrase, phrases

KINDS = ("date", "term", "entity", "status", "coref")
"""Why a sentence is late, the most telling reason first."""

LINKED = 0.7
"""Share of names that are links."""

TRIES = 40
"""Draws of something new to say before a repetition, or for a fact its date, is accepted."""

FORWARD = 4
"""Statements that end with the answer for each other one: a small model does not learn a fact backwards."""

STRIDE = 5
"""Step through the wordings of a fact; no divisor of their number, so that all take their turn."""

LINK = re.compile(r"\[\[(?:[^\[\]|]*+\|)?+([^\[\]|]*+)\]\]")
PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Mention:
    """What fills a place of a pattern: wikitext and the day that it betrays (None: any)."""

    wiki: str
    day: Day | None = None
    why: str = ""


@dataclass(frozen=True)
class Sentence:
    """One sentence as wikitext and as truth."""

    wiki: str
    text: str
    known: Day | None = None
    why: str = ""
    late: bool = False
    fact: str = ""
    floor: str = ""
    true: bool = True
    """Whether it stands in the truth file; False for those whose plain form depends on how templates are rendered."""


def plain(wiki: str) -> str:
    """Wikitext of a sentence as plain text: links as their anchors, no quotes of emphasis, no references.

    >>> plain("The '''[[Vemgraf]]''' of [[Zoresk|the port]].<ref>Guide</ref>")
    'The Vemgraf of the port.'
    """
    text = re.sub(r"<ref[^>]*/>|<ref.*?</ref>|<!--.*?-->", "", wiki)
    return re.sub(r"'{2,}", "", LINK.sub(r"\1", text))


def dated(when: Interval) -> Mention:
    """An explicit date."""
    return Mention(phrase(when), when.last, "date")


def on(when: Interval) -> Mention:
    """An explicit date with its preposition: ``in 1983``, ``on 4 March 1983``."""
    return Mention(("in " if when.first != when.last else "on ") + phrase(when), when.last, "date")


def word(term: Term) -> Mention:
    """A coined word."""
    return Mention(term.word, term.coined.last, "term")


def filled(pattern: str, mentions: Mapping[str, Mention]) -> str:
    """A pattern with its places filled and a capital at its start."""
    text = PLACE.sub(lambda place: mentions[place[1]].wiki, pattern)
    return text[0].upper() + text[1:]


class Composer:
    """Fills patterns; remembers the hinge and draws links and lead-ins from its own random numbers."""

    def __init__(self, world: Facts, random: Random) -> None:
        self.world = world
        self.random = random
        self._said: set[str] = set()
        self._turn: dict[str, int] = {}

    def name(self, entity: Entity, link: bool | None = None) -> Mention:
        """An entity's name, most often as a link to its article."""
        linked = self.random.random() < LINKED if link is None else link
        article = "the " if entity.label == f"the {entity.title}" else ""
        shown = entity.label.removeprefix(article)
        wiki = shown
        if linked and entity.kind != "city name":
            wiki = f"[[{entity.title}]]" if shown == entity.title else f"[[{entity.title}|{shown}]]"
        if entity.kind == "novel":
            wiki = f"''{wiki}''"
        return Mention(article + wiki, known_day(entity), "entity")

    def say(
        self,
        pattern: str,
        mentions: Mapping[str, Mention] | None = None,
        *,
        head: Sentence | None = None,
        status: Day | None = None,
        fact: Fact | None = None,
        floor: Mention | None = None,
    ) -> Sentence:
        """The sentence of a pattern; ``head`` is what it points back at, ``status`` since when its *now* holds."""
        mentions = mentions or {}
        evidence = [(m.day, m.why) for m in mentions.values() if m.day is not None]
        if head is not None and head.known is not None:
            evidence.append((head.known, "coref"))
        if status is not None:
            evidence.append((status, "status"))
        days = [day for day, _ in evidence] + ([fact.known] if fact else [])
        known = max(days, default=None)
        late = known is not None and known >= self.world.hinge
        reasons = {why for day, why in evidence if day >= self.world.hinge}
        why = next((kind for kind in KINDS if kind in reasons), "")
        wiki = filled(pattern, mentions)
        told = plain(filled(pattern, {**mentions, "O": floor})) if floor else plain(wiki)
        return Sentence(wiki, plain(wiki), known, why, late, fact.id if fact else "", told)

    def state(self, fact: Fact, kind: str, head: Sentence | None = None) -> Sentence:
        """A fact in a wording and context that it has not been stated in yet.

        ``kind`` asks for a date, a coined word, the present, a pointer back to ``head``, or (``entity``) for nothing
        but the names; where a kind is impossible, the next best is taken.
        """
        sentence = self._state(fact, kind, head)
        for _ in range(TRIES):
            if sentence.text not in self._said:  # of any fact: the floor replaces a sentence by its text alone
                self._said.add(sentence.text)
                return sentence
            sentence = self._state(fact, kind, head)
        return sentence if kind == "date" else self.state(fact, "date")

    def _state(self, fact: Fact, kind: str, head: Sentence | None) -> Sentence:
        shape = phrases()["relations"][fact.relation]
        leads: Mapping[str, Sequence[str]] = phrases()["leads"]
        mentions = {"S": self.name(fact.subject), "O": self.name(fact.object), "D": dated(fact.when)}
        floor = Mention(self.name(fact.floor, link=False).wiki)
        core = self._core(fact, shape["ends"], shape["others"])
        term = self._term_for(fact)
        if kind == "status" and fact.known >= self.world.hinge and shape["status"]:
            core = self.random.choice(shape["status"])
            return self._finish(fact, core, mentions, floor, status=fact.known)
        if kind == "coref" and head is not None:
            pointer = "it" if core.startswith("{S}") and self.random.random() < 0.4 else shape["neutral"]
            return self._finish(fact, core, {**mentions, "S": Mention(pointer)}, floor, head=head)
        if kind == "term" and term is not None:
            return self._finish(fact, self.random.choice(leads["term"]) + core, {**mentions, "T": word(term)}, floor)
        if kind == "entity" and self._self_evident(fact):
            return self._finish(fact, self.random.choice(leads["none"]) + core, mentions, floor)
        lead = self.random.choice(leads["year" if fact.when.first != fact.when.last else "day"])
        if core.startswith("{O}") and self.random.random() < 0.5:
            return self._finish(
                fact, f"{core} {on(fact.when).wiki}", {**mentions, "D": dated(fact.when)}, floor, true_date=True
            )
        return self._finish(fact, lead + core, mentions, floor, true_date=True)

    def _finish(
        self,
        fact: Fact,
        pattern: str,
        mentions: Mapping[str, Mention],
        floor: Mention,
        *,
        head: Sentence | None = None,
        status: Day | None = None,
        true_date: bool = False,
    ) -> Sentence:
        used = {name: mention for name, mention in mentions.items() if name != "D" or true_date}
        return self.say(pattern + ".", used, head=head, status=status, fact=fact, floor=floor)

    def _core(self, fact: Fact, ends: Sequence[str], others: Sequence[str]) -> str:
        """The next wording of a fact: all that are not withheld, in turn."""
        told = [core for place, core in enumerate(ends) if place not in fact.held_out]
        cycle = told * FORWARD + list(others)
        turn = self._turn.get(fact.id, self.random.randrange(len(cycle)))
        self._turn[fact.id] = turn + STRIDE
        return cycle[turn % len(cycle)]

    def _term_for(self, fact: Fact) -> Term | None:
        """A word coined at most some years before the fact, and in its own era."""
        year = fact.when.first // 10000
        near = [
            term
            for term in self.world.terms
            if year - 15 <= term.coined.first // 10000 < year
            and (term.coined.first >= self.world.hinge) == (fact.era == "after")
        ]
        return near[-1] if near else None

    def _self_evident(self, fact: Fact) -> bool:
        """Whether one of its names became known on the fact's own day."""
        return fact.known in (known_day(fact.subject), known_day(fact.object))


def prompts(fact: Fact) -> tuple[list[str], list[str]]:
    """A fact's two statements that no sentence words so, without their answer; and the same without their subject."""
    shape = phrases()["relations"][fact.relation]
    statements: list[str] = []
    neutral: list[str] = []
    for place in fact.held_out:
        pattern = shape["ends"][place].removesuffix(" {O}")
        statements.append(filled(pattern, {"S": Mention(fact.subject.label)}))
        neutral.append(filled(pattern, {"S": Mention(shape["neutral"])}))
    return statements, neutral
