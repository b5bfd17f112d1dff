"""When a book was first published, and where it is in the public domain: catalogue, title page and lifetimes come in.

What counts is when the text at hand was written for print, so a translation is dated by its own edition or its
translator, never by the original. The first authority that speaks decides, and says its reason; a title page is
believed only within what the lifetimes allow.

Rights are rules of countries. Nothing here is legal advice, and what is not known counts as protected. ``US``: works
published 96 or more calendar years ago (17 USC 304, 305), and those that the catalogue or the distributor's own file
states to be free there. ``life+70`` (European Union, United Kingdom and many others) and ``life+50`` (the Berne
Convention's minimum, article 7): from the first of January after so many years since the death of the last author or
translator.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from deepred.base.days import Interval, day, year_of
from deepred.base.files import shipped_table
from deepred.run.config import Books
from deepred.sources.books.catalogue import Person, Record

TITLE_PAGE_LINES = 120
"""Lines without blank ones in which a title page and its reverse stand."""
PROSE_LINE = 55
"""Characters from which four lines in a row are running prose: the title page is over."""
YOUNGEST = 12
"""Years after an author's birth before which nothing was published (a nine-year-old's story came out much later)."""
LATEST_PRINTING = 120
"""Years after a lifetime's end beyond which a title page's year belongs to somebody else."""

LAST_PUBLIC_DOMAIN = 1963
"""Last year whose publications are free in the United States by age or for want of renewal (17 USC 304)."""
FIRST_PRINTED = 1450
E_TEXTS_BEGAN = 1971
"""A later year in a transcriber's note is that of the e-text, not of the edition that it copied."""

TRANSLATED_BY = re.compile(r"translated\s+(?:from\s+the\s+\w+\s+)?by\s+([A-Z][A-Za-z.' -]{4,40})", re.IGNORECASE)
TRANSLATION = re.compile(r"\btranslated\b|\btranslat(?:ion|or)\b", re.IGNORECASE)
EDITION = re.compile(
    r"(?:copyright|edition|published|printed|issued|translation|\()[^.\n]{0,60}?\b(1[5-9]\d\d)\b", re.IGNORECASE
)
BODY_BEGINS = re.compile(
    r"\W*(?:(?:table of )?contents|(?:\w+'s )?(?:preface|introduction|foreword|prologue)|"
    r"chapter\b|(?:part|book) (?:one|i)\b)",
    re.IGNORECASE,
)
YEAR = re.compile(r"\b(1[4-9]\d\d|20\d\d)\b")
ROMAN = re.compile(r"\b(M{1,2}(?:CM|CD|D?C{0,4})(?:XC|XL|L?X{0,4})(?:IX|IV|V?I{0,4}))\b\.?")
FIRST = re.compile(
    r"first (?:\w+ ){0,3}?(?:published|printed|edition|issued)|originally published|serially", re.IGNORECASE
)
STATED = re.compile(
    r"copyright|copyrighted|published|printed|edition|impression|issued|\bpress\b|publish|&|company|\bco\.|limited|\bltd",
    re.IGNORECASE,
)
PLACE = re.compile(
    r"london|new york|boston|philadelphia|chicago|edinburgh|paris|leipzig|berlin|oxford|cambridge|toronto|moscow|"
    r"dublin|glasgow|san francisco|indianapolis|garden city|melbourne|petersburg",
    re.IGNORECASE,
)

THIS_YEAR = 2026
"""The year that statuses are stated for; a fixed one, because a stage knows no clock."""
US_YEARS = 96
"""A work published in year Y is free in the United States from the first of January of Y + 96 on."""
LIFE = {"life+70": 70, "life+50": 50}
FREE_IN_US = "public domain in the us"


@dataclass(frozen=True, slots=True)
class Dating:
    """A book's date (None: undated), what decided it, and the sentence that says why."""

    interval: Interval | None
    by: str
    reason: str


