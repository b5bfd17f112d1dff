"""A bzip2 file decoded from any place in it, so that workers need neither an index nor a central reader.

A multistream dump (and what ``pbzip2`` writes) is many streams in a row: a worker finds the first that begins in its
range by its head, and decodes whole streams. A plain file is one stream of blocks of at most 900 kB, each compressed on
its own: blocks begin at any *bit*, with the 48 bits of pi, and a stream ends with those of its square root. Finding
these marks and putting a header and a footer around one block makes a stream that the standard library decodes and
checks (as ``bzip2recover`` does). Format: https://en.wikipedia.org/wiki/Bzip2
"""

from __future__ import annotations

import bz2
import re
from collections.abc import Iterator
from typing import BinaryIO

BLOCK_MARK = 0x314159265359
FOOTER_MARK = 0x177245385090
MARK_BITS = 48
WINDOW = 1 << 20
"""Bytes searched for marks, or decoded, at a time."""
FALSE_MARKS = 2
"""Marks that may turn out to be ordinary data (one per 2**48 bits) before a block counts as damaged."""
STREAM_HEAD = re.compile(rb"BZh[1-9]1AY&SY")
"""A header and the mark of a first block; in a file of streams it begins at a whole byte."""
HEAD_BYTES = 1 << 21
"""A file without a second stream in its first bytes is read by blocks: streams hold 900 kB of XML or 100 pages."""
LONGEST_BLOCK = 1 << 21
"""Bytes of the file that a block may take: 900 kB of data that cannot be compressed, and half as much again."""


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


PATTERNS = {mark: _patterns(mark) for mark in (BLOCK_MARK, FOOTER_MARK)}


def find_marks(window: bytes, mark: int = BLOCK_MARK) -> list[int]:
    """The bit positions of the marks that lie wholly in a window, in order.

    >>> find_marks(bz2.compress(b"text"))
    [32]
    """
    found: list[int] = []
    bits = len(window) * 8
    for pattern, before in PATTERNS[mark]:
        at = window.find(pattern)
        while at >= 0:
            first = at * 8 - before
            if 0 <= first <= bits - MARK_BITS and _bits(window, first, MARK_BITS) == mark:
                found.append(first)
            at = window.find(pattern, at + 1)
    return sorted(found)


def _bits(data: bytes, first: int, count: int) -> int:
    """``count`` bits of ``data`` from bit ``first`` as a number."""
    last = first + count
    number = int.from_bytes(data[first // 8 : (last + 7) // 8], "big")
    return number >> (-last % 8) & ((1 << count) - 1)


def iterate_blocks(file: BinaryIO, start: int) -> Iterator[tuple[int, bytes]]:
    """What was compressed from byte ``start`` of the file on, in pieces.

    Each piece comes with the byte in which its stream begins, or its block where the file is one stream: whoever reads
    from another place gets the same pieces with the same bytes. Raises BlockError where the file is damaged or cut off.
    """
    file.seek(0)
    if len(STREAM_HEAD.findall(file.read(HEAD_BYTES))) > 1:
        yield from _iterate_streams(file, start)
    else:
        yield from _iterate_single(file, start)


def _iterate_streams(file: BinaryIO, start: int) -> Iterator[tuple[int, bytes]]:
    at = _find_stream(file, start)
    while at >= 0:
        decoder, given, data = bz2.BZ2Decompressor(), 0, b""
        file.seek(at)
        try:
            while not decoder.eof:
                data = file.read(WINDOW) if decoder.needs_input else b""
                if not data and decoder.needs_input:
                    raise EOFError
                piece = decoder.decompress(data, WINDOW)
                given += len(piece)
                yield at, piece
        except (OSError, EOFError) as error:  # by blocks: all before the damage, and where that is
            for _, piece in _iterate_single(file, at):
                if len(piece) > given:
                    yield at, piece[given:]
                given = max(0, given - len(piece))
            raise BlockError(at, f"a bzip2 stream is damaged ({error})") from None
        at = _find_stream(file, file.tell() - len(decoder.unused_data))


def _find_stream(file: BinaryIO, start: int) -> int:
    """The byte in which the first stream from ``start`` on begins, -1 where none does."""
    file.seek(start)
    window = b""
    while more := file.read(WINDOW):
        window += more
        if match := STREAM_HEAD.search(window):
            return file.tell() - len(window) + match.start()
        window = window[-9:]
    return -1


def _iterate_single(file: BinaryIO, start: int) -> Iterator[tuple[int, bytes]]:
    """The blocks that begin at byte ``start`` or later."""
    marks = _iterate_marks(file, start)
    first = next(marks, -1)
    while first >= 0:
        last = next(marks, -1)
        data = _decode(file, first, last)
        for _ in range(FALSE_MARKS):
            if data is not None or last < 0:
                break
            last = next(marks, -1)
            data = _decode(file, first, last)
        if data is None:
            whole = last >= 0 or bool(_find_footers(file, first))
            reason = "a bzip2 block is damaged" if whole else "the file ends inside a bzip2 block"
            raise BlockError(first // 8, reason)
        yield first // 8, data
        first = last


def _iterate_marks(file: BinaryIO, start: int) -> Iterator[int]:
    """The bit positions of all marks of blocks that begin at byte ``start`` or later."""
    base, window, previous = start, b"", -1
    while True:
        file.seek(base + len(window))
        more = file.read(WINDOW)
        if not more:
            return
        window += more
        for bit in find_marks(window):
            if base * 8 + bit > previous:
                previous = base * 8 + bit
                yield previous
        # a mark may lie across two windows: keep as many bytes as it can have before the last whole one
        kept = min(MARK_BITS // 8, len(window) - 1)
        base += len(window) - kept
        window = window[len(window) - kept :]


def _decode(file: BinaryIO, first: int, last: int) -> bytes | None:
    """The block from bit ``first`` to the next block's mark (-1: there is none), or to the footer before that."""
    data = decode_block(file, first, last) if last >= 0 else None
    if data is None:
        for footer in _find_footers(file, first, last):
            data = decode_block(file, first, footer)
            if data is not None:
                break
    return data


def _find_footers(file: BinaryIO, first: int, last: int = -1) -> list[int]:
    """The bit positions of the footers between two marks (-1: as far as a block may reach)."""
    file.seek(first // 8)
    window = file.read(min(last // 8 - first // 8 + 8, LONGEST_BLOCK) if last >= 0 else LONGEST_BLOCK)
    return [first // 8 * 8 + footer for footer in find_marks(window, FOOTER_MARK)]


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
    marks = find_marks(tail, FOOTER_MARK)
    return bool(marks) and len(tail) * 8 - marks[-1] < MARK_BITS + 32 + 8
