"""The forms of English date expressions with digits: how the one that begins at a number is read.

Numbers without era or month count as years only from 1000 to ``LATEST_YEAR``; with three digits only where the
context says so; never where ``falsefriends`` knows them as something else.
"""

from __future__ import annotations

import re

from deepred.dating.dateparts import (
    ERA,
    HALF,
    OWNED,
    PART,
    Expression,
    Precision,
    Prefix,
    centuries,
    narrow,
    narrow_year,
)
from deepred.dating.falsefriends import is_false_friend
from deepred.documents import Interval, day, month_length

LATEST_YEAR = 2100
"""Bare numbers above are quantities."""

EARLIEST_BARE_YEAR = 1000
"""Three-digit years need an era, a month, or a context that only dates have."""

LARGEST_ERA_YEAR = 200_000
"""Years before Christ above do not fit a day of 32 bits."""

_MONTHS = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December"
    r"|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?)"
)
_DASH = r"[–—−‒-]"
_DAY = r"(?:3[01]|[12]\d|0?[1-9])(?!\d)(?:st|nd|rd|th)?"
_OLD_STYLE = r"(?:\s?[\[(]\s?[ON]\.?\s?S\.?[^\])\n]{0,24}[\])])?"  # 7 November [O.S. 25 October] 1917
_TO = rf"(?:\s?{_DASH}\s?|\s+(?:to|until|till|through)\s+(?:the\s+)?)"
_AND = rf"(?:\s?{_DASH}\s?|\s?/\s?|\s+(?:and|to|or)\s+)"
_YEAR = r"(?:A\.?D\.?\s(?P<ad>\d{1,4})|(?<!\d)(?P<year>\d{3,4}|\d{1,2}(?=\s?(?:BC|B\.|AD|A\.|CE|C\.))))(?!\d|[.,]\d)"

_CIRCA_WORDS = r"(?:c(?:a|irca)?\.?|approx(?:\.|imately)|about|around|perhaps|probably|possibly|fl\.|floruit)"
_PREFIX = re.compile(
    rf"(?:(?P<circa>\b(?i:{_CIRCA_WORDS}))\s?(?:the\s+)?)?"
    rf"(?:(?P<part>\b(?i:{PART}|{HALF}))(?:(?:-?\s?|\s)to[\s-]+(?P<part2>mid|late))?(?:-|–|\s+)(?:the\s+)?)?"
    rf"(?:(?:(?P<month1>\b{_MONTH})(?:\s?{_DASH}\s?|/|\s+(?:and|to|or|through)\s+))?(?P<month>\b{_MONTH}),?(?:\s+|-)(?:of\s+)?)?"
    r"(?:(?P<ad>\bA\.?\s?D\.?)\s?)?(?P<apostrophe>['’‘])?"
)
_PREFIX_REACH = 44
_PREFIX_WORDS = """
january february march april may june july august september october november december jan feb mar apr jun jul
aug sep sept oct nov dec early mid late of the c ca circa approx approximately about around perhaps probably
possibly fl floruit ad d a.d to
"""
_LAST_WORDS = frozenset(_PREFIX_WORDS.split())
_LAST_WORD = re.compile(r"([A-Za-z][A-Za-z.]*?)[.,]?[\s'’‘–-]{0,3}$")

