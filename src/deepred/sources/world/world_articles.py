"""The articles of the generated world: which sentence stands where.

In: entities and facts. Out: articles whose sentences know their truth. Every fact is stated ``mentions`` times: in its
subject's and its object's article, in its home town's and in articles on its topic, each time in another wording or
context; a statement that only points back stands behind what it points at.

Year articles hold lines such as ``* [[March 4]] – [[Vemesk Tower]] opens.`` and births with deaths: one for every year
with enough events, and one for the year of the hinge with events on the day before it and on the day itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from random import Random

from deepred.base.days import Interval, from_date, year_of
from deepred.run.config import World
from deepred.sources.world.filler import Filler
from deepred.sources.world.world_article import Article, lead
from deepred.sources.world.world_facts import Fact, Facts, phrases
from deepred.sources.world.world_sentences import Composer, Mention, Sentence, phrase, plain

PLACES = (
    ("subject",) * 5 + ("object",) * 4 + ("home",) * 3 + ("topic",) * 4
)  # fmt: skip
"""Where a fact's statements stand, in turn."""

KINDS_NEW = ("date", "coref", "entity", "entity", "date", "entity", "date", "term", "entity",
             "date", "coref", "entity", "date", "entity", "term", "entity")  # fmt: skip
"""Kinds of a fact's statements, place by place, where one of its names is as new as the fact."""

KINDS_OLD = ("date", "coref", "date", "coref", "term", "date", "coref", "status", "term",
             "date", "coref", "term", "date", "term", "status", "date")  # fmt: skip
"""The same where both names are old: only dates, words, the present and the context tell."""

EVENTS = 2
"""Events from which a year has an article."""

HAPPENS = {
    "invention": "{S} is first shown.",
    "novel": "{S} is published.",
    "tournament": "{S} begins.",
    "building": "{S} opens.",
    "company": "{S} is established.",
}


class Encyclopedia:
    """All articles of a world, by title, in the order of their making."""

    def __init__(self, config: World, world: Facts) -> None:
        self.config = config
        self.world = world
        self.random = Random(f"articles {config.seed}")
        self.composer = Composer(world, self.random)
        self.articles: dict[str, Article] = {}

    def write(self) -> list[Article]:
        """Every article, complete."""
        renamed = {fact.subject.title: fact for fact in self.world.facts if fact.relation == "renamed"}
        for entity in self.world.entities:
            opening = lead(self.composer, entity, renamed.get(entity.title))
            self._add(Article(entity.title, entity, entity.kind, lead=opening))
        self._topics()
        for fact in self.world.facts:
            self._state(fact)
        for article in year_articles(self.world, self.config, self.composer):
            self._add(article)
        Filler(self.world, self.articles.values(), self.composer, self.random).fill()
        for article in self.articles.values():
            for chains in article.sections.values():
                if article.kind != "year":
                    self.random.shuffle(chains)
        return list(self.articles.values())

    def _add(self, article: Article) -> None:
        self.articles[article.title] = article

    def _topics(self) -> None:
        """Articles on what the facts are about, and a glossary of coined words."""
        for shape in phrases()["relations"].values():
            for title in shape["topics"]:
                opening = self.composer.say(
                    "{S} is treated here with examples from many towns.", {"S": Mention(f"'''{title}'''")}
                )
                categories = [str(shape["plural"]).capitalize()]
                self._add(Article(title, lead=[opening], categories=categories, bullets=title.startswith("List of")))
        opening = self.composer.say("This glossary lists words of the house and the workshop.")
        self._add(Article("Glossary of household words", lead=[opening]))

    def _state(self, fact: Fact) -> None:
        """State a fact ``mentions`` times, each kind at its place."""
        renamed = fact.relation == "renamed"
        new = fact.known in (fact.subject.known.last, fact.object.known.last)
        kinds = KINDS_NEW if new and not renamed else KINDS_OLD
        topics = self.random.sample(phrases()["relations"][fact.relation]["topics"], 5)
        chains: dict[str, list[list[Sentence]]] = {}
        for turn in range(self.config.mentions - renamed):  # the lead of a renamed town states it once
            place, kind = PLACES[turn % len(PLACES)], kinds[turn % len(kinds)]
            if place == "topic" or (place == "object" and renamed):
                title = topics[turn % len(topics)]
            else:
                title = {"subject": fact.subject, "object": fact.object, "home": fact.home}[place].title
            if fact.era == "before" and kind == "status":
                kind = "coref"
            told = chains.setdefault(title, [])
            if kind == "coref" and told:
                told[-1].append(self.composer.state(fact, "coref", head=told[-1][0]))
            else:
                told.append([self.composer.state(fact, "date" if kind == "coref" else kind)])
        for title, groups in chains.items():
            article = self.articles[title]
            for chain in groups:
                article.add(article.main, *chain)


def year_articles(world: Facts, config: World, composer: Composer) -> list[Article]:
    """The articles of all years that have enough events, in order."""
    events: dict[int, list[Sentence]] = defaultdict(list)
    births: dict[int, list[Sentence]] = defaultdict(list)
    for entity in world.entities:
        year = year_of(entity.first.first)
        mentions = {"S": composer.name(entity, link=True)}
        if entity.kind in HAPPENS:
            events[year].append(_line(composer, entity.first, HAPPENS[entity.kind], mentions))
        elif entity.kind == "person":
            pattern = f"{{S}}, {entity.profession}"
            if entity.end:
                mentions["E"] = Mention(str(year_of(entity.end.first)), entity.end.last, "date")
                pattern += " (d. {E})"
            births[year].append(_line(composer, entity.first, pattern, mentions))
    hinge = config.hinge.year
    events[hinge] = _around_hinge(world, config, composer)
    births[hinge] = []
    articles: list[Article] = []
    for year in sorted(events):
        if len(events[year]) >= EVENTS:
            article = Article(str(year), kind="year", bullets=True, year=year)
            for section, lines in (("Events", events[year]), ("Births", births[year])):
                for line in lines:
                    article.add(section, line)
            articles.append(article)
    return articles


def _around_hinge(world: Facts, config: World, composer: Composer) -> list[Sentence]:
    """Events of the last known day and of the first unknown one, as far as they lie in the hinge's own year."""
    eve, hinge = config.hinge - timedelta(days=1), config.hinge
    towns = composer.random.sample(world.of_kind("city"), 4)
    patterns = (
        (eve, "A lighthouse is lit in {S}."),
        (eve, "The rowers of {S} win a race."),
        (hinge, "A market hall opens in {S}."),
        (hinge, "A ferry sails from {S}."),
    )
    lines: list[Sentence] = []
    for (when, pattern), town in zip(patterns, towns, strict=True):
        if when.year == hinge.year:
            value = from_date(when)
            mentions = {"S": composer.name(town, link=True), "D": Mention("", value, "date")}
            lines.append(_line(composer, Interval(value, value), pattern, mentions))
    return lines


def _line(composer: Composer, when: Interval, pattern: str, mentions: Mapping[str, Mention]) -> Sentence:
    """An event with the day that opens its line, where the day is known."""
    sentence = composer.say(pattern, mentions)
    if when.first != when.last:
        return sentence
    number, month = phrase(when).split()[:2]
    wiki = f"[[{month} {number}]] – {sentence.wiki}"
    return Sentence(wiki, plain(wiki), sentence.known, sentence.why, sentence.late, "", plain(wiki))
