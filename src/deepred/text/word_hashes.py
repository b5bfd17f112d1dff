"""Words of a text as hashes: vectorised, with offsets, without a Python object per word.

A text becomes an array of code points; words are runs of letters and digits, and a word's hash is a polynomial over
its lower-cased code points, taken from two prefix sums. So a megabyte costs a few passes of numpy. Hashes are equal
for equal words, whatever the text, the machine and the version of Python.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

BASE = 0x9E3779B97F4A7C15  # odd, so that its powers have inverses modulo 2**64
BASE_INVERSE = pow(BASE, -1, 1 << 64)
BLOCK = 1 << 16  # prefix sums restart here: the tables of powers stay small, and a megabyte word is still linear
OTHER, LETTER, DIGIT = 0, 1, 2
_IDEOGRAPHS = (
    (0x2E80, 0x3000),
    (0x3040, 0x31FF + 1),
    (0x3400, 0x9FFF + 1),
    (0xF900, 0xFAFF + 1),
    (0x20000, 0x3FFFF + 1),
)


@lru_cache(maxsize=1)
def _tables() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint32], Flags, Flags]:
    """Per code point: its kind, its lower-case form, whether it is a capital, and whether it is a word by itself."""
    size = 0x110000
    kinds = np.zeros(size, np.uint8)
    lower = np.arange(size, dtype=np.uint32)
    capital = np.zeros(size, np.bool_)
    alone = np.zeros(size, np.bool_)
    for point in range(0x20000):  # beyond lie only ideographs and private characters
        character = chr(point)
        category = unicodedata.category(character)
        if category[0] in "LM":
            kinds[point] = LETTER
            small = character.lower()
            if len(small) == 1:
                lower[point] = ord(small)
            capital[point] = category in ("Lu", "Lt")
        elif category == "Nd":
            kinds[point] = DIGIT
    for first, last in _IDEOGRAPHS:
        alone[first:last] = True
        kinds[first:last] = np.where(kinds[first:last] == OTHER, OTHER, LETTER)
    kinds[0x20000:0x40000] = LETTER
    return kinds, lower, capital, alone


@lru_cache(maxsize=1)
def _powers() -> tuple[Hashes, Hashes]:
    with np.errstate(over="ignore"):
        steps = np.full(BLOCK * 2, BASE, np.uint64)
        steps[0] = 1
        inverse = np.full(BLOCK * 2, BASE_INVERSE, np.uint64)
        inverse[0] = 1
        return np.multiply.accumulate(steps), np.multiply.accumulate(inverse)


def mix(values: Hashes) -> Hashes:
    """Hashes with their bits spread evenly (the finaliser of splitmix64), so that low bits can index a table."""
    with np.errstate(over="ignore"):
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a text, in order."""

    starts: Ints
    ends: Ints
    hashes: Hashes
    """Of the lower-cased word."""
    capital: Flags
    """Whether it begins with a capital letter."""
    number: Flags
    """Whether it holds a digit."""

    def __len__(self) -> int:
        return len(self.starts)


def find_words(text: str) -> Words:
    """The words of a text: runs of letters and digits; an ideograph is a word.

    Apostrophes and hyphens part words, so that "Eagle's" and "Eagle-based" name what "Eagle" names.

    >>> words = find_words("The Eagle's landing, 1969")
    >>> list(zip(words.starts.tolist(), words.ends.tolist()))
    [(0, 3), (4, 9), (10, 11), (12, 19), (21, 25)]
    """
    kinds, lower, capitals, alone = _tables()
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    kind = kinds[points]
    wordy = kind != OTHER
    edges = np.diff(np.concatenate([[False], wordy, [False]]).astype(np.int8))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    lonely = alone[points]
    if lonely.any():
        starts, ends = _cut(starts, ends, np.flatnonzero(lonely & wordy))
    return Words(
        starts,
        ends,
        _hash_spans(lower[points], starts, ends),
        capitals[points[starts]],
        _any_in(kind == DIGIT, starts, ends),
    )


def _cut(starts: Ints, ends: Ints, alone: Ints) -> tuple[Ints, Ints]:
    cuts = np.unique(np.concatenate([starts, ends, alone, alone + 1]))
    firsts, lasts = cuts[:-1], cuts[1:]
    held = np.searchsorted(starts, firsts, "right") - 1
    keep = (held >= 0) & (firsts < ends[np.maximum(held, 0)])
    return firsts[keep], lasts[keep]


def _any_in(flags: Flags, starts: Ints, ends: Ints) -> Flags:
    sums = np.concatenate([[0], np.cumsum(flags)])
    return (sums[ends] - sums[starts]) > 0


def _hash_spans(points: npt.NDArray[np.uint32], starts: Ints, ends: Ints) -> Hashes:
    """Polynomial hashes of spans of code points, from prefix sums that restart every ``BLOCK`` characters."""
    powers, inverses = _powers()
    result = np.zeros(len(starts), np.uint64)
    if not len(starts):
        return result
    with np.errstate(over="ignore"):
        for block in range(0, int(starts[-1]) + 1, BLOCK):
            low, high = np.searchsorted(starts, [block, block + BLOCK])
            if low == high:
                continue
            part = points[block : block + 2 * BLOCK]
            sums = np.concatenate(
                [np.zeros(1, np.uint64), np.cumsum((part.astype(np.uint64) + 1) * powers[: len(part)])]
            )
            first = starts[low:high] - block
            last = np.minimum(ends[low:high] - block, len(part))
            result[low:high] = mix((sums[last] - sums[first]) * inverses[first])
    return result


def hash_words(text: str) -> Hashes:
    """The hashes of a text's words, as ``find_words`` gives them."""
    return find_words(text).hashes


def hash_sequence(hashes: Any) -> int:
    """One hash for a sequence of words, as ``hash_runs`` gives it for the same words in a text."""
    value = 0
    with np.errstate(over="ignore"):
        for position, word in enumerate(np.asarray(hashes, np.uint64)):
            value = (value + int(word) * ((2 * position + 1) * BASE | 1)) & ((1 << 64) - 1)
    return int(mix(np.array([value], np.uint64))[0])


def hash_runs(hashes: Hashes, firsts: Ints, length: int) -> Hashes:
    """The hashes of the runs of ``length`` words that begin at the words ``firsts``; the caller keeps them in range."""
    with np.errstate(over="ignore"):
        value = np.zeros(len(firsts), np.uint64)
        for position in range(length):
            factor = np.uint64(((2 * position + 1) * BASE | 1) & ((1 << 64) - 1))
            value = value + hashes[firsts + position] * factor
    return mix(value)
