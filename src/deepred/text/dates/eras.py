"""Numbers that share the era of a later one: "427–347 BC", "1190/85 BC", "525/524 – c. 456/455 BC", "60/61 AD"."""

from __future__ import annotations

import re
from itertools import pairwise

from deepred.text.dates.parts import ERA, MONTH, TO

_LONGEST_WRAP = 20
"""Years from "200" to "199" in "200/99 BC": beyond them the second number stands for itself."""

_CIRCA = r"(?:(?:c\.|ca\.|circa|about|around)\s?)?"
_DAY_OF = rf"(?:(?:\d{{1,2}}\s)?{MONTH}\s+(?:\d{{1,2}},?\s)?|\d{{1,2}}\s)?"
_JOIN = rf"(?P<join>{TO}|,?\s+(?:and|or)\s+|/|,\s)"
_NEXT = re.compile(rf"{_JOIN}{_CIRCA}{_DAY_OF}(?P<year>\d{{1,3}},\d{{3}}|\d{{1,5}})(?!\d){ERA}?")
_SLASHED = re.compile(rf"/(?P<year>\d{{1,5}})(?!\d){ERA}?")
_LONGEST_CHAIN = 6
_JOINS = " ,/–—−‒‑-\u00a0"


def era_ahead(text: str, end: int, digits: str) -> str | None:
    """The era that the number before ``end`` takes from a later one that it is joined with, or None.

    BC counts down and AD counts up: a chain of numbers that does the other has no era to share. A list with commas
    must come to an "and", and its numbers be equally long ("499, 498 and 497 BC").
    """
    if text[end : end + 1] not in _JOINS:
        return None
    chain: list[tuple[str, str]] = []
    for _ in range(_LONGEST_CHAIN):
        ahead = _NEXT.match(text, end)
        if ahead is None:
            return None
        chain.append((ahead["join"], ahead["year"].replace(",", "")))
        if era := ahead["era"]:
            return era if _shares(int(digits.replace(",", "")), chain, down=era[0] == "B") else None
        end = ahead.end()
    return None


def _shares(first: int, chain: list[tuple[str, str]], *, down: bool) -> bool:
    """Whether the years of a chain only fall (or only rise), and a list of it is written as one."""
    values = [first]
    for join, year in chain:
        values.append(elided(values[-1], year, down=down) if join == "/" else int(year))
    joins = [join.strip() for join, _ in chain]
    listed = "," not in joins or (joins[-1].endswith(("and", "or")) and len({len(str(value)) for value in values}) == 1)
    return listed and all((one > other) if down else (one < other) for one, other in pairwise(values))


def elided(first: int, digits: str, *, down: bool) -> int:
    """The year that a second number means whose first digits may be left out.

    >>> elided(1190, "85", down=True), elided(200, "99", down=True), elided(60, "1", down=False)
    (1185, 199, 61)
    """
    number, size = int(digits), 10 ** len(digits)
    if size > first:
        return number
    value = first // size * size + number
    if (value < first) if down else (value > first):
        return value
    value += -size if down else size
    return value if abs(first - value) <= _LONGEST_WRAP else number


def slashed_year(text: str, end: int, first: int, *, down: bool) -> tuple[int, int] | None:
    """The second year of "480/479 BC" or "AD 60/1" and where it ends, era included; None where there is none."""
    match = _SLASHED.match(text, end)
    if match is None:
        return None
    year = elided(first, match["year"], down=down)
    if (year >= first if down else year <= first) or (match["era"] and (match["era"][0] == "B") != down):
        return None
    return year, match.end()
