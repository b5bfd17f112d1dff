"""Distant supervision: a model for one cutoff, learned from sentences that date themselves.

In: articles with their sentences and the tables of ``emergence``. A sentence with explicit dates is late or early by
them; with its dates masked it teaches how late sentences sound (linear models over grams) and what surrounds them (a
logistic regression over features). Undated sentences between two dated ones of the same side teach too, at half weight.
Fitted in folds by article. At most ``ARTICLES`` articles are read, so that fitting's memory and time are bounded.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deepred.documents import Day
from deepred.filters.context import FEATURES, build_features
from deepred.filters.evidence import Evidence, Horizon, gather_evidence
from deepred.filters.features import Flags, Floats, Ints, find_words
from deepred.filters.grams import GRAM_BITS, find_grams, score_grams
from deepred.filters.model import Model
from deepred.filters.sentences import Segments
from deepred.filters.terms import sentence_of

ARTICLES = 20_000
NEIGHBOUR_WEIGHT = 0.5
NEIGHBOUR_REACH = 3  # sentences from a dated one on either side within which an undated one takes its side
ALPHA = 1e-6  # regularisation of the gram model
EPOCHS = 4
LEAST = 20_000
"""Sentences that teach without which no model is fitted: on a generated world of 5,000 dated sentences the learned
part cost 6 points of precision and 3 of recall against rules alone; on 2,000 real articles (38,000) it carries the
filter."""

Pair = tuple[dict[str, Any], dict[str, Any], str]
"""An article, its row of sentences, its class."""


@dataclass
class _Examples:
    """Sentences as grams: the CSR parts, sides, weights and folds."""

    columns: list[Any] = field(default_factory=list[Ints])
    counts: list[Ints] = field(default_factory=list[Ints])
    sides: list[Flags] = field(default_factory=list[Flags])
    weights: list[Floats] = field(default_factory=list[Floats])
    folds: list[Ints] = field(default_factory=list[Ints])


def choose(page_ids: Iterable[int], seed: int, most: int = ARTICLES) -> set[int]:
    """At most ``most`` articles, those of the smallest hashes."""

    def rank(page: int) -> bytes:
        return hashlib.blake2b(f"{seed}:fit:{page}".encode(), digest_size=8).digest()

    return set(heapq.nsmallest(most, page_ids, key=rank))


def fit_model(read: Callable[[], Iterator[Pair]], horizon: Horizon, cutoff: Day, folds: int, seed: int) -> Model | None:
    """The model of a cutoff, or None where dated sentences are too few to learn from; reads the articles twice."""
    examples = _Examples()
    for article, row, _ in read():
        _add_examples(article, row, horizon, examples)
    if not examples.columns or _count(examples) < LEAST:
        return None
    grams = _fit_grams(examples, folds, seed)
    del examples
    rows: list[Any] = []
    sides: list[Flags] = []
    held: list[Ints] = []
    for article, row, kind in read():
        segments, evidence = gather_evidence(article, row, horizon)
        features = sentence_features(article, row, kind, segments, evidence, grams, cutoff)
        dated = evidence.late_date | evidence.early_date
        rows.append(features[dated])
        sides.append(evidence.late_date[dated])
        held.append(np.full(int(dated.sum()), row["fold"]))
    return _fit_context(grams, np.concatenate(rows), np.concatenate(sides), np.concatenate(held), folds)


def sentence_features(
    article: dict[str, Any],
    row: dict[str, Any],
    kind: str,
    segments: Segments,
    evidence: Evidence,
    grams: Any,
    cutoff: Day,
) -> Any:
    """The features of an article's sentences, with the scores of the fold model that did not see it."""
    words = find_words(article["text"])
    columns, at = find_grams(words, sentence_of(words, segments), row)
    scores = score_grams(columns, at, len(segments), grams[row["fold"]])
    return build_features(segments, evidence, scores, row, cutoff, kind)


def _count(examples: _Examples) -> int:
    """How many sentences teach; 0 where only one side does."""
    late = int(sum(side.sum() for side in examples.sides))
    total = sum(len(side) for side in examples.sides)
    return total if 0 < late < total else 0


