"""From evidence to a decision per sentence: dropped with a reason, or kept.

Direct evidence first (date, link, entity), then a date without a year that carries on a later one, then the probability
that the fitted model gives, then what depends on dropped sentences: a sentence whose antecedent went goes too, unless
it sounds early.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deepred.filter.sentence_evidence import Evidence
from deepred.text.sentences import Segments
from deepred.text.word_hashes import Flags, Floats

REASONS = ("", "date", "link", "entity", "term", "context", "class", "incoherent", "carried", "apparatus")
"""Reasons by their number; 0 is kept."""
KEPT, DATE, LINK, ENTITY, TERM, CONTEXT, CLASS, INCOHERENT, CARRIED, APPARATUS = range(len(REASONS))

CERTAIN = 0.97  # probability of what direct evidence shows: 98% of labelled sentences with a later date are late
RESTING = 0.25  # share of the threshold below which a sentence stands though it leans on a dropped one
TELLING = 1.0  # log ratio from which a term rather than its surroundings is named as the reason


@dataclass(frozen=True, slots=True)
class Decision:
    """Per sentence, the number of its reason (0: kept) and the probability that it is late."""

    reasons: npt.NDArray[np.int8]
    probability: Floats
    late_headings: frozenset[int] = frozenset()


def decide(
    segments: Segments, evidence: Evidence, article_class: str, probability: Floats | None, threshold: float
) -> Decision:
    """What is dropped of an article, and why; without a fitted model, by direct evidence and rules alone."""
    count = len(segments)
    if article_class == "N":
        return Decision(np.full(count, CLASS, np.int8), np.ones(count, np.float32), evidence.late_headings)
    reasons = np.zeros(count, np.int8)
    learned = np.zeros(count, np.bool_) if probability is None else probability >= threshold
    telling = evidence.emergent | (evidence.term >= TELLING)
    for flags, reason in (
        (learned & ~telling, CONTEXT),
        (learned & telling, TERM),
        (_is_new_term(evidence, probability, threshold), TERM),
        (_is_carried(evidence, probability, threshold), CARRIED),
        (evidence.late_name, ENTITY),
        (evidence.late_link, LINK),
        (evidence.late_date, DATE),
    ):
        reasons[flags] = reason
    resting = evidence.early_date | (evidence.carried < 0)
    if probability is not None:
        resting |= probability < RESTING * threshold
    _follow(segments, evidence, resting, reasons)
    direct = (reasons == DATE) | (reasons == LINK) | (reasons == ENTITY)
    shown = np.where(reasons > 0, 0.9, 0.1) if probability is None else probability
    return Decision(
        reasons, np.where(direct, np.maximum(shown, CERTAIN), shown).astype(np.float32), evidence.late_headings
    )


def _is_new_term(evidence: Evidence, probability: Floats | None, threshold: float) -> Flags:
    """A term that hardly occurs before the cutoff, in a sentence that neither dates itself early nor sounds so."""
    flags = evidence.emergent & ~evidence.early_date
    return flags if probability is None else flags & (probability >= RESTING * threshold)


def _is_carried(evidence: Evidence, probability: Floats | None, threshold: float) -> Flags:
    """A date that carries on a later year, in a sentence that neither names an early one nor sounds early."""
    flags = (evidence.carried > 0) & ~evidence.early_date
    return flags if probability is None else flags & (probability >= RESTING * threshold)


def _follow(segments: Segments, evidence: Evidence, resting: Flags, reasons: npt.NDArray[np.int8]) -> None:
    """Drop what speaks of the writer's present, and what leans on a sentence that was dropped just before it."""
    paragraphs = segments.paragraphs
    leans = evidence.opening | evidence.leaning | (evidence.definite & ~evidence.early_name)
    rests, opening, status = resting.tolist(), evidence.opening.tolist(), evidence.status.tolist()
    for i, leaning in enumerate(leans.tolist()):
        if reasons[i] != KEPT or rests[i]:
            continue
        after_dropped = i > 0 and paragraphs[i - 1] == paragraphs[i] and reasons[i - 1] != KEPT
        if after_dropped and leaning:
            reasons[i] = INCOHERENT if opening[i] else CONTEXT
        elif status[i]:
            reasons[i] = CONTEXT
