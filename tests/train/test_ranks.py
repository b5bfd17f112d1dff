import os
import signal

import pytest
import torch

from deepred.base.errors import UserError
from deepred.run.settings import Settings
from deepred.run.stage import Silent, Work

LONG = {"tokens": 60 * 4 * 16, "validate_steps": 30, "checkpoint_steps": 0, "checkpoint_tokens": 40 * 4 * 16}


class Stopper(Silent):
    """Sends this process a signal as soon as a step is reported."""

    def __init__(self):
        self.sent = False

    def update(self, counts, done, total, note):
        if done and not self.sent:
            self.sent = True
            os.kill(os.getpid(), signal.SIGINT)


def on_ranks(progress=None, ranks=2):
    return Work(Settings(threads=1, device="cpu", ranks=ranks), progress or Silent())


def losses(lines):
    return [line["loss"] for line in lines if "loss" in line]


def test_two_ranks_train_as_one_does_and_one_goes_on_from_them(corpus, tmp_path, curve):
    counts = corpus.pretrain(tmp_path / "one", **LONG)
    with pytest.raises(KeyboardInterrupt):
        corpus.pretrain(tmp_path / "two", work=on_ranks(Stopper()), **LONG)
    step = int(max((tmp_path / "two" / "checkpoints").iterdir()).name)
    assert 10 <= step < 60
    assert len(losses(curve(tmp_path / "two"))) == step
    again = corpus.pretrain(tmp_path / "two", **LONG)
    one, two = (losses(curve(tmp_path / name)) for name in ("one", "two"))
    assert two[:5] == pytest.approx(one[:5], rel=1e-6)  # the same samples; later on rounding grows
    assert two == pytest.approx(one, rel=3e-3)
    validations = [[line["validation"] for line in curve(tmp_path / n) if "validation" in line] for n in ("one", "two")]
    assert validations[0] == pytest.approx(validations[1], rel=3e-3)
    assert again.numbers == counts.numbers


def test_a_batch_that_does_not_divide_over_the_ranks_is_one_line(corpus, tmp_path):
    with pytest.raises(UserError, match="batch of 4 sequences does not divide over 3 ranks"):
        corpus.pretrain(tmp_path / "out", work=on_ranks(ranks=3))


def test_more_ranks_than_devices_are_one_line(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UserError, match="DEEPRED_RANKS is 2, but there are 1 GPUs"):
        corpus.pretrain(tmp_path / "out", work=Work(Settings(ranks=2)))
