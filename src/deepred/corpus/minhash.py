"""What documents are compared by, on disk: hashes of the whole text, MinHash bands, and the words as numbers.

In: documents one by one. Out: per part, arrays of which every band is sorted already, so that a band of all parts can
be read in ranges of its hashes: memory does not grow with the corpus. (Broder 1997; Leskovec, Rajaraman and Ullman,
"Mining of Massive Datasets", chapter 3.)
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

SHINGLE = 3
"""Words of a shingle. Of a copy with every tenth word changed 73% of the 3-grams survive, but 59% of the 5-grams."""
PERMUTATIONS = 256
"""Values of a MinHash signature; with 128 the bands that find such copies also propose many strangers."""
RECALL = 0.9
"""Chance that a pair just at the threshold shares a band; at a tenth of the words changed it is above 0.99."""
NAME = np.uint32(1)
"""Bit of a word's number that marks a name."""
RANGE = 1 << 20
"""Documents of which one range of a band's hashes is read at once, at about 120 bytes each."""


@dataclass(frozen=True)
class Bands:
    """How a signature is cut: ``count`` bands of ``rows`` values."""

    count: int
    rows: int

    @staticmethod
    def of(share: float) -> Bands:
        """The widest bands that find a copy of which this share of the words is left, at random places.

        >>> Bands.of(0.85)
        Bands(count=64, rows=4)
        """
        survive = share**SHINGLE
        jaccard = survive / (2 - survive)
        for rows in range(PERMUTATIONS, 1, -1):
            count = PERMUTATIONS // rows
            if 1 - (1 - jaccard**rows) ** count >= RECALL:
                return Bands(count, rows)
        return Bands(PERMUTATIONS, 1)


def exact_hash(text: str) -> int:
    """A 64-bit hash of a text; white space counts for nothing: ``exact_hash("a  b") == exact_hash("a b\\\\n")``."""
    return int.from_bytes(hashlib.blake2b(" ".join(text.split()).encode(), digest_size=8).digest(), "little")


def numbers_of(words: Sequence[str]) -> NDArray[np.uint32]:
    """The words as numbers, in their order: 31 bits of a hash without capitals, and whether it looks like a name.

    A name here is what begins with no small letter: names, numbers, and the first words of sentences.
    """
    numbers = np.fromiter((zlib.crc32(word.lower().encode()) for word in words), np.uint32, len(words))
    named = np.fromiter((not word[:1].islower() for word in words), bool, len(words))
    return (numbers & ~NAME) | named


