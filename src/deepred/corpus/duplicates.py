"""Exact and near-duplicate documents, found with arrays on disk: memory stays flat in the size of the corpus.

In: for every document the set of its word 5-grams (shingles, as 32-bit hashes). Out: for every document the one before
it that it repeats, if any. MinHash signatures cut into bands propose pairs; a pair counts only when the Jaccard
similarity of the two shingle sets themselves reaches the threshold, so documents made from one template, such as chess
games, stay apart. (Broder 1997; Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3.)
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

SHINGLE = 5
"""Words of a shingle: fewer merge templated documents, more miss copies with scattered edits."""
PERMUTATIONS = 128
"""Values of a MinHash signature: the similarity that bands see is known within about 0.04."""
RECALL = 0.99
"""Chance that a pair exactly at the threshold shares a band; pairs above it share one almost surely."""
BUCKET_LEADERS = 32
"""Documents of one bucket that the others are compared with: a thousand equal pages must not cost a million pairs."""
NONE, EXACT, NEAR = 0, 1, 2
"""Kinds of repetition."""


@dataclass(frozen=True)
class Bands:
    """How a signature is cut: ``count`` bands of ``rows`` values."""

    count: int
    rows: int

    @staticmethod
    def of(threshold: float) -> Bands:
        """The widest bands that still find a pair at the threshold with the wanted recall.

        >>> Bands.of(0.8)
        Bands(count=21, rows=6)
        """
        for rows in range(PERMUTATIONS, 1, -1):
            count = PERMUTATIONS // rows
            if 1 - (1 - threshold**rows) ** count >= RECALL:
                return Bands(count, rows)
        return Bands(PERMUTATIONS, 1)


def exact_hash(text: str) -> int:
    """A 64-bit hash of a text; white space counts for nothing: ``exact_hash("a  b") == exact_hash("a b\\\\n")``."""
    return int.from_bytes(hashlib.blake2b(" ".join(text.split()).encode(), digest_size=8).digest(), "little")


def shingles_of(words: Sequence[str]) -> NDArray[np.uint32]:
    """The set of a text's word 5-grams as sorted 32-bit hashes; a shorter text is one shingle, an empty one none."""
    if not words:
        return np.zeros(0, np.uint32)
    hashes = np.fromiter((zlib.crc32(word.encode()) for word in words), np.uint64, len(words))
    size = min(SHINGLE, len(hashes))
    mixed = np.zeros(len(hashes) - size + 1, np.uint64)
    for place in range(size):
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + hashes[place : place + len(mixed)] + np.uint64(1)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return np.unique((mixed >> np.uint64(32)).astype(np.uint32))


def jaccard(a: NDArray[np.uint32], b: NDArray[np.uint32]) -> float:
    """Shared shingles over all shingles of two sorted sets; two empty sets are not alike."""
    shared = len(np.intersect1d(a, b, assume_unique=True))
    union = len(a) + len(b) - shared
    return shared / union if union else 0.0


@cache
def _minhash() -> tuple[Callable[..., Any], Any]:
    from datasketch import MinHash

    first = MinHash(num_perm=PERMUTATIONS, seed=1, hashfunc=int, scheme="affine32")
    return MinHash, first.permutations


def band_hashes(shingles: NDArray[np.uint32], bands: Bands) -> NDArray[np.uint64]:
    """One hash a band of the MinHash signature of a set of shingles; shape (bands,)."""
    make, permutations = _minhash()
    sketch = make(num_perm=PERMUTATIONS, seed=1, hashfunc=int, permutations=permutations, scheme="affine32")
    sketch.update_batch(shingles.tolist())
    values = sketch.hashvalues.astype(np.uint64)[: bands.count * bands.rows].reshape(bands.count, bands.rows)
    mixed = np.full(bands.count, 0x51ED270B27B4F3CF, np.uint64)
    for row in range(bands.rows):
        mixed = (mixed ^ values[:, row]) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(31)
    return mixed


