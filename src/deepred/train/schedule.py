"""What a step is by its number: its learning rate, a linear rise, then one of three courses; which samples it reads.

The order of samples is a function of (seed, epoch, index): nothing is shuffled on disk, nothing is remembered. A
permutation of ``0..n-1`` is computed in place of being stored: a Feistel network over the next power of four, walked
until it falls below n (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002). So a run resumes at any
sample, on any number of ranks, by its number alone.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from deepred.run.config import Pretrain

ROUNDS = 6
"""Rounds of the network: four suffice in theory for large domains, small ones mix better with some more."""


def learning_rate(config: Pretrain, step: int, steps: int) -> float:
    """The rate of a step counted from 0, of ``steps`` in all.

    ``cosine`` falls in half a cosine to the final share, ``wsd`` (warm-up, stable, decay; Hu et al. 2024) stays at the
    peak and falls linearly at the end, so that one run can be prolonged, ``constant`` stays.
    """
    warmup = min(config.warmup_steps, steps) or math.ceil(config.warmup * steps)
    if step < warmup:
        return config.learning_rate * (step + 1) / warmup
    if config.schedule == "constant":
        return config.learning_rate
    begin = warmup if config.schedule == "cosine" else max(warmup, steps - math.ceil(config.decay * steps))
    done = min(1.0, max(0.0, (step - begin) / max(1, steps - 1 - begin)))
    left = 0.5 * (1 + math.cos(math.pi * done)) if config.schedule == "cosine" else 1 - done
    return config.learning_rate * (config.final_rate + (1 - config.final_rate) * left)


def permute(indices: NDArray[np.int64], n: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The places of some indices in the permutation of ``0..n-1`` that belongs to a seed and an epoch.

    >>> sorted(permute(np.arange(5), 5, seed=1, epoch=0).tolist())
    [0, 1, 2, 3, 4]
    """
    half = max(1, ((n - 1).bit_length() + 1) // 2)
    keys = _mix(np.arange(ROUNDS, dtype=np.uint64) + _mix(np.array([seed, epoch], np.uint64) + np.uint64(1))[:, None])
    keys = _mix(keys[0] + keys[1] * np.uint64(3))
    values = indices.astype(np.uint64)
    outside = np.ones(len(values), bool)
    while outside.any():
        values[outside] = _rounds(values[outside], half, keys)
        outside = values >= n
    return values.astype(np.int64)


def samples(first: int, count: int, n: int, seed: int) -> NDArray[np.int64]:
    """Which of n sequences the samples ``first .. first + count - 1`` of a run are; every epoch has its own order."""
    numbers = np.arange(first, first + count, dtype=np.int64)
    chosen = np.empty(count, np.int64)
    for epoch in np.unique(numbers // n):
        here = numbers // n == epoch
        chosen[here] = permute(numbers[here] % n, n, seed, int(epoch))
    return chosen


def _rounds(values: NDArray[np.uint64], half: int, keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    mask = np.uint64((1 << half) - 1)
    left, right = values >> np.uint64(half), values & mask
    for key in keys:
        left, right = right, left ^ (_mix(right + key) & mask)
    return (left << np.uint64(half)) | right


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finalizer of splitmix64 (Steele, Lea and Flood 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
