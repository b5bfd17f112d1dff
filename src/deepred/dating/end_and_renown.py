"""What ends a subject (its death, a dissolution, a single point in time), and when a person became known.

Nothing ends what lives or survives. Where no source says when a person was known, it is estimated from birth and death,
and marked as an estimate.
"""

from __future__ import annotations

from dataclasses import replace

from deepred.base.days import Day, day, month_length, year_of
from deepred.dating.evidence import ALIVE, CLOSED, ESTIMATE, LASTING, PRESENT_TENSE, Evidence

ENDS = ("death", "end", "period", "point", "publication", "discovery")
"""Kinds that end a subject, the strongest first."""

YEARS_TO_RENOWN = 20
"""Years from birth to the estimate of being known, where no event says: the youngest age at which that is common."""
YEARS_TO_RENOWN_AT_MOST = 40
"""Years from birth after which an event in a lead is a late one, not the first ("President from 1989 to 1993")."""

EXACT_YEARS = 2
"""Evidence over more years than this (decades, centuries) decides only where nothing exact exists."""


def find_end(
    evidence: list[Evidence], chosen: dict[str, Evidence], person: bool, use: tuple[str, ...]
) -> Evidence | None:
    """The row that ends the subject, or None for what lives or survives."""
    if person:
        return _death(evidence, chosen, use)
    alive = max((row.confidence for row in evidence if row.kind == ALIVE), default=0.0)
    finished = any(row.kind == "publication" and row.source in ("category", "infobox") for row in evidence)
    survives = alive > PRESENT_TENSE if finished else alive > 0
    for kind in ENDS[1:]:
        row = chosen.get(kind)
        if row is None or (kind != "end" and "start" in chosen):
            continue
        if survives and (kind != "end" or (row.source == "lead" and row.confidence < CLOSED)):
            continue
        if kind == "end" and (row := _last_end(evidence, row)) is None:
            continue
        return row
    return None


def _death(evidence: list[Evidence], chosen: dict[str, Evidence], use: tuple[str, ...]) -> Evidence | None:
    """A person's death, unless a source that is trusted more says that the person lives."""
    death = chosen.get("death")
    living = [row for row in evidence if row.kind == ALIVE and row.confidence > LASTING]
    if death and any(use.index(row.source) < use.index(death.source) for row in living):
        return None
    return death


def _last_end(evidence: list[Evidence], end: Evidence) -> Evidence | None:
    """The last end that a source attests, or None where the same source has a later beginning: it was founded anew."""
    ends = [row for row in evidence if row.kind == "end" and row.source == end.source and row.last is not None]
    begun = [row for row in evidence if row.kind == "start" and row.source == end.source]
    starts = sorted(year_of(row.first) for row in begun if row.first is not None)
    last = max([end, *ends], key=lambda row: row.last or 0)
    anew = bool(starts) and starts[-1] > starts[0] and starts[-1] >= year_of(last.last or 0)
    if anew:
        return None
    return end if year_of(last.last or 0) == year_of(end.last or 0) else last


def estimate_before(event: Evidence, born: Evidence) -> Evidence:
    """The event, or, where it is a lead's and comes late in life, an estimate: a lead names the height of a career."""
    if event.source != "lead" or event.first is None or born.first is None or born.last is None:
        return event
    if year_of(event.first) - year_of(born.first) <= YEARS_TO_RENOWN_AT_MOST:
        return event
    first, last = (_later(when, YEARS_TO_RENOWN_AT_MOST) for when in (born.first, born.last))
    note = f"birth and {YEARS_TO_RENOWN_AT_MOST} years; the lead's first event is of {year_of(event.first)}"
    return Evidence(ESTIMATE, first, last, event.source, 0.3, note)


def estimate(evidence: list[Evidence], chosen: dict[str, Evidence]) -> Evidence | None:
    """When a person without any dated deed was known: some years after birth, at the latest at death."""
    born, died = chosen.get("birth"), chosen.get("death")
    work = next((row for row in evidence if row.kind == "work" and row.first is not None), None)
    if work and work.span <= EXACT_YEARS:
        return work
    if born and born.first is not None and born.last is not None:
        first, last = _later(born.first), _later(born.last)
        if died and died.first is not None and died.first < first:
            return replace(died, note=f"{died.note}; no event attested before".lstrip("; "))
        note = f"birth and {YEARS_TO_RENOWN} years; no event attested"
        return Evidence(ESTIMATE, first, last, born.source, 0.3, note)
    if work:
        return work
    return died


def _later(value: Day, years: int = YEARS_TO_RENOWN) -> Day:
    """The same day of a later year; 28 February for a leap day."""
    year, month = year_of(value) + years, value // 100 % 100
    return day(year, month, min(value % 100, month_length(year, month)))
