"""Dates that take their year from the text before them: "On 31 March", "that spring", "two years later".

In: a text, the dates that ``find_dates`` found in it, and where its sections begin. Out: the days that such expressions
most likely cover. A narrative runs forward: the year is that of the last date named, or the next one where the month
says so ("In January" after "in November 1941"). Every carried date is itself the last date for what follows it. It is a
reading, not a finding: how often it is right is measured (``benchmarks/carried.py``) and learned by the filter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from deepred.base.days import MONTHS, Interval, day, month_length, month_of, year_of
from deepred.text.dates.parts import LATEST_YEAR, MONTH, DateSpan, Precision, month_number
from deepred.text.dates.single import LARGEST_ERA_YEAR


class Carry(IntEnum):
    """What a carried date is made of, by which it deserves trust."""

    DAY = 1
    """A day and a month: "On 31 March"."""
    MONTH = 2
    SEASON = 3
    STEP = 4
    """Years, months or days counted from the last date: "the next year", "two years later"."""
    SAME = 5
    """The last date's own year, month or day: "that year", "the same month"."""


@dataclass(frozen=True, slots=True)
class CarriedDate:
    """An expression without a year of its own: its span, the days it most likely covers, and what it is made of."""

    start: int
    end: int
    interval: Interval
    kind: Carry
    firm: bool
    """Close to the date that it carries on, in a sentence that tells of one time and not of every year."""
    named: bool = False
    """The expression names its year; this is what would be read without it: by that the reading is judged."""


@dataclass(frozen=True, slots=True)
class _Anchor:
    """The last date of the narrative; month 0 where only the year is known."""

    year: int
    month: int = 0


