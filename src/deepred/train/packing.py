"""How documents become sequences of equal length: cut from one stream, or packed so that few documents are cut.

A sequence is ``length`` tokens and the target of its last one. ``contiguous`` cuts the stream of all documents at
every ``length``-th token. ``best-fit`` packs whole documents (after Ding et al. 2024, "Fewer Truncations Improve
Language Modeling"): one or two that fill the sequence exactly, else the longest that fits; where none does, the longest
is cut and its rest goes back to the others, so that no token is lost and none is padding. Either way it is a function
of the documents' lengths alone.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Numbers = Sequence[int] | NDArray[np.int64]
Span = tuple[int, int]
"""Where a document begins in the stream, and its number of tokens."""

POOL = 256
"""Sequences' worth of tokens that wait for a fitting place while documents are still to come: the choice is wide enough
that a sequence is filled to the last token almost always, and memory stays flat."""


class Stream(Protocol):
    """Tokens of all documents, one after the other."""

    def __len__(self) -> int: ...

    def read(self, start: int, count: int) -> NDArray[np.int64]:
        """``count`` tokens from ``start``."""
        ...


class Sequences(Protocol):
    """The sequences of a corpus, by number."""

    def __len__(self) -> int: ...

    def batch(self, numbers: Numbers) -> NDArray[np.int64]:
        """The sequences of these numbers; shape (sequences, length + 1)."""
        ...

    def facts(self) -> dict[str, Any]:
        """What the manifest says of the packing."""
        ...


class Contiguous:
    """The stream, cut at every ``length``-th token."""

    def __init__(self, stream: Stream, length: int) -> None:
        self._stream, self._length = stream, length

    def __len__(self) -> int:
        return max(0, (len(self._stream) - 1) // self._length)

    def batch(self, numbers: Numbers) -> NDArray[np.int64]:
        """The sequences of these numbers; shape (sequences, length + 1)."""
        return np.stack([self._stream.read(int(number) * self._length, self._length + 1) for number in numbers])

    def facts(self) -> dict[str, Any]:
        """Nothing beside its name."""
        return {"packing": "contiguous"}


class BestFit:
    """Documents packed whole wherever one fits."""

    def __init__(self, stream: Stream, length: int, documents: Iterable[Span]) -> None:
        self._stream, self._length = stream, length
        bins = _Bins(length)
        for start, size in documents:
            bins.add(start, size)
        bins.finish()
        self._starts = np.frombuffer(bins.starts, np.int64)
        self._sizes = np.frombuffer(bins.sizes, np.int32)
        self._firsts = np.frombuffer(bins.firsts, np.int64)
        self._facts = {"packing": "best-fit", "documents": bins.documents, "too_long": bins.too_long, "cut": bins.cut}

    def __len__(self) -> int:
        return len(self._firsts) - 1

    def batch(self, numbers: Numbers) -> NDArray[np.int64]:
        """The sequences of these numbers; shape (sequences, length + 1)."""
        found = np.empty((len(numbers), self._length + 1), np.int64)
        for row, number in zip(found, numbers, strict=True):
            at = 0
            for piece in range(self._firsts[number], self._firsts[number + 1]):
                size = int(self._sizes[piece])
                row[at : at + size] = self._stream.read(int(self._starts[piece]), size)
                at += size
        return found

    def facts(self) -> dict[str, Any]:
        """Documents packed, longer than a sequence (cut in any packing), and cut though they would have fitted."""
        return self._facts


class _Bins:
    """Documents on their way into sequences."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._capacity = length + 1
        self._waiting: list[list[int]] = [[] for _ in range(self._capacity + 1)]
        """Starts of the pieces that wait, by size."""
        self._sizes = self._mirror = 0
        """Bit ``n`` and bit ``capacity - n`` are set where a piece of ``n`` tokens waits: what fits is a shift away."""
        self._tokens = 0
        self._whole: set[int] = set()
        """Starts of waiting pieces that are whole documents."""
        self.starts, self.sizes, self.firsts = array("q"), array("i"), array("q", [0])
        self.documents = self.too_long = self.cut = 0

    def add(self, start: int, size: int) -> None:
        """Take one document; what is longer than a sequence fills some whole, and its end waits like the others."""
        self.documents += 1
        if size > self._capacity:
            self.too_long += 1
            while size > self._capacity:
                self._place(start, self._capacity)
                self._close()
                start, size = start + self._length, size - self._length
        else:
            self._whole.add(start)
        self._wait(start, size)
        while self._tokens >= POOL * self._capacity:
            self._fill()

    def finish(self) -> None:
        """Fill sequences while the tokens left suffice for one."""
        while self._tokens >= self._capacity:
            self._fill()

    def _wait(self, start: int, size: int) -> None:
        if not self._waiting[size]:
            self._turn(size)
        self._waiting[size].append(start)
        self._tokens += size

    def _take(self, size: int) -> int:
        start = self._waiting[size].pop()
        if not self._waiting[size]:
            self._turn(size)
        self._tokens -= size
        return start

    def _turn(self, size: int) -> None:
        self._sizes ^= 1 << size
        self._mirror ^= 1 << (self._capacity - size)

    def _fill(self) -> None:
        """One sequence from the pieces that wait."""
        space = self._capacity
        while space and (size := self._fitting(space)):
            start = self._take(size)
            self._whole.discard(start)
            self._place(start, size)
            space -= size
        if space:
            self._cut(space)
        self._close()

    def _fitting(self, space: int) -> int:
        """The size to place next: one that fills the space, else the larger of two that do, else the largest; or 0."""
        fitting = self._sizes & ((2 << space) - 1)
        if fitting >> space:
            return space
        pairs = fitting & (self._mirror >> (self._capacity - space))
        if space % 2 == 0 and len(self._waiting[space // 2]) == 1:
            pairs &= ~(1 << (space // 2))  # one piece is no pair
        return (pairs or fitting).bit_length() - 1 if fitting else 0

    def _cut(self, space: int) -> None:
        """Fill the space with the beginning of the longest piece; its rest waits."""
        size = self._sizes.bit_length() - 1
        start = self._take(size)
        self._place(start, space)
        if space > 1:  # a single token is a target only: its document is not cut
            self.cut += start in self._whole
            self._whole.discard(start)
        self._wait(start + space - 1, size - space + 1)  # the last target is the first input of the rest

    def _place(self, start: int, size: int) -> None:
        self.starts.append(start)
        self.sizes.append(size)

    def _close(self) -> None:
        self.firsts.append(len(self.starts))