_MONTH_DAY_YEAR = re.compile(
    rf"(?P<d1>{_DAY})(?:{_AND}(?P<d2>{_DAY}))?(?:{_TO}(?P<m2>{_MONTH})\s+(?P<d3>{_DAY}))?{_OLD_STYLE}(?:,\s*|\s+){_YEAR}{ERA}?"
)
_DAY_MONTH_YEAR = re.compile(
    rf"(?P<d1>{_DAY})(?:{_AND}(?P<d2>{_DAY}))?[\s-]*(?:(?:day\s+)?of\s+)?(?P<m1>{_MONTH})"
    rf"(?:(?:{_TO}|\s+and\s+)(?P<d3>{_DAY})\s+(?P<m2>{_MONTH}))?{_OLD_STYLE}(?:,\s*|[\s-]+(?:in\s+)?){_YEAR}{ERA}?"
)
_ISO = re.compile(r"(?P<year>[12]\d{3})-(?P<m>0[1-9]|1[0-2])-(?P<d>3[01]|[12]\d|0[1-9])(?![\d-])")
_NUMERIC = re.compile(r"(?P<a>\d{1,2})(?P<s>[/.])(?P<b>\d{1,2})(?P=s)(?P<year>[12]\d{3})(?![\d/])")
_DECADE = re.compile(rf"(?P<year>\d{{1,3}}0)['’]?s(?![\w]){ERA}?")
_ORDINAL_END = r"(?:st|nd|rd|th)"
_CENTURY = re.compile(
    rf"(?P<first>\d{{1,2}}){_ORDINAL_END}?(?:(?:\s?{_DASH}\s?|/|,?\s+(?:to|and|or|through|until)\s+(?:the\s+)?(?:(?:early|mid|late)[\s-])?)"
    rf"(?P<last>\d{{1,2}}){_ORDINAL_END})?(?<=[tdh])(?:\s+|{_DASH})(?P<unit>(?i:centur(?:y|ies)|millenni(?:um|a)))"
    rf"(?![A-Za-z]|\s(?:Fox|Studios|Pictures|Limited)\b){ERA}?"
)
_NUMBER = re.compile(rf"(?P<year>\d{{1,3}},\d{{3}}|\d{{1,7}})(?!\d){ERA}?")
_SHORT_RANGE = re.compile(
    rf"(?P<year>[12]\d{{3}})(?:\s?{_DASH}\s?|/)(?P<end>\d{{2}})(?!\d|[A-Za-z]|[–-]\d|[.,/]\d|\s+{_MONTH}){ERA}?"
)
_JOIN = re.compile(_TO + r"(?=[\dA-Za-z'’])")
_JOIN_BETWEEN = re.compile(r"\s+and\s+(?=[\dA-Za-z])")
_JOIN_YEARS = re.compile(r"\s?/\s?(?=[12]\d{3}\b)")
_BETWEEN = re.compile(r"\b[Bb]etween\s+\Z")
_DECADE_LEAD = re.compile(r"\b(?:the|and|or|to|early|mid|late)[\s-]+['’‘]?\Z")

_EARLY_YEAR_BEFORE = re.compile(
    r"(?:\b(?:[Ii]n|[Bb]y|[Ss]ince|[Uu]ntil|[Aa]fter|[Bb]efore|year|born|died|(?<![A-Za-z])[bdr]\.)\s+|\((?:[bdr]\.|born|died|reigned|ruled)\s?)\Z"
)
_EARLY_YEAR_ODDS = re.compile(r"\b(?:one|\d+) in \Z")
_EARLY_YEAR_AFTER = re.compile(
    r"(?:\s*$|\s?[,.;:)\]](?!\d)|\s?[–—](?!\d)|\s(?:and|the|he|she|they|when|by|in|at|under|as|with|his|it|was|until|after|but|on|from|a|an|who|which|king|emperor|King|Emperor|to)\b)"
)


def read_prefix(text: str, low: int, number: int) -> Prefix:
    """The modifiers, months and era before the number at ``number``, not reaching below ``low``."""
    window = text[max(low, number - _PREFIX_REACH) : number]
    word = _LAST_WORD.search(window)
    if word is None or word[1].lower().rstrip(".") not in _LAST_WORDS:
        return Prefix(number, number, apostrophe=window[-1:] in ("'", "’", "‘"))
    begin = number - len(window)
    for start in range(begin, number):
        if start > begin and text[start - 1].isalnum():
            continue
        match = _PREFIX.match(text, start, number)
        if match and match.end() == number:
            return _prefix(match, start)
    return Prefix(number, number)


