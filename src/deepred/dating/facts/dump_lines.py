"""A Wikidata dump as blocks of whole lines, read in parallel from any part of the file, damaged or not.

A dump is a JSON array with one entity a line, or N-Triples with one statement a line; JSON lines and files that hold a
single entity are read as well. Which it is, and how it is packed, is seen in its first bytes. Plain files and bzip2
are cut into byte ranges that are read alone; gzip can only be read from its beginning (``rapidgzip`` reads it on many
cores, but takes a file that is cut off for a whole one). A range yields the lines that begin in it: no line is read
twice or missed.
"""

from __future__ import annotations

import bz2
import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from deepred.base.errors import FaultError, UserError
from deepred.base.formats import describe_bytes
from deepred.sources.wiki.bzip2 import BlockError, iterate_blocks
from deepred.sources.wiki.gzip import iterate_gzip

Packing = Literal["plain", "bz2", "gz"]
Form = Literal["lines", "document", "triples"]

RANGE_BYTES: dict[Packing, int] = {"plain": 64_000_000, "bz2": 8_000_000, "gz": 1 << 62}
"""Bytes on disk of one shard: about 60 to 150 MB of JSON."""
HEAD_BYTES = 1 << 14
READ_BYTES = 1 << 20
MAX_LINE_BYTES = 64_000_000
"""A longer line is no entity; the largest of Wikidata are a few megabytes."""
MAX_DOCUMENT_BYTES = 256_000_000
Block = tuple[bytes, int, int]
"""Bytes and the bounds of the whole lines in them; only the last line of a file may lack its newline."""


class DamageError(Exception):
    """Where a part cannot be read any further; ``lost`` counts its bytes on disk from there on."""

    def __init__(self, reason: str, lost: int) -> None:
        super().__init__(reason)
        self.lost = lost


@dataclass(frozen=True)
class Part:
    """The lines of a file that begin in bytes ``start`` to ``end`` on disk."""

    path: Path
    packing: Packing
    form: Form
    start: int
    end: int


def split_dump(path: Path) -> list[Part]:
    """The parts of a dump, in order; their bounds depend on the file alone."""
    size = path.stat().st_size
    if not size:
        raise UserError(f"{path} is empty", "download it again")
    packing = _packing(path)
    form = _form(path, packing)
    step = size if form == "document" else RANGE_BYTES[packing]
    return [Part(path, packing, form, start, min(start + step, size)) for start in range(0, size, step)]


def _packing(path: Path) -> Packing:
    with path.open("rb") as file:
        head = file.read(3)
    if head == b"BZh":
        return "bz2"
    return "gz" if head[:2] == b"\x1f\x8b" else "plain"


def _open(path: Path, packing: Packing) -> BinaryIO:
    if packing == "plain":
        return path.open("rb")
    return bz2.open(path) if packing == "bz2" else gzip.open(path)  # type: ignore[return-value]


def _form(path: Path, packing: Packing) -> Form:
    """What a dump is by its first bytes, decoded; where they cannot be, an error says so."""
    head = b""
    try:
        with _open(path, packing) as file:
            while len(head) < HEAD_BYTES and (more := file.read(1 << 12)):  # piece by piece, as it may be cut off
                head += more
    except (OSError, EOFError, zlib.error) as error:
        if not head:
            raise FaultError(f"{path} cannot be read from its first byte on: {error}", "download it again") from None
    first, newline, second = head.lstrip().partition(b"\n")
    if re.match(rb"(?:#[^\n]*\n\s*)*(?:<[^>\s]+>|_:\w+)\s+<", head):
        return "triples"
    if first[:1] not in (b"[", b"{"):
        raise UserError(
            f"{path} is neither a Wikidata JSON dump nor N-Triples but {describe_bytes(head)}: "
            f"it begins with {head[:20]!r}",
            "name a .json or .nt dump, plain, .gz or .bz2",
        )
    # a pretty-printed entity: its first line is only a brace
    return "document" if first.strip() == b"{" and newline and second else "lines"


