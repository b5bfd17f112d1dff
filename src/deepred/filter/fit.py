"""Distant supervision: a model for one cutoff, learned from sentences that date themselves.

In: articles with their sentences and the tables of ``emergence``. A sentence with explicit dates is late or early by
them; with its dates masked it teaches how late sentences sound (log ratios of grams) and what surrounds them (a
random forest over features). Undated sentences between two dated ones of the same side teach too, at half weight.
Fitted in folds by article. At most ``ARTICLES`` articles are read, so that fitting's memory and time are bounded.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from deepred.base.days import Day
from deepred.base.draws import rank_of
from deepred.filter.sentence_evidence import Evidence, Horizon, gather_evidence, read_dates, segments_of
from deepred.filter.sentence_features import bits_for, build_features, find_grams, score_grams
from deepred.filter.sentence_model import Forest, Model
from deepred.filter.term_years import sentence_of
from deepred.text.sentences import Segments
from deepred.text.word_hashes import Flags, Floats, Ints, Words, find_words

ARTICLES = 20_000
NEIGHBOUR_WEIGHT = 0.5
NEIGHBOUR_REACH = 3  # sentences from a dated one on either side within which an undated one takes its side
PRIOR = 0.5  # sentences that every gram is taken to have been seen in on either side
LEAST = 20_000
"""Sentences that teach without which no model is fitted: on a generated world of 5,000 dated sentences the learned
part cost 6 points of precision and 3 of recall against rules alone; on 2,000 real articles (38,000) it carries the
filter."""

Pair = tuple[dict[str, Any], dict[str, Any], str]
"""An article, its row of sentences, its class."""


def choose(page_ids: Iterable[int], seed: int, most: int = ARTICLES) -> set[int]:
    """At most ``most`` articles, those of the smallest hashes."""
    return set(heapq.nsmallest(most, page_ids, key=lambda page: rank_of(seed, "fit", page)))


def fit_model(
    read: Callable[[], Iterator[Pair]], articles: int, horizon: Horizon, cutoff: Day, folds: int, seed: int
) -> Model | None:
    """The model of a cutoff, or None where dated sentences are too few to learn from; reads the articles twice.

    ``articles`` is their number; the tables of grams take ``folds * 2**bits_for(articles)`` times ten bytes.
    """
    grams = _weigh_grams(read, horizon, folds, bits_for(articles))
    if grams is None:
        return None
    rows: list[Any] = []
    sides: list[Flags] = []
    held: list[Ints] = []
    for article, row, kind in read():
        words = find_words(article["text"])
        segments, evidence = gather_evidence(article, row, horizon, words)
        features = sentence_features(words, row, kind, segments, evidence, grams, cutoff)
        dated = evidence.late_date | evidence.early_date
        rows.append(features[dated])
        sides.append(evidence.late_date[dated])
        held.append(np.full(int(dated.sum()), row["fold"]))
    return _fit_context(grams, np.concatenate(rows), np.concatenate(sides), np.concatenate(held), folds, seed)


def sentence_features(
    words: Words,
    row: dict[str, Any],
    kind: str,
    segments: Segments,
    evidence: Evidence,
    grams: Any,
    cutoff: Day,
) -> Any:
    """The features of an article's sentences, with the scores of the fold model that did not see it."""
    weights = grams[row["fold"]]
    columns, at = find_grams(words, sentence_of(words, segments), row, len(weights).bit_length() - 1)
    scores = score_grams(columns, at, len(segments), weights)
    return build_features(segments, evidence, scores, row, cutoff, kind)


def _weigh_grams(read: Callable[[], Iterator[Pair]], horizon: Horizon, folds: int, bits: int) -> Any:
    """The log ratio of each gram's rates in late and early sentences, per left-out fold, (folds, 2 ** bits).

    None where too few sentences teach, or only one side does.
    """
    counts = np.zeros((folds, 2, 1 << bits), np.float32)
    taught = np.zeros(2, np.int64)
    for article, row, _ in read():
        segments = segments_of(row)
        late, early = read_dates(row, segments, horizon)
        side, weight = _taught(late, early, np.array(segments.paragraphs, np.int64))
        taught += np.bincount(side[weight > 0], minlength=2)
        if not weight.any():
            continue
        words = find_words(article["text"])
        columns, at = find_grams(words, sentence_of(words, segments), row, bits)
        for which in (0, 1):
            chosen = (weight[at] > 0) & (side[at] == which)
            np.add.at(counts[row["fold"], which], columns[chosen], weight[at[chosen]])
    if taught.sum() < LEAST or not taught.all():
        return None
    sums = counts.sum(axis=0)
    weights = np.zeros((folds, 1 << bits), np.float16)
    for left_out in range(folds):
        rest = sums - counts[left_out]
        rates = np.log((rest + PRIOR) / (rest.sum(axis=1, keepdims=True) + 1))
        weights[left_out] = rates[1] - rates[0]
    return weights


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


def _fit_context(grams: Any, rows: Any, sides: Flags, folds_of: Ints, folds: int, seed: int) -> Model:
    """Forests over the features, one per left-out fold."""
    forests: list[Forest] = []
    for left_out in range(folds):
        chosen = folds_of != left_out
        both = len(np.unique(sides[chosen])) == 2
        forests.append(Forest.fit(rows[chosen], sides[chosen], seed) if both else Forest.empty())
    return Model(grams.astype(np.float16), tuple(forests))
