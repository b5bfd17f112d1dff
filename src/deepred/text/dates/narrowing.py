"""What a modifier leaves of a century, decade, year or month: "late", "first half of", a season, a quarter, a feast.

A modifier leaves its share generously ("late 1960s" is 1966-1969): the parts overlap, because writers do not agree
on them.
"""

from __future__ import annotations

from deepred.base.days import Interval, day, month_length
from deepred.text.dates.parts import Expression, Precision, Prefix

_SHARES = {
    "early": (0.0, 0.4), "beginning": (0.0, 0.3), "start": (0.0, 0.3), "mid": (0.3, 0.7), "middle": (0.3, 0.7),
    "late": (0.6, 1.0), "end": (0.7, 1.0), "close": (0.7, 1.0), "later": (0.5, 1.0),
    "final": (0.7, 1.0), "closing": (0.7, 1.0), "opening": (0.0, 0.3), "turn": (-0.1, 0.1),
    "first half": (0.0, 0.5), "second half": (0.5, 1.0), "latter half": (0.5, 1.0), "last half": (0.5, 1.0),
    "first quarter": (0.0, 0.25), "second quarter": (0.25, 0.5), "third quarter": (0.5, 0.75),
    "fourth quarter": (0.75, 1.0), "last quarter": (0.75, 1.0), "final quarter": (0.75, 1.0),
    "first third": (0.0, 0.34), "second third": (0.33, 0.67), "third third": (0.66, 1.0), "fourth third": (0.66, 1.0),
    "last third": (0.66, 1.0), "final third": (0.66, 1.0), "first decade": (0.0, 0.1), "first decades": (0.0, 0.4),
    "last decade": (0.9, 1.0), "final decade": (0.9, 1.0), "last decades": (0.6, 1.0), "final decades": (0.6, 1.0),
    "second decade": (0.1, 0.2), "third decade": (0.2, 0.3), "second decades": (0.1, 0.4), "third decades": (0.2, 0.5),
    "fourth decade": (0.3, 0.4), "fourth decades": (0.3, 0.6),
}  # fmt: skip
"""Shares of a century, decade, year or month that a modifier leaves; generous and overlapping, since usage varies."""

_NUMBERED = {"1st": "first", "2nd": "second", "3rd": "third", "4th": "fourth"}


def _words(part: str) -> list[str]:
    """The first two words of a modifier, numbers spelled out: "3rd quarter of" is third and quarter."""
    words = part.removeprefix("very ").replace("-", " ").split()[:2]
    return [_NUMBERED.get(word, word) for word in words]


def _share(prefix: Prefix) -> tuple[float, float]:
    """The share that a prefix leaves: "early to mid" from the beginning of the one to the end of the other."""
    begin, end = _share_of(prefix.part)
    return begin, _share_of(prefix.part_end)[1] if prefix.part_end else end


def _share_of(part: str) -> tuple[float, float]:
    words = _words(part)
    return _SHARES.get(" ".join(words)) or _SHARES[words[0]]


def _is_exact(part: str) -> bool:
    """Whether a modifier counts months: a half, a quarter, a third."""
    return _words(part)[-1] in ("half", "quarter", "third")


def narrow(years: tuple[int, int], prefix: Prefix) -> tuple[int, int]:
    """The years that a modifier leaves of first..last: late (1960, 1969) is (1966, 1969); all of them without one."""
    if not prefix.part:
        return years
    low, high = years
    size = high - low + 1
    begin, end = _share(prefix)
    return low + round(begin * size), low + max(round(end * size), round(begin * size) + 1) - 1


def narrow_year(year: int, prefix: Prefix) -> Interval:
    """The days that a prefix leaves of a year: its season, its late part, its third quarter, or all of it."""
    if prefix.season:
        one, other = (season(name, year, year) for name in (prefix.season_first or prefix.season, prefix.season))
        return Interval(min(one.first, other.first), max(one.last, other.last))
    if not prefix.part:
        return Interval.of(year)
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


def term(year: int, name: str) -> Interval:
    """The months of a year's quarter or half: ``term(1969, "Q1")`` is January to March, "H2" July to December."""
    number, months = int(name[1]), 3 if name[0] == "Q" else 6
    last = number * months
    return Interval(day(year, last - months + 1), day(year, last, month_length(year, last)))


_FEASTS = {
    "christmas eve": (12, 24, 12, 24), "christmas": (12, 25, 12, 25), "boxing day": (12, 26, 12, 26),
    "new year's eve": (12, 31, 12, 31), "new year": (1, 1, 1, 1), "halloween": (10, 31, 10, 31),
    "thanksgiving": (11, 22, 11, 30), "good friday": (3, 20, 5, 6), "palm sunday": (3, 15, 5, 1),
    "easter": (3, 22, 5, 8), "pentecost": (5, 10, 6, 26), "whitsun": (5, 10, 6, 26),
}  # fmt: skip
"""First and last month and day on which a feast can fall, for all churches; the first name that begins it counts."""


def read_feast(end: int, year: int, name: str) -> Expression:
    """A feast of a year: Christmas is a day, Easter the months in which it can fall."""
    name = name.replace("’", "'")
    month, first, last_month, last = next(days for known, days in _FEASTS.items() if name.startswith(known))
    interval = Interval(day(year, month, first), day(year, last_month, last))
    fixed = interval.first == interval.last
    return Expression(end, interval, Precision.DAY if fixed else Precision.MONTH, not fixed)
