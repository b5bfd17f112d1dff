"""The filter against labelled sentences: recall, precision, and what is left of late sentences in the natural mix.

In: labelled paragraphs, the articles that they were drawn from, and a corpus to learn from. The labelled articles are
never learned from: their page ids, titles and texts are held out (``learn_from_corpus.py``). Out: one JSON-like report,
every figure with its bootstrap interval over articles. Recall and precision are of the sentences as labelled;
``residual``, ``clean_kept`` and ``kept`` are of the natural mix of paragraphs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepred.base.days import Day
from deepred.base.errors import UserError
from deepred.filter.judge import MODEL, threshold_of
from deepred.filter.measure.labelled import (
    CLEAN,
    LATE,
    Verdict,
    judge_labelled,
    read_labelled,
    read_labelled_articles,
    weigh,
)
from deepred.filter.measure.learn_from_corpus import PASSAGES, Held, Lesson, learn
from deepred.run.config import Passages
from deepred.run.stage import Work

RESAMPLES = 1000
CONFIDENCE = 0.95
FIGURES = ("recall", "precision", "clean_kept", "residual", "kept")

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Trial:
    """What a filter is tried on, and how it learns."""

    labels: Path
    articles: Path
    corpus: Path | None = None
    """What is learned from; the articles' own file where none is named."""
    strata: Path | None = None
    config: Passages = field(default_factory=Passages)
    cutoff: Day = 19690720
    straddling: str = "drop"
    seed: int = 1
    limit: int = 0
    """Articles of the corpus that are learned from at most (0: all)."""


def score_filter(trial: Trial, base: Path, work: Work) -> dict[str, Any]:
    """Learn without the labelled articles, filter these whole, and compare; what was learned is kept below ``base``."""
    verdicts, weights, learned = try_filter(trial, (threshold_of(trial.config),), base, work)
    return report_scores(verdicts, weights, trial.seed) | describe(trial, learned)


def compare_in_sample(trial: Trial, base: Path, work: Work) -> dict[str, Any]:
    """The same figures where the labelled articles were learned from, cross-fitted and not: what folds are for."""
    reports: dict[str, Any] = {}
    for name, cross_fitted in (("cross_fitted", True), ("in_sample", False)):
        found = try_filter(trial, (threshold_of(trial.config),), base, work, inside=True, cross_fitted=cross_fitted)
        reports[name] = report_scores(found[0], found[1], trial.seed) | describe(trial, found[2])
    return reports


def try_filter(
    trial: Trial,
    thresholds: tuple[float, ...],
    base: Path,
    work: Work,
    *,
    inside: bool = False,
    cross_fitted: bool = True,
) -> tuple[list[Verdict], dict[str, float], Path]:
    """The verdicts on the labelled sentences, the weight of each stratum, and the folder of what was learned."""
    paragraphs = read_labelled(trial.labels)
    weights = weigh(paragraphs, trial.strata)
    articles = read_labelled_articles(paragraphs, trial.articles)
    held = Held.of([*articles, *({"page_id": row["page_id"], "title": row["title"]} for row in paragraphs)])
    lesson = Lesson(
        trial.corpus or trial.articles, Held() if inside else held, trial.limit, trial.cutoff, trial.straddling,
        trial.seed, held.pages if inside else frozenset(),
    )  # fmt: skip
    learned = learn(lesson, base, work)
    verdicts = judge_labelled(
        paragraphs, articles, learned, config=trial.config, cutoff=trial.cutoff, straddling=trial.straddling,
        seed=trial.seed, thresholds=thresholds, work=work, cross_fitted=cross_fitted,
    )  # fmt: skip
    return verdicts, weights, learned


def describe(trial: Trial, learned: Path) -> dict[str, Any]:
    """What the figures are of."""
    return {
        "preset": trial.config.preset if trial.config.threshold is None else None,
        "threshold": threshold_of(trial.config),
        "cutoff": trial.cutoff,
        "model": (learned / PASSAGES / MODEL).exists(),
        "learned": str(learned),
        "labels": trial.labels.name,
        "strata": trial.strata.name if trial.strata else None,
    }