def plain(words: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The words without the mark of names: equal for ``Rush`` and ``rush``."""
    return words & ~NAME


def shingles_of(words: NDArray[np.uint32], size: int = SHINGLE) -> NDArray[np.uint32]:
    """The hash of every run of ``size`` words, in their order; a shorter text is one shingle, an empty one none."""
    words = plain(words)
    if not len(words):
        return words
    size = min(size, len(words))
    mixed = np.zeros(len(words) - size + 1, np.uint64)
    for place in range(size):
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + words[place : place + len(mixed)] + np.uint64(1)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return (mixed >> np.uint64(32)).astype(np.uint32)


@cache
def _minhash() -> tuple[Callable[..., Any], Any]:
    from datasketch import MinHash

    first = MinHash(num_perm=PERMUTATIONS, seed=1, hashfunc=int, scheme="affine32")
    return MinHash, first.permutations


def band_hashes(shingles: NDArray[np.uint32], bands: Bands) -> NDArray[np.uint64]:
    """One hash a band of the MinHash signature of a set of shingles; shape (bands,)."""
    make, permutations = _minhash()
    sketch = make(num_perm=PERMUTATIONS, seed=1, hashfunc=int, permutations=permutations, scheme="affine32")
    sketch.update_batch(np.unique(shingles).tolist())
    values = sketch.hashvalues.astype(np.uint64)[: bands.count * bands.rows].reshape(bands.count, bands.rows)
    mixed = np.full(bands.count, 0x51ED270B27B4F3CF, np.uint64)
    for row in range(bands.rows):
        mixed = (mixed ^ values[:, row]) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(31)
    return mixed


class SignatureWriter:
    """Writes one part's documents: ``NAME.exact.npy``, ``.bands.npy``, their ``-order``, ``.words`` and ``.ends``."""

    def __init__(self, folder: Path, name: str, bands: Bands | None) -> None:
        self._bands = bands
        self._path = folder / name
        self._exact: list[int] = []
        self._hashes: list[NDArray[np.uint64]] = []
        self._documents: list[int] = []
        self._ends: list[int] = []
        self._words = Path(f"{self._path}.words").open("wb")  # noqa: SIM115 - closed by close()

    def add(self, text: str, words: Sequence[str]) -> None:
        """Add the next document, its words as they are written; without bands or words only equal texts repeat it."""
        if self._bands is not None and words:
            numbers = numbers_of(words)
            self._hashes.append(band_hashes(shingles_of(numbers), self._bands))
            self._documents.append(len(self._exact))
            self._words.write(numbers.tobytes())
        self._exact.append(exact_hash(text))
        self._ends.append(self._words.tell() // 4)

    def close(self) -> None:
        """Sort and finish the files."""
        self._words.close()
        np.save(f"{self._path}.ends.npy", np.array(self._ends, np.int64))
        self._save("exact", np.array([self._exact], np.uint64), np.arange(len(self._exact), dtype=np.uint32))
        if self._bands is not None:
            count = self._bands.count
            hashes = np.array(self._hashes, np.uint64).reshape(-1, count).T
            self._save("bands", hashes, np.array(self._documents, np.uint32))

    def _save(self, kind: str, hashes: NDArray[np.uint64], documents: NDArray[np.uint32]) -> None:
        order = np.argsort(hashes, axis=1, kind="stable")
        np.save(f"{self._path}.{kind}.npy", np.take_along_axis(hashes, order, axis=1))
        np.save(f"{self._path}.{kind}-order.npy", documents[order])


class Signatures:
    """The signatures of several parts as one sequence of documents, memory-mapped."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._folder = folder
        self._names = names
        self._ends = [_load(folder / f"{name}.ends.npy") for name in names]
        self.starts = np.concatenate([[0], np.cumsum([len(ends) for ends in self._ends])]).astype(np.int64)
        self._words = [_map_words(folder / f"{name}.words") for name in names]

    def __len__(self) -> int:
        return int(self.starts[-1])

    def exact(self) -> Iterator[tuple[NDArray[np.uint64], NDArray[np.int64]]]:
        """Hashes of the whole texts and their documents, sorted by both, in ranges that no hash crosses."""
        return self._ranges("exact", 0)

    def band(self, number: int) -> Iterator[tuple[NDArray[np.uint64], NDArray[np.int64]]]:
        """The same of one band, for the documents that have bands."""
        return self._ranges("bands", number)

    def _ranges(self, kind: str, row: int) -> Iterator[tuple[NDArray[np.uint64], NDArray[np.int64]]]:
        paths = [(f"{name}.{kind}.npy", f"{name}.{kind}-order.npy") for name in self._names]
        parts = [
            (int(start), hashes[row], _load(self._folder / ordered)[row])
            for start, (file, ordered) in zip(self.starts, paths)
            if (self._folder / file).exists() and (hashes := _load(self._folder / file)).shape[1]
        ]
        count = max(1, -(-len(self) // RANGE))
        for number in range(count):
            low, high = (np.uint64(min(2**64 - 1, place * (2**64 // count))) for place in (number, number + 1))
            found: list[NDArray[np.uint64]] = [np.zeros(0, np.uint64)]
            documents: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
            for start, hashes, order in parts:
                first = int(np.searchsorted(hashes, low)) if number else 0
                last = int(np.searchsorted(hashes, high)) if number + 1 < count else len(hashes)
                found.append(np.asarray(hashes[first:last]))
                documents.append(order[first:last].astype(np.int64) + start)
            joined, numbers = np.concatenate(found), np.concatenate(documents)
            sort = np.lexsort((numbers, joined))
            yield joined[sort], numbers[sort]

    def words(self, document: int) -> NDArray[np.uint32]:
        """The words of a document as numbers, in their order; none where it has no bands."""
        part = int(np.searchsorted(self.starts, document, "right")) - 1
        row = document - int(self.starts[part])
        first = int(self._ends[part][row - 1]) if row else 0
        return self._words[part][first : int(self._ends[part][row])]


def _load(path: Path) -> NDArray[Any]:
    return cast("NDArray[Any]", np.load(path, mmap_mode="r"))


def _map_words(path: Path) -> NDArray[np.uint32]:
    return np.memmap(path, np.uint32, "r") if path.stat().st_size else np.zeros(0, np.uint32)
