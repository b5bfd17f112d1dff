"""The forms of a single English date with digits: how the one that begins at a number is read.

Numbers without era or month count as years only from 1000 to ``LATEST_YEAR``; with three digits only where the
context says so. Whether such a bare number is something else is not asked here (see ``not_dates``).
"""

from __future__ import annotations

import re

from deepred.base.days import Interval, day, month_length, year_of
from deepred.text.dates.parts import (
    DASH,
    ERA,
    MONTH,
    OWNED,
    Expression,
    Precision,
    Prefix,
    centuries,
    month_number,
    narrow,
    narrow_month,
    narrow_year,
    quarter,
    season,
)

LATEST_YEAR = 2100
"""Bare numbers above are quantities."""
EARLIEST_BARE_YEAR = 1000
"""Three-digit years need an era, a month, or a context that only dates have."""
LARGEST_ERA_YEAR = 200_000
"""Years before Christ above do not fit a day of 32 bits."""

TO = rf"(?:\s?{DASH}\s?|\s+(?:to|until|till|through)\s+(?:the\s+)?)"
_DAY = r"(?:3[01]|[12]\d|0?[1-9])(?!\d)(?:st|nd|rd|th)?"
_STYLE = r"(?:\s?[\[(]\s?[ON]\.?\s?S\.?[^\])\n]{0,28}[\])])?"  # 7 November [O.S. 25 October] 1917
_AND = rf"(?:\s?{DASH}\s?|\s?/\s?|\s+(?:and|to|or)\s+)"
_YEAR = (
    r"(?:A\.?D\.?\s(?P<ad>\d{1,4})"
    r"|(?<!\d)(?P<year>\d{3,4}|\d{1,2}(?=\s?(?:BC|B\.|AD|A\.|CE|C\.)))(?:/(?P<new>\d\d)(?!\d))?)(?!\d|[.,]\d)"
)
_MONTH_DAY_YEAR = re.compile(
    rf"(?P<d1>{_DAY})(?:{_AND}(?P<d2>{_DAY}))?(?:(?:{TO}|\s+and\s+)(?P<m2>{MONTH})\s+(?P<d3>{_DAY}))?{_STYLE}"
    rf"(?:,\s*|\s+){_YEAR}{ERA}?{_STYLE}"
)
_DAY_MONTH_YEAR = re.compile(
    rf"(?P<d1>{_DAY})(?:{_AND}(?P<d2>{_DAY}))?[\s-]*(?:(?:day\s+)?of\s+)?(?P<m1>{MONTH})"
    rf"(?:(?:{TO}|\s+and\s+)(?P<d3>{_DAY})\s+(?P<m2>{MONTH}))?{_STYLE}(?:,\s*|[\s-]+(?:in\s+)?){_YEAR}{ERA}?{_STYLE}"
)
_ISO = re.compile(r"(?P<year>[12]\d{3})-(?P<m>0[1-9]|1[0-2])-(?P<d>3[01]|[12]\d|0[1-9])(?![\d-])")
_NUMERIC = re.compile(r"(?P<a>\d{1,2})(?P<s>[/.])(?P<b>\d{1,2})(?P=s)(?P<year>[12]\d{3})(?![\d/])")
_DECADE = re.compile(rf"(?P<year>\d{{1,3}}0)['’]?s(?![\w])(?:{DASH}(?P<last>\d0)s\b)?{ERA}?")
_CENTURY = re.compile(
    rf"(?P<first>\d{{1,2}})(?:st|nd|rd|th)?(?:(?:-?\s?{DASH}\s?|/|-?,?\s+(?:to|and|or|through|until)\s+(?:the\s+)?"
    rf"(?:(?P<part>early|mid|late)[\s-])?)(?P<last>\d{{1,2}})(?:st|nd|rd|th))?(?<=[tdh])(?:\s+|{DASH})"
    rf"(?P<unit>(?i:centur(?:y|ies)|millenni(?:um|a)))(?![A-Za-z]|\s(?:Fox|Studios|Pictures|Limited)\b){ERA}?"
)
_NUMBER = re.compile(rf"(?P<year>\d{{1,3}},\d{{3}}|\d{{1,7}})(?!\d){ERA}?")
_RUN = re.compile(r"\d+")
_SHORT_RANGE = re.compile(
    rf"(?P<year>[12]\d{{3}})(?:\s?{DASH}\s?|/)(?P<end>\d{{2}}|[1-9](?=[\s.,;:)]|$))"
    rf"(?!\d|[A-Za-z]|{DASH}\d|[.,/]\d|\s+{MONTH}|\s?[%°′])"
)
_AD_RANGE = re.compile(rf"\s?(?:{DASH}|/|or)\s?(?P<end>\d{{1,4}})(?!\d)")
_DECADE_LEAD = re.compile(r"\b(?:the|and|or|to|early|mid|late)[\s-]+['’‘]?\Z", re.IGNORECASE)
_YEAR_LEAD = re.compile(r"\b(?:in|since|of|by|until|from|to|before|after|during)\s\Z", re.IGNORECASE)
_TWO_DIGITS = re.compile(r"\d\d(?![\w%'’]|[.,]\d)")

