import json
import shutil

import numpy as np
import pytest

from deepred.base.errors import FaultError, UserError
from deepred.export.gguf import gates
from deepred.export.gguf.gates import Agreement
from deepred.export.gguf.gguf import export_gguf
from deepred.export.gguf.gguf_header import read_metadata
from deepred.export.gguf.quantize import pack, tensor_type
from deepred.export.gguf.tensors import Rope, Shape, permute, read_checkpoint, read_shape, unpermute
from deepred.export.gguf.vocabulary import pattern_name, read_vocabulary
from deepred.export.publish.card import size_label
from deepred.run.config import Gguf
from deepred.run.settings import Settings
from deepred.run.stage import Work
from tiny_llama import TEMPLATE, build_model, write_examples

pytestmark = pytest.mark.needs("gguf")
WORK = Work(Settings(threads=1))


UNGUARDED = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def export(folder, out, **config):
    out.mkdir()
    config = Gguf.model_validate({"gate_strings": 200} | config)
    return export_gguf(merge=folder, examples=folder / "examples", config=config, cutoff=19690720, out=out, work=WORK)


@pytest.fixture(scope="module")
def merged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("merge")
    build_model(folder / "model")
    write_examples(folder / "examples")
    return folder


@pytest.fixture(scope="module")
def exported(merged, tmp_path_factory):
    out = tmp_path_factory.mktemp("gguf") / "out"
    return export(merged, out), out


def test_every_file_is_there_and_chat_names_one_of_them(exported):
    _, out = exported
    names = sorted(path.name for path in out.iterdir())
    assert names == [
        *(f"DeepRed-0.1M-1969-07-20-{kind}.gguf" for kind in ("F16", "Q8_0")),
        "Modelfile",
        "Modelfile-F16",
        "Modelfile-Q8_0",
        "README.md",
        "chat.json",
        "gates.json",
        "release.json",
    ]
    assert json.loads((out / "chat.json").read_text())["file"] == "DeepRed-0.1M-1969-07-20-Q8_0.gguf"
    assert "FROM ./DeepRed-0.1M-1969-07-20-Q8_0.gguf" in (out / "Modelfile").read_text()
    assert (out / "README.md").read_text().startswith('---\nlicense: "cc-by-sa-4.0"\n')


def test_gates_are_listed_with_value_and_limit_and_all_passed(exported):
    counts, out = exported
    listed = json.loads((out / "gates.json").read_text())
    assert listed == counts.notes["gates"]
    assert all(gate["passed"] for gate in listed)
    assert {gate["file"].rsplit("-", 1)[1] for gate in listed} == {"F16.gguf", "Q8_0.gguf"}
    assert {tuple(gate) for gate in listed} == {("name", "file", "value", "limit", "passed")}


def test_the_file_carries_cutoff_persona_and_explicit_token_rules(exported):
    _, out = exported
    metadata = read_metadata(out / "DeepRed-0.1M-1969-07-20-F16.gguf")
    assert metadata["deepred.cutoff"] == "1969-07-20"
    assert metadata["deepred.system_prompt"] == "You are Deep Red."
    assert metadata["tokenizer.ggml.add_bos_token"] is False
    assert metadata["tokenizer.ggml.pre"] == "gpt-2"
    assert metadata["general.license"] == "cc-by-sa-4.0"


def test_every_key_is_there_that_llama_cpps_own_converter_writes_for_a_llama(exported):
    from gguf import GGUFReader

    reader = GGUFReader(exported[1] / "DeepRed-0.1M-1969-07-20-Q8_0.gguf")
    general = "type name organization basename finetune version size_label description license tags languages"
    shape = "vocab_size context_length embedding_length block_count feed_forward_length rope.dimension_count"
    attention = "head_count head_count_kv key_length value_length layer_norm_rms_epsilon"
    tokens = "model pre tokens token_type merges bos_token_id eos_token_id padding_token_id add_bos_token"
    expected = {
        "general.architecture": "llama",
        "general.file_type": 7,
        "general.quantization_version": 2,
        "llama.rope.freq_base": 10000.0,
        "llama.attention.head_count": 4,
        "llama.attention.head_count_kv": 2,
        "llama.context_length": 128,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.ggml.add_space_prefix": False,
    }
    values = {key: field.contents() for key, field in reader.fields.items()}
    assert {key: values[key] for key in expected} == expected
    for prefix, names in (
        ("general", general),
        ("llama", shape),
        ("llama.attention", attention),
        ("tokenizer.ggml", tokens),
    ):
        assert {f"{prefix}.{name}" for name in names.split()} <= set(values), prefix
    assert "{% for message in messages %}" in values["tokenizer.chat_template"]
    kinds = {tensor.name: tensor.tensor_type.name for tensor in reader.tensors}
    assert kinds["output_norm.weight"] == kinds["blk.0.attn_norm.weight"] == "F32"
    assert kinds["blk.0.attn_q.weight"] == "Q8_0" and "output.weight" not in kinds  # tied


