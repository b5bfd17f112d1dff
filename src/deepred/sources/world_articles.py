"""The articles of the generated world: which sentence stands where.

In: entities and facts. Out: ``Article`` records: lead, sections of paragraphs, categories, and their truth. Every fact
is stated ``mentions`` times, in its subject's and its object's article, in its home town's and in articles on its
topic; then late sentences are added until the kinds have the mix measured in a real encyclopedia, and early and
timeless ones until modern surroundings are full of them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from deepred.config import World
from deepred.documents import Interval, from_date, year_of
from deepred.sources.world_facts import LATEST, Entity, Fact, Facts, Term, class_of, phrase, phrases
from deepred.sources.world_text import PLACE, Composer, Mention, Sentence, dated, on, plain, word

MIX = {"date": 0.37, "entity": 0.28, "coref": 0.20, "term": 0.10, "status": 0.05}
"""Reasons of late sentences in real core articles (see issue of the sentence filter: 790 labelled sentences)."""

MIN_LATE = 1.25
"""Late sentences at least, as a multiple of those that state facts: room to bring the kinds to the mix."""

COINED = 8
"""Dated sentences that use a coined word: enough to learn when it emerged."""

PLACES = ("subject", "subject", "subject", "subject", "subject", "object", "object", "object", "object",
          "home", "home", "home", "topic", "topic", "topic", "topic")  # fmt: skip
KINDS_NEW = ("date", "coref", "entity", "entity", "date", "entity", "date", "term", "entity",
             "date", "coref", "entity", "entity", "date", "entity", "entity")  # fmt: skip
"""Kinds of a fact's statements, place by place, where one of its names is as new as the fact."""
KINDS_OLD = ("date", "coref", "date", "coref", "term", "date", "coref", "status", "term",
             "date", "coref", "term", "date", "term", "status", "date")  # fmt: skip
"""The same where both names are old: only dates, words, the present and the context tell."""


EVENTS = 2
"""Events from which a year has an article."""


