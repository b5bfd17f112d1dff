"""What the sources of an article cannot both mean about a death: noticed, and the safer reading taken.

A death that is read too early makes a living subject a finished one, and everything said of it passes the filter; one
that is read too late only drops more. So of two deaths that an infobox, a lead or a category give the later one stands,
unless a source of facts decides, and a death that is not after the birth is none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from deepred.base.days import year_of
from deepred.dating.evidence import MENTION, Evidence

CONTRADICTION = "contradiction"
"""The word with which the note of a row begins that was not believed."""
FACTS = frozenset({"wikidata", "yago"})
"""Sources of dated facts; the others are text that people wrote and this program read."""


def settle_deaths(evidence: Iterable[Evidence], births: Iterable[Evidence]) -> list[Evidence]:
    """The evidence, with the deaths that are not believed as mentions, whose note says why.

    ``births`` are the rows that decide the birth, if any.

    >>> born = Evidence("birth", 19300101, 19301231, "infobox", 0.9, known=False)
    >>> died = Evidence("death", 19300101, 19301231, "infobox", 0.9)
    >>> settle_deaths([born, died], [born])[1].kind
    'mention'
    """
    rows = list(evidence)
    born = max((year_of(row.first) for row in births if row.first is not None), default=None)
    if born is not None:
        rows = [_disbelieve(row, f"not after the birth of {born}") if _not_after(row, born) else row for row in rows]
    deaths = [row for row in rows if row.kind == "death" and row.first is not None]
    if any(row.source in FACTS for row in deaths):
        return rows
    latest = max((year_of(row.first) for row in deaths if row.first is not None), default=0)
    return [
        _disbelieve(row, f"another source has {latest}")
        if row.kind == "death" and row.last is not None and year_of(row.last) < latest
        else row
        for row in rows
    ]


def contradictions(evidence: Iterable[Evidence]) -> list[str]:
    """The reasons for which rows were not believed, without their years: for counting."""
    notes = (row.note for row in evidence if row.note.startswith(CONTRADICTION))
    return sorted({note.partition(": ")[2].partition(";")[0].rpartition(" ")[0] for note in notes})


def _not_after(row: Evidence, born: int) -> bool:
    return row.kind == "death" and row.last is not None and year_of(row.last) <= born


def _disbelieve(row: Evidence, why: str) -> Evidence:
    return replace(row, kind=MENTION, known=False, note=f"{CONTRADICTION}: death {why}; {row.note}".rstrip("; "))