_EARLY_YEAR_BEFORE = re.compile(
    r"(?:\b(?:[Ii]n|[Bb]y|[Ss]ince|[Uu]ntil|[Aa]fter|[Bb]efore|[Yy]ear|born|died|(?<![A-Za-z])[bdr]\.)\s+"
    r"|\b(?:[Rr]eign(?:ed|ing)?|[Rr]ul(?:ed|ing)|[Kk]ing|[Ee]mperor|[Pp]ope|[Bb]ishop)(?:\s(?:of|the|[A-Z][\w-]+)){0,4}\s+from\s+"
    r"|\((?:[bdr]\.|born|died|reigned|ruled)\s?)\Z"
)
_EARLY_YEAR_ODDS = re.compile(r"\b(?:one|\d+) in \Z")
_EARLY_YEAR_AFTER = re.compile(
    r"(?:\s*$|\s\(|\s?[,.;:)\]](?!\d)|\s?[–—](?!\d)|\s(?:and|the|he|she|they|when|by|in|at|under|as|with|his|it|was|until|after"
    r"|but|on|from|a|an|who|which|king|emperor|King|Emperor|to)\b)"
)
_CLAUSE = re.compile(r"\s[A-Z][a-z]+\s[a-z]")


def read_date(text: str, prefix: Prefix) -> Expression | None:
    """The single date at a number, or None: with month, apostrophe or season as its prefix says, else by its digits."""
    if prefix.month:
        return _month_day_year(text, prefix) or _month_year(text, prefix)
    if prefix.apostrophe:
        return _decade(text, prefix) or _apostrophe_year(text, prefix)
    run = _RUN.match(text, prefix.number)
    length = run.end() - run.start() if run else 0
    if length <= 2:
        return (
            _day_month_year(text, prefix)
            or _century(text, prefix)
            or _numeric(text, prefix)
            or _decade(text, prefix)
            or _year(text, prefix)
        )
    if length == 4 and text[prefix.number] in "12":
        return _iso(text, prefix) or _decade(text, prefix) or _short_range(text, prefix) or _year(text, prefix)
    return _decade(text, prefix) or _year(text, prefix)


def _signed(number: str, era: str | None) -> int:
    year = int(number.replace(",", ""))
    return 1 - year if era and era[0] == "B" else year


def _days(match: re.Match[str], first: tuple[int, int], last: tuple[int, int], prefix: Prefix) -> Expression | None:
    """An expression from (month, day) to (month, day) of the year that was matched; None for impossible days."""
    digits = match["year"] or match["ad"]
    year = _signed(digits, match["era"])
    if match["new"]:  # 11 February 1731/32: the year that began in January
        year = year // 100 * 100 + int(match["new"])
    return _between(match.end(), year, first, last, prefix)


def _between(end: int, year: int, first: tuple[int, int], last: tuple[int, int], prefix: Prefix) -> Expression | None:
    for month, number in (first, last):
        if not 1 <= number <= month_length(year, month):
            return None
    interval = Interval(day(year, *first), day(year, *last))
    if interval.first > interval.last:  # 29 December – 3 January 1969
        interval = Interval(day(year - 1, *first), interval.last)
    return Expression(end, interval, Precision.DAY, prefix.circa)


def _number(text: str) -> int:
    return int(text.rstrip("stndrh"))


def _month_day_year(text: str, prefix: Prefix) -> Expression | None:
    """July 20, 1969; July 16–24, 1969; July 20 – August 3, 1969."""
    match = _MONTH_DAY_YEAR.match(text, prefix.number)
    if match is None:
        return None
    first = (prefix.month_end, _number(match["d1"]))
    last = (prefix.month_end, _number(match["d2"])) if match["d2"] else first
    if match["m2"]:
        last = (month_number(match["m2"]), _number(match["d3"]))
    return _days(match, first, last, prefix)


