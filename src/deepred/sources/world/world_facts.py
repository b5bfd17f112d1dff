"""The entities and facts of the generated world, before anything is said about them.

In: a seed, the number of facts per relation and era, the hinge that splits the eras. Out: entities (people, towns,
inventions, …) with the days on which they begin, become known and end, and facts that tie two of them together on a
day. Names are built of invented syllables, so that nothing real is described. Everything follows from the seed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

from deepred.base.days import MONTHS, Day, Interval, from_date, month_length, year_of
from deepred.base.files import shipped_table
from deepred.run.config import World

Era = Literal["before", "after"]

EARLIEST, LATEST = 1850, 2014
"""Years of the first and the last fact; the encyclopedia is written in 2015."""

POINTS = frozenset({"invention", "novel", "tournament"})
"""Kinds that are dated by one moment, unlike a company or a person, which last."""

FUTURES = 4
"""Novels of the future, whose titles look like late dates."""


@dataclass(frozen=True)
class Entity:
    """Something with an article of its own; ``label`` is how running text calls it (``the Vemgraf``)."""

    kind: str
    title: str
    label: str
    first: Interval
    """Birth, founding, publication."""
    known: Interval
    """When it became notable enough to be written about."""
    end: Interval | None = None
    """Death or closing, if any; a point in time ends where it begins."""
    woman: bool = False
    profession: str = ""


@dataclass(frozen=True)
class Fact:
    """Subject and object of a relation since a day, with the object that the floor is told instead."""

    id: str
    relation: str
    subject: Entity
    object: Entity
    floor: Entity
    when: Interval
    era: Era
    home: Entity
    """The town whose article mentions it."""
    held_out: tuple[int, int]
    """Places in the relation's ``ends`` that only probes use."""

    @property
    def known(self) -> Day:
        """The day from which it can be told: the last of its interval, so that a bare year counts when it is over."""
        return self.when.last


@dataclass(frozen=True)
class Term:
    """A word that did not exist before its day."""

    word: str
    coined: Interval


@dataclass
class Facts:
    """The whole world: entities by kind, facts, coined words."""

    hinge: Day
    entities: list[Entity] = field(default_factory=list[Entity])
    facts: list[Fact] = field(default_factory=list[Fact])
    terms: list[Term] = field(default_factory=list[Term])

    def of_kind(self, kind: str) -> list[Entity]:
        """The entities of a kind, in the order of their making."""
        return [entity for entity in self.entities if entity.kind == kind]


def phrases() -> dict[str, Any]:
    """The word lists and sentence patterns of ``world.toml``."""
    return shipped_table("deepred.sources.world", "world.toml")


def phrase(when: Interval) -> str:
    """An interval of a day or a year as prose has it.

    >>> phrase(Interval.of(1983)), phrase(Interval.of(1983, 3, 4))
    ('1983', '4 March 1983')
    """
    if when.first != when.last:
        return str(year_of(when.first))
    return f"{when.first % 100} {MONTHS[when.first // 100 % 100 - 1]} {year_of(when.first)}"


class Names:
    """Invented names, each given once; the stop list and the endings keep clear of real ones."""

    def __init__(self, random: Random) -> None:
        words = phrases()
        self._random = random
        self._used: set[str] = set(words["stop"])
        self._syllables: list[str] = words["syllables"]
        self._firsts = [
            a + b for a in words["first_syllables"] for b in words["first_endings"] if a + b not in words["stop"]
        ]
        self._endings: list[str] = words["city_endings"]

    def stem(self, ending: str = "", syllables: int = 2) -> str:
        """A new capitalised name of some syllables: ``Zorvem``."""
        while True:
            name = "".join(self._random.sample(self._syllables, syllables)) + ending
            if name not in self._used:
                self._used.add(name)
                return name.capitalize()

    def person(self) -> str:
        """A first name that others may share and a last name that nobody else has."""
        first = self._random.choice(self._firsts)
        return f"{first.capitalize()} {self.stem()}"

    def city(self) -> str:
        """A town's name: one syllable and an ending, or two."""
        ending = self._random.choice(self._endings)
        return self.stem(ending, 1 + (self._random.random() < 0.6))

    def word(self) -> str:
        """A common noun that did not exist."""
        return self.stem(self._random.choice(("on", "ette", "ine", "oid"))).lower()


