"""From evidence to a decision per sentence: dropped with a reason, or kept.

Direct evidence first (date, link, entity, term), then what depends on dropped sentences: a sentence whose antecedent
went goes too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepred.filters.evidence import Evidence
from deepred.filters.features import Floats
from deepred.filters.sentences import Segments

REASONS = ("", "date", "link", "entity", "term", "context", "class", "incoherent")
"""Reasons by their number; 0 is kept."""
KEPT, DATE, LINK, ENTITY, TERM, CONTEXT, CLASS, INCOHERENT = range(len(REASONS))


@dataclass(frozen=True, slots=True)
class Decision:
    """Per sentence, the number of its reason (0: kept) and the probability that it is late."""

    reasons: np.ndarray
    probability: Floats
    late_headings: frozenset[int] = frozenset()


def decide(segments: Segments, evidence: Evidence, article_class: str) -> Decision:
    """What is dropped of an article, and why."""
    count = len(segments)
    if article_class == "N":
        return Decision(np.full(count, CLASS, np.int8), np.ones(count, np.float32))
    reasons = np.zeros(count, np.int8)
    for flags, reason in (
        (evidence.emergent, TERM),
        (evidence.late_name, ENTITY),
        (evidence.late_link, LINK),
        (evidence.late_date, DATE),
    ):
        reasons[flags] = reason
    reasons[(reasons == TERM) & evidence.early_date] = KEPT
    _follow(segments, evidence, reasons)
    return Decision(reasons, np.where(reasons > 0, 0.9, 0.1).astype(np.float32), evidence.late_headings)


def _follow(segments: Segments, evidence: Evidence, reasons: np.ndarray) -> None:
    """Drop what speaks of the writer's present, and what leans on a sentence that was dropped just before it."""
    paragraphs = segments.paragraphs
    leans = evidence.opening | evidence.leaning | (evidence.definite & ~evidence.early_name)
    early, opening, status = evidence.early_date.tolist(), evidence.opening.tolist(), evidence.status.tolist()
    for i, leaning in enumerate(leans.tolist()):
        if reasons[i] != KEPT or early[i]:
            continue
        after_dropped = i > 0 and paragraphs[i - 1] == paragraphs[i] and reasons[i - 1] != KEPT
        if after_dropped and leaning:
            reasons[i] = INCOHERENT if opening[i] else CONTEXT
        elif status[i]:
            reasons[i] = CONTEXT