class SignatureWriter:
    """Appends documents to the files of one part: ``NAME.exact``, ``.bands``, ``.shingles`` and their ``.ends``."""

    def __init__(self, folder: Path, name: str, bands: Bands | None) -> None:
        self.bands = bands
        self._files = {kind: (folder / f"{name}.{kind}").open("wb") for kind in ("exact", "bands", "shingles", "ends")}
        self._end = 0

    def add(self, text: str, words: Sequence[str]) -> None:
        """Add the next document."""
        self._files["exact"].write(np.uint64(exact_hash(text)).tobytes())
        if self.bands is None:
            return
        shingles = shingles_of(words)
        self._end += len(shingles)
        self._files["bands"].write(band_hashes(shingles, self.bands).tobytes())
        self._files["shingles"].write(shingles.tobytes())
        self._files["ends"].write(np.int64(self._end).tobytes())

    def close(self) -> None:
        """Finish the files."""
        for file in self._files.values():
            file.close()


class Signatures:
    """The signatures of several parts as one sequence of documents, memory-mapped."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._folder = folder
        self._names = names
        self.sizes = [(folder / f"{name}.exact").stat().st_size // 8 for name in names]
        self.starts = np.concatenate([[0], np.cumsum(self.sizes)]).astype(np.int64)
        self._ends = [self._map(name, "ends", np.int64) for name in names]
        self._shingles = [self._map(name, "shingles", np.uint32) for name in names]

    def _map(self, name: str, kind: str, dtype: type) -> NDArray[Any]:
        path = self._folder / f"{name}.{kind}"
        return np.memmap(path, dtype, "r") if path.stat().st_size else np.zeros(0, dtype)

    def __len__(self) -> int:
        return int(self.starts[-1])

    def exact(self) -> NDArray[np.uint64]:
        """The exact hash of every document."""
        return np.concatenate([np.zeros(0, np.uint64), *(self._map(name, "exact", np.uint64) for name in self._names)])

    def band(self, number: int, bands: Bands) -> NDArray[np.uint64]:
        """The hash of one band of every document; documents without words never share one."""
        parts = [self._map(name, "bands", np.uint64).reshape(-1, bands.count)[:, number] for name in self._names]
        return np.concatenate([np.zeros(0, np.uint64), *parts])

    def shingles(self, document: int) -> NDArray[np.uint32]:
        """The shingles of a document."""
        part = int(np.searchsorted(self.starts, document, "right")) - 1
        row = document - int(self.starts[part])
        first = int(self._ends[part][row - 1]) if row else 0
        return cast("NDArray[np.uint32]", self._shingles[part][first : int(self._ends[part][row])])


def find_duplicates(signatures: Signatures, threshold: float) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """For every document how it repeats an earlier kept one (NONE, EXACT, NEAR), and which; -1 where it does not."""
    kinds = np.zeros(len(signatures), np.int8)
    originals = np.full(len(signatures), -1, np.int64)
    _, first, which = np.unique(signatures.exact(), return_index=True, return_inverse=True)
    source = first[which]
    repeated = source != np.arange(len(signatures))
    kinds[repeated] = EXACT
    originals[repeated] = source[repeated]
    if threshold <= 0:
        return kinds, originals
    for later, earlier in _candidates(signatures, Bands.of(threshold), kinds == NONE):
        if kinds[later] != NONE or kinds[earlier] != NONE:
            continue
        if jaccard(signatures.shingles(later), signatures.shingles(earlier)) >= threshold:
            kinds[later] = NEAR
            originals[later] = earlier
    return kinds, originals


def _candidates(signatures: Signatures, bands: Bands, alive: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Pairs (later, earlier) that share a band, by the later document: so what an early one decides stands first."""
    found: list[NDArray[np.int64]] = []
    documents = np.flatnonzero(alive)
    for number in range(bands.count):
        hashes = signatures.band(number, bands)[documents]
        order = np.argsort(hashes, kind="stable")
        sorted_hashes = hashes[order]
        edges = np.flatnonzero(np.diff(sorted_hashes, prepend=~sorted_hashes[:1])) if len(order) else order
        place_in_bucket = np.arange(len(order)) - np.repeat(edges, np.diff(np.append(edges, len(order))))
        for back in range(1, BUCKET_LEADERS + 1):
            # every member meets the bucket's first ones: the member at place p is `p` after the leader of place 0
            later = np.flatnonzero(place_in_bucket >= back)
            if not len(later):
                break
            leader = later - place_in_bucket[later] + back - 1
            found.append(np.stack([documents[order[later]], documents[order[leader]]], axis=1))
    if not found:
        return []
    pairs = np.unique(np.concatenate(found), axis=0)
    return [(int(later), int(earlier)) for later, earlier in pairs]
