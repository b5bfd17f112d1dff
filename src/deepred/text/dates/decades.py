"""Decades with digits, and years and decades of two digits: "the 1960s", "'60s", "June '98", "FY07"."""

from __future__ import annotations

import re

from deepred.base.days import Interval, day
from deepred.text.dates.measured_tens import WORK_OF_A_DECADE, is_measure
from deepred.text.dates.narrowing import narrow, narrow_year, read_feast, season
from deepred.text.dates.parts import DASH, ERA, LATEST_YEAR, MONTH, Expression, Precision, Prefix

NEWEST_SHORT_YEAR = 26
"""Two digits up to this are a year of this century, others of the last: '26 is 2026, '27 is 1927."""

_DECADE = re.compile(
    rf"(?P<year>\d{{1,3}}0)(?:(?:['’]?s|(?<=\d{{3}}0)S)(?![\w])(?:(?:\s?{DASH}\s?|\s?/\s?)['’‘]?(?P<last>\d?\d?\d0)['’]?s\b)?"
    rf"|\s?[–/-]\s?['’‘]?(?P<short>\d0)['’]?s\b){ERA}?"
)
_DECADES_AHEAD = re.compile(
    rf"(?:(?:\s?{DASH}\s?|,?\s+(?:and|or|to)\s+(?:the\s+)?|,\s)(?:(?:early|mid|late)[\s-])?(?P<year>\d{{1,3}}0)s){{1,3}}{ERA}"
)
_LEAD = re.compile(
    rf"\b(?:the|and|or|to|early|mid|late|his|her|their|my|our|your|its)[\s-]+['’‘]?\Z|\d0['’]?s\s?(?:{DASH}|/)\s?['’‘]?\Z",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"\b[Aa]n?\s\Z")
_CENTURY_BEFORE = re.compile(
    rf"(?<!\d)(?P<century>\d\d)\d\d(?:s(?:,\s['’‘]?\d0s){{0,3}})?(?:,|,?\s+(?:and|or|to|through|&)|\s?{DASH}|/)\s*(?:the\s+)?"
    r"(?:(?:early|mid|late)[\s-])?\Z"
)
"""A full year or decade that tells the century of the next: "the 1860s and 70s", "from 1912 to '14"."""
_TWO_DIGITS = re.compile(rf"(?P<year>\d\d)(?:\s?(?:{DASH}|/)\s?['’‘]?(?P<last>\d\d))?(?![\w%'’]|[.,]\d)")
_YEAR_LEAD = re.compile(
    rf"(?:\b(?:in|since|of|by|until|till|from|to|before|after|during|circa|c\.|for|and|or|(?:{MONTH}))\s|{DASH}\s?)\Z",
    re.IGNORECASE,
)
_YEAR_OF_A_THING = re.compile(
    r"(?:\b(?:the|a|an|his|her|their|our|this|that|its|[A-Z][\w-]*)\s|[.!?(]\s?|\A)\Z", re.ASCII
)
_MONTH_AHEAD = re.compile(rf"\s{MONTH}")
_CLOSING_QUOTE = re.compile(r"[^'’\n]{0,80}['’](?!\w)")


def short_year(digits: str, text: str, start: int) -> int:
    """The year that two digits mean: in the century of the full year that they follow, else one that has been.

    >>> short_year("98", "in ", 3), short_year("05", "in ", 3), short_year("14", "from 1912 to ", 13)
    (1998, 2005, 1914)
    """
    before = _CENTURY_BEFORE.search(text, max(0, start - 48), start)
    if before:
        return int(before["century"]) * 100 + int(digits)
    return (2000 if int(digits) <= NEWEST_SHORT_YEAR else 1900) + int(digits)


def read_decade(text: str, prefix: Prefix) -> Expression | None:
    """1960s; 1960s–70s; '60s; 500s BC. Hundreds before 1900 ("1800s") are centuries, as "early 1900s" is."""
    match = _DECADE.match(text, prefix.number)
    if match is None:
        return None
    digits, era = match["year"], match["era"]
    if not era and not match["last"] and (ahead := _DECADES_AHEAD.match(text, match.end())):
        era = ahead["era"] if (int(ahead["year"]) < int(digits)) == (ahead["era"][0] == "B") else None
    approximate = prefix.vague
    low = int(digits)
    if len(digits) == 3 and not era and is_measure(text, prefix.start, match.end()):
        return None
    if len(digits) <= 2 and not era:
        full = _decade_of_two_digits(text, prefix, match.end(), low)
        if full is None:
            return None
        low, approximate = full, True
    if low > LATEST_YEAR:
        return None
    hundred = digits.endswith("00") and (low < 1900 or (low == 1900 and bool(prefix.part)))
    last = _last_decade(low, match["last"] or match["short"])
    years = (min(low, last), max(low, last) + (99 if hundred else 9))
    if era and era[0] == "B":
        years = (1 - years[1], 1 - years[0])
    years = narrow(years, prefix)
    precision = Precision.CENTURY if hundred else Precision.DECADE
    return Expression(match.end(), Interval(day(years[0]), day(years[1], 12, 31)), precision, approximate)


def _last_decade(low: int, digits: str | None) -> int:
    """The last decade of "1960s–70s", "1960s/1970s" or "470s–460s": its century may be left out."""
    if digits is None:
        return low
    return low // 100 * 100 + int(digits) if len(digits) == 2 and low >= 100 else int(digits)


def _decade_of_two_digits(text: str, prefix: Prefix, end: int, tens: int) -> int | None:
    """The first year of "the 60s"; None where nothing says that it is a decade, or something that it is a measure."""
    before = text[max(0, prefix.start - 12) : prefix.number]
    full = _CENTURY_BEFORE.search(text, max(0, prefix.start - 48), prefix.start)
    if full:
        return int(full["century"]) * 100 + tens
    led = prefix.part or _LEAD.search(before) or (_ARTICLE.search(before) and WORK_OF_A_DECADE.match(text, end))
    if not (20 <= tens <= 90 and led):
        return None
    return None if is_measure(text, prefix.start, end, apostrophe=prefix.apostrophe) else 1900 + tens


def read_short_year(text: str, prefix: Prefix) -> Expression | None:
    """The summer of '69; since '68; '98–'99; the '69 season; FY07: a year that is written with two digits."""
    match = _TWO_DIGITS.match(text, prefix.number)
    if match is None or not _is_short_year(text, prefix, match.end()):
        return None
    year = short_year(match["year"], text, prefix.start)
    if match["last"] is None:
        if prefix.feast:
            return read_feast(match.end(), year, prefix.feast)
        return Expression(match.end(), narrow_year(year, prefix), Precision.YEAR, True)
    last = year // 100 * 100 + int(match["last"])
    last += 100 if last < year else 0
    interval = season(prefix.season, year, last) if prefix.season else Interval(day(year), day(last, 12, 31))
    return Expression(match.end(), interval, Precision.YEAR, True)


def _is_short_year(text: str, prefix: Prefix, end: int) -> bool:
    """Whether two digits are a year: no feet and inches (5'10), no minutes of arc, no beginning of a quotation."""
    if (prefix.start and text[prefix.start - 1].isalnum()) or _MONTH_AHEAD.match(text, end):
        return False
    if prefix.season or prefix.part or prefix.feast or prefix.circa or not prefix.apostrophe:
        return True
    if _YEAR_LEAD.search(text, max(0, prefix.start - 12), prefix.start):
        return True
    if not _YEAR_OF_A_THING.search(text, max(0, prefix.start - 24), prefix.start):
        return False
    return text[prefix.number - 1] == "’" or _CLOSING_QUOTE.match(text, end) is None
