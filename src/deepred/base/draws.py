"""Draws that only a seed decides, the same on every machine, whatever the order and the number of workers."""

from __future__ import annotations

import hashlib
import heapq
from typing import Generic, TypeVar

Item = TypeVar("Item", bytes, int)


def rank_of(*parts: object) -> int:
    """The rank below 2**64 of what is drawn for a purpose: ``rank_of(seed, "audit", page_id)``."""
    text = ":".join(map(str, parts))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


class Lowest(Generic[Item]):
    """The items of the lowest ranks among all that are offered, ``size`` at most.

    >>> lowest = Lowest[int](2)
    >>> for rank, item in ((5, 50), (3, 30), (4, 40)):
    ...     lowest.offer(rank, item)
    >>> lowest.ranked()
    [(3, 30), (4, 40)]
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._heap: list[tuple[int, Item]] = []
        """Negative ranks, so that the highest comes first."""

    def takes(self, rank: int) -> bool:
        """Whether an item of this rank would be kept now; asked where making the item is work."""
        return len(self._heap) < self.size or (self.size > 0 and -rank > self._heap[0][0])

    def offer(self, rank: int, item: Item) -> None:
        """Keep the item if its rank is among the lowest."""
        if len(self._heap) < self.size:
            heapq.heappush(self._heap, (-rank, item))
        elif self.takes(rank):
            heapq.heapreplace(self._heap, (-rank, item))

    def ranked(self) -> list[tuple[int, Item]]:
        """What was kept, each with its rank, the lowest first."""
        return [(-rank, item) for rank, item in sorted(self._heap, reverse=True)]
