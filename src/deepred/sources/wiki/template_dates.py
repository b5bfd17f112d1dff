"""What date templates say, in whatever order their arguments stand: the rules of ``templates.toml`` that hold dates.

A template takes year, month, day; or day, month, year; or a date in words; and often a second date beside it, from
which an age is computed (of a birth the earlier one is meant, of a death the later one). The shape of the arguments
decides where it contradicts the template's own order, as people mix them up. Documentation:
https://en.wikipedia.org/wiki/Category:Date_mathematics_templates and the pages of the templates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from deepred.sources.wiki.local_dates import month_number, write_date
from deepred.sources.wiki.template_arguments import VOID, Arguments, Rule

Order = Literal["ymd", "dmy"]

_YES = frozenset({"y", "yes", "1", "true"})
_NUMBER = re.compile(r"-?\d{1,4}")
_ISO = re.compile(r"(-?\d{3,4})-(\d\d?)(?:-(\d\d?))?")
_DOTTED = re.compile(r"(\d\d?)[./](\d\d?)[./](\d{3,4})")
_YEAR = re.compile(r"\d{3,4}")
_BEFORE_CHRIST = re.compile(r"\bBCE?\b")
LONGEST_WORDS = 40
"""Characters of an argument that can be a date in words; a longer one is a remark."""


class Date(NamedTuple):
    """One date among a template's arguments: its parts as written, or, in ``words``, all of it."""

    year: str = ""
    month: str = ""
    day: str = ""
    words: str = ""

    @property
    def signed_year(self) -> int | None:
        """The year as a number, None where no year is plain to see."""
        if self.words:
            found = _YEAR.findall(self.words)
            return int(found[-1]) * (-1 if _BEFORE_CHRIST.search(self.words) else 1) if found else None
        return int(self.year) if _NUMBER.fullmatch(self.year) and (self.month or len(self.year) > 2) else None


def read_dates(arguments: list[str], order: Order, language: str = "en") -> Iterator[Date]:
    """The dates that a template's positional arguments hold, one after another.

    >>> list(read_dates(["2015", "3", "4", "1930", "1", "2"], "ymd"))[1]
    Date(year='1930', month='1', day='2', words='')
    >>> list(read_dates(["20", "juillet", "1969", "en astronautique"], "dmy", "fr"))
    [Date(year='1969', month='juillet', day='20', words='')]
    """
    at = 0
    while at < len(arguments):
        first = arguments[at]
        if _NUMBER.fullmatch(first) or month_number(first, language):
            date, used = _parts([*arguments[at : at + 3], "", ""][:3], order, language)
            yield date
            at += used
            continue
        if any(map(str.isdecimal, first)) and len(first) <= LONGEST_WORDS:
            yield _in_words(first)
        at += 1


def _in_words(text: str) -> Date:
    """A date that stands in one argument: ISO's form, day.month.year, or words."""
    if iso := _ISO.fullmatch(text):
        return Date(iso[1], iso[2], iso[3] or "")
    if dotted := _DOTTED.fullmatch(text):
        return Date(dotted[3], dotted[2], dotted[1])
    return Date(words=text)


def _parts(group: list[str], order: Order, language: str) -> tuple[Date, int]:
    """The date at the begin of three arguments, and how many of them it takes."""
    one, two, three = group
    numeric = _NUMBER.fullmatch(one) is not None
    if _is_year(one) or (order == "ymd" and numeric and not _is_year(three)):
        if month_number(two, language):
            return Date(one, two, three if _is_day(three) else ""), 3 if _is_day(three) or not three else 2
        return Date(one), 1
    if not numeric:  # the month first: juillet|1969 and July|20|1969
        if _is_year(two):
            return Date(two, one), 2
        return (Date(three, one, two), 3) if _is_year(three) and _is_day(two) else (Date("", one), 1)
    if _is_year(two) and month_number(one, language):
        return Date(two, one), 2
    month = month_number(two, language)
    if month and _NUMBER.fullmatch(three):
        return Date(three, two, one), 3
    if _is_year(three) and month_number(one, language) and _is_day(two):  # 12|25|1930
        return Date(three, one, two), 3
    return (Date("", two, one), 2) if month and not two.isdecimal() else (Date(one), 1)


