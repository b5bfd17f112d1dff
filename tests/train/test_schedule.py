import numpy as np
import pytest

from deepred.run.config import Pretrain
from deepred.train.schedule import learning_rate, permute, samples


def rates(**config):
    made = Pretrain(learning_rate=1.0, final_rate=0.1, warmup=0.1, **config)
    return [learning_rate(made, step, 100) for step in range(100)]


@pytest.mark.parametrize("schedule", ["cosine", "wsd", "constant"])
def test_every_course_rises_to_the_peak_first(schedule):
    found = rates(schedule=schedule)
    assert found[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert max(found) == found[9]
    assert found[9:] == sorted(found[9:], reverse=True)


@pytest.mark.parametrize(
    ("schedule", "middle", "end"), [("cosine", 0.5556, 0.1), ("wsd", 1.0, 0.1), ("constant", 1.0, 1.0)]
)
def test_each_course_has_its_own_fall(schedule, middle, end):
    found = rates(schedule=schedule, decay=0.2)
    assert found[54] == pytest.approx(middle, abs=0.01)
    assert found[-1] == pytest.approx(end)


def test_wsd_is_stable_until_its_decay():
    found = rates(schedule="wsd", decay=0.3)
    assert found[10:70] == [1.0] * 60
    assert found[75] < 1.0


def test_one_step_has_a_rate():
    assert learning_rate(Pretrain(), 0, 1) == pytest.approx(3e-3)


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
