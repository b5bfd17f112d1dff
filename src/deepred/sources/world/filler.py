"""What surrounds the facts of the generated world: late, early and timeless sentences.

In: articles that state the facts. Out: the same with filler, so that late sentences have the mix of reasons measured
in a real encyclopedia, and so that modern surroundings are full of early and timeless sentences.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from random import Random

from deepred.base.days import Interval, year_of
from deepred.sources.world.world_article import Article
from deepred.sources.world.world_facts import EARLIEST, LATEST, Entity, Era, Facts, Term, class_of, phrases
from deepred.sources.world.world_sentences import PLACE, TRIES, Composer, Mention, Sentence, dated, word

MIX = {"date": 0.37, "entity": 0.28, "coref": 0.20, "term": 0.10, "status": 0.05}
"""Reasons of late sentences in real core articles, as two readers labelled 790 of them."""

MIN_LATE = 1.25
"""Late sentences at least, as a multiple of those found before filling: room to bring the kinds to the mix."""

HEADS = ("date", "entity", "term")
"""Kinds of sentences that others point back at."""

FOLLOWERS = 2
"""Sentences that point back at one, at most."""

COINED = 8
"""Dated sentences that use a coined word: enough to learn when it emerged."""

EARLY = (("date", "entity"), ("date", "term"))
"""Kinds of the early chains that a modern article is given, one of the pairs each."""


class Filler:
    """Adds sentences to articles that stand already."""

    def __init__(self, world: Facts, articles: Iterable[Article], composer: Composer, random: Random) -> None:
        self.world = world
        self.articles = list(articles)
        self.composer = composer
        self.random = random
        self.hinge_year = year_of(world.hinge)
        self.hosts = [article for article in self.articles if self._is_host(article)]

    def _is_host(self, article: Article) -> bool:
        """Whether it holds sentences of any time: a topic, or something that lasts."""
        if article.entity is None:
            return article.kind == "topic"
        return article.kind != "person" and class_of(article.entity, self.world.hinge) == "S"

    def fill(self) -> None:
        """Add dated uses of coined words, clean sentences, and then as many late ones as the mix needs."""
        self._coined()
        for article in self.articles:
            self._describe(article)
        for host in self.hosts:
            self._clean(host)
        self._late()

    def _coined(self) -> None:
        patterns: list[str] = phrases()["chains"]["coined"]
        glossary = next(article for article in self.articles if article.title.startswith("Glossary"))
        for term in self.world.terms:
            for turn in range(COINED):
                year = min(year_of(term.coined.first) + (self.random.randint(0, 12) if turn else 0), LATEST)
                if (year >= self.hinge_year) != (term.coined.first >= self.world.hinge):
                    year = year_of(term.coined.first)
                host = self.random.choice(self.hosts) if turn else glossary
                mentions = {"T": word(term), "Y": dated(Interval.of(year))}
                host.add(host.main, self.composer.say(patterns[turn % len(patterns)], mentions))

    def _describe(self, article: Article) -> None:
        """A timeless sentence about the subject; of a novel of the future also the year in which it is set."""
        entity = article.entity
        if entity is None:
            return
        own: list[str] = phrases()["timeless"]["city" if article.kind == "renamed city" else article.kind]
        name = {"S": self.composer.name(entity, link=False)}
        article.add("Description", self.composer.say(self.random.choice(own), name))
        if entity.kind == "novel" and entity.title[-4:].isdigit():
            setting = {**name, "N": Mention(entity.title[-4:])}
            article.add("Description", self.composer.say("{S} is set in the year {N}.", setting))

    def _clean(self, host: Article) -> None:
        """Timeless and early sentences, and numbers that look like late years."""
        say = self.composer.say
        host.add(host.main, say(self.random.choice(phrases()["timeless"]["general"])))
        if self.random.random() < 0.5:
            number = self.random.randint(self.hinge_year + 1, self.hinge_year + 50)
            pattern = self.random.choice(phrases()["timeless"]["tricky"])
            host.add(host.main, say(pattern, {"N": Mention(str(number)), "K": Mention(f"{number:,}")}))
        began = year_of(host.entity.first.first) if host.entity else EARLIEST
        for kind in self.random.choice(EARLY):
            year = self.random.randint(min(max(EARLIEST, began), self.hinge_year - 1), self.hinge_year - 1)
            host.add(host.main, *self._new_chain(host, kind, "before", year, self.random.randint(0, FOLLOWERS)))

    def _late(self) -> None:
        """Add late chains until the kinds of late sentences have the measured mix."""
        missing = _missing(Counter(s.why for article in self.articles for s in article.sentences() if s.late))
        heads = [kind for kind in HEADS for _ in range(missing[kind])]
        self.random.shuffle(heads)
        count = missing["coref"]
        followers = [count * (n + 1) // len(heads) - count * n // len(heads) for n in range(len(heads))]
        plan = [*zip(heads, followers, strict=True), *[("status", 0)] * missing["status"]]
        for place, (kind, behind) in enumerate(plan):
            host = self.hosts[place % len(self.hosts)]
            year = self.random.randint(self.hinge_year + 1, LATEST)
            host.add(host.main, *self._new_chain(host, kind, "after", year, behind))

    def _new_chain(self, host: Article, kind: str, era: Era, year: int, followers: int) -> list[Sentence]:
        """A chain of which the article holds no sentence yet: there a text is either late or clean, never both."""
        held = {sentence.text for sentence in host.sentences()}
        chain = self._chain(kind, era, year, followers)
        for _ in range(TRIES):
            if held.isdisjoint(sentence.text for sentence in chain):
                break
            chain = self._chain(kind, era, year, followers)
        return chain

    def _chain(self, kind: str, era: Era, year: int, followers: int) -> list[Sentence]:
        """A sentence with evidence of a kind and era, and some that point back at it."""
        say = self.composer.say
        if kind == "status":  # what is so "now" is so when the encyclopedia is written
            return [say(self.random.choice(phrases()["chains"]["status"]), status=Interval.of(LATEST).last)]
        chain: list[str] = self.random.choice(phrases()["chains"][kind])
        if "{Z}" in chain[0] and year // 10 == self.hinge_year // 10:  # the hinge's own decade straddles it
            return self._chain(kind, era, year, followers)
        head = say(chain[0], self._filling(chain[0], era, year))
        rest = [say(line, self._filling(line, era, year), head=head) for line in chain[1 : 1 + followers]]
        return [head, *rest]

    def _filling(self, pattern: str, era: Era, year: int) -> dict[str, Mention]:
        """What fills the places of a pattern: a year or its decade, a coined word, a town, a thing of the era."""
        made: dict[str, Mention] = {}
        for place in PLACE.findall(pattern):
            match place:
                case "Y":
                    made[place] = dated(Interval.of(year))
                case "Z":
                    decade = year // 10 * 10
                    made[place] = Mention(f"{decade}s", Interval.of(decade + 9).last, "date")
                case "T":
                    made[place] = word(self._word(era))
                case "city":
                    made[place] = self.composer.name(self.random.choice(self.world.of_kind("city")))
                case _:
                    made[place] = self.composer.name(self._thing(place, era))
        return made

    def _word(self, era: Era) -> Term:
        found = [term for term in self.world.terms if (term.coined.first >= self.world.hinge) == (era == "after")]
        return self.random.choice(found)

    def _thing(self, kind: str, era: Era) -> Entity:
        found = [e for e in self.world.of_kind(kind) if (e.known.first >= self.world.hinge) == (era == "after")]
        return self.random.choice(found)


def _missing(found: Counter[str]) -> dict[str, int]:
    """How many late sentences of each kind bring those found to the mix, with enough heads for what points back.

    >>> _missing(Counter(date=37, entity=28, coref=20, term=10, status=5))
    {'date': 9, 'entity': 7, 'coref': 5, 'term': 2, 'status': 1}
    """
    heads = sum(found[kind] for kind in HEADS)
    led = FOLLOWERS * sum(MIX[kind] for kind in HEADS) - MIX["coref"]
    total = max(
        sum(found.values()) * MIN_LATE,
        (FOLLOWERS * heads - found["coref"]) / led,
        *(found[kind] / share for kind, share in MIX.items()),
    )
    return {kind: round(share * total) - found[kind] for kind, share in MIX.items()}
