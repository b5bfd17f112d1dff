from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepred.train.packing import BestFit, Contiguous


class Numbered:
    """A stream whose tokens are their own places, so that a batch shows where every token came from."""

    def __init__(self, sizes):
        ends = np.cumsum([0, *sizes])
        self.documents = [(int(start), int(size)) for start, size in zip(ends[:-1], sizes)]
        self.size = int(ends[-1])

    def __len__(self):
        return self.size

    def read(self, start, count):
        assert 0 <= start <= start + count <= self.size
        return np.arange(start, start + count, dtype=np.int64)


def pack(sizes, length):
    stream = Numbered(sizes)
    packed = BestFit(stream, length, stream.documents)
    return packed, packed.batch(range(len(packed))) if len(packed) else np.empty((0, length + 1), np.int64)


def pieces(row):
    """The runs of consecutive tokens of a sequence, as (start, tokens)."""
    breaks = np.flatnonzero(np.diff(row) != 1) + 1
    return [(int(run[0]), len(run)) for run in np.split(row, breaks)]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(1, 40), max_size=60), st.integers(4, 24))
def test_every_token_is_an_input_once_but_for_what_is_left_at_the_end(sizes, length):
    packed, rows = pack(sizes, length)
    inputs = Counter(rows[:, :-1].ravel().tolist())
    assert all(count == 1 for count in inputs.values())
    assert sum(sizes) - len(inputs) <= 2 * length + len(packed)
    for row in rows:
        assert len(row) == length + 1


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 12), min_size=20, max_size=200))
def test_only_the_last_piece_of_a_sequence_is_cut(sizes):
    rows = pack(sizes, 16)[1]
    ends = set(np.cumsum(sizes).tolist())
    for row in rows:
        *inner, _ = np.split(row, np.flatnonzero(np.diff(row) != 1) + 1)
        assert all(run[-1] + 1 in ends for run in inner)


def test_documents_that_fit_stay_whole():
    packed, rows = pack([9, 5, 7, 4, 6, 2, 3], 8)
    assert packed.facts()["cut"] == 0
    assert [sorted(size for _, size in pieces(row)) for row in rows] == [[9], [2, 7], [3, 6], [4, 5]]


def test_far_fewer_documents_are_cut_than_from_one_stream():
    sizes = np.random.default_rng(1).geometric(1 / 60, 5000).clip(2, 256).tolist()
    packed, _ = pack(sizes, 256)
    stream = Numbered(sizes)
    begins = {start for start, _ in stream.documents}
    cuts = sum(number * 256 not in begins for number in range(1, len(Contiguous(stream, 256))))
    assert packed.facts()["cut"] < 0.05 * cuts


def test_a_long_document_fills_sequences_and_its_end_waits():
    packed, rows = pack([20, 3], 8)
    assert rows.tolist() == [list(range(9)), list(range(8, 17))]
    assert packed.facts() == {"packing": "best-fit", "documents": 2, "too_long": 1, "cut": 0}


def test_it_depends_on_the_lengths_alone():
    sizes = np.random.default_rng(2).integers(2, 50, 400).tolist()
    assert np.array_equal(pack(sizes, 32)[1], pack(sizes, 32)[1])


@pytest.mark.parametrize("sizes", [[], [2], [3, 3]])
def test_too_few_tokens_make_no_sequence(sizes):
    assert len(pack(sizes, 8)[0]) == 0