def _prefix(match: re.Match[str], start: int) -> Prefix:
    month = _month(match["month"])
    return Prefix(
        start=start,
        number=match.end(),
        circa=bool(match["circa"]),
        part=(match["part"] or "").lower(),
        part_end=(match["part2"] or "").lower(),
        month=_month(match["month1"]) or month,
        month_end=month,
        ad=bool(match["ad"]),
        apostrophe=bool(match["apostrophe"]),
    )


def _month(name: str | None) -> int:
    return _MONTHS[name[:3].lower()] if name else 0


def read_expression(text: str, prefix: Prefix) -> Expression | None:
    """The date at a number with its prefix, joined with the date that a dash or "to" leads to; None if it is none."""
    one = _read(text, prefix)
    if one is None:
        return _early_range(text, prefix)
    between = bool(_BETWEEN.search(text[max(0, prefix.start - 12) : prefix.start]))
    join = _JOIN.match(text, one.end) or (_JOIN_BETWEEN.match(text, one.end) if between else None)
    join = join or _JOIN_YEARS.match(text, one.end)
    if join is None:
        return None if one.bare and _refused(text, prefix, one.end) else one
    other_prefix = _PREFIX.match(text, join.end())
    other = _read(text, _prefix(other_prefix, join.end())) if other_prefix else None
    if other is None or other.interval.last < one.interval.first:
        return None if one.bare and _refused(text, prefix, one.end) else one
    if one.bare and (
        _refused(text, prefix, one.end, joined=True) or (other.bare and _refused(text, prefix, other.end))
    ):
        return None
    interval = Interval(one.interval.first, other.interval.last)
    return Expression(other.end, interval, min(one.precision, other.precision), one.approximate or other.approximate)


def _refused(text: str, prefix: Prefix, end: int, *, joined: bool = False) -> bool:
    start = prefix.number if not (prefix.part or prefix.circa) else prefix.start
    if joined:
        base = max(0, start - _PREFIX_REACH)  # what follows belongs to the joined date
        return is_false_friend(text[base:end], start - base, end - base)
    return is_false_friend(text, start, end)


def _read(text: str, prefix: Prefix) -> Expression | None:
    """The single date at a number."""
    if prefix.month:
        return _month_day_year(text, prefix) or _month_year(text, prefix)
    if prefix.apostrophe:
        return _decade(text, prefix)
    return (
        _day_month_year(text, prefix)
        or _century(text, prefix)
        or _numeric(text, prefix)
        or _decade(text, prefix)
        or _short_range(text, prefix)
        or _year(text, prefix)
    )


def _signed(number: str, era: str | None) -> int:
    year = int(number.replace(",", ""))
    return 1 - year if era and era[0] == "B" else year


def _days(end: int, year: int, first: tuple[int, int], last: tuple[int, int], approximate: bool) -> Expression | None:
    """An expression from (month, day) to (month, day) of one year; None for impossible days."""
    for month, number in (first, last):
        if not 1 <= number <= month_length(year, month):
            return None
    interval = Interval(day(year, *first), day(year, *last))
    return Expression(end, interval, Precision.DAY, approximate) if interval.first <= interval.last else None


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
        last = (_month(match["m2"]), _number(match["d3"]))
    return _days(match.end(), _signed(match["year"] or match["ad"], match["era"]), first, last, prefix.circa)


def _day_month_year(text: str, prefix: Prefix) -> Expression | None:
    """20 July 1969; 16–24 July 1969; 20 July – 3 August 1969; the 4th of July, 1776."""
    match = _DAY_MONTH_YEAR.match(text, prefix.number)
    if match is None:
        iso = _ISO.match(text, prefix.number)
        if iso is None:
            return None
        when = (int(iso["m"]), int(iso["d"]))
        return _days(iso.end(), int(iso["year"]), when, when, prefix.circa)
    first = (_month(match["m1"]), _number(match["d1"]))
    last = (first[0], _number(match["d2"])) if match["d2"] else first
    if match["m2"]:
        last = (_month(match["m2"]), _number(match["d3"]))
    return _days(match.end(), _signed(match["year"] or match["ad"], match["era"]), first, last, prefix.circa)


