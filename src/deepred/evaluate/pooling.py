"""Several trainings as one measurement: scores of facts pooled over seeds, with intervals that know what is shared.

A point is the score of one fact in one training. Points are drawn in clusters: facts that share an answer are not
independent, nor are the trainings that were asked the same fact. In the generated world every seed has facts of its own
and is a stratum of its own; on real data the seeds answer the same facts, which are clusters over all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from deepred.evaluate.effective_cutoff import Changepoint, effective_cutoff
from deepred.evaluate.statistics import MIN_FAMILIES, POWER, Figure, Resampling, Scores, exact_bounds, holm, interval


@dataclass(frozen=True)
class Point:
    """One fact in one training: where it belongs, when it was first knowable, and its score."""

    stratum: str
    cluster: str
    family: str
    era: str
    year: float
    score: float


Points = Sequence[Point]


def resampled(points: Points, how: Resampling) -> Scores:
    """Means of resamples that draw whole clusters, within every stratum, with replacement."""
    generator = np.random.default_rng(how.seed)
    total, size = np.zeros(how.resamples), np.zeros(how.resamples)
    for stratum in sorted({point.stratum for point in points}):
        here = [point for point in points if point.stratum == stratum]
        number = {name: place for place, name in enumerate(sorted({point.cluster for point in here}))}
        places = np.array([number[point.cluster] for point in here])
        sums = np.bincount(places, [point.score for point in here], len(number))
        sizes = np.bincount(places, minlength=len(number))
        counts = generator.multinomial(len(number), np.full(len(number), 1 / len(number)), size=how.resamples)
        total += counts @ sums
        size += counts @ sizes
    return total / np.maximum(size, 1)


def mean_figure(points: Points, how: Resampling, share: bool = False) -> Figure:
    """The pooled mean with its interval and the smallest effect that would have been seen; ``share``: an accuracy."""
    clusters = len({(point.stratum, point.cluster) for point in points})
    if clusters < MIN_FAMILIES:
        return Figure(None, None, None, len(points), f"too few families: {clusters}")
    means = resampled(points, how)
    value = sum(point.score for point in points) / len(points)
    low, high = interval(means, how.confidence)
    if share and value in (0.0, 1.0):
        low, high = exact_bounds(value == 1.0, clusters, how.confidence)
    return Figure(value, low, high, len(points), detectable=None if share else detectable(means, how))


def detectable(means: Scores, how: Resampling) -> float:
    """The smallest true effect told from zero four times in five, at the spread of resampled means."""
    normal = NormalDist()
    return float((normal.inv_cdf((1 + how.confidence) / 2) + normal.inv_cdf(POWER)) * means.std(ddof=1))


def minus(points: Points, others: Points) -> list[Point]:
    """The differences between two arms, fact by fact within each training; facts that one lacks are left out."""
    known = {(point.stratum, point.family): point.score for point in others}
    return [
        Point(one.stratum, one.cluster, one.family, one.era, one.year, one.score - known[one.stratum, one.family])
        for one in points
        if (one.stratum, one.family) in known
    ]


def of_era(points: Points, era: str) -> list[Point]:
    """The points before or after the cutoff."""
    return [point for point in points if point.era == era]


def contrast(points: Points, is_early: Callable[[Point], bool], how: Resampling) -> Figure:
    """By how much the mean of early points lies above that of late ones."""
    early = [point for point in points if is_early(point)]
    late = [point for point in points if not is_early(point)]
    if min(len(early), len(late)) < MIN_FAMILIES:
        return Figure(None, None, None, len(points), f"too few families: {min(len(early), len(late))}")
    other = Resampling(how.resamples, how.confidence, how.seed + 1)
    falls = resampled(early, how) - resampled(late, other)
    low, high = interval(falls, how.confidence)
    value = sum(p.score for p in early) / len(early) - sum(p.score for p in late) / len(late)
    return Figure(value, low, high, len(points), detectable=detectable(falls, how))


def fall_year(points: Points, how: Resampling) -> Changepoint:
    """The effective cutoff of pooled points."""
    return effective_cutoff([point.year for point in points], [point.score for point in points], how)


def chance_of_none(points: Points, how: Resampling) -> float:
    """One-sided p value against "no gain" by the cluster bootstrap; never exactly zero."""
    means = resampled(points, how)
    return float((1 + np.sum(means <= 0)) / (1 + len(means)))


def adjusted(samples: Sequence[Points], how: Resampling) -> list[float]:
    """Holm's p values of several samples, each against "no gain"; samples too small for a figure count as 1."""
    raw = [chance_of_none(points, how) if len(points) >= MIN_FAMILIES else 1.0 for points in samples]
    return holm(raw)


def quantile_years(points: Points, parts: int) -> list[float]:
    """Years that split points into equal parts: placebo cutoffs."""
    years = sorted(point.year for point in points)
    return [float(math.floor(years[len(years) * part // parts])) for part in range(1, parts)] if years else []