@dataclass
class Article:
    """A page to be: its chains of sentences by section, and what dates it."""

    title: str
    entity: Entity | None = None
    kind: str = "topic"
    lead: list[Sentence] = field(default_factory=lambda: list[Sentence]())
    sections: dict[str, list[list[Sentence]]] = field(default_factory=lambda: dict[str, list[list[Sentence]]]())
    categories: list[str] = field(default_factory=lambda: list[str]())
    bullets: bool = False
    year: int | None = None
    page_id: int = 0

    def add(self, section: str, *chain: Sentence) -> None:
        """Add sentences that stand together."""
        self.sections.setdefault(section, []).append(list(chain))

    def sentences(self) -> list[Sentence]:
        """All sentences in reading order."""
        return self.lead + [s for chains in self.sections.values() for chain in chains for s in chain]


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
        for entity in self.world.entities:
            self._add(Article(entity.title, entity, entity.kind)).lead = self._lead(entity)
        self._topics()
        for fact in self.world.facts:
            self._state(fact)
        self._coined()
        self._lives()
        self._years()
        self._fill_clean()
        self._fill_late()
        for article in self.articles.values():
            for chains in article.sections.values():
                if article.kind != "year":
                    self.random.shuffle(chains)
        return list(self.articles.values())

    def _add(self, article: Article) -> Article:
        self.articles[article.title] = article
        return article

    def _lead(self, entity: Entity) -> list[Sentence]:
        bold = {"S": Mention(f"'''{entity.label}'''", entity.known.last, "entity"), "W": on(entity.first)}
        if entity.label.startswith("the "):
            bold["S"] = Mention(f"the '''{entity.title}'''", entity.known.last, "entity")
        river = Mention(self.random.choice(("Ostrel", "Vandru", "Tillem", "Garvo")))
        say = self.composer.say
        match entity.kind:
            case "person":
                return [self._person_lead(entity)]
            case "invention":
                return [say("{S} is a machine first shown {W}.", bold)]
            case "novel":
                return [say("''{S}'' is a novel published {W}.", bold)]
            case "tournament":
                return [say("{S} was a chess tournament held {W}.", bold)]
            case "building":
                lead = [say("{S} is a large building opened {W}.", bold)]
            case "company":
                lead = [say("{S} is a company established {W}.", bold)]
            case "institute":
                lead = [say("{S} is a learned society founded {W}.", bold)]
            case "province":
                lead = [
                    say("{S} is a province on the northern coast.", bold),
                    say("Its borders were drawn {W}.", {"W": bold["W"]}),
                ]
            case "city":
                lead = [
                    say("{S} is a town on the {R}.", {**bold, "R": river}),
                    say("It was founded {W}.", {"W": bold["W"]}),
                ]
            case _:
                fact = next(f for f in self.world.facts if f.subject is entity)
                shown = {**bold, "O": Mention(f"'''{fact.object.title}'''", fact.known, "entity")}
                shown |= {"D": on(fact.when), "R": river}
                pattern = "{S}, renamed {O} {D}, is a town on the {R}."
                lead = [say(pattern, shown, fact=fact, floor=Mention(fact.floor.label))]
                lead.append(say("{S} was founded {W}.", {"S": Mention(entity.label), "W": bold["W"]}))
        if entity.end:
            verb = "closed" if entity.kind == "company" else "pulled down"
            lead.append(
                say("{S} was " + verb + " {W}.", {"S": self.composer.name(entity, link=False), "W": on(entity.end)})
            )
        return lead

    def _person_lead(self, person: Entity) -> Sentence:
        article = "an" if person.profession[0] in "aeiou" else "a"
        active = dated(Interval.of(year_of(person.known.first)))
        mentions = {
            "S": Mention(f"'''{person.label}'''", person.known.last, "entity"),
            "B": Mention(phrase(person.first)),
            "K": active,
        }
        life = "({B} – {E}) was" if person.end else "(born {B}) is"
        if person.end:
            mentions["E"] = dated(person.end)
        return self.composer.say(f"{{S}} {life} {article} {person.profession}, active from {{K}}.", mentions)

    def _topics(self) -> None:
        for shape in phrases()["relations"].values():
            for title in shape["topics"]:
                article = self._add(Article(title, bullets=title.startswith("List of")))
                bold = {"S": Mention(f"'''{title}'''")}
                article.lead = [self.composer.say("{S} is treated here with examples from many towns.", bold)]
                article.categories = [shape["plural"].capitalize()]

    def _state(self, fact: Fact) -> None:
        """State a fact ``mentions`` times, each kind at its place; a pointer back follows what it points at."""
        new = fact.known in (fact.subject.known.last, fact.object.known.last)
        kinds = KINDS_NEW if new and fact.relation != "renamed" else KINDS_OLD
        topics = list(phrases()["relations"][fact.relation]["topics"])
        self.random.shuffle(topics)
        chains: dict[str, list[list[Sentence]]] = {}
        count = self.config.mentions
        if fact.relation == "renamed":
            count -= 1  # the lead of its article is one
        for turn in range(count):
            place, kind = PLACES[turn % len(PLACES)], kinds[turn % len(kinds)]
            if fact.era == "before" and kind == "status":
                kind = "coref"
            title = self._title(fact, place, topics)
            told = chains.setdefault(title, [])
            if kind == "coref" and told:
                told[-1].append(self.composer.state(fact, "coref", head=told[-1][0]))
            else:
                told.append([self.composer.state(fact, "date" if kind == "coref" else kind)])
        for title, groups in chains.items():
            for chain in groups:
                self.articles[title].add(self._section(self.articles[title]), *chain)

    def _title(self, fact: Fact, place: str, topics: list[str]) -> str:
        if place == "topic" or (place == "object" and fact.relation == "renamed"):
            topics.append(topics.pop(0))
            return topics[-1]
        return {"subject": fact.subject, "object": fact.object, "home": fact.home}[place].title

    def _section(self, article: Article) -> str:
        if article.kind == "topic":
            return "Examples"
        return "Work" if article.kind == "person" else "History"

    def _coined(self) -> None:
        """Every coined word in several dated sentences: one in the glossary, the others all over."""
        glossary = self._add(Article("Glossary of household words"))
        glossary.lead = [self.composer.say("This glossary lists words of the house and the workshop.")]
        hosts = self._hosts()
        for term in self.world.terms:
            for turn in range(COINED):
                year = min(year_of(term.coined.first) + (0 if turn == 0 else self.random.randint(0, 12)), LATEST)
                if (year >= year_of(self.world.hinge)) != (term.coined.first >= self.world.hinge):
                    year = year_of(term.coined.first)
                pattern = phrases()["chains"]["coined"][turn % len(phrases()["chains"]["coined"])]
                sentence = self.composer.say(pattern, {"T": word(term), "Y": dated(Interval.of(year))})
                article = glossary if turn == 0 else self.random.choice(hosts)
                article.add("Words" if turn == 0 else self._section(article), sentence)

    def _lives(self) -> None:
        """What the novels of the future say of years that were still to come: clean, whatever a year suggests."""
        for novel in self.world.of_kind("novel"):
            if novel.title[-4:].isdigit():
                shown = {"S": self.composer.name(novel, link=False), "N": Mention(novel.title[-4:])}
                self.articles[novel.title].add("Plot", self.composer.say("{S} is set in the year {N}.", shown))
                self.articles["Novel"].add(
                    "Examples", self.composer.say("The future is painted in {S}.", {"S": self.composer.name(novel)})
                )

    def _years(self) -> None:
        """Year articles with the day's events, births and deaths, for the years that have enough of them."""
        events: dict[int, list[tuple[str, Sentence]]] = {}
        verbs = {
            "invention": "is first shown",
            "novel": "is published",
            "tournament": "begins",
            "building": "opens",
            "company": "is established",
        }
        for entity in self.world.entities:
            name = {"S": self.composer.name(entity, link=True)}
            if entity.kind in verbs:
                line = self._dated_line(entity.first, f"{{S}} {verbs[entity.kind]}.", name)
                events.setdefault(year_of(entity.first.first), []).append(("Events", line))
            elif entity.kind == "person":
                died = {"E": Mention(str(year_of(entity.end.first)), entity.end.last, "date")} if entity.end else {}
                tail = " (d. {E})" if entity.end else ""
                line = self._dated_line(entity.first, f"{{S}}, {entity.profession}{tail}", {**name, **died})
                events.setdefault(year_of(entity.first.first), []).append(("Births", line))
        for year in sorted(events):
            if year == year_of(self.world.hinge) or sum(section == "Events" for section, _ in events[year]) < EVENTS:
                continue
            article = self._add(Article(str(year), kind="year", bullets=True, year=year))
            for section in ("Events", "Births"):
                for found, line in events[year]:
                    if found == section:
                        article.add(section, line)
        self._hinge_year()

    def _hinge_year(self) -> None:
        """The year of the hinge: what happened on the day before it and on the day itself."""
        hinge = self.world.hinge
        eve = from_date(self.config.hinge - timedelta(days=1))
        article = self._add(Article(str(year_of(hinge)), kind="year", bullets=True, year=year_of(hinge)))
        towns = self.world.of_kind("city")
        for when, pattern in ((eve, "A lighthouse is lit in {S}."), (eve, "The rowers of {S} win a race."),
                              (hinge, "A market hall opens in {S}."), (hinge, "A ferry sails from {S}.")):  # fmt: skip
            name = self.composer.name(self.random.choice(towns), link=True)
            mentions = {"S": name, "D": Mention("", when, "date")}
            article.add("Events", self._dated_line(Interval(when, when), pattern, mentions))

    def _dated_line(self, when: Interval, pattern: str, mentions: dict[str, Mention]) -> Sentence:
        if when.first != when.last:
            return self.composer.say(pattern, mentions)
        number, month = phrase(when).split()[:2]
        sentence = self.composer.say(pattern, mentions)
        wiki = f"[[{month} {number}]] – {sentence.wiki}"
        return Sentence(wiki, plain(wiki), sentence.known, sentence.why, sentence.late, "", plain(wiki))

    def _hosts(self) -> list[Article]:
        """The articles that hold sentences of any time: living subjects and topics."""
        hinge = self.world.hinge
        return [
            a
            for a in self.articles.values()
            if a.kind == "topic" or (a.entity and a.kind != "person" and class_of(a.entity, hinge) == "S")
        ]

    def _fill_late(self) -> None:
        """Add late chains until the kinds of late sentences have the measured mix."""
        found = Counter(s.why for a in self.articles.values() for s in a.sentences() if s.late)
        total = max(sum(found.values()) * MIN_LATE, *(found[kind] / share for kind, share in MIX.items()))
        missing = {kind: round(share * total) - found[kind] for kind, share in MIX.items()}
        heads = [kind for kind in MIX if kind != "coref" for _ in range(missing[kind])]
        self.random.shuffle(heads)
        hosts = self._hosts()
        leaders = len(heads) - missing["status"]
        led = 0
        for place, kind in enumerate(heads):
            followers = 0
            if kind != "status":
                followers = round(missing["coref"] * (led + 1) / leaders) - round(missing["coref"] * led / leaders)
                led += 1
            host = hosts[place % len(hosts)]
            year = self.random.randint(year_of(self.world.hinge) + 1, LATEST)
            host.add(self._section(host), *self._chain(kind, "after", year, followers))

    def _chain(self, kind: str, era: str, year: int, followers: int) -> list[Sentence]:
        """A sentence with evidence of a kind and era, and some that point back at it."""
        say = self.composer.say
        if kind == "status":
            return [say(self.random.choice(phrases()["chains"]["status"]), status=Interval.of(LATEST).last)]
        chain: list[str] = self.random.choice(phrases()["chains"][kind])
        if (
            "{Z}" in chain[0] and year // 10 == year_of(self.world.hinge) // 10
        ):  # a decade across the hinge says nothing
            return self._chain(kind, era, year, followers)
        head = say(chain[0], self._filling(chain[0], era, year))
        rest = [say(line, self._filling(line, era, year), head=head) for line in chain[1 : 1 + followers]]
        return [head, *rest]

    def _filling(self, pattern: str, era: str, year: int) -> dict[str, Mention]:
        """What fills the places of a chain's sentence: its year or decade, a coined word, things of the era."""
        decade = Interval(year // 10 * 100000 + 101, (year // 10 * 10 + 9) * 10000 + 1231)
        made: dict[str, Mention] = {}
        for place in PLACE.findall(pattern):
            match place:
                case "Y":
                    made[place] = dated(Interval.of(year))
                case "Z":
                    made[place] = Mention(f"{year // 10 * 10}s", decade.last, "date")
                case "T":
                    made[place] = word(self._word(era))
                case "city":
                    made[place] = self.composer.name(self.random.choice(self.world.of_kind("city")))
                case _:
                    made[place] = self.composer.name(self._thing(place, era))
        return made

    def _word(self, era: str) -> Term:
        return self.random.choice(
            [t for t in self.world.terms if (t.coined.first >= self.world.hinge) == (era == "after")]
        )

    def _thing(self, kind: str, era: str) -> Entity:
        return self.random.choice(
            [e for e in self.world.of_kind(kind) if (e.known.first >= self.world.hinge) == (era == "after")]
        )

    def _fill_clean(self) -> None:
        """Timeless and early sentences: about the subject everywhere, about anything in modern surroundings."""
        first, hinge = 1850, year_of(self.world.hinge)
        for article in list(self.articles.values()):
            section = self._section(article)
            own = phrases()["timeless"].get("city" if article.kind == "renamed city" else article.kind, [])
            if article.entity:
                for pattern in self.random.sample(own, min(2, len(own))):
                    article.add(
                        "Description", self.composer.say(pattern, {"S": self.composer.name(article.entity, link=False)})
                    )
        for host in self._hosts():
            section = self._section(host)
            for pattern in self.random.sample(phrases()["timeless"]["general"], 2):
                host.add(section, self.composer.say(pattern))
            if self.random.random() < 0.5:
                number = Mention(str(self.random.randint(hinge + 1, hinge + 50)))
                pattern = self.random.choice(phrases()["timeless"]["tricky"])
                shown = f"{int(number.wiki):,}" if "{N:,}" in pattern else number.wiki
                host.add(section, self.composer.say(pattern.replace("{N:,}", "{N}"), {"N": Mention(shown)}))
            for kind in ("date", "entity", "term", "date"):
                founded = year_of(host.entity.first.first) if host.entity else first
                year = self.random.randint(min(max(first, founded), hinge - 1), hinge - 1)
                host.add(section, *self._chain(kind, "before", year, self.random.randint(0, 2)))
