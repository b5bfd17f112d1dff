import os
import struct

import pytest

from deepred.base.errors import DeepRedError, FaultError
from deepred.export.gguf.gguf_header import read_metadata

HUGE = 1 << 62


def text(value):
    return struct.pack("<Q", len(value)) + value


def head(*pairs, version=3, tensors=0, count=None, after=b""):
    body = b"".join(text(key) + struct.pack("<I", kind) + value for key, kind, value in pairs)
    return b"GGUF" + struct.pack("<IQQ", version, tensors, len(pairs) if count is None else count) + body + after


def tensor(name=b"t", dimensions=(4,), kind=0, offset=0):
    shape = struct.pack(f"<I{len(dimensions)}Q", len(dimensions), *dimensions)
    return text(name) + shape + struct.pack("<IQ", kind, offset)


HOSTILE = {
    "no version": b"GGUF",
    "big-endian": head(version=3 << 24),
    "version 1": head(version=1),
    "keys without end": head(count=HUGE),
    "tensors without end": head(tensors=HUGE),
    "a text without end": head((b"a", 8, struct.pack("<Q", HUGE))),
    "a key without end": head(count=1, after=struct.pack("<Q", HUGE) + bytes(50)),
    "an array without end": head((b"a", 9, struct.pack("<IQ", 8, HUGE))),
    "arrays in arrays": head((b"a", 9, struct.pack("<IQ", 9, 1) * 2000 + struct.pack("<IQ", 0, 0))),
    "an unknown type": head((b"a", 77, b"")),
    "a key twice": head((b"a", 0, b"1"), (b"a", 0, b"1")),
    "alignment 0": head((b"general.alignment", 4, bytes(4))),
    "alignment 48": head((b"general.alignment", 4, struct.pack("<I", 48))),
    "a tensor beyond the end": head(tensors=1, after=tensor(offset=1 << 40)),
    "a tensor between": head(tensors=1, after=tensor(offset=5) + bytes(200)),
    "a tensor of a huge shape": head(tensors=1, after=tensor(dimensions=(HUGE, HUGE)) + bytes(200)),
    "a tensor of 5 dimensions": head(tensors=1, after=tensor(dimensions=(1,) * 5) + bytes(200)),
    "a tensor of an unknown type": head(tensors=1, after=tensor(kind=999) + bytes(200)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_head_is_refused_before_anything_follows_it(tmp_path, name):
    path = tmp_path / "model.gguf"
    path.write_bytes(HOSTILE[name])
    with pytest.raises(FaultError, match=r"model\.gguf is damaged: "):
        read_metadata(path)


def test_scalars_and_texts_are_read_and_arrays_passed_over(tmp_path):
    path = tmp_path / "model.gguf"
    words = struct.pack("<IQ", 8, 2) + text(b"a") + text(b"b")
    pairs = [(b"name", 8, text(b"Ada")), (b"words", 9, words), (b"length", 4, struct.pack("<I", 128))]
    path.write_bytes(head(*pairs, tensors=1, after=tensor() + bytes(100)))
    assert read_metadata(path) == {"name": "Ada", "length": 128}


def test_what_is_no_gguf_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "other").write_bytes(b"PK")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "other", tmp_path / "none"):
        with pytest.raises(DeepRedError, match=path.name):
            read_metadata(path)