@dataclass(frozen=True)
class Tally:
    """Verdicts as arrays, with how often each counts: once, and in every resample of articles."""

    verdicts: list[Verdict]
    late: Array
    clean: Array
    weight: Array
    characters: Array
    times: Array
    """(1 + RESAMPLES, sentences); the first row is the sample itself."""

    @staticmethod
    def of(verdicts: list[Verdict], weights: dict[str, float], seed: int) -> Tally:
        """The arrays of verdicts, with resamples drawn over articles."""
        if not verdicts:
            raise UserError("no labelled sentence was judged", "name labels of these articles")
        names, place = np.unique([verdict.page_id for verdict in verdicts], return_inverse=True)
        random = np.random.default_rng(seed)
        drawn = random.multinomial(len(names), np.full(len(names), 1 / len(names)), RESAMPLES).astype(np.float64)
        return Tally(
            verdicts,
            np.array([verdict.label == LATE for verdict in verdicts], np.float64),
            np.array([verdict.label == CLEAN for verdict in verdicts], np.float64),
            np.array([weights[verdict.stratum] for verdict in verdicts], np.float64),
            np.array([verdict.characters for verdict in verdicts], np.float64),
            np.concatenate([np.ones((1, len(names))), drawn])[:, place],
        )

    def dropped(self, at: int) -> Array:
        """Which sentences are dropped at the threshold of that place."""
        return np.array([verdict.dropped[at] for verdict in self.verdicts], np.float64)

    def share(self, part: Array, whole: Array) -> dict[str, float | None]:
        """The share of ``part`` in ``whole`` with its interval; None where there is nothing to share."""
        above, below = self.times @ part, self.times @ whole
        if not below[0]:
            return {"value": None, "low": None, "high": None}
        shares = above[below > 0] / below[below > 0]
        low, high = np.quantile(shares[1:], [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]) if len(shares) > 1 else (0, 1)
        return {"value": round(float(shares[0]), 4), "low": round(float(low), 4), "high": round(float(high), 4)}

    def figures(self, dropped: Array, among: Array) -> dict[str, dict[str, float | None]]:
        """All ``FIGURES`` over some of the sentences."""
        kept = 1 - dropped
        judged = self.late + self.clean
        natural = self.weight * among
        return {
            "recall": self.share(among * self.late * dropped, among * self.late),
            "precision": self.share(among * self.late * dropped, among * judged * dropped),
            "clean_kept": self.share(natural * self.clean * kept, natural * self.clean),
            "residual": self.share(natural * self.late * kept, natural * judged * kept),
            "kept": self.share(natural * self.characters * kept, natural * self.characters),
        }


def report_scores(verdicts: list[Verdict], weights: dict[str, float], seed: int) -> dict[str, Any]:
    """The figures of verdicts at their first threshold: over all, recall by kind, and all of them by stratum."""
    tally = Tally.of(verdicts, weights, seed)
    dropped = tally.dropped(0)
    report: dict[str, Any] = tally.figures(dropped, np.ones(len(verdicts)))
    report["by_why"] = {}
    for why in sorted({verdict.why for verdict in verdicts if verdict.label == LATE}):
        among = np.array([verdict.why == why for verdict in verdicts], np.float64) * tally.late
        report["by_why"][why or "none"] = tally.share(among * dropped, among) | {"late": int(among.sum())}
    report["by_stratum"] = {
        name: tally.figures(dropped, np.array([verdict.stratum == name for verdict in verdicts], np.float64))
        for name in sorted({verdict.stratum for verdict in verdicts})
    }
    articles = len({verdict.page_id for verdict in verdicts})
    report["sentences"] = {"late": int(tally.late.sum()), "clean": int(tally.clean.sum()), "articles": articles}
    return report
