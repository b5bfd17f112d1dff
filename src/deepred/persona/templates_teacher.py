"""The built-in teacher: examples from dated facts, kept passages, gold conversations and invented things.

It is deterministic and needs no server: a table of wordings asks, the fact or the kept text answers, and the persona's
voice frames the answer. It says nothing that is not in its sources.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from deepred.base.days import MONTHS, Interval, month_of, year_of
from deepred.persona.personas import Message, Persona, Turn
from deepred.text.sentences import split_sentences

TEMPLATES = Path(__file__).parent / "templates"
CENTURY, DECADE, YEAR, MONTH, DAY = 7, 8, 9, 10, 11
"""Wikidata's precisions that can be said in words; anything coarser is no answer."""
WORDINGS = 3
"""Examples made of one fact at most: enough for the wording not to matter, few enough for facts to vary."""
PASSAGE_SENTENCES = 4
"""Sentences of an answer from a passage at most: an answer, not an article."""


@dataclass(frozen=True)
class Example:
    """A conversation without its system prompt; all that has one ``document`` stays on one side of the split."""

    kind: str
    subject: str
    turns: tuple[Turn, ...]
    variant: str = "primary"
    provenance: dict[str, Any] = field(default_factory=dict[str, Any])
    document: str = ""
    """What it was made from, by the mixture's id (``wikipedia:12``), or a name of its own."""
    article_class: str = "U"
    """The class of the article that it is about, for the sentence filter."""
    source: str = ""
    """The text that a teacher was given, which it may neither copy nor leave; empty where quoting is the method."""

    @property
    def key(self) -> str:
        """What tells it from every other example."""
        return "\n".join([self.kind, self.document, *(f"{turn.user}\n{turn.assistant}" for turn in self.turns)])

    @property
    def group(self) -> str:
        """The fact that it asks about, in one of several wordings; empty for every other kind."""
        named = [str(self.provenance.get(name, "")) for name in ("entity", "property", "value")]
        return " ".join(named) if self.kind == "fact" else ""

    def messages(self, system: str) -> list[Message]:
        """The conversation in ChatML's roles."""
        messages = [{"role": "system", "content": system}]
        for turn in self.turns:
            messages += [{"role": "user", "content": turn.user}, {"role": "assistant", "content": turn.assistant}]
        return messages


@cache
def templates(name: str) -> dict[str, Any]:
    """A table of ``templates/``: ``questions``, ``unknown``, ``prompts``."""
    return tomllib.loads((TEMPLATES / f"{name}.toml").read_text(encoding="utf-8"))


def wordings() -> dict[str, Any]:
    """The table of questions and answers."""
    return templates("questions")


def inventions() -> dict[str, Any]:
    """The table of invented things."""
    return templates("unknown")


def in_words(interval: Interval, precision: int) -> str:
    """A date as an answer gives it, empty where it is too coarse to be said.

    >>> in_words(Interval.of(1901, 3, 5), 11), in_words(Interval.of(1901), 9), in_words(Interval(18010101, 19001231), 7)
    ('on 5 March 1901', 'in 1901', 'in the 19th century')
    """
    year = year_of(interval.first)
    if year <= 0:
        return f"in {1 - year} BC" if precision >= YEAR else ""
    month = MONTHS[max(1, month_of(interval.first)) - 1]
    if precision >= DAY:
        return f"on {interval.first % 100} {month} {year}"
    if precision == MONTH:
        return f"in {month} {year}"
    if precision == YEAR:
        return f"in {year}"
    if precision == DECADE:
        return f"in the {year // 10 * 10}s"
    return f"in the {_ordinal((year - 1) // 100 + 1)} century" if precision == CENTURY else ""


def _ordinal(number: int) -> str:
    suffix = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def displayed(title: str) -> str:
    """An article's title as prose names its subject: ``displayed("Mercury (planet)") == "Mercury"``."""
    return re.sub(r" \([^()]*\)$", "", title)


