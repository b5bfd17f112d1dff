"""How far a model's dates agree with those of the other sources, on articles drawn at random from what they date.

The articles that a model is needed for are those without such dates, and may be harder: agreement is an upper hope of
its accuracy there, not a measure of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deepred.base.days import Day, year_of
from deepred.base.files import write_json
from deepred.dating.by_model.date_answers import OUTCOMES, Answer
from deepred.run.stage import Counts

AGREEMENT = "agreement.json"
WITHIN = (0, 1, 10)
"""Years of difference that count as agreeing."""
CONFIDENCE = 0.95
_TABLE = "agreement of {}"
_QUESTIONS = ("first known", "first", "last", "ended")


def compare(
    answer: Answer, first: Day | None, last: Day | None, known: tuple[Day, Day], ended: bool, counts: Counts
) -> None:
    """Count how far an answer lies from the dates of an article; ``known`` is the interval that decided first known."""
    if not answer.known:
        return
    if answer.year is not None:
        _count(counts, "first known", _distance(answer.year, year_of(known[0]), year_of(known[1])))
    for name, said, found in (("first", answer.first, first), ("last", answer.last, last)):
        if said is not None and found is not None:
            year = said if said > 0 else said + 1
            _count(counts, name, _distance(year, year_of(found), year_of(found)))
    _count(counts, "ended", 0 if ended != answer.alive else WITHIN[-1] + 1)


def _distance(year: int, low: int, high: int) -> int:
    """Years from a year to an interval of years, 0 inside it."""
    return max(low - year, year - high, 0)


def _count(counts: Counts, question: str, distance: int) -> None:
    table = _TABLE.format(question)
    counts.tally(table, "compared")
    for most in WITHIN:
        if distance <= most:
            counts.tally(table, f"within {most}")


def write_agreement(counts: Counts, out: Path) -> None:
    """Move what ``compare`` counted into ``agreement.json``: each share with its exact interval."""
    questions: dict[str, Any] = {}
    for question in _QUESTIONS:
        counted = counts.tallies.pop(_TABLE.format(question), {})
        total = counted.get("compared", 0)
        years = WITHIN[:1] if question == "ended" else WITHIN
        shares = [share_of(counted.get(f"within {most}", 0), total) for most in years]
        questions[question] = {"compared": total, "within": shares}
    held_out = dict(counts.tallies.pop(OUTCOMES, {}))
    values = {"held_out": held_out, "confidence": CONFIDENCE, "years": WITHIN, "questions": questions}
    write_json(out / AGREEMENT, values)


def share_of(hits: int, total: int) -> dict[str, float | int]:
    """A share with its interval after Clopper and Pearson (1934); from 0 to 1 where nothing was counted.

    >>> share_of(8, 10)
    {'count': 8, 'share': 0.8, 'low': 0.4439, 'high': 0.9748}
    """
    if not total:
        return {"count": 0, "share": 0.0, "low": 0.0, "high": 1.0}
    from scipy.stats import binomtest

    bounds: Any = binomtest(hits, total).proportion_ci(CONFIDENCE, method="exact")
    return {
        "count": hits,
        "share": round(hits / total, 4),
        "low": round(float(bounds.low), 4),
        "high": round(float(bounds.high), 4),
    }
