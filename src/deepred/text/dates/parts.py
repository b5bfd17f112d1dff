"""The parts that date expressions are made of: their record, their precision, and what may stand before a number.

Before a number may stand what belongs to its date: "c.", "late", "summer of", "December", "AD", an apostrophe.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from deepred.base.days import MONTHS, Interval
from deepred.text.dates.ordinals import ORDINAL, ORDINALS, ordinal

CIRCA = (
    r"(?:c(?:a|irca)?(?![A-Za-z])\.?|approx(?:\.|imately)|about|around|perhaps|probably|possibly"
    r"|fl\.|floruit|flourished)"
)
_STRETCH = r"(?:early|middle|later?|final|closing|opening)\s+(?:years|decades|months|part)\s+of"
PART = rf"(?:very\s+)?(?:{_STRETCH}|early|mid(?:dle\s+of)?|late|(?:beginning|start|end|close|turn)\s+of)"
_NUMBERED = r"(?:first|1st|second|2nd|third|3rd|fourth|4th|last|final)"
HALF = (
    rf"(?:(?:first|1st|second|2nd|latter|last)\s+half\s+of|{_NUMBERED}[-\s]+quarter(?:\s+of)?"
    rf"|{_NUMBERED}\s+(?:third|decades?)\s+of)"
)
_SHORT = "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec"
MONTH = (
    rf"(?:(?=[JFMASONDjfasond])(?:(?i:{'|'.join(name for name in MONTHS if name not in ('March', 'May'))})"
    r"|M(?:arch|ARCH|ay|AY)"
    rf"|(?:{_SHORT}|{_SHORT.upper()})(?![A-Za-z])\.?))"
)
"""A month's name or abbreviation; "may" and "march" are no months in small letters."""
DASH = r"[–—−‒‑-]"
TO = rf"(?:\s?{DASH}\s?|\s+(?:to|TO|until|till|through)\s+(?:the\s+)?)"
"""What leads from the first date of a range to its last."""
ERA = r"(?:[\s-]?(?P<era>B\.\s?C(?:\.(?:\s?E\.)?)?|BCE?|C\.\s?E\.|CE|A\.\s?D\.?|AD|b\.\s?c\.|a\.\s?d\.)(?![A-Za-z]))"
"""An era after a number."""

_MONTH_NUMBER = {name[:3].lower(): number for number, name in enumerate(MONTHS, 1)}

LATEST_YEAR = 2100
"""Bare numbers above are quantities."""
REACH = 48
"""Characters before a number in which its prefix begins."""

_FEAST = (
    r"Christmas(?:\s(?:Eve|Day))?|Boxing\sDay|(?<!Chinese\s)(?<!Lunar\s)New\sYear['’]s\s(?:Eve|Day)|Halloween|Thanksgiving"
    r"|Good\sFriday|Palm\sSunday|Easter(?:\s(?:Eve|Sunday|Monday|Day|[Ww]eek(?:end)?))?|Pentecost|Whitsun"
)
_SEASON = "spring|summer|autumn|fall|winter"
_PREFIX = re.compile(
    rf"(?:(?P<circa>\b(?i:{CIRCA})(?:\s(?:c(?:a|irca)?\.|circa))?)\s?(?:the\s+)?)?"
    rf"(?:(?P<part>\b(?i:{PART}|{HALF}))(?:(?:-?\s?|\s)(?i:to)[\s-]+(?P<part2>(?i:mid|late)))?(?:-|–|\s+)(?:the\s+)?)?"
    rf"(?:(?:\b(?P<season1>(?i:{_SEASON}))[/–-])?(?P<season>\b(?i:{_SEASON}))(?:\s+(?i:of)|,)?\s+)?"
    rf"(?:(?P<feast>\b(?:{_FEAST})),?\s+(?:of\s+)?)?"
    r"(?:\b(?P<term>Q[1-4]|H[12])(?:,?\s|/)(?:of\s)?)?"
    rf"(?:(?:\b(?P<day1>(?i:{ORDINAL}))\s+(?:day\s+)?of\s+)?"
    rf"(?:(?P<month1>\b{MONTH})(?:,\s{MONTH}){{0,8}}(?:\s?{DASH}\s?|\s?/\s?|,?\s+(?i:and|to|or|through|until)\s+)"
    rf"(?:(?:early|mid|late)[\s-])?)?"
    rf"(?P<month>\b{MONTH}),?(?:\s+|[/-])(?:of\s+)?(?:the\s+)?(?:(?P<day2>(?i:{ORDINAL})),?\s+(?:of\s+)?)?)?"
    r"(?P<fiscal>\bFY\s?)?"
    r"(?:(?P<ad>\bA\.?\s?D\.?)\s?)?(?P<apostrophe>['’‘])?"
)
_WORDS = """
jan feb mar apr jun jul aug sep sept oct nov dec early mid late of the c ca circa approx approximately about around
perhaps probably possibly fl floruit flourished ad d a.d to spring summer autumn fall winter q1 q2 q3 q4 h1 h2 quarter
fy christmas eve day easter halloween thanksgiving friday sunday monday week weekend pentecost whitsun
"""
_LAST_WORDS = frozenset([*_WORDS.split(), *(name.lower() for name in MONTHS), *ORDINALS])
_FIRST = """
jan feb mar apr jun jul aug sep sept oct nov dec c ca circa approx approximately about around perhaps probably possibly
fl floruit flourished very early middle mid late later beginning start end close turn 1st 2nd 3rd 4th latter last final
closing opening spring summer autumn fall winter q1 q2 q3 q4 h1 h2 fy christmas boxing new halloween thanksgiving good
palm easter pentecost whitsun a ad twenty thirty ' ’ ‘
"""
_FIRST_WORDS = frozenset([*_FIRST.split(), *(name.lower() for name in MONTHS), *ORDINALS])
_WORD = re.compile(r"[A-Za-z0-9]+|['’‘]")
_LAST_LETTERS = frozenset(word[-2:] for word in _LAST_WORDS)
_LAST_WORD = re.compile(r"[a-z](?:[a-z1-4]|\.[a-z]){0,40}\Z")
_AROUND = " \n\t\u00a0'’‘–—-/.,;(["
_YEAR_ALONE = re.compile(r"\d{4}(?![\d'’s–-])")
_TIED = re.compile(r"(?<![A-Za-z0-9])(?:[cCbdr]\.?|fl\.|FY|ca\.)\Z")
"""What may touch a number: c.1890, b.1950, FY1968."""


