import pytest

from deepred.run.config import Pretrain
from deepred.train.schedule import learning_rate


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
