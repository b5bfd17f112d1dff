"""The forms of a single English date with digits: how the one that begins at a number is read.

Numbers without era or month count as years only from 1000 to ``LATEST_YEAR``; with three digits only where the
context says so. Whether such a bare number is something else is not asked here (see ``not_dates``).
"""

from __future__ import annotations

import re

from deepred.base.days import Interval, day, month_length, year_of
from deepred.text.dates.centuries import read_century
from deepred.text.dates.decades import read_decade, read_short_year, short_year
from deepred.text.dates.eras import era_ahead, slashed_year
from deepred.text.dates.narrowing import narrow_month, narrow_year, read_feast, season, term
from deepred.text.dates.numeric_dates import read_numeric, read_year_month
from deepred.text.dates.parts import (
    DASH,
    ERA,
    LATEST_YEAR,
    MONTH,
    TO,
    Expression,
    Precision,
    Prefix,
    month_number,
)

LONGEST_SLASH = 10
"""Years that a slash may span: "1914/18"; "1996/31" is a number."""
EARLIEST_BARE_YEAR = 1000
"""Three-digit years need an era, a month, or a context that only dates have."""
LARGEST_ERA_YEAR = 200_000
"""Years before Christ above do not fit a day of 32 bits."""

_DAY = r"(?:3[01]|[12]\d|0?[1-9])(?!\d)(?:st|nd|rd|th|ST|ND|RD|TH)?"
_STYLE = r"(?:\s?[\[(]\s?[ON]\.?\s?S\.?[^\])\n]{0,28}[\])])?"  # 7 November [O.S. 25 October] 1917
_AND = rf"(?:\s?{DASH}\s?|\s?/\s?|,?\s+(?:and|to|or|until|through|AND|TO)\s+(?:the\s+)?)"
_DAYS = rf"(?P<d1>{_DAY})(?:(?:,\s{_DAY}){{0,8}}{_AND}(?P<d2>{_DAY}))?"
_NEXT = rf"(?:{TO}|\s?/\s?|\s+(?:and|or)\s+)"
_YEAR = (
    r"(?:A\.?D\.?\s(?P<ad>\d{1,4})|['’‘](?P<short>\d\d)(?![\w'’])"
    r"|(?<!\d)(?P<year>\d{3,4}|\d{1,2}(?=\s?(?:BC|B\.|AD|A\.|CE|C\.)))(?:/(?P<new>\d\d)(?!\d))?)(?!\d|[.,]\d)"
)
_MONTH_DAY_YEAR = re.compile(
    rf"{_DAYS}(?:{_NEXT}(?P<m2>{MONTH})\s+(?P<d3>{_DAY}))?{_STYLE}(?:,\s*|\s+(?:of\s+|in\s+)?){_YEAR}{ERA}?{_STYLE}"
)
_DAY_MONTH_YEAR = re.compile(
    rf"{_DAYS}(?:[\s-]*|\.\s?|/)(?:(?:day\s+)?of\s+)?(?P<m1>(?i:{MONTH}))(?:{_NEXT}(?P<d3>{_DAY})\s+(?P<m2>{MONTH}))?{_STYLE}"
    rf"(?:,\s*|[\s-]+(?:of\s+|in\s+)?|[./]?(?=\d)){_YEAR}{ERA}?{_STYLE}"
)
_NUMBER = re.compile(rf"(?P<year>\d{{1,3}},\d{{3}}|\d{{1,7}})(?!\d){ERA}?")
_DUAL = re.compile(r"/(?P<next>\d\d)(?!\d)")
_RUN = re.compile(r"\d+")
_SHORT_RANGE = re.compile(
    rf"(?P<year>[12]\d{{3}})(?:\s?{DASH}\s?|/)(?P<end>\d{{2}}|[1-9](?=[\s.,;:)]|$))"
    rf"(?!\d|[A-Za-z]|{DASH}\d|[.,/]\d|/[A-Z]|\s+{MONTH}|\s?[%°′]|['’]?s\b|\s?B\.?C)(?:\s?(?:AD|CE)\b)?"
)