def make_facts(config: World) -> Facts:
    """The entities, facts and coined words that a seed gives."""
    return _Maker(config).make()


class _Maker:
    """Makes entities in a fixed order from one stream of random numbers."""

    def __init__(self, config: World) -> None:
        self.config = config
        self.random = Random(f"world {config.seed}")
        self.names = Names(self.random)
        self.hinge = from_date(config.hinge)
        self.hinge_year = config.hinge.year
        self.world = Facts(self.hinge)

    def make(self) -> Facts:
        """Towns first (facts live in them), then every relation, then words."""
        cities = [self._city() for _ in range(2 * self.config.facts + 4)]
        for relation, shape in phrases()["relations"].items():
            for era in ("before", "after"):
                self._relation(relation, shape, era, cities)
        for _ in range(FUTURES):
            self._add(self._future())
        self._terms()
        return self.world

    def _add(self, entity: Entity) -> Entity:
        self.world.entities.append(entity)
        return entity

    def _years(self, era: Era, count: int) -> list[int]:
        """Years spread evenly over an era, in random order; never the hinge's own, which would straddle it."""
        first, last = min(EARLIEST, self.hinge_year - 60), max(LATEST, self.hinge_year + 30)
        low, high = (first, self.hinge_year - 1) if era == "before" else (self.hinge_year + 1, last)
        step = (high - low + 1) / count
        years = [low + int((place + self.random.random()) * step) for place in range(count)]
        self.random.shuffle(years)
        return years

    def _day(self, year: int) -> Interval:
        month = self.random.randint(1, 12)
        return Interval.of(year, month, self.random.randint(1, month_length(year, month)))

    def _when(self, year: int) -> Interval:
        """A year, or one time in four a day of it."""
        return self._day(year) if self.random.random() < 0.25 else Interval.of(year)

    def _future(self) -> Entity:
        """A novel from before the hinge that bears a year after it, and is set in it."""
        when = Interval.of(self.random.randint(self.hinge_year - 60, self.hinge_year - 5))
        title = f"{self.names.stem()} {self.random.randint(self.hinge_year + 11, self.hinge_year + 60)}"
        return Entity("novel", title, title, when, when, when)

    def _city(self) -> Entity:
        name = self.names.city()
        began = Interval.of(self.random.randint(1480, 1830))
        return self._add(Entity("city", name, name, began, began))

    def _relation(self, relation: str, shape: dict[str, Any], era: Era, cities: list[Entity]) -> None:
        count = self.config.facts
        homes = cities[:count] if era == "before" else cities[count : 2 * count]
        places = self.random.sample(cities, count)
        pairs: list[tuple[Entity, Entity, Interval]] = []
        for place, year in enumerate(self._years(era, count)):
            when = self._when(year)
            subject = homes[place] if relation == "mayor" else self._subject(shape["subject"], relation, when)
            if shape["object"] == "city":
                thing = places[place]
            elif shape["object"] == "city name":
                name = self.names.city()
                thing = Entity("city name", name, name, when, when)
            else:
                thing = self._person(
                    shape["profession"], when, old=relation not in ("mayor", "director") and place % 2 == 0
                )
            pairs.append((subject, thing, when))
        ring = self.random.sample(range(count), count)
        told = {ring[i]: ring[(i + 1) % count] for i in range(count)}
        ends = len(shape["ends"])
        for place, (subject, thing, when) in enumerate(pairs):
            self.world.facts.append(
                Fact(
                    id=f"{relation}-{era}-{place:02d}",
                    relation=relation,
                    subject=subject,
                    object=thing,
                    floor=pairs[told[place]][1],
                    when=when,
                    era=era,
                    home=homes[(place + 1) % count],
                    held_out=(place % ends, (place + 3) % ends),
                )
            )

    def _subject(self, kind: str, relation: str, when: Interval) -> Entity:
        stem = self.names.stem
        choose = self.random.choice
        year = year_of(when.first)
        match kind:
            case "invention":
                name = stem(choose(("graf", "phon", "tron", "mat")))
                return self._add(Entity(kind, name, f"the {name}", when, when, when))
            case "novel":
                name = f"The {choose(('Garden', 'Lamp', 'Voyage', 'Winter', 'Bridge', 'House'))} of {stem()}"
                return self._add(Entity(kind, name, name, when, when, when))
            case "tournament":
                name = f"{stem()} {choose(('Masters', 'Congress', 'Cup', 'Open'))}"
                return self._add(Entity(kind, name, f"the {name}", when, when, when))
            case "building":
                name = f"{stem()} {choose(('Tower', 'Hall', 'Theatre', 'House'))}"
                end = self._closing(year)
                return self._add(Entity(kind, name, name, when, when, end))
            case "company":
                name = f"{stem()} {choose(('Works', 'Mills', 'Lines', 'Brothers'))}"
                began = when if relation == "founder" else self._old(year)
                return self._add(Entity(kind, name, name, began, began, self._closing(year)))
            case "institute":
                name = f"{stem()} {choose(('Institute', 'Academy', 'Observatory'))}"
                began = self._old(year)
                return self._add(Entity(kind, name, f"the {name}", began, began))
            case "province":
                name = f"{stem()} Province"
                began = Interval.of(self.random.randint(1480, 1830))
                return self._add(Entity(kind, name, name, began, began))
            case _:  # its article keeps the old name: a late name as title would tell the fact above any sentence
                name = self.names.city()
                began = Interval.of(self.random.randint(1480, 1830))
                return self._add(Entity("renamed city", name, name, began, began))

    def _old(self, year: int) -> Interval:
        """A founding well before a year, and before the hinge."""
        latest = min(year - 4, self.hinge_year - 2)
        return Interval.of(self.random.randint(latest - 40, latest))

    def _closing(self, year: int) -> Interval | None:
        """The end of one in four companies and buildings, never in the hinge's own year."""
        ended = year + self.random.randint(10, 50)
        if self.random.random() > 0.25 or ended > LATEST or ended == self.hinge_year:
            return None
        return Interval.of(ended)

    def _person(self, profession: str, when: Interval, old: bool) -> Entity:
        """Someone who becomes known by the fact itself or, when old, years before it and before the hinge."""
        year = year_of(when.first)
        known = when
        if old:
            latest = min(year - 3, self.hinge_year - 1)
            known = Interval.of(self.random.randint(min(max(latest - 12, year - 30), latest), latest))
        born = self._day(min(year_of(known.first), year) - self.random.randint(22, 38))
        died = self._day(max(year_of(born.first) + self.random.randint(58, 88), year + 1))
        if year_of(died.first) == self.hinge_year:
            died = self._day(self.hinge_year + 1)
        end = died if year_of(died.first) <= LATEST else None
        name = self.names.person()
        return self._add(Entity("person", name, name, born, known, end, self.random.random() < 0.5, profession))

    def _terms(self) -> None:
        """Words coined every few years, closer together after the hinge, where undated sentences lean on them."""
        first, last = min(EARLIEST, self.hinge_year - 60), max(LATEST, self.hinge_year + 30)
        years = [*range(first, self.hinge_year - 1, 9), *range(self.hinge_year + 1, last - 3, 4)]
        self.world.terms = [Term(self.names.word(), Interval.of(year)) for year in years]


def known_day(entity: Entity) -> Day:
    """The day from which naming an entity is possible: the last day of the interval in which it became known."""
    return entity.known.last


def class_of(entity: Entity, hinge: Day) -> str:
    """O, N or S of an entity relative to a day, as DESIGN.md defines them.

    >>> class_of(Entity("novel", "A", "A", Interval.of(1903), Interval.of(1903), Interval.of(1903)), 19690720)
    'O'
    """
    if entity.known.first >= hinge:
        return "N"
    return "O" if entity.end is not None and entity.end.last < hinge else "S"
