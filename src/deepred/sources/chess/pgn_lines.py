"""The lines of a PGN file with their places, whatever its encoding and line ends.

A place is a byte of the file, from which a game is read again. Lines come as bytes without their ends: as they stand in
files of one byte a character or of UTF-8, as UTF-8 of files in UTF-16.
"""

from __future__ import annotations

import codecs
import re
from collections import deque
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

LINE = 1 << 20
"""Bytes of a line read at once; a binary file without line ends must not fill the memory."""
BLOCKS = (1 << 13, 1 << 17)
"""Bytes of the first and the longest block read: one game is read again more often than a whole file."""
HEAD = 256
"""Bytes by which UTF-16 without a byte order mark is told: every second one is zero in the tags."""
AHEAD = 1 << 20
"""Bytes looked ahead for the brace that closes a comment."""
BRACE = re.compile(rb"[{}]")
BOM = "\ufeff".encode()


class Lines(Iterator[tuple[int, bytes]]):
    """The lines of a file from a byte on, each with its place; what follows can be looked at before it is taken."""

    def __init__(self, file: BinaryIO, start: int = 0) -> None:
        self.encoding = _utf_16(file)
        file.seek(start)
        self._source = self._read(file, start)
        self._ahead: deque[tuple[int, bytes]] = deque()

    def __next__(self) -> tuple[int, bytes]:
        return self._ahead.popleft() if self._ahead else next(self._source)

    def ahead(self) -> Iterator[tuple[int, bytes]]:
        """The lines that follow, which stay to be taken."""
        return chain(list(self._ahead), self._look())

    def _look(self) -> Iterator[tuple[int, bytes]]:
        for line in self._source:
            self._ahead.append(line)
            yield line

    def next_brace(self, rest: bytes) -> bytes:
        """The first brace in the rest of a line and the lines that follow; empty where none is near."""
        size = 0
        for line in chain([rest], (line for _, line in self.ahead())):
            brace = BRACE.search(line)
            if brace:
                return brace[0]
            size += len(line)
            if size > AHEAD:
                break
        return b""

    def width(self, text: bytes) -> int:
        """The bytes that a part of a line takes up in the file."""
        return len(text.decode(errors="replace").encode(self.encoding)) if self.encoding else len(text)

    def _read(self, file: BinaryIO, offset: int) -> Iterator[tuple[int, bytes]]:
        decoder = codecs.getincrementaldecoder(self.encoding)(errors="replace") if self.encoding else None
        rest = b""
        size = BLOCKS[0]
        while True:
            block = file.read(size)
            size = min(2 * size, BLOCKS[1])
            text = decoder.decode(block, not block).encode(errors="replace") if decoder else block
            # the last line may go on in the next block, and its "\r" be followed by "\n"
            lines = (rest + text).splitlines(keepends=True)
            rest = lines.pop() if lines and block and len(lines[-1]) < LINE else b""
            for line in lines:
                yield offset, line.rstrip(b"\r\n").removeprefix(BOM)
                offset += self.width(line)
            if not block:
                return


def _utf_16(file: BinaryIO) -> str:
    """``"utf-16-le"`` or ``"utf-16-be"`` where the file's head is written so, else an empty string."""
    file.seek(0)
    head = file.read(HEAD)
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16-le" if head[:2] == codecs.BOM_UTF16_LE else "utf-16-be"
    pairs = len(head) // 2
    first, second = head[0::2].count(0), head[1::2].count(0)
    if pairs and second > pairs * 0.7 and first < pairs * 0.1:
        return "utf-16-le"
    return "utf-16-be" if pairs and first > pairs * 0.7 and second < pairs * 0.1 else ""
