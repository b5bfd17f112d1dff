"""The filter as one object: what it learned, the point of its curve, and the verdict on an article.

In: the folders of ``emergence`` and ``passages`` (or none: then dates alone decide). Out: per sentence of an article
the reason for which it is dropped, and a probability. Used by the stages, by ``score`` and on any text.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepred.base.days import Day
from deepred.filter.decision import Decision, decide
from deepred.filter.emergence import NAMES, TERMS, TITLES
from deepred.filter.first_known import KnownDays
from deepred.filter.fit import sentence_features
from deepred.filter.sentence_evidence import Evidence, Horizon, gather_evidence
from deepred.filter.sentence_model import Calibration, Model, load_calibration
from deepred.filter.term_years import Terms
from deepred.run.config import Passages
from deepred.text.sentences import Segments
from deepred.text.word_hashes import Floats, find_words

MODEL = "model.npy"


def load_horizon(emergence: Path, cutoff: Day, straddling: str) -> Horizon:
    """The tables of the stage ``emergence`` as seen from a cutoff."""
    terms = Terms.load(emergence / TERMS)
    return Horizon.of(cutoff, straddling, KnownDays.load(emergence / NAMES), terms.cut(cutoff), terms.min_count)


def threshold_of(config: Passages) -> float:
    """The probability from which a sentence is dropped: the configured one, or the preset's."""
    return config.threshold if config.threshold is not None else load_calibration().presets[config.preset]


@dataclass(frozen=True, slots=True)
class Weighed:
    """An article's sentences, their evidence, and the probability that each is late (None without a model)."""

    segments: Segments
    evidence: Evidence
    article_class: str
    probability: Floats | None

    def decide(self, threshold: float) -> Decision:
        """What is dropped from this probability on."""
        return decide(self.segments, self.evidence, self.article_class, self.probability, threshold)


@dataclass(frozen=True, slots=True)
class Judge:
    """A cutoff's tables, its fitted model where there is one, and the operating point."""

    horizon: Horizon
    titles: KnownDays
    model: Model | None
    calibration: Calibration
    threshold: float

    @staticmethod
    def load(emergence: Path, fitted: Path, cutoff: Day, straddling: str, threshold: float) -> Judge:
        """The judge of a run: the tables of ``emergence`` and the model that ``passages`` fitted, if it did."""
        path = fitted / MODEL
        return Judge(
            load_horizon(emergence, cutoff, straddling),
            KnownDays.load(emergence / TITLES),
            Model.load(path) if path.exists() else None,
            load_calibration(),
            threshold,
        )

    @staticmethod
    def by_dates_alone(cutoff: Day, straddling: str) -> Judge:
        """A judge that has learned nothing: later dates, words of the present, and what leans on a dropped sentence."""
        nothing = KnownDays(np.zeros(0, np.uint64), np.zeros(0, np.int32))
        terms = Terms(np.zeros(0, np.int64), np.zeros(0, np.int64), 10, 1)
        horizon = Horizon.of(cutoff, straddling, nothing, terms.cut(cutoff), terms.min_count)
        return Judge(horizon, nothing, None, load_calibration(), 0.5)

    def judge(self, article: dict[str, Any], row: dict[str, Any], article_class: str) -> tuple[Segments, Decision]:
        """The verdict on an article of the corpus, by its row of ``sentences-*.parquet``."""
        weighed = self.weigh(article, row, article_class)
        return weighed.segments, weighed.decide(self.threshold)

    def weigh(self, article: dict[str, Any], row: dict[str, Any], article_class: str) -> Weighed:
        """What speaks for and against an article's sentences, to be decided at any threshold."""
        words = find_words(article["text"])
        segments, evidence = gather_evidence(article, row, self.horizon, words)
        probability = None
        if self.model is not None:
            cutoff = self.horizon.cutoff
            features = sentence_features(words, row, article_class, segments, evidence, self.model.grams, cutoff)
            logits = self.model.score(features, row["fold"])
            probability = self.calibration.probability(logits, evidence.early_date)
        return Weighed(segments, evidence, article_class, probability)
