"""The parts that date expressions are made of: their record, their precision, and what narrows them.

What stands before a number may belong to its date: "c.", "late", "summer of", "December", "AD", an apostrophe.

A modifier leaves a share of its century, decade, year or month, generously ("late 1960s" is 1966-1969): the parts
overlap, because writers do not agree on them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from deepred.base.days import MONTHS, Interval, day, month_length

CIRCA = (
    r"(?:c(?:a|irca)?(?![A-Za-z])\.?|approx(?:\.|imately)|about|around|perhaps|probably|possibly"
    r"|fl\.|floruit|flourished)"
)
_STRETCH = r"(?:early|middle|later?|final|closing|opening)\s+(?:years|decades|months|part)\s+of"
PART = rf"(?:very\s+)?(?:{_STRETCH}|early|mid(?:dle\s+of)?|late|(?:beginning|start|end|close|turn)\s+of)"
HALF = (
    r"(?:(?:first|1st|second|2nd|latter)\s+half"
    r"|(?:first|second|third|fourth|last|final)\s+(?:quarter|third|decades?))\s+of"
)
MONTH = rf"(?:{'|'.join(MONTHS)}|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?)"
DASH = r"[–—−‒‑-]"
ERA = r"(?:\s?(?P<era>B\.\s?C\.(?:\s?E\.)?|BCE?|C\.\s?E\.|CE|A\.\s?D\.|AD)(?![A-Za-z]))"
"""An era after a number."""
OWNED = re.compile(r"(?:\b(?i:his|her|my|a|another|maiden)\s+|[$£€#])\Z")
"""Owners of a "19th century" that is a cricketer's score."""

_MONTH_NUMBER = {name[:3].lower(): number for number, name in enumerate(MONTHS, 1)}

REACH = 48
"""Characters before a number in which its prefix begins."""

_PREFIX = re.compile(
    rf"(?:(?P<circa>\b(?i:{CIRCA})(?:\s(?:c(?:a|irca)?\.|circa))?)\s?(?:the\s+)?)?"
    rf"(?:(?P<part>\b(?i:{PART}|{HALF}))(?:(?:-?\s?|\s)to[\s-]+(?P<part2>mid|late))?(?:-|–|\s+)(?:the\s+)?)?"
    r"(?:(?P<season>\b(?:[Ss]pring|[Ss]ummer|[Aa]utumn|[Ff]all|[Ww]inter))(?:\s+of|,)?\s+)?"
    r"(?:\bQ(?P<quarter>[1-4]),?\s(?:of\s)?)?"
    rf"(?:(?:(?P<month1>\b{MONTH})(?:\s?{DASH}\s?|/|\s+(?:and|to|or|through|until)\s+))?"
    rf"(?P<month>\b{MONTH}),?(?:\s+|-)(?:of\s+)?)?"
    r"(?:(?P<ad>\bA\.?\s?D\.?)\s?)?(?P<apostrophe>['’‘])?"
)
_WORDS = """
jan feb mar apr jun jul aug sep sept oct nov dec early mid late of the c ca circa approx approximately about around
perhaps probably possibly fl floruit flourished ad d a.d to spring summer autumn fall winter q1 q2 q3 q4
"""
_LAST_WORDS = frozenset([*_WORDS.split(), *(name.lower() for name in MONTHS)])
_START = re.compile(
    rf"\b(?:(?i:{CIRCA}|very|early|mid|late|beginning|start|end|close|turn|first|1st|second|2nd|third|fourth|latter|last"
    rf"|final|closing|opening|spring|summer|autumn|fall|winter)|Q[1-4]|{MONTH}|A\.?\s?D)|['’‘]"
)
_AROUND = " \n\t\u00a0'’‘–—-"
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
    quarter: int = 0
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


def centuries(end: int, first: int, last: int, unit: str, era: str | None, prefix: Prefix) -> Expression | None:
    """The expression of the first to the last century or millennium; None for one that lies in no text's past.

    The prefix narrows the first; where ``part_end`` stands it narrows the last ("late 18th and early 19th centuries").
    """
    size, precision = (100, Precision.CENTURY) if unit[0] in "cC" else (1000, Precision.MILLENNIUM)
    before_christ = bool(era and era[0] == "B")
    if (not before_christ and max(first, last) > 21) or not first or not last:
        return None
    begin, stop = (nth(number, size, before_christ) for number in (first, last))
    if first == last:
        begin = stop = narrow(begin, prefix)
    else:
        begin = narrow(begin, Prefix(0, 0, part=prefix.part))
        stop = narrow(stop, Prefix(0, 0, part=prefix.part_end))
    low, high = min(begin[0], stop[0]), max(begin[1], stop[1])
    return Expression(end, Interval(day(low), day(high, 12, 31)), precision, prefix.vague or bool(prefix.part_end))


def nth(number: int, size: int, before_christ: bool) -> tuple[int, int]:
    """First and last year of the nth century or millennium: the 19th century is 1801-1900."""
    if before_christ:
        return 1 - number * size, -(number - 1) * size
    return (number - 1) * size + 1, number * size