def _numeric(text: str, prefix: Prefix) -> Expression | None:
    """20/07/1969 and 7/20/1969; where day and month cannot be told apart, the year."""
    match = _NUMERIC.match(text, prefix.number)
    if match is None:
        return None
    one, other, year = int(match["a"]), int(match["b"]), int(match["year"])
    if one > 12 and 1 <= other <= 12:
        return _days(match.end(), year, (other, one), (other, one), prefix.circa)
    if other > 12 and 1 <= one <= 12:
        return _days(match.end(), year, (one, other), (one, other), prefix.circa)
    possible = 1 <= one <= 12 and 1 <= other <= 12
    return Expression(match.end(), Interval.of(year), Precision.YEAR) if possible else None


def _month_year(text: str, prefix: Prefix) -> Expression | None:
    """July 1969; July–August 1969; mid-July 1969 (the month, approximately)."""
    match = _NUMBER.match(text, prefix.number)
    if match is None or not (match["era"] or prefix.ad or 3 <= len(match["year"]) <= 4) or "," in match["year"]:
        return None
    year = _signed(match["year"], match["era"])
    if year > LATEST_YEAR:
        return None
    first, last = Interval.of(year, prefix.month), Interval.of(year, prefix.month_end)
    if last.last < first.first:  # December–January 1969: the first month lies in the year before
        first = Interval.of(year - 1, prefix.month)
    return Expression(match.end(), Interval(first.first, last.last), Precision.MONTH, bool(prefix.part) or prefix.circa)


def _century(text: str, prefix: Prefix) -> Expression | None:
    """19th century; the late 18th–19th centuries; 3rd millennium BC."""
    match = _CENTURY.match(text, prefix.number)
    if match is None or OWNED.search(text[max(0, prefix.start - 10) : prefix.start]):
        return None
    first, last = int(match["first"]), int(match["last"] or match["first"])
    return centuries(match.end(), first, last, match["unit"], match["era"], prefix)


def _decade(text: str, prefix: Prefix) -> Expression | None:
    """1960s; the late 1960s; '60s; 500s BC. Hundreds before 1900 ("1800s") are centuries, as "early 1900s" is."""
    match = _DECADE.match(text, prefix.number)
    if match is None:
        return None
    digits, era = match["year"], match["era"]
    approximate = prefix.circa or bool(prefix.part)
    if len(digits) <= 2:
        before = text[max(0, prefix.start - 12) : prefix.number]
        if (not prefix.part and not _DECADE_LEAD.search(before)) or len(digits) < 2 or int(digits) < 20:
            return None
        low, approximate = 1900 + int(digits), True
    else:
        low = int(digits)
        if low > LATEST_YEAR:
            return None
    hundred = digits.endswith("00") and (low < 1900 or (low == 1900 and bool(prefix.part)))
    years = (low, low + (99 if hundred else 9))
    if era and era[0] == "B":
        years = (1 - years[1], 1 - years[0])
    if prefix.part:
        years = narrow(years, prefix)
    precision = Precision.CENTURY if hundred else Precision.DECADE
    return Expression(match.end(), Interval(day(years[0]), day(years[1], 12, 31)), precision, approximate)