def _day_month_year(text: str, prefix: Prefix) -> Expression | None:
    """20 July 1969; 16–24 July 1969; 20 July – 3 August 1969; the 4th of July, 1776."""
    match = _DAY_MONTH_YEAR.match(text, prefix.number)
    if match is None:
        return None
    first = (month_number(match["m1"]), _number(match["d1"]))
    last = (first[0], _number(match["d2"])) if match["d2"] else first
    if match["m2"]:
        last = (month_number(match["m2"]), _number(match["d3"]))
    return _days(match, first, last, prefix)


def _iso(text: str, prefix: Prefix) -> Expression | None:
    match = _ISO.match(text, prefix.number)
    if match is None:
        return None
    when = (int(match["m"]), int(match["d"]))
    return _between(match.end(), int(match["year"]), when, when, prefix)


def _numeric(text: str, prefix: Prefix) -> Expression | None:
    """20/07/1969 and 7/20/1969; where day and month cannot be told apart, the year."""
    match = _NUMERIC.match(text, prefix.number)
    if match is None:
        return None
    one, other, year = int(match["a"]), int(match["b"]), int(match["year"])
    if one > 12 and 1 <= other <= 12:
        return _between(match.end(), year, (other, one), (other, one), prefix)
    if other > 12 and 1 <= one <= 12:
        return _between(match.end(), year, (one, other), (one, other), prefix)
    possible = 1 <= one <= 12 and 1 <= other <= 12
    return Expression(match.end(), Interval.of(year), Precision.YEAR) if possible else None


def _month_year(text: str, prefix: Prefix) -> Expression | None:
    """July 1969; July–August 1969; late July 1969 (its second half)."""
    match = _NUMBER.match(text, prefix.number)
    if match is None or not (match["era"] or prefix.ad or 3 <= len(match["year"]) <= 4) or "," in match["year"]:
        return None
    year = _signed(match["year"], match["era"])
    if year > LATEST_YEAR:
        return None
    if prefix.part and prefix.month == prefix.month_end:
        return Expression(match.end(), narrow_month(year, prefix.month, prefix), Precision.MONTH, True)
    first, last = Interval.of(year, prefix.month), Interval.of(year, prefix.month_end)
    if last.last < first.first:  # December–January 1969: the first month lies in the year before
        first = Interval.of(year - 1, prefix.month)
    return Expression(match.end(), Interval(first.first, last.last), Precision.MONTH, prefix.vague)


def _century(text: str, prefix: Prefix) -> Expression | None:
    """19th century; the late 18th and early 19th centuries; 3rd millennium BC."""
    match = _CENTURY.match(text, prefix.number)
    if match is None or OWNED.search(text[max(0, prefix.start - 10) : prefix.start]):
        return None
    first, last = int(match["first"]), int(match["last"] or match["first"])
    if match["part"]:
        prefix = Prefix(prefix.start, prefix.number, part=prefix.part, part_end=match["part"])
    elif match["last"]:
        prefix = Prefix(prefix.start, prefix.number, circa=prefix.circa, part=prefix.part)
    return centuries(match.end(), first, last, match["unit"], match["era"], prefix)


def _decade(text: str, prefix: Prefix) -> Expression | None:
    """1960s; 1960s–70s; '60s; 500s BC. Hundreds before 1900 ("1800s") are centuries, as "early 1900s" is."""
    match = _DECADE.match(text, prefix.number)
    if match is None:
        return None
    digits, era = match["year"], match["era"]
    approximate = prefix.vague
    low = int(digits)
    if len(digits) <= 2 and not era:
        before = text[max(0, prefix.start - 12) : prefix.number]
        if (not prefix.part and not _DECADE_LEAD.search(before)) or not 20 <= low <= 90:
            return None
        low, approximate = 1900 + low, True
    if low > LATEST_YEAR:
        return None
    hundred = digits.endswith("00") and (low < 1900 or (low == 1900 and bool(prefix.part)))
    last = low // 100 * 100 + int(match["last"]) if match["last"] else low
    years = (low, max(low, last) + (99 if hundred else 9))
    if era and era[0] == "B":
        years = (1 - years[1], 1 - years[0])
    years = narrow(years, prefix)
    precision = Precision.CENTURY if hundred else Precision.DECADE
    return Expression(match.end(), Interval(day(years[0]), day(years[1], 12, 31)), precision, approximate)