_SHARES = {
    "early": (0.0, 0.4), "beginning": (0.0, 0.3), "start": (0.0, 0.3), "mid": (0.3, 0.7), "middle": (0.3, 0.7),
    "late": (0.6, 1.0), "end": (0.7, 1.0), "close": (0.7, 1.0), "later": (0.5, 1.0),
    "final": (0.7, 1.0), "closing": (0.7, 1.0), "opening": (0.0, 0.3), "turn": (-0.1, 0.1),
    "first half": (0.0, 0.5), "1st half": (0.0, 0.5), "second half": (0.5, 1.0), "2nd half": (0.5, 1.0),
    "latter half": (0.5, 1.0), "first quarter": (0.0, 0.25), "second quarter": (0.25, 0.5),
    "third quarter": (0.5, 0.75), "fourth quarter": (0.75, 1.0),
    "last quarter": (0.75, 1.0), "final quarter": (0.75, 1.0), "first third": (0.0, 0.34), "second third": (0.33, 0.67),
    "third third": (0.66, 1.0), "fourth third": (0.66, 1.0),
    "last third": (0.66, 1.0), "final third": (0.66, 1.0), "first decade": (0.0, 0.1), "first decades": (0.0, 0.4),
    "last decade": (0.9, 1.0), "final decade": (0.9, 1.0), "last decades": (0.6, 1.0), "final decades": (0.6, 1.0),
    "second decade": (0.1, 0.2), "third decade": (0.2, 0.3), "second decades": (0.1, 0.4), "third decades": (0.2, 0.5),
    "fourth decade": (0.3, 0.4), "fourth decades": (0.3, 0.6),
}  # fmt: skip
"""Shares of a century, decade, year or month that a modifier leaves; generous and overlapping, since usage varies."""


def _share(prefix: Prefix) -> tuple[float, float]:
    """The share that a prefix leaves: "early to mid" from the beginning of the one to the end of the other."""
    begin, end = _share_of(prefix.part)
    return begin, _share_of(prefix.part_end)[1] if prefix.part_end else end


def _share_of(part: str) -> tuple[float, float]:
    words = part.removeprefix("very ").split()
    return _SHARES.get(" ".join(words[:2])) or _SHARES[words[0]]


def _is_exact(part: str) -> bool:
    """Whether a modifier counts months: a half, a quarter, a third."""
    return part.split()[-2 if part.endswith(" of") else -1] in ("half", "quarter", "third")


def narrow(years: tuple[int, int], prefix: Prefix) -> tuple[int, int]:
    """The years that a modifier leaves of first..last: late (1960, 1969) is (1966, 1969); all of them without one."""
    if not prefix.part:
        return years
    low, high = years
    size = high - low + 1
    begin, end = _share(prefix)
    return low + round(begin * size), low + max(round(end * size), round(begin * size) + 1) - 1


def narrow_year(year: int, prefix: Prefix) -> Interval:
    """The months that a modifier leaves of a year: early 1969 is January to June, its second quarter April to June."""
    begin, end = _share(prefix)
    if _is_exact(prefix.part):
        first, last = round(begin * 12) + 1, round(end * 12)
    else:
        first, last = round(begin * 12), round(end * 12) + (1 if end < 1 else 0)
    first = max(1, first)
    last = min(12, max(first, last))
    return Interval(day(year, first), day(year, last, month_length(year, last)))


def narrow_month(year: int, month: int, prefix: Prefix) -> Interval:
    """The days that a modifier leaves of a month: early is its first half, late its second, mid the 8th to the 23rd."""
    begin, end = _share(prefix)
    length = month_length(year, month)
    if end <= 0.5:
        return Interval(day(year, month, 1), day(year, month, 15))
    if begin >= 0.5:
        return Interval(day(year, month, 16), day(year, month, length))
    first, last = (1 if begin < 0.3 else 8), (length if end > 0.7 else 23)
    return Interval(day(year, month, first), day(year, month, last))


_SEASONS = {"spring": (3, 6), "summer": (6, 9), "autumn": (9, 12), "fall": (9, 12)}
"""First and last month of the seasons of the northern hemisphere, each with the month in which it begins and ends."""


def season(name: str, year: int, last: int) -> Interval:
    """The months of a season: winter 1939 may have begun or ended in 1939; of two years (1939–40) it is the turn."""
    if last != year:
        return Interval(day(year, 12), day(last, 3, 31)) if last == year + 1 else Interval(day(year), day(last, 12, 31))
    if name == "winter":
        return Interval(day(year), day(year + 1, 3, 31))
    begin, end = _SEASONS[name]
    return Interval(day(year, begin), day(year, end, month_length(year, end)))


def quarter(year: int, number: int) -> Interval:
    """The months of a year's quarter: ``quarter(1969, 1)`` is January to March."""
    return Interval(day(year, number * 3 - 2), day(year, number * 3, month_length(year, number * 3)))


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
    word = window.rstrip(_AROUND).rpartition(" ")[2].rpartition("\n")[2].lower()
    word = (
        word.strip("([.,;")
        .rpartition("-")[2]
        .rpartition("/")[2]
        .rpartition("–")[2]
        .rpartition("—")[2]
        .rpartition("(")[2]
    )
    if window.endswith(" the ") and _YEAR_ALONE.match(text, number):
        return Prefix(number, number)  # the end of the 2002 season: no end of 2002
    if word in _LAST_WORDS:
        for start in _START.finditer(text, begin, number):
            if match := _PREFIX.fullmatch(text, start.start(), number):
                return _prefix(match)
    if window[-1:] in ("'", "’", "‘"):
        return Prefix(number - 1, number, apostrophe=True)
    return Prefix(number, number)


def prefix_at(text: str, start: int) -> Prefix:
    """The prefix that begins at a place, before the number that it ends at."""
    match = _PREFIX.match(text, start)
    return _prefix(match) if match else Prefix(start, start)


def _prefix(match: re.Match[str]) -> Prefix:
    month = month_number(match["month"])
    return Prefix(
        start=match.start(),
        number=match.end(),
        circa=bool(match["circa"]),
        part=(match["part"] or "").lower(),
        part_end=(match["part2"] or "").lower(),
        season=(match["season"] or "").lower(),
        quarter=int(match["quarter"] or 0),
        month=month_number(match["month1"]) or month,
        month_end=month,
        ad=bool(match["ad"]),
        apostrophe=bool(match["apostrophe"]),
    )