def date_book(record: Record | None, fields: dict[str, str], front: str, notes: str, undated: str) -> Dating:
    """The first-publication date of a book from its catalogue record, its header's fields, first pages and notes."""
    authors, translators = book_people(record, fields, front)
    if record and record.published and not translators:
        why = f"the catalogue names {record.published} as original publication"
        return Dating(Interval.of(record.published), "catalogue", why)
    writers = translators or authors
    possible = [(year, first) for year, first in title_page_years(front) if _allowed(year, writers)]
    if possible:
        return _by_title_page(possible, bool(translators), copyright_years(front))
    copied = [year for year in note_years(notes) if _allowed(year, writers)]
    if copied:
        return Dating(Interval.of(max(copied)), "edition-note", f"the e-text's note names an edition of {max(copied)}")
    if record and record.published and _allowed(record.published, writers):
        why = f"the catalogue names {record.published}, and nothing contradicts it"
        return Dating(Interval.of(record.published), "catalogue", why)
    if undated == "drop":
        return Dating(None, "undated", "neither catalogue nor title page names a publication year")
    return _by_lifetime(authors, translators, record)


def book_people(record: Record | None, fields: dict[str, str], front: str) -> tuple[list[Person], list[Person]]:
    """Authors and translators with their lives, from the catalogue, else the header and the title page.

    A translation whose translator nobody names has an "unnamed translator": it must not pass for the original.
    """
    people = list(record.people) if record and record.people else _header_people(fields)
    people = [_with_life(person) for person in people]
    authors = [person for person in people if person.role in ("author", "creator")]
    translators = [person for person in people if person.role == "translator"]
    if not translators:
        page = "\n".join(title_page(front))
        named = TRANSLATED_BY.search(page)
        language = ((record.language if record else "") or fields.get("language", "en")).lower()
        foreign = language.startswith("en") and any(_language(author.name) != "en" for author in authors)
        if named:
            translators = [_with_life(Person(named[1].strip(" .,").title(), "translator"))]
        elif foreign or TRANSLATION.search(page):
            translators = [Person("unnamed translator", "translator")]
    return authors, translators


def _by_title_page(years: list[tuple[int, bool]], translated: bool, copyrights: list[int]) -> Dating:
    first = [year for year, said_first in years if said_first]
    if translated:
        # an original's year may stand beside it: the latest is the translation's own
        year = max(year for year, _ in years)
        return Dating(Interval.of(year), "title-page", f"the translation's title page names {year} as its latest year")
    if first:
        return Dating(
            Interval.of(min(first)), "title-page", f"the book says that it was first published in {min(first)}"
        )
    year = min(year for year, _ in years)
    if copyrights and max(copyrights) > max(year, min(copyrights)):
        # a second copyright is a revision: what of the text is as old as the first, nobody can tell
        last = max(copyrights)
        return Dating(Interval(day(year), day(last, 12, 31)), "title-page", f"copyright from {year} to {last}: revised")
    return Dating(Interval.of(year), "title-page", f"the title page names {year}")


def _by_lifetime(authors: list[Person], translators: list[Person], record: Record | None) -> Dating:
    """Between the writer's youth and death; where the work is in the public domain by age, at most that late."""
    writers, what = (translators, "translator") if translators else (authors, "author")
    births = [person.birth for person in writers if person.birth is not None]
    unknown = [person.name for person in writers if person.death is None]
    last = max((person.death for person in writers if person.death is not None), default=None)
    free = record is not None and record.rights.lower().startswith("public domain in the us")
    if free and (unknown or last is None or last > LAST_PUBLIC_DOMAIN):
        first = min(LAST_PUBLIC_DOMAIN, max(births) + YOUNGEST) if births else FIRST_PRINTED
        why = f"no publication year; public domain in the United States, so published by {LAST_PUBLIC_DOMAIN}"
        return Dating(Interval(day(first), day(LAST_PUBLIC_DOMAIN, 12, 31)), "public-domain", why)
    if unknown:
        return Dating(None, "undated", f"no publication year, and the death of {what} {unknown[0]} is unknown")
    if last is None:
        return Dating(None, "undated", "no publication year and no known author")
    first = min(last, max(births) + YOUNGEST) if births else last
    return Dating(
        Interval(day(first), day(last, 12, 31)), f"{what}-death", f"no publication year; its {what} died in {last}"
    )


def _allowed(year: int, writers: list[Person]) -> bool:
    births = [person.birth for person in writers if person.birth is not None]
    deaths = [person.death for person in writers if person.death is not None]
    return not (births and year < max(births) + YOUNGEST) and not (deaths and year > max(deaths) + LATEST_PRINTING)


