"""The head of a GGUF file, read with distrust: every count and length is held against the file before it is followed.

llama.cpp and the ``gguf`` package follow what a file states, and end in loops without end, out of memory, or in a crash
of the whole process. So nothing opens a file of others before ``read_metadata`` has. Format:
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import Any

from deepred.base.errors import FaultError, UserError
from deepred.base.given import check_file

MAGIC = b"GGUF"
VERSIONS = (2, 3)
MOST_DIMENSIONS = 4
MOST_DEPTH = 4
"""Arrays in arrays at most; llama.cpp knows none."""
MOST_ALIGNMENT = 1 << 20
LONGEST_VALUE = 1 << 24
"""Bytes of a text that is kept, such as a chat template; a longer one is an error."""
_STRING, _ARRAY = 8, 9
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_SMALLEST_TENSOR = 24
"""Bytes that the entry of a tensor takes at least."""
_SMALLEST_PAIR = 13
"""Bytes that a key and its value take at least."""


def read_metadata(path: Path) -> dict[str, Any]:
    """The scalars and texts of a GGUF file's head by key, once all of it is held against the file.

    ``UserError``: no such file, or none of GGUF. ``FaultError``: a damaged one.
    """
    check_file(path, "name a .gguf file, or a run file whose gguf stage is done")
    with path.open("rb") as file:
        if file.read(4) != MAGIC:
            raise UserError(f"{path} is not a GGUF file", "name a .gguf file")
        try:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _Head(data).read()
        except _DamageError as error:
            raise FaultError(f"{path} is damaged: {error}", "make or copy it again") from None


class _DamageError(Exception):
    """What a file states and cannot be."""


class _Head:
    """A pass over the bytes of a file's head."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.size = len(data)
        self.at = len(MAGIC)

    def read(self) -> dict[str, Any]:
        version = self._number("I")
        if version not in VERSIONS:
            raise _DamageError(f"version {version} is none of {', '.join(map(str, VERSIONS))} (little-endian)")
        tensors, pairs = self._number("Q"), self._number("Q")
        self._within(tensors * _SMALLEST_TENSOR + pairs * _SMALLEST_PAIR, f"{tensors:,} tensors and {pairs:,} keys")
        metadata: dict[str, Any] = {}
        for _ in range(pairs):
            key = self._text("a key")
            if key in metadata:
                raise _DamageError(f"the key {key[:80]!r} stands twice")
            metadata[key] = self._value(self._number("I"), f"the key {key[:80]!r}", 0)
        self._tensors(tensors, metadata.get("general.alignment", 32))
        return {key: value for key, value in metadata.items() if value is not None}

    def _within(self, length: int, what: str) -> None:
        if length > self.size - self.at:
            raise _DamageError(f"{what} at byte {self.at:,} would reach beyond its {self.size:,} bytes")

    def _number(self, form: str) -> Any:
        length = struct.calcsize(f"<{form}")
        self._within(length, "a number")
        (value,) = struct.unpack_from(f"<{form}", self.data, self.at)
        self.at += length
        return value

    def _text(self, what: str) -> str:
        length = self._number("Q")
        self._within(length, f"{what} of {length:,} bytes")
        if length > LONGEST_VALUE:
            raise _DamageError(f"{what} has {length:,} bytes, more than {LONGEST_VALUE:,}")
        self.at += length
        return self.data[self.at - length : self.at].decode("utf-8", "replace")

    def _value(self, kind: int, what: str, depth: int) -> Any:
        """A scalar or a text; None for an array, which is passed over."""
        if kind in _SCALARS:
            return self._number(_SCALARS[kind])
        if kind == _STRING:
            return self._text(what)
        if kind != _ARRAY:
            raise _DamageError(f"{what} has the unknown type {kind}")
        inner, count = self._number("I"), self._number("Q")
        self._within(count * self._least(inner), f"{what}: {count:,} items")
        if inner in _SCALARS:
            self.at += count * self._least(inner)
        elif depth >= MOST_DEPTH:
            raise _DamageError(f"{what}: arrays lie more than {MOST_DEPTH} deep")
        else:
            for _ in range(count):
                self._skip(inner, what, depth)
        return None

    def _skip(self, kind: int, what: str, depth: int) -> None:
        if kind == _STRING:
            length = self._number("Q")
            self._within(length, f"{what}: a text of {length:,} bytes")
            self.at += length
        else:
            self._value(kind, what, depth + 1)

    def _least(self, kind: int) -> int:
        """Bytes that a value of a kind takes at least."""
        if kind in _SCALARS:
            return struct.calcsize(f"<{_SCALARS[kind]}")
        return 12 if kind == _ARRAY else 8

    def _tensors(self, count: int, alignment: Any) -> None:
        """Every tensor's place held against the file."""
        if not isinstance(alignment, int) or not 0 < alignment <= MOST_ALIGNMENT or alignment & (alignment - 1):
            raise _DamageError(f"general.alignment is {alignment!r}, no power of two")
        places: list[tuple[str, int, int]] = []
        for _ in range(count):
            name = self._text("a tensor's name")
            dimensions = self._number("I")
            if dimensions > MOST_DIMENSIONS:
                raise _DamageError(f"the tensor {name[:80]!r} has {dimensions:,} dimensions")
            elements = 1
            for _ in range(dimensions):
                elements *= self._number("Q")
            length = _bytes_of(self._number("I"), elements, name)
            places.append((name, self._number("Q"), length))
        begin = -(-self.at // alignment) * alignment
        for name, offset, length in places:
            if offset % alignment or begin + offset + length > self.size:
                raise _DamageError(
                    f"the tensor {name[:80]!r} lies at {begin + offset:,} to {begin + offset + length:,} "
                    f"of {self.size:,} bytes"
                )


def _bytes_of(kind: int, elements: int, name: str) -> int:
    """The bytes of a tensor's values."""
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    try:
        block, length = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
    except (ValueError, KeyError):
        raise _DamageError(f"the tensor {name[:80]!r} has the unknown type {kind}") from None
    return -(-elements // block) * length