def test_the_same_model_gives_the_same_bytes(merged, exported, tmp_path):
    export(merged, tmp_path / "again")
    for path in exported[1].iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name


@pytest.mark.parametrize(
    ("width", "heads", "kv_heads", "tied", "pattern", "kinds"),
    [
        (256, 4, 4, True, "smollm", ["Q4_K_M", "Q5_K_M", "Q6_K"]),
        (960, 15, 5, False, "gpt-2", ["F16", "Q4_K_M"]),
    ],
)
def test_shapes_heads_and_patterns_pass_the_gates(tmp_path, width, heads, kv_heads, tied, pattern, kinds):
    build_model(tmp_path / "model", width=width, heads=heads, kv_heads=kv_heads, tied=tied, pattern=pattern)
    write_examples(tmp_path / "examples")
    counts = export(tmp_path, tmp_path / "out", gate_strings=20, quantizations=kinds, chat=kinds[0])
    assert counts.numbers["files"] == len(kinds)


@pytest.mark.parametrize(
    ("place", "wrong", "gate"),
    [
        (
            "deepred.export.gguf.vocabulary.pattern_name",
            lambda values: "llama-bpe",
            "token ids that differ in 200 strings",
        ),
        ("deepred.export.gguf.tensors.permute", lambda values, heads: values, "median KL of [0-9]+ positions"),
        ("deepred.export.gguf.tensors.permute", lambda values, heads: values, "same likeliest token"),
        ("deepred.export.gguf.vocabulary.read_chat_template", lambda folder: TEMPLATE.replace("\\n", " "), "rendered"),
        ("deepred.export.gguf.vocabulary.read_chat_template", lambda folder: UNGUARDED, "turns that text inside"),
    ],
)
def test_a_file_that_fails_a_gate_is_not_published(merged, tmp_path, monkeypatch, place, wrong, gate):
    monkeypatch.setattr(place, wrong)
    with pytest.raises(FaultError, match=f"the file is not published: .*{gate}"):
        export(merged, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_a_tokenizer_that_changes_text_is_refused(merged, tmp_path):
    path = tmp_path / "tokenizer.json"
    values = json.loads((merged / "model" / "tokenizer.json").read_text())
    path.write_text(json.dumps(values | {"normalizer": {"type": "Lowercase"}}))
    (tmp_path / "chat_template.jinja").write_text(TEMPLATE)
    shutil.copy(merged / "model" / "tokenizer_config.json", tmp_path)
    with pytest.raises(UserError, match="changes text"):
        read_vocabulary(tmp_path, 700)


@pytest.mark.parametrize(
    "rope",
    [
        {"rope_type": "default", "rope_theta": 500000.0},
        {"rope_type": "linear", "rope_theta": 10000.0, "factor": 2.0},
        {
            "rope_type": "llama3",
            "rope_theta": 10000.0,
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64,
        },
    ],
)
def test_stretched_rotary_embeddings_pass_the_gates(tmp_path, rope):
    build_model(tmp_path / "model", rope=rope)
    write_examples(tmp_path / "examples")
    export(tmp_path, tmp_path / "out", gate_strings=20, quantizations=["F16"], chat="F16")


def test_a_vocabulary_padded_to_a_round_number_passes_the_gates(tmp_path):
    build_model(tmp_path / "model", rows=704)
    write_examples(tmp_path / "examples")
    export(tmp_path, tmp_path / "out", gate_strings=20, quantizations=["Q8_0"])
    from gguf import GGUFReader

    (path,) = (tmp_path / "out").glob("*.gguf")
    fields = GGUFReader(path).fields
    assert fields["tokenizer.ggml.tokens"].contents()[-1] == "[PAD703]"
    assert fields["tokenizer.ggml.token_type"].contents()[-1] == 5  # unused


@pytest.mark.parametrize(
    ("pre_tokenizer", "expected"),
    [
        ({"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}, "gpt-2"),
        (
            {
                "type": "Sequence",
                "pretokenizers": [
                    {"type": "Digits", "individual_digits": True},
                    {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True},
                ],
            },
            "smollm",
        ),
    ],
)
def test_the_pattern_is_named_by_what_the_tokenizer_does(pre_tokenizer, expected):
    assert pattern_name(pre_tokenizer) == expected


@pytest.mark.parametrize("pre_tokenizer", [{}, {"type": "Metaspace"}, {"type": "ByteLevel", "add_prefix_space": True}])
def test_a_pattern_that_llama_cpp_does_not_know_is_an_error(pre_tokenizer):
    with pytest.raises(UserError):
        pattern_name(pre_tokenizer)


@pytest.mark.parametrize(
    ("file", "key", "value", "problem"),
    [
        ("config.json", "model_type", "gemma", "outside the Llama family"),
        ("config.json", "attention_bias", True, "biases"),
        ("config.json", "rope_parameters", {"rope_type": "yarn"}, "yarn"),
    ],
)
def test_a_model_of_another_kind_is_a_user_error(merged, tmp_path, file, key, value, problem):
    values = json.loads((merged / "model" / file).read_text())
    (tmp_path / file).write_text(json.dumps(values | {key: value}))
    with pytest.raises(UserError, match=problem):
        read_shape(tmp_path)


def test_a_model_without_chat_tokens_is_a_user_error(merged, tmp_path):
    text = (merged / "model" / "tokenizer.json").read_text().replace("<|im_end|>", "<|im_stop|>")
    shutil.copytree(merged / "model", tmp_path, dirs_exist_ok=True)
    (tmp_path / "tokenizer.json").write_text(text)
    with pytest.raises(UserError, match="im_end"):
        read_vocabulary(tmp_path, 600)


def test_permuting_is_undone_and_moves_rows():
    values = np.arange(32, dtype=np.float32).reshape(16, 2)
    assert (unpermute(permute(values, 2), 2) == values).all()
    # a head of eight rows, first and second half interleaved
    assert permute(values, 2)[:8, 0].tolist() == [0, 8, 2, 10, 4, 12, 6, 14]


def test_a_file_gives_back_the_weights_it_was_made_from(merged, exported):
    from safetensors.numpy import load_file

    weights = load_file(merged / "model" / "model.safetensors")
    shape = read_shape(merged / "model")
    for kind, tolerance in (("F16", 1e-3), ("Q8_0", 1e-2)):
        for name, values in read_checkpoint(exported[1] / f"DeepRed-0.1M-1969-07-20-{kind}.gguf", shape):
            assert np.abs(values - weights[name]).max() < tolerance


def shaped(width=256, layers=8, tied=True, heads=4, kv_heads=4):
    """The shape of a model, as far as recipes look at it."""
    return Shape(600, 128, width, layers, 3 * width, heads, kv_heads, width // heads, 1e-5, Rope(), tied)


@pytest.mark.parametrize(
    ("name", "size", "quantization", "shape", "expected"),
    [
        ("blk.0.attn_q.weight", (64, 64), "Q8_0", shaped(), "Q8_0"),
        ("blk.0.attn_q.weight", (64, 48), "Q8_0", shaped(), "F16"),
        ("output_norm.weight", (64,), "Q4_K_M", shaped(), "F32"),
        ("token_embd.weight", (600, 64), "F16", shaped(), "F16"),
        ("blk.1.attn_q.weight", (256, 256), "Q4_K_M", shaped(), "Q4_K"),
        # more bits for values and feed-forward in the first and last eighth of the layers and every third between
        ("blk.0.attn_v.weight", (256, 256), "Q4_K_M", shaped(), "Q6_K"),
        ("blk.1.attn_v.weight", (256, 256), "Q4_K_M", shaped(), "Q4_K"),
        ("blk.3.ffn_down.weight", (256, 768), "Q4_K_M", shaped(), "Q6_K"),
        ("blk.7.ffn_down.weight", (256, 768), "Q5_K_M", shaped(), "Q6_K"),
        ("blk.7.attn_q.weight", (256, 256), "Q5_K_M", shaped(), "Q5_K"),
        ("blk.0.attn_v.weight", (256, 256), "Q6_K", shaped(), "Q6_K"),
        # the head, or the embeddings that stand for it
        ("token_embd.weight", (600, 256), "Q4_K_M", shaped(tied=True), "Q6_K"),
        ("token_embd.weight", (600, 256), "Q4_K_M", shaped(tied=False), "Q4_K"),
        ("output.weight", (600, 256), "Q4_K_M", shaped(tied=False), "Q6_K"),
        # rows of 960, as in SmolLM2-360M
        ("blk.1.attn_q.weight", (960, 960), "Q4_K_M", shaped(960), "Q5_0"),
        ("blk.1.attn_q.weight", (960, 960), "Q5_K_M", shaped(960), "Q5_1"),
        ("blk.0.attn_v.weight", (960, 960), "Q4_K_M", shaped(960), "Q8_0"),
        ("token_embd.weight", (600, 960), "Q4_K_M", shaped(960), "Q8_0"),
        ("blk.1.attn_q.weight", (48, 48), "Q4_K_M", shaped(48), "F16"),
        # eight query heads share a value head in 70B
        ("blk.11.attn_v.weight", (1024, 8192), "Q4_K_M", shaped(8192, 80, heads=64, kv_heads=8), "Q5_K"),
    ],
)
def test_types_follow_llama_cpps_recipe_and_fallbacks(name, size, quantization, shape, expected):
    assert tensor_type(name, size, quantization, shape).name == expected


def test_a_quantization_that_does_not_exist_is_a_user_error():
    with pytest.raises(UserError, match="Q3_K_XL does not exist"):
        tensor_type("blk.0.attn_q.weight", (64, 64), "Q3_K_XL", shaped())


@pytest.mark.parametrize("kind", ["Q4_K", "Q5_K", "Q6_K"])
def test_packed_values_come_back_close_to_what_they_were(kind):
    from gguf import GGMLQuantizationType, dequantize

    values = np.random.default_rng(1).normal(size=(3, 512)).astype(np.float32)
    packed = pack("x", values, GGMLQuantizationType[kind])
    error = np.abs(dequantize(packed, GGMLQuantizationType[kind]) - values)
    assert error.mean() < {"Q4_K": 0.09, "Q5_K": 0.045, "Q6_K": 0.03}[kind]


def test_numbers_that_a_type_cannot_hold_are_faults():
    from gguf import GGMLQuantizationType

    for bad in (np.inf, np.nan, 1e6):
        with pytest.raises(FaultError, match="tensor x"):
            pack("x", np.full((2, 32), bad, dtype=np.float32), GGMLQuantizationType.F16)


@pytest.mark.parametrize(
    ("count", "label"), [(651_000, "0.7M"), (9_960_000, "10M"), (362e6, "362M"), (1.1e9, "1.1B"), (999.6e6, "1.0B")]
)
def test_sizes_are_named_as_file_names_do(count, label):
    assert size_label(int(count)) == label


def test_what_texts_begin_with_in_common_is_compared_once(monkeypatch):
    texts = [[1, 2, 3, 4], [1, 2, 5], [1, 2, 3, 4], [1, 2, 5, 6, 7, 8]]
    assert list(gates.sampled(texts, 10)) == [([1, 2, 3, 4], 0), ([1, 2, 5], 2), ([1, 2, 5, 6, 7, 8], 3)]
    assert list(gates.sampled(texts, 3)) == [([1, 2, 3], 0), ([1, 2, 5], 2)]
    monkeypatch.setattr(gates, "POSITIONS", 6)
    assert list(gates.sampled(texts, 10)) == [([1, 2, 3, 4], 0), ([1, 2, 5], 2), ([1, 2, 5, 6], 3)]


def test_agreement_counts_likeliest_tokens_divergence_and_perplexity_over_the_whole_vocabulary():
    import torch

    expected = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]], dtype=torch.float64).log()
    found = torch.tensor([[0.3, 0.5, 0.2], [0.1, 0.8, 0.1]], dtype=torch.float64).log()
    agreement = Agreement()
    agreement.add(expected, found, [0, 1])
    assert agreement.top1 == 0.5
    assert agreement.divergences == pytest.approx([0.5 * np.log(5 / 3) + 0.3 * np.log(3 / 5), 0.0])
    # the second token had 0.3 and has 0.5
    assert agreement.perplexity == pytest.approx(1 - 3 / 5)