def title_page(front: str) -> list[str]:
    """The lines of a book before its contents, preface or first running prose; blank ones left out."""
    lines = [line.strip() for line in front.split("\n") if line.strip()][: TITLE_PAGE_LINES + 3]
    for index, line in enumerate(lines):
        # "Boston, December 26, 2000" ends the author's preface of a novel of 1888
        prose = len(lines) > index + 3 and all(len(after) > PROSE_LINE for after in lines[index : index + 4])
        if prose or BODY_BEGINS.match(line):
            return lines[:index]
    return lines[:TITLE_PAGE_LINES]


def title_page_years(front: str) -> list[tuple[int, bool]]:
    """The years of the title page and its reverse, each with whether it is said to be the first publication's.

    A year counts only on a line of imprint: alone, after a place, or beside copyright, edition or publisher. The title
    page ends where running prose begins, so that a story's own dates are never read.

    >>> title_page_years("NEWS FROM NOWHERE\\n\\nLONDON\\n1908\\n\\nFirst printed serially, 1890.")
    [(1908, False), (1890, True)]
    """
    found: list[tuple[int, bool]] = []
    for line in title_page(front):
        years = [int(year) for year in YEAR.findall(line)] or _roman_years(line)
        if not years:
            continue
        first = bool(FIRST.search(line))
        alone = len(re.sub(r"[^A-Za-z]", "", line)) == 0 or _roman_years(line)
        placed = PLACE.search(line) or re.fullmatch(r"[A-Z][A-Za-z .]{2,30},\s*\d{4}\.?", line)
        if first or alone or placed or STATED.search(line):
            found += [(year, first) for year in years]
    return found


def copyright_years(front: str) -> list[int]:
    """The years that the title page's lines of copyright name."""
    lines = [line for line in title_page(front) if "©" in line or "copyright" in line.lower()]
    return [int(year) for line in lines for year in YEAR.findall(line)]


def note_years(notes: str) -> list[int]:
    """The years of editions that a transcriber's note names.

    >>> note_years("an e-text of Chess Strategy, second edition, (1915), made in 2003")
    [1915]
    """
    return [int(year) for year in EDITION.findall(" ".join(notes.split())) if int(year) < E_TEXTS_BEGAN]


def _roman_years(line: str) -> list[int]:
    values = {"M": 1000, "D": 500, "C": 100, "L": 50, "X": 10, "V": 5, "I": 1}
    years: list[int] = []
    for match in ROMAN.finditer(line):
        digits = [values[letter] for letter in match[1]]
        year = sum(-digit if digit < max(digits[index:]) else digit for index, digit in enumerate(digits))
        if 1400 <= year <= 2030:
            years.append(year)
    return years


def _header_people(fields: dict[str, str]) -> list[Person]:
    people: list[Person] = []
    for role in ("author", "translator"):
        names = re.split(r"\s+and\s+|;|&", fields.get(role, ""))
        people += [Person(name.strip(), role) for name in names if name.strip()]
    return people


def _with_life(person: Person) -> Person:
    life = known_lives().get(name_key(person.name))
    if not life or person.death is not None:
        return person
    return Person(person.name, person.role, person.birth or life[0], life[1])


def _language(name: str) -> str:
    life = known_lives().get(name_key(name))
    return life[2] if life else "en"


def name_key(name: str) -> str:
    """A person's name in one order, without accents, titles and brackets.

    >>> name_key("Wells, H. G. (Herbert George)") == name_key("H. G. Wells")
    True
    """
    plain = unicodedata.normalize("NFKD", re.sub(r"\([^)]*\)", "", name)).encode("ascii", "ignore").decode().lower()
    surname, comma, given = plain.partition(",")
    plain = f"{given} {surname}" if comma else plain
    plain = re.sub(r"\b(?:sir|count|graf|mrs|mr|dr|prof|lord|lady)\b\.?", " ", plain)
    return " ".join(re.findall(r"[a-z]+", plain))


@cache
def known_lives() -> dict[str, tuple[int, int, str]]:
    """Birth, death and language of the authors and translators in ``authors.toml``, by ``name_key``."""
    values = shipped_table("deepred.sources.books", "authors.toml")
    return {
        name_key(name): (life[0], life[1], life[2] if len(life) > 2 else "en") for name, life in values["lives"].items()
    }


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
