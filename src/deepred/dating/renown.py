"""When a person was known of whom no source says it: an estimate from birth and death, marked as one."""

from __future__ import annotations

from dataclasses import replace

from deepred.base.days import Day, day, month_length, year_of
from deepred.dating.evidence import ESTIMATE, Evidence

YEARS_TO_RENOWN = 20
"""Years from birth to the estimate of being known, where no event says: the youngest age at which that is common."""
YEARS_TO_RENOWN_AT_MOST = 40
"""Years from birth after which an event in a lead is a late one, not the first ("President from 1989 to 1993")."""

EXACT_YEARS = 2
"""Evidence over more years than this (decades, centuries) decides only where nothing exact exists."""


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
