"""A gzip file as decoded pieces: members that follow each other, padding, damage and junk told apart.

``gzip.open`` loses what it had decoded when it meets a damage; here everything before it is given.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from deepred.sources.wiki.bzip2 import BlockError

GZIP_BYTES = 1 << 16
"""Compressed bytes decoded at a time: even a gzip bomb (1,000 to 1) so grows to 64 MB at most."""
GZIP = 31
"""``zlib``'s number for a gzip header and trailer around the data."""


class JunkError(BlockError):
    """What follows the last whole member is no gzip; ``gunzip`` ignores it."""


def iterate_gzip(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The data of a gzip file of any number of members, in pieces, each with the byte of the file it was read at.

    Raises BlockError where the file is damaged (after all that comes before) or cut off, JunkError for junk at its end.
    """
    decoder, is_open, members = zlib.decompressobj(GZIP), False, 0
    while data := file.read(GZIP_BYTES):
        at = file.tell() - len(data)
        while data:
            before = decoder.copy()
            try:
                piece = decoder.decompress(data)
            except zlib.error as error:
                if members and not is_open:
                    raise JunkError(at, f"junk stands behind the gzip stream ({error})") from None
                yield at, _inflate_until_damage(before.decompress, data)
                raise BlockError(at, f"the gzip stream is damaged ({error})") from None
            yield at, piece
            data = decoder.unused_data.lstrip(b"\0")  # padding between or behind members, as gunzip allows it
            is_open = not decoder.eof
            if decoder.eof:
                decoder, members = zlib.decompressobj(GZIP), members + 1
    if is_open:
        raise BlockError(file.tell(), "the gzip stream is cut off")


def _inflate_until_damage(decompress: Callable[[bytes], bytes], data: bytes) -> bytes:
    """What a damaged piece holds before the byte at which it cannot be decoded."""
    whole = b""
    try:
        for at in range(len(data)):
            whole += decompress(data[at : at + 1])
    except zlib.error:
        pass
    return whole
