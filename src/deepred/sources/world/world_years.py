"""Year articles of the generated world: ``* [[March 4]] – [[Vemesk Tower]] opens.``, births with deaths.

In: the entities. Out: an article for every year with enough events, and one for the year of the hinge with events on
the day before it and on the day itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta

from deepred.base.days import Interval, from_date, year_of
from deepred.run.config import World
from deepred.sources.world.world_article import Article
from deepred.sources.world.world_facts import Facts
from deepred.sources.world.world_sentences import Composer, Mention, Sentence, phrase, plain

EVENTS = 2
"""Events from which a year has an article."""

HAPPENS = {
    "invention": "{S} is first shown.",
    "novel": "{S} is published.",
    "tournament": "{S} begins.",
    "building": "{S} opens.",
    "company": "{S} is established.",
}


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