def _add_examples(article: dict[str, Any], row: dict[str, Any], horizon: Horizon, examples: _Examples) -> None:
    from deepred.filters.evidence import read_dates, segments_of

    segments = segments_of(row)
    late, early = read_dates(row, segments, horizon)
    side, weight = _taught(late, early, np.array(segments.paragraphs, np.int64))
    if not weight.any():
        return
    words = find_words(article["text"])
    columns, at = find_grams(words, sentence_of(words, segments), row)
    chosen = weight[at] > 0
    order = np.argsort(at[chosen], kind="stable")
    counts = np.bincount(at[chosen], minlength=len(segments))
    keep = (weight > 0) & (counts > 0)
    examples.columns.append(columns[chosen][order].astype(np.int32))
    examples.counts.append(counts[keep])
    examples.sides.append(side[keep])
    examples.weights.append(weight[keep])
    examples.folds.append(np.full(int(keep.sum()), row["fold"]))


def _taught(late: Flags, early: Flags, paragraph: Ints) -> tuple[Flags, Floats]:
    """The side that each sentence teaches, and with what weight: its own dates', or that of both its neighbours."""
    count = len(late)
    dated = late | early
    weight = dated.astype(np.float32)
    side = late.copy()
    places = np.arange(count)
    last = np.maximum.accumulate(np.where(dated, places, -1)) if count else places
    following = np.minimum.accumulate(np.where(dated, places, count)[::-1])[::-1] if count else places
    between = ~dated & (last >= 0) & (following < count)
    low, high = np.where(between, last, 0), np.where(between, following, 0)
    between &= (paragraph[low] == paragraph[high]) & (late[low] == late[high])
    between &= (places - low <= NEIGHBOUR_REACH) & (high - places <= NEIGHBOUR_REACH)
    weight[between] = NEIGHBOUR_WEIGHT
    side[between] = late[low[between]]
    return side, weight


def _fit_grams(examples: _Examples, folds: int, seed: int) -> Any:
    """Weights of the grams per left-out fold, (folds, 2 ** GRAM_BITS)."""
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import SGDClassifier

    counts = np.concatenate(examples.counts)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    values = np.repeat(1 / np.sqrt(counts), counts).astype(np.float64)
    matrix = csr_matrix((values, np.concatenate(examples.columns), indptr), shape=(len(counts), 1 << GRAM_BITS))
    side, weight = np.concatenate(examples.sides), np.concatenate(examples.weights)
    fold = np.concatenate(examples.folds)
    result = np.zeros((folds, 1 << GRAM_BITS), np.float32)
    for left_out in range(folds):
        chosen = np.flatnonzero(fold != left_out)
        if len(np.unique(side[chosen])) < 2:
            continue
        balance = np.where(side, 0.5 / max(side.mean(), 1e-6), 0.5 / max(1 - side.mean(), 1e-6))
        model: Any = SGDClassifier(
            loss="log_loss",
            alpha=ALPHA,
            max_iter=EPOCHS,
            tol=None,  # pyright: ignore[reportArgumentType]
            random_state=seed,
            average=True,
        )
        model.fit(matrix[chosen], side[chosen], sample_weight=(weight * balance)[chosen])
        result[left_out] = model.coef_[0]
    return result


def _fit_context(grams: Any, rows: Any, sides: Flags, folds_of: Ints, folds: int) -> Model:
    """Logistic regressions over the features, one per left-out fold."""
    from sklearn.linear_model import LogisticRegression

    weights = np.zeros((folds, len(FEATURES) + 1), np.float32)
    scales = np.ones((folds, len(FEATURES)), np.float32)
    for left_out in range(folds):
        chosen = folds_of != left_out
        if len(np.unique(sides[chosen])) < 2:
            continue
        spread = rows[chosen].std(axis=0)
        scales[left_out] = np.where(spread > 1e-6, spread, 1)
        scaled = np.clip(rows[chosen] / scales[left_out], -5, 5)
        model = LogisticRegression(C=0.1, max_iter=300, class_weight="balanced").fit(scaled, sides[chosen])
        weights[left_out, :-1] = model.coef_[0]
        weights[left_out, -1] = model.intercept_[0]
    return Model(grams.astype(np.float16), weights, scales)