class Precision(IntEnum):
    """How exact a date is, with Wikidata's numbers."""

    MILLENNIUM = 6
    CENTURY = 7
    DECADE = 8
    YEAR = 9
    MONTH = 10
    DAY = 11


@dataclass(frozen=True, slots=True)
class DateSpan:
    """A date expression: its span in the text, the days it covers, and whether it is only approximate."""

    start: int
    end: int
    interval: Interval
    precision: Precision
    approximate: bool


@dataclass(frozen=True, slots=True)
class Prefix:
    """What stands before a number and belongs to its date: "c.", "late", "summer of", "July", "AD"."""

    start: int
    number: int
    """Where the number begins."""
    circa: bool = False
    part: str = ""
    part_end: str = ""
    season: str = ""
    season_first: str = ""
    """The earlier season of "spring/summer 1968"."""
    feast: str = ""
    term: str = ""
    """A quarter or half of a year: "Q3", "H1"."""
    fiscal: bool = False
    number_of_day: int = 0
    """The day of the month where it is written in words: "the Fourth of July 1976"."""
    month: int = 0
    month_end: int = 0
    """The later month of "July–August 1969", else the month itself."""
    ad: bool = False
    apostrophe: bool = False

    @property
    def vague(self) -> bool:
        """Whether the date is only approximate because of it."""
        return self.circa or bool(self.part or self.season)


@dataclass(frozen=True, slots=True)
class Expression:
    """A date that was read: where it ends, what it covers, how exact it is."""

    end: int
    interval: Interval
    precision: Precision
    approximate: bool = False
    bare: bool = False
    """Only a number, without era or month."""


def month_number(name: str | None) -> int:
    """The number of an English month by its name or abbreviation, 0 for none: ``month_number("Sept.") == 9``."""
    return _MONTH_NUMBER[name[:3].lower()] if name else 0


def may_start(text: str, start: int) -> bool:
    """Whether a number is no tail of a word ("B52") or of a longer number ("1,980", "3.1415")."""
    before = text[start - 1] if start else " "
    if before.isalnum() or before in "._":
        return bool(_TIED.search(text[max(0, start - 4) : start]))
    return not (before == "," and text[max(0, start - 2)].isdigit())


def read_prefix(text: str, low: int, number: int) -> Prefix:
    """The modifiers, months and era before the number at ``number``, not reaching below ``low``."""
    begin = max(low, number - REACH)
    window = text[begin:number]
    if window.endswith(" the ") and _YEAR_ALONE.match(text, number):
        return Prefix(number, number)  # the end of the 2002 season: no end of 2002
    if window and _may_be_part(window):
        for word in _WORD.finditer(text, begin, number):
            if word[0].lower() in _FIRST_WORDS and (match := _PREFIX.fullmatch(text, word.start(), number)):
                return _prefix(match)
    if window[-1:] in ("'", "’", "‘"):
        return Prefix(number - 1, number, apostrophe=True)
    return Prefix(number, number)


def _may_be_part(window: str) -> bool:
    """Whether the last word before a number may belong to its date; most words are told by their last letters."""
    stem = window.rstrip(_AROUND)
    last = stem[-2:].lower()
    if last not in _LAST_LETTERS and not (last and not last[0].isalpha() and last[-1] in "cd"):
        return False
    word = stem.rpartition(" ")[2].lower()
    if word.isalpha():
        return word in _LAST_WORDS
    found = _LAST_WORD.search(word)
    return bool(found) and found[0] in _LAST_WORDS


def prefix_at(text: str, start: int) -> Prefix:
    """The prefix that begins at a place, before the number that it ends at."""
    match = _PREFIX.match(text, start)
    return _prefix(match) if match else Prefix(start, start)


def _prefix(match: re.Match[str]) -> Prefix:
    month = month_number(match["month"])
    spelled = match["day1"] or match["day2"]
    return Prefix(
        start=match.start(),
        number=match.end(),
        circa=bool(match["circa"]),
        part=(match["part"] or "").lower(),
        part_end=(match["part2"] or "").lower(),
        season=(match["season"] or "").lower(),
        season_first=(match["season1"] or "").lower(),
        feast=(match["feast"] or "").lower(),
        term=match["term"] or "",
        fiscal=bool(match["fiscal"]),
        number_of_day=ordinal(spelled) if spelled else 0,
        month=month_number(match["month1"]) or month,
        month_end=month,
        ad=bool(match["ad"]),
        apostrophe=bool(match["apostrophe"]),
    )