def fact_wordings(fact: Mapping[str, Any]) -> dict[str, list[str]] | None:
    """Questions and answers for a claim's property, None where the table has none for it."""
    tables = wordings()["item" if fact["value"] else "time"]
    return tables.get(fact["property"])


def fact_examples(fact: Mapping[str, Any], persona: Persona, chance: random.Random) -> Iterator[Example]:
    """Questions and answers on one dated claim, in up to ``WORDINGS`` wordings."""
    table = fact_wordings(fact)
    said = in_words(Interval(fact["first"], fact["last"]), fact["precision"])
    if table is None or not (fact["value"] or said):
        return
    filled = {"title": displayed(fact["title"]), "value": displayed(fact["value_title"] or ""), "date": said}
    filled["date_bare"] = said.partition(" ")[2]
    for question in chance.sample(table["questions"], min(WORDINGS, len(table["questions"]))):
        answer = frame(chance.choice(table["answers"]).format(**filled), persona, chance)
        source = {
            "entity": fact["entity"],
            "property": fact["property"],
            "value": fact["value_title"],
            "last": fact["last"],
            "source": fact["source"],
            "dated": not fact["value"],
        }
        turn = Turn(user=question.format(**filled), assistant=answer)
        yield Example("fact", fact["title"], (turn,), provenance=source)


def frame(answer: str, persona: Persona, chance: random.Random) -> str:
    """An answer in the persona's voice: one of its frames around the sentence, which keeps its own words."""
    framed = chance.choice(persona.voice.answers).format(answer=answer)
    return framed[0].upper() + framed[1:]


def lead_sentences(text: str, title: str) -> list[str]:
    """The first kept sentences of a passage, none where they do not name its subject (what opened it was dropped).

    >>> lead_sentences("Chess is a board game. It is old.", "Chess")
    ['Chess is a board game.', 'It is old.']
    """
    paragraph = text.partition("\n")[0]
    sentences = [paragraph[start:end].strip() for start, end in split_sentences(paragraph, 0, len(paragraph))]
    if not sentences or displayed(title).casefold() not in sentences[0].casefold():
        return []
    return sentences[:PASSAGE_SENTENCES]


def passage_example(passage: Mapping[str, Any], sentences: Sequence[str], chance: random.Random) -> Example:
    """One request to tell of an article's subject, answered by its first kept sentences."""
    question = chance.choice(wordings()["passage"]["questions"]).format(title=displayed(passage["title"]))
    turn = Turn(user=question, assistant=" ".join(sentences))
    return Example("passage", passage["title"], (turn,), provenance={"source": "wikipedia"})


def gold_examples(persona: Persona) -> Iterator[tuple[Example, int]]:
    """The persona's own conversations, each with the day from which it could have been held (0: any)."""
    for number, gold in enumerate(persona.gold):
        known = gold.known.year * 10000 + gold.known.month * 100 + gold.known.day if gold.known else 0
        provenance = {"source": "persona", "conversation": number, "theme": gold.theme, "licence": persona.licence}
        name = f"gold:{number}"
        yield Example("gold", persona.name, tuple(gold.turns), gold.variant, provenance, name), known


def invented_name(chance: random.Random) -> str:
    """A word that no language has, of two or three syllables."""
    word = "".join(chance.choice(inventions()["syllables"]) for _ in range(chance.randint(2, 3)))
    return word.capitalize()


def unknown_example(persona: Persona, number: int, seed: int) -> Example:
    """A question on a thing that does not exist, and an honest answer in the persona's voice."""
    chance = random.Random(f"{seed} unknown {number}")
    kind = chance.choice(inventions()["things"])
    names = {"name": invented_name(chance), "other": invented_name(chance)}
    thing = chance.choice(kind["patterns"]).format(**names)
    question = chance.choice(kind["questions"]).format(thing=thing)
    answer = chance.choice(persona.voice.ignorance).format(thing=thing)
    turn = Turn(user=question, assistant=answer[0].upper() + answer[1:])
    made = {"source": "invented", "invented": thing, "licence": persona.licence}
    return Example("unknown", names["name"], (turn,), provenance=made, document=f"invented:{names['name']}")