def _is_year(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None and (len(text) > 2 or text.startswith("-"))


def _is_day(text: str) -> bool:
    return text.isdecimal() and len(text) < 3 and 1 <= int(text) <= 31


def show(date: Date, a: Arguments, *, day_first: bool | None = None) -> str:
    """A date as the wiki's language writes it; in English day first with ``df=yes``, or as ``day_first`` says."""
    if date.words:
        return date.words
    first = a["df"].lower() in _YES if day_first is None else day_first
    return write_date(date.year, date.month, date.day, a.wiki, day_first=first)


def _dates(a: Arguments, order: Order) -> list[Date]:
    """The dates of the arguments, or one whose parts are named: ``year=1969|month=7``."""
    dates = list(read_dates(a.plain(), order, a.wiki))
    named = Date(*(a.first(*keys) for keys in (("year", "año", "année"), ("month", "mes", "mois"), ("day", "día"))))
    return dates or ([named] if _is_year(named.year) else [])


def _first(a: Arguments, order: Order, *, day_first: bool | None = None) -> str:
    dates = _dates(a, order)
    return show(dates[0], a, day_first=day_first) if dates else a.first(1) or VOID


def _of_two(a: Arguments, order: Order, latest: bool) -> str:
    """The earliest or latest date of those whose year is plain; the first where none is."""
    dates = _dates(a, order)
    plain = [date for date in dates if date.signed_year is not None]
    if not plain:
        return _first(a, order)
    chosen = (max if latest else min)(plain, key=lambda date: date.signed_year or 0)
    return show(chosen, a, day_first=True if order == "dmy" else None)


def date(a: Arguments) -> str:
    """``{{start date|1969|7|20}}``: July 20, 1969; 20 July 1969 with ``df=yes``; ``{{start-date|7 December 1941}}``."""
    return _first(a, "ymd")


def birth(a: Arguments) -> str:
    """``{{birth date|1809|2|12}}``: February 12, 1809; of two dates the earlier one."""
    return _of_two(a, "ymd", latest=False)


def death(a: Arguments) -> str:
    """``{{death date and age|1865|4|15|1809|2|12}}``: April 15, 1865; of two dates the later one."""
    return _of_two(a, "ymd", latest=True)


def birth_death_age(a: Arguments) -> str:
    """``{{BirthDeathAge|B|1930|1|2|2015|3|4}}``: the birth with B, else the death."""
    return birth(a) if a[1].upper() == "B" else death(a)


def death_year(a: Arguments) -> str:
    """``{{death year and age|2015|1930|5}}``: May 2015; the year of death, that of birth, the month of death."""
    years = [int(text) for text in a.plain()[:2] if _is_year(text)]
    if not years:
        return _of_two(a, "ymd", latest=True)
    month = a[3] if month_number(a[3], a.wiki) else ""
    return write_date(str(max(years)), month, "", a.wiki)


def birth_from_age(a: Arguments) -> str:
    """``{{birth based on age as of date|42|1994|11|3}}``: 1951 or 1952."""
    if not (a[1].isdecimal() and a[2].isdecimal()):
        return VOID
    year = int(a[2]) - int(a[1])
    return f"{year - 1} or {year}"


def day_first(a: Arguments) -> str:
    """``{{date|20|juillet|1969}}``, ``{{fecha|20|7|1969}}``, ``{{Datum|20|7|1969}}``: as the wiki writes a date."""
    return _first(a, "dmy", day_first=True)


def day_first_birth(a: Arguments) -> str:
    """``{{date de naissance|20|juillet|1930}}``, ``{{дата рождения|20|7|1930}}``."""
    return _of_two(a, "dmy", latest=False)


def day_first_death(a: Arguments) -> str:
    """``{{date de décès|4|mars|2015|20|juillet|1930}}``: the death stands first, and is the later one."""
    return _of_two(a, "dmy", latest=True)


def sortable_date(a: Arguments) -> str:
    """``{{date|2009-07-20|mdy}}``, ``{{dts|1969|7|20}}``, ``{{dts|20|July|1969}}``, ``{{dts|20 July 1969}}``."""
    if a.wiki == "fr":  # the French {{date}} has the day first
        return day_first(a)
    form = f"{a[2]} {a['format']}".lower()
    iso = _ISO.fullmatch(a[1]) is not None
    return _first(a, "ymd", day_first="mdy" not in form if iso else ("dmy" in form or a["df"].lower() in _YES))


def old_style(a: Arguments) -> str:
    """``{{OldStyleDate|12 April|1743|2 April}}``: 12 April 1743 [O.S. 2 April]; numbers are day, month, year."""
    if month_number(a[2], a.wiki) and _is_year(a[3]):
        return day_first(a)
    shown = f"{a[1]} {a[2]}".strip()
    return f"{shown} [O.S. {a[3]}]" if a[3] else shown or VOID


def as_of(a: Arguments) -> str:
    """``{{as of|1969|7|20}}``: As of 20 July 1969; day first, unlike other date templates."""
    if a["alt"]:
        return a["alt"]
    word = "since" if a["since"] else "as of"
    written = _first(a, "ymd", day_first=a["df"].lower() != "us")
    return f"{word if a['lc'] else word.capitalize()} {written}{a['post']}"


def age(a: Arguments) -> str:
    """An age depends on today and is nothing, unless both dates are given: then it is a number of years."""
    numbers = [int(part) for part in a.all() if part.isdecimal()]
    if len(numbers) < 6 or "days" in a.name:
        return VOID
    birth, end = numbers[:3], numbers[3:6]
    return str(end[0] - birth[0] - (end[1:] < birth[1:]))


def span(a: Arguments) -> str:
    """``{{start and end dates|1969|7|16|1969|7|24}}``: July 16, 1969 – July 24, 1969."""
    return " – ".join(show(date, a) for date in _dates(a, "ymd")[:2]) or VOID


def releases(a: Arguments) -> str:
    """``{{video game release|NA|July 20, 1999|EU|1999}}``: NA: July 20, 1999; EU: 1999, on a line of its own."""
    parts = a.all()
    pairs = [*zip(parts[::2], parts[1::2], strict=False)]
    pairs += [(key.upper(), value) for key, value in a.values.items() if len(key) < 4 and key.isalpha() and value]
    shown = "; ".join(f"{region}: {when}" for region, when in pairs)
    return f"<br>{shown}<br>" if shown else VOID


def century(a: Arguments) -> str:
    """``{{s|XIX|e}}``: XIXe siècle; ``{{sp|XVIII|e|XIX|e}}``: XVIIIe et XIXe siècles; ``{{siglo|XIX}}``: siglo XIX.

    Elsewhere than on French wikis ``{{s}}`` strikes its text out.
    """
    if a.name == "siglo":
        return f"siglo {a[1].upper()}"
    if a.wiki != "fr":
        return a.first(1) or VOID
    pairs = [number + (a[at + 1] or "e") for at, number in ((1, a[1]), (3, a[3])) if number]
    return " et ".join(pairs) + (" siècles" if len(pairs) > 1 else " siècle") if pairs else VOID


def month(a: Arguments) -> str:
    """``{{MONTHNAME|7}}``: July."""
    return write_date("", a[1], "", a.wiki) or VOID


RULES: tuple[Rule, ...] = (
    date, birth, death, birth_death_age, death_year, birth_from_age, day_first, day_first_birth, day_first_death,
    sortable_date, old_style, as_of, age, span, releases, century, month,
)  # fmt: skip
"""The rules that hold dates."""
