"""Units of search: a paragraph as it reads as of a day.

A paragraph whose sentences have different days is several units, each with the sentences told from its ``day`` on and
valid up to and including ``until``; as of any day exactly one of them is found (``day < as_of <= until``). So words,
counts and ranks come from text that is told, never from a later sentence beside it.
"""

from __future__ import annotations

from typing import Any

from deepred.base.days import Day
from deepred.serve.index.told_from import NEVER

MOST_UNITS = 4
"""Units of a paragraph at most: of more days, neighbouring ones are taken together, at the later of them."""


def paragraph_units(text: str, spans: list[list[Any]], cutoff: Day) -> list[dict[str, Any]]:
    """The units of a paragraph by its sentences ``[start, end, day, reason, probability]``; none without one that is
    kept and told at the cutoff.

    >>> sentences = [[0, 8, 18501231, "", None], [9, 17, 19551231, "", None], [18, 26, 19600101, "date", 0.97]]
    >>> for unit in paragraph_units("He came. He went. He spoke.", sentences, 19690720):
    ...     print(unit["day"], unit["until"], unit["text"])
    18501231 19551231 He came.
    19551231 2147483647 He came. He went.
    """
    kept = [(start, end, day) for start, end, day, reason, _ in spans if not reason and day < cutoff]
    days = _bounded(sorted({day for _, _, day in kept}))
    found: list[dict[str, Any]] = []
    for place, day in enumerate(days):
        shown = " ".join(text[start:end] for start, end, own in kept if own <= day)
        until = days[place + 1] if place + 1 < len(days) else NEVER
        found.append({"text": " ".join(shown.split()), "day": day, "until": until})
    return found


def _bounded(days: list[Day]) -> list[Day]:
    """At most ``MOST_UNITS`` of the days, the last among them.

    >>> _bounded([1, 2, 3, 4, 5, 6, 7])
    [2, 4, 6, 7]
    """
    count = len(days)
    if count <= MOST_UNITS:
        return days
    return [days[(count * (place + 1) + MOST_UNITS - 1) // MOST_UNITS - 1] for place in range(MOST_UNITS)]
