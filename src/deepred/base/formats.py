"""What a file is by its first bytes, in words for an error that has to say what was found instead."""

from __future__ import annotations

import bz2
import gzip
import re
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from deepred.base.files import shipped_table

HEAD_BYTES = 1 << 14
SHOWN = 40
"""Characters of an unknown file that its description shows."""
TAR_MARK = slice(257, 262)


@cache
def _formats() -> tuple[list[tuple[bytes, str]], list[tuple[re.Pattern[str], str]]]:
    table = shipped_table("deepred.base", "formats.toml")["format"]
    magics = [(bytes.fromhex(row["hex"]), row["name"]) for row in table if "hex" in row]
    return magics, [(re.compile(row["text"]), row["name"]) for row in table if "text" in row]


def describe_bytes(head: bytes) -> str:
    """The format of a file that begins with these bytes; of an unknown one its beginning.

    >>> describe_bytes(b"PK" + bytes([3, 4]))
    'a zip archive'
    """
    if not head:
        return "an empty file"
    magics, texts = _formats()
    for magic, name in magics:
        if head.startswith(magic):
            return name
    if head[TAR_MARK] == b"ustar":
        return "a tar archive"
    text = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").lstrip()
    for pattern, name in texts:
        if pattern.match(text):
            return name
    return f"a file that begins with {text[:SHOWN]!r}"


def is_packed(head: bytes) -> bool:
    """Whether bytes begin a container that has to be unpacked, or are no text at all."""
    return head[TAR_MARK] == b"ustar" or any(head.startswith(magic) for magic, _ in _formats()[0]) or b"\0" in head[:64]


def describe_unpacked(path: Path) -> str:
    """The format of what a plain, gzip or bzip2 file holds; of a container in it, that."""
    opened: dict[bytes, Callable[[Path], Any]] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open}
    try:
        with path.open("rb") as file:
            head = file.read(2)
        with opened.get(head, lambda name: name.open("rb"))(path) as file:
            return describe_bytes(file.read(HEAD_BYTES))
    except (OSError, EOFError, zlib.error) as error:
        return f"a file that cannot be read ({error})"


def describe_file(path: Path) -> str:
    """The same for a file as it lies on disk, not decompressed; what cannot be read is said."""
    try:
        with path.open("rb") as file:
            return describe_bytes(file.read(HEAD_BYTES))
    except OSError as error:
        return f"no readable file ({error.strerror})"
