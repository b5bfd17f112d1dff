"""The entities of a Wikidata dump as lines of bytes, read in parallel from any part of the file.

A dump is a JSON array with one entity a line; JSON lines and files that hold a single entity are read as well. Plain
files and bzip2 are cut into byte ranges that are read alone; gzip can only be read from its beginning. A range yields
the lines that begin in it: no line is read twice or missed.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deepred.errors import FaultError, UserError
from deepred.sources.bzip2 import BlockError, ends_whole, iterate_blocks

Kind = Literal["plain", "bz2", "gz", "document"]

RANGE_BYTES = {"plain": 64_000_000, "bz2": 8_000_000}
"""Bytes on disk of one shard: about 60 to 150 MB of JSON."""
READ_BYTES = 1 << 21
MAX_LINE_BYTES = 64_000_000
"""A longer line is no entity; the largest of Wikidata are a few megabytes."""
MAX_DOCUMENT_BYTES = 256_000_000


@dataclass(frozen=True)
class Part:
    """The lines of a file that begin in bytes ``start`` to ``end`` on disk."""

    path: Path
    kind: Kind
    start: int
    end: int


def split_dump(path: Path) -> list[Part]:
    """The parts of a dump, in order; their bounds depend on the file alone."""
    size = path.stat().st_size
    kind = _kind(path)
    if kind in ("gz", "document"):
        return [Part(path, kind, 0, size)]
    if kind == "bz2":
        with path.open("rb") as file:
            if not ends_whole(file, size):
                raise FaultError(f"{path} is cut off: it has no end-of-stream mark", "download it again")
    step = RANGE_BYTES[kind]
    return [Part(path, kind, start, min(start + step, size)) for start in range(0, size, step)]


def _kind(path: Path) -> Kind:
    with path.open("rb") as file:
        head = file.read(READ_BYTES)
    if not head:
        raise UserError(f"{path} is empty", "download it again")
    if head[:3] == b"BZh":
        return "bz2"
    if head[:2] == b"\x1f\x8b":
        return "gz"
    first, newline, second = head.lstrip().partition(b"\n")
    if first[:1] not in (b"[", b"{"):
        raise UserError(
            f"{path} is no Wikidata JSON dump: it begins with {head[:20]!r}", "name a .json, .json.gz or .json.bz2 dump"
        )
    # a pretty-printed entity: its first line is only a brace
    return "document" if first.strip() == b"{" and newline and second else "plain"


def iterate_blocks_of_lines(part: Part) -> Iterator[bytes]:
    """The lines that begin in a part, as blocks of whole lines that end in a newline.

    A line begins in a part when the newline before it does, or when it is the file's first. Raises FaultError with
    file and byte where the file is damaged.
    """
    if part.kind == "document":
        yield _document(part.path)
        return
    opened = part.start == 0
    held: list[bytes] = []
    size = 0
    for inside, chunk in _chunks(part):
        first, last = 0, chunk.rfind(b"\n") + 1
        if not opened:
            first = chunk.find(b"\n") + 1
            if not inside:
                return
            if not first:
                continue
            opened = True
        if not inside:
            last = chunk.find(b"\n") + 1
        if last > first or (last and last == first):
            block = b"".join([*held, chunk[first:last]])
            if block:
                yield block
            if not inside:
                return
            held, size, first = [], 0, last
        held.append(chunk[first:])
        size += len(chunk) - first
        if size > MAX_LINE_BYTES:
            raise FaultError(
                f"{part.path}: a line of more than {MAX_LINE_BYTES:,} bytes before byte {part.end:,}",
                "it is no Wikidata dump, or damaged",
            )
    if opened and size:
        yield b"".join(held) + b"\n"


def _document(path: Path) -> bytes:
    if path.stat().st_size > MAX_DOCUMENT_BYTES:
        raise UserError(
            f"{path} is one JSON document of more than {MAX_DOCUMENT_BYTES:,} bytes",
            "use a dump with one entity a line",
        )
    return path.read_bytes().strip() + b"\n"


def _chunks(part: Part) -> Iterator[tuple[bool, bytes]]:
    """Decoded pieces from the part's start on, each with whether its bytes (its block) begin inside the part."""
    if part.kind == "gz":
        yield from _gzip_chunks(part.path)
    elif part.kind == "bz2":
        yield from _bzip2_chunks(part)
    else:
        with part.path.open("rb") as file:
            file.seek(part.start)
            place = part.start
            while chunk := file.read(min(READ_BYTES, part.end - place) if place < part.end else READ_BYTES):
                yield place < part.end, chunk
                place += len(chunk)


def _gzip_chunks(path: Path) -> Iterator[tuple[bool, bytes]]:
    done = 0
    try:
        with gzip.open(path, "rb") as file:
            while chunk := file.read(READ_BYTES):
                done += len(chunk)
                yield True, chunk
    except (OSError, EOFError, zlib.error) as error:
        raise FaultError(f"{path} is damaged after {done:,} decoded bytes: {error}", "download it again") from None


def _bzip2_chunks(part: Part) -> Iterator[tuple[bool, bytes]]:
    try:
        with part.path.open("rb") as file:
            for offset, block in iterate_blocks(file, part.start):
                yield offset < part.end, block
    except BlockError as error:
        raise FaultError(f"{part.path}: {error.reason} at byte {error.offset:,}", "download it again") from None
