"""The articles of the generated world: which sentence stands where.

In: entities and facts. Out: articles whose sentences know their truth. Every fact is stated ``mentions`` times: in its
subject's and its object's article, in its home town's and in articles on its topic, each time in another wording or
context; a statement that only points back stands behind what it points at.
"""

from __future__ import annotations

from random import Random

from deepred.run.config import World
from deepred.sources.world.filler import Filler
from deepred.sources.world.world_article import Article, lead
from deepred.sources.world.world_facts import Fact, Facts, phrases
from deepred.sources.world.world_sentences import Composer, Mention, Sentence
from deepred.sources.world.world_years import year_articles

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
