"""Where a book is in the public domain, as far as its dates tell: rules of countries, each with its reason.

Nothing here is legal advice, and what is not known counts as protected. ``US``: works published 96 or more calendar
years ago (17 USC 304, 305), and those that the catalogue or the distributor's own file states to be free there.
``life+70`` (European Union, United Kingdom and many others) and ``life+50`` (the Berne Convention's minimum, article
7): from the first of January after so many years since the death of the last author or translator.
"""

from __future__ import annotations

from collections.abc import Iterable

from deepred.base.days import Interval, year_of
from deepred.run.config import Books
from deepred.sources.books.catalogue import Person, Record

THIS_YEAR = 2026
"""The year that statuses are stated for; a fixed one, because a stage knows no clock."""
US_YEARS = 96
"""A work published in year Y is free in the United States from the first of January of Y + 96 on."""
LIFE = {"life+70": 70, "life+50": 50}
FREE_IN_US = "public domain in the us"


def rights_refusal(config: Books, people: list[Person], published: Interval | None, stated: bool) -> str:
    """Why a book is not free enough: ``not-free-us``, ``not-free-life+70``, …; empty where it is."""
    rules = config.public_domain or (["life+70"] if config.free_by else [])
    year = config.free_by or THIS_YEAR
    return next(
        (f"not-free-{rule.lower()}" for rule in rules if not is_free(rule, year, people, published, stated)), ""
    )


def is_free(rule: str, year: int, people: list[Person], published: Interval | None, stated: bool) -> bool:
    """Whether a book is known to be in the public domain under a rule in a year."""
    if rule == "US":
        return free_in_us(year, published, stated)
    free = free_from(people, LIFE[rule])
    return free is not None and free <= year


def states_free_in_us(record: Record | None, distributed: bool) -> bool:
    """Whether catalogue or distributor state that a book is free in the United States.

    Project Gutenberg checks that before it distributes a work; the few that it distributes by permission say so in the
    catalogue and in the file (``distributed`` means its file without such a notice).
    """
    return distributed or (record is not None and record.rights.lower().startswith(FREE_IN_US))


def free_in_us(year: int, published: Interval | None, stated: bool) -> bool:
    """Whether a book is known to be free in the United States: by its age, or because somebody who checked says so.

    >>> free_in_us(2026, Interval.of(1930), False), free_in_us(2026, Interval.of(1931), False)
    (True, False)
    """
    return stated or (published is not None and year_of(published.last) + US_YEARS <= year)


def free_from(people: Iterable[Person], years: int = 70) -> int | None:
    """The first year in which a work of these people is free for life + ``years``; None where a death is unknown."""
    deaths = [person.death for person in people]
    known = [death for death in deaths if death is not None]
    return max(known) + years + 1 if known and len(known) == len(deaths) else None


def licence_of(people: list[Person], published: Interval | None, stated: bool) -> str:
    """A book's status as people read it: in the United States, and where works last for life + 70 years."""
    us = "public domain" if free_in_us(THIS_YEAR, published, stated) else "not established"
    free = free_from(people)
    life = f"from {free}" if free else "unknown"
    return f"United States: {us}; countries of life + 70 years: {life}"