_AD_RANGE = re.compile(rf"\s?(?:{DASH}|or)\s?(?P<end>\d{{1,4}})(?!\d)")
_PART_AFTER = re.compile(r"(?:[\s-]?(?P<term>Q[1-4])\b|\s(?P<season>spring|summer|autumn|winter)\b(?!\sof\b))")
"""What narrows the year that it follows: 2005 Q3, the 1982 summer offensives."""

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
_COUNTED = re.compile(
    r"\s(?:of\s|(?!(?:between|against|during|near|for|from|into|after|before|when|while|with|where|who|which|that|and|but|the"
    r"|his|her|its|their|until|under|over|then|they|she|took|was|is)\b)[a-z]{3,})"
)
_CLAUSE = re.compile(r"\s[A-Z][a-z]+\s[a-z]")


def read_date(text: str, prefix: Prefix) -> Expression | None:
    """The single date at a number, or None: with month, apostrophe or season as its prefix says, else by its digits."""
    if prefix.month:
        if prefix.number_of_day:
            return _spelled_day(text, prefix)
        if prefix.apostrophe:
            return _month_year(text, prefix)
        return _month_day_year(text, prefix) or read_numeric(text, prefix) or _month_year(text, prefix)
    run = _RUN.match(text, prefix.number)
    length = run.end() - run.start() if run else 0
    if prefix.apostrophe or (prefix.fiscal and length == 2):
        return read_decade(text, prefix) or read_short_year(text, prefix)
    if length <= 2:
        return (
            _day_month_year(text, prefix)
            or read_century(text, prefix)
            or read_numeric(text, prefix)
            or read_decade(text, prefix)
            or _year(text, prefix)
        )
    if length == 4 and text[prefix.number] in "12":
        if _stands_alone(text, prefix.number + length):
            return _year(text, prefix)
        return (
            read_numeric(text, prefix)
            or read_decade(text, prefix)
            or _short_range(text, prefix)
            or read_year_month(text, prefix)
            or _year(text, prefix)
        )
    if length == 8:
        return read_numeric(text, prefix)
    return read_decade(text, prefix) or _year(text, prefix)


def _stands_alone(text: str, end: int) -> bool:
    """Whether what follows a number shows at once that it goes on as no date: most years end there."""
    after = text[end : end + 1]
    return after in ",);:" or (after == " " and text[end + 1 : end + 2].islower())


def _signed(number: str, era: str | None) -> int:
    year = int(number.replace(",", ""))
    return 1 - year if era and era[0] == "B" else year


def _days(
    text: str, match: re.Match[str], first: tuple[int, int], last: tuple[int, int], prefix: Prefix
) -> Expression | None:
    """An expression from (month, day) to (month, day) of the year that was matched; None for impossible days."""
    if match["year"] and not match["era"] and _is_amount(text, match.start("year"), match["year"]):
        return None
    short = match["short"]
    year = short_year(short, text, prefix.start) if short else _signed(match["year"] or match["ad"], match["era"])
    if match["new"]:  # 11 February 1731/32: the year that began in January
        year = year // 100 * 100 + int(match["new"])
    return _between(match.end(), year, first, last, prefix)


def _is_amount(text: str, start: int, digits: str) -> bool:
    """Whether three digits after a comma count something: "In July, 450 men", "On July 4, 200 ships", "July, 2,000"."""
    if len(digits) != 3 or "," not in text[start - 2 : start]:
        return False
    return text[start - 1] == "," or bool(_COUNTED.match(text, start + 3))


def _between(end: int, year: int, first: tuple[int, int], last: tuple[int, int], prefix: Prefix) -> Expression | None:
    for month, number in (first, last):
        if not 1 <= number <= month_length(year, month):
            return None
    interval = Interval(day(year, *first), day(year, *last))
    if interval.first > interval.last:  # 29 December – 3 January 1969
        interval = Interval(day(year - 1, *first), interval.last)
    return Expression(end, interval, Precision.DAY, prefix.circa)


def _number(text: str) -> int:
    return int(text.rstrip("stndrhSTNDRH"))


def _month_day_year(text: str, prefix: Prefix) -> Expression | None:
    """July 20, 1969; July 16–24, 1969; July 20 – August 3, 1969."""
    match = _MONTH_DAY_YEAR.match(text, prefix.number)
    if match is None:
        return None
    first = (prefix.month_end, _number(match["d1"]))
    last = (prefix.month_end, _number(match["d2"])) if match["d2"] else first
    if match["m2"]:
        last = (month_number(match["m2"]), _number(match["d3"]))
    return _days(text, match, first, last, prefix)