_DAY = r"(?:3[01]|[12]\d|0?[1-9])(?!\d)(?:st|nd|rd|th)?"
_YEARLESS = (
    r"(?!\w|['’]s?\s?\d|[,.]?[ \u00a0]*(?:\d{4}|\d{3}(?=\s?(?:B\.?C|A\.?D|C\.?E)|[.;)]))(?![\d,])|\s?[–-]\s?\d"
    r"|,?[ \u00a0](?:of|in|(?:of\s+)?the\s+year)\s+(?:\d{4}|\d{3}(?=[\s.,;)]))(?![\d,]))"
)
"""What must not follow a month: its year."""
_LEAD = (
    r"(?:[Ii]n|[Bb]y|[Oo]n|[Uu]ntil|[Tt]ill?|[Ii]nto|[Ss]ince|[Ff]rom|[Tt]o|[Dd]uring|[Bb]etween|[Aa]nd|[Tt]hrough|[Aa]fter"
    r"|[Bb]efore|[Oo]f|[Tt]hat|[Tt]his|[Tt]he|[Aa]|[Ee]arly|[Mm]id|[Ll]ate|[Ff]ollowing|[Nn]ext|[Ss]ame|[Pp]revious"
    r"|[Ll]ast|[Ff]or|[Aa]round|[Tt]hroughout)"
)
_OF_YEAR = r"(?:,?\s+(?:of\s+)?(?:the\s+)?(?P<other>same|next|following|previous|that)\s+year\b)?"
_MONTH_DAY = re.compile(
    rf"(?<![\w.,'’-])(?:(?P<d1>{_DAY})(?:\s?[–-]\s?{_DAY}|\s+(?:and|to|or)\s+{_DAY})?(?:\s+of)?\s+(?P<m1>{MONTH})"
    rf"|(?P<m2>{MONTH})\s+(?:the\s+)?(?P<d2>{_DAY})){_YEARLESS}{_OF_YEAR}"
)
_MONTH_ALONE = re.compile(
    rf"\b(?:{_LEAD}(?:\s+|-)(?:(?:the\s+)?(?P<which>following|next|same|previous|last)\s+)?(?:early\s+|mid-?\s?|late\s+)?"
    r"|(?<=[a-z.,]\s)(?!May|March)(?=[A-Z][a-z]+[\s,.](?![A-Z\d])))"
    rf"(?P<m>{MONTH}){_YEARLESS}(?!['’]|\s+(?:the\s+)?\d){_OF_YEAR}"
)
_NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_COUNT = rf"(?P<count>an?|{'|'.join(_NUMBERS)}|\d{{1,2}}|several|(?:a\s)?few|(?:a\s)?couple\sof)"
_STEP = re.compile(
    rf"\b(?i:{_COUNT})\s+(?P<unit>decade|year|month|week|day)s?\s+(?P<way>later|after(?:wards?)?|earlier|before)\b"
)
_NEXT = re.compile(
    r"\b(?:[Tt]he\s+(?:very\s+)?|(?=next\s))(?:next|following|previous)\s+(?P<unit>decade|year|month|week|day)\b"
    r"|\b[Tt]he\s+day\s+(?P<way>after|before)\b"
)
_SAME = re.compile(
    r"\b(?:(?:[Tt]hat|[Tt]his|[Tt]he\s+same|[Tt]hat\s+same)\s+"
    r"(?P<unit>year|month|day|week|night|evening|morning|afternoon|(?<!same )time|date|period)(?=['’]s\b|\b(?!['’]))"
    r"|[Tt]he\s+(?:next|following|previous)\s+(?:night|evening|morning|afternoon)"
    r"|[Ll]ater\s+in\s+the\s+year|(?:[Tt]he\s+)?(?:end|middle|beginning|start|rest|remainder)\s+of\s+(?:the|that)\s+year"
    r"|(?:year|month)['’]s\s+end|[Oo]n\s+(?:the\s+)?(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)(?!\w)"
)
_HOUR = re.compile(
    r"\b(?:[Oo]n\s+the\s+\d{1,2}(?:st|nd|rd|th)"
    r"|[Aa]t\s+(?:about\s+)?\d{1,2}(?:[:.]\d\d)?\s?(?:[ap]\.?m\b|[AP]\.?M\b|hours\b)|[Aa]t\s+\d{1,2}:\d\d)(?!\w)"
)
_SEASON = re.compile(
    r"\b(?:(?P<which>[Tt]hat|[Tt]he\s+(?:following|next|same|previous))"
    r"|(?:[Ii]n|[Bb]y|[Oo]f|[Dd]uring|[Tt]hrough|[Oo]ver|[Ff]or|[Tt]hroughout|[Tt]he|[Tt]his|a)\s+(?:the\s+|that\s+)?"
    r"(?:(?:early|late|mid-?)\s+)?)"
    r"\s*(?P<season>[Ss]pring|[Ss]ummer|[Aa]utumn|[Ff]all|[Ww]inter)\b(?!\s+(?:of|months|season|or)\b|['’-]|\s[A-Z])"
)
_UNITS = ("decade", "year", "month", "week", "day")
_UNIT_ENDS = (*_UNITS, *(unit + "s" for unit in _UNITS))
_POINTED = ("year", "month", "day", "week", "night", "evening", "morning", "afternoon", "time", "date", "period")
_DIGITS = tuple("0123456789")
_ANY = ("",)
_KEYS: tuple[tuple[re.Pattern[str], tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...] = (
    (_MONTH_DAY, tuple(name[:3] for name in MONTHS), _ANY, _ANY),
    (_MONTH_ALONE, tuple(name[:3] for name in MONTHS), _ANY, _ANY),
    (_SEASON, ("pring", "ummer", "utumn", "fall", "inter"), _ANY, _ANY),
    (_STEP, (" later", " after", " earlier", " before"), _UNIT_ENDS, _ANY),
    (_NEXT, ("next ", " following ", " previous "), _ANY, _UNITS),
    (_NEXT, ("he day ",), _ANY, ("after", "before")),
    (_SAME, ("hat ", "his ", " same ", " next ", " following ", " previous ", " of the ", " of that "), _ANY, _POINTED),
    (_SAME, ("ater in the y", "'s end", "’s end", "sday", "nday", "riday", "urday"), _ANY, _ANY),
    (_HOUR, ("n the ", "t about ", "At ", " at "), _ANY, _DIGITS),
)  # fmt: skip
"""By what letters a pattern's matches are found, with what may stand right before and after these: most of a text is
never looked at by a pattern."""
_BEFORE, _AFTER = 32, 64
_SEASONS = {"spring": (3, 5), "summer": (6, 8), "autumn": (9, 11), "fall": (9, 11), "winter": (12, 2)}
REACH = 800
"""Characters from a date within which what carries it on is firm."""
_HABIT = re.compile(
    r"\b(?:is|are|may|can|must|usually|typically|generally|annual(?:ly)?|average|(?:each|every|most|[Ss]ome)\s+years?)\b"
)
_PAST = re.compile(r"\b(?:was|were|had|did)\b")
_SENTENCE = 240
"""Characters before and after an expression in which its sentence ends."""
_FORWARD = 7
"""Months by which a narrative goes on into the next year rather than back within its own."""


def carry_dates(text: str, dates: Sequence[DateSpan]) -> list[CarriedDate]:
    """The expressions of a text that take their year from the dates before them, in order.

    ``dates`` are those that ``find_dates`` found. Those of them that name a month are read as well as if they did not
    name their year (``named``): what is carried can be compared with what is named.

    >>> text = "War came in November 1941. In January the town fell. Two years later it was free."
    >>> from deepred.text.dates.find import find_dates
    >>> [found.interval for found in carry_dates(text, find_dates(text)) if not found.named]
    [Interval(first=19420101, last=19420131), Interval(first=19440101, last=19441231)]
    """
    found: list[CarriedDate] = []
    anchor: _Anchor | None = None
    at = 0  # where the anchor ends
    spans = iter(dates)
    ahead = next(spans, None)
    taken = 0
    for match in [*_expressions(text), None]:
        while ahead is not None and (match is None or ahead.start <= match.start()):
            if anchor is not None and ahead.precision >= Precision.MONTH:
                found.append(_without_year(ahead, anchor, at))
            taken = max(taken, ahead.end)
            if leaves := _anchor_of(text, ahead):
                anchor, at = leaves, ahead.end
            ahead = next(spans, None)
        if match is None or anchor is None:
            continue
        if match.start() < taken or (ahead is not None and ahead.start < match.end()):
            continue
        read = _read(match, anchor)
        if read is not None and -LARGEST_ERA_YEAR <= read[2].year <= LATEST_YEAR:
            interval, kind, anchor = read
            found.append(CarriedDate(match.start(), match.end(), interval, kind, _is_firm(text, match, kind, at)))
            taken = at = match.end()
    return found


def _is_firm(text: str, match: re.Match[str], kind: Carry, at: int) -> bool:
    """Whether what carries on the date that ended at ``at`` tells of one time, as far as a look around shows."""
    if match.start() - at > REACH or kind is Carry.SEASON:
        return False
    if kind is Carry.SAME and (match.re is not _SAME or match["unit"] not in ("year", "month")):
        return False
    low, high = max(0, match.start() - _SENTENCE), min(len(text), match.end() + _SENTENCE)
    begin = max(text.rfind(". ", low, match.start()), text.rfind("\n", low, match.start()), low - 1) + 1
    ends = [place for mark in (". ", "\n") if (place := text.find(mark, match.end(), high)) >= 0]
    end = min(ends, default=high)
    return _HABIT.search(text, begin, end) is None or _PAST.search(text, begin, end) is not None


def _without_year(span: DateSpan, anchor: _Anchor, at: int) -> CarriedDate:
    """What a date with a month would be taken for if it did not name its year."""
    month = month_of(span.interval.first)
    kind = Carry.DAY if span.precision == Precision.DAY else Carry.MONTH
    interval = Interval.of(_year_for(month, anchor, None), month)
    return CarriedDate(span.start, span.end, interval, kind, span.start - at <= REACH, named=True)


def _expressions(text: str) -> list[re.Match[str]]:
    """All candidates by place, the longer first where two begin together."""
    found: dict[tuple[int, int], re.Match[str]] = {}
    for pattern, keys, before, after in _KEYS:
        for key in keys:
            place = text.find(key)
            while place >= 0:
                if text.startswith(after, place + len(key)) and text.endswith(before, 0, place):
                    match = pattern.search(text, max(0, place - _BEFORE), place + _AFTER)
                    if match is not None:
                        found[match.span()] = match
                place = text.find(key, place + 1)
    return sorted(found.values(), key=lambda match: (match.start(), -match.end()))


def _anchor_of(text: str, span: DateSpan) -> _Anchor | None:
    """What a named date leaves for those after it; None for what is too wide, or a lifetime in brackets."""
    if span.precision < Precision.YEAR:
        return None
    before = text[max(0, span.start - 1) : span.start]
    if before == "(" and span.precision == Precision.YEAR:
        return None
    first, last = span.interval.first, span.interval.last
    if span.precision == Precision.YEAR:  # a season or part of a year leaves its month
        month = 0 if year_of(first) != year_of(last) or month_of(last) - month_of(first) > 5 else month_of(first)
        return _Anchor(year_of(last), month)
    return _Anchor(year_of(last), month_of(last))


def _read(match: re.Match[str], anchor: _Anchor) -> tuple[Interval, Carry, _Anchor] | None:
    """What an expression means after an anchor, and the anchor that it leaves; None for days that no month has."""
    pattern = match.re
    if pattern is _MONTH_DAY:
        month = month_number(match["m1"] or match["m2"])
        number = int(re.sub(r"\D", "", match["d1"] or match["d2"]))
        year = _year_for(month, anchor, match["other"])
        if number > month_length(year, month):
            return None
        when = day(year, month, number)
        return Interval(when, when), Carry.DAY, _Anchor(year, month)
    if pattern is _MONTH_ALONE:
        month = month_number(match["m"])
        year = _year_for(month, anchor, match["which"] or match["other"])
        return Interval.of(year, month), Carry.MONTH, _Anchor(year, month)
    if pattern is _SEASON:
        first, last = _SEASONS[match["season"].lower()]
        which = (match["which"] or "").split()[-1:] or [None]
        year = _year_for(first, anchor, which[0])
        end = year + (last < first)
        return Interval(day(year, first), Interval.of(end, last).last), Carry.SEASON, _Anchor(year, first)
    if pattern in (_SAME, _HOUR):
        if anchor.month and (pattern is _HOUR or match["unit"] != "year"):
            return Interval.of(anchor.year, anchor.month), Carry.SAME, anchor
        return Interval.of(anchor.year), Carry.SAME, anchor
    if pattern is _NEXT:
        return _step(anchor, match["unit"] or "day", -1 if "previous" in match[0] or match["way"] == "before" else 1)
    number = _count_of(match["count"].lower())
    return _step(anchor, match["unit"], -number if match["way"] in ("earlier", "before") else number)


def _count_of(text: str) -> int:
    """The number that a count names; several are taken for three."""
    if text.isdigit():
        return int(text)
    if text in _NUMBERS:
        return _NUMBERS.index(text) + 1
    return 1 if text in ("a", "an") else 3


def _year_for(month: int, anchor: _Anchor, which: str | None) -> int:
    """The year of a month that a narrative comes to after its anchor."""
    if not anchor.month:
        return anchor.year + (1 if which in ("following", "next") else 0)
    if which in ("following", "next"):
        return anchor.year + (month <= anchor.month)
    if which in ("previous", "last"):
        return anchor.year - (month >= anchor.month)
    return anchor.year + (month < anchor.month and month + 12 - anchor.month < _FORWARD)


def _step(anchor: _Anchor, unit: str, number: int) -> tuple[Interval, Carry, _Anchor]:
    """So many units on from an anchor, or back; days and weeks stay in its month."""
    if unit in ("year", "decade"):
        number *= 10 if unit == "decade" else 1
        year = anchor.year + number
        return Interval.of(year), Carry.STEP, _Anchor(year, 0)
    if not anchor.month:
        return Interval.of(anchor.year), Carry.STEP, anchor
    months = anchor.year * 12 + anchor.month - 1 + (number if unit == "month" else 0)
    year, month = divmod(months, 12)
    return Interval.of(year, month + 1), Carry.STEP, _Anchor(year, month + 1)
