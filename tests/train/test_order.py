import numpy as np
import pytest

from deepred.train.order import permute, samples


@pytest.mark.parametrize("n", [1, 2, 3, 5, 64, 1000, 4097])
def test_every_sequence_occurs_once_an_epoch(n):
    for seed in (0, 1, 12345):
        for epoch in (0, 1):
            assert sorted(permute(np.arange(n), n, seed, epoch).tolist()) == list(range(n))


def test_seeds_and_epochs_have_orders_of_their_own():
    orders = [tuple(permute(np.arange(50), 50, seed, epoch)) for seed in range(3) for epoch in range(3)]
    assert len(set(orders)) == 9


def test_samples_do_not_depend_on_where_one_begins():
    whole = samples(0, 95, 40, seed=3)
    parts = np.concatenate([samples(0, 7, 40, 3), samples(7, 60, 40, 3), samples(67, 28, 40, 3)])
    assert (whole == parts).all()
    assert sorted(whole[:40].tolist()) == sorted(whole[40:80].tolist()) == list(range(40))


def test_neighbours_are_scattered():
    order = permute(np.arange(10_000), 10_000, 1, 0)
    assert abs(np.corrcoef(np.arange(10_000), order)[0, 1]) < 0.05
    assert (np.abs(np.diff(order)) == 1).mean() < 0.01


def test_billions_of_sequences_need_no_memory():
    assert len(set(permute(np.arange(100), 10**10, 1, 0).tolist())) == 100
