import pytest
import torch

from deepred.base.errors import UserError
from deepred.run.config import Pretrain
from deepred.train.attention import documents_apart
from deepred.train.device import choose_device
from deepred.train.loss import Objective
from deepred.train.model import (
    build_model,
    decay_groups,
    measure_size,
    parts_of,
    save_model,
)

SHAPE = {"layers": 2, "width": 32, "heads": 2, "kv_heads": 1, "feed_forward": 48}


@pytest.fixture
def model(corpus):
    return build_model(Pretrain(model=SHAPE, sequence=16), corpus.tokenizer, seed=1)


def test_the_seed_decides_the_weights(model, corpus):
    same = build_model(Pretrain(model=SHAPE, sequence=16), corpus.tokenizer, seed=1)
    other = build_model(Pretrain(model=SHAPE, sequence=16), corpus.tokenizer, seed=2)
    weight = model.get_input_embeddings().weight
    assert torch.equal(weight, same.get_input_embeddings().weight)
    assert not torch.equal(weight, other.get_input_embeddings().weight)


def test_the_head_times_hidden_states_are_the_models_logits(model):
    ids = torch.arange(20).reshape(2, 10)
    trunk, head = parts_of(model)
    expected = model(input_ids=ids).logits.reshape(20, -1)
    assert torch.allclose(Objective(model, trunk).hidden(ids) @ head.T, expected, atol=1e-5)


def test_a_model_that_scales_its_logits_is_refused(model):
    forward = model.lm_head.forward
    model.lm_head.forward = lambda hidden: 2 * forward(hidden)
    with pytest.raises(UserError, match="scales or caps"):
        parts_of(model)


def test_an_imported_and_exported_model_has_the_same_logits_bit_for_bit(model, corpus, tmp_path):
    from transformers import AutoModelForCausalLM

    save_model(model, corpus.tokenizer, tmp_path / "base")
    imported = build_model(Pretrain(model={"base": str(tmp_path / "base")}), corpus.tokenizer, seed=9)
    save_model(imported, corpus.tokenizer, tmp_path / "again")
    exported = AutoModelForCausalLM.from_pretrained(tmp_path / "again", dtype=torch.float32)
    ids = torch.arange(30).reshape(2, 15)
    with torch.no_grad():
        assert torch.equal(model.eval()(input_ids=ids).logits, exported(input_ids=ids).logits)


def test_a_document_never_sees_its_neighbour(model):
    trunk, _ = parts_of(model.eval())
    ids = torch.tensor([[5, 6, 0, 7, 8, 9, 0, 10]])
    changed = ids.clone()
    changed[0, :2] = torch.tensor([20, 21])
    with torch.no_grad():
        apart = [Objective(model, trunk, separator=0).hidden(one) for one in (ids, changed)]
        plain = [Objective(model, trunk).hidden(one) for one in (ids, changed)]
        alone = Objective(model, trunk).hidden(ids[:, 3:7])
    assert torch.equal(apart[0][3:], apart[1][3:])
    assert not torch.equal(plain[0][3:], plain[1][3:])
    assert not torch.equal(apart[0][:3], apart[1][:3])
    assert torch.allclose(apart[0][3:7], alone, atol=1e-5)


def test_positions_begin_anew_after_a_separator():
    more = documents_apart(torch.tensor([[5, 0, 7, 8, 0, 0, 9]]), separator=0)
    assert more["position_ids"].tolist() == [[0, 1, 0, 1, 2, 0, 0]]
    assert more["attention_mask"][0, 0].int().tolist()[3] == [0, 0, 1, 1, 0, 0, 0]


def test_matrices_decay_and_norms_and_embeddings_do_not(model):
    decayed, others = decay_groups(model, dict(model.named_parameters()), 0.1)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    assert all("proj" in names[id(parameter)] for parameter in decayed["params"])
    assert {names[id(parameter)].split(".")[-2] for parameter in others["params"]} == {
        "embed_tokens",
        "input_layernorm",
        "post_attention_layernorm",
        "norm",
    }
    assert (decayed["weight_decay"], others["weight_decay"]) == (0.1, 0.0)


def test_operations_per_token_count_the_head_once(model):
    layer = 32 * 32 * 2 + 32 * 16 * 2 + 3 * 32 * 48
    assert measure_size(model).flops_per_token(16) == 6 * (2 * layer + 320 * 32) + 12 * 2 * 32 * 16


def test_a_device_that_is_not_there_is_named():
    with pytest.raises(UserError, match="DEEPRED_DEVICE"):
        choose_device("nosuch")
