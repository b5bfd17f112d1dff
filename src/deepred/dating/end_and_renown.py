"""What ends a subject: its death, a dissolution, a single point in time; nothing ends what lives or survives."""

from __future__ import annotations

from deepred.base.days import year_of
from deepred.dating.evidence import ALIVE, CLOSED, LASTING, PRESENT_TENSE, Evidence

ENDS = ("death", "end", "period", "point", "publication", "discovery")
"""Kinds that end a subject, the strongest first."""


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