def _apostrophe_year(text: str, prefix: Prefix) -> Expression | None:
    """The summer of '69; since '68: a year of the last century."""
    match = _TWO_DIGITS.match(text, prefix.number)
    if match is None:
        return None
    if prefix.season or _YEAR_LEAD.search(text[max(0, prefix.start - 8) : prefix.start]):
        year = 1900 + int(match[0])
        interval = season(prefix.season, year, year) if prefix.season else Interval.of(year)
        return Expression(match.end(), interval, Precision.YEAR, True)
    return None


def _short_range(text: str, prefix: Prefix) -> Expression | None:
    """1965–72; 1914–8; 1965/66 (consecutive years only); 1998–02; winter of 1939–40."""
    match = _SHORT_RANGE.match(text, prefix.number)
    if match is None:
        return None
    first, size = int(match["year"]), 10 ** len(match["end"])
    last = first // size * size + int(match["end"])
    if last <= first:
        last += 100
        if last - first > 20 or size == 10:
            return None
    if ("/" in match[0] and last != first + 1) or first > LATEST_YEAR:
        return None
    interval = season(prefix.season, first, last) if prefix.season else Interval(day(first), day(last, 12, 31))
    return Expression(match.end(), interval, Precision.YEAR, prefix.vague, bare=True)


def _year(text: str, prefix: Prefix) -> Expression | None:
    """1969; 44 BC; AD 79; AD 30–36; late 1969; summer of 1969; Q3 1969."""
    match = _NUMBER.match(text, prefix.number)
    if match is None:
        return None
    digits = match["year"]
    era = match["era"] or ("AD" if prefix.ad else None) or era_ahead(text, match.end(), digits)
    if era is None and ("," in digits or not (_is_bare_year(digits) or _is_early_year(text, prefix, match))):
        return None
    year = _signed(digits, era)
    if abs(year) > LARGEST_ERA_YEAR or year > LATEST_YEAR or (era and not int(digits.replace(",", ""))):
        return None
    if prefix.ad and (more := _AD_RANGE.match(text, match.end())) and year < int(more["end"]) <= LATEST_YEAR:
        interval = Interval(day(year), day(int(more["end"]), 12, 31))
        return Expression(more.end(), interval, Precision.YEAR, prefix.vague)
    if prefix.quarter:
        return Expression(match.end(), quarter(year, prefix.quarter), Precision.YEAR)
    if prefix.season:
        interval = season(prefix.season, year, year)
    else:
        interval = narrow_year(year, prefix) if prefix.part else Interval.of(year)
    return Expression(match.end(), interval, Precision.YEAR, prefix.vague, bare=era is None)


def _is_bare_year(digits: str) -> bool:
    return len(digits) == 4 and EARLIEST_BARE_YEAR <= int(digits) <= LATEST_YEAR


def _is_early_year(text: str, prefix: Prefix, match: re.Match[str]) -> bool:
    """Whether a three-digit number stands where only a year does: "in 476, …", "(d. 814)", "c. 742"."""
    if len(match["year"]) != 3:
        return False
    first = text[prefix.start]
    if prefix.circa and (first in "cCfF" or (first == "A" and text.startswith(",", match.end()))):
        return True  # c. 742; Around 266, he
    before = text[max(0, prefix.start - 48) : prefix.start]
    if _EARLY_YEAR_ODDS.search(before) or not _EARLY_YEAR_BEFORE.search(before):
        return False
    after = _EARLY_YEAR_AFTER.match(text, match.end())
    return bool(after) or (before.endswith("In ") and bool(_CLAUSE.match(text, match.end())))  # In 410 Alaric came


_ERA_AHEAD = re.compile(
    rf"(?:{TO}|\s+and\s+|/)(?:(?:c\.|ca\.|circa|about|around)\s?)?(?:{_DAY}\s+{MONTH},?\s+|{MONTH}\s+)?"
    rf"(?P<year>\d{{1,3}},\d{{3}}|\d{{1,5}}){ERA}"
)


def era_ahead(text: str, end: int, digits: str) -> str | None:
    """The era of "427–347 BC" for its first number; "AD" only where the numbers rise."""
    ahead = _ERA_AHEAD.match(text, end)
    if ahead is None:
        return None
    one, other = int(digits.replace(",", "")), int(ahead["year"].replace(",", ""))
    if ahead["era"][0] == "B":
        return ahead["era"] if one > other else None
    return ahead["era"] if one < other else None


def spans_years(one: Interval, other: Interval) -> int:
    """Years between the beginnings of two intervals: ``spans_years(Interval.of(849), Interval.of(899)) == 50``."""
    return year_of(other.first) - year_of(one.first)
