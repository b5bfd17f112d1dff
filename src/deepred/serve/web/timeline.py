"""The timeline above the results: how many of them belong to which years, as bars that a page can draw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

MOST_BARS = 60
WIDTHS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000)
"""Years of a bar: the narrowest with which they fit."""


@dataclass(frozen=True)
class Bar:
    """Results first known from one year to another."""

    first: int
    last: int
    count: int
    share: float
    """Of the highest bar."""


@dataclass(frozen=True)
class Timeline:
    """Bars without gaps, the earliest first."""

    bars: tuple[Bar, ...]
    width: int
    """Years of a bar."""
    dated: int
    """Results with a year."""

    @property
    def first(self) -> int:
        """The first year."""
        return self.bars[0].first

    @property
    def last(self) -> int:
        """The last year."""
        return self.bars[-1].last


def draw(years: Iterable[int]) -> Timeline | None:
    """The bars of some years; None where there are fewer than two different ones.

    >>> [(bar.first, bar.last, bar.count) for bar in draw([1900, 1901, 1901, 1903]).bars]
    [(1900, 1900, 1), (1901, 1901, 2), (1902, 1902, 0), (1903, 1903, 1)]
    """
    counts = Counter(years)
    if len(counts) < 2:
        return None
    low, high = min(counts), max(counts)
    width = next((width for width in WIDTHS if high // width - low // width < MOST_BARS), WIDTHS[-1])
    tallies: Counter[int] = Counter()
    for year, count in counts.items():
        tallies[year // width] += count
    top = max(tallies.values())
    bars = tuple(
        Bar(place * width, place * width + width - 1, tallies[place], tallies[place] / top)
        for place in range(low // width, high // width + 1)
    )
    return Timeline(bars, width, sum(counts.values()))