def iterate_lines(part: Part) -> Iterator[Block]:
    """The lines that begin in a part, as blocks of whole lines.

    A line begins in a part when the newline before it does, or when it is the file's first. Raises DamageError after
    the last line that could be read, and FaultError for lines without end.
    """
    if part.form == "document":
        yield _document(part)
    elif part.packing == "plain":
        yield from _plain_lines(part)
    else:
        yield from _decoded_lines(part)


def _document(part: Part) -> Block:
    with _open(part.path, part.packing) as file:
        data = file.read(MAX_DOCUMENT_BYTES + 1)
    if len(data) > MAX_DOCUMENT_BYTES:
        raise UserError(
            f"{part.path} is one JSON document of more than {MAX_DOCUMENT_BYTES:,} bytes",
            "use a dump with one entity a line",
        )
    data = data.replace(b"\n", b" ")  # no string of JSON holds a newline as such
    return data, 0, len(data)


def _plain_lines(part: Part) -> Iterator[Block]:
    """Reads that overlap by the line that was cut: nothing is copied to put lines together."""
    with part.path.open("rb", buffering=0) as file:
        place = _line_start(file, part.start) if part.start else 0
        last = _line_start(file, part.end)
        size = READ_BYTES
        while place < last:
            file.seek(place)
            block = file.read(min(size, last - place))
            end = len(block) if place + len(block) >= last else block.rfind(b"\n") + 1
            if end:
                yield block, 0, end
                place += end
                size = READ_BYTES
            elif size > MAX_LINE_BYTES or not block:
                raise _endless(part)
            else:
                size *= 2


def _line_start(file: BinaryIO, place: int) -> int:
    """Where the first line after a newline at ``place`` or later begins, or where the file ends."""
    file.seek(place)
    while chunk := file.read(READ_BYTES):
        found = chunk.find(b"\n")
        if found >= 0:
            return place + found + 1
        place += len(chunk)
    return place


def _endless(part: Part) -> FaultError:
    return FaultError(
        f"{part.path}: a line of more than {MAX_LINE_BYTES:,} bytes before byte {part.end:,}",
        "it is no Wikidata dump, or damaged",
    )


def _decoded_lines(part: Part) -> Iterator[Block]:
    held: list[bytes] = []  # the beginning of a line that goes on in the next piece
    damage: DamageError | None = None
    opened = part.start == 0
    try:
        for inside, piece in _gzip_pieces(part) if part.packing == "gz" else _bzip2_pieces(part):
            first = 0
            if not opened:  # the line that is cut belongs to the part before
                first = piece.find(b"\n") + 1
                if not inside:
                    return
                if not first:
                    continue
                opened = True
            end = (piece.rfind(b"\n", first) if inside else piece.find(b"\n")) + 1
            if end > first or (end and not inside):
                block = b"".join([*held, piece[first:end]])
                yield block, 0, len(block)
                if not inside:
                    return
                held, first = [], end
            held.append(piece[first:])
            if sum(map(len, held)) > MAX_LINE_BYTES:
                raise _endless(part)
    except DamageError as error:
        damage = error
    rest = b"".join(held)
    if rest:
        yield rest, 0, len(rest)
    if damage:
        raise damage


def _gzip_pieces(part: Part) -> Iterator[tuple[bool, bytes]]:
    with part.path.open("rb") as file:
        try:
            for _, piece in iterate_gzip(file):
                yield True, piece
        except BlockError as error:
            reason = f"{part.path}: {error.reason} at byte {error.offset:,}"
            raise DamageError(reason, part.end - error.offset) from None


def _bzip2_pieces(part: Part) -> Iterator[tuple[bool, bytes]]:
    """Decoded blocks from the part's start on, each with whether it begins inside the part."""
    with part.path.open("rb") as file:
        try:
            for offset, block in iterate_blocks(file, part.start):
                yield offset < part.end, block
        except BlockError as error:
            if error.offset < part.end:  # else it is the damage of the next part
                reason = f"{part.path}: {error.reason} at byte {error.offset:,}"
                raise DamageError(reason, part.end - error.offset) from None
