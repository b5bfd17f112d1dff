"""PGN dates as intervals: a header's text comes in, every day on which the game may have been played goes out."""

from __future__ import annotations

import re
from collections.abc import Iterable

from deepred.base.days import Interval, day, month_length

_SIGNS = r"\s*[.\-/,]\s*"
_PART = r"([0-9?]{1,2})(?![0-9])"
YEAR_FIRST = re.compile(rf"([0-9][0-9?]{{3}})(?![0-9])(?:{_SIGNS}{_PART}(?:{_SIGNS}{_PART})?)?(\?*)")
COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?![0-9])()")
YEAR_LAST = re.compile(rf"{_PART}({_SIGNS}){_PART}{_SIGNS}([0-9][0-9?]{{3}})(?![0-9])")
SEASON = re.compile(r"([0-9]{2})([0-9]{2})\s*([/-])\s*([0-9]{2})\s*$")
ANOTHER = re.compile(r"(?<![0-9])[0-9][0-9?]{3}(?![0-9?])")


LONGEST_DATE = 40
"""Characters of a header that may be a date, or a first and a last day."""


def parse_date(text: str) -> Interval | None:
    """The days that a PGN date covers; None for an unknown year. An impossible month or day widens it.

    An unknown digit (``?``) is any digit: month ``1?`` is October to December, day ``2?`` the 20th to the 29th.

    >>> parse_date("1848.??.??")
    Interval(first=18480101, last=18481231)
    >>> parse_date("1969.1?.??")
    Interval(first=19691001, last=19691231)
    """
    text = text.strip()[:LONGEST_DATE]
    season = SEASON.match(text)
    if season and _is_season(season):
        century = int(season[1]) * 100
        return Interval(day(century + int(season[2])), day(century + int(season[4]), 12, 31))
    match = COMPACT.match(text) or YEAR_FIRST.match(text)
    if match:
        year, month, number, doubt = match.groups()
        # "1969.07.19?" is not sure of its day
        found = _interval(year, month, None if doubt else number)
    else:
        match = YEAR_LAST.match(text)
        found = _day_first(match) if match else None
    another = ANOTHER.search(text, match.end()) if match else None
    if found and another:
        later = parse_date(text[another.start() :])
        return _hull(found, later) if later else found
    return found


def _is_season(match: re.Match[str]) -> bool:
    """Whether ``1968/69`` is two years; ``1969-07`` is a month, and ``1905/06`` may be either."""
    year, end = int(match[2]), int(match[4])
    return end > max(12, year) or (match[3] == "/" and end == year + 1)


def _day_first(match: re.Match[str]) -> Interval | None:
    """``20.07.1969`` is European; ``07/04/1969`` is either's."""
    one, sign, other, year = match.groups()
    found = _interval(year, other, one)
    if "/" not in sign or one == other:
        return found
    turned = _interval(year, one, other)
    if _numbers(one, 1, 12) and _numbers(other, 1, 12) and found and turned:
        return _hull(found, turned)
    return turned if _numbers(one, 1, 12) else found


def _interval(year: str, month: str | None, number: str | None) -> Interval | None:
    low, high = int(year.replace("?", "0")), int(year.replace("?", "9"))
    if not high:
        return None
    months = _numbers(month or "??", 1, 12) or list(range(1, 13))
    # what is impossible as a month says nothing of the day either
    known = number if number and _numbers(month or "??", 1, 12) else "??"
    for days in (_numbers(known, 1, 31), list(range(1, 32))):
        first = _first_day(range(max(low, 1), high + 1), months, days)
        last = _last_day(range(high, max(low, 1) - 1, -1), months[::-1], days[::-1])
        if first and last:
            return Interval(first, last)
    return None


def _first_day(years: Iterable[int], months: list[int], days: list[int]) -> int:
    found = (
        day(year, month, number)
        for year in years
        for month in months
        for number in days
        if number <= month_length(year, month)
    )
    return next(found, 0)


_last_day = _first_day
"""The same, over years, months and days that go down."""


def _numbers(digits: str, least: int, most: int) -> list[int]:
    """The numbers from ``least`` to ``most`` that the digits may be; ``?``, ``00`` and nothing may be any."""
    if not digits.strip("?") or not digits.strip("0"):
        return list(range(least, most + 1))
    pattern = re.compile(digits.rjust(2, "0").replace("?", "[0-9]"))
    return [number for number in range(least, most + 1) if pattern.fullmatch(f"{number:02d}")]


def _hull(one: Interval, other: Interval) -> Interval:
    return Interval(min(one.first, other.first), max(one.last, other.last))


def date_of(headers: dict[str, str]) -> Interval | None:
    """When a game was played, as precisely as its headers say; None where they do not.

    ``Date`` is the day by the clock of the place, ``UTCDate`` the same start by Greenwich: what both allow. Where they
    contradict each other, the game may be of either. ``EventDate`` is the first day of the event, and no game is older.
    """
    local, greenwich = (parse_date(headers.get(tag, "")) for tag in ("Date", "UTCDate"))
    event = parse_date(headers.get("EventDate", ""))
    played = _both(local, greenwich) if local and greenwich else local or greenwich
    if played is None:
        # the game may be later in the year than its event began
        return Interval(day(event.first // 10000), day(event.last // 10000, 12, 31)) if event else None
    if event and played.first < event.first <= played.last:
        return Interval(event.first, played.last)
    return played


def _both(one: Interval, other: Interval) -> Interval:
    first, last = max(one.first, other.first), min(one.last, other.last)
    return Interval(first, last) if first <= last else _hull(one, other)
