"""Exact and near-duplicate documents: for every document the one before it that it repeats, if any.

MinHash bands propose pairs (``minhash.py``); a pair counts only when the words themselves agree, and when what
differs is not mostly names and numbers: the pages of two years, made from one template, are two documents. Memory: ten
bytes a document, and ranges of fixed size of what is on disk.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepred.corpus.minhash import NAME, Bands, Signatures, plain, shingles_of

BUCKET_LEADERS = 8
"""Documents of one bucket that the others are compared with: a thousand equal pages must not cost a million pairs."""
RUN = 10
"""Words of a run by which moved blocks are recognised: longer than the sentences that texts of one template share."""
TEMPLATE = 2.5
"""Standard deviations of ``_loss_of_names`` from which two texts share a template. One in a hundred copies with
scattered edits has more than 2.0; of an encyclopedia's pages of single years all but one in forty pairs have 2.5."""
SUBJECT = 0.05
"""Chance, over both texts, below which each is taken to have a subject of its own."""
SAME = 0.98
"""Share from which texts are one whatever differs: a page with another number below it is no other text."""
BLOCK = 1 << 18
"""Documents whose pairs are judged at once."""
NONE, EXACT, NEAR = 0, 1, 2
"""Kinds of repetition."""


def resemblance(a: NDArray[np.uint32], b: NDArray[np.uint32], least: float = 0.0) -> float:
    """The share of the longer text's words that both have: in the same order, or in runs of ten where blocks moved.

    0 where it cannot reach ``least``. Time is the product of the lengths, 64 words at a time.

    >>> text = np.arange(0, 200, 2, dtype=np.uint32)
    >>> resemblance(text, np.delete(text, [5, 50])), resemblance(text, np.roll(text, 40))
    (0.98, 1.0)
    """
    longest, shortest = max(len(a), len(b)), min(len(a), len(b))
    if not shortest or shortest < least * longest:
        return 0.0
    first, second = plain(a).tolist(), plain(b).tolist()
    if (Counter(first) & Counter(second)).total() < least * longest:
        return 0.0
    moved = min(_covered(a, b), _covered(b, a))
    if moved == 1.0:
        return moved
    common = common_subsequence(first, second)
    share = max(moved, common / longest)
    if share < SAME and min(_loss_of_names(a, b, common), _loss_of_names(b, a, common)) > TEMPLATE:
        return 0.0
    if _chance_of_subject(a, b, common) * _chance_of_subject(b, a, common) < SUBJECT:
        return 0.0
    return share


def _names(words: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The words that are written as names wherever they stand in a text, in their order."""
    every, marked = plain(words), (words & NAME).astype(bool)
    return every[np.isin(every, np.setdiff1d(every[marked], every[~marked]))]


def _chance_of_subject(a: NDArray[np.uint32], b: NDArray[np.uint32], common: int) -> float:
    """How likely it is that random edits took away every mention of the name which the second text never has.

    Of those names the one that the first mentions most often: two texts that each repeat a name of their own have two
    subjects, such as two years.
    """
    names, mentions = np.unique(_names(a), return_counts=True)
    missing = mentions[~np.isin(names, plain(b))]
    most = int(missing.max(initial=0))
    return min(1.0, len(names) * (1 - common / len(a)) ** most) if most > 1 else 1.0


def _loss_of_names(a: NDArray[np.uint32], b: NDArray[np.uint32], common: int) -> float:
    """By how many standard deviations more of the first text's names than of its words are lost in the second."""
    first, second = _names(a), plain(b)
    second = second[np.isin(second, first)]
    rate = 1 - common / len(a)
    if not len(first) or rate <= 0:
        return 0.0
    lost = len(first) - common_subsequence(first.tolist(), second.tolist())
    return (lost - rate * len(first)) / math.sqrt(rate * (1 - rate) * len(first)) if rate < 1 else 0.0


def common_subsequence(a: list[int], b: list[int]) -> int:
    """The length of the longest common subsequence, by bit-parallel dynamic programming (Hyyrö 2004)."""
    places: dict[int, int] = {}
    for place, word in enumerate(a):
        places[word] = places.get(word, 0) | 1 << place
    full = (1 << len(a)) - 1
    row = full
    for word in b:
        hits = row & places.get(word, 0)
        row = ((row + hits) | (row - hits)) & full
    return len(a) - row.bit_count()


def _covered(a: NDArray[np.uint32], b: NDArray[np.uint32]) -> float:
    """The share of the first text's words that stand in a run of ten which the second has too."""
    shared = np.isin(shingles_of(a, RUN), shingles_of(b, RUN))
    covered = np.zeros(len(a), bool)
    for place in range(min(RUN, len(a))):
        covered[place : place + len(shared)] |= shared
    return float(covered.mean())


def find_duplicates(
    signatures: Signatures, threshold: float, scratch: Path
) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """For every document how it repeats an earlier kept one (NONE, EXACT, NEAR), and which; -1 where it does not.

    ``scratch`` holds the proposed pairs meanwhile.
    """
    kinds = np.zeros(len(signatures), np.int8)
    originals = np.full(len(signatures), -1, np.int64)
    for hashes, documents in signatures.exact():
        place, leader = _buckets(hashes)
        later = place > 0
        kinds[documents[later]] = EXACT
        originals[documents[later]] = documents[leader[later]]
    if threshold <= 0:
        return kinds, originals
    for later, earlier in _candidates(signatures, Bands.of(threshold), kinds == NONE, scratch):
        if kinds[later] != NONE or kinds[earlier] != NONE:
            continue
        if resemblance(signatures.words(earlier), signatures.words(later), threshold) >= threshold:
            kinds[later] = NEAR
            originals[later] = earlier
    return kinds, originals


def _buckets(hashes: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For sorted hashes: every one's place among its equals, and the index of the first of them."""
    if not len(hashes):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    edges = np.flatnonzero(np.concatenate([[True], hashes[1:] != hashes[:-1]]))
    leader = np.repeat(edges, np.diff(np.append(edges, len(hashes))))
    return np.arange(len(hashes)) - leader, leader


def _candidates(
    signatures: Signatures, bands: Bands, alive: NDArray[np.bool_], scratch: Path
) -> Iterator[tuple[int, int]]:
    """Pairs (later, earlier) that share a band, by the later document: so what an early one decides stands first."""
    files = [scratch / f"pairs-{number:05d}" for number in range(-(-len(signatures) // BLOCK))]
    for file in files:
        file.unlink(missing_ok=True)  # of an interrupted attempt
    for number in range(bands.count):
        for hashes, documents in signatures.band(number):
            kept = alive[documents]
            for pairs in _pairs(hashes[kept], documents[kept]):
                block = pairs[:, 0] // BLOCK
                for one in np.unique(block).tolist():
                    with files[one].open("ab") as file:
                        file.write(np.ascontiguousarray(pairs[block == one]).tobytes())
    for file in files:
        if file.exists():
            pairs = np.unique(np.fromfile(file, np.int64).reshape(-1, 2), axis=0)
            yield from ((int(later), int(earlier)) for later, earlier in pairs)


def _pairs(hashes: NDArray[np.uint64], documents: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Every member of a bucket with the bucket's first ones."""
    place, leader = _buckets(hashes)
    for back in range(BUCKET_LEADERS):
        later = np.flatnonzero(place > back)
        if not len(later):
            return
        yield np.stack([documents[later], documents[leader[later] + back]], axis=1)
