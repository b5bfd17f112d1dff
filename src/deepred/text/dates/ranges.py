"""Date expressions of two dates: "from 1911 to 1923", "20 July 1969 – 3 August 1970", "(849–899)"."""

from __future__ import annotations

import re

from deepred.base.days import Interval, day, month_length
from deepred.text.dates.not_dates import is_false_friend
from deepred.text.dates.parts import DASH, MONTH, TO, Expression, Precision, Prefix, month_number, prefix_at
from deepred.text.dates.single import EARLIEST_BARE_YEAR, LONGEST_SLASH, read_date, spans_years

LONGEST_LIFE = 110
"""Years that a pair of three-digit numbers in brackets may span."""
FIRST_BARE_DAY = day(EARLIEST_BARE_YEAR)

_JOIN = re.compile(TO + r"(?=[\dA-Za-z'’])")
_JOIN_DAYS = re.compile(r",\s+(?:to|until|through)\s+(?=[\dA-Z])")  # July 20, 1969, to August 3, 1970
_JOINS = " \n\t\u00a0,/–—−‒‑-"
_JOIN_BETWEEN = re.compile(r"\s+and\s+(?:the\s+)?(?=[\dA-Za-z])")
_JOIN_YEARS = re.compile(r"\s?/\s?(?=[12]\d{3}\b)")
_BETWEEN = re.compile(r"\b[Bb]etween\s+(?:the\s+)?\Z")
_CENTURIES_BETWEEN = re.compile(r"\s+(?:or|and)\s+(?:the\s+)?(?=\d{1,2}(?:st|nd|rd|th)\s+(?:century|millennium))")

_FULL = rf"(?:(?P<d1>\d{{1,2}})\s(?P<m1>{MONTH})|(?P<n1>{MONTH})\s(?P<e1>\d{{1,2}}),)\s(?P<y1>\d{{1,3}})"
_EARLY_LIFE = re.compile(rf"{_FULL}(?:\s?{DASH}\s?){_FULL.replace('1>', '2>')}(?=\s?[;)])")
"""(24 October 51 – 18 September 96): years of two digits, told by the form alone."""
_EARLY_RANGE = re.compile(rf"(?P<year>\d{{2,3}})(?:\s?{DASH}\s?|\s+to\s+)")
_EARLY_BRACKET = re.compile(r"(?:\((?:(?:reigned|ruled|r\.|c\.|fl\.)\s?)?|[;,]\s(?:r\.|reigned)\s?)\Z")
_REIGN = re.compile(
    r"\b(?:reign|rul|king|queen|emperor|empress|bishop|pope|caliph|sultan|patriarch|abbot|duke|count|khan|shah|consul|"
    r"governor|dynasty|lasted|served|lived|war|prefect)\w*\b[^.;]{0,40}\b(?:from|between)\s\Z",
    re.IGNORECASE,
)
_EARLY_END = re.compile(r"(?:c\.\s?)?(?P<end>\d{2,4})(?=\s?[);,.]|\s?$|\s(?:and|when|as|he|she|in)\b)")


def read_expression(text: str, prefix: Prefix) -> Expression | None:
    """The date at a number with its prefix, joined with the date that a dash or "to" leads to; None if it is none."""
    one = read_date(text, prefix)
    if (prefix.month or one is None) and (life := _early_life(text, prefix)):
        return life
    if one is None or (one.bare and one.interval.last < FIRST_BARE_DAY):
        if early := _early_range(text, prefix):
            return early
        if one is None:
            return None
    other = _next(text, prefix, one, between=True)
    if other is None:
        return None if one.bare and _refused(text, prefix, one.end) else one
    if one.bare and other.bare and _refused(text, prefix, other.end):
        return None
    if one.bare and _refused(text, prefix, one.end, joined=True):
        return None
    joined = _join(one, other)
    more = _next(text, prefix, joined, between=False)  # 1919/1920–1925
    return joined if more is None or (more.bare and _refused(text, prefix, more.end)) else _join(joined, more)


def _next(text: str, prefix: Prefix, one: Expression, *, between: bool) -> Expression | None:
    """The date that a dash, a slash or "to" leads to, with ``between`` also "and"; None if it is earlier or none."""
    if text[one.end : one.end + 1] not in _JOINS:
        return None
    join = _JOIN.match(text, one.end) or _JOIN_YEARS.match(text, one.end)
    if join is None and one.precision == Precision.DAY:
        join = _JOIN_DAYS.match(text, one.end)
    if join is None and between and text.startswith(" ", one.end):
        if one.precision <= Precision.CENTURY:
            join = _CENTURIES_BETWEEN.match(text, one.end)
        if join is None and _BETWEEN.search(text[max(0, prefix.start - 14) : prefix.start]):
            join = _JOIN_BETWEEN.match(text, one.end)
    if join is None:
        return None
    other = read_date(text, prefix_at(text, join.end()))
    if other is None or other.interval.last < one.interval.first:
        return None
    far = not between and "/" in join[0] and spans_years(one.interval, other.interval) > LONGEST_SLASH
    return None if far else other


def _join(one: Expression, other: Expression) -> Expression:
    interval = Interval(one.interval.first, other.interval.last)
    return Expression(other.end, interval, min(one.precision, other.precision), one.approximate or other.approximate)


def _refused(text: str, prefix: Prefix, end: int, *, joined: bool = False) -> bool:
    """Whether a bare number is a false friend; of a joined one what follows belongs to the other date."""
    start = prefix.start if prefix.part or prefix.circa else prefix.number
    if prefix.season or prefix.apostrophe or prefix.term or prefix.feast:
        return False
    return is_false_friend(text, start, end, follows=not joined)


def _early_life(text: str, prefix: Prefix) -> Expression | None:
    """Two days with years of one to three digits, as in the brackets after a Roman's name."""
    match = _EARLY_LIFE.match(text, prefix.start)
    if match is None:
        return None
    days: list[int] = []
    for number in "12":
        year, month = int(match[f"y{number}"]), month_number(match[f"m{number}"] or match[f"n{number}"])
        date = int(match[f"d{number}"] or match[f"e{number}"])
        if not 1 <= date <= month_length(year, month):
            return None
        days.append(day(year, month, date))
    if not 0 < days[1] - days[0] <= LONGEST_LIFE * 10_000:
        return None
    return Expression(match.end(), Interval(days[0], days[1]), Precision.DAY)


def _early_range(text: str, prefix: Prefix) -> Expression | None:
    """Years below 1000 that rise by at most a long life: "(849–899)", "(849–20 June 899)", "ruled from 81 to 96"."""
    match = _EARLY_RANGE.match(text, prefix.number)
    if match is None:
        return None
    before = text[max(0, prefix.start - 60) : prefix.start]
    bracketed = len(match["year"]) == 3 and _EARLY_BRACKET.search(before)
    if not bracketed and not _REIGN.search(before):
        return None
    first = Interval.of(int(match["year"]))
    if end := _EARLY_END.match(text, match.end()):
        last, stop = int(end["end"]), end.end()
        if not int(match["year"]) < last <= int(match["year"]) + LONGEST_LIFE:
            return None
        return Expression(stop, Interval(first.first, day(last, 12, 31)), Precision.YEAR, prefix.circa)
    other = read_date(text, prefix_at(text, match.end()))
    if other is None or other.bare or not 0 < spans_years(first, other.interval) <= LONGEST_LIFE:
        return None
    return Expression(other.end, Interval(first.first, other.interval.last), Precision.YEAR, prefix.circa)
