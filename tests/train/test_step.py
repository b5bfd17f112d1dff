import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from deepred.run.config import Pretrain
from deepred.run.settings import Settings
from deepred.run.stage import Work
from deepred.train import step as module
from deepred.train.ranks import Ranks
from deepred.train.step import micro_batches, prepare, train_step

SMALL = {
    "model": {"layers": 2, "width": 32, "heads": 2, "kv_heads": 1, "feed_forward": 48},
    "tokens": 20 * 4 * 16,
    "sequence": 16,
    "batch": 4,
    "micro_batch": 2,
}


@pytest.fixture
def prepared(corpus):
    def make(ranks=None, **config):
        return prepare(
            corpus.shards,
            corpus.tokenizer,
            Pretrain.model_validate(SMALL | config),
            1,
            Work(Settings(threads=1)),
            torch.device("cpu"),
            ranks,
        )

    return make


class NoLook(TorchDispatchMode):
    """Refuses the operations through which the processor waits for a device's value."""

    WAITS = ("_local_scalar_dense", "nonzero", "is_nonzero", "equal", "masked_select", "_unique2")

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.__name__.split(".")[0]
        assert name not in self.WAITS, f"{function} waits for the device"
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    "config",
    [{}, {"attention": "document"}, {"activations": "recompute"}, {"z_loss": 1e-3}],
    ids=["causal", "document", "recompute", "z-loss"],
)
def test_a_step_never_waits_for_the_device(prepared, config):
    training = prepared(**config)
    train_step(training, 0)
    with NoLook():
        train_step(training, 1)


def test_the_guard_against_waiting_sees_a_look():
    with pytest.raises(AssertionError, match="waits"), NoLook():
        torch.ones(3).sum().item()


def test_ranks_share_a_steps_sequences(prepared):
    training = prepared()
    whole = torch.cat(list(micro_batches(training, 3)))
    shares = []
    for rank in range(2):
        training.ranks = Ranks(rank, 2)
        shares.append(torch.cat(list(micro_batches(training, 3))))
    assert torch.equal(torch.stack(shares, 1).flatten(0, 1), whole)


def test_batches_read_ahead_are_those_of_the_step(prepared, monkeypatch):
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: self)
    training = prepared()
    expected = [[part.tolist() for part in micro_batches(training, step)] for step in range(3)]
    loader = module.Loader(training)
    assert [[part.tolist() for part in loader.batches(step)] for step in range(3)] == expected
    assert [part.tolist() for part in loader.batches(1)] == expected[1]


def test_bfloat16_weights_follow_float32_masters(prepared, monkeypatch):
    """On a CPU float32 is used in place of bfloat16, so the test asks for it against the rule."""
    plain = prepared()
    monkeypatch.setattr(module, "runs_mixed", lambda config, device: True)
    mixed = prepared(precision="bfloat16")
    assert all(parameter.dtype == torch.bfloat16 for parameter in mixed.model.parameters())
    assert all(buffer.dtype == torch.float32 for buffer in mixed.model.buffers() if buffer.is_floating_point())
    for step in range(6):
        train_step(plain, step)
        train_step(mixed, step)
        assert all(parameter.grad is None for parameter in mixed.model.parameters())
    ours, theirs = ([float(loss) for _, _, loss, _ in training.pending] for training in (mixed, plain))
    assert ours == pytest.approx(theirs, rel=2e-2)
    assert ours != theirs
    for name, parameter in mixed.model.named_parameters():
        master = mixed.weights[name]
        assert master.dtype == torch.float32
        assert torch.equal(parameter, master.bfloat16())
        assert not torch.equal(parameter.float(), master)


def test_gradients_of_many_micro_batches_add_up_in_float32(prepared, monkeypatch):
    monkeypatch.setattr(module, "runs_mixed", lambda config, device: True)
    sums = []
    for size in (1, 4):
        training = prepared(precision="bfloat16", micro_batch=size)
        for ids in micro_batches(training, 0):
            (training.objective(ids) * (len(ids) / 4)).backward()
        sums.append(torch.cat([weight.grad.flatten() for weight in training.weights.values()]))
    assert (sums[0] - sums[1]).norm() < 1e-2 * sums[1].norm()


@pytest.mark.needs("compiler")
@pytest.mark.filterwarnings("ignore")  # the compiler meets warnings of its own
def test_a_compiled_model_trains_the_same(prepared):
    plain, compiled = prepared(), prepared(compiled=True)
    for step in range(2):
        train_step(plain, step)
        train_step(compiled, step)
    for (_, _, ours, norm), (_, _, theirs, other) in zip(compiled.pending, plain.pending, strict=True):
        assert float(ours) == pytest.approx(float(theirs), rel=1e-5)
        assert float(norm) == pytest.approx(float(other), rel=1e-4)