def _day_month_year(text: str, prefix: Prefix) -> Expression | None:
    """20 July 1969; 16–24 July 1969; 20 July – 3 August 1969; the 4th of July, 1776."""
    match = _DAY_MONTH_YEAR.match(text, prefix.number)
    if match is None:
        return None
    first = (month_number(match["m1"]), _number(match["d1"]))
    last = (first[0], _number(match["d2"])) if match["d2"] else first
    if match["m2"]:
        last = (month_number(match["m2"]), _number(match["d3"]))
    return _days(text, match, first, last, prefix)


def _spelled_day(text: str, prefix: Prefix) -> Expression | None:
    """The twenty-third of April 1985; July the twentieth, 1969."""
    month = _month_year(text, prefix)
    if month is None or prefix.month != prefix.month_end:
        return month
    when = (prefix.month, prefix.number_of_day)
    return _between(month.end, year_of(month.interval.first), when, when, prefix) or month


def _month_year(text: str, prefix: Prefix) -> Expression | None:
    """July 1969; June '98; July–August 1969; late July 1969 (its second half)."""
    match = _NUMBER.match(text, prefix.number)
    if match is None or "," in match["year"]:
        return None
    digits, year = match["year"], _signed(match["year"], match["era"])
    if not match["era"] and _is_amount(text, prefix.number, digits):
        return None
    if prefix.apostrophe:
        if len(digits) != 2 or text[match.end() : match.end() + 1] in ("'", "’"):
            return None
        year = short_year(digits, text, prefix.start)
    elif not (match["era"] or prefix.ad or 3 <= len(digits) <= 4):
        return None
    if year > LATEST_YEAR:
        return None
    if prefix.part and prefix.month == prefix.month_end and not prefix.number_of_day:
        return Expression(match.end(), narrow_month(year, prefix.month, prefix), Precision.MONTH, True)
    end = match.end()
    if (dual := _DUAL.match(text, end)) and not match["era"] and int(dual["next"]) == (year + 1) % 100:
        end, year = dual.end(), year + 1  # December/January 1968/69; February 1731/32
    first, last = Interval.of(year, prefix.month), Interval.of(year, prefix.month_end)
    if last.last < first.first:  # December–January 1969: the first month lies in the year before
        first = Interval.of(year - 1, prefix.month)
    return Expression(end, Interval(first.first, last.last), Precision.MONTH, prefix.vague)


def _short_range(text: str, prefix: Prefix) -> Expression | None:
    """1965–72; 1914–8; 1965/66; 1914/18; 1998–02; winter of 1939–40."""
    match = _SHORT_RANGE.match(text, prefix.number)
    if match is None:
        return None
    first, size = int(match["year"]), 10 ** len(match["end"])
    last = first // size * size + int(match["end"])
    if last <= first:
        last += 100
        if last - first > 20 or size == 10:
            return None
    if ("/" in match[0] and last > first + LONGEST_SLASH) or first > LATEST_YEAR:
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
    end = match.end()
    if era is not None:
        end, last = _last_of_pair(text, prefix, match, year, era)
        if last != year:
            low, high = sorted((year, last))
            return Expression(end, Interval(day(low), day(high, 12, 31)), Precision.YEAR, prefix.vague)
    if prefix.term:
        return Expression(end, term(year, prefix.term), Precision.YEAR)
    if era is None and prefix.start == prefix.number and (more := _PART_AFTER.match(text, end)):
        interval = term(year, more["term"]) if more["term"] else season(more["season"], year, year)
        return Expression(more.end(), interval, Precision.YEAR, bool(more["season"]))
    if prefix.feast:
        return read_feast(end, year, prefix.feast)
    return Expression(end, narrow_year(year, prefix), Precision.YEAR, prefix.vague, bare=era is None)


def _last_of_pair(text: str, prefix: Prefix, match: re.Match[str], year: int, era: str) -> tuple[int, int]:
    """Where a year of an era ends and its last year: AD 30–36; 480/479 BC; 60/1 AD; else the year itself."""
    first, down = int(match["year"].replace(",", "")), era[0] == "B"
    if not match["era"] and (pair := slashed_year(text, match.end(), first, down=down)):
        return pair[1], _signed(str(pair[0]), era)
    if prefix.ad and (more := _AD_RANGE.match(text, match.end())) and year < int(more["end"]) <= LATEST_YEAR:
        return more.end(), int(more["end"])
    return match.end(), year


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


def spans_years(one: Interval, other: Interval) -> int:
    """Years between the beginnings of two intervals: ``spans_years(Interval.of(849), Interval.of(899)) == 50``."""
    return year_of(other.first) - year_of(one.first)
