"""One Wikidata entity as bytes to its dated claims: time values, ranks and calendars, and what is wrong with them.

Wikidata writes 44 BCE as ``-0044`` and has no year 0; ours are astronomical. A day in the Julian calendar is stored
as such and is converted to the proleptic Gregorian day; months and years keep their name. ``calendar`` names the
calendar in which the claim was made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple, cast

from deepred.base.days import Day, day, month_length
from deepred.dating.facts.properties import OTHER_VALUES, PROPERTIES, QUALIFIERS
from deepred.dating.facts.statements import Dated
from deepred.text.dates.parts import Precision

JULIAN = "Q1985786"
MILLENNIUM, CENTURY, DECADE, YEAR, MONTH, DAY = (int(precision) for precision in Precision)
TIMES = 1 << 16
"""Time values remembered: a dump writes the same ones, years most of all, again and again."""
_TIME = re.compile(r"([+-])(\d{1,16})-(\d\d)-(\d\d)T[\d:]{8}Z")
LARGEST_YEAR = 200_000
"""Days of years further from now do not fit 32 bits."""


class Time(NamedTuple):
    """What a time value says: days, Wikidata's precision, and the calendar in which it was stated."""

    first: Day
    last: Day
    precision: int
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


def read_time(value: dict[str, Any]) -> Time:
    """What a time value of the JSON dump says.

    >>> read_time({"time": "-0044-03-15T00:00:00Z", "precision": 9, "calendarmodel": "…/Q1985727"})
    Time(first=-429899, last=-428769, precision=9, calendar='gregorian')

    Raises BadTimeError for a year 0, a day that does not exist, and what is coarser than a millennium.
    """
    text, precision = value.get("time"), value.get("precision")
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None or not isinstance(precision, int):
        raise BadTimeError("impossible date")
    sign, number, month, days = match[1], int(match[2]), int(match[3]), int(match[4])
    if precision < MILLENNIUM or number > LARGEST_YEAR:
        raise BadTimeError("date coarser than a millennium")
    if number == 0:
        raise BadTimeError("year 0")
    calendar = "julian" if str(value.get("calendarmodel")).endswith(JULIAN) else "gregorian"
    if precision < MONTH:
        return Time(*_years(number, precision, sign == "-"), precision, calendar)
    year = 1 - number if sign == "-" else number
    if not 1 <= month <= 12:
        raise BadTimeError("impossible date")
    if precision == MONTH:
        return Time(day(year, month), day(year, month, month_length(year, month)), MONTH, calendar)
    julian_leap_day = calendar == "julian" and year % 4 == 0 and month == 2 and days == 29
    if not 1 <= days <= month_length(year, month) and not julian_leap_day:
        raise BadTimeError("impossible date")
    exact = julian_to_gregorian(year, month, days) if calendar == "julian" else day(year, month, days)
    return Time(exact, exact, DAY, calendar)


@lru_cache(TIMES)
def time_in(value: bytes) -> Time | str:
    """The time in the JSON object of a time value, or why there is none."""
    import orjson

    try:
        return read_time(orjson.loads(value))
    except BadTimeError as error:
        return str(error)


def _years(number: int, precision: int, before_christ: bool) -> tuple[Day, Day]:
    """First and last day of the year, decade, century or millennium that holds a year; counted in its own era."""
    if precision == YEAR:
        low, high = number, number
    elif precision == DECADE:
        low = number // 10 * 10
        high = low + 9
    else:
        size = 100 if precision == CENTURY else 1000
        high = -(-number // size) * size
        low = high - size + 1
    if before_christ:
        low, high = 1 - high, 1 - low
    return day(low), day(high, 12, 31)


def statements_of(entity: dict[str, Any]) -> Iterator[Dated]:
    """The dated statements of a parsed entity, in any form that JSON allows.

    A snak without a value ("unknown", "none") says no date and is none.
    """
    claims = entity.get("claims")
    if not isinstance(claims, dict):  # an entity without claims has an empty list
        return
    for name, statements in cast("dict[str, list[dict[str, Any]]]", claims).items():
        for statement in statements:
            snak, rank = statement["mainsnak"], statement.get("rank", "normal")
            kind = snak.get("datavalue", {}).get("type")
            if kind == "time":
                if name in PROPERTIES:
                    yield from _dates(name, "", "", rank, [snak])
            elif "qualifiers" in statement:
                yield from _qualified(name, kind, snak, rank, statement["qualifiers"])


def _qualified(
    name: str, kind: str | None, main: dict[str, Any], rank: str, qualifiers: dict[str, list[dict[str, Any]]]
) -> Iterator[Dated]:
    """The dates that qualify a claim; ``value`` is its item, or empty where its value is none."""
    value = ""
    if kind == "wikibase-entityid":
        item = main["datavalue"]["value"]
        value = item.get("id") or f"Q{item['numeric-id']}"
    elif name not in OTHER_VALUES:
        return
    for qualifier, snaks in qualifiers.items():
        if qualifier in QUALIFIERS:
            yield from _dates(name, qualifier, value, rank, snaks)


def _dates(name: str, qualifier: str, value: str, rank: str, snaks: list[dict[str, Any]]) -> Iterator[Dated]:
    import orjson

    for snak in snaks:
        data = snak.get("datavalue", {})
        if snak.get("snaktype", "value") == "value" and data.get("type") == "time":
            yield name, qualifier, value, rank, orjson.dumps(data["value"])
