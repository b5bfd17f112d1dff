"""What a file is by its first bytes, in words for an error that has to say what was found instead."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

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


def describe_file(path: Path) -> str:
    """The same for a file as it lies on disk, not decompressed; what cannot be read is said."""
    try:
        with path.open("rb") as file:
            return describe_bytes(file.read(HEAD_BYTES))
    except OSError as error:
        return f"no readable file ({error.strerror})"