def _short_range(text: str, prefix: Prefix) -> Expression | None:
    """1965–72; 1965/66 (consecutive years only); 1998–02."""
    match = _SHORT_RANGE.match(text, prefix.number)
    if match is None or match["era"]:
        return None
    first = int(match["year"])
    last = first // 100 * 100 + int(match["end"])
    if last <= first:
        last += 100
        if last - first > 20:
            return None
    if ("/" in match[0] and last != first + 1) or first > LATEST_YEAR:
        return None
    if is_false_friend(text, prefix.number, match.end()):
        return None
    approximate = prefix.circa or bool(prefix.part)
    return Expression(match.end(), Interval(day(first), day(last, 12, 31)), Precision.YEAR, approximate)


def _year(text: str, prefix: Prefix) -> Expression | None:
    """1969; 44 BC; AD 79; c. 470 – c. 399 BC (the later era counts for the earlier number)."""
    match = _NUMBER.match(text, prefix.number)
    if match is None:
        return None
    era = match["era"] or ("AD" if prefix.ad else None) or _era_ahead(text, match)
    digits = match["year"]
    if era is None and ("," in digits or not (_is_bare_year(digits) or _is_early_year(text, prefix, match))):
        return None
    year = _signed(digits, era)
    if abs(year) > LARGEST_ERA_YEAR or year > LATEST_YEAR or (era and not int(digits.replace(",", ""))):
        return None
    interval = narrow_year(year, prefix) if prefix.part else Interval.of(year)
    return Expression(match.end(), interval, Precision.YEAR, prefix.circa or bool(prefix.part), bare=era is None)


def _is_bare_year(digits: str) -> bool:
    return len(digits) == 4 and EARLIEST_BARE_YEAR <= int(digits) <= LATEST_YEAR


def _is_early_year(text: str, prefix: Prefix, match: re.Match[str]) -> bool:
    """Whether a three-digit number stands where only a year does: "in 476, …", "(d. 814)", "c. 742"."""
    if len(match["year"]) != 3:
        return False
    before = text[max(0, prefix.start - 12) : prefix.start]
    if prefix.circa and text[prefix.start] in "cCfF":
        return not is_false_friend(text, prefix.start, match.end())
    if _EARLY_YEAR_ODDS.search(before) or not _EARLY_YEAR_BEFORE.search(before):
        return False
    return bool(_EARLY_YEAR_AFTER.match(text, match.end()))


_ERA_AHEAD = re.compile(
    rf"{_TO}(?:(?i:{_CIRCA_WORDS})\s?)?(?:{_DAY}\s+{_MONTH},?\s+|{_MONTH}\s+)?(?P<year>\d{{1,3}},\d{{3}}|\d{{1,5}}){ERA}"
)


def _era_ahead(text: str, match: re.Match[str]) -> str | None:
    """The era of "427–347 BC" for its first number; "AD" only where the numbers rise."""
    ahead = _ERA_AHEAD.match(text, match.end())
    if ahead is None:
        return None
    one, other = int(match["year"].replace(",", "")), int(ahead["year"].replace(",", ""))
    if ahead["era"][0] == "B":
        return ahead["era"] if one > other else None
    return ahead["era"] if one < other else None


_EARLY_RANGE = re.compile(r"(?P<year>\d{3})\s?[–—-]\s?(?:c\.\s?)?(?P<end>\d{3,4})(?=\s?[);,])")
_EARLY_RANGE_BEFORE = re.compile(r"(?:\((?:(?:reigned|ruled|r\.|c\.|fl\.)\s?)?|[;,]\s(?:r\.|reigned)\s?)\Z")


def _early_range(text: str, prefix: Prefix) -> Expression | None:
    """The years of "(849–899)": three digits in brackets, rising by at most a long life."""
    match = _EARLY_RANGE.match(text, prefix.number)
    if match is None or not _EARLY_RANGE_BEFORE.search(text[max(0, prefix.start - 12) : prefix.start]):
        return None
    first, last = int(match["year"]), int(match["end"])
    if not first < last <= first + 110:
        return None
    return Expression(match.end(), Interval(day(first), day(last, 12, 31)), Precision.YEAR, prefix.circa)
