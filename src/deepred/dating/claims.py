"""One Wikidata entity as bytes to its dated claims: time values, ranks and calendars, and what is wrong with them.

Wikidata writes 44 BCE as ``-0044`` and has no year 0; ours are astronomical. A day in the Julian calendar is stored
as such and is converted to the proleptic Gregorian day; months and years keep their name. ``calendar`` names the
calendar in which the claim was made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, cast

from deepred.dating.dateparts import Precision
from deepred.dating.properties import PROPERTIES, QUALIFIERS
from deepred.dating.statements import OTHER_VALUES
from deepred.documents import Day, Interval, day, month_length
from deepred.stage import Counts

JULIAN = "Q1985786"
_TIME = re.compile(r"([+-])(\d{1,16})-(\d\d)-(\d\d)T")
_LARGEST_YEAR = 200_000
"""Days of years further from now do not fit 32 bits."""


class Claim(NamedTuple):
    """A dated claim of an entity."""

    property: str
    qualifier: str
    value: str
    interval: Interval
    precision: int
    rank: str
    calendar: str


class BadTimeError(ValueError):
    """A time value that is no date; its message is the reason under which it is counted."""


def julian_to_gregorian(year: int, month: int, number: int) -> Day:
    """The proleptic Gregorian day of a Julian one (Richards, Explanatory Supplement 2013, 15.11.3).

    >>> julian_to_gregorian(1917, 10, 25)
    19171107
    """
    shift = (14 - month) // 12
    years = year + 4800 - shift
    count = number + (153 * (month + 12 * shift - 3) + 2) // 5 + 365 * years + years // 4 - 32083
    a = count + 32044
    b = (4 * a + 3) // 146097
    c = a - 146097 * b // 4
    d = (4 * c + 3) // 1461
    e = c - 1461 * d // 4
    m = (5 * e + 2) // 153
    return day(100 * b + d - 4800 + m // 10, m + 3 - 12 * (m // 10), e - (153 * m + 2) // 5 + 1)


def read_time(value: dict[str, Any]) -> tuple[Interval, int, str]:
    """The interval, precision and calendar of a time value of the JSON dump.

    >>> read_time({"time": "-0044-03-15T00:00:00Z", "precision": 9, "calendarmodel": "…/Q1985727"})
    (Interval(first=-429899, last=-428769), 9, 'gregorian')

    Raises BadTimeError for a year 0, a day that does not exist, and what is coarser than a millennium.
    """
    match = _TIME.match(value["time"])
    if match is None:
        raise BadTimeError("impossible date")
    sign, number, month, days = match[1], int(match[2]), int(match[3]), int(match[4])
    precision = int(value["precision"])
    if precision < Precision.MILLENNIUM or number > _LARGEST_YEAR:
        raise BadTimeError("date coarser than a millennium")
    if number == 0:
        raise BadTimeError("year 0")
    before_christ = sign == "-"
    year = 1 - number if before_christ else number
    calendar = "julian" if value.get("calendarmodel", "").endswith(JULIAN) else "gregorian"
    if precision >= Precision.MONTH:
        return _exact(year, month, days, min(precision, int(Precision.DAY)), calendar)
    return Interval(*_years(number, precision, before_christ)), precision, calendar


def _exact(year: int, month: int, days: int, precision: int, calendar: str) -> tuple[Interval, int, str]:
    if not 1 <= month <= 12:
        raise BadTimeError("impossible date")
    if precision == Precision.MONTH:
        return Interval.of(year, month), precision, calendar
    julian_leap_day = calendar == "julian" and year % 4 == 0 and month == 2 and days == 29
    if not 1 <= days <= month_length(year, month) and not julian_leap_day:
        raise BadTimeError("impossible date")
    if calendar == "julian":
        exact = julian_to_gregorian(year, month, days)
        return Interval(exact, exact), precision, calendar
    return Interval.of(year, month, days), precision, calendar


def _years(number: int, precision: int, before_christ: bool) -> tuple[Day, Day]:
    """First and last day of the year, decade, century or millennium that holds a year; counted in its own era."""
    if precision == Precision.YEAR:
        low, high = number, number
    elif precision == Precision.DECADE:
        low = number // 10 * 10
        high = low + 9
    else:
        size = 100 if precision == Precision.CENTURY else 1000
        high = -(-number // size) * size
        low = high - size + 1
    if before_christ:
        low, high = 1 - high, 1 - low
    return day(low), day(high, 12, 31)


def statements_of(entity: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """All statements of a parsed entity, each with its property."""
    claims = entity.get("claims")
    if isinstance(claims, dict):  # an entity without claims has an empty list
        for name, statements in cast("dict[str, list[dict[str, Any]]]", claims).items():
            for statement in statements:
                yield name, statement


def dated_claims(statements: Iterable[tuple[str, dict[str, Any]]], counts: Counts) -> Iterator[Claim]:
    """The dated claims of an entity's statements; deprecated and impossible ones are counted and left out.

    A snak without a value ("unknown", "none") says no date and is none.
    """
    for name, statement in statements:
        snak = statement["mainsnak"]
        kind = snak.get("datavalue", {}).get("type")
        if kind == "time":
            if name in PROPERTIES and (claim := _claim(name, "", "", snak, statement, counts)):
                yield claim
        elif "qualifiers" in statement:
            yield from _qualified(name, kind, snak, statement, counts)


def _qualified(
    name: str, kind: str | None, snak: dict[str, Any], statement: dict[str, Any], counts: Counts
) -> Iterator[Claim]:
    """The dates that qualify a claim; ``value`` is its item, or empty where its value is none."""
    value = ""
    if kind == "wikibase-entityid":
        item = snak["datavalue"]["value"]
        value = item.get("id") or f"Q{item['numeric-id']}"
    elif name not in OTHER_VALUES:
        return
    for qualifier in QUALIFIERS:
        for snak in statement["qualifiers"].get(qualifier, ()):
            if claim := _claim(name, qualifier, value, snak, statement, counts):
                yield claim


def _claim(
    name: str, qualifier: str, value: str, snak: dict[str, Any], statement: dict[str, Any], counts: Counts
) -> Claim | None:
    if snak.get("snaktype", "value") != "value" or "datavalue" not in snak:
        return None
    rank = statement.get("rank", "normal")
    if rank == "deprecated":
        counts.drop("deprecated claim")
        return None
    try:
        interval, precision, calendar = read_time(snak["datavalue"]["value"])
    except BadTimeError as error:
        counts.drop(str(error))
        return None
    return Claim(name, qualifier, value, interval, precision, rank, calendar)
