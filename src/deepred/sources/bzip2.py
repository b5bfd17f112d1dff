"""The blocks of a bzip2 file, decoded from any place in it, so that workers need neither an index nor a reader.

A bzip2 stream is a header, blocks of at most 900 kB that are compressed on their own, and a footer; blocks begin at
any *bit*, with the 48 bits of pi, and a footer with those of its square root. Finding these marks and putting a header
and a footer around one block makes a stream that the standard library decodes and checks (as ``bzip2recover`` does).
One code path so reads multistream dumps, plain ones and those of ``pbzip2``. Format: https://en.wikipedia.org/wiki/Bzip2
"""

from __future__ import annotations

import bz2
from collections.abc import Iterator
from typing import BinaryIO

BLOCK_MARK = 0x314159265359
FOOTER_MARK = 0x177245385090
MARK_BITS = 48
WINDOW = 1 << 20
"""Bytes searched for marks at a time."""
FALSE_MARKS = 2
"""Marks that may turn out to be ordinary data (one per 2**48 bits) before a block counts as damaged."""


class BlockError(Exception):
    """A block that cannot be decoded; ``offset`` is its first byte in the compressed file."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.offset = offset
        self.reason = reason


def _patterns(mark: int) -> list[tuple[bytes, int]]:
    """The five whole bytes of a mark for each of the eight bit positions, with the bits that come before them."""
    whole = (1 << 40) - 1
    return [((mark >> (8 - before) & whole).to_bytes(5, "big"), before) for before in range(1, 9)]


BLOCK_PATTERNS = _patterns(BLOCK_MARK)
FOOTER_PATTERNS = _patterns(FOOTER_MARK)


def find_marks(window: bytes) -> list[tuple[int, bool]]:
    """The marks that lie wholly in a window: bit position of each and whether it begins a block, in order.

    >>> find_marks(bz2.compress(b"text"))[0]
    (32, True)
    """
    found: list[tuple[int, bool]] = []
    bits = len(window) * 8
    for mark, patterns, is_block in ((BLOCK_MARK, BLOCK_PATTERNS, True), (FOOTER_MARK, FOOTER_PATTERNS, False)):
        for pattern, before in patterns:
            at = window.find(pattern)
            while at >= 0:
                first = at * 8 - before
                if 0 <= first <= bits - MARK_BITS and _bits(window, first, MARK_BITS) == mark:
                    found.append((first, is_block))
                at = window.find(pattern, at + 1)
    return sorted(found)


def _bits(data: bytes, first: int, count: int) -> int:
    """``count`` bits of ``data`` from bit ``first`` as a number."""
    last = first + count
    number = int.from_bytes(data[first // 8 : (last + 7) // 8], "big")
    return number >> (-last % 8) & ((1 << count) - 1)


def iterate_marks(file: BinaryIO, start: int) -> Iterator[tuple[int, bool]]:
    """All marks of a file that begin at byte ``start`` or later, as (bit position, begins a block)."""
    base = start
    file.seek(base)
    window = file.read(WINDOW)
    while window:
        for bit, is_block in find_marks(window):
            yield base * 8 + bit, is_block
        # a mark may lie across two windows: keep as many bytes as it can have before the last whole one
        kept = min(MARK_BITS // 8, len(window) - 1)
        file.seek(base + len(window))
        more = file.read(WINDOW)
        if not more:
            return
        base += len(window) - kept
        window = window[len(window) - kept :] + more


def iterate_blocks(file: BinaryIO, start: int) -> Iterator[tuple[int, bytes]]:
    """The decoded blocks that begin at byte ``start`` or later, each with the byte in which it begins.

    Raises BlockError for a block that is damaged or cut off.
    """
    marks = _distinct(iterate_marks(file, start))
    first, is_block = next(marks, (-1, False))
    while first >= 0:
        if not is_block:
            first, is_block = next(marks, (-1, False))
            continue
        last, next_is_block = next(marks, (-1, False))
        data: bytes | None = None
        if last < 0:
            raise BlockError(first // 8, "the file ends inside a bzip2 block")
        for _ in range(FALSE_MARKS + 1):
            data = decode_block(file, first, last) if last >= 0 else None
            if data is not None:
                break
            last, next_is_block = next(marks, (-1, False))
        if data is None:
            raise BlockError(first // 8, "a bzip2 block is damaged")
        yield first // 8, data
        first, is_block = last, next_is_block


def _distinct(marks: Iterator[tuple[int, bool]]) -> Iterator[tuple[int, bool]]:
    """Marks without those seen twice because they lay in the overlap of two windows."""
    previous = -1
    for mark in marks:
        if mark[0] > previous:
            previous = mark[0]
            yield mark


def decode_block(file: BinaryIO, first: int, last: int) -> bytes | None:
    """The data of the block in bits ``first`` to ``last`` of a file, or None where they are no whole block."""
    file.seek(first // 8)
    raw = file.read((last + 7) // 8 - first // 8)
    count = last - first
    if len(raw) * 8 < first % 8 + count or count < MARK_BITS + 32:
        return None
    block = int.from_bytes(raw, "big") >> (-last % 8) & ((1 << count) - 1)
    crc = block >> (count - MARK_BITS - 32) & 0xFFFFFFFF
    padding = -(count + MARK_BITS + 32) % 8
    stream = ((block << MARK_BITS | FOOTER_MARK) << 32 | crc) << padding
    try:
        return bz2.decompress(b"BZh9" + stream.to_bytes((count + MARK_BITS + 32 + padding) // 8, "big"))
    except (OSError, ValueError):
        return None


def ends_whole(file: BinaryIO, size: int) -> bool:
    """Whether a bzip2 file ends with a footer, read from its last bytes alone."""
    file.seek(max(0, size - 64))
    tail = file.read()
    marks = find_marks(tail)
    return bool(marks) and not marks[-1][1] and len(tail) * 8 - marks[-1][0] < MARK_BITS + 32 + 8
