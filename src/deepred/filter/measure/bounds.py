"""Exact bounds of shares seen in samples: Clopper and Pearson (1934), and their sum over strata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """A stratum: how many sentences it stands for, how many of them were labelled, and how many of these are late."""

    sentences: int
    labelled: int
    late: int


def clopper_pearson(hits: int, trials: int, confidence: float) -> tuple[float, float]:
    """The exact two-sided interval of a share; ``(0, 1)`` without trials.

    >>> [round(bound, 4) for bound in clopper_pearson(0, 100, 0.95)]
    [0.0, 0.0362]
    """
    from scipy.stats import beta

    tail = (1 - confidence) / 2
    low = 0.0 if hits == 0 else float(beta.ppf(tail, hits, trials - hits + 1))
    high = 1.0 if hits == trials else float(beta.ppf(1 - tail, hits + 1, trials - hits))
    return low, high


def reweighted(strata: Sequence[Estimate], confidence: float) -> dict[str, float]:
    """The share of late sentences over all strata, weighted by their sizes, with conservative bounds.

    Every stratum's interval holds at a level that makes all hold together (Bonferroni), so that their weighted sum is
    a bound of the whole; a stratum without labels counts as anything from none to all.
    """
    total = sum(stratum.sentences for stratum in strata)
    joint = 1 - (1 - confidence) / max(len(strata), 1)
    estimate = low = high = 0.0
    for stratum in strata:
        weight = stratum.sentences / total
        bounds = clopper_pearson(stratum.late, stratum.labelled, joint)
        estimate += weight * (stratum.late / stratum.labelled if stratum.labelled else 0.5)
        low += weight * bounds[0]
        high += weight * bounds[1]
    return {"estimate": estimate, "low": low, "high": high}
