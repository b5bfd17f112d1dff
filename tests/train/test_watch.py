import json
import sys
import types

import pytest

from deepred.run.settings import Settings
from deepred.run.stage import Silent, Work
from deepred.train.watch import describe, span


class Notes(Silent):
    def __init__(self):
        self.seen = []

    def update(self, counts, done, total, note):
        self.seen.append((done, total, note))


def test_the_live_line_tells_loss_speed_memory_and_time_left(corpus, tmp_path):
    notes = Notes()
    work = Work(Settings(threads=1, device="cpu"), notes)
    corpus.pretrain(tmp_path / "out", work=work, checkpoint_steps=0)
    done, total, note = notes.seen[0]
    assert (done, total) == (10, 20)
    for part in ("loss ", "tok/s", "FLOP/s", "GiB", "left"):
        assert part in note
    lines = [json.loads(line) for line in (tmp_path / "out" / "logs" / "speed.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [10, 20]
    assert all(line["tokens_per_second"] > 0 and line["memory"] > 0 for line in lines)


@pytest.mark.parametrize(
    ("speed", "expected"),
    [
        ({"tokens_per_second": 12400, "teraflops": 405.5, "mfu": 0.41, "memory": 12 << 30}, "12,400 tok/s  41% MFU"),
        ({"tokens_per_second": 12400, "teraflops": 2.5, "memory": 12 << 30}, "12,400 tok/s  2.50 TFLOP/s  12.0 GiB"),
        ({"tokens_per_second": 900, "teraflops": 0.0123, "memory": 1 << 29}, "900 tok/s  12.3 GFLOP/s  0.5 GiB"),
    ],
)
def test_speed_is_a_share_of_the_peak_where_that_is_known(speed, expected):
    assert describe(2.0, speed).startswith(f"loss 2.000  {expected}")


def test_times_are_told_in_two_units():
    assert [span(s) for s in (7, 61, 4000, 200_000)] == ["7 s", "1 min", "1 h 6 min", "2 d 7 h"]


@pytest.mark.filterwarnings("ignore")
def test_tensorboard_gets_the_curves(corpus, tmp_path):
    from tensorboard.backend.event_processing import event_accumulator

    corpus.pretrain(tmp_path / "out", work=Work(Settings(threads=1, device="cpu", tensorboard=True)))
    events = event_accumulator.EventAccumulator(str(tmp_path / "out" / "logs" / "tensorboard")).Reload()
    curves = [json.loads(line) for line in (tmp_path / "out" / "curves.jsonl").read_text().splitlines()]
    last = [line for line in curves if "loss" in line][-1]
    assert events.Scalars("loss")[-1].value == pytest.approx(last["loss"])
    assert [event.step for event in events.Scalars("validation")] == [0, 10, 20]
    assert "validation/books" in events.Tags()["scalars"]


def test_weights_and_biases_gets_the_curves_under_the_runs_own_name(corpus, tmp_path, monkeypatch):
    seen = []

    class Run:
        def log(self, values, step):
            seen.append((step, values))

        def finish(self):
            seen.append("finished")

    def init(**arguments):
        seen.append(arguments)
        return Run()

    monkeypatch.setitem(sys.modules, "wandb", types.SimpleNamespace(init=init))
    corpus.pretrain(
        tmp_path / "abc.partial", work=Work(Settings(threads=1, device="cpu", wandb="red")), checkpoint_steps=0
    )
    assert (seen[0]["project"], seen[0]["id"], seen[0]["resume"]) == ("red", "abc", "allow")
    assert [entry[0] for entry in seen[1:-1]] == [0, 10, 10, 20, 20]
    assert {"loss", "norm", "rate", "tokens_per_second"} <= set(seen[2][1])
    assert seen[-1] == "finished"


def test_a_tracker_that_is_not_installed_is_one_line(corpus, tmp_path, monkeypatch):
    from deepred.base.errors import UserError

    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(UserError, match="pip install wandb"):
        corpus.pretrain(tmp_path / "out", work=Work(Settings(threads=1, device="cpu", wandb="red")))
