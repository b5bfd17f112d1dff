import json

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from deepred.base.errors import UserError
from deepred.run.config import Pretrain
from deepred.train import memory
from deepred.train.memory import (
    BFLOAT16_MASTER,
    FLOAT32,
    HEADROOM,
    HEADROOM_CPU,
    architecture_of,
    numbers_of,
    skeleton,
    step_memory,
    suggest_micro_batch,
)

SHAPE = {"layers": 3, "width": 64, "heads": 4, "kv_heads": 2, "feed_forward": 96}
VOCABULARY = 700


def config(**more):
    values = {"model": SHAPE, "sequence": 32, "batch": 16, "micro_batch": 4}
    return Pretrain.model_validate(values | more)


@pytest.mark.parametrize("activations", ["keep", "recompute"])
@pytest.mark.parametrize("batch", [4, 8])
def test_two_shallow_traces_extended_equal_the_trace_of_the_whole_model(activations, batch, monkeypatch):
    wanted = config(model=SHAPE | {"layers": 5}, activations=activations, batch=batch)
    extended = step_memory(wanted, VOCABULARY)
    monkeypatch.setattr(memory, "TRACED", (5, 5))
    whole = step_memory(wanted, VOCABULARY)
    assert abs(extended.total - whole.total) <= 0.001 * whole.total
    assert extended.activations == whole.activations


def test_state_is_counted_by_the_numbers_it_is_kept_in():
    with FakeTensorMode():
        model = skeleton(architecture_of(config().model, 32, VOCABULARY), 3)
        count = sum(p.numel() for p in model.parameters())
    single, mixed = (step_memory(config(), VOCABULARY, numbers=numbers) for numbers in (FLOAT32, BFLOAT16_MASTER))
    assert (single.master, single.moments, single.gradients) == (0, 8 * count, 4 * count)
    assert (mixed.master, mixed.moments, mixed.gradients) == (4 * count, 8 * count, 4 * count)
    assert single.weights - 4 * count == mixed.weights - 2 * count < 200  # frequencies of the rotary embedding
    assert single.total == sum(vars(single).values())


def test_what_the_forward_pass_leaves_is_what_autograd_saves():
    """The ledger of a trace against the tensors that a real forward pass of the same model packs."""
    model = skeleton(architecture_of(config().model, 32, VOCABULARY), 3).train()
    own = {p.untyped_storage() for p in (*model.parameters(), *model.buffers())}
    saved = set()

    def pack(tensor):
        if tensor.untyped_storage() not in own:
            saved.add(tensor.untyped_storage())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        hidden = model.base_model(input_ids=torch.zeros((4, 32), dtype=torch.long), use_cache=False)
        hidden = hidden.last_hidden_state
        kept = sum(storage.nbytes() for storage in saved)
    assert hidden.requires_grad
    shape = config(batch=4)
    counted = step_memory(shape, VOCABULARY, numbers=FLOAT32).activations
    # beside what autograd saves: the last hidden states themselves
    assert kept <= counted <= kept + 2 * hidden.nbytes


def test_recomputing_trades_activations_for_work():
    kept, recomputed = (step_memory(config(activations=name), VOCABULARY) for name in ("keep", "recompute"))
    assert recomputed.activations < 0.3 * kept.activations
    assert recomputed.total < kept.total


def test_a_step_in_mixed_precision_keeps_half_the_activations_and_a_master():
    wide, mixed = (
        step_memory(config(micro_batch=16), VOCABULARY, numbers=numbers) for numbers in (FLOAT32, BFLOAT16_MASTER)
    )
    assert 0.4 * wide.activations < mixed.activations < 0.8 * wide.activations
    assert mixed.weights < 0.51 * wide.weights and 0.99 * wide.weights < mixed.master <= wide.weights


@pytest.mark.parametrize("sequence, device, activations", [(32, "cuda", "keep"), (1024, "cpu", "recompute")])
def test_the_suggested_micro_batch_is_the_largest_that_fits(sequence, device, activations):
    wanted = config(sequence=sequence, activations=activations)
    room = step_memory(wanted, VOCABULARY, device, micro_batch=11).total / (
        HEADROOM_CPU if device == "cpu" else HEADROOM
    )
    assert suggest_micro_batch(wanted, VOCABULARY, int(1.005 * room), device) == 11
    assert suggest_micro_batch(wanted, VOCABULARY, int(0.995 * room), device) == 10


def test_the_suggestion_is_the_batch_at_most_and_nothing_where_nothing_fits():
    assert suggest_micro_batch(config(), VOCABULARY, 1 << 40) == 16
    assert suggest_micro_batch(config(), VOCABULARY, 1 << 20) == 0


def test_documents_kept_apart_cost_their_mask_on_a_cpu():
    apart = step_memory(config(attention="document"), VOCABULARY, "cpu")
    assert apart.total > step_memory(config(), VOCABULARY, "cpu").total


def test_a_base_model_needs_its_configuration_only(tmp_path):
    described = architecture_of(config().model, 32, VOCABULARY)
    described.save_pretrained(tmp_path)
    based = config(model={"base": str(tmp_path)})
    assert step_memory(based, 0) == step_memory(config(), VOCABULARY)


def test_a_base_model_that_is_not_there_is_an_error_that_says_how_to_get_it(tmp_path):
    with pytest.raises(UserError, match="hf download"):
        architecture_of(config(model={"base": str(tmp_path / "none")}).model, 32, VOCABULARY)


def test_other_architectures_with_a_separable_head_are_traced(tmp_path):
    values = {"model_type": "qwen3", "vocab_size": 300, "hidden_size": 32, "intermediate_size": 64}
    values |= {"num_hidden_layers": 6, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16}
    (tmp_path / "config.json").write_text(json.dumps(values))
    assert step_memory(config(model={"base": str(tmp_path)}), 0).activations > 0


def test_a_cpu_computes_in_float32_whatever_is_configured():
    assert numbers_of(config(precision="bfloat16"), "cpu") == FLOAT32
    assert numbers_of(config(precision="bfloat16"), "cuda") == BFLOAT16_MASTER
