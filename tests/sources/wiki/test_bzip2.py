import bz2
import io
import random

import pytest

from deepred.sources.wiki.bzip2 import BlockError, ends_whole, iterate_blocks


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


WHOLE = noise(2_200_000)
FILES = {
    "one stream of blocks": bz2.compress(WHOLE),
    "one stream of small blocks": bz2.compress(WHOLE, 1),
    "many streams": b"".join(bz2.compress(WHOLE[at : at + 70_000]) for at in range(0, len(WHOLE), 70_000)),
    "streams of several blocks, one of them empty": b"".join(
        [
            bz2.compress(WHOLE[:50_000], 1),
            bz2.compress(b""),
            bz2.compress(WHOLE[50_000:900_000], 1),
            bz2.compress(WHOLE[900_000:]),
        ]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_every_place_to_begin_gives_the_rest_once(name):
    data = FILES[name]
    from_start = list(iterate_blocks(io.BytesIO(data), 0))
    assert b"".join(piece for _, piece in from_start) == WHOLE
    for start in (1, 5_000, 100_000, len(data) // 2, len(data) - 100):
        expected = b"".join(piece for at, piece in from_start if at >= start)
        assert b"".join(piece for _, piece in iterate_blocks(io.BytesIO(data), start)) == expected


@pytest.mark.parametrize("name", ["one stream of small blocks", "many streams"])
def test_damage_is_named_and_all_before_it_is_given(name):
    data = bytearray(FILES[name])
    place = len(data) // 2
    data[place : place + 4] = bytes(4)
    given = b""
    with pytest.raises(BlockError) as error:
        for _, piece in iterate_blocks(io.BytesIO(bytes(data)), 0):
            given += piece
    assert WHOLE.startswith(given)
    assert len(given) > 900_000
    assert place - 120_000 < error.value.offset <= place


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_cut_off_is_told_by_its_end(name):
    data = FILES[name]
    assert ends_whole(io.BytesIO(data), len(data))
    assert not ends_whole(io.BytesIO(data[:-3000]), len(data) - 3000)
    with pytest.raises(BlockError):
        list(iterate_blocks(io.BytesIO(data[:-3000]), 0))
