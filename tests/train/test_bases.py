"""Base models of several architectures, as they come and as they cannot be used."""

import json

import pytest
import torch
import transformers

from deepred.base.errors import FaultError, UserError
from deepred.train.model import compare_losses, parts_of

SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}
CONFIGS = {
    "llama": (transformers.LlamaConfig, {**SIZES, "num_key_value_heads": 1}),
    "qwen2": (transformers.Qwen2Config, {**SIZES, "num_key_value_heads": 1}),
    "qwen3": (transformers.Qwen3Config, {**SIZES, "num_key_value_heads": 1, "head_dim": 16}),
    "smollm3": (transformers.SmolLM3Config, {**SIZES, "num_key_value_heads": 1, "pad_token_id": 0}),
    "gpt-neox": (transformers.GPTNeoXConfig, SIZES),
    "gpt2": (transformers.GPT2Config, {"n_embd": 32, "n_layer": 2, "n_head": 2}),
    "mistral": (transformers.MistralConfig, {**SIZES, "num_key_value_heads": 1, "sliding_window": 4}),
    "bloom": (transformers.BloomConfig, {"hidden_size": 32, "n_layer": 2, "n_head": 2}),
    "gemma2": (transformers.Gemma2Config, {**SIZES, "num_key_value_heads": 1, "head_dim": 16}),
    "cohere": (transformers.CohereConfig, {**SIZES, "num_key_value_heads": 1}),
    "phi": (transformers.PhiConfig, SIZES),
    "bert": (transformers.BertConfig, SIZES),
}
ONE_STEP = {"tokens": 4 * 16, "validate_steps": 1}


def base_of(name, folder, **more):
    """A random model of an architecture, in a folder."""
    kind, values = CONFIGS[name]
    ids = {"bos_token_id": 0, "eos_token_id": 0}
    torch.manual_seed(3)
    model = transformers.AutoModelForCausalLM.from_config(kind(vocab_size=320, **{**ids, **values, **more}))
    model.save_pretrained(folder)
    return model


@pytest.mark.parametrize("name", ["llama", "qwen2", "qwen3", "smollm3", "gpt-neox", "gpt2", "mistral", "bloom"])
def test_training_begins_with_the_models_own_loss_whatever_its_architecture(corpus, tmp_path, curve, name):
    model = base_of(name, tmp_path / "base").eval()
    corpus.pretrain(tmp_path / "out", model={"base": str(tmp_path / "base")}, **ONE_STEP)
    first, step = curve(tmp_path / "out")[:2]
    assert first["loss_here"] == pytest.approx(first["own_loss"], rel=1e-5)
    with torch.no_grad():
        ids = torch.from_numpy(tokens_of(corpus)[:1])
        assert model(input_ids=ids, labels=ids).loss.item() == pytest.approx(first["own_loss"], rel=1e-5)
    assert step["step"] == 1


def tokens_of(corpus):
    from deepred.train.token_files import Tokens

    return Tokens(corpus.shards).sequences(16, "contiguous").batch([0, 1])


@pytest.mark.parametrize("name", ["llama", "qwen3", "gpt-neox", "gpt2"])
def test_documents_are_kept_apart_in_other_architectures_too(corpus, tmp_path, name):
    base_of(name, tmp_path / "base")
    corpus.pretrain(tmp_path / "out", model={"base": str(tmp_path / "base")}, attention="document", **ONE_STEP)


@pytest.mark.parametrize("name", ["mistral", "bloom"])
def test_a_model_that_cannot_keep_documents_apart_is_refused(corpus, tmp_path, name):
    base_of(name, tmp_path / "base")
    with pytest.raises(UserError, match=r"cannot keep documents apart.*causal"):
        corpus.pretrain(tmp_path / "out", model={"base": str(tmp_path / "base")}, attention="document", **ONE_STEP)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("gemma2", "scales or caps"), ("cohere", "scales or caps"), ("phi", "bias"), ("bert", "bias|should predict")],
)
def test_a_head_that_the_loss_does_not_know_is_refused(tmp_path, name, reason):
    with pytest.raises(UserError, match=reason):
        parts_of(base_of(name, tmp_path / "base"))


def test_a_model_that_sees_what_it_should_predict_is_refused(tmp_path):
    model = base_of("llama", tmp_path / "base")
    for layer in model.model.layers:
        layer.self_attn.is_causal = False
    with pytest.raises(UserError, match="should predict"):
        parts_of(model)


def test_losses_that_differ_end_the_run():
    assert compare_losses(3.0, 3.00001, "base") == {"own_loss": 3.0, "loss_here": 3.00001}
    for ours in (3.01, float("nan")):
        with pytest.raises(FaultError, match="something was lost in import"):
            compare_losses(3.0, ours, "base")


def refused(corpus, tmp_path, base):
    with pytest.raises(UserError) as caught:
        corpus.pretrain(tmp_path / "out", model={"base": str(base)})
    return str(caught.value)


def test_a_model_with_code_of_its_own_is_refused(corpus, tmp_path):
    base_of("llama", tmp_path / "base")
    path = tmp_path / "base" / "config.json"
    own = {"AutoConfig": "own.OwnConfig", "AutoModelForCausalLM": "own.OwnModel"}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model_type": "own", "auto_map": own}))
    (tmp_path / "base" / "own.py").write_text("raise SystemExit('code was run')")
    assert "code of its own, which is never run" in refused(corpus, tmp_path, tmp_path / "base")


def test_pickled_weights_are_refused(corpus, tmp_path):
    model = base_of("llama", tmp_path / "base")
    (tmp_path / "base" / "model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "base" / "pytorch_model.bin")
    assert "pickled weights only" in refused(corpus, tmp_path, tmp_path / "base")


def test_a_model_that_is_no_causal_language_model_is_refused(corpus, tmp_path):
    transformers.T5Config(vocab_size=320, d_model=16).save_pretrained(tmp_path / "base")
    assert "is no causal language model" in refused(corpus, tmp_path, tmp_path / "base")


def test_damaged_weights_are_named(corpus, tmp_path):
    base_of("llama", tmp_path / "base")
    (tmp_path / "base" / "model.safetensors").write_bytes(b"no weights")
    assert "model.safetensors is damaged" in refused(corpus, tmp_path, tmp_path / "base")


def test_weights_that_are_missing_or_no_numbers_are_named(corpus, tmp_path):
    from safetensors.torch import load_file, save_file

    base_of("llama", tmp_path / "base")
    path = tmp_path / "base" / "model.safetensors"
    tensors = load_file(path)
    name = next(name for name in tensors if "mlp" in name)
    save_file({key: value for key, value in tensors.items() if key != name}, path, {"format": "pt"})
    assert f"lacks 1 weights, such as {name}" in refused(corpus, tmp_path, tmp_path / "base")
    tensors[name].view(-1)[0] = float("nan")
    save_file(tensors, path, {"format": "pt"})
    assert f"{name} holds values that are no numbers" in refused(corpus, tmp_path, tmp_path / "base")


def test_a_base_with_too_few_embeddings_is_refused(corpus, tmp_path):
    small_base(tmp_path / "base")
    assert "tokenizer.adopt" in refused(corpus, tmp_path, tmp_path / "base")


def small_base(folder):
    config = transformers.LlamaConfig(vocab_size=300, **SIZES)
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
